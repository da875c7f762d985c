"""Projections: the same numbers as scikit-learn, to the last bit however rows are split."""

from itertools import permutations

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from dagster_monitoring.errors import BaselineError
from dagster_monitoring.profiles.encoded import RowEncoder
from dagster_monitoring.profiles.fitting import fit
from dagster_monitoring.profiles.projecting import fit_projections
from dagster_monitoring.profiles.projection import MAX_COLUMNS, _left_out

NUMERIC = ("a", "b", "c", "d")
CATEGORICAL = ("city", "plan")
COLUMNS = (*NUMERIC, *CATEGORICAL)


def table(n, seed, cities=("Oslo", "Rome", "Lima"), p=(0.5, 0.3, 0.2)):
    """Four numbers that go together, two categories, gaps in some of them."""
    source = np.random.default_rng(seed)
    common = source.normal(size=n)
    city = source.choice(cities, size=n, p=p)
    return pa.table(
        {
            "a": common + 0.3 * source.normal(size=n),
            "b": pa.array(5 - common + source.normal(size=n), mask=source.random(n) < 0.1),
            "c": source.lognormal(3, 1, size=n),
            "d": source.integers(0, 4, size=n),
            "city": pa.array(city, mask=source.random(n) < 0.05),
            "plan": np.where(common > source.normal(size=n), "free", "paid"),
        }
    )


def fitted(rows, columns=COLUMNS, batch=777):
    def read(names):
        return rows.select(list(names)).to_batches(max_chunksize=batch)

    numeric = [name for name in columns if pa.types.is_floating(rows[name].type)]
    numeric += [name for name in columns if pa.types.is_integer(rows[name].type)]
    others = [name for name in columns if name not in numeric]
    bins = fit(read, numeric=numeric, categorical=others).columns
    (projection,) = fit_projections(read, bins=bins, choices=[tuple(columns)])
    return projection, bins


def errors(projection, bins, rows, batch=None):
    encoder = RowEncoder({name: bins[name] for name in projection.columns})
    parts = rows.combine_chunks().to_batches(max_chunksize=batch)
    return np.concatenate([projection.errors(encoder.encode(part)) for part in parts])


class Shares(TransformerMixin, BaseEstimator):
    """The categories of training rows as their shares; unseen ones as 0."""

    def fit(self, rows, y=None):
        del y
        self.shares_ = [pd.Series(c).value_counts(normalize=True) for c in np.asarray(rows).T]
        return self

    def transform(self, rows):
        pairs = zip(np.asarray(rows).T, self.shares_, strict=True)
        return np.column_stack([pd.Series(c).map(s).fillna(0.0) for c, s in pairs])


def sklearn_errors(training, rows):
    scaled = make_pipeline(
        ColumnTransformer(
            [
                ("numeric", SimpleImputer(strategy="mean"), list(NUMERIC)),
                (
                    "categorical",
                    make_pipeline(SimpleImputer(strategy="most_frequent"), Shares()),
                    list(CATEGORICAL),
                ),
            ]
        ),
        StandardScaler(),
    )

    def frame(table):
        found = table.to_pandas()
        found[list(CATEGORICAL)] = found[list(CATEGORICAL)].astype(object)
        return found.where(found.notna(), np.nan)

    before = scaled.fit(frame(training)).transform(frame(training))
    now = scaled.transform(frame(rows))
    components = PCA(n_components=0.65).fit(before)
    back = components.inverse_transform(components.transform(now))
    return np.linalg.norm(now - back, axis=1), components


@pytest.mark.parametrize(("seed", "n"), [(0, 3000), (1, 20_000)])
def test_errors_are_those_of_scikit_learn_with_missing_and_unseen_values(seed, n):
    training = table(n, seed)
    rows = table(500, seed + 100, ("Oslo", "Rome", "Bonn"), (0.2, 0.2, 0.6))
    projection, bins = fitted(training)
    expected, components = sklearn_errors(training, rows)
    assert projection.components == components.n_components_
    assert projection.explained == pytest.approx(components.explained_variance_ratio_.sum())
    assert errors(projection, bins, rows) == pytest.approx(expected, rel=1e-7)
    city = training["city"].to_pandas()
    shares = city.fillna(city.mode()[0]).value_counts(normalize=True).tolist()
    assert projection.shares["city"].tolist() == pytest.approx([*shares, 0.0, shares[0]])
    a = training["a"].to_numpy()
    assert (projection.means[0], projection.scales[0]) == pytest.approx((a.mean(), a.std()))
    # One basis of many, so that equal rows are one version.
    assert (np.diag(projection.residual) >= 0).all()
    assert not np.signbit(projection.residual[projection.residual == 0]).any()


