"""Performance as of any labels equals what pandas makes of the feed, and nothing is written."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from dagster_monitoring.cli.history import command as history
from dagster_monitoring.errors import BaselineError
from dagster_monitoring.evaluation import Evaluation, Status
from dagster_monitoring.model import MonitoredModel
from dagster_monitoring.orchestration.as_of import evaluate_as_of
from dagster_monitoring.orchestration.backend import open_backend
from dagster_monitoring.orchestration.baselines import build_from_table, put_in_force
from dagster_monitoring.orchestration.declarations import Declarations
from dagster_monitoring.orchestration.judging import ON_LABELS, Judging
from dagster_monitoring.orchestration.label_intake import take_in_labels
from dagster_monitoring.orchestration.slices import register_slice
from tests.cli.running import run
from tests.orchestration.schedules import baseline_rows, declared
from tests.orchestration.world import MOMENT, write

ZONE = "America/New_York"
# Clocks go back on the 3rd, which has 25 hours.
FIRST, DAYS, ROWS = pd.Timestamp("2024-11-01"), 5, 60
KEYS = [str((FIRST + pd.Timedelta(days=n)).date()) for n in range(DAYS)]
LONG_AFTER = datetime(2025, 3, 1, tzinfo=UTC)
MONITORS = [
    {"type": "performance", "window": 1, "metrics": ["accuracy"], "minimum_labelled": 1,
     "minimum_coverage": 0},
    {"type": "label_coverage"},
    {"type": "label_freshness"},
]  # fmt: skip


def served(root: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Predictions of some days and their feed: late, repeated, out of order and corrected."""
    source, slices, feed = np.random.default_rng(11), [], []
    for key in KEYS:
        start = pd.Timestamp(key, tz=ZONE)
        at = start.tz_convert("UTC") + pd.to_timedelta(source.uniform(0, 24, ROWS), unit="h")
        rows = pd.DataFrame({"id": [f"{key}-{i}" for i in range(ROWS)], "at": at.floor("us")})
        rows["temp"] = source.normal(size=ROWS)
        rows["city"] = "Oslo"
        rows["late_proba"] = 1 / (1 + np.exp(-rows["temp"]))
        rows["late_pred"] = (rows["late_proba"] > 0.5).astype(int)
        write(pa.Table.from_pandas(rows, preserve_index=False), root / "late" / f"{key}.parquet")
        slices.append(rows.assign(day=key))
        for revision in (1, 2):
            some = rows.sample(frac=0.9 if revision == 1 else 0.3, random_state=revision)
            feed.append(
                pd.DataFrame(
                    {
                        "id": some["id"],
                        "late": source.integers(0, 2, len(some)),
                        "available_at": some["at"]
                        + pd.to_timedelta(source.exponential(40 * revision, len(some)), unit="h"),
                        "revision": revision,
                    }
                )
            )
    labels = pd.concat([*feed, feed[0].head(20)]).sample(frac=1, random_state=3)
    labels["available_at"] = labels["available_at"].dt.floor("us")
    # At a day's very end a label is known, a microsecond later it is not.
    ends = (pd.Timestamp(KEYS[2], tz=ZONE) + pd.DateOffset(days=2)).tz_convert("UTC")
    first, second = np.flatnonzero(labels["revision"] == 2)[:2]
    labels.iloc[first, 2], labels.iloc[second, 2] = ends, ends + pd.Timedelta(microseconds=1)
    table = pa.Table.from_pandas(labels, preserve_index=False)
    moment = table["available_at"].cast(MOMENT)
    write(table.set_column(2, "available_at", moment), root / "labels" / "all.parquet")
    return pd.concat(slices), labels


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory):
    root = tmp_path_factory.mktemp("as_of")
    slices, labels = served(root)
    model = declared(
        root,
        "late",
        storage="monitoring",
        partitions={"start": KEYS[0], "timezone": ZONE},
        monitors=MONITORS,
        segments=[],
    )
    with open_backend(model) as backend:
        put_in_force(
            backend,
            build_from_table(backend, baseline_rows(0), model_version="1"),
            clock=lambda: LONG_AFTER,
        )
        for key in KEYS:
            register_slice(backend, key)
        take_in_labels(backend, now=LONG_AFTER)
    return model, slices, labels


def expected(slices: pd.DataFrame, labels: pd.DataFrame, day: str, moment: pd.Timestamp):
    """Rows, labelled rows and accuracy by the rule: available by then, the highest revision."""
    known = labels[labels["available_at"] <= moment].sort_values(["revision", "available_at"])
    last = known.drop_duplicates("id", keep="last")
    rows = slices[slices["day"] == day]
    joined = rows.merge(last, on="id")
    correct = (joined["late"] == joined["late_pred"]).mean() if len(joined) else None
    return len(rows), len(joined), correct


def of(found: list[Evaluation], monitor: str = "performance") -> dict[str, Evaluation]:
    return {e.partition: e for e in found if e.monitor == monitor}


