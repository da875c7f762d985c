"""One file an entry: a package's modules are its catalogue."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import TypeVar

from dagster_monitoring.errors import MonitoringError

T = TypeVar("T")


def discover(package_name: str, kind: type[T]) -> Mapping[str, T]:
    """Every module of a package by its name, with the ``METRIC`` that it defines.

    Modules whose name starts with an underscore are not entries.

    Args:
        package_name: an importable package, for instance ``"dagster_monitoring.statistics.drift"``.
        kind: the type that each ``METRIC`` has.

    Returns:
        A read-only mapping, sorted by name; the same object's entries on every call.

    Raises:
        MonitoringError: a module has no ``METRIC`` of that type.

    Example:
        >>> from dagster_monitoring.statistics.drift._metric import DriftMetric
        >>> discover("dagster_monitoring.statistics.drift", DriftMetric)["psi"].unit
        ''
    """
    found: dict[str, T] = {}
    for name, entry in _entries(package_name):
        if not isinstance(entry, kind):
            raise MonitoringError(
                f"{package_name}.{name} defines no METRIC of type {kind.__name__}. "
                f"Define it, or start the module's name with an underscore"
            )
        found[name] = entry
    return MappingProxyType(found)


@cache
def _entries(package_name: str) -> tuple[tuple[str, object], ...]:
    package = importlib.import_module(package_name)
    names = sorted(m.name for m in pkgutil.iter_modules(package.__path__))
    return tuple(
        (name, getattr(importlib.import_module(f"{package_name}.{name}"), "METRIC", None))
        for name in names
        if not name.startswith("_")
    )
