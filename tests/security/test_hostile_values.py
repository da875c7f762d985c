"""Names and values that try to be code, markup, SQL or a path stay text on every way out."""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree as ET

import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa

from dagster_monitoring.alerts._compose import compose
from dagster_monitoring.alerts._plain import plain_text
from dagster_monitoring.alerts._slack_blocks import blocks, fallback
from dagster_monitoring.alerts.console import ConsoleChannel
from dagster_monitoring.alerts.file import FileChannel
from dagster_monitoring.cli.history import command as history
from dagster_monitoring.cli.incidents import command as incidents
from dagster_monitoring.cli.mark import command as mark
from dagster_monitoring.cli.project import load_model
from dagster_monitoring.evaluation import Evaluation, Severity, Status
from dagster_monitoring.incidents import Transition
from dagster_monitoring.monitors.data_quality import DataQualityMonitor
from dagster_monitoring.orchestration.backend import open_backend
from dagster_monitoring.orchestration.charts import Bar, Point, as_markdown, draw
from dagster_monitoring.orchestration.checks import to_verdict
from dagster_monitoring.orchestration.incidents import advance_incidents
from dagster_monitoring.profiles.storage import ProfileStorage
from dagster_monitoring.stores import Mark, MarkKind, Store, open_store
from tests.alerts.conftest import incident
from tests.cli.conftest import project as project  # noqa: PLC0414 - a fixture
from tests.cli.running import run

NOW = datetime(2024, 5, 2, 6, tzinfo=UTC)
HOSTILE = {
    "html": "<script>alert(1)</script><img src=x onerror=alert(2)>",
    "sql": "'; DROP TABLE monitoring_evaluations; --",
    "sql bind": ":name %s %(x)s ? {0}",
    "rich": "[bold red]x[/] [link=http://evil]y[/link]",
    "slack": "<!channel> <@U1> <http://evil|click> *b* `c` &amp;",
    "markdown": "![x](javascript:alert(1)) | a | b |\n# title\n```",
    "ansi": "\x1b[2J\x1b]0;title\x07\x9b31m",
    "formula": "=cmd|'/C calc'!A0,\"x\"",
    "wide formula": "＝HYPERLINK(1)",  # noqa: RUF001 - meant so
    "line": "first\r\nsecond,\u2028third\u0085",
    "path": "../../../etc/passwd",
    "template": "{partition} ${HOME} {{ env.X }} $(id) `id`",
    "nul": "a\x00b",
    "reordered": "user\u202etxt.exe\u2066\u200f",
    "surrogate": "half \ud800 pair",
    "long": "x" * 100_000,
    "empty": " ",
}
each = pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
# What a terminal obeys, what ends a line, and what reorders a line's text.
OBEYED = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)


def evaluation(text: str, **changes: object) -> Evaluation:
    """A row with the text wherever data can put one."""
    one = Evaluation(
        model="price",
        monitor="data_quality",
        monitor_kind="data_quality",
        metric="new_categories",
        column=text,
        segment=f"city={text}",
        baseline_kind="training",
        baseline_version="b-1",
        partition="2024-05-01",
        window_start=datetime(2024, 5, 1, tzinfo=UTC),
        window_end=datetime(2024, 5, 2, tzinfo=UTC),
        value=0.5,
        lower=None,
        upper=0.1,
        status=Status.TRIGGERED,
        severity=Severity.ERROR,
        n=100,
        n_labelled=None,
        reason=f"new: {text!s}",
        model_version=text,
        run_id="r",
        evaluated_at=NOW,
    )
    return replace(one, **changes)


def stored(text: str) -> str:
    """What a store gives back: halves of surrogate pairs can be kept nowhere."""
    return text.encode("utf-8", "replace").decode()


@pytest.fixture(scope="module")
def postgres_url(new_postgres_database) -> str:
    return new_postgres_database()


@pytest.fixture(params=["sqlite", "postgres"])
def store(request: pytest.FixtureRequest, tmp_path: Path):
    url = f"sqlite:///{tmp_path}/s.sqlite"
    if request.param == "postgres":
        url = request.getfixturevalue("postgres_url")
    with open_store(url) as opened:
        yield opened


