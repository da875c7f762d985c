"""Great Expectations: the user's own suite, run on the rows of the slice."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from dagster_monitoring.monitors._monitor import Measurement, Monitor, MonitoredAsset, View
from dagster_monitoring.monitors.threshold import AbsoluteThreshold, Limits, Threshold


class GreatExpectationsMonitor(Monitor):
    """Runs an expectation suite; each of its expectations is one row of the check."""

    asset: ClassVar[MonitoredAsset] = "data_quality"

    type: Literal["great_expectations"] = "great_expectations"
    suite: str = Field(
        min_length=1,
        description="A suite's JSON file, or module:function that returns an ExpectationSuite.",
    )

    def measure(self, view: View) -> list[Measurement]:
        """One value an expectation: the share of unexpected values, or 0 and 1."""
        raise NotImplementedError

    def default_threshold(self, metric: str) -> Threshold:
        """ERROR as soon as an expectation is not met."""
        del metric
        return AbsoluteThreshold(error=Limits(upper=0.0), widen=False)
