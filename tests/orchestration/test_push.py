"""Labels handed over in Python and over HTTP reach the same ledger and the same sensor."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator

import pandas as pd
import pyarrow as pa
import pytest
import requests
import uvicorn

from dagster_monitoring import report_labels
from dagster_monitoring.errors import DeclarationError, SchemaMismatchError
from dagster_monitoring.orchestration import label_service
from dagster_monitoring.orchestration.label_service import ARROW, build_label_service
from tests.orchestration.world import World, day_of, new_world, rows, truth

TOKEN = "s3cret-token"  # noqa: S105 - of a server that lives for a test


@pytest.fixture(scope="module")
def world(tmp_path_factory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("push")
    with new_world(
        folder,
        ground_truth={"type": "push", "expected_delay_days": 1},
        monitors=[{"type": "performance", "metrics": ["accuracy"], "minimum_labelled": 20}],
    ) as made:
        for number in range(3):
            made.serve(number)
        made.setup()
        made.range(0, 2)
        yield made


@pytest.fixture(scope="module")
def url(world: World) -> Iterator[str]:
    service = build_label_service({"late": world.model}, token=TOKEN, clock=world.clock)
    server = uvicorn.Server(uvicorn.Config(service, port=0, log_level="error"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        assert thread.is_alive()
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join()


def post(url: str, *, model: str = "late", token: str = TOKEN, **options) -> requests.Response:
    headers = {"Authorization": f"Bearer {token}", **options.pop("headers", {})}
    return requests.post(f"{url}/models/{model}/labels", headers=headers, timeout=30, **options)


def asked(world: World) -> set[str]:
    tick = world.tick("ground_truth_sensor")
    return {
        r.partition_key or r.tags["dagster/asset_partition_range_start"]
        for r in tick.run_requests or []
    }


def test_pushed_labels_make_the_sensor_ask_for_their_day(world: World):
    table = rows(1)
    labels = dict(zip(table["id"].to_pylist(), truth(table), strict=True))
    done = report_labels(world.model, labels, clock=world.clock)
    assert (done.new, done.unknown) == (len(labels), 0)
    assert day_of(1) in asked(world)
    again = report_labels(world.model, labels, clock=world.clock)
    assert (again.new, again.redelivered) == (0, len(labels))


def test_a_data_frame_and_a_table_are_taken_too(world: World):
    table = rows(0)
    ids, values = table["id"].to_pylist()[:4], truth(table)[:4]
    frame = pd.DataFrame({"prediction_id": ids[:2], "label": values[:2]})
    arrow = pa.table({"prediction_id": ids[2:], "label": values[2:]})
    assert report_labels(world.model, frame, clock=world.clock).new == 2
    assert report_labels(world.model, arrow, clock=world.clock).new == 2
    assert report_labels(world.model, {}, clock=world.clock).new == 0


def test_what_can_not_be_a_label_is_refused_whole(world: World):
    with pytest.raises(SchemaMismatchError, match=r"unknown column .revison.*revision"):
        report_labels(world.model, pa.table({"prediction_id": ["a"], "label": [1], "revison": [1]}))
    with pytest.raises(SchemaMismatchError, match="no column 'label'"):
        report_labels(world.model, pa.table({"prediction_id": ["a"]}))
    with pytest.raises(SchemaMismatchError, match="Give a mapping of ids to labels"):
        report_labels(world.model, {"a": 1, "b": object()})
    without = world.declare(**{**world.changes, "ground_truth": None, "monitors": "default"})
    with pytest.raises(DeclarationError, match="no ground truth is declared"):
        report_labels(without.model, {"a": 1})


def test_http_takes_json_and_arrow_and_counts(world: World, url: str):
    table = rows(2)
    ids, values = table["id"].to_pylist(), [int(value) for value in truth(table)]
    some = [{"prediction_id": i, "label": v} for i, v in zip(ids[:5], values[:5], strict=True)]
    answer = post(url, json={"labels": some})
    assert (answer.status_code, answer.json()["new"]) == (200, 5)
    assert post(url, json={"labels": some}).json()["redelivered"] == 5
    stream = io.BytesIO()
    batch = pa.record_batch({"prediction_id": ids[5:], "label": values[5:]})
    with pa.ipc.new_stream(stream, batch.schema) as writer:
        writer.write_batch(batch)
    answer = post(url, data=stream.getvalue(), headers={"Content-Type": ARROW})
    assert (answer.status_code, answer.json()["new"]) == (200, len(ids) - 5)
    with world.store() as store:
        assert store.labels.coverage("late", day_of(2)).n_labelled == len(ids)


def test_a_correction_with_its_own_moment_wins(world: World, url: str):
    row = {"prediction_id": "corrected", "label": 0, "available_at": "2024-05-02T00:00:00+00:00"}
    later = {**row, "label": 1, "revision": 2, "available_at": "2024-05-03T00:00:00+00:00"}
    assert post(url, json={"labels": [later, row]}).status_code == 200
    with world.store() as store:
        store.labels.register_predictions("late", day_of(9), ["corrected"])
        assert store.labels.resolved("late", day_of(9))["label"].to_pylist() == [1]


@pytest.mark.parametrize(
    ("options", "status", "says"),
    [
        ({"token": "wrong", "json": {"labels": []}}, 401, "Authorization"),
        ({"token": "", "json": {"labels": []}}, 401, "Authorization"),
        ({"model": "lat", "json": {"labels": []}}, 404, "late"),
        ({"data": b"x", "headers": {"Content-Type": "text/csv"}}, 415, "application/json"),
        ({"data": b"{", "headers": {"Content-Type": "application/json"}}, 400, "not JSON"),
        ({"json": [1]}, 400, "not JSON"),
        ({"json": {"labels": [{"prediction_id": "a", "label": [1]}, 7]}}, 400, "not JSON"),
        ({"json": {"labels": [{"prediction_id": "a", "lable": 1}]}}, 400, "lable"),
        ({"json": {"labels": [{"prediction_id": "a", "label": 1, "available_at": "soon"}]}}, 400,
         "can't be read as a time"),
        ({"data": b"not arrow", "headers": {"Content-Type": ARROW}}, 400, "no Arrow stream"),
    ],
)  # fmt: skip
def test_http_says_what_is_wrong(url: str, options, status: int, says: str):
    answer = post(url, **options)
    assert answer.status_code == status, answer.text
    assert says in answer.json()["error"]
    assert TOKEN not in answer.text


def test_a_body_without_end_is_cut_off(url: str, monkeypatch):
    monkeypatch.setattr(label_service, "MAX_BODY_BYTES", 1_000)
    endless = (b"x" * 500 for _ in range(10))
    answer = post(url, data=endless, headers={"Content-Type": "application/json"})
    assert answer.status_code == 413


def test_an_empty_token_lets_nobody_in(world: World):
    with pytest.raises(ValueError, match="empty token"):
        build_label_service({"late": world.model}, token="")