@pytest.mark.parametrize("after", [0, 1, 3, 7, 30])
def test_days_after_each_day_counts_are_those_of_pandas(made, after: int):
    model, slices, labels = made
    found = of(evaluate_as_of(model, timedelta(days=after)))
    assert [*found] == KEYS
    for day, evaluation in found.items():
        # Calendar days: the 3rd of November ends 25 hours after it began.
        moment = (pd.Timestamp(day, tz=ZONE) + pd.DateOffset(days=1 + after)).tz_convert("UTC")
        n, n_labelled, accuracy = expected(slices, labels, day, moment)
        assert (evaluation.n, evaluation.n_labelled) == (n, n_labelled)
        assert evaluation.coverage == n_labelled / n
        assert evaluation.value == pytest.approx(accuracy)
        assert evaluation.evaluated_at == moment


def test_at_one_moment_days_that_had_not_ended_are_left_out(made):
    model, slices, labels = made
    moment = pd.Timestamp("2024-11-03 12:00", tz="UTC")
    found = of(evaluate_as_of(model, moment.to_pydatetime()))
    assert [*found] == KEYS[:2]
    for day, evaluation in found.items():
        counts = expected(slices, labels, day, moment)[:2]
        assert (evaluation.n, evaluation.n_labelled) == counts
    late = of(
        evaluate_as_of(model, LONG_AFTER, since=KEYS[1], until=KEYS[3], monitor="performance")
    )
    assert [*late] == KEYS[1:4]


def test_delays_are_within_the_bins_of_those_of_pandas(made):
    model, slices, labels = made
    found = of(evaluate_as_of(model, LONG_AFTER))
    last = labels.sort_values(["revision", "available_at"]).drop_duplicates("id", keep="last")
    for day, evaluation in found.items():
        joined = slices[slices["day"] == day].merge(last, on="id")
        hours = (joined["available_at"] - joined["at"]) / pd.Timedelta(hours=1)
        for share, given in (
            (0.5, evaluation.label_delay_p50_hours),
            (0.9, evaluation.label_delay_p90_hours),
        ):
            exact = np.quantile(hours, share, method="inverted_cdf")
            assert exact <= given <= exact * 1.0222


def files_of(model: MonitoredModel) -> dict[str, bytes]:
    return {str(p): p.read_bytes() for p in Path(model.storage.path).rglob("*") if p.is_file()}


def test_nothing_is_written(made):
    model, *_ = made
    before = files_of(model)
    evaluate_as_of(model, LONG_AFTER)
    assert files_of(model) == before


def test_it_says_what_a_run_at_that_moment_said(made):
    """Judged live at a moment and asked for later: the same evaluations."""
    model, *_ = made
    moment = datetime(2024, 11, 5, 13, tzinfo=UTC)
    asked = evaluate_as_of(model, moment)
    with open_backend(model) as backend:
        declarations = Declarations(backend=backend, now=moment)
        judging = Judging(backend, ON_LABELS, declarations, run_id=None, now=moment)
        said = [e for key in KEYS[:4] for some in judging.judge(key).values() for e in some]
    assert asked == said
    assert {e.status for e in said} == {*Status} - {Status.TRIGGERED}


def test_the_command_shows_it_in_place_of_what_is_stored(made, monkeypatch: pytest.MonkeyPatch):
    model, slices, labels = made
    monkeypatch.setattr("dagster_monitoring.cli.history.load_model", lambda *_, **__: model)

    def rows(*options: str) -> list[dict[str, object]]:
        result = run(history, "late", "--format", "json", *options)
        assert result.exception is None, result.output
        return json.loads(result.stdout)

    found = rows("--labels-after-days", "1", "--monitor", "performance", "--since", KEYS[1])
    assert [row["partition"] for row in found] == KEYS[1:]
    moment = (pd.Timestamp(KEYS[1], tz=ZONE) + pd.DateOffset(days=2)).tz_convert("UTC")
    assert found[0]["n_labelled"] == expected(slices, labels, KEYS[1], moment)[1]
    assert found[0]["label_delay_p90_hours"] is not None
    at = rows("--labels-as-of", "2024-11-03T12:00:00", "--monitor", "performance")
    assert [row["partition"] for row in at] == KEYS[:2]
    assert rows("--labels-as-of", "2024-11-03", "--column", "temp") == []
    both = run(history, "late", "--as-of", "2024-11-03", "--labels-after-days", "1")
    assert "give one of --as-of" in both.stderr


def test_without_a_baseline_it_says_what_to_do(tmp_path: Path):
    model = declared(tmp_path, "other", storage="monitoring")
    assert evaluate_as_of(model, LONG_AFTER) == []
    with open_backend(model) as backend:
        backend.store.labels.register_predictions("other", "2024-05-02", ["a"])
    with pytest.raises(BaselineError, match="no baseline was built yet"):
        evaluate_as_of(model, LONG_AFTER)
