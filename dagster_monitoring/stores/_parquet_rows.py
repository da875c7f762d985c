"""Label rows in Parquet files beside the data, for models with very many of them.

Ids are found by their 64-bit hashes, which are read from one end to the other; whoever reads a
partition compares the ids themselves. A label's row lies in a row group of the partitions that
predict it. One whose prediction comes later, or in another partition too, is copied there then.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from dagster_monitoring.profiles.reading import hash_values
from dagster_monitoring.stores._label_files import (
    HASH,
    Hashes,
    LabelFiles,
    Members,
    forget_predictions,
)
from dagster_monitoring.stores._label_rows import (
    WORD_SCHEMA,
    Bools,
    LabelRows,
    Predicted,
    Registration,
)
from dagster_monitoring.stores._ledger import id_places, same_as_before
from dagster_monitoring.stores._resolution import LAST_MOMENT, microseconds

_PREDICTIONS, _LABELS = "predictions", "labels"
_HASHED_WORDS = WORD_SCHEMA.append(pa.field(HASH, pa.uint64()))
_HASHED_IDS = pa.schema([("prediction_id", pa.string()), (HASH, pa.uint64())])
_IDS = pa.schema([("prediction_id", pa.string())])
_WINNING = ("prediction_id", "revision", "available_at", "append_id")


class ParquetRows(LabelRows):
    """See :class:`LabelRows`: row groups by partition, in files below a folder.

    Args:
        folder: a path or any fsspec URL.
    """

    def __init__(self, folder: str) -> None:
        self._files = LabelFiles(folder)

    def words(self, connection: sa.Connection, ledger_id: int, ids: pa.Array) -> pa.Table:
        """See :meth:`LabelRows.words`."""
        found = [*self._files.find(connection, _LABELS, ledger_id, hash_values(ids))]
        tables = self._files.take(found, WORD_SCHEMA.names)
        words = pa.concat_tables([WORD_SCHEMA.empty_table(), *tables])
        return words.filter(pc.is_in(words["prediction_id"], value_set=ids)).combine_chunks()

    def labelled(self, connection: sa.Connection, ledger_id: int, ids: pa.Array) -> Bools:
        """See :meth:`LabelRows.labelled`."""
        hashes = hash_values(ids)
        order = np.argsort(hashes, kind="stable")
        ordered, is_labelled = hashes[order], np.zeros(len(ids), dtype=np.bool_)
        for found in self._files.find(connection, _LABELS, ledger_id, hashes):
            is_labelled[order[np.searchsorted(ordered, found.hashes)]] = True
        return is_labelled

    def predicted(
        self, connection: sa.Connection, model_id: int, ids: pa.Array
    ) -> Iterator[Predicted]:
        """See :meth:`LabelRows.predicted`."""
        hashes = hash_values(ids)
        order = np.argsort(hashes, kind="stable")
        found = [*self._files.find(connection, _PREDICTIONS, model_id, hashes)]
        members = self._files.members(connection, [each.file_id for each in found])
        by_partition: dict[str, list[Hashes]] = defaultdict(list)
        for each in found:
            for _, partition in members.get((each.file_id, each.group), ()):
                by_partition[partition].append(each.hashes)
        ordered = hashes[order]
        for partition, parts in sorted(by_partition.items()):
            is_own = np.zeros(len(ids), dtype=np.bool_)
            is_own[order[np.searchsorted(ordered, np.concatenate(parts))]] = True
            yield Predicted(model_id, partition, np.flatnonzero(is_own))

    def keep(
        self,
        connection: sa.Connection,
        ledger_id: int,
        words: pa.Table,
        predicted: Sequence[Predicted],
    ) -> None:
        """See :meth:`LabelRows.keep`."""
        words = _hashed(words, _HASHED_WORDS)
        groups = _grouped(words, predicted)
        self._files.write(connection, _LABELS, ledger_id, groups, _HASHED_WORDS)
        self._files.merge_small(connection, _LABELS, ledger_id, _HASHED_WORDS)

    def appends(self, connection: sa.Connection, ledger_id: int) -> set[int]:
        """See :meth:`LabelRows.appends`."""
        columns = self._files.columns(connection, _LABELS, ledger_id, "append_id")
        return {found for column in columns for found in pc.unique(column).to_pylist()}

    def ids(self, connection: sa.Connection, model_id: int, partition: str) -> pa.Array:
        """See :meth:`LabelRows.ids`."""
        member = (model_id, partition)
        found = self._files.read(connection, _PREDICTIONS, model_id, member, _IDS)
        return found["prediction_id"].combine_chunks()

    def register(self, connection: sa.Connection, registration: Registration) -> None:
        """See :meth:`LabelRows.register`."""
        model_id, partition = registration.model_id, registration.partition
        members = frozenset({(model_id, partition)})
        if not (len(registration.added) or len(registration.gone)):
            return
        self._files.drop(connection, _PREDICTIONS, model_id, partition)
        if len(registration.ids):
            table = _hashed(pa.table({"prediction_id": registration.ids}), _HASHED_IDS)
            group = [(members, table)]
            self._files.write(connection, _PREDICTIONS, model_id, group, _HASHED_IDS)
            self._files.merge_small(connection, _PREDICTIONS, model_id, _HASHED_IDS)
        if registration.waiting.any():
            ids = registration.added.filter(pa.array(registration.waiting))
            words = _distinct(self.words(connection, registration.ledger_id, ids))
            group = [(members, _hashed(words, _HASHED_WORDS))]
            self._files.write(connection, _LABELS, registration.ledger_id, group, _HASHED_WORDS)

    def forget(self, connection: sa.Connection, model_id: int) -> None:
        """See :meth:`LabelRows.forget`."""
        forget_predictions(connection, _PREDICTIONS, model_id)

    def resolve(
        self,
        connection: sa.Connection,
        model_id: int,
        ledger_id: int,
        partition: str,
        as_of: datetime | None,
    ) -> pa.Table:
        """See :meth:`LabelRows.resolve`."""
        words = self._words_of(connection, model_id, ledger_id, partition)
        if as_of is not None:
            limit = pa.scalar(microseconds(as_of))
            words = words.filter(pc.less_equal(words["available_at"], limit))
        words = words.sort_by([(name, "ascending") for name in _WINNING]).combine_chunks()
        # What was said again became available when it was said first.
        again = same_as_before(words, ("prediction_id", "revision", "label"))
        words = words.filter(pa.array(~again)).combine_chunks()
        # Sorted by what wins: the last of each id.
        last = ~np.append(same_as_before(words, ("prediction_id",))[1:], np.False_)
        words = words.filter(pa.array(last[: words.num_rows]))
        return words.filter(pc.not_equal(words["label"], "")).combine_chunks()

    def labelled_count(
        self,
        connection: sa.Connection,
        model_id: int,
        ledger_id: int,
        partition: str,
        as_of: datetime | None,
    ) -> int:
        """See :meth:`LabelRows.labelled_count`."""
        found = self.resolve(connection, model_id, ledger_id, partition, as_of)
        return int(found.num_rows)

    def next_arrival(
        self,
        connection: sa.Connection,
        model_id: int,
        ledger_id: int,
        partition: str,
        after: datetime,
    ) -> int | None:
        """See :meth:`LabelRows.next_arrival`."""
        words = self._words_of(connection, model_id, ledger_id, partition)
        moments = words["available_at"]
        later = pc.and_(
            pc.greater(moments, pa.scalar(microseconds(after))),
            pc.less_equal(moments, pa.scalar(LAST_MOMENT)),
        )
        found = pc.min(moments.filter(later)).as_py()
        return None if found is None else int(found)

    def _words_of(
        self, connection: sa.Connection, model_id: int, ledger_id: int, partition: str
    ) -> pa.Table:
        """The words on a partition's predictions, whenever they came."""
        member = (model_id, partition)
        words = self._files.read(connection, _LABELS, ledger_id, member, WORD_SCHEMA)
        if not words.num_rows:
            return words
        ids = self.ids(connection, model_id, partition)
        return words.filter(pc.is_in(words["prediction_id"], value_set=ids))


