"""Incidents: from verdicts by partition to one record a cause, from opening to resolution.

Verdicts of one monitor become episodes of trouble (``episodes``), episodes with one cause become
groups (``grouping``), and groups change the incidents that are known (``reconcile``). Each step is
pure: the same verdicts give the same incidents in whichever order they were computed, which is why
a replay counts what live would have counted.
"""

from dagster_monitoring.incidents.by_hand import acknowledge, assign, resolve, snooze
from dagster_monitoring.incidents.episodes import Episode, Rule, Verdict, episodes, is_restless
from dagster_monitoring.incidents.grouping import Group, group
from dagster_monitoring.incidents.incident import (
    Cause,
    Incident,
    IncidentStatus,
    Member,
    Transition,
    span_text,
)
from dagster_monitoring.incidents.policy import AlertPolicy
from dagster_monitoring.incidents.reconcile import Change, Moment, due_by_time, reconcile
from dagster_monitoring.incidents.routing import (
    Digest,
    Hours,
    When,
    held_until,
    is_quiet,
    is_told,
)
from dagster_monitoring.incidents.waking import is_awake, woken

__all__ = [
    "AlertPolicy",
    "Cause",
    "Change",
    "Digest",
    "Episode",
    "Group",
    "Hours",
    "Incident",
    "IncidentStatus",
    "Member",
    "Moment",
    "Rule",
    "Transition",
    "Verdict",
    "When",
    "acknowledge",
    "assign",
    "due_by_time",
    "episodes",
    "group",
    "held_until",
    "is_awake",
    "is_quiet",
    "is_restless",
    "is_told",
    "reconcile",
    "resolve",
    "snooze",
    "span_text",
    "woken",
]
