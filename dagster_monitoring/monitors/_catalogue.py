"""Finds the types of monitors: one module of this folder each."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from dagster_monitoring.monitors._monitor import Monitor


@cache
def monitor_types() -> Mapping[str, type[Monitor]]:
    """Every type of monitor by the word that stands for it in YAML, sorted.

    Example:
        >>> "drift" in monitor_types()
        True
    """
    package = __package__ or ""
    found: dict[str, type[Monitor]] = {}
    for module in pkgutil.iter_modules([str(Path(__file__).parent)]):
        if module.name.startswith("_") or module.ispkg:
            continue
        loaded = importlib.import_module(f"{package}.{module.name}")
        for declared in vars(loaded).values():
            if _is_monitor_of(declared, loaded.__name__):
                found[str(declared.model_fields["type"].default)] = declared
    return dict(sorted(found.items()))


def _is_monitor_of(declared: object, module: str) -> bool:
    return (
        inspect.isclass(declared)
        and issubclass(declared, Monitor)
        and declared.__module__ == module
        and not inspect.isabstract(declared)
    )
