"""How many false pages quiet models make, and how soon a shift makes one.

Models of 200 monitors are judged for 90 quiet days after those to learn from: the real thresholds,
with their shares of a budget of one false page a month, the real episodes and the real grouping.
Values are those of the real metrics on counts that are drawn, 1,000 rows a day against a baseline
of 100,000. Then a column of one monitor moves, by a share of its standard deviation, for 14 days.

    python benchmarks/false_alarms.py
    python benchmarks/false_alarms.py --models 10 --columns 50
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from statistics import fmean, median, stdev

import numpy as np
from scipy.special import ndtr, ndtri

from dagster_monitoring.evaluation import Severity
from dagster_monitoring.incidents import AlertPolicy, Cause, Verdict, episodes, group
from dagster_monitoring.incidents.episodes import Rule
from dagster_monitoring.monitors import with_shares
from dagster_monitoring.monitors.drift import DriftMonitor
from dagster_monitoring.monitors.learned import LearnedThreshold
from dagster_monitoring.monitors.performance import PerformanceMonitor
from dagster_monitoring.monitors.threshold import Evidence, Levels, Share
from dagster_monitoring.statistics.drift import DriftMetric, Pair, Pairs, drift_metric
from dagster_monitoring.statistics.histogram import Histogram

ROWS, BASELINE_ROWS = 1_000, 100_000
JUDGED, SHIFTED = 90, 14
MONTH = 365.25 / 12
BINS = {"deciles": 10, "profile": 200}
START = datetime(2024, 1, 1, tzinfo=UTC)
SHIFTS = (0.1, 0.2, 0.5)
NORMAL = "normal"


@dataclass(frozen=True)
class Setting:
    """What is simulated: a metric (or values that are normal), its window, and ``for``."""

    metric: str
    window: int
    in_a_row: int = 1

    @property
    def threshold(self) -> LearnedThreshold:
        """The default one of a monitor with this window."""
        return LearnedThreshold().counted_in("day", window=self.window)


SETTINGS = (
    Setting(NORMAL, 1),
    Setting(NORMAL, 3),
    Setting(NORMAL, 7),
    Setting(NORMAL, 1, 2),
    Setting(NORMAL, 3, 2),
    Setting("jensen_shannon", 1),
    Setting("jensen_shannon", 3),
    Setting("psi", 1),
    Setting("psi", 3),
    Setting("kolmogorov_smirnov", 1),
    Setting("mean_shift", 1),
)


def values_of(
    setting: Setting, series: int, days: int, shift: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """The metric's value of each series at each day, shape ``(series, days)``.

    ``shift`` is that of the column at each day, in its standard deviations, the window's first
    days included.
    """
    width = setting.window
    if setting.metric == NORMAL:
        daily = rng.normal(size=(series, days + width - 1)) + shift * math.sqrt(ROWS)
        return np.lib.stride_tricks.sliding_window_view(daily, width, axis=1).mean(axis=2)
    metric = drift_metric(setting.metric)
    bins = BINS[metric.bins]
    edges = ndtri(np.arange(1, bins) / bins)
    shares = np.diff(ndtr(edges - shift[:, None]), axis=1, prepend=0, append=1)
    counts = rng.multinomial(ROWS, shares, size=(series, days + width - 1))
    sums = rng.normal(size=counts.shape[:2]) * math.sqrt(ROWS) + shift * ROWS
    add = np.lib.stride_tricks.sliding_window_view
    counts, sums = add(counts, width, axis=1).sum(axis=3), add(sums, width, axis=1).sum(axis=2)
    found = [
        values
        for own, total in zip(counts, sums, strict=True)
        for values in measured(metric, edges, own, total, rng)
    ]
    return np.array(found).reshape(series, days)


def measured(
    metric: DriftMetric,
    edges: np.ndarray,
    counts: np.ndarray,
    sums: np.ndarray,
    rng: np.random.Generator,
) -> list[float]:
    """The metric's values of one series, whose baseline is drawn too."""
    bins = counts.shape[1]
    before = rng.multinomial(BASELINE_ROWS, np.full(bins, 1 / bins))
    mean = float(rng.normal()) * math.sqrt(BASELINE_ROWS)
    reference = histogram(edges, before, mean)
    pairs = [
        Pair(reference=reference, current=histogram(edges, own, total))
        for own, total in zip(counts, sums, strict=True)
    ]
    return metric.measure(Pairs.of(pairs), alpha=0.01).values


def histogram(edges: np.ndarray, counts: np.ndarray, total: float) -> Histogram:
    """Counts with the sums that a column's mean and standard deviation 1 make."""
    sums = np.zeros(len(counts))
    sums[0] = total
    rows = float(counts.sum())
    return Histogram(
        counts=counts.astype(np.int64),
        sums=sums,
        edges=edges,
        sum_squares=rows + float(total) ** 2 / rows,
        minimum=-10.0,
        maximum=10.0,
    )


