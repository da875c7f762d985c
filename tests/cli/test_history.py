"""``history`` shows what is stored: every format, every filter, and what was known earlier."""

import csv
import io
import json
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dagster_monitoring.cli.history import command as history
from dagster_monitoring.cli.project import load_model
from dagster_monitoring.evaluation import Evaluation, Severity, Status
from dagster_monitoring.stores import open_store
from tests.cli.running import run

FIELDS = [field.name for field in fields(Evaluation)]
COLUMNS = [*FIELDS, "interval_lower", "interval_upper"]
FIRST = datetime(2024, 5, 9, 7, tzinfo=UTC)
LATER = datetime(2024, 5, 10, 12, tzinfo=UTC)


def evaluation(day: int, monitor: str, column: str | None, value: float | None, **changes: object):
    start = datetime(2024, 5, day, tzinfo=UTC)
    is_high = value is not None and value > 0.25
    given: dict[str, object] = {
        "model": "price",
        "monitor": monitor,
        "monitor_kind": "drift",
        "metric": "psi",
        "column": column,
        "segment": None,
        "baseline_kind": "training",
        "baseline_version": "b-1",
        "partition": f"2024-05-{day:02}",
        "window_start": start,
        "window_end": start + timedelta(days=1),
        "value": value,
        "lower": None,
        "upper": 0.25,
        "status": Status.TRIGGERED if is_high else Status.HEALTHY,
        "severity": Severity.ERROR if is_high else None,
        "reason": "=too high" if is_high else None,
        "n": 100,
        "n_labelled": None,
        "model_version": "1",
        "evaluated_at": FIRST,
        "run_id": "r1",
    }
    if value is None:
        given |= {"status": Status.NO_DATA, "reason": "No data yet: soon"}
    return Evaluation(**{**given, **changes})


EARLY = [
    evaluation(6, "drift", "age", 0.1),
    evaluation(7, "drift", "age", 0.125),
    evaluation(7, "drift", "city", 0.5),
    evaluation(8, "shape", "age", None),
]
CORRECTED = evaluation(7, "drift", "age", 0.3, evaluated_at=LATER, standard_error=0.0625)
NOW = [EARLY[0], CORRECTED, EARLY[2], EARLY[3]]


@pytest.fixture
def judged(project: str, tmp_path: Path) -> str:
    """The project with evaluations, one of which was corrected later."""
    model = load_model("price", project=tmp_path, module=project)
    with open_store(model.storage.database_url) as store:
        store.evaluations.record(EARLY)
        store.evaluations.record([CORRECTED])
    return project


def shown(project: str, *options: str) -> list[tuple[str, str, str, float | None]]:
    result = run(history, "price", "-m", project, "--format", "json", *options)
    assert result.exception is None, result.exception
    rows = json.loads(result.stdout)
    return [(r["partition"][-2:], r["monitor"], r["column"], r["value"]) for r in rows]


ALL = [
    ("06", "drift", "age", 0.1),
    ("07", "drift", "age", 0.3),
    ("07", "drift", "city", 0.5),
    ("08", "shape", "age", None),
]


@pytest.mark.parametrize(
    ("options", "places"),
    [
        ((), [0, 1, 2, 3]),
        (("--monitor", "shape"), [3]),
        (("--column", "city"), [2]),
        (("--since", "2024-05-07"), [1, 2, 3]),
        (("--until", "2024-05-07"), [0, 1, 2]),
        (("--since", "2024-05-07", "--until", "2024-05-07", "--column", "age"), [1]),
        (("--monitor", "none"), []),
    ],
)
def test_filters_choose_rows(judged: str, options: tuple[str, ...], places: list[int]):
    assert shown(judged, *options) == [ALL[place] for place in places]


@pytest.mark.parametrize(
    ("moment", "value"),
    [
        ("2024-05-10", 0.125),
        ("2024-05-10T11:59:59", 0.125),
        ("2024-05-10 12:00:00", 0.3),
        ("2024-05-10T13:30:00+02:00", 0.125),
        ("2024-05-10T14:30:00+02:00", 0.3),
        ("2024-05-11", 0.3),
    ],
)
def test_as_of_shows_what_was_known_then_in_utc_unless_told(judged: str, moment: str, value: float):
    rows = shown(judged, "--as-of", moment, "--column", "age", "--since", "2024-05-07")
    assert rows[0] == ("07", "drift", "age", value)


def test_before_the_first_evaluation_nothing_was_known(judged: str):
    assert shown(judged, "--as-of", "2024-05-01") == []


