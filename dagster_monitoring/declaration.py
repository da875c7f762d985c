"""The base of everything a user declares, and how a wrong declaration is explained."""

from __future__ import annotations

import os
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from dagster_monitoring.errors import DeclarationError, did_you_mean


class Declaration(BaseModel):
    """Frozen, keyword-only, and closed: a field that is not known is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class EnvironmentVariable(Declaration):
    """A secret by the name of its environment variable; the value is never stored.

    Example:
        >>> import os
        >>> os.environ["EXAMPLE_TOKEN"] = "s3cret"
        >>> EnvironmentVariable(env="EXAMPLE_TOKEN").read()
        's3cret'
    """

    env: str = Field(min_length=1, description="Name of the environment variable.")

    def read(self) -> str:
        """The variable's value.

        Raises:
            DeclarationError: the variable is not set, or is empty.
        """
        value = os.environ.get(self.env, "")
        if not value:
            raise DeclarationError(
                f"environment variable {self.env} is not set. "
                f"Set it where Dagster's code server and runs start."
            )
        return value


def explain(error: ValidationError, declared: type[BaseModel], *, where: str = "") -> str:
    """A validation error as lines a person can act on: field, fault, nearest name.

    Args:
        error: what pydantic raised.
        declared: the declaration that was being read.
        where: a prefix for every field's path, for instance a file name.
    """
    lines = []
    for fault in error.errors(include_url=False, include_input=False):
        path = _path(fault["loc"])
        message = str(fault["msg"]).removeprefix("Value error, ")
        if fault["type"] == "extra_forbidden":
            known = _field_names(declared, fault["loc"][:-1])
            message = f"unknown field.{did_you_mean(str(fault['loc'][-1]), known)}" + (
                f" Known fields: {', '.join(known)}" if known else ""
            )
        lines.append(f"{where}{path}: {message}")
    return "\n".join(lines)


def _path(loc: tuple[int | str, ...]) -> str:
    out = ""
    for part in loc:
        out += f"[{part}]" if isinstance(part, int) else f".{part}" if out else str(part)
    return out or "(root)"


def _field_names(declared: type[BaseModel], loc: tuple[int | str, ...]) -> list[str]:
    """Field names of the declaration that ``loc`` points into, through lists and tagged unions."""
    candidates: list[Any] = [declared]
    for part in loc:
        if isinstance(part, int):
            continue
        candidates = [c for option in candidates for c in _step(option, part)]
    return sorted({name for c in candidates for name in c.model_fields})


def _step(declared: type[BaseModel], part: str) -> list[type[BaseModel]]:
    if part in declared.model_fields:
        return _models_in(declared.model_fields[part].annotation)
    tag = declared.model_fields.get("type")
    is_tag = tag is not None and part in getattr(tag.annotation, "__args__", ())
    return [declared] if is_tag else []


def _models_in(annotation: Any) -> list[type[BaseModel]]:  # noqa: ANN401 - any annotation at all
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [m for arg in getattr(annotation, "__args__", ()) for m in _models_in(arg)]
