"""Samples of rows: uniform, bounded, and the same however the rows come."""

from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare

from dagster_monitoring.profiles.bins import CategoricalBins, build_numeric_bins
from dagster_monitoring.profiles.reading import hash_values
from dagster_monitoring.profiles.sample import RowSample, RowSampler, SamplePlan, mixed

BINS = {"x": build_numeric_bins([0.0, 1.0]), "k": CategoricalBins(vocabulary=("a", "b"))}
PLAN = SamplePlan(columns=("x", "k"), size=50)


def drawn(ids, x, k, *, plan=PLAN, splits=()):
    """The sample of rows that come in pieces."""
    sampler = RowSampler(plan, BINS)
    edges = [0, *splits, len(ids)]
    for start, end in pairwise(edges):
        part = pa.array(ids[start:end], pa.string())
        rows = {"x": np.array(x[start:end], dtype=float), "k": np.array(k[start:end], dtype=int)}
        has_id = np.array([i is not None for i in ids[start:end]], dtype=bool)
        sampler.add(rows, hash_values(part), has_id)
    return sampler.sample()


def bytes_of(sample):
    return sample.ranks.tobytes() + sample.values.tobytes() + str(sample.n_left_out).encode()


def rows(n, seed=0):
    source = np.random.default_rng(seed)
    return [f"p{i}" for i in range(n)], source.normal(size=n), source.integers(0, 4, size=n)


@given(st.lists(st.integers(0, 400), max_size=5), st.permutations(range(400)))
@settings(max_examples=25, deadline=None)
def test_any_split_in_any_order_gives_the_same_bytes(splits, order):
    ids, x, k = rows(400)
    ids[::9] = [None] * len(ids[::9])
    ids[1::50] = ["same"] * len(ids[1::50])
    expected = bytes_of(drawn(ids, x, k))
    assert bytes_of(drawn(ids, x, k, splits=sorted(splits))) == expected
    shuffled = ([ids[i] for i in order], x[list(order)], k[list(order)])
    assert bytes_of(drawn(*shuffled, splits=sorted(splits))) == expected


def test_ranks_are_murmurs_finalizer_of_the_salted_hash():
    hashes = np.random.default_rng(0).integers(0, 2**64, 50, dtype=np.uint64)

    def finalized(key):
        key ^= 0xD1B54A32D192ED03
        for factor in (0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53):
            key = (key ^ key >> 33) * factor % 2**64
        return key ^ key >> 33

    assert mixed(hashes).tolist() == [finalized(key) for key in hashes.tolist()]


@pytest.mark.parametrize("size", [1, 2, 3])
def test_rows_that_come_one_by_one_give_the_same_few(size):
    plan = SamplePlan(columns=("x", "k"), size=size)
    ids, x, k = rows(300)
    ranks = mixed(hash_values(pa.array(ids)))
    sample = drawn(ids, x, k, plan=plan, splits=range(1, 300))
    assert sample.values[:, 0].tolist() == x[np.argsort(ranks)[:size]].tolist()


@pytest.mark.parametrize("splits", [(), (5,), (3, 6), range(1, 9)])
def test_of_rows_of_one_id_those_of_the_lowest_values_are_kept(splits):
    plan = SamplePlan(columns=("x", "k"), size=3)
    x, k = [2.0, 2.0, 7.0, 5.0, 9.0, 1.0, 2.0, 0.5, 8.0], [1, 0, 0, 0, 0, 1, 0, 1, 0]
    sample = drawn(["same"] * 9, x, k, plan=plan, splits=splits)
    assert sample.values.tolist() == [[0.5, 1.0], [1.0, 1.0], [2.0, 0.0]]


def test_rows_of_one_id_are_in_order_behind_those_of_a_lower_rank():
    plan = SamplePlan(columns=("x", "k"), size=3)
    low, high = sorted("ab", key=lambda name: mixed(hash_values(pa.array([name])))[0])
    sample = drawn([high, high, low, high], [3.0, 2.0, 9.0, 1.0], [0] * 4, plan=plan)
    assert sample.values[:, 0].tolist() == [9.0, 1.0, 2.0]


def test_fewer_rows_than_a_sample_has_wait_to_be_added():
    ids, x, k = rows(200)
    sampler = RowSampler(PLAN, BINS)
    for start in range(0, 200, 25):
        part = slice(start, start + 25)
        columns = {"x": x[part], "k": k[part]}
        sampler.add(columns, hash_values(pa.array(ids[part])), np.ones(25, dtype=bool))
        assert sum(held.n for held in sampler._held) < PLAN.size
    assert bytes_of(sampler.sample()) == bytes_of(drawn(ids, x, k))


def test_samples_of_parts_add_up_to_the_sample_of_the_whole():
    ids, x, k = rows(900)
    ids[::100] = ["same"] * 9
    parts = (slice(0, 300), slice(300, 310), slice(310, 900))
    a, b, c = (drawn(ids[part], x[part], k[part]) for part in parts)
    whole = bytes_of(drawn(ids, x, k))
    assert bytes_of((a + b) + c) == bytes_of(c + (b + a)) == whole
    assert bytes_of(a + RowSample.empty(PLAN)) == bytes_of(a)
    nameless = drawn([None] * 4, x[:4], k[:4])
    assert (nameless + nameless + a).n_left_out == 8
    with pytest.raises(ValueError, match="do not add"):
        a + RowSample.empty(SamplePlan(columns=("x",)))


def test_it_holds_the_rows_of_the_lowest_hashes_with_their_own_values():
    ids, x, k = rows(1000)
    sample = drawn(ids, x, k, splits=(400,))
    ranks = mixed(hash_values(pa.array(ids)))
    lowest = np.argsort(ranks)[:50]
    assert sample.ranks.tolist() == ranks[lowest].tolist()
    assert sample.values[:, 0].tolist() == x[lowest].tolist()
    codes = {0: 0.0, 1: 1.0, 2: -1.0, 3: None}
    found = [None if np.isnan(v) else v for v in sample.values[:, 1]]
    assert found == [codes[v] for v in k[lowest].tolist()]


def test_each_row_is_as_likely_as_any_other():
    """Ids that count up: how often each tenth of the rows is drawn, over a hundred days."""
    tenths = np.zeros(10)
    plan = SamplePlan(columns=("x",), size=50)
    for day in range(100):
        ids = [f"day{day}-{i}" for i in range(500)]
        sample = drawn(ids, np.arange(500), np.zeros(500), plan=plan)
        tenths += np.bincount((sample.values[:, 0] // 50).astype(int), minlength=10)
    assert tenths.sum() == 5000
    assert chisquare(tenths).pvalue > 0.001


def test_rows_without_an_id_are_counted_and_values_have_one_form():
    other_nan = np.array([0x7FF8000000000001], dtype=np.uint64).view(np.float64)[0]
    given = [-0.0, 1.0, other_nan, np.inf, -np.inf]
    sample = drawn(["1", None, "2", "3", "4"], given, [0, 0, 2, 3, 1])
    assert (sample.n, sample.n_left_out) == (4, 1)
    ranks = mixed(hash_values(pa.array(["1", "2", "3", "4"]))).tolist()
    zero, nan, huge, least = (sample.values[sample.ranks.tolist().index(rank), 0] for rank in ranks)
    assert not np.signbit(zero)
    assert nan.tobytes() == np.float64(np.nan).tobytes()
    assert 1e100 < huge == -least < np.inf
    kept = sample.rows(("k",), BINS)
    assert (kept.columns, kept.categorical, kept.values.shape) == (("k",), (True,), (4, 1))
