"""SciPy by hand: pandas reads the raw columns, and a loop calls SciPy's functions.

What depends on the training rows alone (their counts by bin) is counted as baseline, as far as
the functions let it be taken out; ``ks_2samp`` and ``wasserstein_distance`` sort both sides anew.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from contestant import Stopwatch, Value, read_options
from shape import CATEGORICAL, COLUMNS, NUMERIC

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

    Array = npt.NDArray[np.float64]

FLOOR = 1e-4


def main() -> None:
    """Four metrics a numeric column and three a categorical one; one a column if ``lean``."""
    options = read_options("full", "lean")
    watch = Stopwatch()
    import numpy as np
    import pandas as pd
    import scipy.spatial.distance
    import scipy.stats  # noqa: F401 - its import is not the computation's

    watch.lap("import")
    training = pd.read_parquet(options.training, columns=list(COLUMNS))
    before = {name: numbers(training[name]) for name in NUMERIC}
    deciles = {n: np.unique(np.quantile(x, np.arange(1, 10) / 10)) for n, x in before.items()}
    shares = {name: binned(before[name], deciles[name]) for name in NUMERIC}
    counts = {name: training[name].value_counts() for name in CATEGORICAL}
    watch.lap("baseline")
    day = pd.read_parquet(options.day, columns=list(COLUMNS))
    watch.lap("read")
    is_full = options.scope == "full"
    values: list[Value] = []
    for name in NUMERIC:
        current = numbers(day[name])
        values += [(m, name, v) for m, v in of_numbers(before[name], current, is_full=is_full)]
        if is_full:
            own = binned(current, deciles[name])
            values += [(m, name, v) for m, v in of_shares(shares[name], own)]
    for name in CATEGORICAL:
        then, now = counts[name].align(day[name].value_counts(), fill_value=0)
        table = np.stack([then.to_numpy(np.float64), now.to_numpy(np.float64)])
        values += [(m, name, v) for m, v in of_names(table, is_full=is_full)]
    values += [("missing_share", name, float(v)) for name, v in day.isna().mean().items()]
    watch.lap("compute")
    watch.report(values, ["scipy", "pandas", "numpy", "pyarrow"])


def numbers(column: pd.Series[float]) -> Array:
    """The values that are there."""
    values: Array = column.dropna().to_numpy(dtype="float64")
    return values


def binned(values: Array, edges: Array) -> Array:
    """Counts by bin."""
    import numpy as np

    places = np.searchsorted(edges, values, side="right")
    counts: Array = np.bincount(places, minlength=len(edges) + 1).astype(np.float64)
    return counts


def of_numbers(reference: Array, current: Array, *, is_full: bool) -> Iterator[tuple[str, float]]:
    """Two metrics of numbers, one unless ``is_full``."""
    from scipy.stats import ks_2samp, wasserstein_distance

    result = ks_2samp(reference, current, method="asymp")
    yield "kolmogorov_smirnov", float(result.statistic)
    if is_full:
        distance = float(wasserstein_distance(reference, current))
        yield "wasserstein_scaled", distance / float(reference.std())


def of_names(table: Array, *, is_full: bool) -> Iterator[tuple[str, float]]:
    """Chi-square of a table of counts, and the metrics of shares if ``is_full``."""
    from scipy.stats import chi2_contingency

    yield "chi_square", float(chi2_contingency(table, correction=False).statistic)
    if is_full:
        yield from of_shares(table[0], table[1])


def of_shares(reference: Array, current: Array) -> Iterator[tuple[str, float]]:
    """Jensen-Shannon and PSI of counts by bin."""
    import numpy as np
    from scipy.spatial.distance import jensenshannon

    p, q = reference / reference.sum(), current / current.sum()
    yield "jensen_shannon", float(jensenshannon(p, q, base=2))
    p, q = np.maximum(p, FLOOR), np.maximum(q, FLOOR)
    yield "psi", float(np.sum((q - p) * np.log(q / p)))


if __name__ == "__main__":
    main()
