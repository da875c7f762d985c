"""Spark's errors, as this package's."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from dagster_monitoring import errors
from dagster_monitoring.errors import (
    CorruptDataError,
    DataError,
    DeclarationError,
    EngineError,
    SchemaMismatchError,
)

_OWN = re.compile(r"^dagster_monitoring\.errors\.(\w+): (.*)$", re.MULTILINE)
_OF_THE_DATA = (CorruptDataError, DataError, DeclarationError, SchemaMismatchError)


@contextmanager
def spark_faults(what: str) -> Iterator[None]:
    """Errors of Spark become this package's, in a few lines.

    Args:
        what: what is read, for the message.

    Raises:
        DataError: the data are not there, or can't be read as asked; another try changes nothing.
        EngineError: the cluster failed; another try may succeed.
    """
    from py4j.protocol import Py4JError
    from pyspark.errors import AnalysisException, PySparkException

    try:
        with warnings.catch_warnings():
            # No pandas frame is made here, so which pandas there is does not matter.
            warnings.filterwarnings("ignore", "PySpark does not yet fully support pandas")
            yield
    except AnalysisException as error:
        raise DataError(f"{what} can't be read by Spark: {first_line(error)}") from error
    except (PySparkException, Py4JError, ConnectionError) as error:
        text = str(error)
        own = _OWN.findall(text)
        if own and (kind := getattr(errors, own[-1][0], None)) in _OF_THE_DATA:
            raise kind(own[-1][1]) from error
        if "No module named 'dagster_monitoring'" in text:
            raise EngineError(
                "Spark's executors have no dagster_monitoring: install the version that this "
                "process has in the Python that spark.pyspark.python names on the workers"
            ) from error
        if "FAILED_READ_FILE" in text or "CANNOT_READ_FILE_FOOTER" in text:
            raise CorruptDataError(
                f"{what} can't be read to its end by Spark: {cause(text)}. Write it again, or "
                "remove it, then run the partition again"
            ) from error
        raise EngineError(
            f"{what}: Spark failed: {cause(text)}. Look at the cluster and its logs, then run "
            "the partition again"
        ) from error


def first_line(error: Exception) -> str:
    """What an error says first."""
    return next((line.strip() for line in str(error).splitlines() if line.strip()), "")[:500]


def cause(text: str) -> str:
    """The line of a trace that says most: the last Python error, else the first line."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    own = [line for line in lines if "Error: " in line and not line.startswith(("at ", "File"))]
    return (own[-1] if own else lines[0] if lines else "no reason given")[:500]
