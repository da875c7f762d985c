from __future__ import annotations

import hashlib
from collections import Counter

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dagster_monitoring.profiles import names
from dagster_monitoring.profiles.names import NameCounts, add_all, count_names, short

tallies = st.dictionaries(st.text(max_size=3), st.integers(1, 9), max_size=12)


@settings(max_examples=100, deadline=None)
@given(a=tallies, b=tallies, c=tallies, kept=st.integers(1, 6))
def test_adding_is_associative_and_commutative_and_exact_for_what_is_kept(
    a: dict[str, int], b: dict[str, int], c: dict[str, int], kept: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(names, "MAX_NAMES", kept)
        x, y, z = map(NameCounts.of, (a, b, c))
        assert (x + y) + z == x + (y + z) == (z + y) + x
        assert x + NameCounts() == x
        whole = Counter(a) + Counter(b) + Counter(c)
        total = x + y + z
        assert total == NameCounts.of(whole)
        assert total.total == whole.total()
        assert all(whole[name] == count for name, count in total.counts.items())
        assert len(total.counts) == min(len(whole), kept)


def test_distinct_names_are_exact_when_few_and_near_when_many() -> None:
    assert NameCounts.of({str(i): 1 for i in range(900)}).distinct == 900
    many = NameCounts.of({f"name {i}": 1 for i in range(50_000)})
    assert len(many.counts) == 1_000
    assert many.rest == 49_000
    assert many.distinct == pytest.approx(50_000, rel=0.12)


@pytest.mark.parametrize(
    "texts",
    [
        ["a", "b", "a", ""],
        ["a", "b", "c", "d", "e"],
        ["a", "b", "c", "d", "e", "f"],
        [f"name {i % 40}" for i in range(100)],
        [f"name {i % 5}" for i in range(100)],
        ["x" * 190 + f"{i:010}" for i in range(40)],
        [*("x" * 400 + f"{i % 30}" for i in range(60)), "short"],
        [*(f"name {i}".encode() for i in range(40)), *[b"caf\xe9", b"caf\xe8"] * 3],
        [],
    ],
    ids=["few", "as many as kept", "one more", "many", "many times", "200", "long", "bytes", "no"],
)
def test_names_are_counted_alike_however_many_texts_there_are(
    texts: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(names, "MAX_NAMES", 5)
    array = pa.array(texts, pa.binary()).view(pa.string())
    counts = np.arange(1, len(texts) + 1)
    expected: Counter[str] = Counter()
    for text, count in zip(array.cast(pa.binary()).to_pylist(), counts.tolist(), strict=True):
        expected[short(text.decode("utf-8", "replace"))] += count
    found = count_names(array, counts)
    assert found == NameCounts.of(expected)
    assert type(found.total) is int


def test_any_number_of_them_adds_up() -> None:
    assert add_all([]) == NameCounts()
    parts = [NameCounts.of({"a": 1}), NameCounts.of({"b": 2}), NameCounts.of({"a": 4})]
    assert add_all(iter(parts)) == NameCounts.of({"a": 5, "b": 2})


def test_a_name_of_lone_surrogates_is_a_name_like_any_other() -> None:
    strange = "\ud800" * 300
    assert len(short(strange)) == 200
    assert len(NameCounts.of({strange[:100] + str(i): 1 for i in range(1_100)}).counts) == 1_000


def test_a_long_name_is_cut_and_stays_distinct() -> None:
    first, second = short("x" * 500 + "a"), short("x" * 500 + "b")
    assert len(first) == 200
    assert first != second
    assert short("<b>\n") == "<b>\n"
    assert short("y" * 200) == "y" * 200
    digest = hashlib.blake2b(b"y" * 201, digest_size=8).hexdigest()
    assert short("y" * 201) == "y" * 182 + "…#" + digest
