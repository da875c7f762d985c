"""From an incident to a challenger: when one is asked for, and how it is trained and judged."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import dagster as dg

from dagster_monitoring.errors import DataError, DeclarationError, MonitoringError
from dagster_monitoring.incidents import Cause, Incident
from dagster_monitoring.model import MonitoredModel
from dagster_monitoring.orchestration.backend import Backend, open_backend
from dagster_monitoring.orchestration.baselines import build_from_table, declared_version
from dagster_monitoring.orchestration.clock import Clock
from dagster_monitoring.orchestration.jobs import AssetJob
from dagster_monitoring.orchestration.naming import job_name
from dagster_monitoring.orchestration.training_rows import (
    Rows,
    baseline_rows,
    champion_predictions,
    labelled_rows,
    scored_by_champion,
    with_outputs,
)
from dagster_monitoring.orchestration.unfinished import finishing_request, unfinished_promotion
from dagster_monitoring.orchestration.updates import tell_retraining
from dagster_monitoring.profiles.baseline import Baseline
from dagster_monitoring.retraining import (
    Estimator,
    GateVerdict,
    LossName,
    ModelVersion,
    Predictions,
    RetrainingConfig,
    TrainingWindows,
    decide,
    feature_frame,
    judge,
    predict,
    resolve_trainer,
    row_losses,
    shared_loss,
    training_windows,
)
from dagster_monitoring.stores import Retraining, RetrainingOutcome

BY_HAND = "by hand"
MONTH = timedelta(days=30)


class RetrainingRequest(dg.Config):
    """Why a challenger is trained; a person who materializes it needs to say nothing."""

    retraining_id: str = BY_HAND
    partition: str = ""
    reason: str = "asked for by hand"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """A challenger and what the gate says of it.

    ``baseline`` are the held-back days with the challenger's own predictions, out of sample: what
    production will be compared with if it is promoted.
    """

    version: ModelVersion
    verdict: GateVerdict
    windows: TrainingWindows
    rows_trained: int
    baseline: Baseline | None


def config_of(model: MonitoredModel) -> RetrainingConfig:
    """The model's retraining settings.

    Raises:
        DeclarationError: it declares none.
    """
    if model.retraining is None:
        raise DeclarationError(f"{model.model}: no retraining is declared (field retraining)")
    return model.retraining


def try_challenger(backend: Backend, *, last_labelled: str, reason: str, clock: Clock) -> Trial:
    """Train a challenger, judge it on held-back days, register it; promotes nothing.

    Raises:
        DataError: too few labelled rows to train or to judge on.
    """
    model, config = backend.model, config_of(backend.model)
    windows = training_windows(last_labelled, partitions=model.partitions, config=config)
    rows = labelled_rows(backend, windows.train, as_of=clock())
    if len(windows.train) < model.partitions.slices_of(config.train_days):
        rows = Rows.concatenate([baseline_rows(model), rows])
    holdout = labelled_rows(backend, windows.holdout, as_of=clock())
    if holdout.table.num_rows == 0:
        raise DataError(
            f"{model.model}: no slice from {windows.holdout[0]} to {windows.holdout[-1]} has a "
            "label, so a challenger can't be judged. Wait for labels, or widen "
            "retraining.holdout_days"
        )
    estimator = _fit(model, config.trainer, rows)
    challenger = predict(estimator, feature_frame(holdout.table, model.columns))
    verdict, loss = _compare(model, holdout, challenger)
    name = next_version(backend)
    version = backend.registry.register(
        estimator,
        version=name,
        now=clock(),
        metadata={
            "trainer": config.trainer,
            "rows": str(rows.table.num_rows),
            "holdout": f"{windows.holdout[0]} to {windows.holdout[-1]}",
            "loss": loss,
            "gate": verdict.reason,
            "reason": reason,
        },
    )
    baseline = None
    if verdict.promoted:
        scored = with_outputs(model, holdout, challenger, version=name)
        baseline = build_from_table(backend, scored, model_version=name)
    return Trial(
        version=version,
        verdict=verdict,
        windows=windows,
        rows_trained=rows.table.num_rows,
        baseline=baseline,
    )


def failure_reason(error: Exception) -> str:
    """Why a retraining failed, in a line for the record."""
    return str(error) if isinstance(error, MonitoringError) else f"{type(error).__name__}: {error}"


def next_version(backend: Backend) -> str:
    """``v2`` after one registered version, and so on; never a name that is taken.

    Taken are also the names of models served from elsewhere: the one that scored the declared
    rows, and those that went with a baseline.
    """
    registered = {version.version for version in backend.registry.versions()}
    in_force = {one.model_version for one in backend.store.baselines.list(backend.model.model)}
    taken = registered | in_force | {declared_version(backend.model)}
    number = len(registered) + 1
    while f"v{number}" in taken:
        number += 1
    return f"v{number}"


def last_labelled_day(backend: Backend, *, until: str, as_of: datetime) -> str:
    """The last slice, not after ``until``, of which at least half the rows have a label.

    Raises:
        DataError: there is none.
    """
    name, keys = backend.model.model, backend.model.partitions
    # Production may start later, or be over earlier, than it was declared to.
    for day in reversed([d for d in backend.judged_days() if d <= until and keys.holds(d)]):
        found = backend.store.labels.coverage(name, day, as_of)
        if found.n_predictions and found.n_labelled * 2 >= found.n_predictions:
            return day
    raise DataError(
        f"{name}: no day until {until} has labels for half of its rows, so there is nothing to "
        "train on or to judge by. Let labels arrive (asset ground_truth) and try again"
    )


def build_retraining_sensor(
    model: MonitoredModel, job: AssetJob, setup: AssetJob, *, clock: Clock
) -> dg.SensorDefinition:
    """Asks for a challenger when an incident calls for one, at most once a cool-down.

    Requests are kept in the store and the run key is the request's id, so a replayed tick, a
    second daemon or a restart asks once. A promotion whose run died half way is finished by
    ``setup``.
    """

    @dg.sensor(
        name=job_name(model, "retraining_sensor"),
        jobs=[job, setup],
        minimum_interval_seconds=60,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description=f"Watches the incidents of {model.model}.",
    )
    def retraining_sensor() -> dg.SensorResult:
        with open_backend(model) as backend:
            unfinished = unfinished_promotion(backend, now=clock())
            if unfinished is not None:
                finishing = finishing_request(model, unfinished, now=clock())
                return dg.SensorResult(run_requests=[finishing])
            request, reason = request_retraining(backend, clock=clock)
        if request is None:
            return dg.SensorResult(skip_reason=dg.SkipReason(reason))
        return dg.SensorResult(run_requests=[run_request(model, request, reason)])

    return retraining_sensor


def request_retraining(backend: Backend, *, clock: Clock) -> tuple[Retraining | None, str]:
    """The retraining that is due, kept in the store, or ``None``; with the reason."""
    model, now = backend.model, clock()
    open_ones = backend.store.incidents.open_ones(model.model)
    # Of several the one that a challenger could mend.
    incident = min(open_ones, key=lambda i: i.cause is not Cause.MODEL, default=None)
    last = backend.store.retrainings.last(model.model)
    was_lost = False
    if last is not None and last.outcome is RetrainingOutcome.REQUESTED:
        was_lost = _is_lost(backend, last, now=now)
        if not was_lost:
            return last, last.reason or "requested before, not finished"
    decision = decide(
        incident,
        config_of(model),
        now=now,
        last_requested_at=last.requested_at if last else None,
        last_incident_id=None if was_lost else _answered_incident(model, last, now=now),
        partitions=model.partitions,
        asked_in_a_month=sum(
            now - one.requested_at < MONTH for one in backend.store.retrainings.list(model.model)
        ),
        last_labelled=_last_labelled(backend, incident, as_of=now),
    )
    if not decision.due or incident is None:
        return None, decision.reason
    request = Retraining(
        id=f"{incident.id}-{len(backend.store.retrainings.list(model.model)) + 1}",
        model=model.model,
        incident_id=incident.id,
        partition=incident.last_partition,
        requested_at=now,
        reason=decision.reason,
    )
    with backend.store.transaction():
        if backend.store.retrainings.request(request):
            tell_retraining(backend, request, now=now)
    return request, decision.reason


def _last_labelled(backend: Backend, incident: Incident | None, *, as_of: datetime) -> str | None:
    if incident is None or config_of(backend.model).fresh_within_days is None:
        return None
    try:
        return last_labelled_day(backend, until=incident.last_partition, as_of=as_of)
    except DataError:
        return None


def _answered_incident(
    model: MonitoredModel, last: Retraining | None, *, now: datetime
) -> str | None:
    """The incident that the last retraining answered; one that failed answered none.

    Without a cool-down a trainer that fails would be started at every tick: it waits a day.
    """
    if last is None or (
        last.outcome is RetrainingOutcome.FAILED and now >= last.requested_at + _patience(model)
    ):
        return None
    return last.incident_id


def _patience(model: MonitoredModel) -> timedelta:
    """How long to wait for a retraining's run, or after one that failed."""
    return timedelta(days=max(config_of(model).cooldown_days, 1.0))


