"""Real processes that stop at a chosen point of the real code, to be killed or let go on there."""

from __future__ import annotations

import functools
import multiprocessing
import pkgutil
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any, Literal

PATIENCE_SECONDS = 300
# One process imports everything once; each child is a fork of it, before any thread was started.
_PROCESSES = multiprocessing.get_context("forkserver")
_PROCESSES.set_forkserver_preload(["tests.faults.acts"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """Where a process stops.

    Args:
        at: a function, as ``package.module:Class.method``.
        when: before it, after it, or when half of the bytes that it is given are written.
        nth: at which call, the first is 1.
    """

    at: str
    when: Literal["before", "after", "half"]
    nth: int = 1

    def __str__(self) -> str:
        return f"{self.when} {self.at.rpartition(':')[2]} {self.nth}"


@dataclass(frozen=True, slots=True)
class Stopped:
    """A process that waits at its point."""

    process: BaseProcess
    end: Connection

    def go_on(self) -> None:
        """Lets it go on, to its end."""
        self.end.send("go on")
        self.ends()

    def ends(self) -> None:
        """Waits for its end."""
        assert self.end.poll(PATIENCE_SECONDS), "it does not end"
        assert self.end.recv() == "done"
        self.process.join(PATIENCE_SECONDS)


@contextmanager
def stopped(act: Callable[..., object], *given: object, at: Point) -> Iterator[Stopped]:
    """A process that plays ``act(*given)`` and waits at a point; killed at the end."""
    with _started(act, given, at) as found:
        assert found.end.poll(PATIENCE_SECONDS), f"never came to {at}"
        assert found.end.recv() == "here"
        yield found


def killed(act: Callable[..., object], *given: object, at: Point) -> None:
    """Plays an act in a process and kills it at a point, as ``kill -9`` does."""
    with stopped(act, *given, at=at) as found:
        found.process.kill()
        found.process.join(PATIENCE_SECONDS)
        assert found.process.exitcode == -signal.SIGKILL


def told(act: Callable[..., object], *given: object) -> str:
    """Plays an act in a process to its end; gives ``done``, or the error in words."""
    with _started(act, given, None) as found:
        assert found.end.poll(PATIENCE_SECONDS), "it does not end"
        return str(found.end.recv())


@contextmanager
def _started(
    act: Callable[..., object], given: tuple[object, ...], at: Point | None
) -> Iterator[Stopped]:
    ours, theirs = _PROCESSES.Pipe()
    process = _PROCESSES.Process(target=_play, args=(act, given, at, theirs))
    process.start()
    theirs.close()
    try:
        yield Stopped(process, ours)
    finally:
        process.kill()
        process.join()
        ours.close()


def _play(
    act: Callable[..., object], given: tuple[object, ...], at: Point | None, end: Connection
) -> None:
    if at is not None:
        _arm(at, end)
    try:
        act(*given)
    except Exception as error:  # noqa: BLE001 - the other process looks at it
        end.send(f"{type(error).__name__}: {error}")
    else:
        end.send("done")


def _arm(point: Point, end: Connection) -> None:
    module, _, path = point.at.partition(":")
    *owners, name = path.split(".")
    owner: Any = pkgutil.resolve_name(f"{module}:{'.'.join(owners)}")
    original = getattr(owner, name)
    calls = 0

    @functools.wraps(original)
    def stopping(*args: Any, **options: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls != point.nth:
            return original(*args, **options)
        if point.when == "half":
            file, data = args
            original(file, data[: len(data) // 2])
        result = None if point.when == "before" else original(*args, **options)
        if point.when == "before":
            _wait(end)
            return original(*args, **options)
        _wait(end)
        return result

    setattr(owner, name, stopping)


def _wait(end: Connection) -> None:
    end.send("here")
    end.recv()
