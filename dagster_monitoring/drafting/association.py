"""How much two columns go together, on a sample of rows."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dagster_monitoring.profiles.labels import class_names
from dagster_monitoring.profiles.reading import Floats, WrongType, read_numbers

_FEWEST_ROWS = 2


def association(sample: pa.Table, left: str, right: str) -> float:
    """0 (nothing in common) to 1 (one tells the other).

    Numbers, and two classes as 0 and 1: the absolute correlation. Classes of text: Cohen's kappa,
    which is agreement beyond chance, not below 0. Rows where either is missing do not count; a
    constant column, or fewer than two rows, gives 0.

    Example:
        >>> rows = pa.table({"late": [0, 1, 0, 1], "pred": [False, True, False, True]})
        >>> association(rows, "late", "pred")
        1.0
    """
    if left not in sample.column_names or right not in sample.column_names:
        return 0.0
    first, second = _numbers(sample, left), _numbers(sample, right)
    if first is None or second is None:
        return _kappa(sample, left, right)
    both = np.isfinite(first) & np.isfinite(second)
    first, second = first[both], second[both]
    if len(first) < _FEWEST_ROWS or np.ptp(first) == 0 or np.ptp(second) == 0:
        return 0.0
    return min(abs(float(np.corrcoef(first, second)[0, 1])), 1.0)


def mean_by_class(sample: pa.Table, label: str, score: str) -> dict[str, float]:
    """The mean score of each class of a label; a class whose scores are all missing is left out.

    Example:
        >>> mean_by_class(pa.table({"y": ["a", "b"], "s": [0.25, 0.75]}), "y", "s")
        {'a': 0.25, 'b': 0.75}
    """
    if label not in sample.column_names or score not in sample.column_names:
        return {}
    numbers = _numbers(sample, score)
    if numbers is None:
        return {}
    names, rows = class_names(sample[label].combine_chunks())
    means = {}
    for place, name in enumerate(names):
        own = numbers[(rows == place) & np.isfinite(numbers)]
        if len(own):
            means[name] = float(own.mean())
    return means


def _numbers(sample: pa.Table, name: str) -> Floats | None:
    read = read_numbers(sample[name].combine_chunks())
    return None if isinstance(read, WrongType) else read.values


def _kappa(sample: pa.Table, left: str, right: str) -> float:
    names, rows = class_names(sample[left].combine_chunks())
    others, columns = class_names(sample[right].combine_chunks())
    union = {name: i for i, name in enumerate(dict.fromkeys([*names, *others]))}
    first, second = _places(names, rows, union), _places(others, columns, union)
    both = (first >= 0) & (second >= 0)
    n = int(both.sum())
    if n < _FEWEST_ROWS:
        return 0.0
    first, second = first[both], second[both]
    chance = float(
        (np.bincount(first, minlength=len(union)) * np.bincount(second, minlength=len(union))).sum()
    ) / (n * n)
    seen = float((first == second).mean())
    return max((seen - chance) / (1 - chance), 0.0) if chance < 1 else 0.0


def _places(
    names: list[str], rows: npt.NDArray[np.intp], union: dict[str, int]
) -> npt.NDArray[np.intp]:
    mapping = np.array([*(union[name] for name in names), -1], dtype=np.intp)
    return mapping[rows]
