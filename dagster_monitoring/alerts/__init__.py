"""Incidents in words, and the channels that tell people."""

from __future__ import annotations

from dagster_monitoring.alerts._catalogue import AnyChannel, channel_types, check_names
from dagster_monitoring.alerts._channel import Channel, ChannelError
from dagster_monitoring.alerts._compose import MAX_LENGTH, Background, compose, dedup_key
from dagster_monitoring.alerts._digest import (
    MOST_CLOSED,
    MOST_OPEN,
    MOST_WARNED,
    AlertDigest,
    DigestIncident,
    DigestWarning,
)
from dagster_monitoring.alerts._privacy import shown_name
from dagster_monitoring.alerts._remarks import impact_lines
from dagster_monitoring.alerts.message import (
    AlertImpact,
    AlertMessage,
    AlertPlot,
    AlertRealized,
    AlertRow,
    AlertStep,
)

__all__ = [
    "MAX_LENGTH",
    "MOST_CLOSED",
    "MOST_OPEN",
    "MOST_WARNED",
    "AlertDigest",
    "AlertImpact",
    "AlertMessage",
    "AlertPlot",
    "AlertRealized",
    "AlertRow",
    "AlertStep",
    "AnyChannel",
    "Background",
    "Channel",
    "ChannelError",
    "DigestIncident",
    "DigestWarning",
    "channel_types",
    "check_names",
    "compose",
    "dedup_key",
    "impact_lines",
    "shown_name",
]
