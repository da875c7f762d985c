"""What a look at a declaration found."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

import pyarrow as pa

from dagster_monitoring.errors import MonitoringError

Level = Literal["ok", "warning", "fault"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        level: ``ok``; ``warning``, which will show in verdicts; ``fault``, with which it can't run.
        what: the field of the declaration.
        found: what there is, and where.
        remedy: what to do; empty when it is in order.
    """

    level: Level
    what: str
    found: str
    remedy: str = ""


def ok(what: str, found: str) -> Finding:
    """In order."""
    return Finding(level="ok", what=what, found=found)


def warning(what: str, found: str, remedy: str) -> Finding:
    """It runs, but verdicts will show it."""
    return Finding(level="warning", what=what, found=found, remedy=remedy)


def fault(what: str, found: str, remedy: str) -> Finding:
    """It can't run, or judges wrongly."""
    return Finding(level="fault", what=what, found=found, remedy=remedy)


@contextmanager
def faults_of(findings: list[Finding], what: str) -> Iterator[None]:
    """What goes wrong inside becomes one more finding, and nothing is raised.

    Other errors than this package's come from drivers and file systems of the user's choice,
    whose kinds nobody can list; one of them must not hide the other findings.
    """
    try:
        yield
    except MonitoringError as error:
        findings.append(fault(what, str(error), ""))
    except (pa.ArrowException, OSError) as error:
        findings.append(fault(what, f"{type(error).__name__}: {error}", "look at the data"))
    except Exception as error:  # noqa: BLE001 - as said above
        findings.append(
            fault(what, f"{type(error).__name__}: {error}", "look at what the field points to")
        )


def some(names: list[str], *, most: int = 5) -> str:
    """A few names, and how many more.

    Example:
        >>> some(["a", "b", "c"], most=2)
        'a, b and 1 more'
    """
    shown = ", ".join(names[:most])
    return f"{shown} and {len(names) - most} more" if len(names) > most else shown