@pytest.mark.parametrize("store", ["sqlite", "postgres"], indirect=True)
def test_the_store_keeps_every_text_and_runs_none(store: Store):
    for name, text in HOSTILE.items():
        model = f"model {name}"
        store.evaluations.record([evaluation(text, model=model)])
        (found,) = store.evaluations.read(model)
        if name not in {"nul", "surrogate"}:
            assert (found.column, found.segment, found.reason) == (
                text, f"city={text}", f"new: {text}",
            )  # fmt: skip
        assert store.evaluations.read(model, column=text, monitor=text) == []
        bad = Mark(
            model=model, first="2024-05-01", last="2024-05-01", kind=MarkKind.BAD,
            note=text, author=text, at=NOW,
        )  # fmt: skip
        store.marks.add(bad)
        assert len(store.marks.list(model)) == 1
        if name not in {"nul", "surrogate"}:
            assert store.marks.list(model) == [bad]
        store.labels.register_predictions(model, "2024-05-01", [stored(text)])
        assert store.labels.partitions(model) is not None
        assert store.evaluations.read(text) == []
    assert len(store.evaluations.read("model html")) == 1


@each
def test_a_check_shows_it_as_text_on_one_line(text: str):
    ranked = [evaluation(text), evaluation(text, partition="2024-04-30")]
    monitor = DataQualityMonitor(type="data_quality")
    verdict = to_verdict(monitor, "2024-05-01", ranked[:1], history=lambda _: ranked[1:])
    assert not OBEYED.search(verdict.description)
    assert "\n" not in verdict.description
    assert len(verdict.description) < 2_000
    for row in verdict.metadata["evaluations"].records:
        for value in row.data.values():
            assert not OBEYED.search(str(value))
            assert "\n" not in str(value)
            assert len(str(value)) <= 160
    plot = verdict.metadata["plot"].md_str
    assert re.fullmatch(r"!\[[\w .,=-]*\]\(data:image/svg\+xml;base64,[A-Za-z0-9+/=]*\)", plot)
    json.dumps({name: str(value.value) for name, value in verdict.metadata.items()}).encode()


@each
def test_a_chart_is_xml_without_script_or_foreign_element(text: str):
    svg = draw(
        title=text,
        bars=[Bar(label=text, value=1.0, limit=0.5, colour="red")],
        history_title=text,
        history=[Point(label=text, value=1.0, colour="red")],
        lower=None,
        upper=0.5,
    )
    root = ET.fromstring(svg)  # noqa: S314 - our own text, and its form is the claim
    known = {"svg", "rect", "text", "line", "path", "polyline", "circle"}
    for element in root.iter():
        assert element.tag.rpartition("}")[2] in known
        assert not any(name.lower().startswith("on") for name in element.attrib)
        assert "href" not in " ".join(element.attrib)
    assert len(svg) < 10_000
    assert as_markdown(svg, text).count("](") == 1


def message(text: str):
    one = incident(evaluation(text))
    one = replace(one, owner=text, changes=(text,))
    columns = (text, "city")
    return compose(one, Transition.OPENED, run_url=f"http://h/{text}", show_values_of=columns)


@each
def test_a_message_is_text_wherever_it_is_laid_out(text: str, capsys, tmp_path):
    told = message(text)
    for line in plain_text(told).splitlines():
        assert not OBEYED.search(line)
        assert len(line) <= 1_000
    assert len(plain_text(told)) <= 15_000
    ConsoleChannel(type="console").send(told)
    assert not OBEYED.search(re.sub(r"\x1b\[[0-9;]*m", "", capsys.readouterr().out))
    file = tmp_path / "alerts.jsonl"
    FileChannel(type="file", path=str(file)).send(told)
    assert len(file.read_bytes().splitlines()) == 1
    assert file.read_bytes().isascii()
    assert json.loads(file.read_text())["model"] == told.model


