"""The label service under hostile requests: refused with a JSON sentence, never a trace."""

from __future__ import annotations

import io
import json
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pyarrow as pa
import pytest
import requests
import uvicorn

from dagster_monitoring.orchestration import label_service
from dagster_monitoring.orchestration.label_service import ARROW, build_label_service
from tests.orchestration.world import new_world

TOKEN = "s3cret-tökén"  # noqa: S105 - of a service that lives for a test
AUTH = {"Authorization": f"Bearer {TOKEN}".encode()}
JSON = {**AUTH, "Content-Type": "application/json"}
PATH = "/models/late/labels"


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    folder = tmp_path_factory.mktemp("service")
    truth = {"type": "push", "expected_delay_days": 1}
    with new_world(folder, ground_truth=truth, monitors=[{"type": "label_coverage"}]) as made:
        yield made


@dataclass
class Client:
    """Sends requests to a service that runs on loopback."""

    url: str

    def request(self, method: str, path: str, *, headers=None, content=None) -> requests.Response:
        return requests.request(method, self.url + path, headers=headers, data=content, timeout=60)

    def post(self, path: str, *, headers=None, content=None) -> requests.Response:
        return self.request("POST", path, headers=headers, content=content)


@contextmanager
def serving(world, model) -> Iterator[Client]:
    service = build_label_service({"late": model}, token=TOKEN, clock=world.clock)
    server = uvicorn.Server(uvicorn.Config(service, port=0, log_config=None))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive()
        port = server.servers[0].sockets[0].getsockname()[1]
        yield Client(f"http://127.0.0.1:{port}")
    finally:
        server.should_exit = True
        thread.join()


@pytest.fixture(scope="module")
def client(world) -> Iterator[Client]:
    with serving(world, world.model) as opened:
        yield opened


def refused(answer, status: int) -> str:
    """The sentence of a refusal, after all that every refusal has in common."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"
    assert TOKEN not in answer.text
    assert "Traceback" not in answer.text
    (error,) = answer.json().values()
    assert len(error) <= 2_000
    return str(error)


def arrow(table: pa.Table, compression: str | None = None) -> bytes:
    out = io.BytesIO()
    options = pa.ipc.IpcWriteOptions(compression=compression)
    with pa.ipc.new_stream(out, table.schema, options=options) as writer:
        writer.write_table(table)
    return out.getvalue()


def test_a_token_beyond_ascii_lets_in(client):
    answer = client.post(PATH, headers=JSON, content=b'{"labels": []}')
    assert (answer.status_code, answer.json()["new"]) == (200, 0)
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    "header",
    [
        None,
        b"",
        b"Bearer",
        b"Bearer ",
        b"Basic " + TOKEN.encode(),
        TOKEN.encode(),
        b"Bearer " + TOKEN.encode()[:-1],
        b"Bearer " + TOKEN.encode() + b"x",
        b"Bearer \xff\xfe",
        b"Bearer " + b"x" * 10_000,
        b"Bearer " + TOKEN.encode() + b" " + TOKEN.encode(),
    ],
)
@pytest.mark.parametrize("path", [PATH, "/models/nothing/labels"])
def test_without_the_token_nothing_is_told_or_read(client, header, path):
    """Not even which models there are, nor what is wrong with the body."""
    headers = {} if header is None else {"Authorization": header}
    answer = client.post(path, headers=headers, content=b'{"labels": 5}')
    assert "Authorization: Bearer" in refused(answer, 401)
    assert answer.headers["www-authenticate"] == "Bearer"


def test_tokens_are_compared_in_constant_time(client, monkeypatch):
    compared = []
    real = label_service.hmac.compare_digest
    monkeypatch.setattr(
        label_service.hmac, "compare_digest", lambda a, b: compared.append((a, b)) or real(a, b)
    )
    client.post(PATH, headers={"Authorization": b"Basic wrong"})
    client.post(PATH, headers={"Authorization": b"Bearer wrong"})
    assert compared == [(b"wrong", TOKEN.encode())] * 2


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/", 404), ("GET", "/models/../../etc/passwd", 404), ("GET", PATH, 405),
     ("DELETE", PATH, 405), ("POST", "/health", 405), ("POST", "/models/a/b/labels", 404)],
)  # fmt: skip
def test_other_places_are_answered_in_json(client, method, path, status):
    refused(client.request(method, path), status)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff\xfe\x00",
        b"[" * 100_000,
        b'{"labels": ' + b'{"a":' * 50_000,
        b'{"labels": {"a": 1}}',
        b'{"labels": "abc"}',
        b'{"labels": [[1]]}',
        b'{"labels": 5}',
        b'{"labels": [{"\\ud800": 1}]}',
        b'{"labels": [{"prediction_id": "\\ud800", "label": 1}]}',
        b'{"labels": [{"prediction_id": "a", "label": "\\udfff"}]}',
        b'{"labels": [{"prediction_id": "a", "label": 1' + b"0" * 400 + b"}]}",
        b'{"labels": [{"prediction_id": "a", "label": 1' + b"0" * 5_000 + b"}]}",
        b'{"labels": [{"prediction_id": "a", "label": {"a": 1}}]}',
        b'{"labels": [{"prediction_id": "a", "label": [1]}]}',
        b'{"labels": [{"prediction_id": "a", "label": 1, "revision": 99999999999999999999}]}',
        b'{"labels": [{"prediction_id": "a", "label": 1, "available_at": "99999-01-01"}]}',
        b'{"labels": [{"prediction_id": "a", "label": 1, "<script>": "x"}]}',
        b'{"labels": [{"prediction_id": "a", "label": 1, "' + b"x" * 100_000 + b'": "x"}]}',
    ],
)
def test_a_body_that_is_no_labels_is_a_bad_request(client, body):
    assert refused(client.post(PATH, headers=JSON, content=body), 400)


def test_rows_with_names_of_their_own_do_not_cost_a_column_each(client):
    """20,000 columns of 20,000 rows would be 400 million cells."""
    rows = [{"prediction_id": "a", f"name{i}": 1} for i in range(20_000)]
    body = json.dumps({"labels": rows}).encode()
    assert "unknown column" in refused(client.post(PATH, headers=JSON, content=body), 400)


def test_an_arrow_stream_that_lies_about_its_lengths_is_refused(client):
    """Its offsets point beyond its data: reading it as it is would read the service's memory."""
    good = arrow(pa.table({"prediction_id": ["abcd", "efgh"], "label": [1, 0]}))
    offsets = struct.pack("<3i", 0, 4, 8)
    assert good.count(offsets) == 1
    lying = good.replace(offsets, struct.pack("<3i", 0, 4, 100_000_000))
    headers = {**AUTH, "Content-Type": ARROW}
    assert "no Arrow stream" in refused(client.post(PATH, headers=headers, content=lying), 400)
    for cut in range(0, len(good) - 8, 23):
        client_answer = client.post(PATH, headers=headers, content=good[:cut])
        assert client_answer.status_code == 400, cut


