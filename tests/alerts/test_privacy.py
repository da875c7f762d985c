"""What an error's text, a trainer's or a database's, may tell."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dagster_monitoring.alerts import Background, channel_types, compose
from dagster_monitoring.alerts._privacy import shown_reason, shown_words
from dagster_monitoring.incidents import Cause, Member, Transition
from tests.alerts.conftest import evaluation, incident

NAMES = ["late", "id"]
ERRORS = [
    # text, what is told, reason
    ("the slice is empty", "the slice is empty", "nothing is quoted"),
    ("column 'late' holds 'Ann'", "column 'late' holds '…'", "a column's name, and a value"),
    ('invalid input for integer: "Ann"', "invalid input for integer: '…'", "a database's marks"),
    ("can't read 'Ann'", "can't read '…'", "an apostrophe opens nothing"),
    ("no 'O'Brien' in 'late'", "no '…' in 'late'", "a value with an apostrophe"),
    ("holds 'a' b' c'", "holds '…'", "a value that ends its quotation early"),
    ("could not convert string to float: 'Ann\nBo'", "could not convert string to float: '…'",
     "over lines"),
    ("Key (id)=(Ann (Bo)) already exists.", "Key (id)=… already exists.", "PostgreSQL's detail"),
    ("failed [SQL: INSERT x] [parameters: ('Ann',)] Bo", "failed […", "SQLAlchemy's statement"),
    ("file labels/customer=Ann/day=2024-05-01/a.parquet is empty",
     "file labels/customer=…/day=2024-05-01/a.parquet is empty", "folders hold values"),
    ("file labels/day=2024-05-01T07/a.parquet", "file labels/day=2024-05-01T07/a.parquet", "hour"),
    ("file customer=Ann: 'Bo'", "file customer=…: '…'", "both"),
    ("file name=Ann Smith/x.parquet is empty", "file name=…/x.parquet is empty", "a blank"),
    ("file customer=2024-05-01Ann/a", "file customer=…/a", "no date"),
    ("\x000\x00 'late'", "0 'late'", "marks of our own"),
    ("the champion's loss, over 14 days' rows", "the champion's loss, over 14 days' rows",
     "possessives"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "told"), [pytest.param(*row[:2], id=row[2]) for row in ERRORS])
def test_what_is_told_of_an_error(text: str, told: str):
    assert shown_words(text, names=NAMES, shown=[]) == told


def test_a_column_may_show_its_folders_values():
    text = "file customer=Ann/a.parquet"
    assert shown_words(text, names=[], shown=["customer"]) == text


def test_a_reason_with_an_apostrophe_hides_what_it_quotes():
    one = evaluation(value=None, upper=None, reason="No data: can't be told from 'Ann'")
    assert shown_reason(one, []) == "No data: can't be told from '…'"


@pytest.mark.parametrize("kind", list(channel_types()))
def test_a_damaged_delivery_is_told_without_its_values(bench_of, receiver, kind):
    bench = bench_of(kind)
    receiver.answer = bench.answer or receiver.answer
    detail = "file name=Ann/l.parquet: <b>column</b> 'late' holds 'Bo'\x1b[2J" + "x" * 9_000
    watcher = Member(
        monitor="label_deliveries", kind="label_deliveries", severity=incident().severity,
        first="2013-06-13", last="2013-06-13", detail=detail,
    )  # fmt: skip
    about = replace(incident(), cause=Cause.LABELS, members=(watcher,))
    known = Background(names=frozenset(NAMES))
    bench.channel.send(compose(about, Transition.OPENED, run_url=None, background=known))
    (told,) = bench.received()
    assert not any(value in told for value in ("Ann", "Bo", "\x1b"))
    assert "l.parquet" in told
    assert "late" in told
    assert len(told) < 5_000
