"""Hashes of many texts at once are those that plain integers make of each."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dagster_monitoring.profiles.hashing import hash_names

BITS = 2**64 - 1
GOLDEN = 0x9E3779B97F4A7C15
MIX = 0xBF58476D1CE4E5B9


def expected(name: str) -> int:
    """The hash by its definition; what is left of a word is shifted to its top."""
    data = name.encode("utf-8", "surrogatepass")
    value = len(data) * MIX & BITS
    for at in range(0, len(data), 8):
        word = data[at : at + 8]
        mixed = (value ^ int.from_bytes(word.rjust(8, b"\0"), "little")) * GOLDEN & BITS
        value = mixed ^ mixed >> 32
    value = value * MIX & BITS
    return value ^ value >> 29


@given(st.lists(st.text(max_size=30)))
@example([])
@example(["", "a", "exactly8", "exactly sixteen!", "seventeen letters", "Zürich", "\ud800"])
@example(["exactly8", "another8"])
@example(["exactly8", "exactly sixteen!"])
@example(["ends in the last word", "b"])
def test_hashes_are_those_of_plain_integers(names: list[str]) -> None:
    assert hash_names(names).tolist() == [expected(name) for name in names]


@pytest.mark.parametrize("length", range(26))
def test_no_text_is_hashed_with_bytes_of_the_next(length: int) -> None:
    name = "x" * length
    assert hash_names([name, "y"])[0] == hash_names([name, "z"])[0] == expected(name)
