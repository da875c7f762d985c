"""whylogs: a profile of each side (counts, sketches, frequent items), then drift scores."""

from __future__ import annotations

from contestant import Stopwatch, Value, read_options
from shape import COLUMNS


def main() -> None:
    """The profile of the day; with its drift scores too in the scope ``full``."""
    options = read_options("full", "lean")
    watch = Stopwatch()
    import pandas as pd
    import whylogs as why
    from whylogs.viz.drift.column_drift_algorithms import calculate_drift_scores

    watch.lap("import")
    names = list(COLUMNS)
    training = why.log(pandas=pd.read_parquet(options.training, columns=names)).view()
    watch.lap("baseline")
    day = pd.read_parquet(options.day, columns=names)
    watch.lap("read")
    found = why.log(pandas=day).view()
    values: list[Value] = []
    if options.scope == "full":
        scores = calculate_drift_scores(
            target_view=found, reference_view=training, with_thresholds=False
        )
        values += [
            (score["algorithm"], column, float(score["pvalue"]))
            for column, score in scores.items()
            if score and score.get("pvalue") is not None
        ]
    for column in names:
        counts = found.get_column(column).to_summary_dict()
        values.append(("missing", column, float(counts["counts/null"])))
    watch.lap("compute")
    watch.report(values, ["whylogs", "pandas", "numpy", "scipy", "pyarrow"])


if __name__ == "__main__":
    main()
