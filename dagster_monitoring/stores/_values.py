"""Labels of any type as text that compares as they do, and back."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

# The first letter is the kind. A label that is missing is the empty text: it takes back an
# earlier one. Whole numbers are written alike whether they came as integers or as floats, since a
# nullable integer column turns into floats on its way through pandas.
NUMBER, BOOLEAN, TEXT = "n", "b", "s"
_KINDS = {NUMBER: "numbers", BOOLEAN: "true/false", TEXT: "text"}
_LARGEST_EXACT = 2.0**53


def encode(values: pa.Array) -> pa.Array:
    """Labels as text; null, NaN and infinite ones as the empty text.

    Args:
        values: numbers, booleans, text, or anything that can be cast to text.

    Example:
        >>> encode(pa.array([1.0, 0.5, None])).to_pylist()
        ['n1', 'n0.5', '']
    """
    kind = values.type
    if pa.types.is_null(kind):
        texts, prefix = values.cast(pa.string()), TEXT
    elif pa.types.is_boolean(kind):
        texts, prefix = values.cast(pa.string()), BOOLEAN
    elif pa.types.is_integer(kind):
        texts, prefix = values.cast(pa.string()), NUMBER
    elif pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        texts, prefix = _float_texts(values.cast(pa.float64())), NUMBER
    else:
        texts, prefix = values.cast(pa.string()), TEXT
    return pc.fill_null(pc.binary_join_element_wise(pa.scalar(prefix), texts, ""), "")


def decode(texts: pa.Array) -> pa.Array:
    """What :func:`encode` was given: int64, float64, boolean or text; never empty texts.

    Numbers stay whole where all are. Where a label's type changed between deliveries, text that
    reads as numbers counts as numbers; what does not makes all of them text.

    Example:
        >>> decode(pa.array(["n1", "n0.5"])).to_pylist(), decode(pa.array(["n1", "s2"])).to_pylist()
        ([1.0, 0.5], [1, 2])
    """
    kinds = set(pc.unique(pc.utf8_slice_codeunits(texts, 0, 1)).to_pylist())
    values = pc.utf8_slice_codeunits(texts, 1)
    if not kinds:
        return pa.nulls(0)
    if kinds == {BOOLEAN}:
        return values.cast(pa.bool_())
    if NUMBER in kinds and kinds <= {NUMBER, TEXT}:
        return _numbers(values)
    return values


def kinds_of(texts: pa.Array) -> tuple[str, ...]:
    """What the labels are, in words, sorted; labels that are missing are not counted.

    Example:
        >>> kinds_of(pa.array(["n1", "", "syes"]))
        ('numbers', 'text')
    """
    first = pc.unique(pc.utf8_slice_codeunits(texts, 0, 1)).to_pylist()
    return tuple(sorted(_KINDS[kind] for kind in first if kind))


def _float_texts(values: pa.Array) -> pa.Array:
    finite = pc.if_else(pc.is_finite(values), values, pa.scalar(None, pa.float64()))
    whole = pc.and_(
        pc.equal(pc.floor(finite), finite), pc.less(pc.abs(finite), pa.scalar(_LARGEST_EXACT))
    )
    integers = pc.if_else(whole, finite, pa.scalar(None, pa.float64())).cast(pa.int64())
    return pc.coalesce(integers.cast(pa.string()), finite.cast(pa.string()))


def _numbers(values: pa.Array) -> pa.Array:
    for kind in (pa.int64(), pa.float64()):
        try:
            return values.cast(kind)
        except pa.ArrowInvalid:
            continue
    return values
