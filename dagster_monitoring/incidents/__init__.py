"""Incidents: from verdicts by partition to one record a cause, from opening to resolution.

Verdicts of one monitor become episodes of trouble (``episodes``), episodes with one cause become
groups (``grouping``), and groups change the incidents that are known (``reconcile``). Each step is
pure: the same verdicts give the same incidents in whichever order they were computed, which is why
a replay counts what live would have counted.
"""

from dagster_monitoring.incidents.by_hand import acknowledge, assign, resolve, snooze
from dagster_monitoring.incidents.episodes import Episode, Rule, Verdict, episodes
from dagster_monitoring.incidents.grouping import Group, group
from dagster_monitoring.incidents.incident import (
    Cause,
    Incident,
    IncidentStatus,
    Member,
    Transition,
)
from dagster_monitoring.incidents.policy import AlertPolicy
from dagster_monitoring.incidents.reconcile import Change, Moment, due_by_time, reconcile

__all__ = [
    "AlertPolicy",
    "Cause",
    "Change",
    "Episode",
    "Group",
    "Incident",
    "IncidentStatus",
    "Member",
    "Moment",
    "Rule",
    "Transition",
    "Verdict",
    "acknowledge",
    "assign",
    "due_by_time",
    "episodes",
    "group",
    "reconcile",
    "resolve",
    "snooze",
]
