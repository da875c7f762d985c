"""Alerts to PagerDuty: an incident there triggers, is acknowledged and resolves with ours."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import ClassVar, Literal, TypeAlias

from pydantic import Field

from dagster_monitoring.alerts._channel import Channel, ChannelError
from dagster_monitoring.alerts._http import Letter, deliver, refusal
from dagster_monitoring.alerts._plain import facts, links, plot_text, row_text
from dagster_monitoring.alerts._remarks import remarks
from dagster_monitoring.alerts._text import one_line
from dagster_monitoring.alerts.message import AlertMessage
from dagster_monitoring.declaration import EnvironmentVariable
from dagster_monitoring.evaluation import Severity
from dagster_monitoring.incidents import Transition

Level: TypeAlias = Literal["critical", "error", "warning", "info"]
_SUMMARY = 1024  # PagerDuty's limit
_ACTION = {Transition.ACKNOWLEDGED: "acknowledge", Transition.RESOLVED: "resolve"}
_CHANGES = {Transition.UPDATED, Transition.DIGEST}
_ACCEPTED = 202
_LEVELS: Mapping[Severity, Level] = {Severity.ERROR: "critical", Severity.WARN: "warning"}


class PagerDutyChannel(Channel):
    """Sends events (Events API v2) whose ``dedup_key`` is the incident's id.

    Opened, reopened, escalated and reminded are ``trigger``: PagerDuty adds it to what is open
    under the key, or opens it (again). Acknowledged is ``acknowledge``, resolved is ``resolve``. An
    event that is sent twice changes nothing. An update, such as a promotion, is a change event,
    which PagerDuty shows beside the service's incidents and pages nobody for.
    """

    type: Literal["pagerduty"] = "pagerduty"
    routing_key: EnvironmentVariable = Field(
        description="Integration key of the service (Events API v2), as {env: NAME}."
    )
    severities: dict[Severity, Level] = Field(
        default_factory=lambda: dict(_LEVELS),
        description="PagerDuty's severity of an ERROR and of a WARN; what is left out is as "
        "PagerDuty's `error`.",
    )
    base_url: str = Field(
        "https://events.pagerduty.com/",
        pattern=r"^https?://[^/@]+/(.*/)?$",
        description="Where events go; https://events.eu.pagerduty.com/ in Europe. Ends in a slash.",
    )
    timeout_seconds: float = Field(10.0, gt=0, le=120, description="For connecting, and reading.")
    remote: ClassVar[bool] = True
    updates_quietly: ClassVar[bool] = True
    takes_digest: ClassVar[bool] = False

    def send(self, message: AlertMessage, *, thread: str | None = None) -> None:  # noqa: ARG002 - the key holds them together
        """Send the event.

        Raises:
            DeliveryError: PagerDuty could not be reached, or did not take the event.
            DeclarationError: the key's environment variable is not set.
        """
        is_change = message.transition in _CHANGES
        letter = Letter(
            channel=self.name,
            url=f"{self.base_url}v2/{'change/' if is_change else ''}enqueue",
            body=json.dumps(self._change(message) if is_change else self._event(message)).encode(),
            headers={"Content-Type": "application/json"},
            timeout_seconds=self.timeout_seconds,
        )
        answer = deliver(letter)
        if answer.status == 400:  # noqa: PLR2004 - PagerDuty's answer to an event that it can't read
            advice = f"Check the integration key in environment variable {self.routing_key.env}."
            raise refusal(letter, answer, advice)
        if answer.status != _ACCEPTED:
            raise refusal(letter, answer)
        if not _is_accepted(answer.text):
            raise ChannelError(
                self.name,
                f"{letter.host} did not say that it took the event",
                next_step="Check base_url: something else than PagerDuty answers there.",
            )

    def _change(self, message: AlertMessage) -> dict[str, object]:
        return {
            "routing_key": self.routing_key.read(),
            "links": [{"href": url, "text": name} for name, url in links(message)],
            "payload": {
                "summary": one_line(f"{message.title}. {message.summary}", _SUMMARY),
                "source": message.model,
                "timestamp": message.updated_at.isoformat(),
                "custom_details": _details(message),
            },
        }

    def _event(self, message: AlertMessage) -> dict[str, object]:
        action = _ACTION.get(message.transition, "trigger")
        return {
            "routing_key": self.routing_key.read(),
            "event_action": action,
            "dedup_key": message.incident_id,
            "client": "dagster-monitoring",
            "client_url": message.asset_url or message.run_url or "",
            "links": [{"href": url, "text": name} for name, url in links(message)],
            "payload": {
                "summary": one_line(f"{message.title}. {message.summary}", _SUMMARY),
                "source": message.model,
                "severity": self.severities.get(message.severity, "error"),
                "timestamp": message.updated_at.isoformat(),
                "component": message.model,
                "group": str(message.cause),
                "class": one_line(", ".join(message.monitors), 255),
                "custom_details": _details(message),
            },
        }


def _details(message: AlertMessage) -> dict[str, object]:
    found: dict[str, object] = dict(facts(message))
    found["What happened"] = f"{message.transition} {message.incident_id}"
    if message.rows:
        found["Worst"] = [row_text(row) for row in message.rows]
    if message.n_more:
        found["Not listed"] = message.n_more
    if message.details:
        found["Details"] = [one_line(line, 400) for line in message.details]
    if message.changes:
        found["Changed upstream"] = [one_line(line, 400) for line in message.changes]
    for heading in ("Impact", "Done"):
        said = [one_line(text, 400) for name, text in remarks(message) if name == heading]
        if said:
            found[heading] = said
    if message.plot:
        found["History"] = plot_text(message.plot)
    found["Next"] = one_line(message.next_step, 600)
    return found


def _is_accepted(text: str) -> bool:
    try:
        found = json.loads(text)
    except ValueError:
        return False
    return isinstance(found, dict) and found.get("status") == "success"
