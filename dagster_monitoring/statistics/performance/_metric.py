"""What a performance metric declares of itself; the contract tests hold it to that."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from dagster_monitoring.statistics.performance._confusion import ClassRatio
from dagster_monitoring.statistics.performance._summary import Summary
from dagster_monitoring.statistics.undefined import Undefined

TaskName = Literal["binary_classification", "multiclass_classification", "regression", "ranking"]
BINARY: frozenset[TaskName] = frozenset({"binary_classification"})
MULTICLASS: frozenset[TaskName] = frozenset({"multiclass_classification"})
CLASSIFICATION: frozenset[TaskName] = BINARY | MULTICLASS
REGRESSION: frozenset[TaskName] = frozenset({"regression"})
RANKING: frozenset[TaskName] = frozenset({"ranking"})


@dataclass(frozen=True, slots=True, kw_only=True)
class PerformanceMetric:
    """A pure function of a summary of labelled rows, with its declared properties.

    Attributes:
        name: as written in YAML; also the module's name.
        title: as a person reads it.
        compute: a summary of one of ``tasks`` to a finite number, or the reason why there is
            none. It raises ``TypeError`` on a summary of another task.
        standard_error: the value's sampling error for independent rows (queries of a ranking),
            at least 0, or the reason why there is none; ``TypeError`` as ``compute``.
        error_method: how that is got, in a few words.
        tasks: which tasks it is defined for, by their ``type``.
        bounds: the lowest and highest value it can give, infinities included.
        higher_is_better: ``None`` where the best value lies in between, as 0 for a bias.
        symmetric: whether predictions and labels may change places. Never where they are not of
            one kind: scores beside classes, an order beside gains.
        unit: ``""`` where the number has none.
        needs_score: whether it reads probabilities, and not the predicted class alone.
        minimum_n: the fewest labelled rows from which it can have a value.
        degenerate: what it gives for empty and one-sided input, in words.
        source: where the definition is from.
        ratio: the share of each class that it averages, when it can be averaged in several ways.
        by_class: whether it is defined for one class of several against the rest.
    """

    name: str
    title: str
    compute: Callable[[Summary], float | Undefined]
    standard_error: Callable[[Summary], float | Undefined]
    error_method: str
    tasks: frozenset[TaskName]
    bounds: tuple[float, float]
    higher_is_better: bool | None
    symmetric: bool
    unit: Literal["", "share", "nats", "label unit", "label unit squared"]
    needs_score: bool
    minimum_n: int = 1
    degenerate: str
    source: str
    ratio: ClassRatio | None = None
    by_class: bool = False
