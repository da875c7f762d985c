"""The channels there are: one a file of this folder, found by itself."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Mapping, Sequence
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias, Union

from pydantic import BeforeValidator, Field

from dagster_monitoring.alerts._channel import Channel
from dagster_monitoring.errors import DeclarationError, UnknownNameError

_PACKAGE = "dagster_monitoring.alerts"


@cache
def channel_types() -> Mapping[str, type[Channel]]:
    """Every channel by its ``type``, sorted.

    Example:
        >>> list(channel_types())[:4]
        ['apprise', 'console', 'email', 'file']
    """
    package = importlib.import_module(_PACKAGE)
    found: dict[str, type[Channel]] = {}
    for module in pkgutil.iter_modules(package.__path__):
        if module.name.startswith("_"):
            continue
        for declared in _channels_of(f"{_PACKAGE}.{module.name}"):
            found[declared.model_fields["type"].default] = declared
    return MappingProxyType(dict(sorted(found.items())))


def check_names(channels: Sequence[Channel]) -> None:
    """Raise unless channels of one model can be told apart.

    Raises:
        DeclarationError: two channels have the same name.
    """
    names = [channel.name for channel in channels]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise DeclarationError(
            f"alerts: two channels are called {twice[0]!r}. Give each a name of its own: "
            f"{{type: …, name: …}}"
        )


def _channels_of(module_name: str) -> list[type[Channel]]:
    module = importlib.import_module(module_name)
    return [
        member
        for member in vars(module).values()
        if inspect.isclass(member)
        and issubclass(member, Channel)
        and member.__module__ == module_name
        and not inspect.isabstract(member)
    ]


def _known_type(given: Any) -> Any:  # noqa: ANN401 - whatever the YAML held
    if isinstance(given, dict) and isinstance(given.get("type"), str):
        known = channel_types()
        if given["type"] not in known:
            raise ValueError(str(UnknownNameError("alert channel", given["type"], known)))
    return given


if TYPE_CHECKING:
    AnyChannel: TypeAlias = Channel
else:
    AnyChannel = Annotated[
        Annotated[Union[tuple(channel_types().values())], Field(discriminator="type")],  # noqa: UP007 - built at run time
        BeforeValidator(_known_type),
    ]
