"""What learned limits look at: earlier windows, and the measurements there."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from zoneinfo import ZoneInfo

from dagster_monitoring.monitors._monitor import Measurement, Monitor, View
from dagster_monitoring.monitors.threshold import Seasons, Threshold
from dagster_monitoring.partitions import Every

_Key = tuple[str, str | None, str | None]
_Dated = tuple[str, Measurement]

_CYCLE: Mapping[Every, int] = {"day": 7, "hour": 24, "week": 1}
"""How many slices make a cycle: a week of days, a day of hours."""


class Past:
    """A monitor's measurements at its past partitions, by what they are of.

    Args:
        monitor: whose.
        view: the model at the judged partition.
        measurements: of each of :func:`past_partitions`.
    """

    def __init__(
        self, monitor: Monitor, view: View, measurements: Sequence[Sequence[Measurement]]
    ) -> None:
        self._monitor, self._view = monitor, view
        self._keys: dict[str, frozenset[str]] = {}
        self._seasons: dict[str, int] = {}
        self._by_key: dict[_Key, list[_Dated]] = defaultdict(list)
        partitions = past_partitions(monitor, view) if measurements else ()
        for partition, own in zip(partitions, measurements, strict=True):
            for m in own:
                if m.value is not None:
                    self._by_key[m.key].append((partition, m))

    def of(self, m: Measurement, threshold: Threshold) -> tuple[list[Measurement], Seasons | None]:
        """Earlier measurements of the same with a value, and when they were in their cycle."""
        anchor = threshold.learned_at(self._view.partition)
        if anchor not in self._keys:
            self._keys[anchor] = frozenset(_before(self._monitor, self._view, anchor))
        keys = self._keys[anchor]
        found = [dated for dated in self._by_key.get(m.key, ()) if dated[0] in keys]
        return [own for _, own in found], self._seasons_of([partition for partition, _ in found])

    def _seasons_of(self, partitions: Iterable[str]) -> Seasons | None:
        """None of windows of several slices: they lie across seasons."""
        every = self._view.partitions.every
        if self._monitor.window > 1 or _CYCLE[every] == 1:
            return None
        past = [self._season(partition) for partition in partitions]
        return Seasons(length=_CYCLE[every], own=self._season(self._view.partition), past=past)

    def _season(self, partition: str) -> int:
        if partition not in self._seasons:
            keys = self._view.partitions
            begins = keys.bounds(partition)[0].astimezone(ZoneInfo(keys.timezone))
            self._seasons[partition] = begins.weekday() if keys.every == "day" else begins.hour
        return self._seasons[partition]


def past_partitions(monitor: Monitor, view: View) -> tuple[str, ...]:
    """The partitions whose measurements the monitor's learned thresholds look at, oldest first.

    Their windows are whole, overlap neither the judged window nor each other, lie within
    production, and hold no marked partition: for each that does, another one further back is
    taken, up to twice as far as without. Those of a row that makes a page (``for``) are not among
    them. Empty when no threshold learns. Days that were not normal
    are among them: the threshold leaves their values out, by the values alone. A pinned threshold
    adds those that it looked at then.

    Args:
        monitor: whose thresholds.
        view: the partition that is judged.
    """
    at = [_before(monitor, view, anchor) for anchor in monitor.learned_at(view.partition)]
    return at[0] if len(at) == 1 else tuple(sorted({key for keys in at for key in keys}))


def past_reach(monitor: Monitor, view: View) -> int:
    """How many slices before the judged one were looked at to find its past partitions.

    Marked ones that were passed over are among them: without their marks, the past is another one.
    """
    anchors = monitor.learned_at(view.partition)
    keys = [key for anchor in anchors for key in _looked_at(monitor, view, anchor)]
    if not keys:
        return 0
    return view.partitions.distance(min(keys), view.partition) + monitor.window - 1


def _before(monitor: Monitor, view: View, anchor: str) -> tuple[str, ...]:
    """The partitions that limits of an anchor are learned from, oldest first."""
    found = _looked_at(monitor, view, anchor)
    return tuple(key for key in reversed(found) if not _is_left_out(view, key, monitor.window))


def _looked_at(monitor: Monitor, view: View, anchor: str) -> list[str]:
    """Those and the marked ones among them, newest first."""
    keys, width = view.partitions, monitor.window
    # As many as have their whole window within production.
    whole = max((keys.distance(keys.first, anchor) + 1) // width - 1, 0)
    # A row of trouble that makes a page is held against what was before all of it.
    row = monitor.share.in_a_row if monitor.share else 1
    first = -(-row // width)
    wanted = min(monitor.past_slices() // width, whole - first + 1)
    furthest = min(first - 1 + 2 * wanted, whole) if view.left_out else first - 1 + wanted
    found: list[str] = []
    for step in range(first, furthest + 1):
        if wanted <= 0:
            break
        found.append(keys.shift(anchor, -width * step))
        wanted -= not _is_left_out(view, found[-1], width)
    return found


def _is_left_out(view: View, partition: str, width: int) -> bool:
    if not view.left_out:
        return False
    window = (view.partitions.shift(partition, -back) for back in range(width))
    return any(key in view.left_out for key in window)
