from __future__ import annotations

import hashlib
import io
import json
import os
import zipfile
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.dummy import DummyRegressor
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from dagster_monitoring.errors import RegistryError
from dagster_monitoring.retraining import ModelRegistry
from dagster_monitoring.retraining.trainer import default
from dagster_monitoring.schema import BinaryClassification

NOW = datetime(2013, 6, 14, 6, tzinfo=UTC)


class Own(RegressorMixin, BaseEstimator):
    """A user's estimator, of a type that nobody else knows."""

    def fit(self, features: pd.DataFrame, label: pd.Series) -> Own:
        self.columns_ = features.shape[1]
        self.mean_ = float(label.mean())
        return self

    def predict(self, features: pd.DataFrame) -> np.ndarray:
        return np.full(len(features), self.mean_)


def _zip(files: dict[str, str]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


OWN = f"{Own.__module__}.Own"


def dummy(value: float = 3.0) -> DummyRegressor:
    return DummyRegressor(strategy="constant", constant=value).fit([[0.0]], [value])


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "models"


@pytest.fixture
def registry(root: Path) -> ModelRegistry:
    return ModelRegistry(str(root))


class TestVersions:
    def test_a_new_registry_is_empty(self, registry):
        assert registry.versions() == []
        assert registry.champion() is None
        assert registry.history() == []

    def test_a_version_is_what_was_registered(self, registry):
        given = registry.register(dummy(), version="m-1", metadata={"rows": "77911"}, now=NOW)
        assert registry.get("m-1") == given
        assert (given.metadata, given.created_at) == ({"rows": "77911"}, NOW)
        assert registry.load("m-1").predict([[1.0], [2.0]]).tolist() == [3.0, 3.0]

    def test_versions_come_oldest_first(self, registry):
        for i, name in enumerate(["b", "c", "a"]):
            registry.register(dummy(), version=name, now=NOW + timedelta(days=i))
        assert [v.version for v in registry.versions()] == ["b", "c", "a"]

    def test_a_version_never_changes(self, registry):
        registry.register(dummy(1.0), version="m-1")
        with pytest.raises(RegistryError, match="register under another name"):
            registry.register(dummy(2.0), version="m-1")
        assert registry.load("m-1").predict([[0.0]]).tolist() == [1.0]

    def test_a_crash_while_registering_leaves_no_version_and_no_obstacle(self, registry, root):
        (root / "m-1").mkdir(parents=True)
        (root / "m-1" / "model.skops").write_bytes(b"half")
        assert registry.versions() == []
        registry.register(dummy(), version="m-1")
        assert [v.version for v in registry.versions()] == ["m-1"]

    @pytest.mark.parametrize("name", ["../m", "a/b", "", ".hidden", "a b", "x" * 101, "m\n"])
    def test_a_name_is_a_plain_one(self, registry, name):
        for use in (
            lambda: registry.register(dummy(), version=name),
            lambda: registry.load(name),
            lambda: registry.promote(name, baseline_version="b-1"),
        ):
            with pytest.raises(RegistryError, match="can't name a model version"):
                use()

    def test_an_unknown_version_says_which_there_are(self, registry):
        registry.register(dummy(), version="m-1")
        with pytest.raises(RegistryError, match=r"no model version 'm-2'.*There are: m-1"):
            registry.load("m-2")


class TestChampion:
    def test_promotion_ties_model_and_baseline_and_keeps_history(self, registry, root):
        registry.register(dummy(1.0), version="m-1")
        registry.register(dummy(2.0), version="m-2")
        first = registry.promote("m-1", baseline_version="b-1", now=NOW)
        second = registry.promote("m-2", baseline_version="b-2", now=NOW + timedelta(days=9))
        assert registry.champion() == second
        assert registry.history() == [first, second]
        assert (second.version, second.baseline_version) == ("m-2", "b-2")
        assert ModelRegistry(str(root)).champion() == second, "another process sees the same"

    def test_going_back_is_another_promotion(self, registry):
        for name in ("m-1", "m-2"):
            registry.register(dummy(), version=name)
            registry.promote(name, baseline_version=f"b-{name}")
        registry.promote("m-1", baseline_version="b-m-1")
        assert [one.version for one in registry.history()] == ["m-1", "m-2", "m-1"]

    def test_promoting_again_changes_nothing(self, registry):
        registry.register(dummy(), version="m-1")
        first = registry.promote("m-1", baseline_version="b-1", now=NOW)
        assert registry.promote("m-1", baseline_version="b-1", now=NOW + timedelta(1)) == first
        assert len(registry.history()) == 1

    def test_what_is_not_registered_is_not_promoted(self, registry):
        with pytest.raises(RegistryError, match="no model version 'm-9'"):
            registry.promote("m-9", baseline_version="b-1")

    def test_a_crash_while_promoting_leaves_the_old_champion(self, registry, root, monkeypatch):
        registry.register(dummy(), version="m-1")
        registry.register(dummy(), version="m-2")
        registry.promote("m-1", baseline_version="b-1")

        def crash(*_: object) -> None:
            raise KeyboardInterrupt

        # The one moment that counts: the new pointer is written, but not yet in place.
        monkeypatch.setattr(Path, "replace", crash)
        with pytest.raises(KeyboardInterrupt):
            registry.promote("m-2", baseline_version="b-2")
        monkeypatch.undo()
        assert registry.champion().version == "m-1"
        assert sorted(path.name for path in root.iterdir()) == ["champion.json", "m-1", "m-2"]


class TestSafety:
    def test_an_altered_file_is_not_loaded(self, registry, root):
        registry.register(dummy(1.0), version="m-1")
        registry.register(dummy(2.0), version="m-2")
        (root / "m-1" / "model.skops").write_bytes((root / "m-2" / "model.skops").read_bytes())
        with pytest.raises(RegistryError, match=r"'m-1' was altered.*It is not loaded"):
            registry.load("m-1")

    def test_a_truncated_file_is_not_loaded(self, registry, root):
        registry.register(dummy(), version="m-1")
        path = root / "m-1" / "model.skops"
        path.write_bytes(path.read_bytes()[:-1])
        with pytest.raises(RegistryError, match="was altered"):
            registry.load("m-1")

    def test_a_missing_file_is_said(self, registry, root):
        registry.register(dummy(), version="m-1")
        (root / "m-1" / "model.skops").unlink()
        with pytest.raises(RegistryError, match="file of model version 'm-1' is gone"):
            registry.load("m-1")

    @pytest.mark.parametrize("content", ["{", "[]", '{"version": "m-1"}', "\x00"])
    @pytest.mark.parametrize(
        ("name", "read"),
        [
            ("m-1/manifest.json", lambda registry: registry.load("m-1")),
            ("champion.json", lambda registry: registry.champion()),
        ],
    )
    def test_an_unreadable_record_is_said(self, registry, root, name, read, content):
        registry.register(dummy(), version="m-1")
        registry.promote("m-1", baseline_version="b-1")
        (root / name).write_text(content)
        with pytest.raises(RegistryError, match=r"can't be read .*altered"):
            read(registry)

    def test_a_type_nobody_declared_is_neither_kept_nor_loaded(self, root):
        own = Own().fit(pd.DataFrame({"x": [1.0]}), pd.Series([4.0]))
        with pytest.raises(RegistryError, match=rf"not trusted: {OWN}\..*trusted_types: \[{OWN}\]"):
            ModelRegistry(str(root)).register(own, version="m-1")
        trusting = ModelRegistry(str(root), trusted_types=[OWN])
        trusting.register(own, version="m-1")
        assert trusting.load("m-1").predict(pd.DataFrame({"x": [1.0]})).tolist() == [4.0]
        with pytest.raises(RegistryError, match="not trusted"):
            ModelRegistry(str(root)).load("m-1")

    @pytest.mark.parametrize("function", [os.system, partial(os.system, "true"), np.load])
    def test_a_function_that_does_more_than_compute_is_refused(self, registry, function):
        model = make_pipeline(FunctionTransformer(function), dummy())
        with pytest.raises(RegistryError, match=r"not trusted: .*(system|load)"):
            registry.register(model, version="m-1")

    def test_a_function_without_a_name_is_refused(self, registry):
        model = make_pipeline(FunctionTransformer(lambda x: x), dummy())
        with pytest.raises(RegistryError, match="m-1"):
            registry.register(model, version="m-1")

    @pytest.mark.parametrize(
        ("data", "said"),
        [
            (b"not a zip", "no model archive"),
            (_zip({"schema.json": "{}"}), "no model archive"),
            (_zip({"other": "x"}), "no model archive"),
            (skops.io.dumps({"a": 1}), "holds a dict, which can't predict"),
        ],
    )
    def test_what_was_never_a_model_is_refused_even_with_its_hash(self, registry, root, data, said):
        """Whoever planted the file may have written the manifest too."""
        registry.register(dummy(), version="m-1")
        (root / "m-1" / "model.skops").write_bytes(data)
        manifest = json.loads((root / "m-1" / "manifest.json").read_text())
        manifest["sha256"] = hashlib.sha256(data).hexdigest()
        (root / "m-1" / "manifest.json").write_text(json.dumps(manifest))
        with pytest.raises(RegistryError, match=said):
            registry.load("m-1")


RNG = np.random.default_rng(0)
ROWS = pd.DataFrame({"x": RNG.normal(size=400), "c": RNG.choice(["a", "b"], 400)})
LABEL = pd.Series((RNG.random(400) < 0.4).astype(int))


@pytest.mark.parametrize(
    "model",
    [
        default(ROWS, LABEL, task=BinaryClassification(label="l", prediction="p")),
        make_pipeline(StandardScaler(), LogisticRegression()).fit(ROWS[["x"]], LABEL),
        RandomForestClassifier(5, random_state=0).fit(ROWS[["x"]], LABEL),
        CalibratedClassifierCV(LogisticRegression()).fit(ROWS[["x"]], LABEL),
        CalibratedClassifierCV(LogisticRegression(), method="isotonic").fit(ROWS[["x"]], LABEL),
    ],
    ids=lambda model: type(model).__name__,
)
def test_common_models_need_no_declared_types_and_come_back_the_same(model, registry):
    registry.register(model, version="m-1")
    loaded = registry.load("m-1")
    rows = ROWS if hasattr(model, "steps") and len(model.feature_names_in_) == 2 else ROWS[["x"]]
    assert np.array_equal(loaded.predict_proba(rows), model.predict_proba(rows))


def test_any_fsspec_url_will_do():
    registry = ModelRegistry("memory://registry-test")
    assert registry.versions() == []
    registry.register(dummy(), version="m-1")
    registry.promote("m-1", baseline_version="b-1")
    again = ModelRegistry("memory://registry-test")
    assert again.load(again.champion().version).predict([[0.0]]).tolist() == [3.0]
    assert [v.version for v in again.versions()] == ["m-1"]
