"""The engines there are: one a file of ``engines``, told apart by ``type``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, TypeAlias

from pydantic import BeforeValidator, Field

from dagster_monitoring.profiles.engines._engine import Engine, ScanPlan, SliceRows
from dagster_monitoring.profiles.engines.one_process import LocalEngine
from dagster_monitoring.profiles.engines.spark import SparkEngine

ENGINES: tuple[type[LocalEngine | SparkEngine], ...] = (LocalEngine, SparkEngine)
"""Every engine. They are named here, for a look into all files would load what extras bring."""


def _by_name(given: object) -> object:
    """``engine: local`` is short for ``engine: {type: local}``."""
    return {"type": given} if isinstance(given, str) else given


if TYPE_CHECKING:
    AnyEngine: TypeAlias = LocalEngine | SparkEngine
else:
    _Kinds = Annotated[LocalEngine | SparkEngine, Field(discriminator="type")]
    AnyEngine = Annotated[_Kinds, BeforeValidator(_by_name, json_schema_input_type=str | _Kinds)]

__all__ = ["ENGINES", "AnyEngine", "Engine", "LocalEngine", "ScanPlan", "SliceRows", "SparkEngine"]
