"""The world lays out a project, serves its model by day and lets labels arrive in time order."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

import dagster_monitoring.demo.world as demo
from dagster_monitoring.demo.world import World, lay_out
from dagster_monitoring.errors import DataError, DeclarationError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return lay_out(tmp_path / "flights")


@pytest.fixture(scope="module")
def champion(tmp_path_factory: pytest.TempPathFactory) -> demo.Estimator:
    return World(lay_out(tmp_path_factory.mktemp("champion"))).train_first_champion()


class Windy:
    """Says late where the wind is strong: a model whose answers can be told by hand."""

    classes_ = np.array([0, 1])

    def predict(self, features: pd.DataFrame) -> np.ndarray:
        return self.predict_proba(features)[:, 1] > 0.35

    def predict_proba(self, features: pd.DataFrame) -> np.ndarray:
        late = np.where(features["wind_speed"] > 20, 0.35, 0.3499994)
        return np.column_stack([1 - late, late])


def test_a_project_is_laid_out_with_its_baseline_only(folder: Path):
    files = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}
    assert files == {
        ".dagster-monitoring-demo",
        ".gitignore",
        "README.md",
        "pyproject.toml",
        "data/LICENSE-DATA.md",
        "data/baseline.parquet",
        "src/flight_delays/__init__.py",
        "src/flight_delays/definitions.py",
        "src/flight_delays/train.py",
        "src/flight_delays/defs/__init__.py",
        "src/flight_delays/defs/flight_delay/defs.yaml",
    }


def test_a_folder_with_other_things_is_left_alone(tmp_path: Path):
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(DeclarationError, match="not empty"):
        lay_out(tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_file_is_no_folder(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DeclarationError, match="is a file"):
        lay_out(tmp_path / "file")


def test_laying_out_again_starts_afresh(folder: Path):
    World(folder).serve("2013-04-01", Windy(), "v1")
    (folder / "src" / "flight_delays" / "train.py").write_text("")
    lay_out(folder)
    assert not (folder / "data" / "predictions").exists()
    assert "def fit" in (folder / "src" / "flight_delays" / "train.py").read_text()


def test_emptying_does_not_follow_links(folder: Path, tmp_path: Path):
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "file").write_text("")
    (folder / "link").symlink_to(tmp_path / "kept")
    lay_out(folder)
    assert (tmp_path / "kept" / "file").exists()


def test_a_slice_holds_the_local_day_and_the_predictions(folder: Path):
    path = World(folder).serve("2013-11-03", Windy(), "v7")
    assert path == folder / "data" / "predictions" / "day=2013-11-03" / "part-0.parquet"
    rows = pq.ParquetFile(path).read()
    assert rows.column_names[:2] == ["prediction_id", "timestamp"]
    assert rows.column_names[-3:] == ["delay15_proba", "delay15_pred", "model_version"]
    low, high = pc.min_max(rows["timestamp"]).as_py().values()
    assert datetime(2013, 11, 3, 4, tzinfo=UTC) <= low
    # 03:59 UTC on the 4th is still the 3rd in New York, an hour more than on other days in summer
    assert datetime(2013, 11, 4, 3, tzinfo=UTC) <= high < datetime(2013, 11, 4, 5, tzinfo=UTC)
    assert set(rows["model_version"].to_pylist()) == {"v7"}


def test_scores_at_the_cut_off_count_as_late(folder: Path):
    rows = pq.ParquetFile(World(folder).serve("2013-04-01", Windy(), "v1")).read().to_pandas()
    assert 0 < rows["delay15_pred"].sum() < len(rows)
    assert (rows["delay15_pred"] == (rows["wind_speed"] > 20)).all()


def test_serving_again_replaces_the_slice(folder: Path):
    world = World(folder)
    world.serve("2013-04-01", Windy(), "v1")
    path = world.serve("2013-04-01", Windy(), "v2")
    assert [p.name for p in path.parent.iterdir()] == ["part-0.parquet"]
    assert set(pq.ParquetFile(path).read()["model_version"].to_pylist()) == {"v2"}


@pytest.mark.parametrize("day", ["2013-12-01", "2014-04-01"])
def test_a_day_beyond_the_data_is_said(folder: Path, day: str):
    with pytest.raises(DataError, match=f"no flights of {day}"):
        World(folder).serve(day, Windy(), "v1")


def test_labels_up_to_now_arrive_once_in_one_file_a_day(folder: Path):
    world = World(folder)
    paths = world.deliver_labels(datetime(2013, 4, 4, 12, tzinfo=UTC))
    assert [p.stem for p in paths] == ["20130402T100000Z", "20130403T100000Z", "20130404T100000Z"]
    assert world.deliver_labels(datetime(2013, 4, 4, 23, tzinfo=UTC)) == []
    (next_day,) = World(folder).deliver_labels(datetime(2013, 4, 5, 10, tzinfo=UTC))
    assert next_day.stem == "20130405T100000Z"


def test_a_label_does_not_arrive_before_its_time(folder: Path):
    assert World(folder).deliver_labels(datetime(2013, 4, 2, 9, 59, tzinfo=UTC)) == []
    assert not list(folder.glob("data/labels/*"))


def test_deliveries_in_steps_add_up_to_the_whole_feed(folder: Path):
    world = World(folder)
    for until in (datetime(2013, 5, 1, 3, tzinfo=UTC), datetime(2014, 1, 1, tzinfo=UTC)):
        world.deliver_labels(until)
    files = sorted(folder.glob("data/labels/*.parquet"))
    feed = pq.read_table(Path(demo.__file__).parent / "data" / "labels.parquet")
    assert pa.concat_tables(pq.read_table(f) for f in files).equals(feed)


def test_now_without_a_time_zone_is_refused(folder: Path):
    with pytest.raises(DataError, match="no time zone"):
        World(folder).deliver_labels(datetime(2013, 4, 4))  # noqa: DTZ001 - the fault to refuse


def test_an_unfinished_file_is_not_left_behind(folder: Path):
    in_the_way = folder / "data" / "predictions" / "day=2013-04-01" / "part-0.parquet"
    in_the_way.mkdir(parents=True)
    with pytest.raises(OSError, match="part-0"):
        World(folder).serve("2013-04-01", Windy(), "v1")
    assert list(in_the_way.parent.iterdir()) == [in_the_way]


def test_the_champion_tells_late_flights_in_production(folder: Path, champion: demo.Estimator):
    world = World(folder)
    world.deliver_labels(datetime(2013, 6, 20, tzinfo=UTC))
    served = pq.ParquetFile(world.serve("2013-06-11", champion, "v1")).read().to_pandas()
    labels = pd.concat(pd.read_parquet(p) for p in folder.glob("data/labels/*.parquet"))
    late = labels.sort_values("revision").groupby("prediction_id")["delayed15"].last()
    joined = served.join(late, on="prediction_id", how="inner")
    means = joined.groupby("delayed15")["delay15_proba"].mean()
    assert means[1] > means[0] + 0.02


def test_the_champion_scores_what_training_never_held(folder: Path, champion: demo.Estimator):
    baseline = pd.read_parquet(folder / "data" / "baseline.parquet")
    strange = baseline.iloc[:3].drop(columns=["delay15_proba", "delay15_pred", "delayed15"])
    strange = strange.assign(
        carrier=["??", None, "UA"], temp=[np.nan, np.inf, 50.0], seats=np.nan, pressure=np.nan
    )
    score = champion.predict_proba(strange)[:, 1]
    assert ((score > 0) & (score < 1)).all()


def test_the_trainer_takes_dictionary_columns(folder: Path):
    baseline = pd.read_parquet(folder / "data" / "baseline.parquet").head(2_000)
    plain = baseline.drop(columns=["prediction_id", "timestamp", "model_version", "delayed15"])
    coded = plain.astype(dict.fromkeys(["carrier", "origin", "dest", "day_of_week"], "category"))
    fit = demo.project_fit(folder)
    expected = fit(plain, baseline["delayed15"]).predict_proba(plain)
    assert fit(coded, baseline["delayed15"]).predict_proba(coded) == pytest.approx(expected)


def test_a_project_without_its_trainer_is_said(tmp_path: Path):
    with pytest.raises(DataError, match=r"train\.py is missing"):
        demo.project_fit(tmp_path)


def test_a_folder_that_holds_only_dagsters_home_is_free(tmp_path: Path):
    folder = tmp_path / "flights"
    (folder / ".dagster" / "history").mkdir(parents=True)
    assert (demo.lay_out(folder) / "pyproject.toml").is_file()
