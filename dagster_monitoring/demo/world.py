"""The world outside the demo's project: it serves the model, and lets labels arrive.

In a user's company other systems do this. Here it is played from data that the package carries,
and it writes nothing but the files that the project reads.
"""

from __future__ import annotations

import functools
import importlib.util
import itertools
import shutil
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from dagster_monitoring.errors import DataError, DeclarationError
from dagster_monitoring.retraining import Estimator, predict
from dagster_monitoring.schema import Partitions

if TYPE_CHECKING:
    import pandas as pd

FIRST_VERSION = "v1"
CUTOFF = 0.35
DAYS = Partitions(start=date(2013, 4, 1), timezone="America/New_York")
LAST_DAY = "2013-11-30"
PROJECT = Path(__file__).parent / "project"
HOME = ".dagster"

_DATA = Path(__file__).parent / "data"
_MARK = ".dagster-monitoring-demo"
_MARK_TEXT = (
    "`dagster-monitoring demo` made this folder, and empties it when it is run on it again.\n"
    "Delete this file to keep the folder as it is.\n"
)
_NOT_FEATURES = ("prediction_id", "timestamp")
_STAMP = "%Y%m%dT%H%M%SZ"


class Fit(Protocol):
    """How the project trains."""

    def __call__(self, features: pd.DataFrame, label: pd.Series[int]) -> Estimator:
        """A fitted classifier."""


def project_fit(project: Path) -> Fit:
    """``fit`` of a project laid out as the demo's, read by its file: it need not be installed.

    Raises:
        DataError: the project has no ``src/flight_delays/train.py``.
    """
    path = project / "src" / "flight_delays" / "train.py"
    spec = importlib.util.spec_from_file_location("flight_delays_train", path)
    if spec is None or spec.loader is None or not path.is_file():
        raise DataError(f"{path} is missing: lay the demo out again")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    fit: Fit = module.fit
    return fit


def probabilities(estimator: Estimator, features: pd.DataFrame) -> npt.NDArray[np.float64]:
    """Probability to be late of each row, shape (rows,), to six digits.

    Raises:
        DataError: the estimator gives no probabilities.
    """
    said = predict(estimator, features).probabilities
    if said is None:
        raise DataError("the demo serves probabilities, and this estimator gives none")
    score: npt.NDArray[np.float64] = said[:, 1].round(6)
    return score


def lay_out(folder: Path) -> Path:
    """Lays out the demo's project: its files, its baseline, no prediction and no label yet.

    Args:
        folder: where to; it is made if need be. A folder that an earlier call made is emptied.

    Returns:
        The folder, absolute.

    Raises:
        DeclarationError: there is something in the folder, and no earlier call made it.
    """
    folder = folder.expanduser().resolve()
    if folder.exists() and not folder.is_dir():
        raise DeclarationError(f"{folder} is a file: name a folder for the demo")
    if folder.exists():
        _empty(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / _MARK).write_text(_MARK_TEXT, encoding="utf-8")
    skip = shutil.ignore_patterns("__pycache__", "*.pyc")
    shutil.copytree(PROJECT, folder, ignore=skip, dirs_exist_ok=True)
    (folder / "data").mkdir()
    for name in ("baseline.parquet", "LICENSE-DATA.md"):
        shutil.copyfile(_DATA / name, folder / "data" / name)
    return folder


