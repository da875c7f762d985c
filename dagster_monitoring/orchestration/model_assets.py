"""The model's own assets: challenger, champion, baseline."""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from dagster_monitoring.model import MonitoredModel
from dagster_monitoring.orchestration.asset_specs import build_spec
from dagster_monitoring.orchestration.backend import Backend, open_backend
from dagster_monitoring.orchestration.baselines import (
    InForce,
    build_declared,
    declared_version,
    put_in_force,
)
from dagster_monitoring.orchestration.clock import Clock
from dagster_monitoring.orchestration.naming import asset_key
from dagster_monitoring.orchestration.retraining import (
    BY_HAND,
    RetrainingRequest,
    Trial,
    failure_reason,
    last_labelled_day,
    try_challenger,
)
from dagster_monitoring.orchestration.unfinished import candidate_cursor
from dagster_monitoring.orchestration.updates import tell_retraining
from dagster_monitoring.retraining import Champion
from dagster_monitoring.stores import RetrainingOutcome


def build_model_assets(model: MonitoredModel, *, clock: Clock) -> list[dg.AssetsDefinition]:
    """Champion and baseline, and a challenger where retraining is declared."""
    assets = [_build_champion(model, clock), _build_baseline(model, clock)]
    if model.retraining is not None and model.ground_truth is not None:
        assets.append(_build_challenger(model, clock))
    return assets


def _build_challenger(model: MonitoredModel, clock: Clock) -> dg.AssetsDefinition:
    key = asset_key(model, "challenger")
    spec = build_spec(
        model,
        "challenger",
        description="A candidate trained on labelled days, and judged on days held back from it.",
        deps=[
            dg.AssetDep(
                asset_key(model, "ground_truth"), partition_mapping=dg.LastPartitionMapping()
            )
        ],
        kinds={"scikitlearn"},
        partitioned=False,
    )
    gate = dg.AssetCheckSpec(
        "gate",
        asset=key,
        description="Whether it beats the champion on the held-back days by more than chance.",
    )

    @dg.multi_asset(name=f"{model.model}__challenger", specs=[spec], check_specs=[gate])
    def challenger(
        context: dg.AssetExecutionContext, config: RetrainingRequest
    ) -> Iterator[dg.MaterializeResult[Any] | dg.AssetCheckResult]:
        with open_backend(model) as backend:
            try:
                until = config.partition or max(backend.judged_days(), default="")
                trial = try_challenger(
                    backend,
                    last_labelled=last_labelled_day(backend, until=until, as_of=clock()),
                    reason=config.reason,
                    clock=clock,
                )
            except Exception as error:
                # Whatever a trainer or estimator of the user's raises: the request is done with.
                _set_candidate(backend, None)
                _finish(
                    backend,
                    config,
                    RetrainingOutcome.FAILED,
                    reason=failure_reason(error),
                    version=None,
                    clock=clock,
                )
                raise
            outcome = (
                RetrainingOutcome.PROMOTED if trial.verdict.promoted else RetrainingOutcome.REFUSED
            )
            # The champion asset does the promotion; until then nothing is in force.
            with backend.store.transaction():
                _set_candidate(backend, trial)
                _finish(
                    backend,
                    config,
                    outcome,
                    reason=trial.verdict.reason,
                    version=trial.version.version,
                    clock=clock,
                )
        context.log.info(trial.verdict.reason)
        yield dg.MaterializeResult(asset_key=key, metadata=_trial_metadata(trial, config))
        yield dg.AssetCheckResult(
            asset_key=key,
            check_name="gate",
            passed=trial.verdict.promoted,
            severity=dg.AssetCheckSeverity.WARN,
            description=trial.verdict.reason,
            metadata=_gate_metadata(trial),
        )

    return challenger


def _build_champion(model: MonitoredModel, clock: Clock) -> dg.AssetsDefinition:
    key = asset_key(model, "champion")
    has_challenger = model.retraining is not None and model.ground_truth is not None
    spec = build_spec(
        model,
        "champion",
        description="The model in service."
        + (f" {model.description}" if model.description else ""),
        deps=[dg.AssetDep(asset_key(model, "challenger"))] if has_challenger else [],
        kinds={"model"},
        partitioned=False,
    )

    @dg.multi_asset(name=f"{model.model}__champion", specs=[spec])
    def champion(context: dg.AssetExecutionContext) -> dg.MaterializeResult[Any]:
        with open_backend(model) as backend:
            metadata = promote_candidate(backend, clock=clock)
        context.log.info(f"in service: {metadata['version']}")
        return dg.MaterializeResult(asset_key=key, metadata=metadata)

    return champion


