"""What an incident's drift does to the model, as far as its monitors estimated it."""

from dagster_monitoring.alerts import AlertImpact, AlertRealized, shown_name
from dagster_monitoring.evaluation import Evaluation
from dagster_monitoring.incidents import Cause, Incident
from dagster_monitoring.monitors import REST
from dagster_monitoring.orchestration.backend import Backend

# Inputs move for these; of labels that do not come there is nothing to estimate.
_MOVES_INPUTS = frozenset({Cause.MODEL, Cause.DATA, Cause.PIPELINE})
# A column with less than a tenth of the change causes none of it.
_LEAST_SHARE = 0.1
_CHANGE, _SHARE = "_change", "_change_share"
_ESTIMATED, _REALIZED = "_change_estimated", "_change_realized"
_LONGEST_NAME = 100


def impact_of(backend: Backend, incident: Incident) -> AlertImpact | None:
    """The estimate of the incident's last slice that has one, and what labels say by then.

    ``None`` where no monitor of type impact is declared, or none could tell.
    """
    if incident.cause not in _MOVES_INPUTS:
        return None
    for monitor in _monitors(backend, "impact"):
        found = _evaluations(backend, incident, monitor)
        totals = [e for e in found if e.metric.endswith(_CHANGE) and e.value is not None]
        if totals:
            last = max(totals, key=lambda e: e.partition)
            shares = [e for e in found if e.partition == last.partition]
            return _impact(backend, incident, last, shares)
    return None


def _impact(
    backend: Backend, incident: Incident, total: Evaluation, near: list[Evaluation]
) -> AlertImpact:
    value = total.value or 0.0
    shares = {
        e.column: e.value
        for e in near
        if e.metric.endswith(_SHARE) and e.column is not None and e.value is not None
    }
    causes = [
        (_name(backend, column), share)
        for column, share in sorted(shares.items(), key=lambda item: -abs(item[1]))
        if share * value > 0 and abs(share) >= _LEAST_SHARE * abs(value)
    ]
    return AlertImpact(
        metric=total.metric,
        partition=total.partition,
        estimate=value,
        standard_error=total.standard_error,
        n=total.n,
        columns=tuple(causes),
        realized=_realized(backend, incident),
    )


def _realized(backend: Backend, incident: Incident) -> AlertRealized | None:
    """The last slice of which labels say how much the error changed."""
    for monitor in _monitors(backend, "impact_error"):
        found = [e for e in _evaluations(backend, incident, monitor) if e.value is not None]
        seen = {e.partition: e for e in found if e.metric.endswith(_REALIZED)}
        estimated = {e.partition: e for e in found if e.metric.endswith(_ESTIMATED)}
        if both := seen.keys() & estimated.keys():
            last = max(both)
            return AlertRealized(
                partition=last,
                estimate=estimated[last].value or 0.0,
                value=seen[last].value or 0.0,
                standard_error=seen[last].standard_error,
                n_labelled=seen[last].n_labelled,
            )
    return None


def _monitors(backend: Backend, kind: str) -> list[str]:
    return [m.name for m in backend.model.active_monitors if m.kind == kind]


def _evaluations(backend: Backend, incident: Incident, monitor: str) -> list[Evaluation]:
    return backend.store.evaluations.read(
        incident.model,
        monitor=monitor,
        since=incident.opened_partition,
        until=incident.last_partition,
    )


def _name(backend: Backend, column: str) -> str:
    shown = shown_name(column, backend.model.alert_policy.show_values_of) or ""
    return "no column" if column == REST else shown[:_LONGEST_NAME]
