"""What Opsgenie and its successor have in common: alerts by alias, as a message asks for them.

Limits: https://docs.opsgenie.com/docs/alert-api (message 130, description 15,000, entity 512,
tags 20 of 50, details 8,000, note 25,000 characters).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import ClassVar, Literal, TypeAlias
from urllib.parse import quote

from pydantic import Field

from dagster_monitoring.alerts._channel import Channel
from dagster_monitoring.alerts._http import Letter, deliver, header_secret, refusal
from dagster_monitoring.alerts._plain import facts, plain_text
from dagster_monitoring.alerts._text import one_line
from dagster_monitoring.alerts.message import AlertMessage
from dagster_monitoring.declaration import EnvironmentVariable
from dagster_monitoring.evaluation import Severity
from dagster_monitoring.incidents import Transition

Priority: TypeAlias = Literal["P1", "P2", "P3", "P4", "P5"]
Call: TypeAlias = tuple[Literal["POST", "PUT"], str, Mapping[str, object]]
_MESSAGE, _NOTE, _DESCRIPTION = 130, 15_000, 15_000
PRIORITIES: Mapping[Severity, Priority] = {Severity.ERROR: "P1", Severity.WARN: "P3"}


def calls(
    message: AlertMessage, priorities: Mapping[Severity, Priority], *, sets_priority: bool
) -> Iterator[Call]:
    """Requests below ``v2/alerts``, in order; each but the last changes nothing when repeated.

    Creating an alert under an alias that is open adds one to its count and tells nobody.

    Args:
        message: what happened.
        priorities: of each severity; P3 where one is left out.
        sets_priority: whether the receiver can change that of an open alert.
    """
    priority = priorities.get(message.severity, "P3")
    alias = quote(message.incident_id, safe="")
    said = f"{one_line(message.title, 300)}\n{plain_text(message, limit=_NOTE)}"
    note = {"note": said, **_signature(message)}
    if message.transition is Transition.RESOLVED:
        yield "POST", f"/{alias}/close?identifierType=alias", note
        return
    if message.transition is Transition.ACKNOWLEDGED:
        yield "POST", f"/{alias}/acknowledge?identifierType=alias", note
        return
    if message.transition is Transition.UPDATED:
        yield "POST", f"/{alias}/notes?identifierType=alias", note
        return
    yield "POST", "", _created(message, priority)
    if message.transition in {Transition.ESCALATED, Transition.REMINDED}:
        if sets_priority:
            change = {"priority": priority}
            yield "PUT", f"/{alias}/priority?identifierType=alias", change
        yield "POST", f"/{alias}/notes?identifierType=alias", note


class OpsgenieAlerts(Channel):
    """A channel that keeps one alert an incident; its alias is the incident's id.

    A subclass declares its ``type``, its ``base_url`` and whether an open alert's priority can be
    changed.
    """

    api_key: EnvironmentVariable = Field(description="Key of an API integration, as {env: NAME}.")
    priorities: dict[Severity, Priority] = Field(
        default_factory=lambda: dict(PRIORITIES),
        description="Priority of an ERROR and of a WARN; P3 where one is left out.",
    )
    base_url: str
    timeout_seconds: float = Field(10.0, gt=0, le=120, description="For connecting, and reading.")
    remote: ClassVar[bool] = True
    updates_quietly: ClassVar[bool] = True
    takes_digest: ClassVar[bool] = False
    sets_priority: ClassVar[bool]

    def send(self, message: AlertMessage, *, thread: str | None = None) -> None:  # noqa: ARG002 - the alias holds them together
        """Open, note, acknowledge or close the alert; what comes after a refusal is not made.

        Raises:
            DeliveryError: the receiver could not be reached, or did not take it.
            DeclarationError: the key's environment variable is not set.
        """
        headers = {
            "Content-Type": "application/json",
            "Authorization": f"GenieKey {header_secret(self.api_key, channel=self.name)}",
        }
        for method, path, content in calls(
            message, self.priorities, sets_priority=self.sets_priority
        ):
            letter = Letter(
                channel=self.name,
                url=f"{self.base_url}v2/alerts{path}",
                body=json.dumps(content).encode(),
                headers=headers,
                timeout_seconds=self.timeout_seconds,
                method=method,
            )
            answer = deliver(letter)
            if answer.status in {401, 403}:
                advice = (
                    f"Check the integration's key in environment variable {self.api_key.env}, its "
                    "right to create and update, and the region in base_url."
                )
                raise refusal(letter, answer, advice)
            if not answer.is_success:
                raise refusal(letter, answer)


def _created(message: AlertMessage, priority: Priority) -> dict[str, object]:
    return {
        "message": one_line(message.title, _MESSAGE),
        "alias": message.incident_id,
        "description": plain_text(message, limit=_DESCRIPTION),
        "entity": message.model,
        "priority": priority,
        "tags": [f"{message.severity}", f"cause:{message.cause}"],
        "details": dict(facts(message)),
        **_signature(message),
    }


def _signature(message: AlertMessage) -> dict[str, object]:
    user = one_line(message.owner or "", 100)
    return {"source": "dagster-monitoring", **({"user": user} if user else {})}
