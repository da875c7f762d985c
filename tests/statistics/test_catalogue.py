"""The catalogue: files of a package, found by themselves."""

import sys

import pytest

from dagster_monitoring.errors import MonitoringError
from dagster_monitoring.statistics.catalogue import discover


@pytest.fixture
def package(tmp_path, monkeypatch):
    folder = tmp_path / "entries_for_test"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "_shared.py").write_text("raise RuntimeError('not an entry')")
    (folder / "b.py").write_text("METRIC = 2")
    (folder / "a.py").write_text("METRIC = 1")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield folder
    for name in [m for m in sys.modules if m.startswith("entries_for_test")]:
        del sys.modules[name]


def test_every_file_without_an_underscore_is_an_entry_in_order(package):
    assert list(discover(package.name, int).items()) == [("a", 1), ("b", 2)]


def test_a_file_without_an_entry_is_an_error_that_names_it(tmp_path, monkeypatch):
    folder = tmp_path / "faulty_for_test"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "empty.py").write_text("")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(MonitoringError, match=r"faulty_for_test\.empty defines no METRIC"):
        discover("faulty_for_test", int)
