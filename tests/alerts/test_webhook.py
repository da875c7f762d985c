from __future__ import annotations

import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from dagster_monitoring.alerts import AlertMessage, ChannelError, compose
from dagster_monitoring.alerts._http import retry_after_seconds
from dagster_monitoring.alerts.webhook import WebhookChannel
from dagster_monitoring.incidents import Transition
from tests.alerts.conftest import evaluation, incident

MESSAGE = compose(incident(evaluation(column="<é>\u2028")), Transition.OPENED, run_url=None)


def test_the_body_is_the_message_as_json(receiver):
    WebhookChannel(url=f"{receiver.url}/alerts?team=ml").send(MESSAGE)
    [request] = receiver.requests
    assert request.path == "/alerts?team=ml"
    assert request.headers["content-type"] == "application/json"
    assert request.headers["idempotency-key"] == MESSAGE.dedup_key == "inc-0123456789ab:OPENED"
    body = json.loads(request.body)
    assert body["model"] == "flight_delay"
    assert body["rows"][0]["column"] == "<é>\u2028"
    assert (body["rows"][0]["value"], body["rows"][0]["limit"]) == (0.31, 0.2)
    assert AlertMessage.from_json(request.body.decode()) == MESSAGE


def test_a_receiver_can_verify_the_signature(receiver, monkeypatch):
    monkeypatch.setenv("SIGNING", "k3y")
    WebhookChannel(url=receiver.url, secret={"env": "SIGNING"}).send(MESSAGE)
    [request] = receiver.requests
    at = request.headers["x-monitoring-timestamp"]
    expected = hmac.new(b"k3y", at.encode() + b"." + request.body, hashlib.sha256).hexdigest()
    assert request.headers["x-monitoring-signature"] == f"sha256={expected}"
    assert abs(datetime.now(UTC).timestamp() - int(at)) < 60


def test_a_bearer_token_goes_along(receiver, monkeypatch):
    monkeypatch.setenv("BEARER", "t0ken")
    WebhookChannel(url=receiver.url, bearer={"env": "BEARER"}).send(MESSAGE)
    assert receiver.requests[0].headers["authorization"] == "Bearer t0ken"


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_any_success_is_taken(receiver, status):
    receiver.answer = lambda _: (status, {}, b"")
    WebhookChannel(url=receiver.url).send(MESSAGE)
    assert len(receiver.requests) == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(receiver, status):
    receiver.answer = lambda _: (status, {"Location": f"{receiver.url}/elsewhere"}, b"")
    with pytest.raises(ChannelError, match="give the channel the final URL"):
        WebhookChannel(url=receiver.url).send(MESSAGE)
    assert len(receiver.requests) == 1


def test_an_endless_answer_is_not_read(receiver):
    receiver.answer = lambda _: (200, {}, b"x" * 50_000_000)
    WebhookChannel(url=receiver.url, timeout_seconds=2).send(MESSAGE)


@pytest.mark.parametrize(
    "url", ["example.com/hook", "file:///etc/passwd", "https://", "https://me:pw@example.com/"]
)
def test_a_wrong_url_fails_when_it_is_declared(url):
    with pytest.raises(ValueError, match=r"http://|stands in \{env: NAME\}") as caught:
        WebhookChannel(url=url)
    assert "me:pw" not in str(caught.value)


def test_a_wrong_url_in_the_environment_is_named_without_being_shown(monkeypatch):
    monkeypatch.setenv("HOOK", "hush.example/t0ken")
    with pytest.raises(ChannelError, match="environment variable HOOK holds no URL") as caught:
        WebhookChannel(url={"env": "HOOK"}).send(MESSAGE)
    assert "t0ken" not in str(caught.value)


def test_an_unknown_host_is_said_by_its_name():
    with pytest.raises(ChannelError, match=r"the name nowhere\.invalid can't be resolved"):
        WebhookChannel(url="http://nowhere.invalid/hook").send(MESSAGE)


def test_retry_after_may_be_a_date():
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=90), usegmt=True)
    wait = retry_after_seconds(soon)
    assert wait is not None
    assert 80 < wait <= 90
    past = format_datetime(datetime(2013, 6, 1, tzinfo=UTC), usegmt=True)
    assert retry_after_seconds(past) == 0.0
    assert retry_after_seconds("nan") is None
