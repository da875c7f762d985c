"""Alerts to Jira Service Management: an alert there opens, is acknowledged and closed with ours."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from dagster_monitoring.alerts._opsgenie_alerts import OpsgenieAlerts


class JiraServiceManagementChannel(OpsgenieAlerts):
    """Keeps an alert of Jira Service Management's operations; its alias is the incident's id.

    Escalations and reminders become notes (an integration can't change a priority); what is
    acknowledged or resolved is acknowledged or closed there. The team is the integration's.
    """

    type: Literal["jira_service_management"] = "jira_service_management"
    base_url: str = Field(
        "https://api.atlassian.com/jsm/ops/integration/",
        pattern=r"^https?://[^/@]+/(.*/)?$",
        description="Atlassian's API for integrations; another one for a proxy. Ends in a slash.",
    )
    sets_priority: ClassVar[bool] = False
