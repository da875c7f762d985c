"""The floor: pyarrow decodes the day's columns, batch by batch, and nothing is done with them."""

from __future__ import annotations

from pathlib import Path

from contestant import Stopwatch, read_options
from shape import CATEGORICAL, COLUMNS, ID, TIMESTAMP

BATCH_ROWS = 131_072


def main() -> None:
    """Read the day's twenty columns, with id and timestamp too in the scope ``rows``."""
    options = read_options("columns", "rows")
    names = [*COLUMNS] if options.scope == "columns" else [ID, TIMESTAMP, *COLUMNS]
    watch = Stopwatch()
    import pyarrow.parquet as pq

    watch.lap("import")

    def read(path: Path) -> int:
        file = pq.ParquetFile(path, memory_map=True, read_dictionary=list(CATEGORICAL))
        return sum(b.num_rows for b in file.iter_batches(batch_size=BATCH_ROWS, columns=names))

    # As everyone else does, so that memory is as warm as theirs.
    read(options.training)
    watch.lap("baseline")
    read(options.day)
    watch.lap("read")
    watch.report([], ["pyarrow"])


if __name__ == "__main__":
    main()
