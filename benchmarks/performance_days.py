"""A month of daily classification performance with intervals, beside NannyML and scikit-learn.

python benchmarks/performance_days.py            # ours and scikit-learn by hand
python benchmarks/performance_days.py --peers    # NannyML's PerformanceCalculator too
python benchmarks/performance_days.py --rows 500 --days 3    # a smaller one
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from race import Run, install_peer, median_seconds, run_script
from report import at_least, machine_lines, table_lines
from rows import write_labelled_days

PHASES = ("import", "baseline", "read", "scan", "keep", "compute")
OWN = (
    ("ours, NannyML's six", "ours_performance.py", "six"),
    ("ours, all metrics", "ours_performance.py", "rows"),
    ("ours, all, labels joined by id", "ours_performance.py", "joined"),
    ("scikit-learn, nine metrics", "sklearn_performance.py", "full"),
)
PEER = ("NannyML, six metrics", "nannyml_performance.py", "full")


def main() -> None:
    """Run the bench and print its table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rows", type=int, default=100_000, help="rows a day")
    parser.add_argument("--days", type=int, default=30, help="days")
    parser.add_argument("--rounds", type=int, default=3, help="runs of each; medians are printed")
    parser.add_argument("--peers", action="store_true", help="install and run NannyML too")
    options = parser.parse_args()
    contestants = (*OWN, PEER) if options.peers else OWN
    if options.peers:
        install_peer("nannyml")
    runs: dict[str, list[Run]] = {title: [] for title, _, _ in contestants}
    with tempfile.TemporaryDirectory() as folder:
        rows = Path(folder) / "rows"
        write_labelled_days(rows, rows=options.rows)
        arguments: list[str | Path] = ["--folder", rows, "--days", str(options.days), "--scope"]
        for number in range(options.rounds):
            for title, script, scope in contestants:
                print(f"round {number + 1} of {options.rounds}: {title}", flush=True)
                peer = "nannyml" if script.startswith("nannyml") else None
                runs[title].append(run_script(script, [*arguments, scope], peer=peer))
    seconds = {title: _work(found) for title, found in runs.items()}
    ours = seconds[OWN[0][0]]
    kept = ours + median_seconds(runs[OWN[0][0]], "keep")
    lines = [
        [
            title,
            str(found[0].n_values),
            *(f"{median_seconds(found, phase):.2f}" for phase in PHASES),
            f"{seconds[title]:.2f}",
            f"{seconds[title] / ours:.1f}",
        ]
        for title, found in runs.items()
    ]
    heads = ["CPU seconds", "values", *PHASES, "read + scan + compute", "x ours"]
    print(f"\n{options.days} days x {options.rows:,} rows, binary classification\n")
    print("\n".join(table_lines(heads, lines)))
    print()
    for title, least in ((OWN[-1][0], None), (PEER[0], 10)):
        if title in seconds:
            worst = _largest_difference(runs[OWN[1][0]][0], runs[title][0])
            verdict = f"{at_least(seconds[title] / ours, least)}; " if least else ""
            verdict += f"{seconds[title] / kept:.1f} with profiles kept on disk; "
            print(f"- {title}: {verdict}largest difference to our values {worst:.1e}")
    print("\n" + "\n".join(machine_lines(("numpy", "pyarrow", "scikit-learn"))))


def _work(runs: list[Run]) -> float:
    return sum(median_seconds(runs, phase) for phase in ("read", "scan", "compute"))


def _largest_difference(ours: Run, theirs: Run) -> float:
    shared = ours.values.keys() & theirs.values.keys()
    return max(abs(ours.values[key] - theirs.values[key]) for key in shared)


if __name__ == "__main__":
    main()
