"""Back to the champion before, together with its baseline."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import dagster as dg

from dagster_monitoring.errors import RegistryError
from dagster_monitoring.model import MonitoredModel
from dagster_monitoring.orchestration.backend import open_backend
from dagster_monitoring.orchestration.naming import job_name
from dagster_monitoring.orchestration.running import run_job
from dagster_monitoring.orchestration.updates import tell_rollback


@dataclass(frozen=True, slots=True, kw_only=True)
class RolledBack:
    """What a rollback came to.

    Args:
        withdrawn: the version that no longer serves.
        version: the one that does; ``None``: a model that is not registered.
        baseline: the version of the baseline that judges from now on.
        valid_from: the first partition that it judges.
    """

    withdrawn: str
    version: str | None
    baseline: str
    valid_from: str


def roll_back(
    definitions: dg.Definitions,
    model: MonitoredModel,
    *,
    instance: dg.DagsterInstance,
    why: str,
    by: str,
    now: datetime,
) -> RolledBack:
    """Puts the champion before the present one in service, and its baseline in force.

    The registry's pointer moves in one write; the assets champion and baseline are then
    materialized, which puts the baseline in force. If that dies half way, materializing them (the
    model's setup job) goes on from there.

    Raises:
        RegistryError: nothing was promoted, or the version before can't be read.
        RunFailedError: the baseline could not be put in force.
    """
    with open_backend(model) as backend:
        serving = backend.registry.champion()
        if serving is None:
            raise RegistryError(f"{model.model}: no champion is registered, nothing to roll back")
        back = backend.registry.withdraw(now=now)
        text = f"{serving.version} was rolled back to {back.version if back else 'none'}: {why}"
        tell_rollback(backend, model.model, by=by, text=text, now=now)
    run_job(definitions, job_name(model, "setup"), instance=instance)
    with open_backend(model) as backend:
        in_force = backend.store.baselines.list(model.model)[-1]
    return RolledBack(
        withdrawn=serving.version,
        version=back.version if back else None,
        baseline=in_force.version,
        valid_from=in_force.valid_from,
    )
