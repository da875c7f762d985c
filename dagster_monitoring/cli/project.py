"""Finds the monitored models of the project that a command is called in."""

from __future__ import annotations

import importlib
import sys
import tomllib
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import click
import dagster as dg
from dotenv import load_dotenv

from dagster_monitoring.errors import DeclarationError, UnknownNameError
from dagster_monitoring.model import MonitoredModel
from dagster_monitoring.orchestration.component import root_cause

Function = TypeVar("Function", bound=Callable[..., Any])


def project_options(function: Function) -> Function:
    """``--project`` and ``--module``: where the models are declared."""
    function = click.option(
        "--module",
        "-m",
        help="Python module that holds the Definitions (instead of a dg project).",
    )(function)
    return click.option(
        "--project",
        type=click.Path(exists=True, file_okay=False, path_type=Path),
        default=Path(),
        show_default="the current folder",
        help="Folder of the dg project, the one with pyproject.toml.",
    )(function)


def load_model(name: str, *, project: Path, module: str | None) -> MonitoredModel:
    """The model of a name.

    Raises:
        UnknownNameError: the project has no such model.
        DeclarationError: the project or module can't be loaded.
    """
    return model_of(load_definitions(project=project, module=module), name)


def model_of(definitions: dg.Definitions, name: str) -> MonitoredModel:
    """The model of a name in definitions; raises ``UnknownNameError``."""
    models = models_of(definitions)
    if name not in models:
        raise UnknownNameError("model", name, models)
    return models[name]


def models_of(definitions: dg.Definitions) -> Mapping[str, MonitoredModel]:
    """All models in definitions, by name."""
    found = [r for r in (definitions.resources or {}).values() if isinstance(r, MonitoredModel)]
    return {model.model: model for model in found}


def load_definitions(*, project: Path, module: str | None) -> dg.Definitions:
    """The project's Dagster ``Definitions``."""
    try:
        if module:
            return _definitions_of(module)
        root = _dg_project(project)
        # As `dg` does: DAGSTER_HOME and secrets of a project may stand in its .env.
        load_dotenv(root / ".env")
        sys.path[:0] = [str(root / "src"), str(root)]
        with warnings.catch_warnings():
            # Dagster warns of each beta feature that it finds; a command's output is not for that.
            warnings.simplefilter("ignore")
            return dg.ComponentTree.for_project(root).build_defs()
    except DeclarationError:
        raise
    except Exception as error:
        raise DeclarationError(f"the project does not load: {root_cause(error)}") from error


def _definitions_of(module: str) -> dg.Definitions:
    sys.path.insert(0, str(Path.cwd()))
    for value in vars(importlib.import_module(module)).values():
        if isinstance(value, dg.Definitions):
            return value
    raise DeclarationError(f"module {module} holds no dagster.Definitions")


def _dg_project(project: Path) -> Path:
    root = project.resolve()
    file = root / "pyproject.toml"
    if file.exists() and "dg" in tomllib.loads(file.read_text()).get("tool", {}):
        return root
    raise DeclarationError(
        f"{root} is not a dg project (no pyproject.toml with [tool.dg]). "
        "Go to the project's folder, or name it with --project, or name a Python module "
        "that holds the Definitions with --module"
    )
