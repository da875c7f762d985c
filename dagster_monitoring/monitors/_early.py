"""Whether the labels that come first are like all labels."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from dagster_monitoring.monitors._monitor import View
from dagster_monitoring.partitions import Every
from dagster_monitoring.profiles.delays import LabelTally
from dagster_monitoring.profiles.labels import is_class
from dagster_monitoring.schema import BinaryClassification, Ranking, Regression, Task
from dagster_monitoring.statistics.homogeneity import means_apart, shares_apart
from dagster_monitoring.statistics.undefined import Undefined

SHARES, MEANS = "early_label_shift", "early_label_mean_shift"

LEAST: Mapping[str, float] = {SHARES: 0.05, MEANS: 0.2}
"""Differences that matter: of shares, and of means in standard deviations of a label."""

ALPHA = 0.01
FEWEST = 30
"""Labels of either kind, early and later ones, below which nothing is said."""

PAST: Mapping[Every, int] = {"hour": 336, "day": 14, "week": 4}
"""Past slices that early labels are compared over, by the length of a slice."""

_UNIT = 1074
"""Exact sums are whole numbers of ``2 ** -1074``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Early:
    """The first half of the labels to come, against all of them.

    Attributes:
        metric: what ``value`` is.
        value: how far they lie apart, at least 0.
        noise: how far chance alone would bring them.
        what: what they differ in most, for instance ``"positive rate"``.
        early: that of the early labels.
        everyone: that of all labels.
        n_early: how many came early.
        n: how many there are.
    """

    metric: str
    value: float
    noise: float
    what: str
    early: float
    everyone: float
    n_early: int
    n: int

    def text(self, slices: str) -> str:
        """What was found, in words."""
        return (
            f"early labels of past {slices} had a {self.what} of {_number(self.early)}, all labels "
            f"{_number(self.everyone)}"
        )


def compare_early(
    labels: Mapping[int, LabelTally], task: Task, *, alpha: float = ALPHA
) -> Early | Undefined:
    """The first half of the labels by the time that they came after their slice's end.

    Labels are cut between two of the bins of their ages, as near to half as that goes. Both parts
    are held against each other; what is told is how far the early ones are from all.

    Args:
        labels: what labels were, by coarse cell of their age.
        task: what is predicted.
        alpha: chance that labels of one kind differ by more than the noise.
    """
    cells = sorted(cell for cell, own in labels.items() if own.size)
    total = sum(labels[cell].size for cell in cells)
    sizes = [sum(labels[c].size for c in cells[:cut]) for cut in range(1, len(cells))]
    if not sizes:
        return Undefined("labels come all at once, so that none of them are early")
    cut = min(range(len(sizes)), key=lambda at: abs(2 * sizes[at] - total))
    n_early = sizes[cut]
    if min(n_early, total - n_early) < FEWEST:
        return Undefined(
            f"{n_early} early and {total - n_early} later labels, and {FEWEST} of each are needed"
        )
    early = sum((labels[c] for c in cells[: cut + 1]), LabelTally())
    later = sum((labels[c] for c in cells[cut + 1 :]), LabelTally())
    if is_numeric(task):
        return _means(early, later, alpha)
    return _shares(early, later, task, alpha)


def early_warning(view: View) -> str | None:
    """What to keep in mind while only some labels of the view's slice are there, or ``None``.

    It looks at the slices whose labels were due by the end of the view's own.
    """
    past = view.arrivals(PAST[view.partitions.every], before=slices_until_due(view))
    found = compare_early(past.labels, view.task)
    if isinstance(found, Undefined) or found.value <= LEAST[found.metric] + found.noise:
        return None
    return found.text(f"{view.partitions.every}s")


def label_balance(task: Task, own: LabelTally, others: LabelTally) -> tuple[str, float, float]:
    """One number that tells what labels are: its name, and of some labels and of others.

    The positive rate of two classes, the share of the commonest of several, the mean of numbers.

    Args:
        task: what is predicted.
        own: at least one label.
        others: at least one label.
    """
    if is_numeric(task):
        return "mean", mean_and_variance(own)[0], mean_and_variance(others)[0]
    counts = class_counts(task, [own, others])
    if isinstance(task, BinaryClassification):
        name, what = next(iter(counts)), "positive rate"
    else:
        name = max(counts, key=lambda known: (counts[known][1], known))
        what = f"share of {name!r}"
    return what, counts[name][0] / own.size, counts[name][1] / others.size


