"""The assets that judge: drift, data quality, performance, with one check a monitor."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import dagster as dg

from dagster_monitoring.evaluation import Evaluation, Status
from dagster_monitoring.model import MonitoredModel
from dagster_monitoring.monitors import Monitor
from dagster_monitoring.orchestration.asset_specs import (
    build_spec,
    evaluations_schema,
    lookback,
)
from dagster_monitoring.orchestration.backend import Backend, open_backend
from dagster_monitoring.orchestration.checks import to_verdict
from dagster_monitoring.orchestration.clock import Clock
from dagster_monitoring.orchestration.confusion import confusion_metadata
from dagster_monitoring.orchestration.declarations import Declarations
from dagster_monitoring.orchestration.evaluator import AHEAD
from dagster_monitoring.orchestration.judging import Judging
from dagster_monitoring.orchestration.label_arrivals import arrival_metadata
from dagster_monitoring.orchestration.naming import (
    asset_key,
    partitions_definition,
    predictions_key,
)
from dagster_monitoring.orchestration.partitioned_checks import (
    PartitionVerdict,
    build_check_spec,
    emit_verdicts,
)
from dagster_monitoring.orchestration.visible import (
    CountedAgain,
    declarations_of_run,
    with_settings,
)

# How many slices back a check's chart looks.
CHART_SLICES = 45

_ABOUT_LABELS = frozenset({"performance", "label_coverage", "label_freshness", "early_labels"})

DESCRIPTIONS = {
    "drift": "How far the distributions of inputs and predictions went from the baseline's.",
    "data_quality": "Whether the day's rows are what they should be.",
    "performance": "Predictions against the labels that arrived, and whether labels arrive.",
}

CheckEvent = dg.MaterializeResult[Any] | dg.AssetCheckEvaluation | dg.Output[None]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Judging:
    """One evaluation asset: its monitors and the specs of their checks."""

    model: MonitoredModel
    key: dg.AssetKey
    monitors: tuple[Monitor, ...]
    checks: tuple[dg.AssetCheckSpec, ...]


def build_evaluation_assets(model: MonitoredModel, *, clock: Clock) -> list[dg.AssetsDefinition]:
    """Drift, data quality and, where ground truth is declared, performance."""
    names = ["drift", "data_quality", *(["performance"] if model.ground_truth else [])]
    return [_build(model, name, clock) for name in names]


def _build(model: MonitoredModel, name: str, clock: Clock) -> dg.AssetsDefinition:
    monitors = tuple(m for m in model.active_monitors if m.asset == name)
    key = asset_key(model, name)
    judging = _Judging(
        model=model,
        key=key,
        monitors=monitors,
        checks=tuple(_check_spec(model, key, monitor) for monitor in monitors),
    )
    spec = build_spec(
        model,
        name,
        description=DESCRIPTIONS[name],
        deps=_deps(model, name, monitors),
        kinds={"monitor"},
        partitioned=True,
        schema=evaluations_schema(),
    )

    @dg.multi_asset(
        name=f"{model.model}__{name}",
        specs=[spec],
        check_specs=list(judging.checks),
        can_subset=True,
        backfill_policy=dg.BackfillPolicy.single_run(),
    )
    def evaluations(context: dg.AssetExecutionContext) -> Iterator[CheckEvent]:
        with open_backend(model) as backend:
            yield from _judge(context, judging, backend, clock)

    return evaluations


def _judge(
    context: dg.AssetExecutionContext, judging: _Judging, backend: Backend, clock: Clock
) -> Iterator[CheckEvent]:
    partitions = sorted(context.partition_keys)
    selected = {check.name for check in context.selected_asset_check_keys}
    materializes = judging.key in context.selected_asset_keys
    monitors = [m for m in judging.monitors if materializes or m.name in selected]
    now = clock()
    declarations = declarations_of_run(backend, context.run.tags, now=now)
    judge = Judging(
        backend,
        judging.key.path[-1],
        declarations,
        run_id=context.run.run_id,
        now=now,
        log=context.log.error,
    )
    verdicts: list[PartitionVerdict] = []
    for place, partition in enumerate(partitions):
        counted = CountedAgain(judge.counted)
        if place % AHEAD == 0:
            judge.measure_ahead(partitions[place : place + AHEAD], monitors)
        found = judge.judge(partition, monitors)
        counted.report(context.log, partition)
        verdicts += _verdicts(declarations, monitors, partition, found)
        if materializes:
            facts = {**_counts(found), **counted.metadata()}
            context.add_asset_metadata(facts, judging.key, partition_key=partition)
    if materializes:
        yield dg.MaterializeResult(asset_key=judging.key)
    verdicts += _latest_again(declarations, monitors, partitions)
    yield from emit_verdicts(context, asset=judging.key, specs=judging.checks, verdicts=verdicts)


def _verdicts(
    declarations: Declarations,
    monitors: Sequence[Monitor],
    partition: str,
    found: dict[str, list[Evaluation]],
) -> list[PartitionVerdict]:
    backend, verdicts = declarations.backend, []
    for monitor in monitors:
        history = partial(_history, backend, monitor, partition)
        verdict = to_verdict(monitor, partition, found[monitor.name], history=history)
        verdict = with_settings(verdict, declarations, monitor, found[monitor.name])
        if monitor.kind == "performance":
            table = confusion_metadata(backend, partition)
            verdict = replace(verdict, metadata={**verdict.metadata, **table})
        if monitor.kind in _ABOUT_LABELS:
            table = arrival_metadata(backend, partition)
            verdict = replace(verdict, metadata={**verdict.metadata, **table})
        verdicts.append(verdict)
    return verdicts


def _history(
    backend: Backend, monitor: Monitor, partition: str, column: str | None
) -> list[Evaluation]:
    """What the monitor said of a column on the slices before; all columns when ``None``."""
    days = backend.model.partitions
    return backend.store.evaluations.read(
        backend.model.model,
        monitor=monitor.name,
        column=column,
        since=days.shift(partition, -CHART_SLICES),
        until=days.shift(partition, -1),
    )


def _latest_again(
    declarations: Declarations, monitors: Sequence[Monitor], partitions: Sequence[str]
) -> list[PartitionVerdict]:
    """The verdicts of the latest slice, once more, after a run over older ones.

    An asset's badge in Dagster shows the check that was recorded last, so backfilling an old bad
    day would turn the asset red today.
    """
    evaluations, name = declarations.backend.store.evaluations, declarations.backend.model.model
    keys = declarations.backend.model.partitions
    repeated = []
    for monitor in monitors:
        latest = evaluations.last_partition(name, monitor=monitor.name)
        # Production may be over earlier than it was declared to; Dagster knows no later slice.
        if latest is not None and latest > partitions[-1] and keys.holds(latest):
            rows = evaluations.read(name, monitor=monitor.name, since=latest, until=latest)
            repeated += _verdicts(declarations, [monitor], latest, {monitor.name: rows})
    return repeated


def _counts(found: dict[str, list[Evaluation]]) -> dict[str, int]:
    counts = Counter(e.status for rows in found.values() for e in rows)
    return {status.value.lower(): counts[status] for status in Status}


def _check_spec(model: MonitoredModel, key: dg.AssetKey, monitor: Monitor) -> dg.AssetCheckSpec:
    return build_check_spec(
        name=monitor.name,
        asset=key,
        description=monitor.description or f"{monitor.kind} over {monitor.window} slices",
        partitions_def=partitions_definition(model),
        metadata={"monitor": monitor.model_dump_json(exclude_defaults=True)},
    )


def _deps(model: MonitoredModel, name: str, monitors: Sequence[Monitor]) -> list[dg.AssetDep]:
    back = max((m.warm_up_slices() - 1 for m in monitors), default=0)
    if name == "performance":
        return [
            dg.AssetDep(predictions_key(model)),
            dg.AssetDep(asset_key(model, "baseline")),
            lookback(asset_key(model, "ground_truth"), back),
        ]
    return [
        dg.AssetDep(asset_key(model, "baseline")),
        lookback(asset_key(model, "profile"), back),
    ]
