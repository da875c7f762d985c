"""A model file is loaded only if it is the one registered, from inside the registry's folder."""

from __future__ import annotations

import hashlib
import io
import json
import pickle
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from dagster_monitoring.errors import RegistryError
from dagster_monitoring.retraining import ModelRegistry
from dagster_monitoring.retraining._files import Folder

X = np.array([[0.0], [1.0], [2.0], [3.0]])


def fitted(slope: int = 1) -> LogisticRegression:
    return LogisticRegression().fit(X * slope, [0, 0, 1, 1])


@pytest.fixture
def root(tmp_path: Path) -> Path:
    registry = ModelRegistry(str(tmp_path / "models"))
    registry.register(fitted(), version="m-1")
    registry.register(fitted(-1), version="m-2")
    registry.promote("m-1", baseline_version="b-1")
    return tmp_path / "models"


@pytest.fixture
def registry(root: Path) -> ModelRegistry:
    return ModelRegistry(str(root))


def rewrite(file: Path, **changes: object) -> None:
    file.write_text(json.dumps(json.loads(file.read_text()) | changes))


def test_the_file_of_another_version_is_not_loaded(root, registry):
    shutil.copy(root / "m-2" / "model.skops", root / "m-1" / "model.skops")
    with pytest.raises(RegistryError, match="was altered"):
        registry.load("m-1")


def test_one_bit_is_enough(root, registry):
    file = root / "m-1" / "model.skops"
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)
    with pytest.raises(RegistryError, match="was altered"):
        registry.load("m-1")


def test_the_manifest_of_another_version_is_not_taken(root, registry):
    """Both files swapped fit each other; the name does not fit them."""
    for name in ("model.skops", "manifest.json"):
        shutil.copy(root / "m-2" / name, root / "m-1" / name)
    with pytest.raises(RegistryError, match="manifest of another version, 'm-2'"):
        registry.load("m-1")


@pytest.mark.parametrize(
    "changes",
    [
        {"version": ["m-1"]},
        {"sha256": ""},
        {"sha256": "0" * 63},
        {"sha256": None},
        {"size_bytes": "1"},
        {"created_at": 5},
        {"metadata": {"gate": {"a": 1}}},
        {"metadata": "x"},
    ],
)
def test_a_manifest_of_other_types_is_not_taken(root, registry, changes):
    rewrite(root / "m-1" / "manifest.json", **changes)
    with pytest.raises(RegistryError, match=r"can't be read .*altered"):
        registry.load("m-1")


def test_a_manifest_nested_without_end_is_not_taken(root, registry):
    (root / "m-1" / "manifest.json").write_text("[" * 200_000)
    with pytest.raises(RegistryError, match="can't be read"):
        registry.get("m-1")


@pytest.mark.parametrize(
    "name", ["../outside", "/etc/passwd", "a/../../outside", "..", ".", "m-1\n", "m 1", "m-1/"]
)
def test_the_pointer_names_versions_only(root, registry, name):
    outside = root.parent / "outside"
    shutil.copytree(root / "m-1", outside)
    one = {
        "version": name, "baseline_version": "b-1", "promoted_at": "2024-05-01T00:00:00+00:00",
    }  # fmt: skip
    rewrite(root / "champion.json", promotions=[one])
    for ask in (registry.champion, registry.history):
        with pytest.raises(RegistryError, match="can't name a model version"):
            ask()
    with pytest.raises(RegistryError, match="can't name a model version"):
        registry.load(name)


@pytest.mark.parametrize("promotions", [5, "m-1", [5], [{"version": 5}], {"a": 1}, None])
def test_a_pointer_of_another_form_is_not_followed(root, registry, promotions):
    rewrite(root / "champion.json", promotions=promotions)
    with pytest.raises(RegistryError, match="can't be read"):
        registry.champion()