def test_json_holds_every_field(judged: str):
    rows = json.loads(run(history, "price", "-m", judged, "--format", "json").stdout)
    assert [list(row) for row in rows] == [COLUMNS] * len(NOW)
    assert rows[1]["evaluated_at"] == LATER.isoformat()
    assert (rows[2]["status"], rows[2]["severity"]) == ("TRIGGERED", "ERROR")
    assert rows[1]["standard_error"] == 0.0625
    assert (rows[1]["interval_lower"], rows[1]["interval_upper"]) == pytest.approx((0.1775, 0.4225))
    assert (rows[2]["interval_lower"], rows[2]["interval_upper"]) == (None, None)


def test_csv_holds_every_field_and_no_formula(judged: str):
    printed = run(history, "price", "-m", judged, "--format", "csv").stdout
    rows = list(csv.DictReader(io.StringIO(printed)))
    assert list(rows[0]) == COLUMNS
    assert [row["value"] for row in rows] == ["0.1", "0.3", "0.5", ""]
    assert rows[2]["reason"] == "'=too high"


@pytest.mark.parametrize("to_file", [True, False])
def test_parquet_reads_back_as_the_evaluations(judged: str, tmp_path: Path, to_file: bool):  # noqa: FBT001
    options = ("--output", str(tmp_path / "history.parquet")) if to_file else ()
    result = run(history, "price", "-m", judged, "--format", "parquet", *options)
    content = (tmp_path / "history.parquet").read_bytes() if to_file else result.stdout_bytes
    table = pq.read_table(io.BytesIO(content))
    assert table.schema.field("evaluated_at").type == pa.timestamp("us", tz="UTC")
    assert table.schema.field("value").type == pa.float64()
    rows = table.to_pylist()
    assert [list(row) for row in rows] == [COLUMNS] * len(NOW)
    assert [Evaluation(**{name: row[name] for name in FIELDS}) for row in rows] == NOW
    intervals = [(row["interval_lower"], row["interval_upper"]) for row in rows]
    assert intervals == [(None, None), (0.3 - 0.1225, 0.3 + 0.1225), (None, None), (None, None)]


def test_the_table_is_for_reading(judged: str):
    printed = run(history, "price", "-m", judged, "--since", "2024-05-07", columns=200).stdout
    lines = [line.split() for line in printed.splitlines() if line.startswith(" 2024")]
    assert [line[:3] for line in lines] == [
        ["2024-05-07", "drift", "psi"],
        ["2024-05-07", "drift", "psi"],
        ["2024-05-08", "shape", "psi"],
    ]
    assert "0.3 ± 0.12" in printed
    assert "2024-05-06" not in printed
    nothing = run(history, "price", "-m", judged, "--monitor", "none").stdout
    assert "no evaluations match" in nothing


def test_the_table_names_baselines_and_settings_where_there_are_several(
    judged: str, tmp_path: Path
):
    words = ("baseline_version", "declaration_version", "declared")
    before = run(history, "price", "-m", judged, columns=250).stdout
    assert not any(word in before for word in words)
    model = load_model("price", project=tmp_path, module=judged)
    later = {"baseline_version": "b-2", "declaration_version": "ab12", "declared": "now"}
    with open_store(model.storage.database_url) as store:
        store.evaluations.record(
            [
                evaluation(9, "drift", "age", 0.2, declaration_version="cd34", declared="then"),
                evaluation(9, "drift", "city", 0.2, **later),
            ]
        )
    printed = run(history, "price", "-m", judged, "--since", "2024-05-09", columns=250).stdout
    assert all(word in printed for word in (*words, "b-2", "ab12", "cd34", "now", "then"))


@pytest.mark.parametrize("option", ["--since", "--until", "--as-of"])
@pytest.mark.parametrize("value", ["garbage", "2024-13-01"])
def test_what_is_no_day_is_refused_with_the_option_and_the_form(option: str, value: str):
    result = run(history, "price", option, value)
    assert result.exit_code == 2
    assert f"'{option}'" in result.stderr
    assert "YYYY-MM-DD" in result.stderr


def test_a_table_ends_with_the_last_rows_and_says_that_there_are_more(
    judged: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("dagster_monitoring.cli.history._TABLE_ROWS", 3)
    table = run(history, "price", "-m", judged)
    assert "the last 3 rows" in table.stderr
    assert ("2024-05-06" in table.stdout, "2024-05-07" in table.stdout) == (False, True)
    whole = run(history, "price", "-m", judged, "--last", "4")
    assert ("2024-05-06" in whole.stdout, whole.stderr) == (True, "")


def test_other_formats_have_all_rows_unless_some_are_asked_for(judged: str, tmp_path: Path):
    counts = []
    for options in ([], ["--last", "2"], ["--last", "9"]):
        output = ["--format", "json", "--output", str(tmp_path / "rows.json")]
        run(history, "price", "-m", judged, *output, *options)
        found = json.loads((tmp_path / "rows.json").read_text())
        counts.append([row["partition"] for row in found])
    days = [e.partition for e in NOW]
    assert counts == [days, days[-2:], days]
