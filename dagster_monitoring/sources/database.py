"""Database addresses: normalised, and never shown with their password."""

from __future__ import annotations

from urllib.parse import quote, quote_plus

from sqlalchemy import Engine, create_engine
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError

from dagster_monitoring.errors import DeclarationError, MissingExtraError

CONNECT_TIMEOUT_SECONDS = 10


def database_url(url: str) -> URL:
    """A database address as SQLAlchemy reads it, with a driver this package's extra installs.

    Args:
        url: ``dialect[+driver]://user:password@host:port/name``, or ``sqlite:///file``.

    Raises:
        DeclarationError: the text is not an address; the message does not repeat it.

    Example:
        >>> database_url("postgresql://me:secret@db/prod").drivername
        'postgresql+psycopg2'
    """
    return with_driver(parsed_url(url))


def parsed_url(url: str) -> URL:
    """A database address as it was given.

    Raises:
        DeclarationError: as :func:`database_url`.
    """
    try:
        return make_url(url)
    except (ArgumentError, ValueError):
        # The parser's message may quote a part of the password.
        raise DeclarationError(
            "the database URL can't be read. Write dialect://user:password@host:port/name, "
            "with special characters of the password percent-encoded, or sqlite:///path/to/file.db"
        ) from None


def with_driver(url: URL) -> URL:
    """An address that names its driver.

    ``postgres://`` and ``postgresql://`` name none, and what SQLAlchemy then picks depends on its
    version (psycopg2 in 2.0, psycopg 3 in 2.1); here it is always psycopg2.
    """
    if url.drivername in {"postgres", "postgresql"}:
        return url.set(drivername="postgresql+psycopg2")
    return url


def redacted(url: URL) -> str:
    """An address that is safe to show.

    Example:
        >>> redacted(database_url("postgresql://me:secret@db/prod"))
        'postgresql+psycopg2://me:***@db/prod'
    """
    # Some drivers take the password from the query part.
    return url.set(query={}).render_as_string(hide_password=True)


def database_fault(error: Exception, url: URL) -> str:
    """The first line of a database error, without the password.

    Args:
        error: what SQLAlchemy raised.
        url: the address that was used.
    """
    cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    lines = [line.strip() for line in str(cause).splitlines() if line.strip()]
    text = lines[0] if lines else type(cause).__name__
    for secret in _secrets(url):
        text = text.replace(secret, "***")
    return text[:500]


def build_engine(url: URL) -> Engine:
    """An engine whose PostgreSQL sessions keep their clocks in UTC and give up after 10 s.

    Raises:
        DeclarationError: SQLAlchemy has no such dialect.
        MissingExtraError: the driver is not installed.
    """
    is_postgres = url.get_backend_name() == "postgresql"
    arguments: dict[str, str | int] = {}
    if is_postgres:
        arguments = {"connect_timeout": CONNECT_TIMEOUT_SECONDS, "options": "-c timezone=utc"}
    try:
        return create_engine(url, connect_args=arguments, pool_pre_ping=is_postgres)
    except NoSuchModuleError:
        raise DeclarationError(
            f"no database dialect is called {url.drivername!r}. "
            f"There are postgresql and sqlite; others need their SQLAlchemy package installed"
        ) from None
    except ModuleNotFoundError as missing:
        if is_postgres:
            raise MissingExtraError("PostgreSQL", "postgres") from None
        raise DeclarationError(
            f"{redacted(url)} needs the Python package {missing.name!r}: install it"
        ) from None


def _secrets(url: URL) -> list[str]:
    given = [str(url.password)] if url.password else []
    given += [
        str(value)
        for name, value in url.query.items()
        if any(word in name.lower() for word in ("pass", "token", "secret"))
    ]
    forms = {
        form
        for secret in given
        for form in (secret, quote(secret), quote(secret, safe=""), quote_plus(secret))
    }
    return sorted(forms, key=len, reverse=True)
