"""The base of everything a user declares, and how a wrong declaration is explained."""

from __future__ import annotations

import os
from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from dagster_monitoring.errors import DeclarationError, did_you_mean


class Declaration(BaseModel):
    """Frozen, keyword-only, and closed: a field that is not known is an error."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", hide_input_in_errors=True, populate_by_name=True
    )

    @model_validator(mode="before")
    @classmethod
    def _say_the_nearest_field(cls, data: object) -> object:
        if isinstance(data, dict):
            # A field whose name is a word of Python's, such as `for`, is written by its alias.
            known = {field.alias or name for name, field in cls.model_fields.items()}
            for name in data:
                if name not in known and name not in cls.model_fields:
                    raise ValueError(
                        f"unknown field {name!r}.{did_you_mean(str(name), known)} "
                        f"Known fields: {', '.join(sorted(known))}"
                    )
        return data


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


def explain(error: ValidationError, *, where: str = "", given: object = None) -> str:
    """A validation error as lines a person can act on: where, field, fault.

    Args:
        error: what pydantic raised.
        where: a prefix of every line, for instance a file name and a colon.
        given: what was validated; then the path holds its keys only, as it was written, and not
            the kinds of monitor or source that pydantic puts between them.
    """
    lines = []
    for fault in error.errors(include_url=False, include_input=False, include_context=False):
        message = str(fault["msg"]).removeprefix("Value error, ")
        loc = fault["loc"] if given is None else _as_written(fault["loc"], given)
        lines.append(f"{where}{_path(loc)}: {message}")
    return "\n".join(lines)


def _as_written(loc: tuple[int | str, ...], given: object) -> tuple[int | str, ...]:
    kept: list[int | str] = []
    for place, part in enumerate(loc):
        is_last = place == len(loc) - 1
        if isinstance(part, int):
            given = given[part] if isinstance(given, list | tuple) and part < len(given) else None
        elif isinstance(given, Mapping) and part in given:
            given = given[part]
        elif not is_last or not isinstance(given, Mapping) or part == given.get("type"):
            # The kind of an entry; a field that is missing comes last, and stays.
            continue
        kept.append(part)
    return tuple(kept)


def _path(loc: tuple[int | str, ...]) -> str:
    out = ""
    for part in loc:
        out += f"[{part}]" if isinstance(part, int) else f".{part}" if out else str(part)
    return out or "(declaration)"
