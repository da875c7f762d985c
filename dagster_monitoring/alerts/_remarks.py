"""What is known about an incident beside its values, in sentences: its impact, what was done."""

from __future__ import annotations

from dagster_monitoring.alerts.message import AlertImpact, AlertMessage, AlertStep
from dagster_monitoring.evaluation import half_width

# A retraining and its end, and one that came before.
_MOST_STEPS = 4
_MOST_COLUMNS = 5
_RATE = "error_rate_change"


def remarks(message: AlertMessage, *, with_impact: bool = True) -> list[tuple[str, str]]:
    """Headings and sentences, one a line; none where nothing is known.

    Args:
        message: what it is about.
        with_impact: whether the impact is among them.
    """
    found: list[tuple[str, str]] = []
    if message.impact is not None and with_impact:
        found = [("Impact", line) for line in impact_lines(message.impact)]
    return [*found, *(("Done", _done(step)) for step in message.steps[-_MOST_STEPS:])]


def impact_lines(impact: AlertImpact) -> list[str]:
    """The estimate with its interval and causes; below it what labels say, where there are some.

    Example:
        >>> told = AlertImpact(metric="error_rate_change", partition="2013-06-13", estimate=0.029,
        ...                    standard_error=0.007, n=2900, columns=(("temp", 0.02),))
        >>> print(*impact_lines(told))
        error rate +2.9 points (95 %: +1.5 to +4.3), estimated on 2013-06-13; by temp +2.0
    """
    half = half_width(impact.standard_error)
    what, unit = ("error rate", "points") if impact.metric == _RATE else ("error", "%")
    is_chance = half is not None and abs(impact.estimate) <= half
    told = f"{what} {_figure(impact.estimate)} {unit}{_interval(impact.estimate, half)}, estimated"
    lines = [
        f"{told} on {impact.partition}"
        + (", no more than chance" if is_chance else "")
        + _causes(impact)
    ]
    if (seen := impact.realized) is not None:
        spread = _interval(seen.value, half_width(seen.standard_error))
        rows = f" by {seen.n_labelled:,} labels" if seen.n_labelled else ""
        lines.append(
            f"realized on {seen.partition}: {_figure(seen.value)} {unit}{spread}{rows}; "
            f"the estimate was {_figure(seen.estimate)}"
        )
    return lines


def _causes(impact: AlertImpact) -> str:
    if not impact.columns:
        return ""
    named = [f"{name} {_figure(share)}" for name, share in impact.columns[:_MOST_COLUMNS]]
    left = len(impact.columns) - len(named)
    return f"; by {', '.join(named)}{f' and {left} more' if left else ''}"


def _interval(value: float, half: float | None) -> str:
    if half is None:
        return ""
    return f" (95 %: {_figure(value - half)} to {_figure(value + half)})"


def _figure(value: float) -> str:
    """In hundredths, which are points of a rate, or per cent of an error."""
    return f"{100 * value:+.1f}"


def _done(step: AlertStep) -> str:
    why = f": {step.why}" if step.why else ""
    return f"{step.at:%Y-%m-%d %H:%M} {step.what}{why}"
