"""Where a process spends its time: its main thread looked at every few milliseconds."""

from __future__ import annotations

import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import FrameType

SECONDS = 0.004


class Sampler:
    """Counts samples by part of the code.

    A sample belongs to the innermost of its frames whose file has one of the parts' pieces of a
    path; so what SQLAlchemy does for Dagster is Dagster's, and what it does for us is ours.

    Args:
        parts: a part of the code to pieces of paths; the first that fits counts.
        rest: the name for samples that fit none.
    """

    def __init__(self, parts: Mapping[str, Sequence[str]], *, rest: str) -> None:
        self._pieces = [(piece, part) for part, pieces in parts.items() for piece in pieces]
        self._rest = rest
        self._known: dict[str, str | None] = {}
        self.samples: Counter[str] = Counter(dict.fromkeys((*parts, rest), 0))

    @contextmanager
    def running(self) -> Iterator[None]:
        """Samples the calling thread while the block runs."""
        over, thread_id = threading.Event(), threading.get_ident()

        def watch() -> None:
            while not over.is_set():
                time.sleep(SECONDS)
                self.samples[self._part(sys._current_frames().get(thread_id))] += 1  # noqa: SLF001

        watcher = threading.Thread(target=watch, daemon=True)
        watcher.start()
        try:
            yield
        finally:
            over.set()
            watcher.join()

    def shares(self) -> dict[str, float]:
        """Share of the samples by part."""
        total = max(self.samples.total(), 1)
        return {part: count / total for part, count in self.samples.items()}

    def _part(self, frame: FrameType | None) -> str:
        while frame is not None:
            name = frame.f_code.co_filename
            if name not in self._known:
                fits = (part for piece, part in self._pieces if piece in name)
                self._known[name] = next(fits, None)
            found = self._known[name]
            if found is not None:
                return found
            frame = frame.f_back
        return self._rest
