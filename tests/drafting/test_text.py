"""What is written is YAML that Dagster's component takes, whatever the data hold."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from dagster_monitoring.drafting.draft import Draft, draft
from dagster_monitoring.drafting.facts import gather_facts
from dagster_monitoring.drafting.places import (
    Feed,
    default_output,
    find_labels,
    find_slices,
    model_name,
    project_root,
    relative_path,
)
from dagster_monitoring.drafting.text import Paths, declaration_text
from dagster_monitoring.model import MonitoredModel


def written(found: Draft, *, labels: Feed | None = None) -> str:
    paths = Paths(
        baseline="data/baseline.parquet",
        slices=Feed(path="data/day={partition}/*.parquet", columns=None),
        labels=labels or Feed(path="data/labels/*.parquet", columns=("available_at",)),
    )
    return declaration_text(found, model="flights", paths=paths)


def read_back(text: str) -> MonitoredModel:
    return MonitoredModel.read(yaml.safe_load(text)["attributes"])


def test_every_role_is_read_back_as_it_was_told(flights, car_price, species):
    for table in (flights, car_price, species):
        found = draft(gather_facts(table.to_batches()))
        model = read_back(written(found))
        assert (model.task, model.columns) == (found.task, found.columns)
        assert model.partitions == found.partitions
        assert model.ground_truth is not None
        assert model.ground_truth.available_at == "available_at"


def test_what_was_left_out_and_what_needs_a_look_are_comments(flights):
    text = written(draft(gather_facts(flights.to_batches())))
    comments = " ".join(line.strip(" #") for line in text.splitlines() if "#" in line)
    assert "country: constant in the baseline" in comments
    assert "--prediction arr_delay_pred --label arr_delay" in comments
    assert all(len(line) <= 110 for line in text.splitlines())


def test_without_labels_the_feed_is_a_comment(car_price):
    found = draft(gather_facts(car_price.to_batches()))
    text = written(found, labels=Feed(path="data/labels/*.parquet", columns=None))
    assert read_back(text).ground_truth is None
    assert "# ground_truth:" in text


def test_hostile_names_and_classes_stay_values(car_loan):
    hostile = ["a\nretraining: {}", "b: c # d", "[x, y]", "yes", "1e3", "ключ", "{{ env.HOME }}!"]
    table = car_loan
    for place, name in enumerate(hostile):
        table = table.append_column(name, pa.array([float(i % 7) for i in range(len(table))]))
        table = table.append_column(f"{name}\x1b[2J{place}", pa.array(["one"] * len(table)))
    spelled = pa.array(["no\n" if v else "on" for v in car_loan["repaid"].to_pylist()])
    predicted = pa.array(["no\n" if v else "on" for v in car_loan["y_pred"].to_pylist()])
    for name, values in (("repaid", spelled), ("y_pred", predicted)):
        table = table.set_column(table.column_names.index(name), name, values)
    found = draft(gather_facts(table.to_batches()))
    text = written(found)
    model = read_back(text)
    assert set(hostile) <= set(model.columns.numeric)
    assert model.task.positive == "no\n"
    assert "\x1b" not in text


def test_slices_and_labels_are_found_beside_the_baseline(tmp_path: Path, car_price: pa.Table):
    folder = tmp_path / "data"
    day = folder / "predictions" / "day=2013-02-01"
    day.mkdir(parents=True)
    pq.write_table(car_price, folder / "baseline.parquet")
    baseline = str(folder / "baseline.parquet")
    missing = find_labels(baseline, root=tmp_path)
    assert missing == Feed(path="data/labels/*.parquet", columns=None)
    pq.write_table(car_price, day / "part-0.parquet")
    pq.write_table(pa.table({"revision": [1]}), folder / "ground_truth.parquet")
    assert find_slices(baseline, root=tmp_path).path == "data/predictions/day={partition}/*.parquet"
    labels = Feed(path="data/ground_truth.parquet", columns=("revision",))
    assert find_labels(baseline, root=tmp_path) == labels


def test_the_declaration_goes_where_dagster_finds_it(tmp_path: Path):
    assert default_output(tmp_path, "late") == Path("defs.yaml")
    (tmp_path / "pyproject.toml").write_text('[tool.dg.project]\nroot_module = "shop"\n')
    assert default_output(tmp_path, "late") == tmp_path / "shop" / "defs" / "late" / "defs.yaml"
    (tmp_path / "src" / "shop").mkdir(parents=True)
    expected = tmp_path / "src" / "shop" / "defs" / "late" / "defs.yaml"
    assert default_output(tmp_path, "late") == expected
    assert project_root(tmp_path / "src" / "shop") == tmp_path


def test_a_model_is_named_after_its_folder_or_its_label():
    assert model_name("s3://bucket/Car Loan/baseline.parquet", "repaid") == "car_loan"
    assert model_name("data/baseline.parquet", "repaid") == "repaid"
    assert model_name("data/*.parquet", "15 late") == "model_15_late"
    assert model_name("baseline.parquet", "déjà") == "d_j"


def test_a_path_outside_the_project_stays_absolute(tmp_path: Path):
    assert relative_path("/elsewhere/a.parquet", root=tmp_path) == "/elsewhere/a.parquet"
    assert relative_path(str(tmp_path / "a" / "b.parquet"), root=tmp_path) == "a/b.parquet"
