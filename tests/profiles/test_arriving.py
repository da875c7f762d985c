"""How late labels came, to the microsecond, wherever in time they did."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pytest

from dagster_monitoring.profiles.arriving import lateness
from dagster_monitoring.profiles.delays import EDGES, delay_cells

MOMENT = pa.timestamp("us", tz="UTC")
MINUTE = 60_000_000
FAR = datetime(4000, 1, 1, tzinfo=UTC)
FAR_US = round((FAR - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds()) * 10**6
LARGEST = 2**63 - 1


def moments(*values: int | None) -> pa.Array:
    return pa.array(values, pa.int64()).cast(MOMENT)


@pytest.mark.parametrize("end", [FAR, None])
def test_a_microsecond_counts_in_the_year_4000(end: datetime | None) -> None:
    """Where floats have every eighth microsecond alone."""
    assert float(FAR_US + MINUTE + 1) == float(FAR_US + MINUTE)
    start = [None, FAR_US, FAR_US + 3]
    came = [FAR_US + MINUTE + 1, FAR_US + MINUTE, FAR_US + 4 + MINUTE]
    late = lateness(moments(*came), moments(*start), end)
    without = -1 if end is None else 2
    assert late.delay.tolist() == [without, 1, 2]
    assert late.age.tolist() == ([-1] * 3 if end is None else [2, 1, 2])
    alone = lateness(moments(*came), None, end)
    assert alone.delay.tolist() == late.age.tolist() == alone.age.tolist()


def test_an_end_may_have_microseconds() -> None:
    end = FAR.replace(microsecond=7)
    late = lateness(moments(FAR_US + MINUTE + 7, FAR_US + MINUTE + 8, None), None, end)
    assert late.age.tolist() == [1, 2, -1]


def test_what_lies_as_far_apart_as_can_be_does_not_overflow() -> None:
    late = lateness(moments(LARGEST, -LARGEST, None), moments(-LARGEST, LARGEST, 0), None)
    assert late.delay.tolist() == [len(EDGES), 0, -1]


def test_groups_have_the_delays_of_their_rows() -> None:
    source = np.random.default_rng(1)
    delays, group = source.integers(0, 10**14, 60), source.integers(0, 3, 60)
    came = [int(d) if d % 7 else None for d in delays]
    late = lateness(moments(*came), moments(*[0] * 60), None)
    found = late.by_group(group)
    assert sorted(found) == [0, 1, 2]
    for own, counts in found.items():
        cells = delay_cells(delays[(group == own) & (delays % 7 > 0)])
        assert dict(counts.counts) == dict(
            zip(*(x.tolist() for x in np.unique(cells, return_counts=True)), strict=True)
        )
    assert lateness(moments(None), None, None).by_group(np.array([0])) == {}