@dataclass(frozen=True)
class World:
    """Plays what happens outside a project that `lay_out` laid out.

    It keeps nothing in memory that matters: which labels have arrived is read from the folder, so a
    later process goes on where an earlier one ended.

    Args:
        folder: the project's folder.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as scratch:
        ...     world = World(lay_out(Path(scratch) / "flights"))
        ...     files = world.deliver_labels(datetime(2013, 4, 3, 12, tzinfo=UTC))
        >>> [file.name for file in files]
        ['20130402T100000Z.parquet', '20130403T100000Z.parquet']
    """

    folder: Path

    def train_first_champion(self) -> Estimator:
        """The project's own ``fit``, applied to the features and labels of its baseline."""
        baseline = pq.read_table(self.folder / "data" / "baseline.parquet")
        return project_fit(self.folder)(
            baseline.select(_features()).to_pandas(), baseline["delayed15"].to_pandas()
        )

    def serve(self, day: str, estimator: Estimator, version: str) -> Path:
        """Scores the flights of a day and writes them as its slice; a slice there is replaced.

        Args:
            day: a key such as ``"2013-04-01"``, from 2013-04-01 to 2013-11-30 (New York).
            estimator: scores the flights.
            version: is written into ``model_version``.

        Returns:
            The slice's file.

        Raises:
            DataError: the demo's data hold no flight of that day.
        """
        slice_ = _flights(day)
        score = probabilities(estimator, slice_.select(_features()).to_pandas())
        late = pa.array(score >= CUTOFF).cast(pa.int32())
        versions = pa.array([version] * slice_.num_rows, pa.string())
        scored = (
            slice_.append_column("delay15_proba", pa.array(score, pa.float64()))
            .append_column("delay15_pred", late)
            .append_column("model_version", versions)
        )
        path = self.folder / "data" / "predictions" / f"day={day}" / "part-0.parquet"
        _write(scored, path)
        return path

    def deliver_labels(self, until: datetime) -> list[Path]:
        """Lets the labels arrive that were not here yet and whose arrival is at most ``until``.

        Args:
            until: the present, with a time zone.

        Returns:
            The new files, one a local day of arrival, each named for its last arrival in UTC; none
            if nothing has arrived. A file that is there is never written again.

        Raises:
            DataError: ``until`` has no time zone.
        """
        if until.tzinfo is None:
            raise DataError(f"the time {until} has no time zone: labels arrive at a moment in UTC")
        arrived = _feed()["available_at"]
        new = pc.less_equal(arrived, pa.scalar(until, arrived.type))
        last = self._last_arrival()
        if last is not None:
            new = pc.and_(new, pc.greater(arrived, pa.scalar(last, arrived.type)))
        return [self._deliver(rows) for rows in _by_day_of_arrival(_feed().filter(new))]

    def _deliver(self, rows: pa.Table) -> Path:
        path = self._labels / f"{rows['available_at'][-1].as_py().strftime(_STAMP)}.parquet"
        _write(rows, path)
        return path

    @property
    def _labels(self) -> Path:
        return self.folder / "data" / "labels"

    def _last_arrival(self) -> datetime | None:
        stamps = sorted(path.stem for path in self._labels.glob("*.parquet"))
        if not stamps:
            return None
        return datetime.strptime(stamps[-1], _STAMP).replace(tzinfo=UTC)


def _empty(folder: Path) -> None:
    found = list(folder.iterdir())
    # Dagster's home alone is no one's work: `dagster dev` may have been started before the demo.
    is_new = all(path.name == HOME for path in found)
    if not is_new and not (folder / _MARK).is_file():
        raise DeclarationError(
            f"{folder} is not empty, and the demo did not make it: nothing was touched. "
            f"Name another folder, or empty this one."
        )
    for path in found:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()


def _flights(day: str) -> pa.Table:
    path = _DATA / f"production-{day[:7]}.parquet"
    if not path.is_file():
        raise DataError(
            f"the demo has no flights of {day}: its days are {DAYS.start} to {LAST_DAY}"
        )
    start, end = DAYS.bounds(day)
    month = _month(path)
    moment = month["timestamp"]
    return month.filter(
        pc.and_(
            pc.greater_equal(moment, pa.scalar(start, moment.type)),
            pc.less(moment, pa.scalar(end, moment.type)),
        )
    )


@functools.lru_cache(maxsize=2)
def _month(path: Path) -> pa.Table:
    return pq.read_table(path)


@functools.lru_cache(maxsize=1)
def _feed() -> pa.Table:
    return pq.read_table(_DATA / "labels.parquet")


@functools.lru_cache(maxsize=1)
def _features() -> list[str]:
    names = pq.read_schema(_DATA / f"production-{DAYS.start:%Y-%m}.parquet").names
    return [name for name in names if name not in _NOT_FEATURES]


def _by_day_of_arrival(labels: pa.Table) -> Iterator[pa.Table]:
    """Labels, which lie in order of arrival, cut where a local day ends."""
    days = [DAYS.key_of(moment) for moment in labels["available_at"].to_pylist()]
    start = 0
    for _, same in itertools.groupby(days):
        length = len(list(same))
        yield labels.slice(start, length)
        start += length


def _write(table: pa.Table, path: Path) -> None:
    """A reader finds the whole file or none: it is written beside its place, then moved there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{uuid.uuid4().hex}.unfinished")
    try:
        pq.write_table(table, unfinished, compression="zstd")
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
