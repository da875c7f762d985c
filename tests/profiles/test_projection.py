"""Projections: the same numbers as scikit-learn, to the last bit however rows are split."""

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
from dagster_monitoring.profiles.projection import MAX_COLUMNS

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


@pytest.mark.parametrize("seed", [0, 1])
def test_errors_are_those_of_scikit_learn_with_missing_and_unseen_values(seed):
    training = table(3000, seed)
    rows = table(500, seed + 100, ("Oslo", "Rome", "Bonn"), (0.2, 0.2, 0.6))
    projection, bins = fitted(training)
    expected, components = sklearn_errors(training, rows)
    assert projection.components == components.n_components_
    assert projection.explained == pytest.approx(components.explained_variance_ratio_.sum())
    assert errors(projection, bins, rows) == pytest.approx(expected, rel=1e-7)


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
    assert not projection.is_usable


def test_a_constant_column_counts_in_its_own_unit():
    source = np.random.default_rng(0)
    shared = source.normal(size=400)
    rows = pa.table({"a": shared, "b": -2 * shared, "k": [0.1] * 400})
    projection, bins = fitted(rows, ("a", "b", "k"))
    moved = rows.set_column(2, "k", pa.array([3.1] * 400))
    assert errors(projection, bins, rows) == pytest.approx(np.zeros(400), abs=1e-8)
    assert errors(projection, bins, moved) == pytest.approx(np.full(400, 3.0), abs=1e-8)


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
