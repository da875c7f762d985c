"""PagerDuty, Opsgenie and Jira Service Management: our transitions in their own notions."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from dagster_monitoring.alerts import ChannelError, channel_types
from dagster_monitoring.alerts.jira_service_management import JiraServiceManagementChannel
from dagster_monitoring.alerts.opsgenie import OpsgenieChannel
from dagster_monitoring.alerts.pagerduty import PagerDutyChannel
from dagster_monitoring.evaluation import Severity
from dagster_monitoring.incidents import Transition
from tests.alerts.benches import SECRET, message
from tests.alerts.receivers import OpsgenieStub, PagerDutyStub

LIFE = (
    Transition.OPENED,
    Transition.ACKNOWLEDGED,
    Transition.ESCALATED,
    Transition.REMINDED,
    Transition.RESOLVED,
    Transition.REOPENED,
    Transition.RESOLVED,
)
ID = "inc-0123456789ab"


@pytest.fixture(autouse=True)
def key(monkeypatch):
    monkeypatch.setenv("KEY", SECRET)


@pytest.fixture
def pagerduty(receiver):
    receiver.answer = PagerDutyStub(SECRET)
    return PagerDutyChannel(routing_key={"env": "KEY"}, base_url=f"{receiver.url}/")


@pytest.fixture(params=[OpsgenieChannel, JiraServiceManagementChannel])
def atlassian(request, receiver):
    has_priority = request.param is OpsgenieChannel
    receiver.answer = OpsgenieStub(SECRET, has_priority=has_priority)
    return request.param(api_key={"env": "KEY"}, base_url=f"{receiver.url}/")


def test_a_life_in_pagerduty(pagerduty, receiver):
    stub, states, actions = receiver.answer, [], []
    for transition in LIFE:
        pagerduty.send(message(transition=transition))
        actions.append(json.loads(receiver.requests[-1].body)["event_action"])
        states.append(stub.incidents[ID])
    assert actions == [
        "trigger", "acknowledge", "trigger", "trigger", "resolve", "trigger", "resolve",
    ]  # fmt: skip
    assert states == [
        "triggered", "acknowledged", "acknowledged", "acknowledged",
        "resolved", "triggered", "resolved",
    ]  # fmt: skip
    assert set(stub.incidents) == {ID}
    assert stub.opened == 2, "once, and again when it was reopened"


def test_an_update_pages_nobody(pagerduty, receiver):
    stub = receiver.answer
    for transition in (Transition.OPENED, Transition.RESOLVED):
        pagerduty.send(message(transition=transition))
        pagerduty.send(message(transition=Transition.UPDATED))
    assert (stub.incidents, stub.opened, stub.changes) == ({ID: "resolved"}, 1, 2)
    assert stub.errors == []


def test_an_event_that_is_sent_twice_opens_one_incident(pagerduty, receiver):
    pagerduty.send(message())
    pagerduty.send(message())
    assert receiver.answer.opened == 1


@pytest.mark.parametrize(
    ("levels", "severity", "expected"),
    [
        ({}, Severity.ERROR, "critical"),
        ({}, Severity.WARN, "warning"),
        ({"severities": {"WARN": "info"}}, Severity.WARN, "info"),
        ({"severities": {"WARN": "info"}}, Severity.ERROR, "error"),
    ],
)
def test_severities_are_pagerdutys(pagerduty, receiver, levels, severity, expected):
    fields = {**pagerduty.model_dump(), **levels}
    PagerDutyChannel.model_validate(fields).send(replace(message(), severity=severity))
    event = json.loads(receiver.requests[0].body)
    assert event["payload"]["severity"] == expected
    assert event["links"][0] == {
        "href": "https://dagster.example/runs/4f1c?a=1&b=%3Cx%3E",
        "text": "Run",
    }


def test_an_answer_that_is_not_pagerdutys_is_not_taken_for_one(pagerduty, receiver):
    for body in (b"<html>welcome</html>", b'{"status": "other"}', b"[]"):
        receiver.answer = lambda _, body=body: (202, {}, body)
        with pytest.raises(ChannelError, match="did not say that it took the event"):
            pagerduty.send(message())


def test_a_wrong_key_names_its_variable(pagerduty, monkeypatch):
    monkeypatch.setenv("KEY", "wr0ng")
    with pytest.raises(ChannelError, match="environment variable KEY") as caught:
        pagerduty.send(message())
    assert "wr0ng" not in str(caught.value)


def test_a_life_in_opsgenie_and_jira(atlassian, receiver):
    stub, seen = receiver.answer, []
    for transition in LIFE:
        atlassian.send(message(transition=transition))
        alert = stub.alerts[ID]
        seen.append((alert["status"], len(alert["notes"])))
    assert seen == [
        ("open", 0), ("acknowledged", 1), ("acknowledged", 2), ("acknowledged", 3),
        ("closed", 4), ("open", 0), ("closed", 1),
    ]  # fmt: skip
    assert set(stub.alerts) == {ID}
    assert stub.errors == []


def test_an_update_is_a_note_and_opens_nothing(atlassian, receiver):
    stub = receiver.answer
    atlassian.send(message())
    atlassian.send(message(transition=Transition.UPDATED))
    alert = stub.alerts[ID]
    assert (alert["status"], alert["count"], len(alert["notes"])) == ("open", 1, 1)
    assert stub.errors == []


@pytest.mark.parametrize("kind", ["pagerduty", "opsgenie", "jira_service_management"])
def test_a_pager_takes_no_digest(kind):
    key = "routing_key" if kind == "pagerduty" else "api_key"
    with pytest.raises(ValueError, match="Give the digest to another channel"):
        channel_types()[kind].model_validate({key: {"env": "KEY"}, "digest": "daily"})


def test_what_escalates_gets_its_priority_where_that_is_possible(atlassian, receiver):
    atlassian.send(replace(message(), severity=Severity.WARN))
    assert receiver.answer.alerts[ID]["priority"] == "P3"
    atlassian.send(message(transition=Transition.ESCALATED))
    expected = "P1" if isinstance(atlassian, OpsgenieChannel) else "P3"
    assert receiver.answer.alerts[ID]["priority"] == expected


def test_a_failure_between_two_requests_doubles_nothing(atlassian, receiver):
    stub = receiver.answer
    receiver.answer = lambda r: (503, {}, b"") if b'"note"' in r.body else stub(r)
    with pytest.raises(ChannelError):
        atlassian.send(message(transition=Transition.ESCALATED))
    receiver.answer = stub
    atlassian.send(message(transition=Transition.ESCALATED))
    assert len(stub.alerts[ID]["notes"]) == 1
    assert stub.alerts[ID]["status"] == "open"


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_key_names_its_variable(atlassian, receiver, status):
    receiver.answer = lambda _: (status, {}, b"{}")
    with pytest.raises(ChannelError, match="environment variable KEY"):
        atlassian.send(message())


@pytest.mark.parametrize("secret", ["two\r\nlines", "schlüssel", " s3cr3t"])
def test_a_key_that_fits_no_header_is_not_shown(atlassian, monkeypatch, secret):
    monkeypatch.setenv("KEY", secret)
    with pytest.raises(ChannelError, match="Set KEY to the secret alone") as caught:
        atlassian.send(message())
    assert secret.strip() not in str(caught.value)
