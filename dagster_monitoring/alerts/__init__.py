"""Incidents in words, and the channels that tell people."""

from __future__ import annotations

from dagster_monitoring.alerts._catalogue import AnyChannel, channel_types, check_names
from dagster_monitoring.alerts._channel import Channel, ChannelError
from dagster_monitoring.alerts._compose import MAX_LENGTH, compose, dedup_key
from dagster_monitoring.alerts._privacy import shown_name
from dagster_monitoring.alerts.message import AlertMessage, AlertPlot, AlertRow

__all__ = [
    "MAX_LENGTH",
    "AlertMessage",
    "AlertPlot",
    "AlertRow",
    "AnyChannel",
    "Channel",
    "ChannelError",
    "channel_types",
    "check_names",
    "compose",
    "dedup_key",
    "shown_name",
]
