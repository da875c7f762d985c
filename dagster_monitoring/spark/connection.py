"""How a Spark session is declared and had."""

from __future__ import annotations

import importlib
import os
import shutil
import socket
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Self
from urllib.parse import urlsplit

from pydantic import Field, model_validator

from dagster_monitoring.declaration import Declaration, EnvironmentVariable, PlainAddress
from dagster_monitoring.errors import DeclarationError, EngineError, MissingExtraError
from dagster_monitoring.spark.faults import cause, first_line

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

CONNECT_SECONDS = 10
_JAVA = 17
_WAIT_SECONDS = 600
_DEFAULTS = {
    "spark.app.name": "dagster-monitoring",
    # Rows a batch between the JVM and Python: what a batch costs is spread over more than 10,000.
    "spark.sql.execution.arrow.maxRecordsPerBatch": "32768",
    # Spark refuses nanoseconds, which pandas writes; as integers they are read exactly.
    "spark.sql.legacy.parquet.nanosAsLong": "true",
    "spark.sql.session.timeZone": "UTC",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.log.level": "ERROR",
}
_REDACTED = r"(?i)secret|password|token|access[.]?key"


class SparkConnection(Declaration):
    """Where a Spark session is had: one of ``master``, ``remote`` and ``session``.

    Example:
        >>> SparkConnection(master="spark://head:7077").place
        'spark://head:7077'
    """

    master: str | None = Field(
        None, min_length=1, description="Master URL: spark://host:7077, local[4], yarn, k8s://…"
    )
    remote: PlainAddress | None = Field(
        None,
        repr=False,
        description="Spark Connect URL, sc://host:15002, or {env: NAME} where it holds a token.",
    )
    session: str | None = Field(
        None,
        pattern=r"^[\w.]+:[A-Za-z_]\w*$",
        description="module:function of your own that returns a SparkSession.",
    )
    config: dict[str, str | bool | int | float | EnvironmentVariable] = Field(
        default_factory=dict, repr=False, description="Spark properties; secrets by {env: NAME}."
    )

    wait_seconds: float = Field(
        _WAIT_SECONDS,
        gt=0,
        description="A scan is given up when none of its tasks has run for so long.",
    )

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        given = [n for n in ("master", "remote", "session") if getattr(self, n) is not None]
        if len(given) != 1:
            raise ValueError(
                "give one of master (spark://host:7077), remote (sc://host:15002) and session "
                f"(module:function); given: {', '.join(given) or 'none'}"
            )
        if self.session is not None and self.config:
            raise ValueError("config goes with master or remote; a session has its own already")
        return self

    @property
    def place(self) -> str:
        """Where the session is, safe to show: without what a Connect URL holds beside it."""
        if isinstance(self.remote, EnvironmentVariable):
            return f"the Spark Connect URL in {self.remote.env}"
        return (self.master or self.remote or self.session or "").partition(";")[0]

    def open(self) -> SparkSession:
        """The session; the same one for the same declaration as long as the process lives.

        Raises:
            MissingExtraError: PySpark is not installed.
            DeclarationError: an environment variable is not set, or ``session`` can't be had.
            EngineError: no Java, nothing answers, or the process has another session.
        """
        return _open(self)


@dataclass(frozen=True, slots=True)
class _Place:
    """What makes two declarations ask for one session."""

    session: str | None
    fields: str

    @classmethod
    def of(cls, connection: SparkConnection) -> _Place:
        fields = connection.model_dump_json(
            include=set(SparkConnection.model_fields) - {"wait_seconds"}
        )
        return cls(connection.session, fields)


# A process can have one classic Spark session, so it is kept for the process.
_SESSIONS: dict[_Place, SparkSession] = {}


def close_sessions() -> None:
    """Stop every session that was opened here; sessions of the user's own are left."""
    for place in list(_SESSIONS):
        session = _SESSIONS.pop(place)
        if place.session is None:
            session.stop()


def java_home() -> str | None:
    """The Java that Spark would start, or ``None``: ``JAVA_HOME``'s, else the first in ``PATH``."""
    home = os.environ.get("JAVA_HOME")
    if home:
        found = Path(home) / "bin" / "java"
        return str(found) if found.exists() else None
    return shutil.which("java")


def _open(connection: SparkConnection) -> SparkSession:
    try:
        import pyspark
    except ImportError:
        raise MissingExtraError("the Spark engine", "spark") from None
    del pyspark
    key = _Place.of(connection)
    kept = _SESSIONS.get(key)
    if kept is None or _is_stopped(kept):
        if connection.session is not None:
            kept = _of_the_user(connection.session)
        elif connection.remote is not None:
            kept = _remote(connection)
        else:
            kept = _classic(connection)
        _SESSIONS[key] = kept
    return kept


