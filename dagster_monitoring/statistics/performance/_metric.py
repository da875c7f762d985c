"""What a performance metric declares of itself; the contract tests hold it to that."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from dagster_monitoring.statistics.performance._summary import Summary
from dagster_monitoring.statistics.undefined import Undefined

TaskName = Literal["binary_classification", "multiclass_classification", "regression"]
CLASSIFICATION: frozenset[TaskName] = frozenset(
    {"binary_classification", "multiclass_classification"}
)
REGRESSION: frozenset[TaskName] = frozenset({"regression"})


@dataclass(frozen=True, slots=True, kw_only=True)
class PerformanceMetric:
    """A pure function of a summary of labelled rows, with its declared properties.

    Attributes:
        name: as written in YAML; also the module's name.
        title: as a person reads it.
        compute: a summary of one of ``tasks`` to a finite number, or the reason why there is
            none. It raises ``TypeError`` on a summary of another task.
        tasks: which tasks it is defined for, by their ``type``.
        bounds: the lowest and highest value it can give, infinities included.
        higher_is_better: ``None`` where the best value lies in between, as 0 for a bias.
        unit: ``""`` where the number has none.
        needs_score: whether it reads probabilities, and not the predicted class alone.
        source: where the definition is from.
    """

    name: str
    title: str
    compute: Callable[[Summary], float | Undefined]
    tasks: frozenset[TaskName]
    bounds: tuple[float, float]
    higher_is_better: bool | None
    unit: Literal["", "share", "nats", "label unit", "label unit squared"]
    needs_score: bool
    source: str
