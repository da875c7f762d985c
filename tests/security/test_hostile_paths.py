"""Names of files, folders and templates that try to be code, SQL, markup or another path."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from dagster_monitoring.cli.replay import with_monitors
from dagster_monitoring.errors import DeclarationError, SliceNotFoundError
from dagster_monitoring.model import MonitoredModel
from dagster_monitoring.sources import Request
from tests.orchestration.world import (
    World,
    day_of,
    fields_of,
    labels,
    morning,
    new_world,
    rows,
    write,
)
from tests.security.test_hostile_values import HOSTILE, OBEYED

MONITORS = [{"type": "label_coverage"}, {"type": "label_freshness"}]
# What a file system takes as a name: no slash, no NUL, at most 255 bytes.
NAMES = {
    name: text.replace("/", "∕").replace("\x00", "")[:80]  # noqa: RUF001 - looks like a slash, is none
    for name, text in HOSTILE.items()
    if name != "surrogate"
}
NAMES["glob"] = "[a-z]*?"
NAMES["dots"] = "..hidden"
NAMES["dash"] = "--help"
NAMES["scheme"] = "s3:++bucket"
NAMES["chain"] = "simplecache::http:"
NAMES["encoded"] = "%2e%2e%2fa#b?c=d"


@pytest.fixture(scope="module", params=["store", "parquet"])
def world(request: pytest.FixtureRequest, tmp_path_factory):
    """A day whose labels come in a file of each name, and a damaged one."""
    folder = tmp_path_factory.mktemp("paths") / "it's {0} %s $(id) [x] 漢"
    folder.mkdir()
    storage = {"path": "monitoring '; --", "labels": request.param}
    alerts = [{"type": "file", "path": "alerts.jsonl"}]
    options = {"monitors": MONITORS, "storage": storage, "alerts": alerts}
    with new_world(folder, **options) as made:
        made.serve(0)
        late = labels(rows(0), morning(0))
        share = -(-late.num_rows // len(NAMES))
        for place, name in enumerate(NAMES.values()):
            part = late.slice(place * share, share)
            write(part, made.folder / "labels" / f"{name}.parquet")
        made.clock.now = morning(1)
        made.setup()
        made.day(0)
        yield made


def test_labels_of_files_of_any_name_are_taken_in(world: World):
    take_in(world)
    with world.backend() as backend:
        found = backend.store.labels.coverage("late", day_of(0))
    assert found.n_labelled == found.n_predictions == rows(0).num_rows
    outside = [p for p in world.folder.parent.iterdir() if p != world.folder]
    assert outside == [], "nothing was written elsewhere"


def test_damaged_files_of_any_name_are_set_aside_and_shown(world: World, tmp_path):
    with world.copy(tmp_path / "w") as mine:
        labels_folder = mine.folder / "labels"
        for name in NAMES.values():
            (labels_folder / f"{name} damaged.parquet").write_bytes(b"no parquet")
        name = os.fsencode(labels_folder) + b"/\xff\xfe damaged.parquet"
        Path(os.fsdecode(name)).write_bytes(b"no parquet")
        for line in take_in(mine):
            assert not OBEYED.search(line)
            assert "\n" not in line
        mine.job("alerts")
        with mine.backend() as backend:
            found = backend.store.deliveries.set_aside(backend.model.label_ledger)
            assert backend.store.labels.coverage("late", day_of(0)).n_labelled == rows(0).num_rows
            (member,) = backend.store.incidents.open_ones("late")[0].members
        uris = {state.uri for state in found}
        assert len(uris) == len(NAMES) + 1
        assert {uri.rpartition("/labels/")[2] for uri in uris} == {
            f"{name} damaged.parquet" for name in (*NAMES.values(), r"\xff\xfe")
        }
        (no_text,) = [state for state in found if "xff" in state.uri]
        assert "its name is no UTF-8" in no_text.fault
        told = (mine.folder / "alerts.jsonl").read_text()
        assert f"and {len(NAMES)} more" in member.detail
        assert "damaged.parquet" in told
        assert not OBEYED.search(told)


def take_in(world: World) -> list[str]:
    """Ticks the sensor and runs what it asks for; what it logged."""
    told: list[str] = []
    for request in world.tick("ground_truth_sensor", log=told).run_requests or []:
        world.run("labels", request)
    return told


TEMPLATES = [
    # path, what is said; nothing: it names no file
    ("slices/{partition.__class__}/x.parquet", "is no field"),
    ("slices/{partition!r}.parquet", "is no field"),
    ("slices/{partition:%n}.parquet", "is no part of a slice's start"),
    ("slices/{partition:%9999999d}.parquet", "is no part of a slice's start"),
    ("slices/{partitions}.parquet", "is no field"),
    ("slices/{0}/{env.HOME}/x.parquet", ""),
    ("slices/$(id)/${HOME}/x.parquet", ""),
    ("slices/{{partition}}.parquet", ""),
]


@pytest.mark.parametrize(("path", "said"), TEMPLATES, ids=[path for path, _ in TEMPLATES])
def test_a_template_knows_one_field_and_looks_nothing_up(tmp_path, path: str, said: str):
    source = {"type": "parquet", "path": path}
    if said:
        with pytest.raises(DeclarationError, match=said):
            MonitoredModel.read(fields_of("late", predictions=source))
        return
    model = MonitoredModel.read(fields_of("late", predictions=source)).rooted(tmp_path)
    request = Request(partition="2024-05-01")
    with pytest.raises(SliceNotFoundError) as refused:
        list(model.predictions.batches(request))
    asked = path.replace("{partition}", "2024-05-01")
    assert asked in str(refused.value)


DOCUMENTS = {
    "an object": b"!!python/object/apply:os.system [id]",
    "a tag": b"monitors: !!python/name:os.system",
    "no UTF-8": b"monitors: \xff\xfe",
    "a NUL": b"monitors: \x00",
    "deep": b"monitors: " + b"[" * 5_000 + b"]" * 5_000,
    "a line": b"just words",
    "a bad date": b"monitors: 2024-13-45",
    "another field": b"monitors: default\nstorage: {path: /}",
}


@pytest.mark.parametrize("content", DOCUMENTS.values(), ids=DOCUMENTS.keys())
def test_a_file_of_monitors_is_data_or_refused(tmp_path, content: bytes):
    model = MonitoredModel.read(fields_of("late"))
    file = tmp_path / "monitors.yaml"
    file.write_bytes(content)
    with pytest.raises(DeclarationError, match=r"monitors\.yaml"):
        with_monitors(model, file)


def test_a_document_that_unfolds_to_gigabytes_is_refused(tmp_path):
    """Ten lines, each ten times the one before, would be a thousand million names."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 10)]
    file = tmp_path / "monitors.yaml"
    file.write_text("\n".join([*lines, "monitors: *a9"]))
    with pytest.raises(DeclarationError, match=r"monitors\.yaml"):
        with_monitors(MonitoredModel.read(fields_of("late")), file)
