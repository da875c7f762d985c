from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dagster_monitoring.profiles import names
from dagster_monitoring.profiles.names import NameCounts, short

tallies = st.dictionaries(st.text(max_size=3), st.integers(1, 9), max_size=12)


@settings(max_examples=100, deadline=None)
@given(a=tallies, b=tallies, c=tallies, kept=st.integers(1, 6))
def test_adding_is_associative_and_commutative_and_exact_for_what_is_kept(
    a: dict[str, int], b: dict[str, int], c: dict[str, int], kept: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(names, "MAX_NAMES", kept)
        x, y, z = map(NameCounts.of, (a, b, c))
        assert (x + y) + z == x + (y + z) == (z + y) + x
        assert x + NameCounts() == x
        whole = Counter(a) + Counter(b) + Counter(c)
        total = x + y + z
        assert total == NameCounts.of(whole)
        assert total.total == whole.total()
        assert all(whole[name] == count for name, count in total.counts.items())
        assert len(total.counts) == min(len(whole), kept)


def test_distinct_names_are_exact_when_few_and_near_when_many() -> None:
    assert NameCounts.of({str(i): 1 for i in range(900)}).distinct == 900
    many = NameCounts.of({f"name {i}": 1 for i in range(50_000)})
    assert len(many.counts) == 1_000
    assert many.rest == 49_000
    assert many.distinct == pytest.approx(50_000, rel=0.12)


def test_a_long_name_is_cut_and_stays_distinct() -> None:
    first, second = short("x" * 500 + "a"), short("x" * 500 + "b")
    assert len(first) == 200
    assert first != second
    assert short("<b>\n") == "<b>\n"
