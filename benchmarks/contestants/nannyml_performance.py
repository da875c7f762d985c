"""NannyML: realized performance of each day, with its sampling errors."""

from __future__ import annotations

from contestant import Stopwatch, Value
from many import read_many_days

METRICS = ("roc_auc", "f1", "precision", "recall", "accuracy", "average_precision")


def main() -> None:
    """Six metrics a day."""
    options = read_many_days("full")
    watch = Stopwatch()
    import nannyml as nml
    import pandas as pd

    watch.lap("import")
    names = ["label", "prediction", "score"]
    training = pd.read_parquet(options.training, columns=names)
    watch.lap("baseline")
    days = [(day, pd.read_parquet(path, columns=names)) for day, path in options.files()]
    rows = pd.concat([table for _, table in days], ignore_index=True)
    watch.lap("read")
    calculator = nml.PerformanceCalculator(
        metrics=list(METRICS),
        y_true="label",
        y_pred="prediction",
        y_pred_proba="score",
        problem_type="classification_binary",
        chunk_size=len(days[0][1]),
    )
    calculator.fit(training)
    watch.lap("baseline")
    table = calculator.calculate(rows).filter(period="analysis").to_df()
    watch.lap("compute")
    values: list[Value] = [
        (name, day, float(number))
        for name in METRICS
        for (day, _), number in zip(days, table[name, "value"], strict=True)
    ]
    watch.report(values, ["nannyml", "pandas", "numpy", "scikit-learn"])


if __name__ == "__main__":
    main()
