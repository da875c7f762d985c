"""How bad the drift of a column may be called, in the light of what it does to the model."""

from __future__ import annotations

from collections.abc import Sequence

from dagster_monitoring.evaluation import Severity, number
from dagster_monitoring.monitors._estimate import estimate
from dagster_monitoring.monitors._monitor import Measurement, View
from dagster_monitoring.statistics.undefined import Undefined

_LEAST_SHARE = 0.1
_TINY = 1e-12


def weighed(measured: Sequence[Measurement], view: View, *, window: int) -> list[Measurement]:
    """The same measurements; features that do the model no harm say WARN at most.

    A feature does harm when the model's error is estimated to rise beyond chance and beyond what
    windows of the baseline do, and its own share is at least a tenth of that. Predictions and
    scores are no features, and stay as they are. So does everything where nothing can be estimated:
    what is not known to be harmless may page.
    """
    found = estimate(view, window=window, through="auto")
    if isinstance(found, Undefined):
        note = f"its impact is not known: {found.reason}"
        return [_noted(m, note) for m in measured]
    harm = found.shares if found.is_harm else {}
    least = _LEAST_SHARE * found.value
    return [
        _at_most_warn(m, harm.get(m.column or "", 0.0))
        if m.column in view.columns.features and harm.get(m.column or "", 0.0) < max(least, _TINY)
        else m
        for m in measured
    ]


def _at_most_warn(m: Measurement, share: float) -> Measurement:
    words = f"its share of the model's change of error is {number(share)}: WARN at most"
    return _noted(m, words)._replace(most=Severity.WARN)


def _noted(m: Measurement, note: str) -> Measurement:
    return m if m.value is None else m._replace(reason="; ".join(filter(None, (m.reason, note))))
