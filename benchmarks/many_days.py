"""A month and a year of days against training and two rolling baselines.

    python benchmarks/many_days.py                        # 30 days of 100,000 rows, 365 of 10,000
    python benchmarks/many_days.py --year-rows 100000     # 365 days of 100,000 rows too
    python benchmarks/many_days.py --rows 500 --year-rows 100 --year 35    # a smaller one

Seven different days are written and come round in turn; each is read from its file every time.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from race import Run, run_script
from report import at_least, at_most, machine_lines, table_lines
from rows import write_days

PHASES = ("scan", "store", "load", "training", "rolling_14", "rolling_28")
ROLLING = ("rolling_14", "rolling_28")
MONTH = 30


def main() -> None:
    """Run the bench and print its tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rows", type=int, default=100_000, help="rows a day of the month")
    parser.add_argument("--year-rows", type=int, default=10_000, help="rows a day of the year")
    parser.add_argument("--year", type=int, default=365, help="days of the year")
    parser.add_argument("--scipy-days", type=int, default=2, help="days that SciPy is measured on")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        month, year = Path(folder) / "month", Path(folder) / "year"
        write_days(month, rows=options.rows)
        write_days(year, rows=options.year_rows)
        runs = {
            f"{MONTH} days x {options.rows:,}": (MONTH, _ours(month, MONTH)),
            f"{MONTH} days x {options.rows:,}, PSI only": (MONTH, _ours(month, MONTH, "psi")),
            f"{MONTH} days x {options.year_rows:,}": (MONTH, _ours(year, MONTH)),
            f"{options.year} days x {options.year_rows:,}": (
                options.year,
                _ours(year, options.year),
            ),
        }
        by_hand = run_script(
            "scipy_many_days.py", ["--folder", year, "--days", str(options.scipy_days)]
        )
    heads = ["x 20 columns, CPU seconds", *PHASES, "14 / scan", "28 / scan", "peak MB"]
    print("\n".join(table_lines(heads, [_row(name, run) for name, (_, run) in runs.items()])))
    print("\n" + "\n".join(_verdicts(runs, by_hand, options.scipy_days)))
    print("\n" + "\n".join(machine_lines(("numpy", "pyarrow", "scipy"))))


def _ours(folder: Path, days: int, scope: str = "all") -> Run:
    print(f"ours: {days} days, {scope}", flush=True)
    arguments: list[str | Path] = ["--folder", folder, "--days", str(days), "--scope", scope]
    return run_script("ours_many_days.py", arguments)


def _row(name: str, run: Run) -> list[str]:
    seconds = run.seconds
    shares = [f"{seconds[kind] / seconds['scan']:.1%}" for kind in ROLLING]
    phases = [f"{seconds[phase]:.2f}" for phase in PHASES]
    return [name, *phases, *shares, f"{run.peak_megabytes:.0f}"]


def _verdicts(runs: dict[str, tuple[int, Run]], by_hand: Run, measured: int) -> list[str]:
    (_, month), _, (_, short), (days, year) = runs.values()
    lines = [
        f"- {kind}, share of the scan, month: "
        + at_most(100 * month.seconds[kind] / month.seconds["scan"], 10, " %")
        for kind in ROLLING
    ]
    growth = year.peak_megabytes / short.peak_megabytes
    lines.append(f"- peak memory of {days} days to {MONTH} days: " + at_most(growth, 1.1, " x"))
    ours = sum(year.seconds[phase] for phase in PHASES if phase != "training")
    theirs = sum(by_hand.seconds[kind] for kind in ("read", *ROLLING)) * days / measured
    lines.append(
        f"- SciPy by hand, {days} days of both rolling baselines, from {measured} days measured: "
        f"{theirs:.0f} s to our {ours:.1f} s: " + at_least(theirs / ours, 100)
    )
    size = year.values[("profile_bytes", "")] / 1e3
    lines.append(f"- a day's stored profile: {size:.0f} kB")
    return lines


if __name__ == "__main__":
    main()
