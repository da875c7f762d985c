"""What profiles keep of whole rows: the same for any split, kept in files, added up."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dagster_monitoring.errors import BaselineError
from dagster_monitoring.profiles.baseline import build_baseline
from dagster_monitoring.profiles.encoded import RowEncoder
from dagster_monitoring.profiles.encoding import to_bytes
from dagster_monitoring.profiles.profile import Profile, merge
from dagster_monitoring.profiles.projecting import RowNeeds
from dagster_monitoring.profiles.reading import hash_values
from dagster_monitoring.profiles.row_serialization import read_plan, sample_columns, write_plan
from dagster_monitoring.profiles.sample import SamplePlan, mixed
from dagster_monitoring.profiles.scan import scan
from dagster_monitoring.profiles.serialization import from_table, to_table
from dagster_monitoring.profiles.storage import ProfileStorage
from tests.profiles.conftest import COLUMNS, TASK, make_rows, reader

CHOICES = (("size", "grade", "city"), ("grade", "score", "guess"))
SAMPLED = ("size", "city", "score")


def built(training, **needs):
    return build_baseline(
        reader(training),
        columns=COLUMNS,
        task=TASK,
        segments=["city"],
        model_version="v1",
        rows=RowNeeds(**needs),
    )


@pytest.fixture(scope="module")
def keeping(training):
    return built(training, projections=CHOICES, sampled=SAMPLED)


def profile(batches, baseline):
    return scan(batches, bins=baseline.bins, columns=COLUMNS)


def cut(batch, at):
    edges = [0, *sorted(at), batch.num_rows]
    return [batch.slice(a, b - a) for a, b in pairwise(edges)]


@given(st.lists(st.integers(0, 4000), max_size=6), st.randoms())
@settings(max_examples=15, deadline=None)
def test_any_split_of_a_slice_gives_the_same_bytes(keeping, at, source):
    rows = make_rows(4000, seed=3)
    expected = to_bytes(to_table(profile([rows], keeping)))
    parts = cut(rows, at)
    source.shuffle(parts)
    assert to_bytes(to_table(profile(parts, keeping))) == expected
    apart = [profile([part], keeping) for part in parts]
    together = merge(apart)
    assert together.errors == profile([rows], keeping).errors
    assert together.sample is not None
    assert to_bytes(to_table(merge([together, Profile()]))) == to_bytes(to_table(together))


def test_errors_are_those_of_the_rows_one_by_one(keeping):
    rows = make_rows(700, seed=4)
    found = profile([rows], keeping)
    for projection in keeping.bins.projections:
        encoder = RowEncoder({n: keeping.bins.columns[n] for n in projection.columns})
        errors = projection.errors(encoder.encode(rows))
        own = found.errors[projection.key]
        assert (own.n, own.n_left_out) == (700, 0)
        assert own.mean == pytest.approx(errors.mean(), rel=1e-12)


def test_the_sample_holds_rows_as_they_were(keeping):
    rows = make_rows(3000, seed=5)
    sample = profile([rows], keeping).sample
    ranks = mixed(hash_values(rows["id"]))
    lowest = np.argsort(ranks)[:2000]
    assert sample.ranks.tolist() == ranks[lowest].tolist()
    size = rows["size"].to_numpy(zero_copy_only=False)[lowest]
    assert np.array_equal(sample.values[:, 0], size, equal_nan=True)
    vocabulary = keeping.bins.columns["city"].vocabulary
    names = [None if np.isnan(code) else vocabulary[int(code)] for code in sample.values[:, 1]]
    assert names == rows["city"].take(pa.array(lowest)).to_pylist()


def test_rows_that_lack_a_column_or_an_id_are_counted_apart(keeping):
    whole, lacking = make_rows(300, seed=6), make_rows(200, seed=7).drop_columns(["size"])
    wrong = make_rows(100, seed=8)
    wrong = wrong.set_column(2, "size", pa.array(["big"] * 100))
    found = profile([whole, lacking, wrong], keeping)
    with_size, without = (found.errors[p.key] for p in keeping.bins.projections)
    assert (with_size.n, with_size.n_left_out) == (300, 300)
    assert (without.n, without.n_left_out) == (600, 0)
    assert (found.sample.n, found.sample.n_left_out) == (300, 300)
    ids = [None, *whole["id"].to_pylist()[1:]]
    for given_ids in (pa.array(ids), pa.array(ids).dictionary_encode()):
        nameless = profile([whole.set_column(0, "id", given_ids)], keeping).sample
        assert (nameless.n, nameless.n_left_out) == (299, 1)
    listed = whole.set_column(0, "id", pa.array([[name] for name in ids]))
    for nameless in (whole.drop_columns(["id"]), listed):
        sample = profile([nameless], keeping).sample
        assert (sample.n, sample.n_left_out) == (0, 300)


def test_profiles_and_baselines_are_read_back_as_they_were_kept(keeping, tmp_path):
    storage = ProfileStorage(tmp_path)
    lacking = make_rows(50, seed=7).drop_columns(["size"])
    day = profile([make_rows(2500, seed=9), lacking], keeping)
    storage.write("m", keeping.version, "2024-01-01", day)
    back = storage.read("m", keeping.version, "2024-01-01")
    assert to_bytes(to_table(back)) == to_bytes(to_table(day))
    assert back.errors == day.errors
    for name in ("ranks", "values"):
        was, now = getattr(day.sample, name), getattr(back.sample, name)
        assert now.dtype == was.dtype
        assert now.tobytes() == was.tobytes()
    assert (back.sample.plan, back.sample.n_left_out) == (day.sample.plan, 50)
    storage.write_baseline("m", keeping)
    read = storage.read_baseline("m", keeping.version)
    assert read.bins.key == keeping.bins.key
    for was, now in zip(keeping.bins.projections, read.bins.projections, strict=True):
        assert (now.columns, now.explained) == (was.columns, was.explained)
        assert now.residual.tolist() == was.residual.tolist()
    again = profile([make_rows(2500, seed=9), lacking], read)
    assert to_bytes(to_table(again)) == to_bytes(to_table(day))
    empty = from_table(to_table(Profile()))
    assert (empty.errors, empty.sample) == ({}, None)


def test_a_plan_is_read_back_with_its_size():
    plan = SamplePlan(columns=("b", "a"), size=7)
    assert read_plan(write_plan(plan)) == plan


def test_ranks_are_written_once(keeping):
    sample = profile([make_rows(100, seed=9)], keeping).sample
    first, *others = sample_columns(sample)
    assert first.ranks.view(np.uint64).tolist() == sample.ranks.tolist()
    assert [column.name for column in others] == ["city", "score"]
    assert not any(column.ranks.any() for column in others)


def test_what_monitors_ask_for_is_kept_once():
    needs = RowNeeds.of(projected=[("a", "b"), (), ("a", "b")], sampled=[("a",), (), ("b", "a")])
    assert needs == RowNeeds(projections=(("a", "b"),), sampled=("a", "b"))
    assert RowNeeds.of(projected=[], sampled=[], losses=True) == RowNeeds(losses=True)


def test_nothing_is_kept_that_no_monitor_asks_for(training, keeping):
    plain = built(training)
    assert (plain.profile.errors, plain.profile.sample) == ({}, None)
    keys = {
        plain.bins.key,
        keeping.bins.key,
        built(training, projections=CHOICES[:1]).bins.key,
        built(training, sampled=SAMPLED).bins.key,
    }
    assert len(keys) == 4
    with pytest.raises(ValueError, match="different bins"):
        plain.profile + keeping.profile
    with pytest.raises(BaselineError, match="asks for 'late', which is no feature"):
        built(training, sampled=("late",))
