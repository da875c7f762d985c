"""What a label ledger asks of the place that keeps its rows."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import sqlalchemy as sa

Bools = npt.NDArray[np.bool_]
Places = npt.NDArray[np.int64]

WORD_SCHEMA = pa.schema(
    [
        ("prediction_id", pa.string()),
        ("revision", pa.int64()),
        ("available_at", pa.int64()),
        ("label", pa.string()),
        ("event_time", pa.int64()),
        ("append_id", pa.int64()),
    ]
)
"""A word on a label: what was said of it, since when, and by which delivery."""


@dataclass(frozen=True, slots=True, eq=False)
class Predicted:
    """Which of some ids a partition of a model predicts.

    Args:
        model_id: the model.
        partition: the partition.
        at: their places among the ids that were asked for, each once.
    """

    model_id: int
    partition: str
    at: Places


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Registration:
    """The predictions of a partition, and how they differ from those registered before.

    Args:
        model_id: the model.
        ledger_id: the ledger whose labels it takes.
        partition: the partition.
        ids: all its ids, sorted.
        added: those that are new to it.
        gone: those that were its own before.
        waiting: which of ``added`` have labels already.
    """

    model_id: int
    ledger_id: int
    partition: str
    ids: pa.Array
    added: pa.Array
    gone: pa.Array
    waiting: Bools


class LabelRows(ABC):
    """Predictions by partition and words on labels, kept by the million.

    All calls are made in a transaction of the store; what is written there counts when it is
    committed. Ids are text, distinct where several are given.
    """

    @abstractmethod
    def words(self, connection: sa.Connection, ledger_id: int, ids: pa.Array) -> pa.Table:
        """Every word on these ids, in the form of ``WORD_SCHEMA``, in any order."""

    @abstractmethod
    def labelled(self, connection: sa.Connection, ledger_id: int, ids: pa.Array) -> Bools:
        """Which of these ids have a word."""

    @abstractmethod
    def predicted(
        self, connection: sa.Connection, model_id: int, ids: pa.Array
    ) -> Iterator[Predicted]:
        """The partitions of a model that predict any of these ids; an id may be in several."""

    @abstractmethod
    def keep(
        self,
        connection: sa.Connection,
        ledger_id: int,
        words: pa.Table,
        predicted: Sequence[Predicted],
    ) -> None:
        """Keeps new words.

        Args:
            connection: in a write transaction.
            ledger_id: the ledger.
            words: in the form of ``WORD_SCHEMA``, sorted by id.
            predicted: which partitions predict them, as places among the distinct ids of
                ``words``, in their order.
        """

    @abstractmethod
    def appends(self, connection: sa.Connection, ledger_id: int) -> set[int]:
        """The appends that the words of a ledger came with; looks at all of them."""

    @abstractmethod
    def ids(self, connection: sa.Connection, model_id: int, partition: str) -> pa.Array:
        """The ids that a partition predicts."""

    @abstractmethod
    def register(self, connection: sa.Connection, registration: Registration) -> None:
        """Makes ids those of a partition."""

    @abstractmethod
    def forget(self, connection: sa.Connection, model_id: int) -> None:
        """Drops all predictions of a model."""

    @abstractmethod
    def resolve(
        self,
        connection: sa.Connection,
        model_id: int,
        ledger_id: int,
        partition: str,
        as_of: datetime | None,
    ) -> pa.Table:
        """The winning word on each labelled prediction of a partition, by id; none that is empty.

        Of the words that were available, the highest revision wins, then the latest, then the one
        delivered last.
        """

    @abstractmethod
    def labelled_count(
        self,
        connection: sa.Connection,
        model_id: int,
        ledger_id: int,
        partition: str,
        as_of: datetime | None,
    ) -> int:
        """How many rows :meth:`resolve` has."""

    @abstractmethod
    def next_arrival(
        self,
        connection: sa.Connection,
        model_id: int,
        ledger_id: int,
        partition: str,
        after: datetime,
    ) -> int | None:
        """The first moment after another at which a prediction gets a word, in microseconds."""
