"""When a challenger is trained, and on which days it is trained and judged."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from pydantic import Field, field_validator

from dagster_monitoring.declaration import Declaration
from dagster_monitoring.errors import DeclarationError
from dagster_monitoring.evaluation import Severity
from dagster_monitoring.incidents import Cause, Incident, Member
from dagster_monitoring.retraining.trainer import DEFAULT_TRAINER, split_reference
from dagster_monitoring.schema import Partitions

MonitorKind = Literal["drift", "data_quality", "performance"]


class RetrainingConfig(Declaration):
    """How a challenger is trained, when, and what it takes to become the champion.

    Example:
        >>> RetrainingConfig(trainer="my_project.train:fit", cooldown_days=7).holdout_days
        14
    """

    trainer: str = Field(
        DEFAULT_TRAINER,
        description="`module:function`, called with features (a DataFrame) and label (a Series), "
        "and with task= if it has such a parameter; gives a fitted estimator.",
    )
    cooldown_days: float = Field(
        7, ge=0, allow_inf_nan=False, description="Least time between two retrainings."
    )
    again_after_days: float | None = Field(
        None,
        gt=0,
        allow_inf_nan=False,
        description="An incident that lasts is retrained for again after so many days; "
        "null: once an incident.",
    )
    severity: Severity = Field(
        Severity.ERROR, description="The least severity of an incident that asks for a challenger."
    )
    on: tuple[MonitorKind, ...] = Field(
        ("drift", "performance"),
        min_length=1,
        description="Kinds of monitors that ask for a challenger.",
    )
    monitors: tuple[str, ...] = Field(
        (), description="Names of the monitors that ask; all of these kinds when left out."
    )
    for_: int = Field(
        1,
        ge=1,
        alias="for",
        description="Slices that such a monitor has to have been in trouble for.",
    )
    budget_per_month: int | None = Field(
        4, ge=1, description="Most retrainings in 30 days, whatever came of them; null: no limit."
    )
    fresh_within_days: float | None = Field(
        None,
        gt=0,
        allow_inf_nan=False,
        description="A challenger is asked for only when labels are known up to so many days "
        "before the last slice in trouble, so that it can learn what changed; null: always.",
    )
    train_days: int = Field(
        90, ge=1, description="Labelled days to train on, before the holdout; whole slices of them."
    )
    holdout_days: int = Field(
        14, ge=2, description="Last labelled days, kept from training, that the gate judges on."
    )
    minimum_rows: int = Field(
        1000, ge=1, description="Labelled rows that the holdout needs for a judgement."
    )
    alpha: float = Field(
        0.05, gt=0, lt=0.5, description="Probability to promote a challenger that is no better."
    )
    minimum_improvement: float = Field(
        0.0,
        ge=0,
        lt=1,
        description="Share of the champion's loss by which a challenger must be better.",
    )
    trusted_types: tuple[str, ...] = Field(
        (),
        description="Types of yours that a model file may hold, beside scikit-learn's, NumPy's "
        "and SciPy's; full names, such as my_project.features.Encoder.",
    )

    @field_validator("trainer")
    @classmethod
    def _reference(cls, trainer: str) -> str:
        try:
            split_reference(trainer)
        except DeclarationError as error:
            raise ValueError(str(error)) from None
        return trainer


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Whether to retrain now, and why or why not."""

    due: bool
    reason: str


def decide(
    incident: Incident | None,
    config: RetrainingConfig,
    *,
    now: datetime,
    last_requested_at: datetime | None,
    last_incident_id: str | None,
    partitions: Partitions,
    asked_in_a_month: int = 0,
    last_labelled: str | None = None,
) -> Decision:
    """Whether an incident asks for a challenger; pure.

    Trouble that comes of broken rows, or of a pipeline, asks for none: a challenger would only
    learn it.

    Args:
        incident: the model's open incident, if there is one.
        config: when to retrain.
        now: the moment of deciding, with a time zone.
        last_requested_at: when the model's last retraining was requested, whatever came of it.
        last_incident_id: the incident that it was requested for.
        partitions: the model's slices.
        asked_in_a_month: retrainings that were asked for in the last 30 days.
        last_labelled: the last slice whose labels are known.
    """
    if incident is None or not incident.is_open:
        return Decision(due=False, reason="no incident is open")
    against = (
        _against(incident, config)
        or _too_young(incident, config, partitions)
        or _stale(incident, config, partitions, last_labelled)
        or _waiting(incident, config, now, last_requested_at, last_incident_id)
        or _over_budget(config, asked_in_a_month)
    )
    if against:
        return Decision(due=False, reason=against)
    kinds = ", ".join(sorted(_kinds(incident, config)))
    return Decision(due=True, reason=f"incident {incident.id}: {incident.severity} in {kinds}")


