from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.metrics import log_loss, mean_squared_error

from dagster_monitoring.errors import DataError, SchemaMismatchError
from dagster_monitoring.retraining import (
    Predictions,
    feature_frame,
    predict,
    row_losses,
    shared_loss,
)
from dagster_monitoring.schema import (
    BinaryClassification,
    Columns,
    MulticlassClassification,
    Regression,
)

BINARY = BinaryClassification(label="late", prediction="late_pred", positive=1)
MULTICLASS = MulticlassClassification(label="kind", prediction="kind_pred")
REGRESSION = Regression(label="delay", prediction="delay_pred")
COLUMNS = Columns(id="i", timestamp="t", numeric=("temp",), categorical=("carrier",))
RNG = np.random.default_rng(0)


class TestFeatureFrame:
    @pytest.mark.parametrize(
        "temp",
        [
            pa.array([1, None, 3], pa.int32()),
            pa.array([1.0, None, 3.0], pa.float32()),
            pa.array([1, None, 3], pa.decimal128(5, 2)),
            pa.array(["1", None, "3.0"]),
        ],
    )
    def test_numbers_of_any_kind_become_floats(self, temp):
        frame = feature_frame(pa.table({"temp": temp, "carrier": ["a", "b", "c"]}), COLUMNS)
        assert frame["temp"].dtype == np.float64
        assert frame["temp"].tolist() == pytest.approx([1.0, np.nan, 3.0], nan_ok=True)

    @pytest.mark.parametrize(
        "carrier",
        [
            pa.array(["7", None, "x"]),
            pa.array(["7", None, "x"]).dictionary_encode(),
            pa.array(["7", None, "x"], pa.large_string()),
        ],
    )
    def test_categories_of_any_kind_become_text(self, carrier):
        frame = feature_frame(pa.table({"temp": [1.0, 2.0, 3.0], "carrier": carrier}), COLUMNS)
        assert frame["carrier"].isna().tolist() == [False, True, False]
        assert frame["carrier"].dropna().tolist() == ["7", "x"]
        assert all(isinstance(value, str) for value in frame["carrier"].dropna())

    def test_whole_numbers_may_be_categories(self):
        frame = feature_frame(pa.table({"temp": [1.0], "carrier": [7]}), COLUMNS)
        assert frame["carrier"].tolist() == ["7"]

    def test_columns_come_in_the_declared_order_and_no_others(self):
        table = pa.table({"carrier": ["a"], "more": [1], "temp": [1.0]})
        assert list(feature_frame(table, COLUMNS).columns) == ["temp", "carrier"]

    def test_a_missing_column_is_named(self):
        with pytest.raises(SchemaMismatchError, match=r"'carrier' is not in the rows.*have: temp"):
            feature_frame(pa.table({"temp": [1.0]}), COLUMNS)

    def test_text_that_is_no_number_is_said(self):
        table = pa.table({"temp": ["warm"], "carrier": ["a"]})
        with pytest.raises(SchemaMismatchError, match="'temp' is string, which can't be read as"):
            feature_frame(table, COLUMNS)


class TestLosses:
    @pytest.mark.parametrize("positive", [1, True, "1"])
    @pytest.mark.parametrize("dtype", ["int64", "float64", "bool", "str"])
    def test_binary_log_loss_is_scikit_learns(self, dtype, positive):
        """However labels are written: 1, 1.0, True or "1"."""
        label = RNG.integers(0, 2, 200)
        share = RNG.random(200)
        given = Predictions(
            outputs=(share > 0.5).astype(int),
            probabilities=np.column_stack([1 - share, share]),
            classes=("0", "1"),
        )
        task = BINARY.model_copy(update={"positive": positive})
        written = label.astype(int).astype(dtype)
        found = row_losses(task, written, given, loss="log_loss")
        assert found.shape == (200,)
        assert found.mean() == pytest.approx(log_loss(label, share), abs=1e-12)

    def test_multiclass_log_loss_is_scikit_learns(self):
        names = np.array(["a", "b", "c"])
        label = RNG.choice(names, 200)
        shares = RNG.dirichlet([1, 1, 1], 200)
        given = Predictions(outputs=label, probabilities=shares, classes=tuple(names))
        found = row_losses(MULTICLASS, label, given, loss="log_loss")
        assert found.mean() == pytest.approx(log_loss(label, shares, labels=names), abs=1e-12)

    def test_a_class_the_model_does_not_know_costs_much_but_not_infinity(self):
        given = Predictions(
            outputs=np.array(["a"]), probabilities=np.array([[1.0]]), classes=("a",)
        )
        found = row_losses(MULTICLASS, np.array(["new"]), given, loss="log_loss")
        assert found.tolist() == pytest.approx([-np.log(1e-15)])

    def test_zero_one_counts_the_wrong(self):
        given = Predictions(outputs=np.array([1.0, 0.0, 1.0]))
        found = row_losses(BINARY, np.array([True, True, False]), given, loss="zero_one")
        assert found.tolist() == [0.0, 1.0, 1.0]

    def test_squared_error_is_scikit_learns(self):
        label, output = RNG.normal(size=50), RNG.normal(size=50)
        found = row_losses(REGRESSION, label, Predictions(outputs=output), loss="squared_error")
        assert found.mean() == pytest.approx(mean_squared_error(label, output), abs=1e-12)

    def test_log_loss_without_probabilities_is_refused(self):
        with pytest.raises(ValueError, match="needs probabilities"):
            row_losses(BINARY, np.array([1]), Predictions(outputs=np.array([1])), loss="log_loss")

    def test_models_are_held_to_what_both_give(self):
        scored = Predictions(outputs=np.array([1]), probabilities=np.array([[0.2, 0.8]]))
        bare = Predictions(outputs=np.array([1]))
        assert shared_loss(BINARY, [scored, scored]) == "log_loss"
        assert shared_loss(BINARY, [scored, bare]) == "zero_one"
        assert shared_loss(REGRESSION, [bare, bare]) == "squared_error"


class TestPredict:
    features = pd.DataFrame({"x": [0.0, 1.0]})

    def test_a_classifier_gives_probabilities_in_the_order_of_its_classes(self):
        fitted = DummyClassifier(strategy="prior").fit([[0]] * 4, [True, False, True, True])
        found = predict(fitted, self.features)
        assert found.classes == ("0", "1")
        assert found.probabilities.tolist() == [[0.25, 0.75]] * 2

    def test_a_regressor_gives_numbers(self):
        found = predict(DummyRegressor().fit([[0]], [4.0]), self.features)
        assert (found.outputs.tolist(), found.probabilities) == ([4.0, 4.0], None)

    def test_another_number_of_rows_is_an_error(self):
        class Broken:
            def predict(self, features: pd.DataFrame) -> np.ndarray:
                return np.zeros((len(features), 2))

        with pytest.raises(DataError, match=r"shape \(2, 2\) for 2 rows"):
            predict(Broken(), self.features)
