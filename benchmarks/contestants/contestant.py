"""What every contestant does alike: read its arguments, stop the time, say what it found.

Standard library only: it runs in every peer's environment.
"""

from __future__ import annotations

import argparse
import json
import resource
import time
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

Value = tuple[str, str, float]
"""Metric, column, value."""


@dataclass(frozen=True)
class Options:
    """The files of training rows and of the day, and how much to compute."""

    training: Path
    day: Path
    scope: str


def read_options(*scopes: str) -> Options:
    """The contestant's arguments."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--training", type=Path, required=True)
    parser.add_argument("--day", type=Path, required=True)
    parser.add_argument("--scope", choices=scopes, default=scopes[0])
    parsed = parser.parse_args()
    return Options(parsed.training, parsed.day, parsed.scope)


def cpu_seconds() -> float:
    """CPU time of this process so far, all its threads, and of the children it waited for."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def peak_megabytes() -> float:
    """The most memory that this process held at once."""
    status = Path("/proc/self/status")
    if status.exists():
        # Not getrusage, which hands a child what its parent held when it was started.
        lines = dict(line.split(":", 1) for line in status.read_text().splitlines() if ":" in line)
        return int(lines["VmHWM"].split()[0]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


class Stopwatch:
    """CPU seconds by phase: ``import``, ``baseline``, ``read``, ``compute``."""

    def __init__(self) -> None:
        self._phases: dict[str, float] = {}
        self._last = cpu_seconds()

    def lap(self, phase: str) -> None:
        """What was used since the last lap belongs to this phase."""
        now = cpu_seconds()
        self._phases[phase] = self._phases.get(phase, 0.0) + now - self._last
        self._last = now

    def report(self, values: list[Value], packages: list[str]) -> None:
        """Print the phases, the values and the versions as the last line, in JSON."""
        result = {
            "seconds": self._phases,
            "values": values,
            "versions": {name: version(name) for name in packages},
            "peak_megabytes": peak_megabytes(),
        }
        print(json.dumps(result))
