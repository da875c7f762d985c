"""Which values of data a message may hold: those of columns that the policy names, no others."""

from __future__ import annotations

import re
from collections.abc import Collection

from dagster_monitoring.alerts._text import ELLIPSIS
from dagster_monitoring.evaluation import Evaluation

# Their reasons name columns, which are no data.
_ABOUT_COLUMNS = frozenset({"missing_columns", "extra_columns"})
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")


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


def _may_show(evaluation: Evaluation, shown: Collection[str]) -> bool:
    about = [n.partition("=")[0] for n in (evaluation.column, evaluation.segment) if n]
    return bool(about) and all(column in shown for column in about)