def test_any_split_gives_the_same_bits():
    projection, bins = fitted(table(2000, 0))
    rows = table(9000, 3)
    whole = errors(projection, bins, rows)
    for batch in (1, 7, 1000, 8192):
        part = rows.slice(0, 50) if batch == 1 else rows
        assert errors(projection, bins, part, batch).tobytes() == whole[: len(part)].tobytes()


def test_the_baselines_batches_leave_no_trace():
    rows = table(20_000, 0)
    assert len({fitted(rows, batch=batch)[0].key for batch in (999, 8192, 20_000)}) == 1
    assert fitted(rows)[0].key != fitted(rows.slice(1))[0].key


def test_two_columns_that_hardly_go_together_keep_something_to_measure():
    source = np.random.default_rng(0)
    rows = pa.table({"a": source.normal(size=500), "b": source.normal(size=500)})
    projection, bins = fitted(rows, ("a", "b"))
    assert projection.components == 1
    assert errors(projection, bins, rows).max() > 1


def test_missing_and_infinite_numbers_count_as_the_mean_and_huge_ones_stay_finite():
    training = table(2000, 0)
    projection, bins = fitted(training)
    row = training.slice(0, 1).to_pylist()[0]
    mean = np.nanmean(training["b"].to_numpy())
    given = [{**row, "b": value} for value in (mean, None, np.nan, np.inf, 1e200, 1e139, -1e139)]
    found = errors(projection, bins, pa.Table.from_pylist(given, schema=training.schema))
    assert found[1:5].tolist() == [pytest.approx(found[0], rel=1e-12)] * 4
    assert found[5:] == pytest.approx([found[5]] * 2, rel=1e-3)
    assert 1e5 < found[5] < np.inf


def test_columns_that_do_not_vary_leave_nothing_to_project():
    rows = pa.table({"a": [0.1] * 50, "b": np.arange(50.0), "k": ["x"] * 50})
    projection, _ = fitted(rows, ("a", "b", "k"))
    assert (projection.is_usable, projection.explained) == (False, 0.0)


def test_a_constant_column_counts_in_its_own_unit():
    source = np.random.default_rng(0)
    shared = source.normal(size=400)
    rows = pa.table({"a": shared, "b": -2 * shared, "k": [0.1] * 400})
    projection, bins = fitted(rows, ("a", "b", "k"))
    moved = rows.set_column(2, "k", pa.array([3.1] * 400))
    assert errors(projection, bins, rows) == pytest.approx(np.zeros(400), abs=1e-8)
    assert errors(projection, bins, moved) == pytest.approx(np.full(400, 3.0), abs=1e-8)


@pytest.mark.parametrize("value", [0.0, 0.1])
@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_constant_column_changes_nothing_wherever_it_stands(value, place):
    source = np.random.default_rng(0)
    rows = pa.table({"a": source.normal(size=400), "b": source.normal(size=400)})
    more = rows.add_column(place, "k", pa.array([value] * 400))
    without, bins = fitted(rows, ("a", "b"))
    found, own = fitted(more, tuple(more.column_names))
    assert found.explained == pytest.approx(without.explained, abs=1e-9)
    assert errors(found, own, more) == pytest.approx(errors(without, bins, rows), rel=1e-6)


