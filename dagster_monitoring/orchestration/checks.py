"""From a monitor's evaluations of one partition to what a person sees in Dagster's UI."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import dagster as dg

from dagster_monitoring.evaluation import Evaluation, Severity, Status, value_text, worst_first
from dagster_monitoring.monitors import Monitor, lacking_slices, overall
from dagster_monitoring.orchestration.charts import (
    AMBER,
    GREEN,
    GREY,
    RED,
    Bar,
    Point,
    as_markdown,
    draw,
)
from dagster_monitoring.orchestration.partitioned_checks import PartitionVerdict

# A check is an event that Dagster keeps for good: the table shows the worst, the store has all.
MAX_TABLE_ROWS = 40
MAX_TEXT = 160
MAX_DESCRIPTION = 1_000

History = Callable[[str | None], Sequence[Evaluation]]

_COLUMNS = [
    dg.TableColumn("status", "string", description="HEALTHY, WARN, ERROR or NO_DATA"),
    dg.TableColumn("column", "string"),
    dg.TableColumn("segment", "string", description="subset of rows; empty: all rows"),
    dg.TableColumn("metric", "string"),
    dg.TableColumn(
        "value", "string", description="± half of its 95 % confidence interval, where it is known"
    ),
    dg.TableColumn("lower", "float", description="lower limit in force"),
    dg.TableColumn("upper", "float", description="upper limit in force"),
    dg.TableColumn("n", "int", description="rows the value rests on"),
    dg.TableColumn("reason", "string"),
]


def to_verdict(
    monitor: Monitor,
    partition: str,
    evaluations: Sequence[Evaluation],
    *,
    history: History,
) -> PartitionVerdict:
    """The check result of one monitor on one partition.

    Args:
        monitor: the monitor, which names the check.
        partition: the judged partition.
        evaluations: all of the monitor's rows of the partition.
        history: gives earlier evaluations of the monitor on a column, for the chart.
    """
    verdict = overall(evaluations)
    ranked = worst_first(evaluations)
    return PartitionVerdict(
        check_name=monitor.name,
        partition=partition,
        passed=verdict.passed,
        severity=(
            dg.AssetCheckSeverity.ERROR
            if verdict.severity is Severity.ERROR
            else dg.AssetCheckSeverity.WARN
        ),
        description=_cut(verdict.description, MAX_DESCRIPTION),
        metadata=_metadata(verdict.status, ranked, history),
    )


def _metadata(
    status: Status, ranked: Sequence[Evaluation], history: History
) -> Mapping[str, dg.MetadataValue]:
    metadata: dict[str, dg.MetadataValue] = {"status": dg.MetadataValue.text(status.value)}
    if not ranked:
        return metadata
    first = ranked[0]
    metadata["window"] = dg.MetadataValue.text(
        f"{first.window_start:%Y-%m-%d %H:%M} to {first.window_end:%Y-%m-%d %H:%M} UTC"
    )
    if first.baseline_version:
        metadata["baseline"] = dg.MetadataValue.text(
            f"{first.baseline_kind} {first.baseline_version}"
        )
    lacking = lacking_slices(e.reason for e in ranked)
    if lacking:
        metadata["lacking slices"] = dg.MetadataValue.text("; ".join(lacking))
    metadata["rows"] = dg.MetadataValue.int(max(e.n for e in ranked))
    labelled = [e.n_labelled for e in ranked if e.n_labelled is not None]
    if labelled:
        metadata["labelled rows"] = dg.MetadataValue.int(max(labelled))
        metadata |= _label_facts(ranked)
    chart = _chart(ranked, history)
    if chart:
        metadata["plot"] = dg.MetadataValue.md(chart)
    # A number, so that Dagster draws it over the partitions.
    metadata["triggered"] = dg.MetadataValue.int(sum(e.status is Status.TRIGGERED for e in ranked))
    metadata["evaluations"] = dg.MetadataValue.table(
        records=[dg.TableRecord(_row(e)) for e in ranked[:MAX_TABLE_ROWS]],
        schema=dg.TableSchema(columns=_COLUMNS),
    )
    if len(ranked) > MAX_TABLE_ROWS:
        metadata["not shown"] = dg.MetadataValue.text(
            f"{len(ranked) - MAX_TABLE_ROWS} further rows: dagster-monitoring history "
            f"{first.model} --monitor {first.monitor} --since {first.partition} "
            f"--until {first.partition}"
        )
    return metadata


def _label_facts(ranked: Sequence[Evaluation]) -> dict[str, dg.MetadataValue]:
    """Coverage and delays of all rows as numbers, so that Dagster draws them over partitions."""
    everyone = next((e for e in ranked if e.segment is None), ranked[0])
    facts = {
        "coverage": everyone.coverage,
        "label delay p50 (hours)": everyone.label_delay_p50_hours,
        "label delay p90 (hours)": everyone.label_delay_p90_hours,
    }
    return {
        name: dg.MetadataValue.float(float(f"{value:.4g}"))
        for name, value in facts.items()
        if value is not None
    }


def _row(evaluation: Evaluation) -> dict[str, str | int | float | None]:
    shown = (
        evaluation.severity.value
        if evaluation.status is Status.TRIGGERED and evaluation.severity
        else evaluation.status.value
    )
    return {
        "status": shown,
        "column": _cut(evaluation.column),
        "segment": _cut(evaluation.segment),
        "metric": evaluation.metric,
        "value": _value(evaluation),
        "lower": _rounded(evaluation.lower),
        "upper": _rounded(evaluation.upper),
        "n": evaluation.n,
        "reason": _cut(evaluation.reason),
    }


def _chart(ranked: Sequence[Evaluation], history: History) -> str | None:
    shown = [e for e in ranked if e.value is not None]
    if not shown:
        return None
    worst = shown[0]
    same = [e for e in history(worst.column) if _series(e) == _series(worst)]
    trail = sorted([*same, worst], key=lambda e: e.partition)[-30:]
    name = f"{label(worst)}, {worst.metric}" if worst.column else label(worst)
    svg = draw(
        title=f"Worst of {len(ranked)}, limit dashed",
        bars=[
            Bar(label=label(e), value=e.value or 0.0, limit=_limit(e), colour=colour(e))
            for e in shown
        ],
        history_title=f"{name}, by partition",
        history=[
            Point(label=e.partition, value=e.value, colour=colour(e), half_width=e.half_width)
            for e in trail
        ],
        lower=worst.lower,
        upper=worst.upper,
    )
    return as_markdown(svg, f"{name} = {_rounded(worst.value)}")


def _series(evaluation: Evaluation) -> tuple[str, str | None, str | None, str | None]:
    return (evaluation.metric, evaluation.column, evaluation.segment, evaluation.baseline_kind)


def label(evaluation: Evaluation) -> str:
    """A row's short name: its column, segment and, where there is no column, its metric."""
    name = evaluation.column or evaluation.metric
    return f"{name} [{evaluation.segment}]" if evaluation.segment else name


def colour(evaluation: Evaluation) -> str:
    """The colour of a row's status."""
    if evaluation.status is Status.TRIGGERED:
        return RED if evaluation.severity is Severity.ERROR else AMBER
    return GREEN if evaluation.status is Status.HEALTHY else GREY


def _limit(evaluation: Evaluation) -> float | None:
    value, lower, upper = evaluation.value, evaluation.lower, evaluation.upper
    if lower is not None and value is not None and (upper is None or value < lower):
        return lower
    return upper if upper is not None else lower


def _value(evaluation: Evaluation) -> str | None:
    if evaluation.value is None:
        return None
    return value_text(evaluation.value, evaluation.standard_error)


def _rounded(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.6g}")


def _cut(text: str | None, limit: int = MAX_TEXT) -> str:
    printable = "".join(c if c.isprintable() else " " for c in (text or "")[: limit + 1])
    return printable if len(printable) <= limit else printable[: limit - 1] + "…"
