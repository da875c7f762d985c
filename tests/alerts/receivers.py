"""What the vendors' receivers check and remember, as far as their documents say."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from urllib.parse import parse_qs, unquote, urlsplit

from tests.alerts.conftest import Request
from tests.alerts.slack_stub import block_faults

Answer = tuple[int, dict[str, str], bytes]


@dataclass
class SlackWebhookStub:
    """An incoming webhook: ``ok`` in plain text, or a word for what is wrong."""

    path: str
    errors: list[str] = field(default_factory=list)

    def __call__(self, request: Request) -> Answer:
        if request.path != self.path:
            return 404, {}, b"no_service"
        content = json.loads(request.body)
        self.errors += block_faults(content["blocks"])
        self.errors += [] if content.get("text") else ["no fallback text"]
        return (400, {}, b"invalid_blocks") if self.errors else (200, {}, b"ok")


@dataclass
class PagerDutyStub:
    """Events API v2: checks an event, and keeps an incident a ``dedup_key``."""

    key: str
    incidents: dict[str, str] = field(default_factory=dict)
    opened: int = 0
    changes: int = 0
    errors: list[str] = field(default_factory=list)

    def __call__(self, request: Request) -> Answer:
        event = json.loads(request.body)
        if request.path == "/v2/change/enqueue":
            return self._change(event)
        faults = self._faults(request, event)
        if faults:
            self.errors += faults
            answer = {"status": "invalid event", "message": "Event object is invalid"}
            return 400, {}, json.dumps({**answer, "errors": faults}).encode()
        key, action = event["dedup_key"], event["event_action"]
        if action == "trigger":
            self.opened += self.incidents.get(key) not in {"triggered", "acknowledged"}
            self.incidents.setdefault(key, "triggered")
            if self.incidents[key] == "resolved":
                self.incidents[key] = "triggered"
        elif self.incidents.get(key) in {"triggered", "acknowledged"}:
            self.incidents[key] = {"acknowledge": "acknowledged", "resolve": "resolved"}[action]
        answer = {"status": "success", "message": "Event processed", "dedup_key": key}
        return 202, {"Content-Type": "application/json"}, json.dumps(answer).encode()

    def _change(self, event: dict) -> Answer:
        """A change event has no action, key or severity, and a summary and a source."""
        faults = [] if event.get("routing_key") == self.key else ["routing_key"]
        faults += [f"unknown {n}" for n in event.keys() - {"routing_key", "payload", "links"}]
        payload = event["payload"]
        known = {"summary", "source", "timestamp", "custom_details"}
        faults += [f"unknown {name}" for name in payload.keys() - known]
        faults += [] if 1 <= len(payload["summary"]) <= 1024 else ["summary"]
        self.errors += faults
        self.changes += not faults
        answer = {"status": "invalid event" if faults else "success", "message": "Change event"}
        return (400 if faults else 202), {}, json.dumps(answer).encode()

    def _faults(self, request: Request, event: dict) -> list[str]:
        faults = [] if request.path == "/v2/enqueue" else ["path"]
        faults += [] if event.get("routing_key") == self.key else ["routing_key"]
        faults += [] if event["event_action"] in {"trigger", "acknowledge", "resolve"} else ["act"]
        faults += [] if 1 <= len(event["dedup_key"]) <= 255 else ["dedup_key"]
        payload = event["payload"]
        faults += [] if 1 <= len(payload["summary"]) <= 1024 else ["summary"]
        faults += [] if payload["source"] else ["source"]
        levels = {"critical", "error", "warning", "info"}
        faults += [] if payload["severity"] in levels else ["severity"]
        faults += [] if len(request.body) <= 512_000 else ["size"]
        return faults + [f"link {link}" for link in event["links"] if not link["href"]]


@dataclass
class OpsgenieStub:
    """Alerts by alias, below ``prefix``; ``priority`` only where the receiver has it."""

    key: str
    prefix: str = "/v2/alerts"
    has_priority: bool = True
    alerts: dict[str, dict] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)

    def __call__(self, request: Request) -> Answer:
        if request.headers.get("authorization") != f"GenieKey {self.key}":
            return 401, {}, b'{"message": "Could not authenticate"}'
        content = json.loads(request.body)
        where = urlsplit(request.path)
        rest = where.path.removeprefix(self.prefix)
        faults = self._create(content) if not rest else self._change(where.query, rest, content)
        self.errors += faults
        answer = {"result": "Request will be processed", "took": 0.1, "requestId": "r-1"}
        return (422, {}, b"{}") if faults else (202, {}, json.dumps(answer).encode())

    def _create(self, content: dict) -> list[str]:
        limits = {"message": 130, "alias": 512, "description": 15_000, "entity": 512, "source": 100}
        faults = [f"{n} too long" for n, most in limits.items() if len(content[n]) > most]
        faults += [f"tag {tag}" for tag in content["tags"] if len(tag) > 50]
        faults += [] if sum(len(f"{n}{v}") for n, v in content["details"].items()) < 8000 else ["d"]
        faults += [] if content["priority"] in {"P1", "P2", "P3", "P4", "P5"} else ["priority"]
        alert = self.alerts.get(content["alias"])
        if alert is None or alert["status"] == "closed":
            new = {"status": "open", "count": 1, "notes": [], "priority": content["priority"]}
            self.alerts[content["alias"]] = new
        else:
            alert["count"] += 1
        return faults

    def _change(self, query: str, rest: str, content: dict) -> list[str]:
        alias, action = (unquote(part) for part in rest.strip("/").split("/"))
        if parse_qs(query) != {"identifierType": ["alias"]}:
            return ["identifierType"]
        alert = self.alerts.get(alias, {"notes": []})
        if action == "priority":
            if not self.has_priority:
                return ["priority can't be changed"]
            alert["priority"] = content["priority"]
            return []
        if len(content["note"]) > 25_000 or len(content.get("user", "")) > 100:
            return ["note"]
        alert["notes"].append(content["note"])
        states = {"close": "closed", "acknowledge": "acknowledged"}
        alert["status"] = states.get(action, alert.get("status"))
        return [] if action in {*states, "notes"} else [action]


@dataclass
class TeamsStub:
    """A workflow's trigger: an Adaptive Card of at most 28 kB in an attachment."""

    errors: list[str] = field(default_factory=list)

    def __call__(self, request: Request) -> Answer:
        content = json.loads(request.body)
        self.errors += [] if len(request.body) <= 28_000 else [f"{len(request.body)} bytes"]
        self.errors += [] if content["type"] == "message" else ["type"]
        [attachment] = content["attachments"]
        kind = "application/vnd.microsoft.card.adaptive"
        self.errors += [] if attachment["contentType"] == kind else ["contentType"]
        self.errors += card_faults(attachment["content"])
        return (400, {}, b"") if self.errors else (202, {}, b"")


def card_faults(card: dict) -> list[str]:
    """What is wrong with a card; text that is read as Markdown is."""
    faults = [] if card["type"] == "AdaptiveCard" and card["version"] == "1.4" else ["card"]
    for element in card["body"]:
        if element["type"] != "RichTextBlock":
            faults.append(f"{element['type']} reads Markdown")
        faults += [r for r in element["inlines"] if r["type"] != "TextRun" or not r["text"]]
    for action in card["actions"]:
        if action["type"] != "Action.OpenUrl" or not action["url"].startswith("https://"):
            faults.append("action")
    return faults


def all_text(value: object) -> str:
    """Every text in JSON, a line each."""
    if isinstance(value, dict):
        return "\n".join(all_text(member) for member in value.values())
    if isinstance(value, list):
        return "\n".join(all_text(member) for member in value)
    return str(value)
