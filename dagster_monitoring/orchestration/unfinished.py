"""Promotions that a dead run left half done, and the run that finishes them."""

from __future__ import annotations

from datetime import datetime, timedelta

import dagster as dg

from dagster_monitoring.model import MonitoredModel
from dagster_monitoring.orchestration.backend import Backend
from dagster_monitoring.orchestration.naming import job_name
from dagster_monitoring.stores import RetrainingOutcome

# So long a run that is alive may take from the gate to the new baseline.
_PATIENCE = timedelta(minutes=30)


def candidate_cursor(model: MonitoredModel) -> str:
    """Names the store's cursor that holds the challenger to be promoted, and its baseline."""
    return f"{model.model}/candidate"


def unfinished_promotion(backend: Backend, *, now: datetime) -> str | None:
    """The version that passed the gate but does not serve, or whose baseline does not judge yet.

    The steps after the gate are run by one job; when it died between them, this says so. A
    promotion by hand is none of it.
    """
    name, store = backend.model.model, backend.store
    last = store.retrainings.last(name)
    if last is None or last.outcome is not RetrainingOutcome.PROMOTED or last.finished_at is None:
        return None
    if abs(now - last.finished_at) < _PATIENCE:
        return None
    if store.cursors.get(candidate_cursor(backend.model)):
        return last.challenger_version
    serving = backend.registry.champion()
    if serving is None or serving.version != last.challenger_version:
        return None
    judges = store.baselines.list(name)
    return None if judges and judges[-1].version == serving.baseline_version else serving.version


def finishing_request(model: MonitoredModel, version: str, *, now: datetime) -> dg.RunRequest:
    """The run that promotes what passed the gate, and puts its baseline in force."""
    # A key is taken for good, also by a run that failed: the next half hour has another.
    half_hour = int(now.timestamp() / _PATIENCE.total_seconds())
    return dg.RunRequest(
        run_key=f"{model.model}-finish-{version}-{half_hour}",
        job_name=job_name(model, "setup"),
        tags={"dagster_monitoring/cause": "unfinished promotion"},
    )
