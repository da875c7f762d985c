"""The default quality set as a Great Expectations suite, to start from."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping

from dagster_monitoring.profiles.baseline import Baseline
from dagster_monitoring.profiles.bins import CategoricalBins, NumericBins
from dagster_monitoring.schema import Columns

Argument = str | float | int | list[str]
Entry = Mapping[str, object]

# The same slack that the data-quality monitor's default limits have.
_MORE_MISSING = 0.5
_OUT_OF_RANGE = 0.05
_NEW_CATEGORIES = 0.2
# A set that is longer than a person reads is not worth an expectation.
_LONGEST_SET = 500


def write_default_suite(baseline: Baseline, columns: Columns) -> str:
    """A suite's JSON: what the data-quality monitor expects of a slice, in the suite's words.

    It expects that columns exist, that ids are unique, that no half of the rows misses what the
    baseline had, that numbers lie within the baseline's range (a warning) and categories within
    its vocabulary; the shares that may differ are the monitor's.

    Args:
        baseline: the training baseline.
        columns: the declared columns; those the baseline does not have are only expected to exist.

    Returns:
        JSON that Great Expectations 1.x reads, and the monitor's ``path``; it needs no import of
        Great Expectations.
    """
    entries = [
        _entry("expect_table_row_count_to_be_between", {"min_value": 1}),
        _entry("expect_column_values_to_be_unique", {"column": columns.id}),
        _entry("expect_column_values_to_not_be_null", {"column": columns.timestamp}),
        *(entry for name in columns.features for entry in _of_feature(baseline, name)),
    ]
    suite: dict[str, object] = {
        "name": "default_quality",
        "expectations": entries,
        "meta": {},
        "notes": None,
    }
    return json.dumps(suite, indent=2, ensure_ascii=False) + "\n"


def _of_feature(baseline: Baseline, name: str) -> Iterator[Entry]:
    yield _entry("expect_column_to_exist", {"column": name})
    bins, summary = baseline.bins.columns.get(name), baseline.profile.columns.get(name)
    if bins is None or summary is None or not summary.rows:
        return
    mostly = _down(1 - summary.n_missing / summary.rows - _MORE_MISSING)
    if mostly > 0:
        yield _entry("expect_column_values_to_not_be_null", {"column": name, "mostly": mostly})
    if isinstance(bins, NumericBins) and bins.minimum is not None and bins.maximum is not None:
        limits = {"min_value": bins.minimum, "max_value": bins.maximum}
        yield _entry(
            "expect_column_values_to_be_between",
            {"column": name, **limits, "mostly": 1 - _OUT_OF_RANGE},
            severity="warning",
        )
    elif isinstance(bins, CategoricalBins) and 0 < len(bins.vocabulary) <= _LONGEST_SET:
        names = sorted(bins.vocabulary)
        yield _entry(
            "expect_column_values_to_be_in_set",
            {"column": name, "value_set": names, "mostly": 1 - _NEW_CATEGORIES},
        )


def _down(share: float) -> float:
    """Rounded down to what a person reads."""
    return math.floor(share * 1000) / 1000


def _entry(kind: str, kwargs: Mapping[str, Argument], *, severity: str = "critical") -> Entry:
    return {"type": kind, "kwargs": kwargs, "meta": {}, "severity": severity}
