from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

import dagster_monitoring.sources

NAMES = [
    module.name
    for module in pkgutil.walk_packages(
        dagster_monitoring.sources.__path__, "dagster_monitoring.sources."
    )
]


@pytest.mark.parametrize("name", NAMES)
def test_examples_run(name: str):
    assert doctest.testmod(importlib.import_module(name)).failed == 0
