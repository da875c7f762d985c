"""Running a model's jobs in this process, recorded in Dagster like any other run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import dagster as dg

from dagster_monitoring.errors import MonitoringError
from dagster_monitoring.model import MonitoredModel
from dagster_monitoring.orchestration.backend import open_backend
from dagster_monitoring.orchestration.declarations import DECLARED_TAG, Declared
from dagster_monitoring.orchestration.jobs import range_tags
from dagster_monitoring.orchestration.naming import job_name, slice_job

QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


class RunFailedError(MonitoringError):
    """A run in this process failed; the message names the step and its cause."""


def run_job(
    definitions: dg.Definitions,
    name: str,
    *,
    instance: dg.DagsterInstance,
    partition_key: str | None = None,
    tags: Mapping[str, str] | None = None,
    run_config: Mapping[str, object] | None = None,
) -> dg.ExecuteInProcessResult:
    """Run a job to its end.

    Raises:
        RunFailedError: a step failed; what it stored before stays.
    """
    result = definitions.resolve_job_def(name).execute_in_process(
        instance=instance,
        partition_key=partition_key,
        tags=dict(tags or {}),
        run_config={**(run_config or {}), **QUIET},
        raise_on_error=False,
    )
    if not result.success:
        raise RunFailedError(f"{name}, run {result.run_id}: {_causes(result)}")
    return result


def run_setup(
    definitions: dg.Definitions, model: MonitoredModel, *, instance: dg.DagsterInstance
) -> bool:
    """Register the champion and build its baseline, unless that was done; gives whether it was."""
    with open_backend(model) as backend:
        if backend.store.baselines.list(model.model):
            return False
    run_job(definitions, job_name(model, "setup"), instance=instance)
    return True


def run_range(
    definitions: dg.Definitions,
    model: MonitoredModel,
    *,
    first: str,
    last: str,
    instance: dg.DagsterInstance,
    slices_per_run: int,
    purpose: str | None = None,
    declared: Declared | None = None,
) -> Iterator[tuple[str, str]]:
    """Judge slices as range runs, oldest first; gives each range when it is done.

    Args:
        definitions: with the model's jobs.
        model: whose slices.
        first: the first slice; those outside production are left out.
        last: the last one, included.
        instance: where the runs are recorded.
        slices_per_run: the most slices of one run.
        purpose: which of the model's jobs; the one of its slices when left out.
        declared: judge by today's settings (``now``) or by those in force at each slice
            (``then``); as each was judged last when left out.
    """
    keys = model.partitions.between(first, last)
    for start in range(0, len(keys), slices_per_run):
        chunk = keys[start : start + slices_per_run]
        run_job(
            definitions,
            job_name(model, purpose or slice_job(model)),
            instance=instance,
            tags={
                **range_tags(chunk[0], chunk[-1]),
                "dagster_monitoring/cause": "backfill",
                **({DECLARED_TAG: declared} if declared else {}),
            },
        )
        yield chunk[0], chunk[-1]


def _causes(result: dg.ExecuteInProcessResult) -> str:
    causes = []
    for event in result.all_events:
        if event.is_step_failure and event.step_failure_data.error is not None:
            error = event.step_failure_data.error
            while error.cause is not None:
                error = error.cause
            causes.append(f"step {event.step_key}: {error.message.strip()}")
    return "; ".join(causes) or "it failed before its first step"
