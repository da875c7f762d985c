from __future__ import annotations

import pytest
from slack_sdk.models.blocks import Block

from dagster_monitoring.alerts import ChannelError, compose
from dagster_monitoring.alerts.message import AlertMessage
from dagster_monitoring.alerts.slack import SlackChannel
from dagster_monitoring.errors import MissingExtraError
from dagster_monitoring.evaluation import Evaluation, Severity, Status
from dagster_monitoring.incidents import Transition
from tests.alerts.conftest import Receiver, evaluation, incident
from tests.alerts.slack_stub import SlackStub, posted_blocks, posted_fields, posted_text

TOKEN = "xoxb-hush"  # noqa: S105 - nobody's


@pytest.fixture(autouse=True)
def stub(receiver: Receiver) -> SlackStub:
    receiver.answer = SlackStub(token=TOKEN)
    return receiver.answer


@pytest.fixture
def channel(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> SlackChannel:
    monkeypatch.setenv("SLACK_TOKEN", TOKEN)
    return SlackChannel(
        channel="#ml-alerts", token={"env": "SLACK_TOKEN"}, base_url=f"{receiver.url}/api/"
    )


def message(*worst: Evaluation, run_url: str | None = None) -> AlertMessage:
    about = incident(*(worst or (evaluation(),)))
    return compose(about, Transition.OPENED, run_url=run_url, show_values_of=("carrier",))


def test_the_message_reads_from_headline_to_next_step(channel, receiver):
    worst = [
        evaluation("performance", kind="performance", metric="roc_auc", column=None,
                   value=0.61, lower=0.72, upper=None),
        evaluation(column="wind_speed", segment="carrier=UA", value=0.31, severity=Severity.WARN),
        evaluation("labels", metric="label_coverage", column=None, value=None, upper=None,
                   status=Status.NO_DATA, severity=Severity.WARN, reason="no label came"),
    ]  # fmt: skip
    channel.send(message(*worst, run_url="https://dagster.example/runs/4f1c"))
    assert posted_text(receiver.requests[0]).splitlines() == [
        "🔴 ERROR: flight_delay needs attention",
        "Partition 2013-06-13 (since 2013-06-11). Monitors: feature_drift, labels, performance.",
        "🔴 `performance · roc_auc` `0.61 &lt; 0.72`",
        "🟠 `feature_drift · psi · wind_speed [carrier=UA]` `0.31 &gt; 0.2`",
        "🟠 `labels · label_coverage` `no value: no label came`",
        "<https://dagster.example/runs/4f1c|Open the run in Dagster>",
        "*Next:* See how it came: dagster-monitoring history flight_delay --since 2013-06-11",
        "*Model*", "`flight_delay`",
        "*Partition*", "`2013-06-13`",
        "*Monitors*", "`feature_drift, labels, performance`",
        "*Severity*", "`ERROR`",
        "*Baseline*", "`b-20130331-1a2b3c4d`",
        "*Model version*", "`m-1`",
        "OPENED · inc-0123456789ab",
    ]  # fmt: skip


def test_slacks_own_library_accepts_the_blocks(channel, receiver):
    channel.send(message(*[evaluation(column=f"c{i}" * 200) for i in range(20)]))
    for block in posted_blocks(receiver.requests[0]):
        parsed = Block.parse(block)
        assert parsed is not None
        parsed.validate_json()


def test_the_longest_message_stays_within_slacks_limits(channel, stub):
    wide = "<&>" * 50_000
    worst = [evaluation(wide[:90], metric="m" * 90, column=wide, segment=wide) for _ in range(20)]
    about = incident(*worst, model="m" * 64)
    channel.send(compose(about, Transition.OPENED, run_url="https://dagster." + "x" * 9_000))
    assert stub.errors == []


def test_nobody_is_called_by_a_value(channel, receiver):
    channel.send(message(evaluation(column="<!channel> @here <@U1> `*_~")))
    said = posted_text(receiver.requests[0])
    assert "&lt;!channel&gt; @here &lt;@U1&gt; '*_~" in said
    fields = posted_fields(receiver.requests[0])
    assert fields["parse"] == "none"
    assert all(
        text["verbatim"]
        for block in posted_blocks(receiver.requests[0])
        for text in [block.get("text", {"verbatim": True}), *block.get("fields", [])]
        if text.get("type") != "plain_text"
    )


def test_a_link_ends_where_the_address_ends(channel, receiver, stub):
    channel.send(message(run_url="https://dagster.example/runs/4?a=1&b=<x>|y"))
    assert "<https://dagster.example/runs/4?a=1&amp;b=%3Cx%3E%7Cy|Open" in posted_text(
        receiver.requests[0]
    )
    assert stub.errors == []


@pytest.mark.parametrize(
    ("code", "advice"),
    [
        ("invalid_auth", "Check the token in environment variable SLACK_TOKEN."),
        ("not_in_channel", "Invite the app: type /invite and its name in #ml-alerts."),
        ("channel_not_found", "Check the channel's name"),
        ("missing_scope", "Give the app the scope chat:write"),
        ("no_such_code", "https://api.slack.com/methods/chat.postMessage"),
    ],
)
def test_a_refusal_says_what_to_do(channel, receiver, code, advice):
    receiver.answer = lambda _: (200, {}, b'{"ok": false, "error": "%s"}' % code.encode())
    with pytest.raises(ChannelError) as caught:
        channel.send(message())
    assert f"Slack refused the message for #ml-alerts ({code})" in str(caught.value)
    assert advice in str(caught.value)


def test_a_wrong_token_is_refused_by_the_stub_too(channel, monkeypatch):
    monkeypatch.setenv("SLACK_TOKEN", "xoxb-old")
    with pytest.raises(ChannelError, match="invalid_auth"):
        channel.send(message())


def test_without_slack_sdk_the_extra_is_named(channel, monkeypatch):
    # None in sys.modules is how Python itself marks a module that can't be imported.
    monkeypatch.setitem(__import__("sys").modules, "slack_sdk", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'dagster-monitoring\[slack\]'"):
        channel.send(message())


@pytest.mark.parametrize(
    "base_url", ["slack.com/api/", "https://user:pw@slack.com/api/", "https://slack.com/api"]
)
def test_a_wrong_base_url_fails_when_it_is_declared(base_url):
    with pytest.raises(ValueError, match="base_url"):
        SlackChannel(channel="#a", token={"env": "SLACK_TOKEN"}, base_url=base_url)


def test_what_follows_goes_into_the_thread_and_the_end_to_all(channel, receiver):
    about = incident(evaluation())
    thread = channel.send(compose(about, Transition.OPENED, run_url=None))
    assert thread == "1.2"
    for transition in (Transition.ESCALATED, Transition.RESOLVED):
        over = incident(evaluation(), resolved="2013-06-14")
        channel.send(compose(over, transition, run_url=None), thread=thread)
    assert "psi" in posted_text(receiver.requests[1])
    assert "psi" not in posted_text(receiver.requests[2]), "the thread has the values"
    assert "All clear on 2013-06-14" in posted_text(receiver.requests[2])
    first, worse, end = (posted_fields(request) for request in receiver.requests)
    assert "thread_ts" not in first
    assert (worse["thread_ts"], worse["reply_broadcast"]) == ("1.2", False)
    assert (end["thread_ts"], end["reply_broadcast"]) == ("1.2", True)