def _hashed(table: pa.Table, schema: pa.Schema) -> pa.Table:
    hashes = pa.array(hash_values(table["prediction_id"].combine_chunks()))
    return table.append_column(HASH, hashes).cast(schema)


def _grouped(words: pa.Table, predicted: Sequence[Predicted]) -> Iterator[tuple[Members, pa.Table]]:
    """Words by the set of partitions that predict their ids."""
    places = id_places(words)
    codes = np.zeros(int(places[-1]) + 1, dtype=np.int64)
    sets: list[Members] = [frozenset()]
    for each in predicted:
        own = codes[each.at]
        for code in np.unique(own).tolist():
            codes[each.at[own == code]] = len(sets)
            sets.append(sets[code] | {(each.model_id, each.partition)})
    of_row = codes[places]
    order = np.argsort(of_row, kind="stable")
    ordered = words.take(pa.array(order))
    found, starts = np.unique(of_row[order], return_index=True)
    ends = [*starts[1:].tolist(), len(order)]
    for code, start, end in zip(found.tolist(), starts.tolist(), ends, strict=True):
        yield sets[code], ordered.slice(start, end - start)


def _distinct(words: pa.Table) -> pa.Table:
    """Each word once: one that was copied to another partition is found twice."""
    return words.group_by(WORD_SCHEMA.names).aggregate([]).select(WORD_SCHEMA.names)
