"""Whether what a model needs beside its data is there: store, storage, secrets, extras, code."""

from __future__ import annotations

import importlib.util
import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import fsspec
import sqlalchemy as sa
from fsspec.implementations.local import LocalFileSystem
from sqlalchemy.exc import SQLAlchemyError

from dagster_monitoring.declaration import Declaration, EnvironmentVariable
from dagster_monitoring.errors import DeclarationError, MissingExtraError
from dagster_monitoring.model import MonitoredModel
from dagster_monitoring.monitors import Monitor
from dagster_monitoring.monitors.great_expectations import GreatExpectationsMonitor
from dagster_monitoring.orchestration.validation._finding import (
    Finding,
    fault,
    faults_of,
    ok,
    warning,
)
from dagster_monitoring.profiles.engine import SparkEngine
from dagster_monitoring.retraining import resolve_trainer
from dagster_monitoring.sources.database import (
    build_engine,
    database_fault,
    database_url,
    redacted,
)

# What an alert channel imports only when it sends.
_CHANNEL_EXTRAS = {"slack": ("slack_sdk", "slack"), "apprise": ("apprise", "apprise")}


def check_store(model: MonitoredModel) -> list[Finding]:
    """Whether the store of evaluations, labels and incidents can be reached; nothing is made."""
    findings: list[Finding] = []
    what = "storage.database"
    with faults_of(findings, what):
        url = database_url(model.storage.database_url)
        backend = url.get_backend_name()
        if backend not in {"sqlite", "postgresql"}:
            text = f"{redacted(url)}: the store is kept in SQLite or PostgreSQL only"
            return [fault(what, text, "see field storage.database")]
        if backend == "sqlite" and not Path(url.database or "").exists():
            return [_can_be_made(Path(url.database or ""), what)]
        engine = build_engine(url)
        try:
            with engine.connect() as connection:
                tables = sa.inspect(connection).get_table_names()
            findings.append(ok(what, f"{redacted(url)} is reached; it has {len(tables)} tables"))
        except SQLAlchemyError as error:
            text = f"{redacted(url)}: {database_fault(error, url)}"
            remedy = "check that the database runs, its address, user and password"
            findings.append(fault(what, text, remedy))
        finally:
            engine.dispose()
    return findings


def check_storage(model: MonitoredModel) -> list[Finding]:
    """Whether profiles, baselines and models can be written; a probe is written and taken away."""
    findings: list[Finding] = []
    what = "storage.path"
    with faults_of(findings, what):
        files, folder = fsspec.core.url_to_fs(model.storage.path)
        if isinstance(files, LocalFileSystem):
            return [_can_be_made(Path(folder) / "profiles", what)]
        probe = f"{folder.rstrip('/')}/probe-{uuid.uuid4().hex}"
        files.pipe_file(probe, b"written by a check of this declaration")
        files.rm_file(probe)
        findings.append(ok(what, f"{model.storage.path} can be written to"))
    return findings


def check_secrets(model: MonitoredModel) -> list[Finding]:
    """Whether every environment variable that the declaration names is set."""
    findings: list[Finding] = []
    for field, variable in environment_variables(model):
        try:
            variable.read()
        except DeclarationError as error:
            findings.append(fault(field, str(error), ""))
        else:
            findings.append(ok(field, f"environment variable {variable.env} is set"))
    return findings


def check_engine(model: MonitoredModel) -> list[Finding]:
    """Whether a Spark session can be had, for a model that asks for one; it is opened."""
    engine = model.engine
    if not isinstance(engine, SparkEngine):
        return []
    findings: list[Finding] = []
    what = "engine"
    with faults_of(findings, what):
        version = engine.open().version
        findings.append(ok(what, f"Spark {version} at {engine.place} gives a session"))
    return findings


def check_channels(model: MonitoredModel) -> list[Finding]:
    """Whether alerts are told to anybody, and the channels' packages are installed."""
    if not model.alerts:
        text = "no channel is declared: incidents are recorded, and nobody is told"
        return [warning("alerts", text, "declare field alerts")]
    findings = []
    for place, channel in enumerate(model.alerts):
        what = f"alerts[{place}]"
        package, extra = _CHANNEL_EXTRAS.get(channel.type, ("", ""))
        if package and importlib.util.find_spec(package) is None:
            missing = MissingExtraError(f"the channel {channel.name}", extra)
            findings.append(fault(what, str(missing), ""))
        else:
            findings.append(ok(what, f"channel {channel.name}: what it imports is installed"))
    return findings


def check_trainer(model: MonitoredModel) -> list[Finding]:
    """Whether the trainer can be imported and called."""
    if model.retraining is None:
        return []
    findings: list[Finding] = []
    what = "retraining.trainer"
    with faults_of(findings, what):
        trainer = resolve_trainer(model.retraining.trainer)
        findings.append(ok(what, f"{trainer.reference} is found"))
    return findings


def check_monitors(model: MonitoredModel) -> list[Finding]:
    """Whether expectation suites can be read; the other monitors need nothing."""
    findings = [ok("monitors", f"{len(model.active_monitors)} monitors are in force")]
    for monitor in model.active_monitors:
        if isinstance(monitor, GreatExpectationsMonitor):
            findings += _suite(monitor)
    return findings


def environment_variables(
    declared: Declaration, *, where: str = ""
) -> Iterator[tuple[str, EnvironmentVariable]]:
    """Every environment variable below a declaration, with the path of its field.

    Example:
        >>> from dagster_monitoring.model import Storage
        >>> storage = Storage(database=EnvironmentVariable(env="STORE_URL"))
        >>> [(field, variable.env) for field, variable in environment_variables(storage)]
        [('database', 'STORE_URL')]
    """
    for name in type(declared).model_fields:
        yield from _variables_in(getattr(declared, name), f"{where}.{name}" if where else name)


def _variables_in(value: object, where: str) -> Iterator[tuple[str, EnvironmentVariable]]:
    if isinstance(value, EnvironmentVariable):
        yield where, value
    elif isinstance(value, Declaration):
        yield from environment_variables(value, where=where)
    elif isinstance(value, tuple | list):
        for place, member in enumerate(value):
            yield from _variables_in(member, f"{where}[{place}]")
    elif isinstance(value, dict):
        for name, member in value.items():
            yield from _variables_in(member, f"{where}.{name}")


def _suite(monitor: Monitor) -> list[Finding]:
    findings: list[Finding] = []
    what = f"monitors.{monitor.name}"
    with faults_of(findings, what):
        if importlib.util.find_spec("great_expectations") is None:
            raise MissingExtraError(f"the monitor {monitor.name}", "gx")
        if isinstance(monitor, GreatExpectationsMonitor):
            findings.append(ok(what, f"its suite has {len(monitor.suite())} expectations"))
    return findings


def _can_be_made(file: Path, what: str) -> Finding:
    """Whether a local file that may not be there yet can be written."""
    folder = next(f for f in file.absolute().parents if f.exists())
    if folder.is_dir() and os.access(folder, os.W_OK | os.X_OK):
        return ok(what, f"{file.parent} can be written to")
    text = f"{folder} can't be written to" if folder.is_dir() else f"{folder} is not a folder"
    return fault(what, text, "see field storage")