def _fit(model: MonitoredModel, reference: str, rows: Rows) -> Estimator:
    trainer = resolve_trainer(reference)
    features, label = feature_frame(rows.table, model.columns), rows.label_series()
    try:
        return trainer.fit(features, label, task=model.task)
    except MonitoringError:
        raise
    except Exception as error:
        raise MonitoringError(
            f"{model.model}: trainer {reference} failed on {len(label)} rows with "
            f"{type(error).__name__}: {error}. Correct it (field retraining.trainer), then "
            f"materialize the asset challenger"
        ) from error


def _compare(
    model: MonitoredModel, holdout: Rows, challenger: Predictions
) -> tuple[GateVerdict, LossName]:
    """The gate's verdict, on the rows that the champion did score, and the loss it rests on."""
    config, task = config_of(model), model.task
    both, challenger = scored_by_champion(model, holdout, challenger)
    champion = champion_predictions(model, both)
    loss, label = shared_loss(task, [champion, challenger]), both.label_array()
    verdict = judge(
        row_losses(task, label, champion, loss=loss),
        row_losses(task, label, challenger, loss=loss),
        both.days,
        alpha=config.alpha,
        minimum_improvement=config.minimum_improvement,
        minimum_rows=config.minimum_rows,
    )
    if left_out := holdout.table.num_rows - both.table.num_rows:
        why = f"{left_out:,} rows without the champion's prediction or score are left out"
        verdict = replace(verdict, reason=f"{verdict.reason}; {why}")
    return verdict, loss


def _is_lost(backend: Backend, request: Retraining, *, now: datetime) -> bool:
    """Whether a request's run must have died: nothing came of it in a cool-down, or a day."""
    days = _patience(backend.model) / timedelta(days=1)
    if now < request.requested_at + timedelta(days=days):
        return False
    reason = f"no run finished it in {days:g} days; look at the run of that name in Dagster"
    with backend.store.transaction():
        backend.store.retrainings.finish(
            request.id, outcome=RetrainingOutcome.FAILED, reason=reason, now=now
        )
        lost = backend.store.retrainings.get(request.id)
        if lost is not None:
            tell_retraining(backend, lost, now=now)
    return True


def run_request(model: MonitoredModel, request: Retraining, reason: str) -> dg.RunRequest:
    """The run that carries a retraining out."""
    config = RetrainingRequest(retraining_id=request.id, partition=request.partition, reason=reason)
    return dg.RunRequest(
        run_key=request.id,
        job_name=job_name(model, "retraining"),
        run_config=dg.RunConfig(ops={f"{model.model}__challenger": config}),
        tags={"dagster_monitoring/cause": "incident"},
    )
