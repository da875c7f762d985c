"""A year of a hundred columns, every drift metric against one baseline, from stored profiles.

    python benchmarks/wide_year.py
    python benchmarks/wide_year.py --rows 200 --days 3    # a smaller one

The profiles are scanned and kept before, by another process; days come round as in many_days.py.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from race import run_script
from report import at_most, machine_lines, table_lines
from rows import write_days

LIMIT_SECONDS = 10


def main() -> None:
    """Run the bench and print its table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rows", type=int, default=10_000, help="rows a day")
    parser.add_argument("--days", type=int, default=365, help="days")
    parser.add_argument("--rounds", type=int, default=3, help="runs; the median is judged")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rows = Path(folder) / "rows"
        write_days(rows, rows=options.rows)
        arguments: list[str | Path] = ["--folder", rows, "--days", str(options.days), "--scope"]
        run_script("ours_wide_year.py", [*arguments, "write"])
        found = [
            run_script("ours_wide_year.py", [*arguments, "measure"]) for _ in range(options.rounds)
        ]
    found.sort(key=lambda run: run.seconds["load"] + run.seconds["measure"])
    run = found[len(found) // 2]
    load, measure = run.seconds["load"], run.seconds["measure"]
    values = run.values[("measured", "")]
    row = [
        f"{options.days} days x 100 columns",
        f"{values:,.0f}",
        f"{load:.2f}",
        f"{measure:.2f}",
        f"{load + measure:.2f}",
        f"{measure / values * 1e6:.0f}",
        f"{run.peak_megabytes:.0f}",
        f"{run.values[('profile_bytes', '')] / 1e3:.0f}",
    ]
    heads = [
        "CPU seconds",
        "values",
        "read",
        "measure",
        "both",
        "us a value",
        "peak MB",
        "kB a day",
    ]
    print("\n".join(table_lines(heads, [row])))
    print("\n- CPU seconds: " + at_most(load + measure, LIMIT_SECONDS, " s"))
    print("\n" + "\n".join(machine_lines()))


if __name__ == "__main__":
    main()
