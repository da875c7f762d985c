"""The tables, the same on SQLite and PostgreSQL."""

from __future__ import annotations

from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

SCHEMA_VERSION = 4

metadata = sa.MetaData()

# Only INTEGER PRIMARY KEY counts up by itself in SQLite.
_Identity = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


class UtcMoment(TypeDecorator[datetime]):
    """A moment with a time zone; SQLite, which knows none, keeps UTC."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """To UTC; a moment without a zone is a programming error."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value} has no time zone")
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - SQLAlchemy's signature
        """From UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


schema_version = sa.Table(
    "monitoring_schema_version", metadata, sa.Column("version", sa.Integer, primary_key=True)
)

evaluations = sa.Table(
    "monitoring_evaluations",
    metadata,
    sa.Column("id", _Identity, primary_key=True, autoincrement=True),
    sa.Column("key", sa.String(32), nullable=False),
    sa.Column("model", sa.Text, nullable=False),
    sa.Column("monitor", sa.Text, nullable=False),
    sa.Column("monitor_kind", sa.Text, nullable=False),
    sa.Column("metric", sa.Text, nullable=False),
    sa.Column("column", sa.Text),
    sa.Column("segment", sa.Text),
    sa.Column("baseline_kind", sa.Text),
    sa.Column("baseline_version", sa.Text),
    sa.Column("partition", sa.Text, nullable=False),
    sa.Column("window_start", UtcMoment, nullable=False),
    sa.Column("window_end", UtcMoment, nullable=False),
    sa.Column("value", sa.Double),
    sa.Column("lower", sa.Double),
    sa.Column("upper", sa.Double),
    sa.Column("status", sa.String(16), nullable=False),
    sa.Column("severity", sa.String(16)),
    sa.Column("reason", sa.Text),
    sa.Column("n", sa.BigInteger, nullable=False),
    sa.Column("n_labelled", sa.BigInteger),
    sa.Column("model_version", sa.Text),
    sa.Column("evaluated_at", UtcMoment, nullable=False),
    sa.Column("run_id", sa.Text),
    sa.Column("superseded_at", UtcMoment),
    sa.Column("standard_error", sa.Double),
    sa.Column("declaration_version", sa.Text),
    sa.Column("declared", sa.String(8)),
    sa.Column("coverage", sa.Double),
    sa.Column("label_delay_p50_hours", sa.Double),
    sa.Column("label_delay_p90_hours", sa.Double),
    sqlite_autoincrement=True,
)
_CURRENT = evaluations.c.superseded_at.is_(None)
sa.Index(
    "monitoring_evaluations_current",
    evaluations.c.key,
    unique=True,
    sqlite_where=_CURRENT,
    postgresql_where=_CURRENT,
)
sa.Index("monitoring_evaluations_by_partition", evaluations.c.model, evaluations.c.partition)
# What is new of one model, in a store that many models write to.
sa.Index(
    "monitoring_evaluations_news",
    evaluations.c.model,
    evaluations.c.id,
    sqlite_where=_CURRENT,
    postgresql_where=_CURRENT,
)

# The verdicts of incidents: what a monitor's current evaluations of a partition come to.
verdicts = sa.Table(
    "monitoring_verdicts",
    metadata,
    sa.Column("model", sa.Text, primary_key=True),
    sa.Column("monitor", sa.Text, primary_key=True),
    sa.Column("partition", sa.Text, primary_key=True),
    sa.Column("monitor_kind", sa.Text, nullable=False),
    sa.Column("severity", sa.SmallInteger, nullable=False),
    sa.Column("healthy", sa.Boolean, nullable=False),
    sa.Column("window_end", UtcMoment, nullable=False),
    sa.Column("on_labels", sa.Boolean, nullable=False),
    sa.Column("empty", sa.Boolean, nullable=False),
)

models = sa.Table(
    "monitoring_models",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("name", sa.Text, nullable=False, unique=True),
)

partitions = sa.Table(
    "monitoring_partitions",
    metadata,
    sa.Column("model_id", sa.Integer, primary_key=True),
    sa.Column("partition", sa.Text, primary_key=True),
    sa.Column("predictions", sa.BigInteger, nullable=False),
)

predictions = sa.Table(
    "monitoring_predictions",
    metadata,
    sa.Column("model_id", sa.Integer, primary_key=True),
    sa.Column("partition", sa.Text, primary_key=True),
    sa.Column("prediction_id", sa.Text, primary_key=True),
    sqlite_with_rowid=False,
)
sa.Index("monitoring_predictions_by_id", predictions.c.model_id, predictions.c.prediction_id)

# Times are microseconds since 1970 UTC here: these rows come and go by the million, as columns.
labels = sa.Table(
    "monitoring_labels",
    metadata,
    sa.Column("model_id", sa.Integer, primary_key=True),
    sa.Column("prediction_id", sa.Text, primary_key=True),
    sa.Column("revision", sa.BigInteger, primary_key=True),
    sa.Column("available_at", sa.BigInteger, primary_key=True),
    sa.Column("label", sa.Text, primary_key=True),
    sa.Column("event_time", sa.BigInteger),
    sa.Column("append_id", sa.BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

label_appends = sa.Table(
    "monitoring_label_appends",
    metadata,
    sa.Column("id", _Identity, primary_key=True, autoincrement=True),
    sa.Column("model_id", sa.Integer, nullable=False),
    sa.Column("delivery", sa.Text, nullable=False),
    sqlite_autoincrement=True,
)

label_changes = sa.Table(
    "monitoring_label_changes",
    metadata,
    sa.Column("id", _Identity, primary_key=True, autoincrement=True),
    sa.Column("model_id", sa.Integer, nullable=False),
    sa.Column("partition", sa.Text, nullable=False),
    sa.Column("labels", sa.BigInteger, nullable=False),
    sqlite_autoincrement=True,
)
sa.Index("monitoring_label_changes_by_model", label_changes.c.model_id, label_changes.c.id)

# For each model, the ledger that its labels come from, and how many of that ledger's ids it
# predicts; for each ledger, how many ids have a label, and of which kind the first was.
label_counts = sa.Table(
    "monitoring_label_counts",
    metadata,
    sa.Column("model_id", sa.Integer, primary_key=True),
    sa.Column("ledger_id", sa.Integer, nullable=False),
    sa.Column("ids", sa.BigInteger, nullable=False),
    sa.Column("joined", sa.BigInteger, nullable=False),
    sa.Column("kind", sa.String(1)),
)

# Parquet files of a ledger kept beside the data: those that count, and which row groups of them
# belong to a partition. `owner_id` is the model of predictions, the ledger of labels.
label_files = sa.Table(
    "monitoring_label_files",
    metadata,
    sa.Column("id", _Identity, primary_key=True, autoincrement=True),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("owner_id", sa.Integer, nullable=False),
    sa.Column("path", sa.Text, nullable=False),
    sa.Column("rows", sa.BigInteger, nullable=False),
    sa.Column("replaced_at", UtcMoment),
    sqlite_autoincrement=True,
)
sa.Index("monitoring_label_files_by_owner", label_files.c.owner_id, label_files.c.kind)

label_file_groups = sa.Table(
    "monitoring_label_file_groups",
    metadata,
    sa.Column("model_id", sa.Integer, primary_key=True),
    sa.Column("partition", sa.Text, primary_key=True),
    sa.Column("file_id", sa.BigInteger, primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    sqlite_with_rowid=False,
)
sa.Index("monitoring_label_file_groups_by_file", label_file_groups.c.file_id)

deliveries = sa.Table(
    "monitoring_deliveries",
    metadata,
    sa.Column("model_id", sa.Integer, primary_key=True),
    sa.Column("uri", sa.Text, primary_key=True),
    sa.Column("fingerprint", sa.Text, nullable=False),
    sa.Column("rows_taken", sa.BigInteger),
    sa.Column("finished", sa.Boolean),
    sa.Column("fault", sa.Text),
    sa.Column("noted_at", UtcMoment),
)
_SET_ASIDE = deliveries.c.fault.is_not(None)
sa.Index(
    "monitoring_deliveries_set_aside",
    deliveries.c.model_id,
    sqlite_where=_SET_ASIDE,
    postgresql_where=_SET_ASIDE,
)

incidents = sa.Table(
    "monitoring_incidents",
    metadata,
    sa.Column("version", _Identity, primary_key=True, autoincrement=True),
    sa.Column("id", sa.Text, nullable=False),
    sa.Column("model", sa.Text, nullable=False),
    sa.Column("status", sa.String(16), nullable=False),
    sa.Column("severity", sa.String(16), nullable=False),
    sa.Column("opened_partition", sa.Text, nullable=False),
    sa.Column("last_partition", sa.Text, nullable=False),
    sa.Column("resolved_partition", sa.Text),
    sa.Column("monitors", sa.Text, nullable=False),
    sa.Column("worst", sa.Text, nullable=False),
    sa.Column("historical", sa.Boolean, nullable=False),
    sa.Column("opened_at", UtcMoment, nullable=False),
    sa.Column("updated_at", UtcMoment, nullable=False),
    sa.Column("is_current", sa.Boolean, nullable=False),
    sa.Column("cause", sa.String(16)),
    sa.Column("members", sa.Text),
    sa.Column("changes", sa.Text),
    sa.Column("owner", sa.Text),
    sa.Column("acknowledged_at", UtcMoment),
    sa.Column("snoozed_until", UtcMoment),
    sa.Column("escalated_at", UtcMoment),
    sa.Column("announced_at", UtcMoment),
    sa.Column("closed_by_hand", sa.Boolean),
    sqlite_autoincrement=True,
)
sa.Index(
    "monitoring_incidents_current",
    incidents.c.id,
    unique=True,
    sqlite_where=incidents.c.is_current,
    postgresql_where=incidents.c.is_current,
)
sa.Index("monitoring_incidents_by_model", incidents.c.model, incidents.c.is_current)

# What people and the machine did about an incident, beside the states it went through.
incident_notes = sa.Table(
    "monitoring_incident_notes",
    metadata,
    sa.Column("id", _Identity, primary_key=True, autoincrement=True),
    sa.Column("incident_id", sa.Text, nullable=False),
    sa.Column("at", UtcMoment, nullable=False),
    sa.Column("author", sa.Text, nullable=False),
    sa.Column("action", sa.String(24), nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sqlite_autoincrement=True,
)
sa.Index("monitoring_incident_notes_of", incident_notes.c.incident_id, incident_notes.c.id)

marks = sa.Table(
    "monitoring_marks",
    metadata,
    sa.Column("model", sa.Text, primary_key=True),
    sa.Column("first", sa.Text, primary_key=True),
    sa.Column("last", sa.Text, primary_key=True),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("note", sa.Text, nullable=False),
    sa.Column("author", sa.Text, nullable=False),
    sa.Column("at", UtcMoment, nullable=False),
)

outbox = sa.Table(
    "monitoring_outbox",
    metadata,
    sa.Column("id", _Identity, primary_key=True, autoincrement=True),
    sa.Column("model", sa.Text, nullable=False),
    sa.Column("incident_id", sa.Text, nullable=False),
    sa.Column("transition", sa.String(16), nullable=False),
    sa.Column("channel", sa.Text, nullable=False),
    sa.Column("dedup_key", sa.Text, nullable=False, unique=True),
    sa.Column("payload", sa.Text, nullable=False),
    sa.Column("created_at", UtcMoment, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("last_error", sa.Text),
    sa.Column("next_attempt_at", UtcMoment, nullable=False),
    sa.Column("sent_at", UtcMoment),
    sa.Column("reference", sa.Text),
    sqlite_autoincrement=True,
)
sa.Index("monitoring_outbox_of_incident", outbox.c.incident_id, outbox.c.channel, outbox.c.id)
sa.Index("monitoring_outbox_due", outbox.c.sent_at, outbox.c.next_attempt_at)

retrainings = sa.Table(
    "monitoring_retrainings",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("model", sa.Text, nullable=False),
    sa.Column("incident_id", sa.Text),
    sa.Column("partition", sa.Text, nullable=False),
    sa.Column("requested_at", UtcMoment, nullable=False),
    sa.Column("outcome", sa.String(16), nullable=False),
    sa.Column("challenger_version", sa.Text),
    sa.Column("reason", sa.Text),
    sa.Column("finished_at", UtcMoment),
)
sa.Index("monitoring_retrainings_by_model", retrainings.c.model, retrainings.c.requested_at)

baselines = sa.Table(
    "monitoring_baselines",
    metadata,
    sa.Column("model", sa.Text, primary_key=True),
    sa.Column("version", sa.Text, primary_key=True),
    sa.Column("valid_from", sa.Text, primary_key=True),
    sa.Column("model_version", sa.Text, nullable=False),
    sa.Column("created_at", UtcMoment, nullable=False),
)

cursors = sa.Table(
    "monitoring_cursors",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
)

slice_changes = sa.Table(
    "monitoring_slice_changes",
    metadata,
    sa.Column("id", _Identity, primary_key=True, autoincrement=True),
    sa.Column("model_id", sa.Integer, nullable=False),
    sa.Column("partition", sa.Text, nullable=False),
    sqlite_autoincrement=True,
)
sa.Index("monitoring_slice_changes_by_model", slice_changes.c.model_id, slice_changes.c.id)
# The last change of each of some days, however many there were before.
for _changes in (slice_changes, label_changes):
    sa.Index(
        f"{_changes.name}_by_partition",
        _changes.c.model_id,
        _changes.c.partition,
        _changes.c.id,
    )

counted_slices = sa.Table(
    "monitoring_counted_slices",
    metadata,
    sa.Column("model_id", sa.Integer, primary_key=True),
    sa.Column("partition", sa.Text, primary_key=True),
    sa.Column("counted_on", sa.Text, primary_key=True),
    sa.Column("digest", sa.String(32), nullable=False),
)

judged = sa.Table(
    "monitoring_judged",
    metadata,
    sa.Column("model_id", sa.Integer, primary_key=True),
    sa.Column("asset", sa.String(16), primary_key=True),
    sa.Column("partition", sa.Text, primary_key=True),
    sa.Column("reach", sa.Integer),
    sa.Column("on_labels", sa.Boolean, nullable=False),
    sa.Column("labels", sa.BigInteger, nullable=False),
    sa.Column("slices", sa.BigInteger, nullable=False),
    sa.Column("labels_now", sa.BigInteger, nullable=False),
    sa.Column("slices_now", sa.BigInteger, nullable=False),
    sa.Column("due", UtcMoment),
    sa.Column("is_outdated", sa.Boolean, nullable=False),
)
sa.Index(
    "monitoring_judged_outdated",
    judged.c.model_id,
    judged.c.asset,
    sqlite_where=judged.c.is_outdated,
    postgresql_where=judged.c.is_outdated,
)
_HAS_A_DATE = judged.c.due.is_not(None)
sa.Index(
    "monitoring_judged_due",
    judged.c.model_id,
    judged.c.asset,
    judged.c.due,
    sqlite_where=_HAS_A_DATE,
    postgresql_where=_HAS_A_DATE,
)

declarations = sa.Table(
    "monitoring_declarations",
    metadata,
    sa.Column("model", sa.Text, primary_key=True),
    sa.Column("version", sa.Text, primary_key=True),
    sa.Column("valid_from", sa.Text, primary_key=True),
    sa.Column("created_at", UtcMoment, nullable=False),
)

declaration_settings = sa.Table(
    "monitoring_declaration_settings",
    metadata,
    sa.Column("model", sa.Text, primary_key=True),
    sa.Column("version", sa.Text, primary_key=True),
    sa.Column("settings", sa.Text, nullable=False),
)

declarations_chosen = sa.Table(
    "monitoring_declarations_chosen",
    metadata,
    sa.Column("model", sa.Text, primary_key=True),
    sa.Column("partition", sa.Text, primary_key=True),
    sa.Column("monitor", sa.Text, primary_key=True),
    sa.Column("version", sa.Text, nullable=False),
    sa.Column("baseline_version", sa.Text, nullable=False),
)
