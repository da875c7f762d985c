"""Each channel of the catalogue with all of its secrets, and receivers that are not there."""

from __future__ import annotations

from typing import get_args

from dagster_monitoring.alerts import channel_types
from dagster_monitoring.declaration import EnvironmentVariable

CLOSED = "http://127.0.0.1:1"
# What a channel needs beside its secrets; a new one that needs more is named here.
OTHERS = {
    "channel": "#ml",
    "host": "127.0.0.1",
    "port": 1,
    "sender": "monitoring@example.com",
    "to": ["ml@example.com"],
    "path": "alerts.jsonl",
    "base_url": f"{CLOSED}/api/",
}


def secret_fields(kind: str) -> list[str]:
    """A channel's fields that may be an environment variable, from the catalogue."""
    return [
        name
        for name, field in channel_types()[kind].model_fields.items()
        if EnvironmentVariable in (field.annotation, *get_args(field.annotation))
    ]


def variable(kind: str, name: str) -> str:
    return f"SEC_{kind}_{name}".upper()


def declared(kind: str) -> dict[str, object]:
    """A channel with all of its secrets."""
    known = channel_types()[kind].model_fields
    others = {name: value for name, value in OTHERS.items() if name in known}
    secrets = {name: {"env": variable(kind, name)} for name in secret_fields(kind)}
    return {"type": kind, **others, **secrets}


REMOTE = [kind for kind, channel in channel_types().items() if channel.remote]
OF_CHANNELS = {
    variable(kind, name): (kind, name) for kind in REMOTE for name in secret_fields(kind)
}
