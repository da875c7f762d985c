"""Rows as boosted trees take them, and folds."""

from __future__ import annotations

import numpy as np

from dagster_monitoring.statistics.multivariate import SampledRows
from dagster_monitoring.statistics.trees import FOLDS, folds, prepared


def test_codes_are_at_most_254_and_numbers_stay_as_they_are() -> None:
    """New names are the last code, rare ones the one before, missing ones stay missing."""
    codes, numbers = [0.0, 1.0, 252.0, 253.0, 900.0, -1.0, np.nan], [-7.0, 0.0, 900.0, *[1.5] * 4]
    values = np.column_stack([numbers, codes])
    rows = SampledRows(columns=("x", "c"), categorical=(False, True), values=values)
    found = prepared(rows)
    assert found[:, 0].tolist() == numbers
    assert found[:-1, 1].tolist() == [0.0, 1.0, 252.0, 253.0, 253.0, 254.0]
    assert np.isnan(found[-1, 1])
    assert values[5, 1] == -1.0


def test_folds_are_whole_numbers_of_equal_share_on_both_sides() -> None:
    sides = np.arange(57) % 3 == 0
    found = folds(sides)
    assert found.dtype == np.int64
    for own in (sides, ~sides):
        counts = np.bincount(found[own], minlength=FOLDS)
        assert counts.max() - counts.min() <= 1
    assert not np.array_equal(found[sides], np.sort(found[sides]))
