"""Every channel keeps the same contract; each one's own test bench says how to reach it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from dagster_monitoring.alerts import (
    channel_types,
    compose,
)
from dagster_monitoring.incidents import Transition
from tests.alerts.benches import SECRET, Bench, message
from tests.alerts.conftest import TRANSITIONS, Receiver, evaluation, incident

HOSTILE = [
    "<script>alert('x')</script>",
    "<!channel> <@U012> <https://evil.example|click>",
    "one\nline\r\nand \x1b[31manother\x07",
    "`code` *bold* _it_ ~gone~ &amp; [red]markup[/red]",
    "\u202egnp.exe \u2028 'quote' \"double\" \\",
    "漢字🚀" * 5_000,
    "&" * 100_000,
]


@pytest.fixture(params=list(channel_types()))
def bench(
    request: pytest.FixtureRequest, bench_of: Callable[[str], Bench], receiver: Receiver
) -> Bench:
    found = bench_of(request.param)
    receiver.answer = found.answer or receiver.answer
    return found


@pytest.mark.parametrize("kind", list(channel_types()))
def test_every_channel_has_a_bench(bench_of, kind):
    """A new channel's file comes with a bench; the contract below then runs on it."""
    assert bench_of(kind).channel.type == kind


class TestContract:
    @pytest.mark.parametrize("transition", TRANSITIONS)
    def test_the_message_arrives_with_what_a_person_needs(self, bench, transition):
        bench.channel.send(message(transition=transition))
        received = "\n".join(bench.received())
        said = message(transition=transition)
        for needed in ("flight_delay", "feature_drift", "temp", "b-20130331-1a2b3c4d", "m-1",
                       "https://dagster.example/runs/4f1c", "dagster-monitoring history",
                       said.title, said.partition, said.incident_id):  # fmt: skip
            assert needed in received
        assert "0.31" in received
        assert "0.2" in received

    @pytest.mark.parametrize("text", HOSTILE, ids=lambda text: repr(text[:12]))
    def test_hostile_values_are_taken_as_text(self, bench, text):
        bench.channel.send(message(column=text))
        [received] = bench.received()
        assert not any(character in received for character in "\x1b\x07\u202e\u2028")
        assert len(received) < 20_000, "cut, whatever its length"
        assert not getattr(bench.answer, "errors", None)

    def test_values_of_data_are_told_only_where_the_policy_lets_them(self, bench):
        one = evaluation(segment="surname=Fitzgerald", column="species=oak", reason="x; new: 'Ann'")
        none = evaluation(value=None, upper=None, segment="surname=Fitzgerald",
                          reason="No data: no surname=Fitzgerald, or 'Ann'")  # fmt: skip
        for shown in ((), ("surname", "species")):
            bench.channel.send(
                compose(incident(one, none), Transition.OPENED, run_url=None, show_values_of=shown)
            )
        hidden, told = bench.received()
        assert not any(value in hidden for value in ("Fitzgerald", "Ann", "oak"))
        assert "surname=" in hidden
        assert "0.31" in hidden
        assert all(value in told for value in ("Fitzgerald", "Ann", "oak"))

    def test_two_messages_arrive_as_two(self, bench):
        bench.channel.send(message())
        bench.channel.send(message(transition=Transition.RESOLVED))
        assert len(bench.received()) == 2

    def test_the_declaration_holds_no_secret(self, bench):
        assert SECRET not in repr(bench.channel)
        assert SECRET not in bench.channel.model_dump_json()

    def test_its_name_is_its_type_unless_given(self, bench):
        assert bench.channel.name == bench.channel.type
        fields = {**bench.channel.model_dump(exclude_none=True), "name": "night shift"}
        assert type(bench.channel).model_validate(fields).name == "night shift"
