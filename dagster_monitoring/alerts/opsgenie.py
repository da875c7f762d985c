"""Alerts to Opsgenie: an alert there opens, is acknowledged and closed with ours."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from dagster_monitoring.alerts._opsgenie_alerts import OpsgenieAlerts


class OpsgenieChannel(OpsgenieAlerts):
    """Keeps an alert whose alias is the incident's id; Atlassian ends Opsgenie in April 2027.

    What escalates gets the priority anew and a note, a reminder a note; what is acknowledged or
    resolved is acknowledged or closed there. The team is the integration's.
    """

    type: Literal["opsgenie"] = "opsgenie"
    base_url: str = Field(
        "https://api.opsgenie.com/",
        pattern=r"^https?://[^/@]+/(.*/)?$",
        description="Opsgenie's API; https://api.eu.opsgenie.com/ in Europe. Ends in a slash.",
    )
    sets_priority: ClassVar[bool] = True
