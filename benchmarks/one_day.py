"""One day of twenty columns: this package beside the bare read, SciPy, NannyML and Evidently.

    python benchmarks/one_day.py                    # ours, the bare read and SciPy by hand
    python benchmarks/one_day.py --peers            # NannyML and Evidently too
    python benchmarks/one_day.py --rows 2000        # a smaller day

Prints CPU seconds, not wall time: what a day costs on a machine that is shared.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from race import PHASES, Contestant, Run, install_peer, median_seconds, race
from rows import write_rows

FLOOR = Contestant(
    name="floor", title="bare read, 20 columns", script="bare_read.py", scope="columns"
)
OURS = Contestant(name="ours", title="ours, 20 columns", script="run_ours.py", scope="columns")
OWN = (
    FLOOR,
    Contestant(
        name="floor_rows",
        title="bare read, with id and time",
        script="bare_read.py",
        scope="rows",
        floor="floor_rows",
    ),
    OURS,
    Contestant(
        name="ours_rows",
        title="ours, with id and time",
        script="run_ours.py",
        scope="rows",
        floor="floor_rows",
    ),
    Contestant(
        name="scipy_lean", title="SciPy, a metric a column", script="run_scipy.py", scope="lean"
    ),
    Contestant(name="scipy", title="SciPy, four metrics", script="run_scipy.py", scope="full"),
)
PEERS = tuple(
    Contestant(name=f"{peer}_{scope}", title=title, script=f"run_{peer}.py", scope=scope, peer=peer)
    for peer, scope, title in (
        ("nannyml", "lean", "NannyML, a metric a column"),
        ("nannyml", "full", "NannyML, all its methods"),
        ("evidently", "lean", "Evidently, drift preset"),
        ("evidently", "full", "Evidently, six methods"),
    )
)


def main() -> None:
    """Run the bench and print its table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rows", type=int, default=1_000_000, help="rows of the day")
    parser.add_argument("--rounds", type=int, default=5, help="runs of each; medians are printed")
    parser.add_argument("--peer-rounds", type=int, default=1, help="runs of each peer")
    parser.add_argument("--peers", action="store_true", help="install and run the peers too")
    parser.add_argument("--compression", default="zstd", help="of the Parquet files")
    options = parser.parse_args()
    contestants = (*OWN, *PEERS) if options.peers else OWN
    for peer in sorted({c.peer for c in contestants if c.peer}):
        install_peer(peer)
    with tempfile.TemporaryDirectory() as folder:
        training, day = write_rows(Path(folder), rows=options.rows, compression=options.compression)
        runs = race(
            contestants, training, day, rounds=options.rounds, peer_rounds=options.peer_rounds
        )
    print(f"\n{options.rows:,} rows x 20 columns, {options.compression}; median CPU seconds\n")
    print("\n".join(table_lines(contestants, runs)))
    print("\n" + "\n".join(agreement_lines(runs)))
    print("\n" + "\n".join(machine_lines(runs)))


def table_lines(contestants: Sequence[Contestant], runs: Mapping[str, Sequence[Run]]) -> list[str]:
    """The table: phases, read and compute together, and how many times the floor and ours."""
    ours = median_seconds(runs[OURS.name], "work")
    heads = ["", "values", "runs", *PHASES, "read + compute", "x bare read", "x ours"]
    lines = [_row(heads), _row(["---", *["---:"] * (len(heads) - 1)])]
    for contestant in contestants:
        own = runs[contestant.name]
        work = median_seconds(own, "work")
        floor = median_seconds(runs[contestant.floor], "work")
        lines.append(
            _row(
                [
                    contestant.title,
                    str(own[0].n_values or ""),
                    str(len(own)),
                    *(f"{median_seconds(own, phase):.3f}" for phase in (*PHASES, "work")),
                    f"{work / floor:.1f}",
                    f"{work / ours:.2f}",
                ]
            )
        )
    return lines


def agreement_lines(runs: Mapping[str, Sequence[Run]]) -> list[str]:
    """The largest difference between ours and SciPy's on the raw rows, by metric."""
    ours, theirs = runs["ours"][0].values, runs["scipy"][0].values
    worst: dict[str, float] = {}
    for key in sorted(theirs.keys() & ours.keys()):
        difference = abs(ours[key] - theirs[key])
        if key[0] == "chi_square":
            difference /= max(abs(theirs[key]), 1.0)
        worst[key[0]] = max(worst.get(key[0], 0.0), difference)
    return [
        "Largest difference between ours and SciPy on the raw rows (chi-square: relative):",
        *(f"- {metric}: {difference:.1e}" for metric, difference in worst.items()),
    ]


def machine_lines(runs: Mapping[str, Sequence[Run]]) -> list[str]:
    """What it ran on, with which packages."""
    lines = [f"Python {platform.python_version()}, {os.cpu_count()} cores, {_processor()}"]
    for name in ("ours", "scipy", "nannyml_full", "evidently_full"):
        if name in runs:
            versions = runs[name][0].versions
            lines.append(f"- {name}: " + ", ".join(f"{k} {v}" for k, v in versions.items()))
    return lines


def _processor() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in text.splitlines() if "model name" in line]
    return names[0] if names else platform.machine()


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
