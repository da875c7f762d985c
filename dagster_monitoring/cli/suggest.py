"""``dagster-monitoring suggest``: a monitor set from baseline and history."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click
import yaml

from dagster_monitoring.cli.dates import first_slice, last_slice, partition
from dagster_monitoring.cli.project import load_model, project_options
from dagster_monitoring.errors import DeclarationError
from dagster_monitoring.orchestration.backend import open_backend
from dagster_monitoring.orchestration.clock import utc_now
from dagster_monitoring.orchestration.suggest import Suggestion, suggest


@click.command("suggest")
@click.argument("model")
@click.option(
    "--from", "first", type=partition, metavar="PARTITION", help="First slice; production's first."
)
@click.option(
    "--to", "last", type=partition, metavar="PARTITION", help="Last slice; the last judged one."
)
@click.option(
    "--alarms-a-month",
    type=click.FloatRange(min=0),
    default=1.0,
    show_default=True,
    help="What all monitors together may cost in 30 days.",
)
@click.option(
    "--output", type=click.Path(dir_okay=False, path_type=Path), help="File; else the terminal."
)
@project_options
def command(
    model: str,
    first: str | None,
    last: str | None,
    alarms_a_month: float,
    output: Path | None,
    project: Path,
    module: str | None,
) -> None:
    """Writes a monitor set for MODEL: the default one, as patient as its history asks for.

    Each monitor is replayed over the history, from stored profiles. Put the result under
    `monitors:` in the declaration, or try it with dagster-monitoring replay --monitors FILE.
    """
    from rich.console import Console
    from rich.progress import Progress

    declared = load_model(model, project=project, module=module)
    keys = declared.partitions
    with open_backend(declared) as backend:
        begin = first_slice(keys, first, option="--from") if first else keys.first
        latest = backend.store.verdicts.latest(model)
        end = last_slice(keys, last, option="--to") if last else latest
        if end is None:
            raise DeclarationError(
                f"{model}: nothing was judged yet. Name the slices with --from and --to"
            )
        with Progress(console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task("slices", total=len(keys.between(begin, end)))
            found = suggest(
                backend,
                first=begin,
                last=end,
                alarms_a_month=alarms_a_month,
                now=utc_now(),
                progress=lambda _: bar.advance(task),
            )
    text = f"# From {begin} to {end}, at most {alarms_a_month:g} alarms in 30 days.\n"
    text += as_yaml(found)
    if output is None:
        click.echo(text, nl=False)
    else:
        output.write_text(text)
        click.echo(f"wrote {output}")


def as_yaml(found: Sequence[Suggestion]) -> str:
    """The monitors as they stand in a declaration, each with its reason."""
    parts = ["monitors:\n"]
    for suggestion in found:
        monitor = suggestion.monitor
        whole = monitor.model_dump(mode="json", by_alias=True)
        told = monitor.model_dump(mode="json", by_alias=True, exclude_defaults=True)
        entry = {"type": monitor.kind, "name": monitor.name, **_with_types(told, whole)}
        body = yaml.safe_dump([entry], sort_keys=False, allow_unicode=True, width=100)
        parts.append(f"# {suggestion.reason}\n{body}")
    return "".join(parts)


def _with_types(told: object, whole: object) -> dict[str, object]:
    """What differs from the defaults, with the ``type`` of each part, which YAML has to name."""
    assert isinstance(told, dict)  # noqa: S101 - dumps of declarations
    assert isinstance(whole, dict)  # noqa: S101 - dumps of declarations
    kept = {"type": whole["type"]} if "type" in whole else {}
    for name, value in told.items():
        kept[name] = _with_types(value, whole[name]) if isinstance(value, dict) else value
    return kept
