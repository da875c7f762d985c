"""Slack's webhook, Teams and Apprise: what each of them makes special."""

from __future__ import annotations

import json
import logging

import pytest

from dagster_monitoring.alerts import ChannelError, compose
from dagster_monitoring.alerts.apprise import AppriseChannel
from dagster_monitoring.alerts.slack_webhook import SlackWebhookChannel
from dagster_monitoring.alerts.teams import TeamsChannel
from dagster_monitoring.errors import MissingExtraError
from dagster_monitoring.incidents import Transition
from tests.alerts.benches import SECRET, message
from tests.alerts.conftest import evaluation, incident
from tests.alerts.receivers import TeamsStub

HOOK = {"env": "HOOK"}


@pytest.fixture(autouse=True)
def hook(receiver, monkeypatch):
    monkeypatch.setenv("HOOK", f"{receiver.url}/{SECRET}")


@pytest.mark.parametrize(
    ("status", "said", "advice"),
    [
        (404, b"no_service", "make another, and set HOOK to it"),
        (410, b"channel_is_archived", "Its channel is archived"),
        (403, b"action_prohibited", "An admin of the workspace"),
        (200, b"<html>sign in</html>", "look at the receiver"),
    ],
)
def test_a_webhook_of_slack_says_ok_or_why_not(receiver, status, said, advice):
    receiver.answer = lambda _: (status, {}, said)
    with pytest.raises(ChannelError, match=advice):
        SlackWebhookChannel(url=HOOK).send(message())


def test_the_longest_card_fits_into_teams(receiver):
    receiver.answer = TeamsStub()
    wide = "漢" * 5_000
    worst = [evaluation("m" * 90, metric="x" * 90, column=wide, segment=wide) for _ in range(20)]
    TeamsChannel(url=HOOK).send(
        compose(incident(*worst), Transition.OPENED, run_url="https://d.example/" + "x" * 5_000)
    )
    assert receiver.answer.errors == []


def test_markdown_in_a_value_is_text_to_teams(receiver):
    receiver.answer = TeamsStub()
    TeamsChannel(url=HOOK).send(message(column="[click](https://evil.example) **b** <at>all</at>"))
    card = json.loads(receiver.requests[0].body)["attachments"][0]["content"]
    assert {element["type"] for element in card["body"]} == {"RichTextBlock"}
    assert "entities" not in card["msteams"]


def test_a_connector_that_hides_a_failure_in_its_answer_is_found_out(receiver):
    receiver.answer = lambda _: (200, {}, b"Webhook message delivery failed with error: 429")
    with pytest.raises(ChannelError, match="Teams refused the message"):
        TeamsChannel(url=HOOK).send(message())


@pytest.fixture
def apprise(receiver, monkeypatch) -> AppriseChannel:
    address = receiver.url.replace("http", "json")
    monkeypatch.setenv("APPRISE", f"{address}/{SECRET}?redirect=yes")
    return AppriseChannel(url={"env": "APPRISE"})


def test_apprise_is_told_the_kind_of_message(apprise, receiver):
    for transition in (Transition.OPENED, Transition.RESOLVED):
        apprise.send(message(transition=transition))
    assert [json.loads(r.body)["type"] for r in receiver.requests] == ["failure", "success"]


def test_what_apprise_swallows_is_an_error_with_its_status(apprise, receiver, caplog):
    receiver.answer = lambda _: (418, {}, b"")
    with caplog.at_level(logging.DEBUG), pytest.raises(ChannelError, match="it answered 418"):
        apprise.send(message())
    assert SECRET not in caplog.text


def test_apprise_calls_nobody(apprise, receiver):
    apprise.send(message(column="@everyone <@1> <!here>"))
    said = receiver.requests[0].body.decode()
    assert "@everyone" not in json.loads(said)["message"]
    assert "<@" not in json.loads(said)["message"]
    assert "everyone" in said


@pytest.mark.parametrize("url", ["nosuch://host/", "not a url", "json://"])
def test_a_url_that_apprise_does_not_know_is_not_shown(apprise, monkeypatch, url):
    monkeypatch.setenv("APPRISE", url + SECRET if "//" not in url[-2:] else url)
    with pytest.raises(ChannelError, match="APPRISE holds no URL that Apprise knows") as caught:
        apprise.send(message())
    assert SECRET not in str(caught.value)


def test_without_apprise_the_extra_is_named(apprise, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "apprise", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'dagster-monitoring\[apprise\]'"):
        apprise.send(message())
