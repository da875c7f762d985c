"""scikit-learn by hand: pandas reads each day, and a loop calls its metrics; no intervals."""

from __future__ import annotations

from contestant import Stopwatch, Value
from many import read_many_days


def main() -> None:
    """Nine metrics a day."""
    options = read_many_days("full")
    watch = Stopwatch()
    import pandas as pd
    from sklearn import metrics

    scored = {
        "roc_auc": metrics.roc_auc_score,
        "average_precision": metrics.average_precision_score,
        "log_loss": metrics.log_loss,
        "brier": metrics.brier_score_loss,
    }
    predicted = {
        "accuracy": metrics.accuracy_score,
        "f1": metrics.f1_score,
        "precision": metrics.precision_score,
        "recall": metrics.recall_score,
        "confusion": metrics.confusion_matrix,
    }
    watch.lap("import")
    values: list[Value] = []
    for day, path in options.files():
        rows = pd.read_parquet(path, columns=["label", "prediction", "score"])
        watch.lap("read")
        label = rows["label"].to_numpy()
        for name, function in scored.items():
            values.append((name, day, float(function(label, rows["score"].to_numpy()))))
        for name, function in predicted.items():
            found = function(label, rows["prediction"].to_numpy())
            values.append((name, day, float(found if name != "confusion" else found[0, 0])))
        watch.lap("compute")
    watch.report(values, ["scikit-learn", "pandas", "numpy"])


if __name__ == "__main__":
    main()
