from __future__ import annotations

from dataclasses import replace

import pytest

from dagster_monitoring.alerts import AlertMessage, compose, dedup_key
from dagster_monitoring.evaluation import Severity, Status
from dagster_monitoring.incidents import Cause, Transition
from tests.alerts.conftest import TRANSITIONS, evaluation, incident


@pytest.mark.parametrize("transition", TRANSITIONS)
def test_an_outbox_gives_back_the_same_message(transition):
    hostile = evaluation(column="a\u2028\x00\ud800".encode("utf-8", "replace").decode(), value=1e-9)
    message = compose(incident(hostile), transition, run_url="https://dagster.example/runs/4f1c")
    assert AlertMessage.from_json(message.to_json()) == message


def test_each_row_stands_against_the_limit_it_passed():
    cases = {
        "0.31 > 0.2": evaluation(value=0.31, upper=0.2),
        "0.31 ± 0.049 > 0.2": evaluation(value=0.31, upper=0.2, standard_error=0.025),
        "0.31 ± 0.049": evaluation(value=0.31, upper=None, standard_error=0.025),
        "0.71 < 0.8": evaluation(value=0.71, lower=0.8, upper=None),
        "5 < 10": evaluation(value=5.0, lower=10.0, upper=20.0),
        "25 > 20": evaluation(value=25.0, lower=10.0, upper=20.0),
        "no value: the slice is empty": evaluation(
            value=None, upper=None, status=Status.NO_DATA, severity=Severity.WARN,
            reason="the slice is empty",
        ),
    }  # fmt: skip
    for expected, one in cases.items():
        message = compose(incident(one), Transition.OPENED, run_url=None)
        assert message.rows[0].comparison == expected


def test_a_message_kept_before_errors_were_known_can_still_be_sent():
    message = compose(incident(evaluation()), Transition.OPENED, run_url=None)
    row = message.to_json()
    older = row.replace(',"standard_error":null', "")
    assert older != row
    assert AlertMessage.from_json(older) == message


def test_a_message_is_short_and_counts_what_it_leaves_out():
    many = [evaluation(column=f"c{i}") for i in range(17)]
    message = compose(incident(*many), Transition.OPENED, run_url=None)
    assert (len(message.rows), message.n_more) == (10, 7)


def test_the_next_step_is_a_command():
    message = compose(incident(evaluation()), Transition.OPENED, run_url=None)
    assert (
        "dagster-monitoring history flight_delay --since 2013-06-11 --column temp"
        in message.next_step
    )


def test_a_column_that_a_shell_would_read_is_quoted_in_the_command():
    message = compose(incident(evaluation(column="a; rm -rf ~")), Transition.OPENED, run_url=None)
    assert message.next_step.endswith("--column 'a; rm -rf ~'")


@pytest.mark.parametrize("url", ["javascript:alert(1)", "https://a b", "ftp://x/", "", None])
def test_only_a_web_address_becomes_a_link(url):
    assert compose(incident(evaluation()), Transition.OPENED, run_url=url).run_url is None


def test_a_transition_has_one_key_and_another_one_another():
    first = incident(evaluation())
    more = incident(evaluation(), evaluation("performance", kind="performance"))
    assert dedup_key(first, Transition.OPENED) == dedup_key(more, Transition.OPENED)
    keys = {
        dedup_key(first, Transition.OPENED),
        dedup_key(first, Transition.RESOLVED),
        dedup_key(first, Transition.ESCALATED),
        dedup_key(more, Transition.ESCALATED),
        dedup_key(incident(evaluation(), severity=Severity.WARN), Transition.ESCALATED),
    }
    assert len(keys) == 5


def test_a_resolved_message_says_how_long_it_lasted():
    message = compose(
        incident(evaluation(), resolved="2013-06-14"), Transition.RESOLVED, run_url=None
    )
    assert message.partition == "2013-06-14"
    assert "All clear on 2013-06-14; it lasted from 2013-06-11 to 2013-06-13" in message.summary


def test_the_incidents_own_monitors_come_before_what_else_was_amber():
    drift = evaluation(monitor="drift", severity=Severity.WARN)
    own = [evaluation(monitor="performance", column=None, metric=m) for m in ("brier", "log_loss")]
    whole = incident(own[0], drift, own[1])
    only = tuple(m for m in whole.members if m.monitor == "performance")
    found = replace(whole, members=only)
    rows = compose(found, Transition.OPENED, run_url=None).rows
    assert [row.monitor for row in rows] == ["performance", "performance", "drift"]


@pytest.mark.parametrize(("n_slices", "said"), [(4, "(4 slices)"), (1, "(1 slice)")])
def test_a_resolved_message_counts_its_slices(n_slices, said):
    over = incident(evaluation(), resolved="2013-06-14")
    message = compose(over, Transition.RESOLVED, run_url=None, n_slices=n_slices)
    assert f"it lasted from 2013-06-11 to 2013-06-13 {said}" in message.summary


@pytest.mark.parametrize(
    ("cause", "said"),
    [
        (Cause.PIPELINE, "materialize what is missing"),
        (Cause.DATA, "retraining does not help"),
        (Cause.LABELS, "deliveries of labels"),
        (Cause.MODEL, "See how it came: dagster-monitoring history flight_delay"),
        (Cause.RETRAINING, "the champion stays in service"),
        (Cause.ALERTING, "dagster-monitoring alerts test"),
    ],
)
def test_what_to_do_next_depends_on_the_cause(cause, said):
    about = replace(incident(evaluation()), cause=cause)
    assert said in compose(about, Transition.OPENED, run_url=None).next_step
    bare = compose(replace(about, worst=()), Transition.OPENED, run_url=None).next_step
    assert "dagster-monitoring incidents show inc-0123456789ab" in bare


def test_reasons_are_told_as_far_as_they_hold_no_value_of_data():
    cases = [
        (evaluation(reason="0.31 is above 0.2; new: 'Ann'"), None),
        (evaluation(metric="extra_columns", column=None, reason="3; new: 'age'"), "3; new: 'age'"),
        (evaluation(value=None, reason="No data: the slice is empty"),
         "No data: the slice is empty"),
        (evaluation(value=None, reason="No data: class 'Ann' against \"Bo\": no label"),
         "No data: class '…' against '…': no label"),
        (evaluation(value=None, segment="s=Ann", reason="No data: no rows of segment s=Ann"),
         "No data: no rows of segment s=…"),
        (evaluation(value=None, kind="great_expectations", reason="could not parse Ann"),
         "the expectation gave no value; see its check in Dagster"),
    ]  # fmt: skip
    for one, expected in cases:
        (row,) = compose(incident(one), Transition.OPENED, run_url=None).rows
        assert row.reason == expected
    shown = compose(incident(cases[0][0]), Transition.OPENED, run_url=None, show_values_of=["temp"])
    assert shown.rows[0].reason == "0.31 is above 0.2; new: 'Ann'"


def test_a_class_that_may_not_be_told_is_not_in_the_command_either():
    message = compose(incident(evaluation(column="name=Ann")), Transition.OPENED, run_url=None)
    assert message.rows[0].column == "name=…"
    assert "Ann" not in message.to_json()
    assert "--column" not in message.next_step
