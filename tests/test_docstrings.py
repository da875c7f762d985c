"""Every example in a docstring runs and gives what it shows."""

from __future__ import annotations

import doctest
import importlib
import os
import pkgutil
import warnings

import pytest

import dagster_monitoring

with warnings.catch_warnings():
    # Dagster warns of its preview features when a module builds definitions.
    warnings.simplefilter("ignore")
    MODULES = {
        found.name: importlib.import_module(found.name)
        for found in pkgutil.walk_packages(dagster_monitoring.__path__, "dagster_monitoring.")
    }


@pytest.fixture(autouse=True)
def _an_environment_and_a_folder_of_its_own(tmp_path, monkeypatch):
    before = dict(os.environ)
    monkeypatch.chdir(tmp_path)
    yield
    os.environ.clear()
    os.environ.update(before)


def test_there_are_modules_and_examples():
    finder = doctest.DocTestFinder(exclude_empty=True)
    examples = [t for m in MODULES.values() for t in finder.find(m) if t.examples]
    assert len(MODULES) > 150
    assert len(examples) > 100


@pytest.mark.parametrize("name", sorted(MODULES))
def test_the_examples_of_a_module_give_what_they_show(name):
    assert doctest.testmod(MODULES[name]).failed == 0
