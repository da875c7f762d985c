"""Monitors: declarations of what to watch, and their evaluation; one file a type."""

from __future__ import annotations

import operator
from functools import reduce
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from dagster_monitoring.evaluation import excess
from dagster_monitoring.monitors._catalogue import monitor_types
from dagster_monitoring.monitors._early import label_balance
from dagster_monitoring.monitors._estimate import REST
from dagster_monitoring.monitors._monitor import Measurement, Monitor, Once, View
from dagster_monitoring.monitors._past import past_partitions, past_reach
from dagster_monitoring.monitors._slices import lacking_slices
from dagster_monitoring.monitors.budget import with_shares
from dagster_monitoring.monitors.defaults import default_monitors
from dagster_monitoring.monitors.evaluate import evaluate, limits_in_force
from dagster_monitoring.monitors.verdict import Overall, overall, subject

if TYPE_CHECKING:
    AnyMonitor = Monitor
else:
    # The members come from the folder's files, which no static union can name.
    AnyMonitor = Annotated[
        reduce(operator.or_, monitor_types().values()), Field(discriminator="type")
    ]

__all__ = [
    "REST",
    "AnyMonitor",
    "Measurement",
    "Monitor",
    "Once",
    "Overall",
    "View",
    "default_monitors",
    "evaluate",
    "excess",
    "label_balance",
    "lacking_slices",
    "limits_in_force",
    "monitor_types",
    "overall",
    "past_partitions",
    "past_reach",
    "subject",
    "with_shares",
]
