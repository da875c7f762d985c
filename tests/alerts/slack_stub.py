"""Slack's chat.postMessage as documented: its checks of token, channel and blocks."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from urllib.parse import parse_qs

from tests.alerts.conftest import Request

Answer = tuple[int, dict[str, str], bytes]
_TAG = re.compile(r"<([^<>]*)>")


@dataclass
class SlackStub:
    """Answers as Slack does; ``errors`` lists what it refused, with reasons."""

    token: str
    channels: tuple[str, ...] = ("#ml-alerts",)
    errors: list[str] = field(default_factory=list)

    def __call__(self, request: Request) -> Answer:
        if request.path != "/api/chat.postMessage":
            return self._refuse("unknown_method", request.path)
        if request.headers.get("authorization") != f"Bearer {self.token}":
            return self._refuse("invalid_auth", "token")
        fields = posted_fields(request)
        if fields.get("channel") not in self.channels:
            return self._refuse("channel_not_found", str(fields.get("channel")))
        blocks = fields.get("blocks")
        faults = block_faults(json.loads(blocks) if isinstance(blocks, str) else blocks)
        if not fields.get("text"):
            faults.append("no fallback text")
        if faults:
            return self._refuse("invalid_blocks", "; ".join(faults))
        return 200, {"Content-Type": "application/json"}, b'{"ok": true, "ts": "1.2"}'

    def _refuse(self, error: str, why: str) -> Answer:
        self.errors.append(f"{error}: {why}")
        body = json.dumps({"ok": False, "error": error}).encode()
        return 200, {"Content-Type": "application/json"}, body


def posted_fields(request: Request) -> dict[str, object]:
    """The arguments of a call, form-encoded or JSON."""
    if "json" in request.headers.get("content-type", ""):
        return dict(json.loads(request.body))
    return {name: values[0] for name, values in parse_qs(request.body.decode()).items()}


def posted_blocks(request: Request) -> list[dict]:
    """The blocks of a call."""
    blocks = posted_fields(request)["blocks"]
    return json.loads(blocks) if isinstance(blocks, str) else blocks


def posted_text(request: Request) -> str:
    """All text of a call's blocks, a line each."""
    blocks = posted_blocks(request)
    texts = [block["text"] for block in blocks if "text" in block]
    texts += [
        one for block in blocks for one in block.get("fields", []) + block.get("elements", [])
    ]
    return "\n".join(text["text"] for text in texts)


def block_faults(blocks: object) -> list[str]:
    """What Slack's documented limits say against these blocks; empty when all is well."""
    if not isinstance(blocks, list) or not 1 <= len(blocks) <= 50:
        return ["1 to 50 blocks"]
    return [fault for block in blocks for fault in _faults_of(block)]


def _faults_of(block: dict) -> list[str]:
    kind = block.get("type")
    if kind == "header":
        text = block["text"]
        return _text_faults(text, 150) + (
            ["header is plain"] if text["type"] != "plain_text" else []
        )
    if kind == "section":
        fields = block.get("fields", [])
        texts = [(block["text"], 3000)] if "text" in block else []
        faults = [] if texts or fields else ["a section has text or fields"]
        faults += ["at most 10 fields"] if len(fields) > 10 else []
        texts += [(one, 2000) for one in fields]
        return faults + [fault for one, limit in texts for fault in _text_faults(one, limit)]
    if kind == "context":
        elements = block["elements"]
        faults = [] if 1 <= len(elements) <= 10 else ["1 to 10 elements"]
        return faults + [fault for one in elements for fault in _text_faults(one, 3000)]
    return [f"unknown block {kind}"]


def _text_faults(text: dict, limit: int) -> list[str]:
    content = text["text"]
    faults = [] if 1 <= len(content) <= limit else [f"{len(content)} characters of {limit}"]
    if text["type"] == "mrkdwn":
        tags = _TAG.findall(content)
        faults += [f"markup <{tag}>" for tag in tags if not tag.startswith("https://dagster.")]
        bare = re.sub(r"&(amp|lt|gt);", "", _TAG.sub("", content))
        faults += [f"bare {mark}" for mark in "&<>" if mark in bare]
    return faults
