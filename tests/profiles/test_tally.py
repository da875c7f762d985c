"""Sums of 64 bits: they are settled before they overflow, and not much sooner."""

from __future__ import annotations

import numpy as np
import pytest

from dagster_monitoring.profiles.engines.tally import Tier, Wide

ROWS = 1 << 17


def _settled_in(tier: Tier, passes: int, n: int, largest: int, needed: int) -> list[int]:
    """The passes before which the tier was settled: that takes the squares out of its table."""
    settled = []
    for number in range(1, passes + 1):
        tier.whole[:] = 1
        room = tier.make_room(n, largest)
        if not tier.whole.any():
            settled.append(number)
        tier.give_back(room, n, needed)
    return settled


@pytest.mark.parametrize(
    ("n", "largest", "needed", "passes", "settled"),
    [
        pytest.param(1, 1, 1, 1100, [513, 1025], id="2 ** 53 a pass at the least"),
        pytest.param(ROWS, 1 << 44, 1 << 44, 6, [3, 5], id="2 ** 61 of offsets"),
        pytest.param(ROWS >> 2, 1 << 38, 1 << 38, 600, [257, 513], id="2 ** 54 of squares"),
        pytest.param(ROWS, 1 << 41, 1 << 41, 8, [5], id="2 ** 60 of squares that are split"),
        pytest.param(ROWS, 1 << 44, 1, 600, [258, 515], id="2 ** 61 of which 2 ** 53 was needed"),
    ],
)
def test_sums_are_settled_just_before_they_may_pass_2_to_62(
    n: int, largest: int, needed: int, passes: int, settled: list[int]
) -> None:
    assert _settled_in(Tier(0, 1, 1), passes, n, largest, needed) == settled


def test_settled_sums_are_small_and_what_they_were() -> None:
    """Also where settled ones are settled again, as far from 0 as there is room for."""
    ends = [n * sign for n in (2**61 - 1, 2**61, 2**61 + 1, 2**62) for sign in (1, -1)]
    added = [0, 1, -1, *ends]
    wide = Wide(np.zeros((len(added), 2), dtype=np.int64))
    for times in range(1, 5):
        wide.low += np.array(added)
        wide.settle()
        assert wide.low.min() >= -(2**61)
        assert wide.low.max() < 2**61
        halves = (half.tolist() for half in wide.halves())
        found = [high * 2**31 + low for high, low in zip(*halves, strict=True)]
        assert found == [times * value for value in added]
    assert not wide.counts.any()
