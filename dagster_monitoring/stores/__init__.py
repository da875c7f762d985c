"""What must be remembered: evaluations, the label ledger, incidents, announcements, retrainings."""

from dagster_monitoring.stores._judged_rows import Changes
from dagster_monitoring.stores._label_records import Appended, Coverage, Touched
from dagster_monitoring.stores.baselines import BaselineInForce, BaselineStore
from dagster_monitoring.stores.cursors import CursorStore
from dagster_monitoring.stores.declarations import Chosen, DeclarationInForce, DeclarationStore
from dagster_monitoring.stores.deliveries import DeliveryState, DeliveryStore
from dagster_monitoring.stores.evaluations import EvaluationStore, Recorded
from dagster_monitoring.stores.incidents import IncidentStore, Note
from dagster_monitoring.stores.judgements import Judgement, JudgementStore, Outdated
from dagster_monitoring.stores.labels import LabelLedger
from dagster_monitoring.stores.marks import Mark, MarkKind, MarkStore
from dagster_monitoring.stores.outbox import Outbox, OutboxEntry
from dagster_monitoring.stores.retention import Cut, Retention
from dagster_monitoring.stores.retrainings import Retraining, RetrainingOutcome, RetrainingStore
from dagster_monitoring.stores.store import Store, open_store
from dagster_monitoring.stores.verdicts import VerdictStore

__all__ = [
    "Appended",
    "BaselineInForce",
    "BaselineStore",
    "Changes",
    "Chosen",
    "Coverage",
    "CursorStore",
    "Cut",
    "DeclarationInForce",
    "DeclarationStore",
    "DeliveryState",
    "DeliveryStore",
    "EvaluationStore",
    "IncidentStore",
    "Judgement",
    "JudgementStore",
    "LabelLedger",
    "Mark",
    "MarkKind",
    "MarkStore",
    "Note",
    "Outbox",
    "OutboxEntry",
    "Outdated",
    "Recorded",
    "Retention",
    "Retraining",
    "RetrainingOutcome",
    "RetrainingStore",
    "Store",
    "Touched",
    "VerdictStore",
    "open_store",
]
