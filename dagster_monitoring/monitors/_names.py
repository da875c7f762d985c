"""Names in a declaration that have to be known when it is read."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from dagster_monitoring.errors import UnknownNameError, did_you_mean


def known_names(
    metrics: Iterable[str], thresholds: Iterable[str], look_up: Callable[[str], object]
) -> None:
    """Refuse a metric that a catalogue does not have, and a threshold that has no metric.

    Args:
        metrics: the declared metrics; none of them: all that the catalogue has.
        thresholds: the metrics that have limits of their own.
        look_up: gives a catalogue's entry, or raises ``UnknownNameError``.

    Raises:
        ValueError: says the nearest name.
    """
    declared = list(metrics)
    for name in (*declared, *thresholds):
        try:
            look_up(name)
        except UnknownNameError as error:
            # pydantic reports the field's path for a ValueError only.
            raise ValueError(str(error)) from None
    idle = [name for name in thresholds if declared and name not in declared]
    if idle:
        raise ValueError(
            f"thresholds: {idle[0]!r} is not one of the monitor's metrics."
            f"{did_you_mean(idle[0], declared)} Metrics: {', '.join(declared)}"
        )
