"""How many slices a window had, in words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from dagster_monitoring.monitors._monitor import View

_NAMED = 3
_LACKING = re.compile(r"(?:window|rolling baseline) of \d+ of \d+ slices(?:, missing [^;]*)?")


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


def lacking_slices(reasons: Iterable[str | None]) -> list[str]:
    """What evaluations say of slices that their windows and rolling baselines lacked, each once.

    Example:
        >>> lacking_slices(["0.3 is above 0.1; window of 1 of 3 slices, missing 2013-04-01", None])
        ['window of 1 of 3 slices, missing 2013-04-01']
    """
    found = (part[0] for reason in reasons for part in _LACKING.finditer(reason or ""))
    return list(dict.fromkeys(found))


def _lacking(what: str, have: Sequence[str], missing: Sequence[str], length: int) -> str | None:
    if len(have) >= length:
        return None
    names = ", ".join(missing[:_NAMED])
    more = f" and {len(missing) - _NAMED} more" if len(missing) > _NAMED else ""
    lacking = f", missing {names}{more}" if names else ""
    return f"{what} of {len(have)} of {length} slices{lacking}"
