"""NannyML: univariate drift, missing and unseen values of the day as one chunk."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from contestant import Stopwatch, Value, read_options
from shape import CATEGORICAL, COLUMNS

if TYPE_CHECKING:
    import pandas as pd

CONTINUOUS_METHODS = ["kolmogorov_smirnov", "jensen_shannon", "wasserstein", "hellinger"]
CATEGORICAL_METHODS = ["chi2", "jensen_shannon", "l_infinity", "hellinger"]


def main() -> None:
    """Every method that NannyML has, and its quality counts; drift by default if ``lean``."""
    options = read_options("full", "lean")
    is_full = options.scope == "full"
    watch = Stopwatch()
    import nannyml as nml
    import pandas as pd

    watch.lap("import")
    names, categories = list(COLUMNS), list(CATEGORICAL)
    drift = nml.UnivariateDriftCalculator(
        column_names=names,
        treat_as_categorical=categories,
        continuous_methods=CONTINUOUS_METHODS if is_full else ["jensen_shannon"],
        categorical_methods=CATEGORICAL_METHODS if is_full else ["jensen_shannon"],
        chunk_number=1,
    )
    calculators = [drift]
    if is_full:
        calculators += [
            nml.MissingValuesCalculator(column_names=names, chunk_number=1),
            nml.UnseenValuesCalculator(column_names=categories, chunk_number=1),
        ]
    training = pd.read_parquet(options.training, columns=names)
    for calculator in calculators:
        calculator.fit(training)
    watch.lap("baseline")
    day = pd.read_parquet(options.day, columns=names)
    watch.lap("read")
    tables = [c.calculate(day).filter(period="analysis").to_df() for c in calculators]
    watch.lap("compute")
    values = [value for table in tables for value in _values(table)]
    watch.report(values, ["nannyml", "pandas", "numpy", "scipy", "pyarrow"])


def _values(table: pd.DataFrame) -> Iterator[Value]:
    """The values of a result's columns: (column, method, "value"), or (column, "value")."""
    for (column, *method, what), found in table.items():
        if what == "value":
            yield (method[0] if method else "share", column, float(found.iloc[0]))


if __name__ == "__main__":
    main()
