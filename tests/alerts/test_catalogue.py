from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import ValidationError

import dagster_monitoring.alerts
from dagster_monitoring.alerts import AnyChannel, channel_types, check_names
from dagster_monitoring.alerts.console import ConsoleChannel
from dagster_monitoring.alerts.slack import SlackChannel
from dagster_monitoring.declaration import Declaration, EnvironmentVariable
from dagster_monitoring.errors import DeclarationError


class Declared(Declaration):
    """Channels where a model declares them."""

    alerts: tuple[AnyChannel, ...]


def test_each_channel_has_its_file():
    folder = Path(dagster_monitoring.alerts.__file__).parent
    files = {path.stem for path in folder.glob("[!_]*.py")} - {"message", "policy"}
    assert files == set(channel_types())


def test_yaml_gives_the_channel_of_its_type():
    given = [
        {"type": "slack", "channel": "#ml-alerts", "token": {"env": "SLACK_TOKEN"}},
        {"type": "console"},
    ]
    assert Declared(alerts=given).alerts == (
        SlackChannel(channel="#ml-alerts", token=EnvironmentVariable(env="SLACK_TOKEN")),
        ConsoleChannel(),
    )


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"type": "slak"}, "no alert channel is called 'slak'. Did you mean 'slack'?"),
        ({"type": "slack", "channel": "#a", "token": "xoxb-hush"}, "token"),
        ({"type": "slack", "channel": "#a"}, "token"),
        ({"type": "console", "colour": True}, "colour"),
        ({"channel": "#a"}, "type"),
        ("slack", "valid dictionary"),
    ],
)
def test_a_wrong_channel_is_explained(given, said):
    with pytest.raises(ValidationError) as caught:
        Declared(alerts=[given])
    assert said in str(caught.value)
    assert "xoxb-hush" not in str(caught.value)


def test_the_schema_lists_every_channel_and_field():
    schema = str(Declared.model_json_schema())
    for kind in channel_types().values():
        for name, field in kind.model_fields.items():
            assert name in schema
            assert name == "type" or field.description, f"{kind.__name__}.{name} says what it is"


def test_channels_of_one_name_are_refused():
    check_names([ConsoleChannel(), ConsoleChannel(name="second")])
    with pytest.raises(DeclarationError, match="two channels are called 'console'"):
        check_names([ConsoleChannel(), ConsoleChannel()])


def test_declaring_a_channel_loads_no_vendors_library():
    code = (
        "import sys; from dagster_monitoring.alerts.slack import SlackChannel; "
        "SlackChannel(channel='#a', token={'env': 'T'}); print('slack_sdk' in sys.modules)"
    )
    path = str(Path(dagster_monitoring.alerts.__file__).parents[2])
    run = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONPATH": path},
    )
    assert run.stdout.strip() == "False", run.stderr
