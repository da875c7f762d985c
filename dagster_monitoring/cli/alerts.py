"""``dagster-monitoring alerts``: whether the channels take messages."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import click

from dagster_monitoring.alerts import AlertMessage, AlertPlot, Channel, compose
from dagster_monitoring.cli.printing import inert
from dagster_monitoring.cli.project import load_model, project_options
from dagster_monitoring.errors import DeclarationError, MonitoringError, UnknownNameError
from dagster_monitoring.evaluation import Severity
from dagster_monitoring.incidents import Cause, Incident, IncidentStatus, Member, Transition
from dagster_monitoring.model import MonitoredModel
from dagster_monitoring.orchestration.clock import utc_now


@click.group("alerts")
def command() -> None:
    """Tries the channels that are told of incidents."""


@command.command("test")
@click.argument("model")
@click.option("--channel", "name", help="Only this channel, by its name.")
@project_options
def test(model: str, name: str | None, project: Path, module: str | None) -> None:
    """Sends an incident marked as a test to MODEL's channels, then its end.

    So nothing stays open with whoever is paged. Nothing is recorded in the store. The exit status
    is 1 when a channel did not take both messages.
    """
    declared = load_model(model, project=project, module=module)
    channels = _wanted(declared, name)
    opened, resolved = _sample(declared, now=utc_now())
    failed = 0
    for channel in channels:
        fault = _try(channel, opened, resolved)
        failed += fault is not None
        _print(channel, fault)
    if failed:
        raise SystemExit(1)


def _wanted(model: MonitoredModel, name: str | None) -> list[Channel]:
    known = {channel.name: channel for channel in model.alerts}
    if not known:
        raise DeclarationError(
            f"{model.model}: no channel is declared, so nobody is told (field alerts)"
        )
    if name is None:
        return list(known.values())
    if name not in known:
        raise UnknownNameError("alert channel", name, known)
    return [known[name]]


def _try(channel: Channel, opened: AlertMessage, resolved: AlertMessage) -> str | None:
    """What went wrong, or ``None``; the second message goes where the first one opened a thread."""
    try:
        thread = channel.send(opened)
        channel.send(resolved, thread=thread)
    except MonitoringError as error:
        return str(error)
    return None


def _print(channel: Channel, fault: str | None) -> None:
    from rich.console import Console

    style = "red" if fault else "green"
    text = fault or "took the message and its end"
    Console(highlight=False).print(
        inert("failed " if fault else "sent   ", style=style),
        inert(f"{channel.name} ({channel.type}): {text}"),
        sep="",
        soft_wrap=True,
    )


def _sample(model: MonitoredModel, *, now: datetime) -> tuple[AlertMessage, AlertMessage]:
    """An incident that says that it is a test, from its opening to its end."""
    last = max(model.partitions.key_of(now), model.partitions.first)
    keys = tuple(model.partitions.shift(last, back) for back in range(-13, 1))
    incident = Incident(
        id=f"test-{uuid.uuid4().hex[:12]}",
        model=model.model,
        cause=Cause.MODEL,
        status=IncidentStatus.OPEN,
        severity=Severity.WARN,
        opened_partition=last,
        last_partition=last,
        resolved_partition=None,
        members=(
            Member(
                monitor="alerts_test",
                kind="test",
                severity=Severity.WARN,
                first=last,
                last=last,
                detail="This is a test of the channel, sent by hand; nothing is wrong.",
            ),
        ),
        worst=(),
        historical=False,
        opened_at=now,
        updated_at=now,
    )
    plot = AlertPlot(
        title="made-up values",
        partitions=keys,
        values=(*(0.05 + 0.01 * (i % 4) for i in range(13)), 0.31),
        lower=None,
        upper=0.2,
    )
    over = replace(incident, status=IncidentStatus.RESOLVED, resolved_partition=last)
    return (
        _marked(compose(incident, Transition.OPENED, run_url=None, n_slices=1, plot=plot)),
        _marked(compose(over, Transition.RESOLVED, run_url=None, n_slices=1)),
    )


def _marked(message: AlertMessage) -> AlertMessage:
    is_over = message.transition is Transition.RESOLVED
    step = "Nothing to do." if is_over else "Nothing to do: its end follows at once."
    return replace(message, title=f"TEST: {message.title}", next_step=step, is_test=True)
