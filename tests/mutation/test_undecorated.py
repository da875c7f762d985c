"""A module whose decorators were taken off does what it did."""

from __future__ import annotations

from tests.mutation.undecorated import undecorated

SOURCE = '''
from functools import cache, cached_property, lru_cache

class Sides:
    def __init__(self, n):
        self.n = n

    @property
    def area(self):
        """Of a square."""
        return self.n**2

    @cached_property
    def list(self):
        return [
            self.area,
        ]

    @classmethod
    def of(cls, n):
        return cls(n)

@lru_cache(
    maxsize=4,
)
def half(n):
    return [n / 2]

@cache
def whole(n): return [n]
'''


def test_properties_and_caches_are_assigned_and_class_methods_stay() -> None:
    text = undecorated(SOURCE)
    for line in (
        "    area = property(raw_area)",
        "    list = cached_property(raw_list)",
        "half = lru_cache(maxsize=4)(raw_half)",
        "whole = cache(raw_whole)",
    ):
        assert f"\n{line}\n" in f"{text}\n"
    assert text.count("@") == text.count("@classmethod") == 1
    module: dict[str, object] = {}
    exec(text, module)  # noqa: S102 - the text above
    found = eval("(Sides.of(3).area, Sides(2).list, half(3), half(3) is half(3), whole(1))", module)  # noqa: S307
    assert found == (9, [4], [1.5], True, [1])
