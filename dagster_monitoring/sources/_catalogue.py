"""Kinds of a declaration found by themselves: one file a kind, told apart by ``type``."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from typing import TypeVar

from dagster_monitoring.declaration import Declaration

Kind = TypeVar("Kind", bound=Declaration)


def discover_kinds(package: str, base: type[Kind]) -> dict[str, type[Kind]]:
    """Each kind's ``type`` tag to its class, sorted by tag.

    Args:
        package: dotted name; its modules that do not start with ``_`` are imported.
        base: the abstract class that kinds inherit from.
    """
    found: dict[str, type[Kind]] = {}
    for module in pkgutil.iter_modules(importlib.import_module(package).__path__):
        if module.name.startswith("_") or module.ispkg:
            continue
        for member in vars(importlib.import_module(f"{package}.{module.name}")).values():
            if not (isinstance(member, type) and issubclass(member, base)):
                continue
            if "type" in member.model_fields and not inspect.isabstract(member):
                found[str(member.model_fields["type"].default)] = member
    return dict(sorted(found.items()))
