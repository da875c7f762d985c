"""The sampling errors that data-quality metrics state, against slices drawn anew."""

from __future__ import annotations

import numpy as np
import pytest

from dagster_monitoring.monitors.quality import QualityValue, Subject, quality_metric
from dagster_monitoring.monitors.quality import quality_metrics as catalogue
from dagster_monitoring.profiles.bins import CategoricalBins, build_numeric_bins
from dagster_monitoring.profiles.column import CategoricalColumn, NumericColumn
from dagster_monitoring.profiles.fixed_sums import FixedSums
from dagster_monitoring.profiles.names import NameCounts
from dagster_monitoring.profiles.profile import Profile

DRAWS = 1_500
ROWS = 500
NOTHING = Profile()
BINS = build_numeric_bins([0.0, 1.0, 2.0, 3.0])
VOCABULARY = CategoricalBins(vocabulary=tuple(f"c{i}" for i in range(40)))


def table(**counts: int) -> Subject:
    return Subject(slice=Profile(rows=ROWS, **counts), baseline=NOTHING)


def numbers(*, outside: int = 0, **faults: int) -> Subject:
    counts = np.zeros(len(BINS.edges) + 1, dtype=np.int64)
    counts[np.searchsorted(BINS.edges, 2.0, side="right")] = ROWS - outside - sum(faults.values())
    counts[-1] = outside
    column = NumericColumn(
        counts=counts,
        sums=FixedSums.zeros(len(counts), exponent=BINS.exponent),
        sum_squares=FixedSums.zeros(1, exponent=BINS.squares_exponent),
        **faults,
    )
    return Subject(slice=NOTHING, baseline=NOTHING, bins=BINS, column=column)


def names(counts: list[int], *, unseen: int = 0, before: list[int] | None = None) -> Subject:
    def column(known: list[int], new: int) -> CategoricalColumn:
        own = np.array(known, dtype=np.int64)
        return CategoricalColumn(counts=own, unseen=NameCounts.of({"new": new} if new else {}))

    return Subject(
        slice=NOTHING,
        baseline=NOTHING,
        bins=VOCABULARY,
        column=column(counts, unseen),
        before=column(before, 0) if before else None,
    )


def zipf(size: int) -> np.ndarray:
    return np.arange(1, size + 1) ** -1.0 / (np.arange(1, size + 1) ** -1.0).sum()


SHARES = {
    "bad_timestamps": lambda k: table(n_bad_timestamps=k),
    "duplicate_ids": lambda k: table(n_duplicate_ids=k),
    "outside_partition": lambda k: table(n_outside_partition=k),
    "missing_share": lambda k: numbers(n_null=k),
    "non_finite": lambda k: numbers(n_positive_infinite=k),
    "type_faults": lambda k: numbers(n_type_fault=k),
    "out_of_range": lambda k: numbers(outside=k),
    "new_categories": lambda k: names([ROWS - k], unseen=k),
    "vanished_categories": lambda k: names([ROWS, 0], before=[ROWS - k, k]),
}


def measured(metric: str, subject: Subject) -> QualityValue:
    value = quality_metric(metric).compute(subject)
    assert isinstance(value, QualityValue)
    return value


@pytest.mark.parametrize("share", [0.05, 0.3])
@pytest.mark.parametrize("metric", SHARES)
def test_a_shares_error_is_how_much_it_varies_from_slice_to_slice(metric, share):
    drawn = np.random.default_rng(1).binomial(ROWS, share, size=DRAWS).tolist()
    found = [measured(metric, SHARES[metric](k)) for k in drawn]
    spread = np.std([value.value for value in found])
    assert np.mean([value.standard_error for value in found]) == pytest.approx(spread, rel=0.06)


@pytest.mark.parametrize("metric", SHARES)
def test_a_share_of_none_is_not_known_for_sure(metric):
    value = measured(metric, SHARES[metric](0))
    assert value.value == 0.0
    # With no fault in n rows a share of 3 / n is still likely (the "rule of three").
    assert 1 / ROWS < value.standard_error < 3 / ROWS


def test_new_categories_has_the_error_of_both_shares_when_the_baselines_is_taken_off():
    rng = np.random.default_rng(2)
    found = []
    for now, then in rng.binomial(ROWS, [0.4, 0.1], size=(DRAWS, 2)).tolist():
        subject = names([ROWS - now], unseen=now)
        before = CategoricalColumn(
            counts=np.array([ROWS - then]), unseen=NameCounts.of({"rare": then})
        )
        found.append(
            measured(
                "new_categories",
                Subject(
                    slice=NOTHING,
                    baseline=NOTHING,
                    bins=VOCABULARY,
                    column=subject.column,
                    before=before,
                ),
            )
        )
    spread = np.std([value.value for value in found])
    assert np.mean([value.standard_error for value in found]) == pytest.approx(spread, rel=0.06)


@pytest.mark.parametrize("usual", [400.0, 4.0])
def test_row_volumes_error_is_that_of_a_poisson_count(usual):
    drawn = np.random.default_rng(3).poisson(usual, size=DRAWS).tolist()
    found = [
        measured("row_volume", Subject(slice=Profile(rows=k), baseline=NOTHING, usual_rows=usual))
        for k in drawn
    ]
    spread = np.std([value.value for value in found])
    assert np.mean([value.standard_error for value in found]) == pytest.approx(spread, rel=0.1)


@pytest.mark.parametrize(
    "shares",
    [np.full(40, 1 / 40), np.full(300, 1 / 300), np.full(2_000, 1 / 2_000), zipf(500)],
    ids=["all seen", "most seen", "few seen", "Zipf"],
)
def test_cardinalitys_error_is_how_much_the_number_of_names_varies(shares):
    rng = np.random.default_rng(4)
    found = []
    for _ in range(400):
        # A number of rows that varies too: each name then comes by itself.
        counts = rng.poisson(ROWS * shares)
        known = counts[: len(VOCABULARY.vocabulary)].tolist()
        new = {f"n{i}": int(c) for i, c in enumerate(counts[len(known) :]) if c}
        column = CategoricalColumn(counts=np.array(known), unseen=NameCounts.of(new))
        subject = Subject(slice=NOTHING, baseline=NOTHING, column=column)
        found.append(measured("cardinality", subject))
    spread = np.std([value.value for value in found])
    errors = np.mean([value.standard_error for value in found])
    assert errors == pytest.approx(spread, rel=0.15, abs=0.02)


def test_a_cardinality_that_is_estimated_has_the_estimates_error_too():
    found = []
    for draw in range(60):
        new = {f"{draw}-{i}": 50 for i in range(5_000)}
        column = CategoricalColumn(counts=np.zeros(1, np.int64), unseen=NameCounts.of(new))
        subject = Subject(slice=NOTHING, baseline=NOTHING, column=column)
        found.append(measured("cardinality", subject))
    spread = np.sqrt(np.mean([(value.value - 5_000) ** 2 for value in found]))
    assert np.mean([value.standard_error for value in found]) == pytest.approx(spread, rel=0.3)


def test_every_metric_says_how_its_error_is_got_and_counts_of_columns_have_none():
    faulty = Profile(extra_columns=("debug",), missing_columns=("age",))
    subject = Subject(slice=faulty, baseline=NOTHING)
    exact = ("extra_columns", "missing_columns")
    simulated = {*SHARES, "row_volume", "cardinality"}
    assert simulated | {*exact} == {*catalogue()}
    for name, metric in catalogue().items():
        assert metric.error_method.startswith("exact") == (name in exact)
    for name in exact:
        assert measured(name, subject).value == 1.0
        assert measured(name, subject).standard_error is None
