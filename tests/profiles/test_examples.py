from __future__ import annotations

import doctest
import importlib

import pytest


@pytest.mark.parametrize(
    "name", ["baseline", "bins", "gathering", "labels", "names", "profile", "reading", "window"]
)
def test_examples_run(name: str) -> None:
    module = importlib.import_module(f"dagster_monitoring.profiles.{name}")
    assert doctest.testmod(module).failed == 0
