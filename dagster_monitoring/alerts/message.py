"""What a channel is handed: an incident's transition in words, rows and a small plot."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from pydantic import TypeAdapter

from dagster_monitoring.alerts._digest import AlertDigest
from dagster_monitoring.alerts._text import as_ascii
from dagster_monitoring.evaluation import Severity, number, value_text
from dagster_monitoring.incidents import Cause, Transition


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertRow:
    """One triggered evaluation: its value (unit of the metric) and the limit it passed.

    ``limit`` is ``None`` where nothing could be computed; then ``reason`` says why. Values of data
    in ``column`` (a class), ``segment`` and ``reason`` are there only where the policy lets them.
    ``standard_error`` is the value's sampling error, ``None`` where it is not known.
    """

    monitor: str
    metric: str
    column: str | None
    segment: str | None
    value: float | None
    limit: float | None
    severity: Severity | None
    reason: str | None
    n: int
    standard_error: float | None = None

    @property
    def subject(self) -> str:
        """Column and segment; empty where a monitor looks at whole rows of all segments."""
        parts = (self.column, f"[{self.segment}]" if self.segment else None)
        return " ".join(part for part in parts if part)

    @property
    def comparison(self) -> str:
        """Value against limit, such as ``0.31 ± 0.049 > 0.2``; without a value, the reason.

        Example:
            >>> row = AlertRow(monitor="m", metric="psi", column="temp", segment=None, value=0.31,
            ...                limit=0.2, severity=None, reason=None, n=900, standard_error=0.025)
            >>> row.comparison
            '0.31 ± 0.049 > 0.2'
        """
        if self.value is None:
            return f"no value: {self.reason or 'no reason given'}"
        shown = value_text(self.value, self.standard_error)
        if self.limit is None:
            return shown
        sign = ">" if self.value > self.limit else "<" if self.value < self.limit else "="
        return f"{shown} {sign} {number(self.limit)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertPlot:
    """The worst row's values of the slices up to the incident's last, and the limits of the last.

    ``partitions`` and ``values`` are of one length, oldest first; a slice without a value has
    ``None``.
    """

    title: str
    partitions: tuple[str, ...]
    values: tuple[float | None, ...]
    lower: float | None
    upper: float | None

    @property
    def caption(self) -> str:
        """What the plot shows, such as ``psi temp, 2013-06-01 to 2013-06-13, limit 0.2``."""
        limits = " and ".join(number(v) for v in (self.lower, self.upper) if v is not None)
        span = f"{self.title}, {self.partitions[0]} to {self.partitions[-1]}"
        return f"{span}, limit {limits}" if limits else span


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertRealized:
    """What labels say of a change of error that was estimated, at the last slice that has them.

    ``estimate`` is that slice's own, ``value`` what came true; units as of :class:`AlertImpact`.
    """

    partition: str
    estimate: float
    value: float
    standard_error: float | None
    n_labelled: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertImpact:
    """The estimated change of the model's error in the incident's last slice that has one.

    ``metric`` is ``error_rate_change`` (0.01 is one row in a hundred) or ``absolute_error_change``
    (a share of the baseline's error); above 0 is worse. ``columns`` cause it, each with its share
    of it, the largest first; none where the change may be chance.
    """

    metric: str
    partition: str
    estimate: float
    standard_error: float | None
    n: int
    columns: tuple[tuple[str, float], ...]
    realized: AlertRealized | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertStep:
    """Something that was done about an incident: what, when, and why or with which result.

    ``key`` names it: the same step told again has the same. A minor one is told only where it
    disturbs nobody; what comes of it is told everywhere.
    """

    key: str
    at: datetime
    what: str
    why: str
    is_minor: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertMessage:
    """An incident's transition in words and rows.

    ``dedup_key`` names the transition: the same transition composed again has the same key.
    ``rows`` holds at most ten, worst first; ``n_more`` counts those left out. ``details`` say what
    is wrong where no evaluation does, ``changes`` what changed upstream when it began. ``n_slices``
    counts the slices from the first to the last in trouble, where that is known. ``asset_url``
    leads to what was judged. ``impact`` is there where a monitor of type impact gave an estimate,
    ``steps`` what was done about it so far, oldest first; ``digest`` makes it the message of a
    day, which is of no single incident. ``is_test``: a person tries the channel,
    nothing is wrong.
    """

    dedup_key: str
    transition: Transition
    incident_id: str
    model: str
    severity: Severity
    cause: Cause
    opened_partition: str
    partition: str
    title: str
    summary: str
    details: tuple[str, ...] = ()
    changes: tuple[str, ...] = ()
    owner: str | None = None
    monitors: tuple[str, ...]
    rows: tuple[AlertRow, ...]
    n_more: int
    baseline_version: str | None
    model_version: str | None
    run_url: str | None
    next_step: str
    updated_at: datetime
    n_slices: int | None = None
    plot: AlertPlot | None = None
    asset_url: str | None = None
    impact: AlertImpact | None = None
    steps: tuple[AlertStep, ...] = ()
    digest: AlertDigest | None = None
    is_test: bool = False

    def to_json(self) -> str:
        """The message as one line of ASCII JSON; ``from_json`` gives the same message."""
        return as_ascii(_ADAPTER.dump_json(self).decode())

    @classmethod
    def from_json(cls, text: str) -> AlertMessage:
        """The message that ``to_json`` wrote.

        Raises:
            pydantic.ValidationError: the text is not such a message.
        """
        return _ADAPTER.validate_json(text)


_ADAPTER = TypeAdapter(AlertMessage)
