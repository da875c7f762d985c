"""The command line, from its own help."""

from __future__ import annotations

import click

from dagster_monitoring.cli.main import commands
from reference.words import cell, prose


def command_table() -> str:
    """A section for each command of the command line."""
    context = click.Context(commands)
    return "\n".join(
        _command(name, command)
        for name in commands.list_commands(context)
        if (command := commands.get_command(context, name)) is not None
    )


def _command(name: str, command: click.Command) -> str:
    arguments = [p for p in command.params if isinstance(p, click.Argument)]
    options = [p for p in command.params if isinstance(p, click.Option)]
    words = [f"[{_upper(a)}]" if not a.required else _upper(a) for a in arguments]
    lines = [f"## {name}", "", f"    dagster-monitoring {' '.join([name, *words])} [OPTIONS]"]
    lines += ["", prose(command.help or ""), ""]
    if options:
        lines += ["| option | | default |", "|---|---|---|"]
        lines += [_option(option) for option in options]
    return "\n".join([*lines, ""])


def _upper(argument: click.Argument) -> str:
    return str(argument.name).upper()


def _option(option: click.Option) -> str:
    value = "" if option.is_flag else f" {_value_of(option)}"
    names = ", ".join(f"`{name}{value}`" for name in option.opts)
    default = "required" if option.required else ""
    if option.show_default:
        shown = option.show_default
        default = shown if isinstance(shown, str) else f"`{option.default}`"
    return f"| {names} | {cell(option.help or '')} | {default} |"


def _value_of(option: click.Option) -> str:
    if isinstance(option.type, click.Choice):
        return "\\|".join(map(str, option.type.choices))
    return option.metavar or str(option.name).upper()
