"""Ground truth: taken in as it arrives, and the days it touches asked for again."""

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2b

import dagster as dg

from dagster_monitoring.errors import CorruptDataError, DataError, SchemaMismatchError
from dagster_monitoring.model import MonitoredModel
from dagster_monitoring.orchestration.backend import Backend, open_backend
from dagster_monitoring.orchestration.clock import Clock
from dagster_monitoring.orchestration.jobs import AssetJob, range_tags
from dagster_monitoring.orchestration.judged_labels import outdated_days
from dagster_monitoring.orchestration.naming import job_name
from dagster_monitoring.schema import Partitions
from dagster_monitoring.sources import Delivery, GroundTruth, show_path
from dagster_monitoring.stores import Appended

# Bounds of one tick: the rest comes with the next, a minute later.
MAX_DELIVERIES = 50
MAX_RUNS = 25
# When a day is asked for again that no run has judged since.
ASK_AGAIN = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenIn:
    """What one reading of the feed brought.

    ``faults`` has one line for each delivery that is damaged; it is not read again until it
    changes, and the others go on. ``retried`` has one for each that the storage did not give; it
    is read again the next time. ``notes`` are of deliveries that were taken in, and look wrong.
    """

    deliveries: int
    new: int
    redelivered: int
    corrections: int
    unknown: int
    faults: tuple[str, ...]
    retried: tuple[str, ...]
    notes: tuple[str, ...]

    def report(self, log: logging.Logger) -> None:
        """Says what a person should look at."""
        for fault in self.faults:
            log.error(f"left aside until it changes: {fault}")
        for fault in self.retried:
            log.error(f"tried again next time: {fault}")
        for note in self.notes:
            log.warning(note)


def take_in_labels(backend: Backend, *, limit: int | None = MAX_DELIVERIES) -> TakenIn:
    """Reads the deliveries that the ledger has not seen, oldest first, at most ``limit``.

    ``None`` reads them all. A delivery that the storage does not give, unlike a damaged one, stays
    unseen. Taking the same delivery in twice changes nothing, so that the sensor and the
    ``ground_truth`` asset may both do it.
    """
    feed = backend.ground_truth
    ledger, name = backend.store.labels, backend.model.model
    cursor = f"{name}/labels"
    found = feed.deliveries(after=backend.store.cursors.get(cursor))
    unseen = [d for d in found if not ledger.delivery_seen(name, d.uri, d.fingerprint)][:limit]
    taken: list[Appended] = []
    faults: list[str] = []
    retried: list[str] = []
    notes: list[str] = []
    for delivery in unseen:
        try:
            parts = _take_in(backend, feed, delivery)
        except (CorruptDataError, SchemaMismatchError) as error:
            faults.append(f"{name}: {error}")
        except DataError as error:
            retried.append(f"{name}: {error}")
            continue
        else:
            taken += parts
            notes += _remarks(backend, delivery, parts)
        ledger.mark_delivery(name, delivery.uri, delivery.fingerprint)
        backend.store.cursors.set(cursor, delivery.cursor)
    return TakenIn(
        deliveries=len(unseen),
        new=sum(part.new for part in taken),
        redelivered=sum(part.redelivered for part in taken),
        corrections=sum(part.corrections for part in taken),
        unknown=ledger.unknown(name),
        faults=tuple(faults),
        retried=tuple(retried),
        notes=tuple(notes),
    )


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


def build_ground_truth_sensor(
    model: MonitoredModel, job: AssetJob, *, clock: Clock
) -> dg.SensorDefinition:
    """Takes new labels in and asks for the days whose verdict they change.

    A day is asked for until a run has judged it with the labels there are: once, and again when
    an hour later no run has, because it failed or died. The cursor holds what was asked for, and
    run keys hold the state of the labels and the hour, so a replayed tick asks once.
    """

    @dg.sensor(
        name=job_name(model, "ground_truth_sensor"),
        job=job,
        minimum_interval_seconds=60,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description=f"Watches for labels of {model.model}: late ones, corrections, all.",
    )
    def ground_truth_sensor(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        now = clock()
        with open_backend(model) as backend:
            taken = take_in_labels(backend)
            taken.report(context.log)
            outdated = outdated_days(backend, now=now)
        asked = _still_asked(context.cursor, outdated, now=now)
        due = [day for day in outdated if day not in asked]
        cursor = json.dumps({**asked, **{day: [outdated[day], now.timestamp()] for day in due}})
        if not due:
            reason = (
                "the runs asked for are awaited" if asked else "no label of a judged day is new"
            )
            return dg.SensorResult(skip_reason=dg.SkipReason(reason), cursor=cursor)
        ranges = _bounded(consecutive(due, model.partitions))
        return dg.SensorResult(
            run_requests=[_request(model, span, outdated, now) for span in ranges], cursor=cursor
        )

    return ground_truth_sensor


def _still_asked(
    cursor: str | None, outdated: Mapping[str, str], *, now: datetime
) -> dict[str, tuple[str, float]]:
    """The outdated days that were asked for within the hour, with their labels as they are."""
    found = json.loads(cursor) if cursor else {}
    if not isinstance(found, dict):
        return {}
    since = (now - ASK_AGAIN).timestamp()
    return {
        day: (labels, moment)
        for day, (labels, moment) in found.items()
        if outdated.get(day) == labels and moment > since
    }


def _bounded(runs: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """At most ``MAX_RUNS`` ranges: when there are more, the nearest ones are put together."""
    if len(runs) <= MAX_RUNS:
        return list(runs)
    size = -(-len(runs) // MAX_RUNS)
    groups = [runs[i : i + size] for i in range(0, len(runs), size)]
    return [(group[0][0], group[-1][1]) for group in groups]


def _request(
    model: MonitoredModel, span: tuple[str, str], outdated: Mapping[str, str], now: datetime
) -> dg.RunRequest:
    first, last = span
    days = [f"{day}:{labels}" for day, labels in outdated.items() if first <= day <= last]
    state = blake2b(" ".join(days).encode(), digest_size=6).hexdigest()
    # A key is taken for good, also by a run that failed: the next hour has another.
    hour = int(now.timestamp() / ASK_AGAIN.total_seconds())
    key = f"{model.model}-labels-{first}-{state}-{hour}"
    tags = {"dagster_monitoring/cause": "labels"}
    if first == last:
        return dg.RunRequest(run_key=key, partition_key=first, tags=tags)
    return dg.RunRequest(run_key=key, tags={**tags, **range_tags(first, last)})


def _take_in(backend: Backend, feed: GroundTruth, delivery: Delivery) -> list[Appended]:
    model = backend.model
    with backend.store.transaction():
        return [
            backend.store.labels.append(model.model, table, delivery.uri)
            for table in feed.read(delivery, id=model.columns.id, label=model.task.label)
        ]


def _remarks(backend: Backend, delivery: Delivery, parts: Sequence[Appended]) -> list[str]:
    """What was taken in from a delivery although it looks wrong."""
    model, notes = backend.model, []
    where = f"{model.model}: {show_path(delivery.uri)}, column {model.task.label!r}"
    changed = next((part for part in parts if part.type_changed), None)
    if changed is not None:
        notes.append(
            f"{where} holds {' and '.join(changed.kinds)}, where labels were "
            f"{' and '.join(changed.kinds_before)} so far. Labels are compared by what they say "
            "(1 is '1'); if they now say something else, send corrections with a higher revision"
        )
    unusable = sum(part.unusable for part in parts)
    if unusable:
        notes.append(
            f"{where}: {unusable} rows have no id, or no moment they became available, and were "
            "left out. Complete the file; it is read again when it changes"
        )
    return notes
