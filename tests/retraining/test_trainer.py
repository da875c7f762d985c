from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.metrics import r2_score, roc_auc_score

from dagster_monitoring.errors import DataError, DeclarationError
from dagster_monitoring.retraining import resolve_trainer
from dagster_monitoring.retraining.trainer import DEFAULT_TRAINER
from dagster_monitoring.schema import BinaryClassification, MulticlassClassification, Regression

BINARY = BinaryClassification(label="late", prediction="late_pred")
MULTICLASS = MulticlassClassification(label="kind", prediction="kind_pred")
REGRESSION = Regression(label="delay", prediction="delay_pred")

MODULE = """
import pandas as pd
from sklearn.dummy import DummyClassifier

def fit(features, label):
    return DummyClassifier().fit(features, label)

def fit_with_task(features, label, *, task):
    assert task.label == "late"
    return DummyClassifier().fit(features, label)

def fit_with_options(features: pd.DataFrame, label: pd.Series, depth: int = 3):
    return DummyClassifier(strategy="prior").fit(features, label)

def takes_one(features): ...
def takes_three(features, label, weights): ...
def gives_nothing(features, label): ...
def fails(features, label): raise RuntimeError("no convergence")

fitted = 3
"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A user's module on the import path."""
    name = f"user_project_{tmp_path.name.replace('-', '_')}"
    (tmp_path / f"{name}.py").write_text(MODULE)
    (tmp_path / f"{name}_broken.py").write_text("import a_package_nobody_has")
    (tmp_path / f"{name}_faulty.py").write_text("from math import no_such_name")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield name
    for loaded in [one for one in sys.modules if one.startswith(name)]:
        del sys.modules[loaded]


FEATURES = pd.DataFrame({"x": [1.0, 2.0, 3.0, 4.0]})
LABEL = pd.Series([0, 1, 0, 1])


class TestResolving:
    @pytest.mark.parametrize("name", ["fit", "fit_with_task", "fit_with_options"])
    def test_a_users_function_trains(self, module, name):
        trainer = resolve_trainer(f"{module}:{name}")
        assert trainer.takes_task == (name == "fit_with_task")
        fitted = trainer.fit(FEATURES, LABEL, task=BINARY)
        assert isinstance(fitted, DummyClassifier)

    @pytest.mark.parametrize("reference", ["fit", "a.b", "a:b:c", ":fit", "a:", "a b:c", ""])
    def test_a_reference_is_module_and_function(self, reference):
        with pytest.raises(DeclarationError, match="write module:function"):
            resolve_trainer(reference)

    def test_a_missing_module_is_named(self):
        with pytest.raises(DeclarationError, match=r"no module 'nobodys_project'\. Install"):
            resolve_trainer("nobodys_project.train:fit")

    def test_a_missing_submodule_is_named_whole(self):
        with pytest.raises(DeclarationError, match=r"no module 'json\.train'"):
            resolve_trainer("json.train:fit")

    def test_what_a_module_lacks_itself_is_not_the_modules_absence(self, module):
        with pytest.raises(DeclarationError, match="can't be imported: No module named 'a_package"):
            resolve_trainer(f"{module}_broken:fit")
        with pytest.raises(DeclarationError, match="can't be imported: cannot import name"):
            resolve_trainer(f"{module}_faulty:fit")

    def test_a_missing_function_says_the_nearest(self, module):
        with pytest.raises(DeclarationError, match=r"no function 'fitt'\. Did you mean 'fit'\?"):
            resolve_trainer(f"{module}:fitt")

    def test_what_is_no_function_is_said(self, module):
        with pytest.raises(DeclarationError, match="is a int, not a function"):
            resolve_trainer(f"{module}:fitted")

    @pytest.mark.parametrize("name", ["takes_one", "takes_three"])
    def test_a_wrong_signature_says_what_is_right(self, module, name):
        with pytest.raises(DeclarationError) as caught:
            resolve_trainer(f"{module}:{name}")
        assert "can't be called with (features, label)" in str(caught.value)
        assert "fit(features: pandas.DataFrame, label: pandas.Series)" in str(caught.value)

    def test_nothing_fitted_is_said(self, module):
        with pytest.raises(DeclarationError, match="gave nothing, which has no predict"):
            resolve_trainer(f"{module}:gives_nothing").fit(FEATURES, LABEL, task=BINARY)

    def test_the_functions_own_error_comes_through(self, module):
        with pytest.raises(RuntimeError, match="no convergence"):
            resolve_trainer(f"{module}:fails").fit(FEATURES, LABEL, task=BINARY)