def _build_baseline(model: MonitoredModel, clock: Clock) -> dg.AssetsDefinition:
    key = asset_key(model, "baseline")
    spec = build_spec(
        model,
        "baseline",
        description="Bins, profile and reference performance that production is compared with.",
        deps=[dg.AssetDep(asset_key(model, "champion"))],
        kinds={"baseline"},
        partitioned=False,
    )

    @dg.multi_asset(name=f"{model.model}__baseline", specs=[spec])
    def baseline(context: dg.AssetExecutionContext) -> dg.MaterializeResult[Any]:
        with open_backend(model) as backend:
            found = ensure_baseline(backend, clock=clock)
        for note in found.baseline.notes:
            context.log.warning(note)
        return dg.MaterializeResult(asset_key=key, metadata=_baseline_metadata(found))

    return baseline


def promote_candidate(backend: Backend, *, clock: Clock) -> dict[str, str]:
    """Put the challenger that passed its gate in service, once; what serves.

    After that the registry alone says what serves, so that a promotion by hand lasts.
    """
    model, registry = backend.model, backend.registry
    candidate = backend.store.cursors.get(candidate_cursor(model))
    if candidate:
        version, baseline_version = candidate.split(" ")
        registry.promote(version, baseline_version=baseline_version, now=clock())
        _set_candidate(backend, None)
    serving = registry.champion()
    if serving is None:
        registered = [v.version for v in registry.versions()]
        name = declared_version(model)
        return {
            "version": name,
            "artefact": "registered" if name in registered else "served elsewhere",
        }
    return {
        "version": serving.version,
        "baseline": serving.baseline_version,
        "promoted_at": serving.promoted_at.isoformat(),
        "sha256": registry.get(serving.version).sha256,
        **registry.get(serving.version).metadata,
    }


def ensure_baseline(backend: Backend, *, clock: Clock) -> InForce:
    """Put the champion's baseline in force: the registry's, or that of the declared rows.

    The declared rows are read again when no champion is registered, or when its baseline is of the
    declared rows, which may have changed; the registry is then told of their new version.

    Raises:
        BaselineError: the champion's baseline is not in storage, or the declared rows give none.
    """
    registry = backend.registry
    serving = registry.champion()
    if serving is not None and not _is_declared(backend, serving):
        return put_in_force(backend, backend.baseline(serving.baseline_version), clock=clock)
    baseline = build_declared(backend)
    if serving is not None:
        registry.promote(serving.version, baseline_version=baseline.version, now=clock())
    elif baseline.model_version in {v.version for v in registry.versions()}:
        registry.promote(baseline.model_version, baseline_version=baseline.version, now=clock())
    return put_in_force(backend, baseline, clock=clock)


def _is_declared(backend: Backend, serving: Champion) -> bool:
    """Whether a champion's baseline is of the declared rows: the declared model scored them."""
    declared = declared_version(backend.model)
    if serving.baseline_version not in backend.storage.list_baselines(backend.model.model):
        return serving.version == declared
    return backend.baseline(serving.baseline_version).model_version == declared


def _finish(
    backend: Backend,
    config: RetrainingRequest,
    outcome: RetrainingOutcome,
    *,
    reason: str,
    version: str | None,
    clock: Clock,
) -> None:
    if config.retraining_id == BY_HAND:
        return
    now = clock()
    with backend.store.transaction():
        backend.store.retrainings.finish(
            config.retraining_id,
            outcome=outcome,
            reason=reason,
            challenger_version=version,
            now=now,
        )
        request = backend.store.retrainings.get(config.retraining_id)
        if request is not None:
            tell_retraining(backend, request, now=now)


def _set_candidate(backend: Backend, trial: Trial | None) -> None:
    """Remember the challenger that the champion asset shall promote; none without a baseline."""
    baseline = trial.baseline if trial else None
    found = f"{trial.version.version} {baseline.version}" if trial and baseline else ""
    backend.store.cursors.set(candidate_cursor(backend.model), found)


def _trial_metadata(trial: Trial, config: RetrainingRequest) -> dict[str, str | int]:
    windows = trial.windows
    return {
        "version": trial.version.version,
        "sha256": trial.version.sha256,
        "bytes": trial.version.size_bytes,
        "rows trained on": trial.rows_trained,
        "held back": f"{windows.holdout[0]} to {windows.holdout[-1]}",
        "reason": config.reason,
        "gate": trial.verdict.reason,
    }


def _gate_metadata(trial: Trial) -> dict[str, float | int]:
    verdict = trial.verdict
    values = {
        "improvement": verdict.improvement,
        "lower": verdict.lower,
        "upper": verdict.upper,
        "required": verdict.required,
        "champion loss": verdict.champion_loss,
        "challenger loss": verdict.challenger_loss,
    }
    numbers: dict[str, float | int] = {k: v for k, v in values.items() if v is not None}
    return {**numbers, "rows": verdict.n, "days": verdict.days}


def _baseline_metadata(found: InForce) -> dict[str, str | int]:
    baseline = found.baseline
    return {
        "version": baseline.version,
        "model version": baseline.model_version or "",
        "rows": baseline.rows,
        "columns": len(baseline.bins.columns),
        "judges from": found.valid_from,
        "notes": "; ".join(baseline.notes) or "none",
    }
