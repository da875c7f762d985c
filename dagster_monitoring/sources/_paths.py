"""Paths with ``{partition}``: a slice's key, or parts of the moment at which it begins."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import AfterValidator

from dagster_monitoring.declaration import PlainPath
from dagster_monitoring.errors import did_you_mean
from dagster_monitoring.sources._source import Request

_FIELD = re.compile(r"\{partition(?::(?P<form>[^{}]*))?\}")
_ANY_FIELD = re.compile(r"\{([^{}]*)\}")
# Parts of a moment whose text is the same on every machine, and how many characters each has.
_PARTS = {
    "%Y": r"\d{4}",
    "%y": r"\d{2}",
    "%m": r"\d{2}",
    "%d": r"\d{2}",
    "%H": r"\d{2}",
    "%M": r"\d{2}",
    "%j": r"\d{3}",
    "%G": r"\d{4}",
    "%V": r"\d{2}",
    "%u": r"\d",
    "%z": r"[+-]\d{4}",
}
_YEARS = {"Y", "y", "G"}
_PART = re.compile(r"%.?")
_KEY = r"\d{4}-\d{2}-\d{2}(?:-\d{2}:\d{2}(?:[+-]\d{4})?)?"


def check_path(path: str) -> str:
    """The path, if every field in it is ``{partition}`` or ``{partition:%Y/%m/%d}`` and the like.

    Raises:
        ValueError: a part that has no fixed form; says which ones there are.
    """
    for found in _ANY_FIELD.finditer(path):
        form = _FIELD.fullmatch(found[0])
        name = found[1].partition(":")[0]
        if form is None and did_you_mean(name, ["partition"]):
            raise ValueError(f"{found[0]} is no field of a path; write {{partition}}")
        unknown = [p for p in _PART.findall(form["form"] or "") if p not in _PARTS] if form else []
        if unknown:
            raise ValueError(
                f"{found[0]}: {unknown[0]} is no part of a slice's start. There are: "
                f"{', '.join(_PARTS)}"
            )
    return path


def names_slices(path: str) -> bool:
    """Whether a path has fields, so that it differs between slices.

    Example:
        >>> names_slices("slices/{partition:%Y/%m/%d/%H}.parquet"), names_slices("slices/*.parquet")
        (True, False)
    """
    return _FIELD.search(path) is not None


def is_one_slice(path: str, request: Request) -> bool:
    """Whether the files at the path are the slice's alone, all rows of them.

    Parts of a moment may be too coarse to tell a slice from those beside it: a folder a day for
    hours, or the hour that comes twice when clocks go back. Then its rows are told by timestamp.
    """
    if not names_slices(path) or request.partition is None:
        return False
    if request.bounds is None:
        return True
    start, end = request.bounds
    length = end - start
    if not length:
        return True
    beside = (start - length, end)
    own = _filled(path, request, start)
    return all(_filled(path, request, other, key="") != own for other in beside)


def slice_pattern(path: str, request: Request) -> str:
    """The path of a slice; with a wildcard for each part where all slices are asked for."""
    if request.partition is None:
        return _FIELD.sub(lambda f: _PART.sub("*", f["form"]) if f["form"] else "*", path)
    start = request.bounds[0] if request.bounds is not None else None
    return _filled(path, request, start)


def slice_named(path: str, location: str) -> str | datetime | None:
    """What the name of a slice's file says of it: its key, or a moment at which it begins.

    Args:
        path: as declared.
        location: of a file that the path names.

    Returns:
        The moment without its zone, where only parts of it stand in the path; ``None`` where they
        make no moment.

    Example:
        >>> slice_named("slices/{partition:%Y/%m/%d}/*", "/data/slices/2024/05/01/0.parquet")
        datetime.datetime(2024, 5, 1, 0, 0)
    """
    found = re.search(_expression_of(path), location)
    parts = found.groupdict() if found is not None else {}
    if "key" in parts:
        return parts["key"]
    if not _YEARS & parts.keys():
        return None
    try:
        return datetime.strptime(" ".join(parts.values()), " ".join(f"%{name}" for name in parts))  # noqa: DTZ007 - a local time
    except ValueError:
        return None


def _expression_of(path: str) -> str:
    """A regular expression of a slice's file, from the folder on that its first field is in.

    Its groups are the key and the parts of a moment; of what comes twice, the first.
    """
    tail = path.rpartition("://")[2]
    head = tail[: match.start()] if (match := _FIELD.search(tail)) else tail
    near = tail[len(head.rpartition("/")[0]) :].lstrip("/")
    seen: set[str] = set()
    out, at = [], 0
    for field in _FIELD.finditer(near):
        out += [_literal(near[at : field.start()]), _expression(field["form"], seen)]
        at = field.end()
    return f"(?:^|/){''.join(out)}{_literal(near[at:])}$"


def _expression(form: str | None, seen: set[str]) -> str:
    if not form:
        return _once("key", _KEY, seen)
    out, at = [], 0
    for part in _PART.finditer(form):
        out.append(_literal(form[at : part.start()]))
        out.append(_once(part[0][1:], _PARTS.get(part[0], ".*"), seen))
        at = part.end()
    return "".join([*out, _literal(form[at:])])


def _once(name: str, expression: str, seen: set[str]) -> str:
    if name in seen:
        return f"(?P={name})"
    seen.add(name)
    return f"(?P<{name}>{expression})"


def _literal(text: str) -> str:
    return re.escape(text).replace(r"\*", "[^/]*").replace(r"\?", "[^/]")


def _filled(path: str, request: Request, moment: datetime | None, key: str | None = None) -> str:
    """The path with its fields filled in, of a slice that begins at a moment."""
    name = request.partition if key is None else key
    local = moment.astimezone(ZoneInfo(request.timezone)) if moment is not None else None

    def text(field: re.Match[str]) -> str:
        form = field["form"]
        if not form:
            return str(name)
        return _PART.sub("*", form) if local is None else local.strftime(form)

    return _FIELD.sub(text, path)


SlicePath = Annotated[PlainPath, AfterValidator(check_path)]
"""A path whose fields are known."""
