"""Every field that can stand in a model's YAML, from the declarations themselves."""

from __future__ import annotations

import types
import typing
from collections.abc import Mapping
from enum import StrEnum

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from dagster_monitoring.alerts import channel_types
from dagster_monitoring.declaration import Declaration
from dagster_monitoring.model import MonitoredModel
from dagster_monitoring.monitors import Monitor, monitor_types
from dagster_monitoring.sources import GROUND_TRUTHS, SOURCES
from reference.words import cell, prose, slug

PLAIN = {str: "text", int: "whole number", float: "number", bool: "true or false"}


def declared_classes() -> list[type[Declaration]]:
    """Every declaration that can stand in a model's YAML, outermost first."""
    found: list[type[Declaration]] = []
    todo: list[type[Declaration]] = [MonitoredModel]
    while todo:
        declared = todo.pop(0)
        if declared not in found:
            found.append(declared)
            for field in declared.model_fields.values():
                todo += [c for c in members(field.annotation) if c not in found]
    return found


def fields_of(declared: type[Declaration]) -> dict[str, FieldInfo]:
    """A declaration's own fields: those of every monitor are told once, under Monitor."""
    own = declared.model_fields
    if issubclass(declared, Monitor) and declared is not Monitor:
        told = Monitor.model_fields
        own = {n: f for n, f in own.items() if n not in told or n in declared.__annotations__}
    first = {"type": own["type"]} if "type" in own else {}
    return first | dict(own)


def section(declared: type[Declaration], heading: str | None = None) -> str:
    """A heading, what the declaration is, and a table of its fields."""
    rows = [
        f"| `{name}` | {_type_of(declared, name, field)} | {_default_of(name, field)} "
        f"| {_description(name, field)} |"
        for name, field in fields_of(declared).items()
    ]
    return "\n".join(
        [
            f"### {heading or title_of(declared)}",
            "",
            prose(declared.__doc__ or ""),
            "",
            "| field | what it is | default | |",
            "|---|---|---|---|",
            *rows,
            "",
        ]
    )


def title_of(declared: type[Declaration]) -> str:
    """The heading of a declaration's section."""
    tag = _tag(declared)
    name = declared.__name__
    return f"{name} (`type: {tag}`)" if tag else name


def sections(*classes: type[Declaration]) -> str:
    """The sections of several declarations."""
    return "\n".join(section(declared) for declared in classes)


def _tag(declared: type[Declaration]) -> str | None:
    field = declared.model_fields.get("type")
    return str(field.default) if field is not None and isinstance(field.default, str) else None


def members(annotation: object) -> list[type[Declaration]]:
    """The declarations that an annotation names, at any depth."""
    if isinstance(annotation, type) and issubclass(annotation, Declaration):
        return [annotation]
    return [m for argument in typing.get_args(annotation) for m in members(argument)]


def _words(annotation: object) -> str:
    """An annotation as a person says it."""
    if isinstance(annotation, type) and not typing.get_args(annotation):
        return _words_of_class(annotation)
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in {typing.Union, types.UnionType}:
        return _words_of_any(arguments)
    if origin is typing.Literal:
        return " or ".join(f"`{value}`" for value in arguments)
    if origin is dict:
        return f"map of {_words(arguments[0])} to {_words(arguments[1])}"
    # What is left is Annotated, or a tuple of one type.
    return f"list of {_words(arguments[0])}" if origin is tuple else _words(arguments[0])


def _words_of_class(declared: type) -> str:
    if issubclass(declared, Declaration):
        return f"[{declared.__name__}](#{slug(title_of(declared))})"
    if issubclass(declared, StrEnum):
        return " or ".join(f"`{member}`" for member in declared)
    return PLAIN.get(declared, declared.__name__.lower())


def _words_of_any(arguments: tuple[object, ...]) -> str:
    """The members of a union; those of one kind by the name of their section."""
    left = [argument for argument in arguments if argument is not type(None)]
    said = []
    for kind, group in KINDS.items():
        named = {member for argument in left for member in members(argument)}
        if group <= named:
            left = [a for a in left if not set(members(a)) & group]
            said.append(f"[{kind}](#{slug(HEADINGS.get(kind, f'{kind}s'))})")
    return " or ".join(dict.fromkeys([*(_words(argument) for argument in left), *said]))


def _type_of(declared: type[Declaration], name: str, field: FieldInfo) -> str:
    if name == "type":
        return f"`{_tag(declared)}`" if _tag(declared) else "text"
    bounds = [
        f"{sign} {getattr(limit, attribute):g}"
        for limit in field.metadata
        for attribute, sign in (("gt", ">"), ("ge", "≥"), ("lt", "<"), ("le", "≤"))
        if getattr(limit, attribute, None) is not None
    ]
    return ", ".join([_words(field.annotation), *bounds])


def _default_of(name: str, field: FieldInfo) -> str:
    default: object = field.get_default(call_default_factory=True, validated_data={})
    if default is PydanticUndefined or name == "type":
        return "required"
    if isinstance(default, Declaration):
        return "as below"
    if default is None or default in ("", (), {}):
        return ""
    if isinstance(default, tuple):
        return f"`[{', '.join(map(str, default))}]`"
    return f"`{default}`".lower() if isinstance(default, bool) else f"`{default}`"


def _description(name: str, field: FieldInfo) -> str:
    if name == "type":
        return "Says which kind it is."
    return cell(field.description or "")


TASKS = tuple(members(MonitoredModel.model_fields["task"].annotation))
THRESHOLDS = tuple(members(Monitor.model_fields["threshold"].annotation))
# What has a section of its own.
KINDS: Mapping[str, frozenset[type[Declaration]]] = {
    "task": frozenset(TASKS),
    "source": frozenset(SOURCES.values()),
    "ground truth": frozenset(GROUND_TRUTHS.values()),
    "monitor": frozenset(monitor_types().values()),
    "threshold": frozenset(THRESHOLDS),
    "channel": frozenset(channel_types().values()),
}
HEADINGS = {"ground truth": "Ground truth"}


def others() -> tuple[type[Declaration], ...]:
    """The declarations that are not one of several kinds."""
    told = {MonitoredModel, Monitor}.union(*KINDS.values())
    return tuple(declared for declared in declared_classes() if declared not in told)
