"""The limits in force at a partition, and what changed of them since another one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from dagster_monitoring.orchestration.backend import Backend
from dagster_monitoring.orchestration.declarations import Declarations
from dagster_monitoring.orchestration.evaluator import Evaluator
from dagster_monitoring.orchestration.windows import SliceProfiles
from dagster_monitoring.statistics.undefined import Undefined

Pair = tuple[float | None, float | None]
# Two limits that differ by less in proportion are the same for a reader.
_SAME = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitsAt:
    """Both levels that one value is held to at a partition.

    Args:
        monitor: the monitor.
        metric: its metric.
        column: of which column; ``None``: of whole rows.
        segment: of which segment; ``None``: of all rows.
        partition: the partition.
        value: what was measured, in the metric's unit.
        warn: lower and upper limit of WARN; ``None``: there is none on that side.
        error: those of ERROR.
        reason: why there are none, where there are none.
        version: of the settings that hold.
    """

    monitor: str
    metric: str
    column: str | None
    segment: str | None
    partition: str
    value: float
    warn: Pair
    error: Pair
    reason: str | None
    version: str

    @property
    def key(self) -> tuple[str, str, str | None, str | None]:
        """What the limits are of."""
        return (self.monitor, self.metric, self.column, self.segment)


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitChange:
    """What became of the limits of one value; ``None`` on the side where it was not judged."""

    before: LimitsAt | None
    after: LimitsAt | None


def limits_at(
    backend: Backend, partition: str, *, monitor: str | None = None, now: datetime
) -> list[LimitsAt]:
    """The limits that each value is held to at a partition; computed, and nothing is recorded.

    Args:
        backend: the model's.
        partition: the partition.
        monitor: only of this monitor.
        now: labels are those known then.

    Raises:
        BaselineError: no baseline was built yet.
    """
    declarations = Declarations(backend=backend, now=now, keeps=False)
    evaluator = Evaluator(backend, SliceProfiles(backend, now=now), run_id=None, now=now)
    asked = [m for m in backend.model.active_monitors if monitor in {None, m.name}]
    found = []
    for rule in declarations.rules(partition, asked):
        for measured, levels in evaluator.limits(rule, partition):
            known = None if isinstance(levels, Undefined) else levels
            found.append(
                LimitsAt(
                    monitor=rule.monitor.name,
                    metric=measured.metric,
                    column=measured.column,
                    segment=measured.segment,
                    partition=partition,
                    value=float(measured.value or 0.0),
                    warn=(known.warn if known else None) or (None, None),
                    error=(known.error if known else None) or (None, None),
                    reason=levels.reason if isinstance(levels, Undefined) else None,
                    version=rule.settings.version,
                )
            )
    return found


def changes_between(before: Sequence[LimitsAt], after: Sequence[LimitsAt]) -> list[LimitChange]:
    """The limits that are others, new or gone, in the order of those that are there now."""
    old, new = {one.key: one for one in before}, {one.key: one for one in after}
    keys = [*new, *(key for key in old if key not in new)]
    pairs = [LimitChange(before=old.get(key), after=new.get(key)) for key in keys]
    return [pair for pair in pairs if _differs(pair)]


def _differs(pair: LimitChange) -> bool:
    if pair.before is None or pair.after is None:
        return True
    sides = [*zip(pair.before.warn, pair.after.warn, strict=True)]
    sides += zip(pair.before.error, pair.after.error, strict=True)
    return any(_other(one, two) for one, two in sides)


def _other(one: float | None, two: float | None) -> bool:
    if one is None or two is None:
        return one is not two
    return abs(one - two) > _SAME * max(abs(one), abs(two))
