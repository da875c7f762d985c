"""Which values of data a message may hold: those of columns that the policy names, no others."""

from __future__ import annotations

import re
from collections.abc import Collection

from dagster_monitoring.alerts._text import ELLIPSIS
from dagster_monitoring.evaluation import Evaluation

# Their reasons name columns, which are no data.
_ABOUT_COLUMNS = frozenset({"missing_columns", "extra_columns"})
# From the first quotation mark to the last: a value may hold some, and an apostrophe is none.
_QUOTED = re.compile(r"(?<!\w)(['\"`]).*\1(?!\w)", re.DOTALL)
# How databases and their drivers show the values that they refuse.
_LISTED = re.compile(r"(?<==)\s*\(.*\)|(?<=\[)(SQL|parameters):.*", re.DOTALL)
# A folder's name may hold blanks: up to the next slash, where there is one.
_FOLDER = re.compile(r"(?<![^/\\\s])([\w.-]+)=([^/\\\n]+(?=[/\\])|[^/\\\s:;,]+)")
_DATE = re.compile(r"\d{4}(-\d\d){0,2}([T_ -]\d\d([:.-]?\d\d){0,2})?Z?")


def shown_name(text: str | None, shown: Collection[str]) -> str | None:
    """A segment, or a column with its class, without its value unless the column may show it.

    Example:
        >>> shown_name("carrier=UA", ["carrier"]), shown_name("carrier=UA", []), shown_name("temp", [])
        ('carrier=UA', 'carrier=…', 'temp')
    """  # noqa: E501 - one line shows the three side by side
    if text is None:
        return None
    column, equals, _ = text.partition("=")
    return text if not equals or column in shown else f"{column}={ELLIPSIS}"


def shown_reason(evaluation: Evaluation, shown: Collection[str]) -> str | None:
    """Why there is no value, or what more there is to it, as far as it holds no value of data.

    A reason beside a value may list categories or what an expectation observed: it goes only where
    every column that it is about may show its values. Where there is no value it is needed, so
    what it quotes is taken out instead.
    """
    reason = evaluation.reason
    if reason is None or _may_show(evaluation, shown):
        return reason
    if evaluation.value is not None:
        return reason if evaluation.metric in _ABOUT_COLUMNS else None
    if evaluation.monitor_kind == "great_expectations":
        return "the expectation gave no value; see its check in Dagster"
    for name in (evaluation.segment, evaluation.column):
        if name and "=" in name:
            reason = reason.replace(name, shown_name(name, shown) or "")
    return _QUOTED.sub(f"'{ELLIPSIS}'", reason)


def shown_words(text: str, *, names: Collection[str], shown: Collection[str]) -> str:
    """An error's text as far as it holds no value of data.

    What it quotes is left out unless it is a column's name, and the values of folders such as
    ``customer=Ann`` unless the column may show its values, or it is a date.

    Args:
        text: a library's, a database's or a trainer's words among ours.
        names: of columns.
        shown: columns whose values may be told.

    Example:
        >>> told = "file day=2024-05-01/name=Ann/a.parquet: column 'late' holds 'Bo'"
        >>> shown_words(told, names=["late"], shown=[])
        "file day=2024-05-01/name=…/a.parquet: column 'late' holds '…'"
    """
    kept: list[str] = []

    def keep(found: re.Match[str]) -> str:
        kept.append(found[0])
        return f"\x00{len(kept) - 1}\x00"

    quoted = "|".join(re.escape(f"{q}{name}{q}") for name in names for q in "'\"`")
    found = re.sub(rf"(?<!\w)({quoted})(?!\w)", keep, text.replace("\x00", "")) if quoted else text
    found = _QUOTED.sub(f"'{ELLIPSIS}'", _LISTED.sub(ELLIPSIS, found))
    found = _FOLDER.sub(lambda part: _folder(part, shown), found)
    return re.sub(r"\x00(\d+)\x00", lambda place: kept[int(place[1])], found)


def _folder(part: re.Match[str], shown: Collection[str]) -> str:
    may_show = part[1] in shown or _DATE.fullmatch(part[2])
    return part[0] if may_show else f"{part[1]}={ELLIPSIS}"


def _may_show(evaluation: Evaluation, shown: Collection[str]) -> bool:
    about = [n.partition("=")[0] for n in (evaluation.column, evaluation.segment) if n]
    return bool(about) and all(column in shown for column in about)