@pytest.mark.parametrize("unit", [1e-20, 1e-3, 1e5])
def test_units_do_not_matter_and_far_values_count_as_a_million_deviations(unit):
    source = np.random.default_rng(0)
    rows = pa.table({"a": source.normal(1, 1, size=400), "b": source.normal(size=400)})
    scaled = rows.set_column(0, "a", pa.array(rows["a"].to_numpy() * unit))
    first, bins = fitted(rows, ("a", "b"))
    second, own = fitted(scaled, ("a", "b"))
    assert errors(second, own, scaled) == pytest.approx(errors(first, bins, rows), rel=1e-6)
    for sign in (1, -1):
        far = [
            errors(second, own, pa.table({"a": [sign * unit * times], "b": [0.0]}))[0]
            for times in (3e6, 1e9)
        ]
        assert far[0] == pytest.approx(far[1], rel=1e-9)
        assert 1e5 < far[0] < 1.1e6


def test_the_largest_number_is_a_number_and_more_is_none():
    rows = pa.table({"a": [1e140, 0.0] * 50, "b": [3.0, 1.0, 2.0, 1.0] * 25})
    projection, bins = fitted(rows, ("a", "b"))
    assert (projection.means[0], projection.scales[0]) == pytest.approx((5e139, 5e139))
    (largest,) = errors(projection, bins, pa.table({"a": [1e140], "b": [1.75]}))
    assert largest == pytest.approx(0.5**0.5)
    rows = pa.table({"a": [1.0, 2.0, 3.0, 2.0], "b": [1.0, 2.0, 3.0, 4.0]})
    projection, bins = fitted(rows, ("a", "b"))
    given = [1e140, 1e139, np.nextafter(1e140, np.inf), 2.0]
    largest, far, more, mean = errors(projection, bins, pa.table({"a": given, "b": [1.0] * 4}))
    assert largest == far > 1e5
    assert more == mean


@pytest.mark.parametrize("n", [0, 1])
def test_hardly_any_rows_have_means_and_nothing_to_project(n):
    rows = pa.table({"a": pa.array([3.0] * n, pa.float64()), "k": pa.array(["x"] * n, pa.string())})
    projection, _ = fitted(rows, ("a", "k"))
    assert not projection.is_usable
    assert projection.means.tolist() == [3.0 * n, 1.0 * n]


def test_a_share_of_exactly_what_is_asked_for_is_not_enough():
    residual, explained = _left_out(np.diag([65.0, 20.0, 15.0]), most=2)
    assert (residual.shape, explained) == ((1, 3), 0.85)


def test_one_basis_of_many_is_chosen_so_that_equal_rows_are_one_version():
    source = np.random.default_rng(0)
    given = [np.cov(source.normal(size=(5, 50))) for _ in range(5)]
    given += [np.diag(variances) for variances in permutations([65.0, 20.0, 10.0, 5.0])]
    for covariance in given:
        residual, _ = _left_out(covariance, most=3)
        assert (np.diag(residual) >= 0).all()
        assert not np.signbit(residual[residual == 0]).any()


def test_a_column_that_cannot_be_read_is_named():
    bins = fitted(table(100, 0))[1]
    encoder = RowEncoder({name: bins[name] for name in ("a", "city")})
    lists = pa.array([[1.0]])
    for given in ({"a": lists, "city": ["Oslo"]}, {"a": [1.0], "city": lists}):
        name = "a" if given["a"] is lists else "city"
        with pytest.raises(BaselineError, match=f"column '{name}' holds list"):
            encoder.encode(pa.record_batch(given))


def test_as_many_columns_as_may_be_are_projected():
    source = np.random.default_rng(0)
    names = tuple(f"x{i}" for i in range(MAX_COLUMNS))
    rows = pa.table(dict(zip(names, source.normal(size=(MAX_COLUMNS, 12)), strict=True)))
    assert fitted(rows, names)[0].is_usable


def test_columns_that_are_not_counted_and_too_many_are_refused():
    rows = table(100, 0)
    bins = fitted(rows)[1]

    def read(names):
        return rows.select(list(names)).to_batches()

    with pytest.raises(BaselineError, match="asks for 'e', which is no feature"):
        fit_projections(read, bins=bins, choices=[("a", "e")])
    many = {f"x{i}": bins["a"] for i in range(MAX_COLUMNS + 1)}
    with pytest.raises(BaselineError, match="at most 256 columns, not 257"):
        fit_projections(read, bins=many, choices=[tuple(many)])
    assert fit_projections(read, bins=bins, choices=[]) == ()
