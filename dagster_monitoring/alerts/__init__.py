"""Incidents in words, and the channels that tell people."""

from __future__ import annotations

from dagster_monitoring.alerts._catalogue import AnyChannel, channel_types, check_names
from dagster_monitoring.alerts._channel import Channel, ChannelError
from dagster_monitoring.alerts.message import AlertMessage, AlertRow, compose, dedup_key

__all__ = [
    "AlertMessage",
    "AlertRow",
    "AnyChannel",
    "Channel",
    "ChannelError",
    "channel_types",
    "check_names",
    "compose",
    "dedup_key",
]
