"""Performance profiles read back from what files hold of them, down to the last row."""

from __future__ import annotations

import math

import pyarrow as pa
import pytest

from dagster_monitoring.errors import CorruptDataError
from dagster_monitoring.profiles.encoding import from_bytes, to_bytes
from dagster_monitoring.profiles.names import NameCounts
from dagster_monitoring.profiles.performance_profile import PerformanceProfile, empty_performance
from dagster_monitoring.profiles.performance_serialization import from_table, to_table
from dagster_monitoring.statistics.performance import BinarySummary
from tests.profiles.conftest import plain
from tests.profiles.summaries import ROUNDED, SUMMARIES, TASKS, UNKNOWN, profile_of, scores

PROFILES = {
    **{f"{kind} alone": profile_of(own) for kind, own in SUMMARIES.items()},
    **{f"no rows, {kind}": empty_performance(task) for kind, task in TASKS.items()},
    "rounded scores": profile_of(SUMMARIES["binary"], Oslo=ROUNDED, Rome=SUMMARIES["binary"]),
    "segments of classes": profile_of(
        SUMMARIES["several"], Oslo=SUMMARIES["several"], Rome=SUMMARIES["several"]
    ),
    "sums beyond floats": profile_of(UNKNOWN, Oslo=SUMMARIES["regression"], Rome=UNKNOWN),
    "segments of queries": profile_of(SUMMARIES["ranking"], Oslo=SUMMARIES["ranking"]),
}


@pytest.mark.parametrize("profile", PROFILES.values(), ids=PROFILES)
def test_a_performance_profile_is_read_as_it_was_written(profile: PerformanceProfile) -> None:
    read = from_table(from_bytes(to_bytes(to_table(profile)), where="here"))
    assert plain(read) == plain(profile)


def test_rows_of_a_file_are_scores_with_how_many_rows_had_them() -> None:
    few, more = scores(0.25, 0.5, rows=4), scores(0.125, rows=7)
    profile = profile_of(BinarySummary(score_counts=few), Oslo=BinarySummary(score_counts=more))
    table = to_table(profile)
    assert table.to_pydict() == {
        "score": [0.25, 0.5, 0.125],
        "rows": [4, 5 + 3, 7],
        "positives": [0, 3, 0],
    }


@pytest.mark.parametrize(
    ("rows", "kind"), [(2**31 - 1, pa.int32()), (2**31, pa.int64()), (None, pa.int32())]
)
def test_counts_take_half_the_room_as_long_as_they_fit(rows: int | None, kind: pa.DataType) -> None:
    counts = scores() if rows is None else scores(0.5, rows=rows)
    schema = to_table(profile_of(BinarySummary(score_counts=counts))).schema
    assert (schema.field("rows").type, schema.field("positives").type) == (kind, kind)


def test_bytes_do_not_depend_on_the_order_of_names() -> None:
    some = profile_of(SUMMARIES["binary"])
    turned = PerformanceProfile(
        summary=some.summary,
        predictions=NameCounts(counts={"1": 30, "0": 60}, total=93),
    )
    straight = PerformanceProfile(summary=some.summary, predictions=some.predictions)
    assert to_bytes(to_table(turned)) == to_bytes(to_table(straight))


def test_numbers_that_json_can_not_hold_are_not_written() -> None:
    odd = PerformanceProfile(summary=BinarySummary(), n=math.nan)
    with pytest.raises(ValueError, match="not JSON compliant"):
        to_table(odd)


def test_a_file_of_another_kind_or_format_is_refused() -> None:
    table = to_table(profile_of(BinarySummary()))
    key = b"dagster_monitoring.performance"
    assert set(table.schema.metadata) == {key}
    message = r"not a file of format 4 \(dagster_monitoring\.performance\): "
    for metadata, found in ((None, "None"), ({key: b'{"format": 3}'}, "3")):
        with pytest.raises(CorruptDataError, match=message + found):
            from_table(table.replace_schema_metadata(metadata))