def judge(setting: Setting, series: np.ndarray, share: Share) -> list[Verdict]:
    """A monitor's verdicts on the days after those it learns from."""
    values, width, threshold = series.tolist(), setting.window, setting.threshold
    found = []
    first = len(values) - judged_days(setting, len(values))
    for day in range(first, len(values)):
        # Of a row that makes a page, none is learned from: see ``past_partitions``.
        latest = day - width * -(-setting.in_a_row // width)
        past = values[day % width : latest + 1 : width][-(threshold.slices // width) :]
        levels = threshold.levels(evidence(setting, past, share))
        assert isinstance(levels, Levels)
        found.append(verdict(values[day], levels, day))
    return found


def judged_days(setting: Setting, days: int) -> int:
    """Days that are not only learned from."""
    return days - setting.threshold.slices - setting.window + 1 - (setting.in_a_row - 1)


def evidence(setting: Setting, past: list[float], share: Share) -> Evidence:
    """What the evaluation tells the threshold."""
    if setting.metric == NORMAL:
        return Evidence(past=past, window=setting.window, share=share, worse="lower")
    metric = drift_metric(setting.metric)
    return Evidence(
        past=past,
        window=setting.window,
        share=share,
        worse="upper",
        is_distance=True,
        scale=metric.scale,
    )


def verdict(value: float, levels: Levels, day: int) -> Verdict:
    """As the evaluation gives it."""
    severity = None
    for name, limits in ((Severity.WARN, levels.warn), (Severity.ERROR, levels.error)):
        lower, upper = limits or (None, None)
        if (lower is not None and value < lower) or (upper is not None and value > upper):
            severity = name
    moment = START + timedelta(days=day)
    return Verdict(
        monitor="m",
        kind="drift",
        partition=moment.date().isoformat(),
        severity=severity,
        healthy=severity is None,
        window_end=moment + timedelta(days=1),
    )


def share_of(setting: Setting, monitors: int) -> Share:
    """One monitor's part of a budget of one page a month."""
    kind = PerformanceMonitor if setting.metric == NORMAL else DriftMonitor
    all_of_them = [kind(name=f"m{n}", **{"for": setting.in_a_row}) for n in range(monitors)]
    (first, *_) = with_shares(all_of_them, AlertPolicy(), every="day")
    assert first.share is not None
    return first.share


def pages(setting: Setting, monitors: int, rng: np.random.Generator) -> float:
    """False pages a month of one model."""
    days = setting.threshold.slices + setting.window + setting.in_a_row - 2 + JUDGED
    quiet = np.zeros(days + setting.window - 1)
    share, rule = share_of(setting, monitors), rule_of(setting)
    told = [
        episode
        for series in values_of(setting, monitors, days, quiet, rng)
        for episode in episodes(judge(setting, series, share), rule, cause=Cause.MODEL)
    ]
    return len(group(told)) / (JUDGED / MONTH)


def rule_of(setting: Setting) -> Rule:
    """What makes a page, by the alert policy's defaults."""
    keep = AlertPolicy().keep_firing_for
    return Rule(severity=Severity.ERROR, partitions=setting.in_a_row, keep=keep)


def found_after(
    setting: Setting, monitors: int, shift: float, series: int, rng: np.random.Generator
) -> Iterator[int | None]:
    """Of each column that moves, after how many days a page was made; ``None``: of none."""
    days = setting.threshold.slices + setting.window + setting.in_a_row - 2 + SHIFTED
    moved = np.zeros(days + setting.window - 1)
    moved[-SHIFTED:] = shift if setting.metric != NORMAL else -shift
    share, rule = share_of(setting, monitors), rule_of(setting)
    for own in values_of(setting, series, days, moved, rng):
        verdicts = judge(setting, own, share)
        told = episodes(verdicts, rule, cause=Cause.MODEL)
        keys = [one.partition for one in verdicts]
        yield keys.index(told[0].fired) + 1 if told else None


def name(setting: Setting) -> str:
    """A row's head."""
    every = f"for: {setting.in_a_row}" if setting.in_a_row > 1 else ""
    return f"{setting.metric} | {setting.window} | {every}"


def main() -> None:
    """Both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=int, default=40)
    parser.add_argument("--monitors", type=int, default=200)
    parser.add_argument("--columns", type=int, default=200)
    parser.add_argument("--only", default="")
    asked = parser.parse_args()
    rng = np.random.default_rng(20240501)
    chosen = [setting for setting in SETTINGS if asked.only in name(setting)]
    print(
        "| metric | window | | false pages a month | ± 2 sd |\n| --- | ---: | --- | ---: | ---: |"
    )
    for setting in chosen:
        found = [pages(setting, asked.monitors, rng) for _ in range(asked.models)]
        error = 2 * stdev(found) / math.sqrt(len(found))
        print(f"| {name(setting)} | {fmean(found):.2f} | {error:.2f} |", flush=True)
    heads = " | ".join(f"{shift} sd" for shift in SHIFTS)
    print(
        f"\n| metric | window | | monitors | {heads} |\n| --- | ---: | --- " + "| ---: " * 4 + "|"
    )
    for setting in chosen:
        for monitors in (4, asked.monitors):
            cells = [power(setting, monitors, shift, asked.columns, rng) for shift in SHIFTS]
            print(f"| {name(setting)} | {monitors} | {' | '.join(cells)} |", flush=True)


def power(
    setting: Setting, monitors: int, shift: float, columns: int, rng: np.random.Generator
) -> str:
    """The share that is found, and the median of the days until then."""
    found = list(found_after(setting, monitors, shift, columns, rng))
    known = [days for days in found if days is not None]
    told = f", {median(known):.0f} d" if known else ""
    return f"{len(known) / len(found):.0%}{told}"


if __name__ == "__main__":
    main()
