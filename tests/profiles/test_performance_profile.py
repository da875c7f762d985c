"""Performance profiles of slices and segments add up to that of all rows."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from itertools import permutations

import pytest

from dagster_monitoring.profiles.names import NameCounts
from dagster_monitoring.profiles.performance_profile import (
    PerformanceProfile,
    SegmentPerformance,
    add_summaries,
    empty_performance,
    empty_summary,
    merge_performance,
)
from tests.profiles.conftest import plain
from tests.profiles.summaries import SUMMARIES, TASKS, profile_of


@pytest.mark.parametrize("kind", SUMMARIES)
def test_summaries_of_one_task_add_and_no_rows_change_nothing(kind: str) -> None:
    own, nothing = SUMMARIES[kind], empty_summary(TASKS[kind])
    assert type(nothing) is type(own)
    assert nothing.n_labelled == 0
    assert plain(add_summaries(own, own)) == plain(own + own)
    for total in (add_summaries(own, nothing), add_summaries(nothing, own)):
        assert plain(total) == plain(own)


def test_summaries_of_different_tasks_are_named_and_do_not_add() -> None:
    for left, right in permutations(SUMMARIES, 2):
        names = [type(SUMMARIES[kind]).__name__ for kind in (left, right)]
        with pytest.raises(ValueError, match=f"do not add: {names[0]}, {names[1]}"):
            add_summaries(SUMMARIES[left], SUMMARIES[right])


def test_all_that_two_slices_tell_adds_up() -> None:
    own = SUMMARIES["binary"]
    first = replace(
        profile_of(own, Oslo=own, Rome=own),
        n_without_prediction=3,
        predictions=NameCounts.of({"0": 1}),
        labels=NameCounts.of({"1": 5}),
    )
    second = replace(
        profile_of(own, Rome=own, Lima=own),
        n=1,
        n_labelled=2,
        n_without_prediction=40,
        predictions=NameCounts.of({"0": 2, "1": 3}),
        labels=NameCounts.of({"1": 7}),
    )
    total = first + second
    assert (total.n, total.n_labelled, total.n_without_prediction) == (101, 92, 43)
    assert total.prediction_counts == {"0": 3, "1": 3}
    assert total.label_counts == {"1": 12}
    assert total.summary.true_positive == 22
    parts = {
        name: (part.n, part.n_labelled, part.summary.true_positive)
        for name, part in total.segments.items()
    }
    # Rome is the second of one and the first of the other: 11 + 10 rows, 6 + 5 labelled.
    assert parts == {"city=Oslo": (10, 5, 11), "city=Rome": (21, 11, 22), "city=Lima": (11, 6, 11)}


def _moment(day: int | None) -> datetime | None:
    return None if day is None else datetime(2024, 1, day, tzinfo=UTC)


@pytest.mark.parametrize(
    ("spans", "expected"),
    [
        ([(2, 5), (3, 9)], (2, 9)),
        ([(3, 9), (2, 5)], (2, 9)),
        ([(2, 9), (3, 5)], (2, 9)),
        ([(2, 5), (None, None)], (2, 5)),
        ([(None, None), (2, 5)], (2, 5)),
        ([(None, None), (None, None)], (None, None)),
    ],
)
def test_labels_arrived_from_the_first_of_all_to_the_last(
    spans: list[tuple[int | None, int | None]], expected: tuple[int | None, int | None]
) -> None:
    parts = [
        replace(
            profile_of(SUMMARIES["binary"]),
            first_available_at=_moment(first),
            last_available_at=_moment(last),
        )
        for first, last in spans
    ]
    total = parts[0] + parts[1]
    assert (total.first_available_at, total.last_available_at) == (
        *(_moment(expected[0]), _moment(expected[1])),
    )


@pytest.mark.parametrize("kind", SUMMARIES)
def test_profiles_merge_one_by_one_and_none_are_no_rows(kind: str) -> None:
    own = profile_of(SUMMARIES[kind], Oslo=SUMMARIES[kind])
    assert plain(merge_performance([own], task=TASKS[kind])) == plain(own)
    assert plain(merge_performance([own, own, own], task=TASKS[kind])) == plain(own + (own + own))
    nothing = merge_performance(iter([]), task=TASKS[kind])
    assert plain(nothing) == plain(empty_performance(TASKS[kind]))
    assert (nothing.n, nothing.n_labelled, nothing.segments) == (0, 0, {})


def test_a_segment_has_rows_without_a_label() -> None:
    own = SUMMARIES["regression"]
    part = SegmentPerformance(n=3, n_labelled=1, summary=own)
    assert (part + part).n == 6
    assert (part + part).n_labelled == 2
    whole = PerformanceProfile(summary=own, segments={"city=Oslo": part})
    assert (whole + whole).segments["city=Oslo"].summary.n_labelled == 10