def _against(incident: Incident, config: RetrainingConfig) -> str | None:
    if incident.cause is not Cause.MODEL:
        return f"incident {incident.id} is of {incident.cause}, which no challenger mends"
    if incident.historical:
        return f"incident {incident.id} is of days long past"
    if config.severity is Severity.ERROR and incident.severity is not Severity.ERROR:
        return f"incident {incident.id} is {incident.severity}, below {config.severity}"
    if not _kinds(incident, config):
        return f"incident {incident.id} is not about {' or '.join(config.on)}"
    return None


def _too_young(incident: Incident, config: RetrainingConfig, partitions: Partitions) -> str | None:
    lasted = max(
        partitions.distance(member.first, member.last) + 1
        for member in incident.members
        if _asks(member, config)
    )
    if lasted >= config.for_:
        return None
    return f"incident {incident.id} lasts {lasted} slices, and retraining waits for {config.for_}"


def _stale(
    incident: Incident, config: RetrainingConfig, partitions: Partitions, labelled: str | None
) -> str | None:
    if config.fresh_within_days is None:
        return None
    least = partitions.shift(
        incident.last_partition, -partitions.slices_of(config.fresh_within_days)
    )
    if labelled is not None and labelled >= least:
        return None
    return (
        f"labels are known up to {labelled or 'no slice'}, and a challenger learns from {least} "
        "(field fresh_within_days)"
    )


def _over_budget(config: RetrainingConfig, asked: int) -> str | None:
    if config.budget_per_month is None or asked < config.budget_per_month:
        return None
    return f"{asked} retrainings in 30 days are the budget (field budget_per_month)"


def _asks(member: Member, config: RetrainingConfig) -> bool:
    return member.kind in config.on and (not config.monitors or member.monitor in config.monitors)


def _kinds(incident: Incident, config: RetrainingConfig) -> set[str]:
    """Kinds of monitors that ask and took part with enough severity and a value."""
    enough = {Severity.ERROR} | {config.severity}
    asking = {member.monitor for member in incident.members if _asks(member, config)}
    return {
        evaluation.monitor_kind
        for evaluation in incident.worst
        if evaluation.monitor in asking
        and evaluation.severity in enough
        and evaluation.value is not None
    }


def _waiting(
    incident: Incident,
    config: RetrainingConfig,
    now: datetime,
    last_requested_at: datetime | None,
    last_incident_id: str | None,
) -> str | None:
    if last_requested_at is None:
        return None
    free_at = last_requested_at + timedelta(days=config.cooldown_days)
    if now < free_at:
        return f"cooling down until {free_at:%Y-%m-%d %H:%M %Z}".rstrip()
    if incident.id != last_incident_id:
        return None
    if config.again_after_days is None:
        return f"incident {incident.id} was retrained for already (field again_after_days)"
    again_at = last_requested_at + timedelta(days=config.again_after_days)
    return (
        f"incident {incident.id} is tried again from {again_at:%Y-%m-%d}"
        if now < again_at
        else None
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingWindows:
    """Partition keys in order; no key is in both. ``train`` is empty early in production."""

    train: tuple[str, ...]
    holdout: tuple[str, ...]


def training_windows(
    last_labelled: str, *, partitions: Partitions, config: RetrainingConfig
) -> TrainingWindows:
    """The slices to judge on (the last ``holdout_days``), and before them those to train on.

    Args:
        last_labelled: the last slice whose labels are complete.
        partitions: the model's; none before its start is given.
        config: how many days.

    Example:
        >>> days = Partitions(start="2013-04-01")
        >>> windows = training_windows("2013-04-20", partitions=days, config=RetrainingConfig())
        >>> windows.train[0], windows.train[-1], windows.holdout[0], windows.holdout[-1]
        ('2013-04-01', '2013-04-06', '2013-04-07', '2013-04-20')
    """
    held_back = partitions.slices_of(config.holdout_days)
    first_holdout = partitions.shift(last_labelled, 1 - held_back)
    first_train = partitions.shift(first_holdout, -partitions.slices_of(config.train_days))
    last_train = partitions.shift(first_holdout, -1)
    return TrainingWindows(
        train=tuple(partitions.between(first_train, last_train)),
        holdout=tuple(partitions.between(first_holdout, last_labelled)),
    )
