"""Examples in docstrings run, and give what they show."""

import doctest
import importlib
import pkgutil

import pytest

from dagster_monitoring import statistics

MODULES = [m.name for m in pkgutil.walk_packages(statistics.__path__, f"{statistics.__name__}.")]


@pytest.mark.parametrize("name", MODULES)
def test_examples_give_what_they_show(name):
    assert doctest.testmod(importlib.import_module(name)).failed == 0


def test_every_metric_has_an_example():
    entries = [n for n in MODULES if {"drift", "multivariate", "performance"} & set(n.split("."))]
    public = [n for n in entries if not n.rsplit(".", 1)[1].startswith("_")]
    assert len(public) > 20
    for name in public:
        assert doctest.testmod(importlib.import_module(name)).attempted > 0, name