def slices_until_due(view: View) -> int:
    """How many slices before the view's the last one lies whose labels were due by its end."""
    if view.labels_due is None:
        return 1
    delay = view.labels_due - view.partitions.bounds(view.partition)[1]
    return view.partitions.slices_of(delay / timedelta(days=1))


def is_numeric(task: Task) -> bool:
    """Whether labels are numbers: values, or relevances."""
    return isinstance(task, Regression | Ranking)


def class_counts(task: Task, tallies: Sequence[LabelTally]) -> dict[str, list[int]]:
    """Labels by class and tally; of two classes the positive one and the rest.

    Names beyond those that are kept are one class, ``<other>``.
    """
    if isinstance(task, BinaryClassification):
        return {
            str(task.positive): [_positives(own, task) for own in tallies],
            f"not {task.positive}": [own.classes.total - _positives(own, task) for own in tallies],
        }
    names = sorted({name for own in tallies for name in own.classes.counts})
    found = {name: [own.classes.counts.get(name, 0) for own in tallies] for name in names}
    rest = [own.classes.rest for own in tallies]
    return found | ({"<other>": rest} if any(rest) else {})


def mean_and_variance(own: LabelTally) -> tuple[float, float]:
    """Of the numbers, which are at least one; the variance is the sample's, 0 of one number."""
    total, squares = own.total.units, own.squares.units
    # In whole numbers: of floats, the difference would cancel.
    spread = own.n * (squares << _UNIT) - total * total
    variance = spread / ((own.n * max(own.n - 1, 1)) << 2 * _UNIT)
    return total / (own.n << _UNIT), max(variance, 0.0)


def _positives(own: LabelTally, task: BinaryClassification) -> int:
    return sum(n for name, n in own.classes.counts.items() if is_class(name, task.positive))


def _shares(early: LabelTally, later: LabelTally, task: Task, alpha: float) -> Early | Undefined:
    counts = class_counts(task, [early, later])
    n_early, n = early.size, early.size + later.size
    columns = [*zip(*counts.values(), strict=True)]
    noise = shares_apart(columns[0], columns[1], alpha=alpha)
    if isinstance(noise, Undefined):
        return noise
    shares = {name: (c[0] / n_early, sum(c) / n) for name, c in counts.items()}
    most = max(shares, key=lambda name: abs(shares[name][0] - shares[name][1]))
    is_binary = isinstance(task, BinaryClassification)
    if is_binary:
        most = next(iter(shares))
    return Early(
        metric=SHARES,
        value=sum(abs(a - b) for a, b in shares.values()) / 2,
        # Early labels are part of all: they lie nearer to them than to the later ones.
        noise=noise * (n - n_early) / n,
        what="positive rate" if is_binary else f"share of {most!r}",
        early=shares[most][0],
        everyone=shares[most][1],
        n_early=n_early,
        n=n,
    )


def _means(early: LabelTally, later: LabelTally, alpha: float) -> Early | Undefined:
    everyone = early + later
    mean, variance = mean_and_variance(everyone)
    (own, own_variance), (_, variance_later) = mean_and_variance(early), mean_and_variance(later)
    noise = means_apart([own_variance, variance_later], [early.n, later.n], alpha=alpha)
    if isinstance(noise, Undefined):
        return noise
    if not variance:
        return Undefined("all labels are the same number")
    scale = math.sqrt(variance)
    return Early(
        metric=MEANS,
        value=abs(own - mean) / scale,
        noise=noise * later.n / everyone.n / scale,
        what="mean",
        early=own,
        everyone=mean,
        n_early=early.n,
        n=everyone.n,
    )


def _number(value: float) -> str:
    return f"{value:.2f}" if abs(value) < 1 else f"{value:.4g}"
