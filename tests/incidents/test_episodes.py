"""When a monitor's trouble fires and when it is over, as a table; each row says why."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from dagster_monitoring.evaluation import Severity
from dagster_monitoring.incidents import Cause, Rule, Verdict, episodes, is_restless

START = datetime(2024, 5, 1, tzinfo=UTC)
SAID = {
    "E": (Severity.ERROR, False),
    "W": (Severity.WARN, False),
    "h": (None, True),
    "?": (None, False),
}


def verdicts(said: str, *, monitor: str = "drift") -> list[Verdict]:
    """One a day: E error, W warning, h healthy, ? not known, - not judged."""
    found = []
    for number, letter in enumerate(said):
        if letter != "-":
            severity, healthy = SAID[letter]
            day = START + timedelta(days=number)
            found.append(
                Verdict(
                    monitor=monitor,
                    kind=monitor,
                    partition=f"{day:%Y-%m-%d}",
                    severity=severity,
                    healthy=healthy,
                    window_end=day + timedelta(days=1),
                )
            )
    return found


def day(number: int) -> str:
    return f"{START + timedelta(days=number):%Y-%m-%d}"


TABLE = [
    # said, for, keep, severity, (first, fired, last, resolved) of each episode, reason
    ("", 1, 1, "ERROR", [], "nothing was judged"),
    ("hhh", 1, 1, "ERROR", [], "health is no trouble"),
    ("hE", 1, 1, "ERROR", [(1, 1, 1, None)], "an error fires at once"),
    ("hW", 1, 1, "ERROR", [], "a warning is recorded, nobody is paged"),
    ("hW", 1, 1, "WARN", [(1, 1, 1, None)], "asked for, a warning fires"),
    ("?", 1, 1, "WARN", [], "labels that are not due are no trouble"),
    ("EhE", 2, 1, "ERROR", [], "two with a healthy day between are not two in a row"),
    ("EWE", 2, 1, "ERROR", [], "nor with a day that only warns"),
    ("EE", 2, 1, "ERROR", [(0, 1, 1, None)], "two in a row fire at the second, from the first on"),
    ("E?E", 2, 1, "ERROR", [(0, 2, 2, None)], "a day that is not known neither counts nor breaks"),
    ("E-E", 2, 1, "ERROR", [(0, 2, 2, None)], "nor one that was not judged"),
    ("EEE", 3, 1, "ERROR", [(0, 2, 2, None)], "three of three"),
    ("Eh", 1, 1, "ERROR", [(0, 0, 0, 1)], "one healthy day ends it"),
    ("Eh", 1, 2, "ERROR", [(0, 0, 0, None)], "one of two does not"),
    ("Ehh", 1, 2, "ERROR", [(0, 0, 0, 2)], "two of two do"),
    ("EhEhh", 1, 2, "ERROR", [(0, 0, 2, 4)], "flapping is one trouble, not two"),
    ("Eh?h", 1, 2, "ERROR", [(0, 0, 0, 3)], "a day that is not known keeps neither open nor ends"),
    ("EhW", 1, 2, "ERROR", [(0, 0, 0, None)], "between the limits it is not quite healthy"),
    ("EhWh", 1, 2, "ERROR", [(0, 0, 0, 3)], "a day between the limits counts half"),
    ("EWWWW", 1, 2, "ERROR", [(0, 0, 0, 4)], "what only warns takes twice as long to be over"),
    ("EWWWE", 1, 2, "ERROR", [(0, 0, 4, None)], "and may turn bad again before"),
    ("EWhh", 1, 2, "ERROR", [(0, 0, 0, 3)], "a warning is no bad day, but delays the end"),
    ("EWWhh", 1, 2, "WARN", [(0, 0, 2, 4)], "where warnings count, it is"),
    ("EhhE", 1, 2, "ERROR", [(0, 0, 0, 2), (3, 3, 3, None)], "what comes after the end is another"),
    ("EhhEE", 2, 2, "ERROR", [(3, 4, 4, None)], "one that never fired does not end either"),
    ("EEhh", 2, 2, "ERROR", [(0, 1, 1, 3)], "for and keep together"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("said", "partitions", "keep", "severity", "expected"),
    [pytest.param(*row[:5], id=row[5]) for row in TABLE],
)
def test_episode(said: str, partitions: int, keep: int, severity: str, expected):
    rule = Rule(severity=Severity(severity), partitions=partitions, keep=keep)
    found = episodes(verdicts(said), rule, cause=Cause.MODEL)
    assert [(e.first, e.fired, e.last, e.resolved) for e in found] == [
        tuple(None if n is None else day(n) for n in row) for row in expected
    ]


def test_an_episode_has_its_worst_severity_and_all_bad_days():
    rule = Rule(severity=Severity.WARN, partitions=1, keep=2)
    (found,) = episodes(verdicts("WEhW"), rule, cause=Cause.DATA)
    assert (found.severity, found.cause) == (Severity.ERROR, Cause.DATA)
    assert found.bad == (day(0), day(1), day(3))
    assert found.ends[-1] == START + timedelta(days=4)


A, B = ("brier", None, None), ("missing_share", "age", None)


def of_subjects(said: str, restless: str) -> list[Verdict]:
    """As `verdicts`, errors being of A; restless: which of A, B are not within limits for sure."""
    return [
        replace(
            verdict,
            erred=frozenset([A] if verdict.severity is Severity.ERROR else []),
            restless=frozenset({"a": [A], "b": [B], "2": [A, B], ".": []}[letter]),
        )
        for verdict, letter in zip(verdicts(said), restless, strict=True)
    ]


SUBJECTS = [
    # said, what is restless, the episode, reason
    ("Ehhh", "a...", (0, 0, 2), "what erred is well again for two days"),
    ("EWWWW", "aaaaa", (0, 0, None), "what erred still warns"),
    ("Ehhhh", "aaaaa", (0, 0, None), "within limits that chance moved out, it is not over yet"),
    ("EhhEh", "aaaaa", (0, 3, None), "so that what lasts is one, however it swings"),
    ("Ehhhh", "a.a..", (0, 0, 4), "two days side by side, not two in all"),
    (
        "EWWWW",
        "2bbbb",
        (0, 0, 4),
        "another column that always warns delays, and keeps nothing open",
    ),
    ("EWWWW", "2bb2b", (0, 0, None), "unless what erred warns again"),
    ("E??h", "a..b", (0, 0, None), "days that are not known are no days of health"),
]


@pytest.mark.parametrize(
    ("said", "restless", "expected"), [pytest.param(*row[:3], id=row[3]) for row in SUBJECTS]
)
def test_what_erred_is_over_when_that_itself_is_well(said: str, restless: str, expected):
    rule = Rule(severity=Severity.ERROR, partitions=1, keep=2)
    (found,) = episodes(of_subjects(said, restless), rule, cause=Cause.MODEL)
    first, last, resolved = expected
    assert (found.first, found.last) == (day(first), day(last))
    assert found.resolved == (None if resolved is None else day(resolved))


LIMITS = {"lower": None, "upper": 0.5, "standard_error": None, "severity": None}
RESTLESS = [
    ({"value": 0.4}, False, "within its limits"),
    ({"value": 0.6}, True, "beyond them"),
    ({"value": 0.4, "standard_error": 0.1}, True, "within them by chance"),
    ({"value": 0.3, "standard_error": 0.1}, False, "within them beyond chance"),
    ({"value": 0.4, "lower": 0.3, "standard_error": 0.05, "upper": None}, False, "so below"),
    ({"value": 0.4, "lower": 0.3, "standard_error": 0.1, "upper": None}, True, "and not so"),
    ({"value": None}, False, "what is not known yet is no trouble"),
    ({"value": None, "severity": Severity.WARN}, True, "what is lacking is"),
]


@pytest.mark.parametrize(
    ("given", "expected"), [pytest.param(*row[:2], id=row[2]) for row in RESTLESS]
)
def test_a_value_is_restless_until_it_is_within_its_limits_for_sure(given, expected):
    assert is_restless(**{**LIMITS, **given}) is expected


def test_something_else_in_error_while_one_only_lingers_is_another_trouble():
    def episodes_of(said: str, erred: str) -> list[tuple[str, str | None]]:
        found = [
            replace(v, erred=frozenset({"A": [A], "B": [A, B], ".": []}[letter]), restless={A})
            for v, letter in zip(verdicts(said), erred, strict=True)
        ]
        rule = Rule(severity=Severity.ERROR, partitions=1, keep=2)
        return [(e.first, e.resolved) for e in episodes(found, rule, cause=Cause.MODEL)]

    assert episodes_of("EhhhE", "A...A") == [(day(0), None)], "the same goes on"
    assert episodes_of("EhhhE", "A...B") == [(day(0), day(2)), (day(4), None)]
    assert episodes_of("EhE", "A.B") == [(day(0), None)], "it had not been quiet for long enough"
