"""How many slices a window had, in words."""

from __future__ import annotations

from collections.abc import Sequence

from dagster_monitoring.monitors._monitor import View

_NAMED = 3


def slices_before(view: View) -> int:
    """How many slices of production lie before the judged one."""
    return view.partitions.distance(view.partitions.first, view.partition)


def slices_note(have: Sequence[str], missing: Sequence[str], length: int) -> str | None:
    """What a window lacks, or ``None`` when it is whole.

    Example:
        >>> slices_note(["2013-04-02"], ["2013-04-01"], 3)
        'window of 1 of 3 slices, missing 2013-04-01'
    """
    return _lacking("window", have, missing, length)


def baseline_note(have: Sequence[str], missing: Sequence[str], length: int) -> str | None:
    """What a rolling baseline lacks, or ``None`` when it is whole.

    Example:
        >>> baseline_note(["2013-04-02"], [], 14)
        'rolling baseline of 1 of 14 slices'
    """
    return _lacking("rolling baseline", have, missing, length)


def _lacking(what: str, have: Sequence[str], missing: Sequence[str], length: int) -> str | None:
    if len(have) >= length:
        return None
    names = ", ".join(missing[:_NAMED])
    more = f" and {len(missing) - _NAMED} more" if len(missing) > _NAMED else ""
    lacking = f", missing {names}{more}" if names else ""
    return f"{what} of {len(have)} of {length} slices{lacking}"
