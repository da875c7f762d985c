"""Alerts to Jira Service Management: an alert there opens, is acknowledged and closed with ours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import Field

from dagster_monitoring.alerts._channel import Channel
from dagster_monitoring.alerts._opsgenie_alerts import PRIORITIES, Priority, calls, send_calls
from dagster_monitoring.alerts.message import AlertMessage
from dagster_monitoring.declaration import EnvironmentVariable
from dagster_monitoring.evaluation import Severity


class JiraServiceManagementChannel(Channel):
    """Keeps an alert of Jira Service Management's operations; its alias is the incident's id.

    Escalations and reminders become notes (an integration can't change a priority); what is
    acknowledged or resolved is acknowledged or closed there. The team is the integration's.
    """

    type: Literal["jira_service_management"] = "jira_service_management"
    api_key: EnvironmentVariable = Field(description="Key of an API integration, as {env: NAME}.")
    priorities: dict[Severity, Priority] = Field(
        default_factory=lambda: dict(PRIORITIES),
        description="Priority of an ERROR and of a WARN; P3 where one is left out.",
    )
    base_url: str = Field(
        "https://api.atlassian.com/jsm/ops/integration/",
        pattern=r"^https?://[^/@]+/(.*/)?$",
        description="Atlassian's API for integrations; another one for a proxy. Ends in a slash.",
    )
    timeout_seconds: float = Field(10.0, gt=0, le=120, description="For connecting, and reading.")
    remote: ClassVar[bool] = True
    updates_quietly: ClassVar[bool] = True
    takes_digest: ClassVar[bool] = False

    def send(self, message: AlertMessage, *, thread: str | None = None) -> None:  # noqa: ARG002 - the alias holds them together
        """Open, note, acknowledge or close the alert.

        Raises:
            DeliveryError: Atlassian could not be reached, or did not take it.
            DeclarationError: the key's environment variable is not set.
        """
        priorities: Mapping[Severity, Priority] = self.priorities
        send_calls(
            calls(message, priorities, sets_priority=False),
            channel=self.name,
            address=f"{self.base_url}v2/alerts",
            key=self.api_key,
            timeout=self.timeout_seconds,
        )
