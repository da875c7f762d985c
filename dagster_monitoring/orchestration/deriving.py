"""From all verdicts of a model to what changes about its incidents; nothing is saved here."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import groupby

from dagster_monitoring.incidents import (
    Change,
    Episode,
    Group,
    Moment,
    Rule,
    Verdict,
    episodes,
    group,
    reconcile,
)
from dagster_monitoring.model import MonitoredModel
from dagster_monitoring.orchestration.backend import Backend
from dagster_monitoring.orchestration.faults import open_faults, past_faults
from dagster_monitoring.orchestration.upstream import Lineage


def derive_changes(
    backend: Backend, *, now: datetime, lineage: Lineage | None = None, since: str | None = None
) -> list[Change]:
    """What becomes of the incidents by what was judged, in the order in which it is to be told.

    Args:
        backend: open.
        now: the clock.
        lineage: what Dagster knows of the assets upstream; ``None``: they are not looked at.
        since: as if there were only the verdicts from this partition on.
    """
    store, model = backend.store, backend.model
    there = open_faults(backend, now=now, lineage=lineage)
    over = past_faults(backend, there, looked_upstream=lineage is not None)
    verdicts = store.verdicts.read(model.model, since=since)
    return reconcile(
        model.model,
        sorted(store.incidents.list(model.model), key=lambda i: i.opened_at),
        derive_groups(model, verdicts, extra=[*there, *over]),
        _moment(model, store.verdicts.latest(model.model) or "", now=now),
    )


def derive_groups(
    model: MonitoredModel, verdicts: Sequence[Verdict], *, extra: Sequence[Episode] = ()
) -> list[Group]:
    """What verdicts of a model's monitors come to, by its alert policy.

    Verdicts of monitors that were taken away since are left out.

    Args:
        model: the declaration.
        verdicts: by monitor, each monitor's in the order of partitions.
        extra: trouble that no monitor tells of.
    """
    monitors = {monitor.name: monitor for monitor in model.active_monitors}
    policy = model.alert_policy
    found = list(extra)
    for name, own in groupby(verdicts, key=lambda verdict: verdict.monitor):
        if name in monitors:
            rule = Rule(
                severity=policy.severity,
                partitions=monitors[name].for_ or policy.for_,
                keep=monitors[name].keep_firing_for or policy.keep_firing_for,
            )
            found += episodes(list(own), rule, cause=monitors[name].cause)
    return group(found)


def _moment(model: MonitoredModel, latest: str, *, now: datetime) -> Moment:
    """What incidents depend on beside verdicts."""
    days = model.ground_truth.expected_delay_days if model.ground_truth else 0.0
    return Moment(now=now, latest=latest, policy=model.alert_policy, delay=timedelta(days=days))
