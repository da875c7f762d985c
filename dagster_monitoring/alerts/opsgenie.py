"""Alerts to Opsgenie: an alert there opens, is acknowledged and closed with ours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import Field

from dagster_monitoring.alerts._channel import Channel
from dagster_monitoring.alerts._opsgenie_alerts import PRIORITIES, Priority, calls, send_calls
from dagster_monitoring.alerts.message import AlertMessage
from dagster_monitoring.declaration import EnvironmentVariable
from dagster_monitoring.evaluation import Severity


class OpsgenieChannel(Channel):
    """Keeps an alert whose alias is the incident's id; Atlassian ends Opsgenie in April 2027.

    What escalates gets the priority anew and a note, a reminder a note; what is acknowledged or
    resolved is acknowledged or closed there. The team is the integration's.
    """

    type: Literal["opsgenie"] = "opsgenie"
    api_key: EnvironmentVariable = Field(description="Key of an API integration, as {env: NAME}.")
    priorities: dict[Severity, Priority] = Field(
        default_factory=lambda: dict(PRIORITIES),
        description="Priority of an ERROR and of a WARN; P3 where one is left out.",
    )
    base_url: str = Field(
        "https://api.opsgenie.com/",
        pattern=r"^https?://[^/@]+/(.*/)?$",
        description="Opsgenie's API; https://api.eu.opsgenie.com/ in Europe. Ends in a slash.",
    )
    timeout_seconds: float = Field(10.0, gt=0, le=120, description="For connecting, and reading.")
    remote: ClassVar[bool] = True
    updates_quietly: ClassVar[bool] = True
    takes_digest: ClassVar[bool] = False

    def send(self, message: AlertMessage, *, thread: str | None = None) -> None:  # noqa: ARG002 - the alias holds them together
        """Open, note, acknowledge or close the alert.

        Raises:
            DeliveryError: Opsgenie could not be reached, or did not take it.
            DeclarationError: the key's environment variable is not set.
        """
        priorities: Mapping[Severity, Priority] = self.priorities
        send_calls(
            calls(message, priorities, sets_priority=True),
            channel=self.name,
            address=f"{self.base_url}v2/alerts",
            key=self.api_key,
            timeout=self.timeout_seconds,
        )
