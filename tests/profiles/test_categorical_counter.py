"""A categorical counter's rows, held to plain counting of names."""

from __future__ import annotations

from collections import Counter
from types import ModuleType

import numpy as np
import pyarrow as pa
import pytest

from dagster_monitoring.profiles.bins import SEGMENT_CATEGORIES, CategoricalBins
from dagster_monitoring.profiles.engines import compiled, local
from dagster_monitoring.profiles.engines.categorical import CategoricalCounter
from dagster_monitoring.profiles.engines.cubes import Cube, SegmentRows
from dagster_monitoring.profiles.names import MAX_LENGTH, short

KERNELS = [pytest.param(local, id="numpy"), pytest.param(compiled, id="compiled")]
SIZES = (2, 3)
LONG, OTHER_LONG, JUST = "x" * 300, "x" * 299 + "y", "z" * MAX_LENGTH
VOCABULARY = ("Oslo", "Rome", short(LONG), JUST)
FOREIGN = ["Lima", OTHER_LONG, "z" * (MAX_LENGTH - 1), JUST + "z"]


def encoded(names: list[str | None], dictionary: list[str | None]) -> pa.DictionaryArray:
    codes = [None if name is None else dictionary.index(name) for name in names]
    return pa.DictionaryArray.from_arrays(pa.array(codes, pa.int32()), pa.array(dictionary))


def segments(n: int, seed: int) -> SegmentRows:
    source = np.random.default_rng(seed)
    return SegmentRows([source.integers(0, size, n) for size in SIZES], SIZES)


def place_of(name: str | None) -> int:
    size = len(VOCABULARY)
    if name is None:
        return size + 1
    return VOCABULARY.index(short(name)) if short(name) in VOCABULARY else size


@pytest.mark.parametrize("loops", KERNELS)
@pytest.mark.parametrize("most", [0, 6])
def test_rows_are_counted_by_name_and_segment(loops: ModuleType, most: int) -> None:
    """Two dictionaries in turn: each name of the vocabulary, foreign ones, nulls of both kinds."""
    source = np.random.default_rng(1)
    known = ["Rome", LONG, "Lima", "Oslo", OTHER_LONG]
    dictionaries = [known, [*known[::-1], JUST, *FOREIGN[2:]], known]
    counter = CategoricalCounter(
        CategoricalBins(vocabulary=VOCABULARY), Cube.within(SIZES, most=most)
    )
    seen: list[str | None] = []
    rows: list[SegmentRows] = []
    for at, dictionary in enumerate([*dictionaries, *dictionaries]):
        names = [None, *source.choice([*dictionary, None], 60).tolist(), *dictionary]
        own = segments(len(names), at)
        place = counter.places(encoded(names, dictionary), loops)
        assert place.tolist() == [place_of(name) for name in names]
        counter.add_segments(place, own, loops)
        seen += names
        rows.append(own)
        # What was counted can be asked for at any time.
        assert counter.column().rows == len(seen)
    column, found = counter.column(), Counter(map(place_of, seen))
    assert column.counts.tolist() == [found[i] for i in range(len(VOCABULARY))]
    assert {column.counts.dtype, *(b.faults.dtype for b in counter.blocks())} == {np.dtype("int64")}
    assert (column.n_null, column.n_type_fault) == (seen.count(None), 0)
    new = Counter(short(n) for n in seen if n is not None and place_of(n) == len(VOCABULARY))
    assert column.unseen.counts == dict(sorted(new.items()))
    for at, (block, size) in enumerate(zip(counter.blocks(), SIZES, strict=True)):
        segment = np.concatenate([own.places[at] for own in rows])
        table = np.zeros((size, len(VOCABULARY) + 2), dtype=np.int64)
        np.add.at(table, (segment, [place_of(name) for name in seen]), 1)
        assert block.counts.tolist() == table[:, :-2].tolist()
        assert block.faults.tolist() == [[*row, 0] for row in table[:, -2:].tolist()]


def test_a_null_in_the_dictionary_is_a_null_beside_long_names() -> None:
    counter = CategoricalCounter(CategoricalBins(vocabulary=VOCABULARY), Cube.within((), most=6))
    dictionary = pa.array([OTHER_LONG, None, LONG, "Oslo"])
    codes = pa.array([0, 1, 2, 3, 1, None], pa.int32())
    place = counter.places(pa.DictionaryArray.from_arrays(codes, dictionary))
    assert place.tolist() == [4, 5, 2, 0, 5, 5]
    column = counter.column()
    assert (column.counts.tolist(), column.n_null) == ([1, 0, 1, 0], 3)
    assert column.unseen.counts == {short(OTHER_LONG): 1}


def test_rows_of_no_category_are_counted_apart_and_their_nulls_are_nulls() -> None:
    counter = CategoricalCounter(CategoricalBins(vocabulary=VOCABULARY), Cube.within(SIZES, most=6))
    expected = [np.zeros((size, 2), dtype=np.int64) for size in SIZES]
    for seed in (1, 2):
        null, rows = np.random.default_rng(seed).random(9) < 0.4, segments(9, seed)
        # The last segment of the second column stays without a row.
        rows = SegmentRows([rows.places[0], np.minimum(rows.places[1], 1)], SIZES)
        counter.add_wrong(null, rows)
        for table, place in zip(expected, rows.places, strict=True):
            np.add.at(table, (place, (~null).astype(int)), 1)
    column = counter.column()
    assert (column.n_null, column.n_type_fault) == tuple(expected[0].sum(axis=0).tolist())
    assert (column.counts.sum(), column.unseen.total) == (0, 0)
    for block, table in zip(counter.blocks(), expected, strict=True):
        assert not block.counts.any()
        assert block.faults.tolist() == [[0, null, wrong] for null, wrong in table.tolist()]


@pytest.mark.parametrize("size", [SEGMENT_CATEGORIES, SEGMENT_CATEGORIES + 2])
def test_names_beyond_those_of_segments_are_others_there(size: int) -> None:
    names = [f"n{i}" for i in range(size)]
    counter = CategoricalCounter(
        CategoricalBins(vocabulary=tuple(names)), Cube.within((1,), most=6)
    )
    own: list[str | None] = [*names, None, "new", "new"]
    array = encoded(own, [*names, "new"])
    rows = SegmentRows([np.zeros(len(own), dtype=np.intp)], (1,))
    counter.add_segments(counter.places(array), rows, local)
    (block,) = counter.blocks()
    assert block.counts.tolist() == [[1] * SEGMENT_CATEGORIES]
    assert block.faults.tolist() == [[2 + size - SEGMENT_CATEGORIES, 1, 0]]
    assert counter.column().counts.tolist() == [1] * size


def test_without_a_vocabulary_all_names_are_new() -> None:
    counter = CategoricalCounter(CategoricalBins(vocabulary=()), Cube.within((), most=6))
    assert counter.places(encoded(["a", None, "a"], ["a", "b"])).tolist() == [0, 1, 0]
    column = counter.column()
    assert (column.counts.tolist(), column.n_null) == ([], 1)
    assert column.unseen.counts == {"a": 2}
