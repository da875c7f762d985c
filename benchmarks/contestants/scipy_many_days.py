"""SciPy by hand with rolling baselines: the raw rows of the slices before, read and put together.

Four metrics a numeric column and three a categorical one, on the last days only: each costs the
same, so a year is so many times that.
"""

from __future__ import annotations

from pathlib import Path

from contestant import Stopwatch, Value
from many import read_many_days
from shape import CATEGORICAL, COLUMNS, NUMERIC

ROLLING = (14, 28)


def main() -> None:
    """Measure the last ``--days`` of a long production, each against both rolling baselines."""
    options = read_many_days("full")
    watch = Stopwatch()
    import numpy as np
    import pandas as pd
    import scipy.spatial.distance
    import scipy.stats  # noqa: F401 - its import is not the computation's
    from run_scipy import binned, numbers, of_names, of_numbers, of_shares

    watch.lap("import")
    found = sorted(options.folder.glob("day-*.parquet"))
    values: list[Value] = []

    def read(path: Path) -> pd.DataFrame:
        return pd.read_parquet(path, columns=list(COLUMNS))

    for number in range(options.days):
        day = read(found[number % len(found)])
        for rolling in ROLLING:
            slices = [read(found[(number + i) % len(found)]) for i in range(rolling)]
            before = pd.concat(slices, ignore_index=True)
            watch.lap("read")
            for name in NUMERIC:
                reference, current = numbers(before[name]), numbers(day[name])
                values += [(m, name, v) for m, v in of_numbers(reference, current, is_full=True)]
                deciles = np.unique(np.quantile(reference, np.arange(1, 10) / 10))
                shares = binned(reference, deciles), binned(current, deciles)
                values += [(m, name, v) for m, v in of_shares(*shares)]
            for name in CATEGORICAL:
                then, now = (
                    before[name].value_counts().align(day[name].value_counts(), fill_value=0)
                )
                table = np.stack([then.to_numpy(np.float64), now.to_numpy(np.float64)])
                values += [(m, name, v) for m, v in of_names(table, is_full=True)]
            watch.lap(f"rolling_{rolling}")
    watch.report(values, ["scipy", "pandas", "numpy", "pyarrow"])


if __name__ == "__main__":
    main()