@each
def test_slack_finds_no_command_link_or_user_in_it(text: str):
    told = message(text)
    texts = [*texts_of(blocks(told)), fallback(told)]
    assert len(texts) > 5
    for one in texts:
        links = re.findall("<([^>]*)>", one)
        assert all(re.match(r"http://h/[^|<>]*\|[\w ]+$", link) for link in links), links
        assert not OBEYED.search(one)
        assert len(one) <= 3_000


def texts_of(part: object) -> list[str]:
    """Every text of a message's blocks."""
    if isinstance(part, dict):
        own = [part["text"]] if isinstance(part.get("text"), str) else []
        return own + [text for value in part.values() for text in texts_of(value)]
    return [text for one in part for text in texts_of(one)] if isinstance(part, list) else []


def test_commands_show_it_and_obey_nothing(project: str, tmp_path: Path):
    model = load_model("price", project=tmp_path, module=project)
    bad = [
        evaluation(text, column=f"{name} {text}", partition="1970-01-02")
        for name, text in HOSTILE.items()
    ]
    with open_backend(model) as backend:
        backend.store.evaluations.record(bad)
        advance_incidents(backend, now=NOW, run_url=None)
        (opened,) = backend.store.incidents.list("price")
    with_module = ("--module", project)
    for text in HOSTILE.values():
        note = text.replace("\x00", " ").encode("utf-8", "replace").decode()
        run(incidents, "note", opened.id, "--by", note, *with_module, "--", note)
        run(mark, "price", "bad", "--from", "1970-01-02", "--note", note, *with_module)
        shown = run(mark, "price", *with_module).output
        assert not OBEYED.search(shown)
        assert len(shown.splitlines()) == 1 or len(note) > 80
    for arguments in (
        ("list", "--all"), ("show", opened.id), ("show", opened.id, "--format", "json"),
    ):  # fmt: skip
        shown = run(incidents, *arguments, *with_module, columns=200)
        assert shown.exit_code == 0, shown.exception
        assert not OBEYED.search(shown.output)
    for form in ("table", "json", "csv", "parquet"):
        out = tmp_path / f"out.{form}"
        options = () if form == "table" else ("--output", str(out))
        shown = run(history, "price", "--format", form, *options, *with_module, columns=400)
        assert shown.exit_code == 0, shown.exception
        assert not OBEYED.search(shown.output)
    read = list(csv.DictReader(io.StringIO((tmp_path / "out.csv").read_text(), newline="")))
    assert len(read) == len(HOSTILE)
    for row in read:
        for cell in row.values():
            assert cell[:1] not in tuple("=+-@\t\r\n＝") or cell[1:2].isdigit()  # noqa: RUF001
    kept = pq.read_table(tmp_path / "out.parquet")["segment"].to_pylist()
    assert f"city={HOSTILE['formula']}" in kept
    assert len(json.loads((tmp_path / "out.json").read_text())) == len(HOSTILE)


@each
def test_no_name_leaves_the_folder_of_profiles(text: str, tmp_path: Path):
    storage = ProfileStorage(str(tmp_path / "root"))
    name = stored(text)[:60]
    for names in ((name, "b-1", "p"), ("m", name, "p"), ("m", "b-1", name), ("..", "..", "..")):
        storage.write(*names, b"x")
    found = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert all(path.is_relative_to(tmp_path / "root") for path in found)
    assert len([p for p in found if p.parent.parent.parent.parent == tmp_path / "root"]) == 4


def test_a_database_name_is_no_sql(tmp_path: Path):
    """A table and a column called like a statement are read as they are called."""
    from dagster_monitoring.sources import Request, SqlSource

    url = f"sqlite:///{tmp_path}/x.db"
    name = 'a"; DROP TABLE t; --'
    engine = sa.create_engine(url)
    table = sa.Table(name, sa.MetaData(), sa.Column('c"; SELECT 1; --', sa.Integer))
    table.create(engine)
    with engine.begin() as connection:
        connection.execute(table.insert(), [{'c"; SELECT 1; --': 7}])
    engine.dispose()
    (batch,) = SqlSource(url=url, table=name).batches(Request())
    assert batch.to_pylist() == [{'c"; SELECT 1; --': 7}]
