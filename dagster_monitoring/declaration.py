"""The base of everything a user declares, and how a wrong declaration is explained."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from dagster_monitoring.errors import DeclarationError, did_you_mean

_PASSWORD_IN_QUERY = r"[?&;](pass|password|passwd|token|secret)="  # noqa: S105 - a form of one
# A database's password may hold slashes; of a path, what follows the first one is the path.
_PASSWORD_OF_DATABASE = re.compile(rf"://[^:/@]*:[^@?]+@|{_PASSWORD_IN_QUERY}", re.IGNORECASE)
_PASSWORD_OF_PATH = re.compile(rf"://[^:/@]*:[^/@]+@|{_PASSWORD_IN_QUERY}", re.IGNORECASE)
_SECRET_NAME = re.compile(
    r"secret|passw|passphrase|token|credential|(api|account|access|private)_?key$|connection_string",
    re.IGNORECASE,
)
# What gcsfs takes in place of a token, and files that hold one.
_NO_SECRET = re.compile(r"^(anon|cloud|cache|google_default|browser)$|^[^{]*\.(json|pem)$")


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


def plain_address(address: str | EnvironmentVariable) -> str | EnvironmentVariable:
    """An address without a password, or the name of the variable that holds one.

    Raises:
        ValueError: a password stands in it; it is not repeated.

    Example:
        >>> plain_address("postgresql://db/prod?sslmode=require")
        'postgresql://db/prod?sslmode=require'
    """
    if isinstance(address, str) and _PASSWORD_OF_DATABASE.search(address):
        raise ValueError(
            "an address with a password stands in an environment variable: {env: NAME}"
        )
    return address


PlainAddress = Annotated[str | EnvironmentVariable, AfterValidator(plain_address)]


def plain_path(path: str) -> str:
    """A path or URL without a password.

    Raises:
        ValueError: it has one; it is not repeated.
    """
    if _PASSWORD_OF_PATH.search(path):
        raise ValueError(
            "a path holds no password: give it in storage_options, as password: {env: NAME}, or in "
            "the environment (FSSPEC_SFTP_PASSWORD for sftp)"
        )
    return path


PlainPath = Annotated[str, AfterValidator(plain_path)]


def plain_options(
    options: dict[str, str | EnvironmentVariable],
) -> dict[str, str | EnvironmentVariable]:
    """Options of a file system whose secrets are names of variables.

    Raises:
        ValueError: one that is called like a secret is written out; it is not repeated.

    Example:
        >>> plain_options({"endpoint_url": "http://minio:9000", "token": "anon"})
        {'endpoint_url': 'http://minio:9000', 'token': 'anon'}
    """
    for name, value in options.items():
        if isinstance(value, str) and _SECRET_NAME.search(name) and not _NO_SECRET.search(value):
            raise ValueError(f"{name} is a secret: write {name}: {{env: NAME}}")
    return options


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
