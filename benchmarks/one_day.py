"""One day of twenty columns: this package beside the bare read, SciPy and its peers.

    python benchmarks/one_day.py                    # ours, the bare read and SciPy by hand
    python benchmarks/one_day.py --peers            # NannyML, whylogs and Evidently too
    python benchmarks/one_day.py --rows 2000        # a smaller day

Prints CPU seconds, not wall time: what a day costs on a machine that is shared.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from race import PHASES, Contestant, Run, install_peer, median_seconds, race
from report import at_least, at_most, machine_lines, table_lines
from rows import write_rows

FLOOR = Contestant(
    name="floor", title="bare read, 20 columns", script="bare_read.py", scope="columns"
)
FLOOR_ROWS = Contestant(
    name="floor_rows",
    title="bare read, with id and time",
    script="bare_read.py",
    scope="rows",
    floor="floor_rows",
)
OURS = (
    Contestant(name="ours", title="ours, 20 columns", script="run_ours.py", scope="columns"),
    Contestant(
        name="ours_segments",
        title="ours, by 3 segment columns",
        script="run_ours.py",
        scope="segments",
    ),
    Contestant(
        name="ours_rows",
        title="ours, with id and time",
        script="run_ours.py",
        scope="rows",
        floor="floor_rows",
    ),
)
COMPILED = tuple(
    replace(
        ours, name=f"{ours.name}_fast", title=f"{ours.title}, compiled", scope=f"{ours.scope}_fast"
    )
    for ours in OURS
)
BY_HAND = (
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
        ("whylogs", "lean", "whylogs, the profile alone"),
        ("whylogs", "full", "whylogs, with drift scores"),
        ("evidently", "lean", "Evidently, drift preset"),
        ("evidently", "full", "Evidently, six methods"),
    )
)
LIMITS = {"ours_segments": 4.0, "ours_segments_fast": 2.0}
"""Contestant to the most that it may take, in bare reads."""

TIMES = {"scipy": 10, "nannyml_full": 20, "whylogs_full": 40, "evidently_full": 150}
"""Peer to how many times longer it should take than ours on the same columns."""


def main() -> None:
    """Run the bench and print its table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rows", type=int, default=1_000_000, help="rows of the day")
    parser.add_argument("--rounds", type=int, default=5, help="runs of each; medians are printed")
    parser.add_argument("--peer-rounds", type=int, default=1, help="runs of each peer")
    parser.add_argument("--peers", action="store_true", help="install and run the peers too")
    parser.add_argument("--compression", default="zstd", help="of the Parquet files")
    parser.add_argument("--only", nargs="*", help="names of contestants; floor, ours, scipy stay")
    options = parser.parse_args()
    own = (FLOOR, FLOOR_ROWS, *OURS, *(COMPILED if find_spec("numba") else ()), *BY_HAND)
    contestants = (*own, *PEERS) if options.peers else own
    if options.only is not None:
        wanted = {"floor", "ours", "scipy", *options.only}
        contestants = tuple(c for c in contestants if c.name in wanted)
    for peer in sorted({c.peer for c in contestants if c.peer}):
        install_peer(peer)
    with tempfile.TemporaryDirectory() as folder:
        training, day = write_rows(Path(folder), rows=options.rows, compression=options.compression)
        runs = race(
            contestants, training, day, rounds=options.rounds, peer_rounds=options.peer_rounds
        )
    print(f"\n{options.rows:,} rows x 20 columns, {options.compression}; median CPU seconds\n")
    heads = ["", "values", "runs", *PHASES, "read + compute", "x bare read", "x ours"]
    print("\n".join(table_lines(heads, _rows(contestants, runs))))
    print("\n" + "\n".join([*_verdicts(contestants, runs), "", *agreement_lines(runs)]))
    print("\n" + "\n".join([*machine_lines(), *_versions(runs)]))


def _rows(contestants: Sequence[Contestant], runs: Mapping[str, Sequence[Run]]) -> list[list[str]]:
    """Phases, read and compute together, and how many times the floor and ours."""
    ours = median_seconds(runs["ours"], "work")
    rows = []
    for contestant in contestants:
        own = runs[contestant.name]
        work = median_seconds(own, "work")
        floor = median_seconds(runs[contestant.floor], "work")
        rows.append(
            [
                contestant.title,
                str(own[0].n_values or ""),
                str(len(own)),
                *(f"{median_seconds(own, phase):.3f}" for phase in (*PHASES, "work")),
                f"{work / floor:.1f}",
                f"{work / ours:.2f}",
            ]
        )
    return rows


def _verdicts(contestants: Sequence[Contestant], runs: Mapping[str, Sequence[Run]]) -> list[str]:
    """What was asked, and what was found."""
    lines = []
    best = "ours_fast" if "ours_fast" in runs else "ours"
    for contestant in contestants:
        work = median_seconds(runs[contestant.name], "work")
        if contestant.name in LIMITS:
            floor = median_seconds(runs[contestant.floor], "work")
            verdict = at_most(work / floor, LIMITS[contestant.name], " x bare read")
            lines.append(f"- {contestant.title}: {verdict}")
        if contestant.name in TIMES:
            for ours in dict.fromkeys(("ours", best)):
                ratio = work / median_seconds(runs[ours], "work")
                verdict = at_least(ratio, TIMES[contestant.name])
                lines.append(f"- {contestant.title}, to {ours}: {verdict}")
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


def _versions(runs: Mapping[str, Sequence[Run]]) -> list[str]:
    """Each contestant's packages."""
    return [
        f"- {name}: " + ", ".join(f"{k} {v}" for k, v in runs[name][0].versions.items())
        for name in ("ours", "ours_fast", *TIMES)
        if name in runs
    ]


if __name__ == "__main__":
    main()