class TestRows:
    @pytest.mark.parametrize(
        ("features", "label", "said"),
        [
            (FEATURES[:0], LABEL[:0], "no labelled row to train on"),
            (FEATURES, LABEL[:3], "4 rows to train on, but 3 labels"),
            (FEATURES, pd.Series([0, None, 1, 1]), "1 of 4 labels to train on are missing"),
            (FEATURES, pd.Series([1, 1, 1, 1]), "all 4 labels to train on are 1|are np.int64"),
        ],
    )
    def test_rows_that_teach_nothing_are_refused(self, features, label, said):
        with pytest.raises(DataError, match=said):
            resolve_trainer(DEFAULT_TRAINER).fit(features, label, task=BINARY)

    def test_a_constant_target_is_fine_for_a_regression(self):
        fitted = resolve_trainer(DEFAULT_TRAINER).fit(
            FEATURES, pd.Series([2.0] * 4), task=REGRESSION
        )
        assert fitted.predict(FEATURES).tolist() == pytest.approx([2.0] * 4)


def flights(n: int, seed: int) -> tuple[pd.DataFrame, np.ndarray]:
    """Features of every awkward kind, and the signal that lies in wind and carrier."""
    rng = np.random.default_rng(seed)
    carrier = rng.choice(["AA", "UA", "B6"], n).astype(object)
    wind = rng.normal(size=n)
    frame = pd.DataFrame({
        "wind": np.where(rng.random(n) < 0.1, np.nan, wind),
        "gust": np.where(rng.random(n) < 0.01, np.inf, rng.normal(size=n)),
        "nothing": np.full(n, np.nan),
        "constant": np.ones(n),
        "seats": pd.array(rng.integers(50, 300, n), dtype="Int64"),
        "holiday": rng.random(n) < 0.5,
        "carrier": np.where(rng.random(n) < 0.05, None, carrier),
        "origin": pd.Categorical(rng.choice(["JFK", "EWR"], n)),
        "tail": [f"N{i % 700}" for i in range(n)],
        "empty": pd.array([None] * n, dtype=object),
    })  # fmt: skip
    frame.loc[3, "seats"] = pd.NA
    return frame, 1.5 * wind + 2.0 * (carrier == "UA")


def as_served(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows as ``feature_frame`` gives them: floats and text."""
    served = frame.copy()
    served["seats"] = served["seats"].astype("float64")
    served["carrier"] = served["carrier"].where(np.arange(len(served)) % 50 > 0, "a new carrier")
    return served


class TestDefault:
    """Missing, infinite, constant, nullable, high-cardinality and unseen values, in every task."""

    def test_binary_classification(self):
        frame, signal = flights(1800, seed=0)
        label = pd.Series((signal > 1).astype(int))
        fitted = resolve_trainer(DEFAULT_TRAINER).fit(frame[:1200], label[:1200], task=BINARY)
        score = fitted.predict_proba(as_served(frame[1200:]))[:, 1]
        assert roc_auc_score(label[1200:], score) > 0.93

    def test_multiclass_classification_with_text_classes(self):
        frame, signal = flights(1800, seed=1)
        label = pd.Series(np.array(["calm", "fair", "storm"])[np.digitize(signal, [0, 2])])
        fitted = resolve_trainer(DEFAULT_TRAINER).fit(frame[:1200], label[:1200], task=MULTICLASS)
        assert list(fitted.classes_) == ["calm", "fair", "storm"]
        assert np.mean(fitted.predict(as_served(frame[1200:])) == label[1200:]) > 0.8

    def test_regression(self):
        frame, signal = flights(1800, seed=2)
        label = pd.Series(signal)
        fitted = resolve_trainer(DEFAULT_TRAINER).fit(frame[:1200], label[:1200], task=REGRESSION)
        assert r2_score(label[1200:], fitted.predict(as_served(frame[1200:]))) > 0.8

    def test_training_twice_gives_the_same_model(self):
        frame, signal = flights(400, seed=3)
        label = pd.Series((signal > 1).astype(int))
        first, second = (
            resolve_trainer(DEFAULT_TRAINER).fit(frame, label, task=BINARY) for _ in range(2)
        )
        served = as_served(frame)
        assert np.array_equal(first.predict_proba(served), second.predict_proba(served))

    def test_features_without_any_value_are_said(self):
        empty = pd.DataFrame({"x": [np.nan] * 4})
        with pytest.raises(DataError, match="no feature to train on has a value"):
            resolve_trainer(DEFAULT_TRAINER).fit(empty, LABEL, task=BINARY)
