"""The command line: one file a command, loaded when it is called."""

from __future__ import annotations

import importlib
import pkgutil
import sys
from pathlib import Path

import click

from dagster_monitoring.cli.printing import printable
from dagster_monitoring.errors import MonitoringError

# Modules of this folder that are not commands.
NOT_COMMANDS = frozenset({"dates", "incident_page", "main", "printing", "project", "words"})


class CommandFolder(click.Group):
    """A group whose commands are the modules beside it: ``backfill.py`` holds ``backfill``."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands' names, sorted."""
        del ctx
        found = pkgutil.iter_modules([str(Path(__file__).parent)])
        return sorted(m.name.replace("_", "-") for m in found if m.name not in NOT_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of a name; importing one does not import the others."""
        if cmd_name not in self.list_commands(ctx):
            return None
        module = importlib.import_module(f"dagster_monitoring.cli.{cmd_name.replace('-', '_')}")
        command = module.command
        assert isinstance(command, click.Command)  # noqa: S101 - a fault of this package alone
        return command


@click.group(cls=CommandFolder, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="dagster-monitoring", prog_name="dagster-monitoring")
def commands() -> None:
    """Model monitoring as Dagster assets."""


def main() -> None:
    """Entry point: an error of this package is one message, not a trace."""
    try:
        commands(prog_name="dagster-monitoring")
    except MonitoringError as error:
        # A message may quote a file's name or a value: shown, never obeyed by the terminal.
        click.secho(f"Error: {printable(str(error))}", fg="red", err=True)
        sys.exit(2)
