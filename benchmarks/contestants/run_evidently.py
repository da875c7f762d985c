"""Evidently: a report of the day against training.

A report takes both tables whenever it runs, so nothing of the training rows is computed before;
reading them is counted as baseline all the same.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from contestant import Stopwatch, Value, read_options
from shape import CATEGORICAL, COLUMNS, NUMERIC

if TYPE_CHECKING:
    from evidently import Report

NUMERIC_METHODS = ["ks", "wasserstein", "jensenshannon", "psi", "kl_div", "hellinger"]
# Not TVD: Evidently finds its p-value by permutations, 15 s a column at 20,000 rows.
CATEGORICAL_METHODS = ["chisquare", "jensenshannon", "psi", "kl_div", "hellinger"]


def main() -> None:
    """The methods that are like ours, with quality counts; its drift preset if ``lean``."""
    options = read_options("full", "lean")
    watch = Stopwatch()
    import pandas as pd
    from evidently import DataDefinition, Dataset

    report = _report(is_full=options.scope == "full")
    watch.lap("import")
    names = list(COLUMNS)
    definition = DataDefinition(
        numerical_columns=list(NUMERIC), categorical_columns=list(CATEGORICAL)
    )
    before = pd.read_parquet(options.training, columns=names)
    reference = Dataset.from_pandas(before, data_definition=definition)
    watch.lap("baseline")
    day = pd.read_parquet(options.day, columns=names)
    watch.lap("read")
    current = Dataset.from_pandas(day, data_definition=definition)
    found = json.loads(report.run(current, reference).json())
    watch.lap("compute")
    values: list[Value] = [
        (str(metric["metric_name"]), "", float(number))
        for metric in found["metrics"]
        for number in _numbers(metric["value"])
    ]
    watch.report(values, ["evidently", "pandas", "numpy", "scipy", "pyarrow"])


def _numbers(value: float | dict[str, float] | None) -> list[float]:
    """A value as Evidently writes it: a number, or a count with its share, which is one value."""
    if isinstance(value, dict):
        return [value["count"]]
    return [] if value is None else [value]


def _report(*, is_full: bool) -> Report:
    from evidently import Report
    from evidently.metrics import MaxValue, MinValue, MissingValueCount, RowCount, ValueDrift
    from evidently.presets import DataDriftPreset

    if not is_full:
        return Report([DataDriftPreset()])
    return Report(
        [
            *(ValueDrift(column=c, method=m) for c in NUMERIC for m in NUMERIC_METHODS),
            *(ValueDrift(column=c, method=m) for c in CATEGORICAL for m in CATEGORICAL_METHODS),
            *(MissingValueCount(column=c) for c in COLUMNS),
            *(metric(column=c) for c in NUMERIC for metric in (MinValue, MaxValue)),
            RowCount(),
        ]
    )


if __name__ == "__main__":
    main()
