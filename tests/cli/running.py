"""Calls commands as a terminal would."""

import inspect
import sys
import warnings

import click
from click.testing import CliRunner, Result

# Before click 8.2 the two streams were one unless told otherwise.
_STREAMS = {"mix_stderr": False} if "mix_stderr" in inspect.signature(CliRunner).parameters else {}


def runner() -> CliRunner:
    """Keeps the output and the error stream apart, whatever the version of click."""
    return CliRunner(**_STREAMS)


def run(command: click.Command, *arguments: str, columns: int = 80) -> Result:
    """What a command printed; an error of this package stays in ``exception``."""
    # A command is a process of its own: it loads the project anew.
    for name in [name for name in sys.modules if name.startswith("project_of_")]:
        del sys.modules[name]
    with warnings.catch_warnings():
        # Dagster warns of its own preview features while definitions load.
        warnings.simplefilter("ignore")
        return runner().invoke(command, list(arguments), env={"COLUMNS": str(columns)})
