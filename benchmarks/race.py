"""Contestants: where they run, what they used, what it comes to."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
PEERS = HERE / ".peers"
PHASES = ("import", "baseline", "read", "compute")

# No peer may call home, and none may keep a core busy while another is measured. One thread for
# linear algebra is also what costs least CPU time.
_ENVIRONMENT = {
    "DO_NOT_TRACK": "1",
    "NML_DISABLE_USAGE_LOGGING": "1",
    "WHYLOGS_NO_ANALYTICS": "True",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "PYTHONWARNINGS": "ignore",
}


@dataclass(frozen=True, kw_only=True)
class Contestant:
    """A script and its scope.

    ``peer`` names the environment it needs, if not this one; ``floor`` the bare read that it is
    held against.
    """

    name: str
    title: str
    script: str
    scope: str
    peer: str | None = None
    floor: str = "floor"


@dataclass(frozen=True, kw_only=True)
class Run:
    """CPU seconds by phase, values as (metric, column) to number, versions by package.

    ``peak_megabytes`` is the most memory that the process held at once.
    """

    seconds: Mapping[str, float]
    values: Mapping[tuple[str, str], float]
    n_values: int
    versions: Mapping[str, str]
    peak_megabytes: float

    @property
    def work(self) -> float:
        """CPU seconds of reading and computing."""
        return self.seconds.get("read", 0.0) + self.seconds.get("compute", 0.0)


def install_peer(name: str) -> None:
    """Make a peer's environment from its requirements, unless it is there already."""
    home, requirements = PEERS / name, HERE / f"requirements-{name}.txt"
    done = home / "installed.txt"
    wanted = requirements.read_text(encoding="utf-8")
    if done.exists() and done.read_text(encoding="utf-8") == wanted:
        return
    print(f"installing {name} into {home}", flush=True)
    # Commands are this file's own: no argument of a stranger reaches them.
    subprocess.run([sys.executable, "-m", "venv", "--clear", home], check=True)  # noqa: S603
    subprocess.run(  # noqa: S603 - as above
        [_python(name), "-m", "pip", "install", "--quiet", "--requirement", str(requirements)],
        check=True,
    )
    done.write_text(wanted, encoding="utf-8")


def run(contestant: Contestant, training: Path, day: Path) -> Run:
    """Run a contestant in its own process.

    Raises:
        RuntimeError: it failed; with the end of what it said.
    """
    return run_script(
        contestant.script,
        ["--training", training, "--day", day, "--scope", contestant.scope],
        peer=contestant.peer,
    )


def run_script(script: str, arguments: Sequence[str | Path], *, peer: str | None = None) -> Run:
    """Run a script of ``contestants`` in its own process.

    Raises:
        RuntimeError: it failed; with the end of what it said.
    """
    paths = [str(HERE.parent), os.environ.get("PYTHONPATH", "")]
    # A peer must not see this project's packages.
    own = {} if peer else {"PYTHONPATH": os.pathsep.join(filter(None, paths))}
    # Imports are measured as they are from the second time on: compiled.
    dropped = {"PYTHONPATH", "PYTHONDONTWRITEBYTECODE"}
    environment = {k: v for k, v in os.environ.items() if k not in dropped}
    done = subprocess.run(  # noqa: S603 - the scripts beside this file
        [_python(peer), HERE / "contestants" / script, *arguments],
        env={**environment, **_ENVIRONMENT, **own},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{script} failed:\n{done.stderr[-2000:]}")
    found = json.loads(done.stdout.splitlines()[-1])
    return Run(
        seconds=found["seconds"],
        values={(metric, column): value for metric, column, value in found["values"]},
        n_values=len(found["values"]),
        versions=found["versions"],
        peak_megabytes=found["peak_megabytes"],
    )


def race(
    contestants: Sequence[Contestant], training: Path, day: Path, *, rounds: int, peer_rounds: int
) -> dict[str, list[Run]]:
    """Every contestant once a round, so that a noisy minute meets them all.

    Peers, which take minutes, sit out all but the first ``peer_rounds``.
    """
    runs: dict[str, list[Run]] = {contestant.name: [] for contestant in contestants}
    for number in range(rounds):
        for contestant in contestants:
            if contestant.peer and number >= peer_rounds:
                continue
            print(f"round {number + 1} of {rounds}: {contestant.title}", flush=True)
            runs[contestant.name].append(run(contestant, training, day))
    return runs


def median_seconds(runs: Sequence[Run], phase: str) -> float:
    """The median over the rounds of one phase, or of ``work``: reading and computing."""
    return statistics.median(r.work if phase == "work" else r.seconds.get(phase, 0.0) for r in runs)


def _python(peer: str | None) -> str:
    return str(PEERS / peer / "bin" / "python") if peer else sys.executable
