"""Examples in docstrings run, and give what they show."""

import doctest
import importlib
import pkgutil

import pytest

from dagster_monitoring import drafting
from dagster_monitoring.orchestration import validation

MODULES = [
    module.name
    for package in (drafting, validation)
    for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}.")
]


@pytest.mark.parametrize("name", MODULES)
def test_examples_give_what_they_show(name):
    assert doctest.testmod(importlib.import_module(name)).failed == 0