def _classic(connection: SparkConnection) -> SparkSession:
    from pyspark import SparkConf, SparkContext
    from pyspark.java_gateway import launch_gateway
    from pyspark.sql import SparkSession

    master = connection.master or ""
    _check_java()
    for address in master.removeprefix("spark://").split(",") if "spark://" in master else []:
        _check_port(f"spark://{address}", default=7077)
    active = SparkSession.getActiveSession()
    if active is not None and not _is_stopped(active):
        raise EngineError(
            f"this process already has a Spark session ({active.sparkContext.master}), and can "
            f"have no second one for {master}. Declare one engine for all models of a process, "
            "or hand that session over by engine.session"
        )
    plain, secret = _properties(connection)
    _choose_python(master, plain)
    conf = SparkConf(loadDefaults=False).setMaster(master).setAll(list(plain.items()))
    # What the JVM says goes to a file without a name, not to the terminal.
    with tempfile.TemporaryFile() as log:
        try:
            said = {"stderr": log, "stdout": log}
            gateway = launch_gateway(conf, said)  # type: ignore[no-untyped-call] # PySpark's
            # Only now the secrets: what it is started with shows in the list of processes.
            conf.setAll(list(secret.items()))
            return SparkSession(SparkContext(gateway=gateway, conf=conf))
        except Exception as error:
            text = f"no Spark session at {master}: {cause(str(error))}{_tail(log)}"
            raise EngineError(text) from error


def _remote(connection: SparkConnection) -> SparkSession:
    from pyspark.errors import PySparkException
    from pyspark.sql import SparkSession

    given = connection.remote
    url = given.read() if isinstance(given, EnvironmentVariable) else str(given)
    _check_port(url, default=15002)
    plain, secret = _properties(connection)
    kept = ("spark.sql.", "spark.hadoop.")
    builder = SparkSession.builder.remote(url)
    for name, value in {**plain, **secret}.items():
        if name in connection.config or name.startswith(kept):
            builder = builder.config(name, value)
    try:
        return builder.getOrCreate()
    except ImportError as missing:
        raise EngineError(
            f"Spark Connect needs a package more: {missing}. "
            "Install it with: pip install 'pyspark[connect]'"
        ) from missing
    except PySparkException as error:
        raise EngineError(f"no Spark session at {connection.place}: {first_line(error)}") from None


def _of_the_user(reference: str) -> SparkSession:
    module, _, name = reference.partition(":")
    try:
        found = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise DeclarationError(f"engine.session {reference!r} can't be had: {error}") from error
    session = found()
    if not (hasattr(session, "table") and hasattr(session, "createDataFrame")):
        raise DeclarationError(
            f"engine.session {reference!r} returned {type(session).__name__}, not a SparkSession"
        )
    return session  # type: ignore[no-any-return] # classic and Connect sessions share no class


def _properties(connection: SparkConnection) -> tuple[dict[str, str], dict[str, str]]:
    """What may be shown, and what may not."""
    plain, secret = dict(_DEFAULTS), {}
    for name, value in connection.config.items():
        if isinstance(value, EnvironmentVariable):
            secret[name] = value.read()
        else:
            plain[name] = str(value).lower() if isinstance(value, bool) else str(value)
    if secret:
        # Spark's own pages and logs hide a property by its name.
        names = "|".join(name.replace(".", "[.]") for name in sorted(secret))
        plain["spark.redaction.regex"] = (
            f"{plain.get('spark.redaction.regex', _REDACTED)}|^({names})$"
        )
    return plain, secret


def _choose_python(master: str, plain: dict[str, str]) -> None:
    """Executors run the Python that is named, and on this machine the one that runs here."""
    host = urlsplit(master.split(",", maxsplit=1)[0]).hostname or ""
    here = master.startswith("local") or host in {"localhost", "127.0.0.1", "::1"}
    named = plain.get("spark.pyspark.python") or (sys.executable if here else None)
    if named:
        # The one way to say it once the driver is a Python process already.
        os.environ["PYSPARK_PYTHON"] = named


def _check_java() -> None:
    if java_home() is None:
        set_to = os.environ.get("JAVA_HOME")
        at = f"JAVA_HOME is {set_to}, which has no bin/java" if set_to else "none is in PATH"
        raise EngineError(
            f"Spark needs Java {_JAVA} or later, and {at}. Install one (Debian: apt install "
            "openjdk-17-jre-headless; macOS: brew install openjdk@17; conda: openjdk) and set "
            "JAVA_HOME, or use a Spark Connect server (engine.remote), which needs none here"
        )


def _check_port(url: str, *, default: int) -> None:
    """Spark itself tries for minutes; whether anything listens is known at once."""
    parts = urlsplit(url.partition(";")[0].rstrip("/"))
    host, port = parts.hostname or "", parts.port or default
    try:
        socket.create_connection((host, port), timeout=CONNECT_SECONDS).close()
    except OSError as error:
        raise EngineError(
            f"nothing answers at {parts.scheme}://{host}:{port}: {error}. Check that Spark runs "
            "there, the address and the network"
        ) from error


def _is_stopped(session: SparkSession) -> bool:
    if hasattr(session, "is_stopped"):
        return bool(session.is_stopped)
    context = session.sparkContext
    # The JVM's context also stops by itself, when the cluster is lost.
    return context._jsc is None or bool(context._jsc.sc().isStopped())  # noqa: SLF001 - only it knows


def _tail(log: IO[bytes], *, size: int = 2_000) -> str:
    log.seek(0, os.SEEK_END)
    log.seek(max(log.tell() - size, 0))
    text = log.read().decode("utf-8", "replace").strip()
    return f"\n{text}" if text else ""
