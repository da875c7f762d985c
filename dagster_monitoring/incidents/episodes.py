"""From one monitor's verdicts, in the order of partitions, to the times that it was in trouble."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from dagster_monitoring.evaluation import Evaluation, Severity, Status
from dagster_monitoring.incidents.incident import Cause

Subject = tuple[str, str | None, str | None]
"""What a value is of: metric, column, segment."""

# What a partition without trouble counts towards the end of it.
_HEALTHY, _WARNS = 2, 1
# What chance exceeds once in twenty, as it moves declared limits out.
_STANDARD_ERRORS = 1.645
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
        erred: what was in ERROR.
        restless: what was not within its limits for sure (:func:`is_restless`); of what never was
            in ERROR it may be left out.
    """

    monitor: str
    kind: str
    partition: str
    severity: Severity | None
    healthy: bool
    window_end: datetime
    on_labels: bool = False
    empty: bool = False
    erred: frozenset[Subject] = field(default=frozenset(), compare=False)
    restless: frozenset[Subject] = field(default=frozenset(), compare=False)

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
            erred=frozenset(_subject(e) for e in evaluations if e.severity is Severity.ERROR),
            restless=frozenset(_subject(e) for e in evaluations if _is_restless(e)),
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


def is_restless(
    value: float | None,
    *,
    lower: float | None,
    upper: float | None,
    standard_error: float | None,
    severity: Severity | None,
) -> bool:
    """Whether a value is not within its limits for sure.

    Limits move out by chance before a value leaves them; it is back when it is within them beyond
    chance, 1.645 standard errors, so at about the limits that were declared. What needs a person
    for lack of data is not back.

    Example:
        >>> limits = {"lower": None, "upper": 0.5, "severity": None}
        >>> is_restless(0.45, standard_error=0.1, **limits)
        True
        >>> is_restless(0.45, standard_error=0.01, **limits)
        False
    """
    if severity is not None:
        return True
    if value is None:
        return False
    chance = _STANDARD_ERRORS * (standard_error or 0.0)
    above = upper is not None and value + chance > upper
    return above or (lower is not None and value - chance < lower)


def _is_restless(evaluation: Evaluation) -> bool:
    return is_restless(
        evaluation.value,
        lower=evaluation.lower,
        upper=evaluation.upper,
        standard_error=evaluation.standard_error,
        severity=evaluation.severity,
    )


def _subject(evaluation: Evaluation) -> Subject:
    return evaluation.metric, evaluation.column, evaluation.segment


def _walk(verdicts: Sequence[Verdict], rule: Rule) -> Iterator[Episode]:
    row: list[Verdict] = []
    current: _Running | None = None
    for verdict in verdicts:
        is_trouble = RANK[verdict.severity] >= RANK[rule.severity]
        if current is not None and is_trouble and current.is_another(verdict):
            yield replace(current.episode, resolved=current.seems_over)
            current = None
        if current is None:
            row = [*row, verdict] if is_trouble else [] if _is_known(verdict) else row
            if len(row) >= rule.partitions:
                current, row = _Running(row, rule), []
            continue
        if is_trouble:
            current.join(verdict)
        elif _is_known(verdict) and current.calms_down(verdict):
            yield replace(current.episode, resolved=verdict.partition)
            current = None
    if current is not None:
        yield current.episode


class _Running:
    """An episode that lasts.

    Attributes:
        episode: as it is so far.
        seems_over: since when it would be over, if swings about the limit were taken for health.
    """

    def __init__(self, row: Sequence[Verdict], rule: Rule) -> None:
        self.episode = _begun(row)
        self.seems_over: str | None = None
        self._erred = frozenset[Subject]().union(*(verdict.erred for verdict in row))
        self._needed = _HEALTHY * rule.keep
        self._calm = self._eased = 0

    def is_another(self, verdict: Verdict) -> bool:
        """Whether trouble is not this one's going on: of something else, after a quiet time."""
        return self.seems_over is not None and not verdict.erred <= self._erred

    def join(self, verdict: Verdict) -> None:
        """More of the same."""
        self.episode, self._erred = _joined(self.episode, verdict), self._erred | verdict.erred
        self._calm, self._eased, self.seems_over = 0, 0, None

    def calms_down(self, verdict: Verdict) -> bool:
        """Whether it is over with a partition that is known, and not in trouble."""
        counts = _HEALTHY if verdict.severity is None else _WARNS
        self._eased += counts
        self._calm = 0 if self._erred & verdict.restless else self._calm + counts
        if self._eased >= self._needed and self.seems_over is None:
            self.seems_over = verdict.partition
        return self._calm >= self._needed


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