def test_hostile_ids_and_labels_are_kept_as_they_are(client, world):
    ids = [
        "'; DROP TABLE monitoring_labels;--",
        "<script>",
        "a\x00b",
        "\u202egnp",
        "=1+1",
        "x" * 9_000,
    ]
    rows = [{"prediction_id": i, "label": 1, "revision": 1} for i in ids]
    answer = client.post(PATH, headers=JSON, content=json.dumps({"labels": rows}).encode())
    assert answer.json()["new"] == len(ids), answer.text
    with world.store() as store:
        store.labels.register_predictions("late", "2024-05-01", ids)
        found = store.labels.resolved("late", "2024-05-01")["prediction_id"].to_pylist()
    assert sorted(found) == sorted(ids)


def test_what_fails_inside_is_not_told_outside(world, monkeypatch, caplog):
    """The store's address is in the service's log, not in the answer."""
    monkeypatch.setenv("SERVICE_STORE", "postgresql://somebody:hunter2@127.0.0.1:1/internal")
    storage = {"path": "monitoring", "database": {"env": "SERVICE_STORE"}}
    model = world.declare(**{**world.changes, "storage": storage}).model
    with serving(world, model) as opened:
        body = b'{"labels": [{"prediction_id": "a", "label": 1}]}'
        text = refused(opened.post(PATH, headers=JSON, content=body), 503)
        for word in ("somebody", "127.0.0.1", "internal", "postgresql", "hunter2"):
            assert word not in text
        assert "127.0.0.1" in caplog.text
        assert "hunter2" not in caplog.text
        monkeypatch.setattr(label_service, "open_backend", None)
        failed = opened.post(PATH, headers=JSON, content=body)
    assert failed.status_code == 500
    assert "NoneType" not in failed.text
    assert failed.json()["error"].startswith("the service failed")
