"""Which bin of a calibration error a score belongs to."""

import numpy as np
import pytest

from dagster_monitoring.statistics.performance import binary_summary
from tests.statistics.labelled_rows import value


def test_edges_of_equal_width_belong_to_the_bin_above():
    """Scores less labels: 0.1 of the first, 0.9 - 1 of the next four, 1.9 - 1 of the last two."""
    score = np.array([0.1, 0.2, 0.2, 0.25, 0.25, 0.9, 1.0])
    label = np.array([False, True, False, False, False, True, False])
    rows = binary_summary(label, label, score)
    assert value("ece", rows) == pytest.approx((0.1 + 0.1 + 0.9) / 7)


def test_bins_of_equal_mass_hold_a_tenth_each():
    score = np.arange(20) / 20
    label = np.tile([True, False], 10)
    rows = binary_summary(label, label, score)
    expected = np.abs((score - label).reshape(10, 2).sum(axis=1)).sum() / 20
    assert value("ece_equal_mass", rows) == pytest.approx(expected)


def test_the_first_two_bins_are_two():
    label = np.array([False, True])
    rows = binary_summary(label, label, np.array([0.05, 0.15]))
    assert value("ece", rows) == pytest.approx((0.05 + 0.85) / 2)
    twenty = binary_summary(np.arange(20) >= 18, np.arange(20) >= 18, np.arange(20) / 100)
    assert value("ece_equal_mass", twenty) == pytest.approx((sum(range(18)) + 163) / 2000)
