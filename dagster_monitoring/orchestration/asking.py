"""Asking for runs over outdated days: once, in few ranges, and again when nothing came of it."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from hashlib import blake2b

import dagster as dg

from dagster_monitoring.model import MonitoredModel
from dagster_monitoring.orchestration.jobs import range_tags
from dagster_monitoring.schema import Partitions

MAX_RUNS = 25
"""The most runs that a tick asks for."""

ASK_AGAIN = timedelta(hours=1)
"""When a day is asked for again that no run has judged since."""


def ask_for(
    model: MonitoredModel,
    outdated: Mapping[str, str],
    *,
    cause: str,
    cursor: str | None,
    now: datetime,
) -> dg.SensorResult:
    """Asks for the outdated days that were not asked for yet, as they are now.

    A day is asked for once, and again when an hour later no run has judged it, because it failed
    or died. The cursor holds what was asked for, and run keys hold the state and the hour, so a
    replayed tick asks once.

    Args:
        model: whose days.
        outdated: each outdated day, with a text that is another when it changes again.
        cause: what changed, ``labels`` or ``slices``.
        cursor: the sensor's, as it was.
        now: the tick's moment.
    """
    asked = _still_asked(cursor, outdated, now=now)
    due = [day for day in outdated if day not in asked]
    after = json.dumps({**asked, **{day: [outdated[day], now.timestamp()] for day in due}})
    if not due:
        reason = f"no judged day has new {cause}"
        reason = "the runs asked for are awaited" if asked else reason
        return dg.SensorResult(skip_reason=dg.SkipReason(reason), cursor=after)
    ranges = _bounded(consecutive(due, model.partitions))
    requests = [_request(model, span, outdated, cause, now) for span in ranges]
    return dg.SensorResult(run_requests=requests, cursor=after)


def consecutive(days: Sequence[str], partitions: Partitions) -> list[tuple[str, str]]:
    """Days as ranges without a gap, oldest first.

    Example:
        >>> from dagster_monitoring.schema import Partitions
        >>> consecutive(["2013-06-01", "2013-06-02", "2013-06-04"], Partitions(start="2013-06-01"))
        [('2013-06-01', '2013-06-02'), ('2013-06-04', '2013-06-04')]
    """
    ranges: list[tuple[str, str]] = []
    for day in days:
        if ranges and partitions.shift(ranges[-1][1], 1) == day:
            ranges[-1] = (ranges[-1][0], day)
        else:
            ranges.append((day, day))
    return ranges


def _still_asked(
    cursor: str | None, outdated: Mapping[str, str], *, now: datetime
) -> dict[str, tuple[str, float]]:
    """The outdated days that were asked for within the hour, as they are now."""
    found = json.loads(cursor) if cursor else {}
    if not isinstance(found, dict):
        return {}
    hour, moment_now = ASK_AGAIN.total_seconds(), now.timestamp()
    return {
        day: (state, moment)
        for day, (state, moment) in found.items()
        if outdated.get(day) == state and abs(moment_now - moment) < hour
    }


def _bounded(runs: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """At most ``MAX_RUNS`` ranges: when there are more, the nearest ones are put together."""
    if len(runs) <= MAX_RUNS:
        return list(runs)
    size = -(-len(runs) // MAX_RUNS)
    groups = [runs[i : i + size] for i in range(0, len(runs), size)]
    return [(group[0][0], group[-1][1]) for group in groups]


def _request(
    model: MonitoredModel,
    span: tuple[str, str],
    outdated: Mapping[str, str],
    cause: str,
    now: datetime,
) -> dg.RunRequest:
    first, last = span
    days = [f"{day}:{state}" for day, state in outdated.items() if first <= day <= last]
    digest = blake2b(" ".join(days).encode(), digest_size=6).hexdigest()
    # A key is taken for good, also by a run that failed: the next hour has another.
    hour = int(now.timestamp() / ASK_AGAIN.total_seconds())
    key = f"{model.model}-{cause}-{first}-{digest}-{hour}"
    tags = {"dagster_monitoring/cause": cause}
    if first == last:
        return dg.RunRequest(run_key=key, partition_key=first, tags=tags)
    return dg.RunRequest(run_key=key, tags={**tags, **range_tags(first, last)})
