"""Great Expectations: the user's own suite, run on the rows of the slice."""

from __future__ import annotations

import math
import re
from collections import Counter
from typing import ClassVar, Literal, Self

import pyarrow as pa
from pydantic import Field, model_validator

from dagster_monitoring.errors import DataError
from dagster_monitoring.incidents import Cause
from dagster_monitoring.monitors._great_expectations_bridge import (
    Expectation,
    Outcome,
    call_suite,
    read_suite,
    run_suite,
)
from dagster_monitoring.monitors._monitor import Measurement, Monitor, MonitoredAsset, View
from dagster_monitoring.monitors.threshold import AbsoluteThreshold, Levels, Limits, Threshold


class GreatExpectationsMonitor(Monitor):
    """Runs an expectation suite; each of its expectations is one row of the check.

    All rows of the slice are read into memory, unlike for every other monitor.
    """

    asset: ClassVar[MonitoredAsset] = "data_quality"
    cause: ClassVar[Cause] = Cause.DATA

    type: Literal["great_expectations"] = "great_expectations"
    path: str | None = Field(default=None, description="The suite's JSON file.")
    function: str | None = Field(
        default=None,
        pattern=r"^[\w.]+:\w+$",
        description="module:function that returns a great_expectations.ExpectationSuite.",
    )

    @model_validator(mode="after")
    def _one_suite_and_its_own_limits(self) -> Self:
        if (self.path is None) == (self.function is None):
            raise ValueError("give either path (a JSON file) or function (module:function)")
        if self.threshold or self.thresholds:
            raise ValueError("a suite has its own limits: set mostly and severity in the suite")
        if self.segments or self.window != 1:
            raise ValueError("a suite runs on all rows of one slice: no segments, no window")
        return self

    def measure(self, view: View) -> list[Measurement]:
        """One value an expectation: the share of unexpected values, or 0 (met) and 1.

        Raises:
            DeclarationError: there is no such suite, or an expectation can't be used.
        """
        expectations = self.suite()
        names = _row_names(expectations)
        try:
            rows = _table(view)
        except DataError as error:
            return [_blocked(*pair, str(error)) for pair in zip(names, expectations, strict=True)]
        if not rows.num_rows:
            reason = "the slice has no rows; look at what writes it"
            return [_blocked(*pair, reason) for pair in zip(names, expectations, strict=True)]
        outcomes = run_suite(expectations, rows)
        return [_measurement(*pair) for pair in zip(names, outcomes, strict=True)]

    def suite(self) -> list[Expectation]:
        """The expectations, in order.

        Raises:
            DeclarationError: there is no such suite.
        """
        return read_suite(self.path) if self.path is not None else call_suite(self.function or "")

    def default_threshold(self, metric: str) -> Threshold:
        """Never asked for: every expectation brings its own limit."""
        del metric
        return AbsoluteThreshold(error=Limits(upper=0.0), widen=False)

    def default_name(self) -> str:
        """``great_expectations_`` and the name of the file or function."""
        source = self.function.rpartition(":")[2] if self.function else str(self.path)
        stem = source.replace("\\", "/").rpartition("/")[2].partition(".")[0]
        return f"{self.kind}_{re.sub(r'[^A-Za-z0-9_]', '_', stem)}"


def _table(view: View) -> pa.Table:
    batches = list(view.slice_batches(None))
    if not batches:
        return pa.table({})
    tables = [pa.Table.from_batches([batch]) for batch in batches]
    try:
        return pa.concat_tables(tables, promote_options="permissive")
    except pa.ArrowInvalid as error:
        raise DataError(f"the slice's files do not have the same types: {error}") from error


def _row_names(expectations: list[Expectation]) -> list[str]:
    """Types of expectations; one that comes again on the same column gets its number."""
    seen: Counter[tuple[str, str | None]] = Counter()
    names = []
    for expectation in expectations:
        key = (expectation.type, expectation.column)
        seen[key] += 1
        names.append(f"{expectation.type} #{seen[key]}" if seen[key] > 1 else expectation.type)
    return names


def _blocked(name: str, expectation: Expectation, reason: str) -> Measurement:
    return Measurement(metric=name, column=expectation.column, value=None, reason=reason, n=0)


def _measurement(name: str, outcome: Outcome) -> Measurement:
    return Measurement(
        metric=name,
        column=outcome.expectation.column,
        value=outcome.value,
        reason=outcome.note,
        n=outcome.rows,
        worse="upper",
        levels=None if outcome.value is None else _levels(outcome, outcome.value),
    )


def _levels(outcome: Outcome, value: float) -> Levels:
    """The suite's limit, on that side of the value which agrees with the suite's verdict."""
    allowed = outcome.expectation.allowed
    if outcome.is_met:
        limit = max(allowed, value)
    else:
        limit = min(allowed, math.nextafter(value, -math.inf))
    if outcome.expectation.severity == "critical":
        return Levels(warn=None, error=(None, limit))
    return Levels(warn=(None, limit), error=None)
