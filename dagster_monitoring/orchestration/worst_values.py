"""The values that an incident is told by."""

from dagster_monitoring.evaluation import Evaluation, worst_first
from dagster_monitoring.incidents import Incident
from dagster_monitoring.orchestration.backend import Backend

# An incident carries what a message and a page show, not every red column of a wide model.
MAX_WORST = 20


def worst_of(backend: Backend, incident: Incident) -> tuple[Evaluation, ...]:
    """Bad evaluations of each member's last partition in trouble: the worst of each, then others.

    So that trouble that shows late, when labels come, is not hidden by another monitor's of today.
    """
    heads: list[Evaluation] = []
    others: list[Evaluation] = []
    for member in incident.members:
        bad = [
            evaluation
            for evaluation in backend.store.evaluations.read(
                incident.model, monitor=member.monitor, since=member.last, until=member.last
            )
            if evaluation.severity is not None
        ]
        ranked = worst_first(bad)
        heads += ranked[:1]
        others += ranked[1:]
    return (*worst_first(heads), *worst_first(others))[:MAX_WORST] or incident.worst