@pytest.mark.parametrize("linked", ["model.skops", "manifest.json", ""])
def test_a_link_out_of_the_folder_is_not_followed(root, registry, linked):
    """A file, or a whole version, that is a link to somebody else's."""
    outside = root.parent / "outside"
    shutil.copytree(root / "m-1", outside)
    here = root / "m-1" / linked if linked else root / "m-1"
    shutil.rmtree(here) if here.is_dir() else here.unlink()
    here.symlink_to(outside / linked if linked else outside)
    with pytest.raises(RegistryError, match="a link to a place outside"):
        registry.load("m-1")


def test_a_linked_champion_is_not_followed_and_a_linked_root_is(root, registry):
    outside = root.parent / "champion.json"
    (root / "champion.json").rename(outside)
    (root / "champion.json").symlink_to(outside)
    with pytest.raises(RegistryError, match="a link to a place outside"):
        registry.champion()
    linked = root.parent / "linked"
    linked.symlink_to(root, target_is_directory=True)
    assert ModelRegistry(str(linked)).load("m-2").predict([[-3.0]]) == [1]


def test_the_bytes_hashed_are_the_bytes_loaded(root, registry, monkeypatch):
    """Who replaces the file after it was read changes nothing: it is read once."""
    read, file, evil = Folder.read, root / "m-1" / "model.skops", (root / "m-2" / "model.skops")
    reads = []

    def read_then_replace(folder: Folder, name: str) -> bytes:
        data = read(folder, name)
        if name.endswith(".skops"):
            reads.append(name)
            file.write_bytes(evil.read_bytes())
        return data

    monkeypatch.setattr(Folder, "read", read_then_replace)
    assert registry.load("m-1").predict([[3.0]]) == [1]  # m-2 would say 0
    assert reads == ["m-1/model.skops"]
    with pytest.raises(RegistryError, match="was altered"):
        registry.load("m-1")


class Evil:
    """What pickle would run."""

    def __reduce__(self):
        return (Path.touch, (Path("pickle-was-run"),))


def forged(root: Path, data: bytes) -> None:
    """Whoever may write the whole folder can make the hash fit."""
    (root / "m-1" / "model.skops").write_bytes(data)
    digest = hashlib.sha256(data).hexdigest()
    rewrite(root / "m-1" / "manifest.json", sha256=digest, size_bytes=len(data))


def test_a_pickle_is_never_run(root, registry, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    forged(root, pickle.dumps(Evil()))
    with pytest.raises(RegistryError, match="is no model archive"):
        registry.load("m-1")
    assert not (tmp_path / "pickle-was-run").exists()


@pytest.mark.parametrize(
    "state",
    [
        {"__class__": "system", "__module__": "os", "__loader__": "TypeNode"},
        {"__class__": "Popen", "__module__": "subprocess", "__loader__": "ObjectNode"},
        {"__class__": "function", "__module__": "os", "__loader__": "FunctionNode",
         "content": {"function": "system", "module_path": "os"}},
        {"__class__": "str", "__module__": "builtins", "__loader__": "OperatorFuncNode",
         "attrs": "x"},
        {"__class__": "object", "__module__": "builtins", "__loader__": "MethodNode"},
        {"__class__": "x", "__module__": "x", "__loader__": "NoSuchNode"},
    ],
)  # fmt: skip
def test_a_forged_archive_of_other_types_is_not_loaded(root, registry, state):
    schema = {**state, "__id__": 1, "protocol": 2, "_skops_version": "0.13"}
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as archive:
        archive.writestr("schema.json", json.dumps(schema))
    forged(root, whole.getvalue())
    with pytest.raises(
        RegistryError, match=r"not trusted|no model archive|can't be rebuilt|holds a"
    ):
        registry.load("m-1")


def test_a_name_is_checked_before_anything_is_written(tmp_path):
    registry = ModelRegistry(str(tmp_path / "models"))
    for name in ("../evil", "/tmp/evil", "..", "a\x00b", "x" * 101, "\u202eevil", ""):  # noqa: S108 - never written
        with pytest.raises(RegistryError, match="can't name a model version"):
            registry.register(fitted(), version=name)
    assert list(tmp_path.iterdir()) == []
