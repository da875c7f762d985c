"""Slices of every shape: how much CPU time and memory a slice takes as it grows, and when odd.

    python benchmarks/shapes.py                                # 1 and 10 million rows
    python benchmarks/shapes.py --rows 1000000 100000000       # 100 million too: some minutes
    python benchmarks/shapes.py --only wide

A large slice is a file of at most a million rows read again and again.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from odd_rows import WRITERS
from race import Run, run_script
from report import at_most, machine_lines, table_lines

MILLION = 1_000_000
LIMIT_MEGABYTES = 1_000


@dataclass(frozen=True, kw_only=True)
class Shape:
    """A slice: what its rows are, how many, how many columns, and whether id and time are read."""

    title: str
    kind: str
    rows: int
    columns: int = 20
    scope: str = "scan"


def main() -> None:
    """Run the bench and print its table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rows", type=int, nargs="+", default=[MILLION, 10 * MILLION])
    parser.add_argument("--wide", type=int, default=2_000, help="columns of the wide slice")
    parser.add_argument("--strings", type=int, default=MILLION, help="distinct strings")
    parser.add_argument("--only", default="", help="shapes whose title has this word")
    options = parser.parse_args()
    chosen = [shape for shape in _shapes(options) if options.only in shape.title]
    found = [(shape, _measured(shape)) for shape in chosen]
    heads = [
        "",
        "rows",
        "columns",
        "scan",
        "measure",
        "ns a value",
        "MB in all",
        "MB of it imports",
    ]
    print("\n" + "\n".join(table_lines(heads, [_row(shape, run) for shape, run in found])) + "\n")
    for shape, run in found:
        if shape.kind == "usual" and shape.rows == max(options.rows):
            verdict = at_most(run.peak_megabytes, LIMIT_MEGABYTES, " MB")
            print(f"- {shape.title}, {shape.rows:,} rows: {verdict}")
    print("\n" + "\n".join(machine_lines()))


def _shapes(options: argparse.Namespace) -> list[Shape]:
    least = min(options.rows)
    few, wide = min(least, 100_000), options.wide
    return [
        *(Shape(title="usual", kind="usual", rows=rows) for rows in options.rows),
        *(
            Shape(title="usual, with id and time", kind="usual", rows=rows, scope="scan_rows")
            for rows in options.rows
        ),
        *(
            Shape(title="wide", kind="wide", rows=min(few, 10_000), columns=columns)
            for columns in (wide // 4, wide // 2, wide)
        ),
        Shape(title="distinct strings", kind="strings", rows=options.strings, columns=2),
        Shape(title="tiny", kind="usual", rows=10),
        Shape(title="skewed, all one value", kind="skewed", rows=least),
    ]


def _measured(shape: Shape) -> Run:
    print(f"{shape.title}, {shape.rows:,} rows x {shape.columns}", flush=True)
    rows = min(shape.rows, MILLION)
    with tempfile.TemporaryDirectory() as folder:
        WRITERS[shape.kind](Path(folder), rows, shape.columns)
        arguments: list[str | Path] = [
            "--folder",
            folder,
            "--times",
            str(max(shape.rows // rows, 1)),
            "--scope",
        ]
        run_script("ours_shape.py", [*arguments, "baseline"])
        return run_script("ours_shape.py", [*arguments, shape.scope])


def _row(shape: Shape, run: Run) -> list[str]:
    work = run.seconds["read"]
    return [
        shape.title,
        f"{shape.rows:,}",
        f"{shape.columns:,}",
        f"{work:.2f}",
        f"{run.seconds['compute']:.2f}",
        f"{work / shape.rows / shape.columns * 1e9:,.0f}",
        f"{run.peak_megabytes:.0f}",
        f"{run.values[('before', '')]:.0f}",
    ]


if __name__ == "__main__":
    main()
