"""Incidents in words: what opens and closes them, and the channels that tell people."""

from __future__ import annotations

from dagster_monitoring.alerts._catalogue import AnyChannel, channel_types, check_names
from dagster_monitoring.alerts._channel import Channel, ChannelError
from dagster_monitoring.alerts.message import AlertMessage, AlertRow, compose, dedup_key
from dagster_monitoring.alerts.policy import AlertPolicy, advance
from dagster_monitoring.evaluation import worst_first

__all__ = [
    "AlertMessage",
    "AlertPolicy",
    "AlertRow",
    "AnyChannel",
    "Channel",
    "ChannelError",
    "advance",
    "channel_types",
    "check_names",
    "compose",
    "dedup_key",
    "worst_first",
]
