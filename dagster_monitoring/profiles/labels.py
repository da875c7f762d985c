"""Labels looked up by the id of a prediction, and classes compared as text."""

from __future__ import annotations

import math
import re

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from dagster_monitoring.arrays import is_null
from dagster_monitoring.errors import SchemaMismatchError
from dagster_monitoring.profiles.reading import (
    Floats,
    WrongType,
    as_text,
    decode,
    hash_values,
    id_text,
    read_names,
    read_numbers,
)
from dagster_monitoring.schema import ClassLabel

Places = npt.NDArray[np.intp]

_WHOLE = re.compile(r"(-?\d+)\.0+")


class LabelIndex:
    """Finds the labels of predictions.

    Args:
        labels: columns ``prediction_id`` (text or integers, one row an id) and ``label``;
            ``available_at`` too where it is known.

    Raises:
        SchemaMismatchError: a column is missing.
    """

    def __init__(self, labels: pa.Table) -> None:
        for name in ("prediction_id", "label"):
            if name not in labels.column_names:
                raise SchemaMismatchError(
                    f"the table of labels has no column {name!r}: it has {labels.column_names}"
                )
        labels = labels.filter(
            pc.and_(labels["prediction_id"].is_valid(), labels["label"].is_valid())
        )
        self._ids = _text(_whole(labels["prediction_id"]))
        self.label = _whole(labels["label"])
        self._available: pa.Array | None = None
        if "available_at" in labels.column_names:
            self._available = _whole(labels["available_at"])
            if not pa.types.is_null(self._available.type):
                self._available = self._available.cast(pa.timestamp("us", tz="UTC"), safe=False)
        hashes = hash_values(self._ids)
        self._order = np.argsort(hashes, kind="stable")
        self._hashes = hashes[self._order]

    def find(self, ids: pa.Array) -> Places:
        """The row of each id's label, -1 where it has none; shape ``(n,)``.

        Ids of a type that is no text have none.
        """
        found = np.full(len(ids), -1, dtype=np.intp)
        text = id_text(ids)
        if isinstance(text, WrongType) or not len(self._hashes):
            return found
        valid = np.flatnonzero(~is_null(text)) if text.null_count else np.arange(len(text))
        if not len(valid):
            return found
        text = text.drop_null()
        at = np.searchsorted(self._hashes, hash_values(text))
        place = self._order[np.minimum(at, len(self._hashes) - 1)]
        # Equal hashes of different ids would be a wrong label: compare the ids themselves.
        same = pc.equal(self._ids.take(pa.array(place)), text)
        found[valid] = np.where(same.to_numpy(zero_copy_only=False), place, -1)
        return found

    def available(self, rows: Places) -> pa.Array | None:
        """When each of these labels reached us, in UTC; null of -1; ``None``: not known of any."""
        if self._available is None or pa.types.is_null(self._available.type):
            return None
        return self._available.take(pa.array(rows, mask=rows < 0))


def class_names(array: pa.Array, *, whole: bool = True) -> tuple[list[str], Places]:
    """Distinct names as text, and the place of each row's name in them, -1 if missing.

    A column whose type is no class is all missing. With ``whole`` 1, 1.0 and ``"1.0"`` are one
    class.
    """
    names = read_names(array)
    if isinstance(names, WrongType):
        return [], np.full(len(array), -1, dtype=np.intp)
    text = as_text(names.dictionary)
    valid = np.flatnonzero(~is_null(text))
    entries = [class_text(name) if whole else name for name in decode(text)]
    classes = sorted(set(entries))
    place = {name: i for i, name in enumerate(classes)}
    mapping = np.full(len(text) + 1, -1, dtype=np.intp)
    mapping[valid] = [place[entry] for entry in entries]
    codes = names.indices.cast(pa.int64()).fill_null(len(text))
    rows: Places = mapping[codes.to_numpy()]
    return classes, rows


def class_text(name: str) -> str:
    """A class as text, whole numbers without decimals."""
    whole = _WHOLE.fullmatch(name)
    return whole[1] if whole else name


def is_class(name: str, given: ClassLabel) -> bool:
    """Whether a class's text means the declared value; true is 1 and false is 0.

    Example:
        >>> is_class("true", 1), is_class("1", True), is_class("yes", "yes"), is_class("2", 1)
        (True, True, True, False)
    """
    if given in (0, 1):
        return name.lower() in (("1", "true") if given else ("0", "false"))
    return name == class_text(str(given))


def read_values(array: pa.Array) -> Floats:
    """Numbers, also where they are text; NaN where one is missing or none."""
    numbers = read_numbers(array)
    if not isinstance(numbers, WrongType):
        return numbers.values
    names, rows = class_names(array, whole=False)
    values = np.array([*map(_number, names), np.nan])
    given: Floats = values[rows]
    return given


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def _whole(column: pa.ChunkedArray) -> pa.Array:
    """One array; dictionaries of different chunks are decoded first."""
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    return column.combine_chunks()


def _text(ids: pa.Array) -> pa.Array:
    return ids if pa.types.is_large_string(ids.type) else ids.cast(pa.large_string())
