"""A message with what only the store and the declaration know: how long, a plot, links."""

from collections.abc import Sequence
from urllib.parse import quote

from dagster_monitoring.alerts import (
    AlertMessage,
    AlertPlot,
    AlertStep,
    Background,
    compose,
    shown_name,
)
from dagster_monitoring.evaluation import Evaluation
from dagster_monitoring.incidents import Incident, Transition
from dagster_monitoring.model import MonitoredModel
from dagster_monitoring.orchestration.backend import Backend, ui_url
from dagster_monitoring.orchestration.impact_told import impact_of
from dagster_monitoring.orchestration.naming import asset_key

# Four weeks of days fit a message's width.
PLOT_SLICES = 28


def message_about(
    backend: Backend,
    incident: Incident,
    transition: Transition,
    *,
    run_url: str | None,
    steps: Sequence[AlertStep] = (),
    said: str | None = None,
) -> AlertMessage:
    """The message about what happened to an incident, as the model's policy lets it be told.

    Args:
        backend: open.
        incident: after the transition.
        transition: what happened.
        run_url: where the run that judged it can be seen.
        steps: what was done about it; an update is about the last.
        said: what a person, or the new champion's verdicts, say of it.
    """
    span = backend.model.partitions.distance(incident.opened_partition, incident.last_partition)
    return compose(
        incident,
        transition,
        run_url=run_url,
        asset_url=_asset_url(backend, incident),
        show_values_of=backend.model.alert_policy.show_values_of,
        n_slices=span + 1,
        plot=_plot(backend, incident),
        background=Background(
            impact=impact_of(backend, incident),
            steps=tuple(steps),
            said=said,
            names=_names(backend.model),
        ),
    )


def _names(model: MonitoredModel) -> frozenset[str]:
    """Columns that an error may name."""
    columns, task = model.columns, model.task
    found = {columns.id, columns.timestamp, *columns.features, columns.model_version or ""}
    found |= {task.label, task.prediction}
    for source in (model.predictions, model.ground_truth):
        declared = source.model_dump() if source is not None else {}
        fields = ("id", "time", "entity", "event_time", "available_at", "revision")
        found |= {name for field in fields if isinstance(name := declared.get(field), str)}
    return frozenset(found - {""})


def _plot(backend: Backend, incident: Incident) -> AlertPlot | None:
    """The worst value that belongs to a member, slice by slice; ``None`` without two values."""
    names = set(incident.monitors)
    own = [e for e in incident.worst if e.monitor in names and e.value is not None]
    if not own:
        return None
    worst = own[0]
    days = backend.model.partitions
    since = days.shift(worst.partition, 1 - PLOT_SLICES)
    values = {e.partition: e.value for e in backend.store.evaluations.series(worst, since=since)}
    if sum(value is not None for value in values.values()) < 2:  # noqa: PLR2004 - a point is no plot
        return None
    keys = tuple(days.between(min(values), worst.partition))
    return AlertPlot(
        title=_subject(backend, worst),
        partitions=keys,
        values=tuple(values.get(key) for key in keys),
        lower=worst.lower,
        upper=worst.upper,
    )


def _subject(backend: Backend, worst: Evaluation) -> str:
    shown = backend.model.alert_policy.show_values_of
    column, segment = shown_name(worst.column, shown), shown_name(worst.segment, shown)
    parts = (worst.metric, column, f"[{segment}]" if segment else None)
    return " ".join(part[:100] for part in parts if part)


def _asset_url(backend: Backend, incident: Incident) -> str | None:
    """The page of the first member's asset with its checks; ``None`` where nobody says where."""
    base = ui_url()
    assets = {monitor.name: monitor.asset for monitor in backend.model.active_monitors}
    found = [assets[m.monitor] for m in incident.members if m.monitor in assets]
    if base is None or not found:
        return None
    path = "/".join(quote(part) for part in asset_key(backend.model, found[0]).path)
    return f"{base}/assets/{path}?view=checks"
