"""The days whose verdicts rest on labels or slices that are others by now."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from dagster_monitoring.orchestration.backend import Backend
from dagster_monitoring.orchestration.judging import ON_LABELS
from dagster_monitoring.stores import Outdated

ON_SLICES = ("drift", "data_quality")
"""The assets whose verdicts rest on slices alone."""


def outdated_days(backend: Backend, *, now: datetime) -> dict[str, str]:
    """The days whose performance was judged with other labels, or rows, than there are, sorted.

    Labels change when they are delivered, and when the moment comes that a delivery dated them;
    verdicts also change when labels become due. What a verdict looks at are the days of its
    window, and those that its learned limits look back on. Days never judged are not among them.
    A day stays outdated until a run judges it, whatever became of the runs that were asked for.
    The cost grows with what changed since the last call and with what is outdated, not with how
    many days or labels there are.

    Returns:
        Each day with what its verdict would rest on now: another text when that changes again.
    """
    return _texts(_outdated(backend, (ON_LABELS,), now=now))


def outdated_slices(backend: Backend, *, now: datetime) -> dict[str, str]:
    """As :func:`outdated_days`, those whose drift or data quality was judged with other rows.

    A slice that comes after the days that look back on it, or is written anew, changes theirs.
    """
    return _texts(_outdated(backend, ON_SLICES, now=now))


def _outdated(backend: Backend, assets: Sequence[str], *, now: datetime) -> list[Outdated]:
    model = backend.model
    return backend.store.judgements.outdated(
        model.model,
        assets,
        now=now,
        partitions=model.partitions,
    )


def _texts(found: Sequence[Outdated]) -> dict[str, str]:
    return {outdated.partition: _text(outdated) for outdated in found}


def _text(outdated: Outdated) -> str:
    text = f"{outdated.now.labels}/{outdated.now.slices}"
    return f"{text} {outdated.passed.isoformat()}" if outdated.passed else text
