"""Every command says what it does, and so does each of its options."""

import warnings

import click
import pytest

from dagster_monitoring.cli.main import commands

CONTEXT = click.Context(commands)
NAMES = commands.list_commands(CONTEXT)


def command_of(name: str) -> click.Command:
    with warnings.catch_warnings():
        # Dagster warns of its own preview features when definitions load.
        warnings.simplefilter("ignore")
        found = commands.get_command(CONTEXT, name)
    assert found is not None
    return found


def test_the_promised_commands_are_there():
    assert {"backfill", "check", "demo", "gx-suite", "history", "init"} <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_command_is_called_as_its_file_and_has_a_help_text(name):
    command = command_of(name)
    assert command.name == name
    assert len(command.get_short_help_str(limit=200)) > 20


@pytest.mark.parametrize("name", NAMES)
def test_each_option_has_a_help_text(name):
    options = [p for p in command_of(name).params if isinstance(p, click.Option)]
    assert [option.name for option in options if not (option.help or "").strip()] == []


@pytest.mark.parametrize("name", NAMES)
def test_each_argument_is_explained_in_the_commands_text(name):
    command = command_of(name)
    arguments = [p for p in command.params if isinstance(p, click.Argument)]
    unexplained = [a.human_readable_name for a in arguments]
    assert [name for name in unexplained if name not in (command.help or "")] == []
