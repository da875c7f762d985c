"""How far metrics from profiles are from the same metrics on raw rows, by the number of bins.

    python benchmarks/exactness.py
    python benchmarks/exactness.py --rows 2000 --bins 64 2048    # a smaller one

Real data: the flights that the demo carries, January to March against each later month. Heavy
tails and atoms: synthetic, from a seed, against 1,000 drifted rows and against a quarter of the
baseline's. Printed is the largest error of all columns; chi-square's relative to its value,
Wasserstein's and the energy distance's in standard deviations of the baseline or their root. In
brackets: on how many columns the error exceeds what the metric itself says it may be off by.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1]))
from exact_metrics import EXACT, Floats, RawPair
from report import machine_lines, table_lines

from dagster_monitoring.profiles.bins import BinSet, NumericBins, build_numeric_bins
from dagster_monitoring.profiles.column import NumericColumn
from dagster_monitoring.profiles.scan import scan
from dagster_monitoring.schema import Columns
from dagster_monitoring.statistics.drift import Pair, drift_metrics
from dagster_monitoring.statistics.undefined import Undefined

if TYPE_CHECKING:
    from dagster_monitoring.statistics.drift import DriftMetric

FLIGHTS = Path(__file__).parents[1] / "dagster_monitoring" / "demo" / "data"
BINS = (64, 200, 512, 1024, 2048)
_WET = 0.3
# Rounding alone; nobody declares it.
_ROUNDING = 1e-6


def main() -> None:
    """Print a table for each kind of data."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rows", type=int, default=200_000, help="rows of a synthetic baseline")
    parser.add_argument("--bins", type=int, nargs="+", default=list(BINS), help="bins a column")
    options = parser.parse_args()
    forgotten = sorted(set(drift_metrics()) - set(EXACT))
    if forgotten:
        raise SystemExit(f"exact_metrics.py lacks {', '.join(forgotten)}")
    kinds = {"flights": list(_flights()), "heavy tails and atoms": list(_synthetic(options.rows))}
    for title, pairs in kinds.items():
        errors = {name: _errors(name, pairs, options.bins) for name in sorted(EXACT)}
        print(f"\n{title}: {len(pairs)} columns, largest error by number of bins\n")
        heads = ["", *(f"{bins:,}" for bins in options.bins)]
        print("\n".join(table_lines(heads, [[name, *cells] for name, cells in errors.items()])))
    print("\n" + "\n".join(machine_lines(("numpy", "scipy"))))


def _errors(name: str, pairs: Sequence[RawPair], bins: Sequence[int]) -> list[str]:
    metric = drift_metrics()[name]
    exact = [EXACT[name](pair) for pair in pairs]
    cells = []
    for count in bins:
        found = [_error(metric, pair, true, count) for pair, true in zip(pairs, exact, strict=True)]
        beyond = sum(error > told + _ROUNDING for error, told in found)
        worst = max(error for error, _ in found)
        cells.append(f"{worst:.1e}" + (f" ({beyond})" if beyond else ""))
    return cells


def _error(metric: DriftMetric, raw: RawPair, true: float, bins: int) -> tuple[float, float]:
    """How far off the metric is, and how far off it says that it may be; on one scale."""
    pair = _profiled(raw, bins)
    grid = _KEPT[id(raw), bins][0]
    told = pair if metric.bins == "profile" else _on(pair, grid.deciles)
    value = metric.compute(told)
    if isinstance(value, Undefined):
        return (0.0, 0.0) if np.isnan(true) else (np.inf, 0.0)
    scale = {
        "column unit": raw.spread,
        "root of the column unit": raw.spread**0.5,
    }.get(metric.unit, max(abs(true), 1.0) if metric.name == "chi_square" else 1.0)
    with np.errstate(all="ignore"):
        vague = float(metric.vagueness(told.alone)[0]) if metric.vagueness else 0.0
    return abs(value - true) / scale, vague / scale


def _on(pair: Pair, edges: Floats) -> Pair:
    return Pair(pair.reference.regroup(edges), pair.current.regroup(edges))


_KEPT: dict[tuple[int, int], tuple[NumericBins, Pair]] = {}


def _profiled(raw: RawPair, bins: int) -> Pair:
    """Both columns scanned on the reference's bins, as the product does it."""
    key = id(raw), bins
    if key not in _KEPT:
        grid = build_numeric_bins(raw.x, max_bins=bins)
        sides = [_histogram(side, grid) for side in (raw.reference, raw.current)]
        _KEPT[key] = grid, Pair.of(sides[0].histogram(grid), sides[1].histogram(grid))
    return _KEPT[key][1]


def _histogram(values: Floats, grid: NumericBins) -> NumericColumn:
    batch = pa.record_batch({"x": pa.array(values, mask=np.isnan(values))})
    columns = Columns(id="id", timestamp="time", numeric=("x",), model_version=None)
    column = scan([batch], bins=BinSet(columns={"x": grid}), columns=columns).columns["x"]
    if not isinstance(column, NumericColumn):
        raise TypeError("a numeric column is counted as one")
    return column


def _flights() -> Iterator[RawPair]:
    before = _numbers(pq.read_table(FLIGHTS / "baseline.parquet"))
    for path in sorted(FLIGHTS.glob("production-*.parquet")):
        after = _numbers(pq.read_table(path))
        for name in sorted(before.keys() & after.keys()):
            yield RawPair(before[name], after[name])


def _numbers(table: pa.Table) -> Mapping[str, Floats]:
    return {
        field.name: table[field.name].to_numpy()
        for field in table.schema
        if pa.types.is_floating(field.type)
    }


def _synthetic(rows: int) -> Iterator[RawPair]:
    for few in (min(1_000, rows), rows // 4):
        before = _shapes(np.random.default_rng(1), rows, drift=0.0)
        after = _shapes(np.random.default_rng(2), few, drift=0.1)
        for name, values in before.items():
            yield RawPair(values, after[name])


def _shapes(rng: np.random.Generator, n: int, *, drift: float) -> Mapping[str, Floats]:
    """Tails without a variance, tails that span decades, atoms, few values."""
    wet = rng.random(n) < _WET + drift
    return {
        "normal": rng.normal(drift, 1.0, n),
        "pareto": (1 + drift) * rng.pareto(1.2, n),
        "student_t": rng.standard_t(1.5, n) + drift,
        "lognormal": rng.lognormal(3.0 + drift, 1.2, n),
        "lognormal, wide": rng.lognormal(0.0 + drift, 2.5, n),
        "zero_inflated": np.where(wet, rng.gamma(0.8, 4.0 + drift, n), 0.0),
        "discrete": rng.poisson(3.0 + drift, n).astype(np.float64),
        "rounded": np.round(rng.normal(15.0 + drift, 8.0, n), 1),
    }


if __name__ == "__main__":
    main()
