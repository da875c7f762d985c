"""From one monitor's verdicts, in the order of partitions, to the times that it was in trouble."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from dagster_monitoring.evaluation import Evaluation, Severity, Status
from dagster_monitoring.incidents.incident import Cause

# What a partition without trouble counts towards the end of it.
_HEALTHY, _WARNS = 2, 1
RANK = {None: 0, Severity.WARN: 1, Severity.ERROR: 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What all evaluations of one monitor at one partition come to.

    Args:
        monitor: its name.
        kind: its type, as written in YAML.
        partition: the partition's key.
        severity: the worst of its evaluations; ``None`` when none needs a person.
        healthy: whether a value was within its limits. Neither bad nor healthy: nothing was known.
        window_end: the end of what was judged, with a time zone.
        on_labels: whether it rests on labels, and so can't be younger than their delay.
        empty: whether there was no row at all: the slice did not come.
    """

    monitor: str
    kind: str
    partition: str
    severity: Severity | None
    healthy: bool
    window_end: datetime
    on_labels: bool = False
    empty: bool = False

    @classmethod
    def of(cls, evaluations: Sequence[Evaluation]) -> Verdict:
        """What all evaluations of one monitor at one partition come to; at least one."""
        first = evaluations[0]
        return cls(
            monitor=first.monitor,
            kind=first.monitor_kind,
            partition=first.partition,
            severity=max((e.severity for e in evaluations), key=RANK.__getitem__),
            healthy=any(e.status is Status.HEALTHY for e in evaluations),
            window_end=max(e.window_end for e in evaluations),
            on_labels=any(e.n_labelled is not None for e in evaluations),
            empty=all(e.n == 0 for e in evaluations),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """When a monitor's trouble fires, and when it is over.

    Args:
        severity: the least that counts as trouble.
        partitions: how many in a row fire.
        keep: how many healthy ones in a row end it.
    """

    severity: Severity
    partitions: int
    keep: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Episode:
    """A time that a monitor was in trouble.

    Args:
        monitor: whose.
        kind: the monitor's type.
        cause: what its trouble tells of.
        severity: the worst it said.
        first: the first partition in trouble.
        fired: the partition at which there were enough of them.
        bad: all partitions in trouble, in order.
        resolved: the partition at which it had been healthy for long enough; ``None``: not yet.
        ends: when what was judged at the bad partitions ended, in order.
        on_labels: whether it rests on labels.
        detail: what is wrong, where no evaluation says it.
    """

    monitor: str
    kind: str
    cause: Cause
    severity: Severity
    first: str
    fired: str
    bad: tuple[str, ...]
    resolved: str | None
    ends: tuple[datetime, ...] = ()
    on_labels: bool = False
    detail: str = ""

    @property
    def last(self) -> str:
        """The last partition in trouble."""
        return self.bad[-1]


def episodes(verdicts: Sequence[Verdict], rule: Rule, *, cause: Cause) -> list[Episode]:
    """The times that one monitor was in trouble, oldest first; the last one may last.

    Pure, and blind to when and in which order the partitions were judged. A partition in trouble is
    one with a verdict of at least the rule's severity. A partition whose verdict is not known
    (labels to come) neither counts nor breaks a row. One that is bad, but not bad enough to be
    trouble, breaks the row of trouble, and counts half as a healthy one: a value that hovers
    between the two limits takes twice as long to be believed, and a column that always warns does
    not keep the others' trouble open for ever. Trouble with the data that begins with a slice that
    did not come is the pipeline's.

    Args:
        verdicts: of one monitor, in the order of partitions, each partition once.
        rule: how long it takes.
        cause: what the monitor's trouble tells of.

    Example:
        >>> from datetime import UTC, datetime
        >>> day = datetime(2024, 5, 1, tzinfo=UTC)
        >>> said = {"01": "bad", "02": "bad", "03": "good", "04": "bad", "05": "good", "06": "good"}
        >>> verdicts = [
        ...     Verdict(monitor="m", kind="drift", partition=key, healthy=word == "good",
        ...             severity=Severity.ERROR if word == "bad" else None, window_end=day)
        ...     for key, word in said.items()
        ... ]
        >>> rule = Rule(severity=Severity.ERROR, partitions=2, keep=2)
        >>> [(e.first, e.fired, e.last, e.resolved) for e in
        ...  episodes(verdicts, rule, cause=Cause.MODEL)]
        [('01', '02', '04', '06')]
    """
    empty = {verdict.partition for verdict in verdicts if verdict.empty}
    return [
        replace(
            found, cause=Cause.PIPELINE if cause is Cause.DATA and found.first in empty else cause
        )
        for found in _walk(verdicts, rule)
    ]


def _walk(verdicts: Sequence[Verdict], rule: Rule) -> Iterator[Episode]:
    row: list[Verdict] = []
    current: Episode | None = None
    calm = 0
    for verdict in verdicts:
        is_trouble = RANK[verdict.severity] >= RANK[rule.severity]
        if current is None:
            row = [*row, verdict] if is_trouble else [] if _is_known(verdict) else row
            if len(row) >= rule.partitions:
                current, row, calm = _begun(row), [], 0
            continue
        if is_trouble:
            current = _joined(current, verdict)
        if _is_known(verdict):
            calm = 0 if is_trouble else calm + (_HEALTHY if verdict.severity is None else _WARNS)
        if calm >= _HEALTHY * rule.keep:
            yield replace(current, resolved=verdict.partition)
            current = None
    if current is not None:
        yield current


def _is_known(verdict: Verdict) -> bool:
    return verdict.healthy or verdict.severity is not None


def _begun(row: Sequence[Verdict]) -> Episode:
    first = row[0]
    assert first.severity is not None  # noqa: S101 - a row is of partitions in trouble
    begun = Episode(
        monitor=first.monitor,
        kind=first.kind,
        cause=Cause.MODEL,
        severity=first.severity,
        first=first.partition,
        fired=row[-1].partition,
        bad=(first.partition,),
        resolved=None,
        ends=(first.window_end,),
        on_labels=first.on_labels,
    )
    for verdict in row[1:]:
        begun = _joined(begun, verdict)
    return begun


def _joined(episode: Episode, verdict: Verdict) -> Episode:
    return replace(
        episode,
        severity=max(episode.severity, verdict.severity or episode.severity, key=RANK.__getitem__),
        bad=(*episode.bad, verdict.partition),
        ends=(*episode.ends, verdict.window_end),
        on_labels=episode.on_labels or verdict.on_labels,
    )
