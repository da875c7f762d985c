from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from dagster_monitoring.alerts import AlertMessage, ChannelError, compose
from dagster_monitoring.alerts.file import FileChannel
from dagster_monitoring.incidents import Transition
from tests.alerts.conftest import evaluation, incident


def message(column: str = "temp") -> AlertMessage:
    return compose(incident(evaluation(column=column)), Transition.OPENED, run_url=None)


def test_a_line_is_the_message(tmp_path: Path):
    path = tmp_path / "alerts.jsonl"
    FileChannel(path=str(path)).send(message("two\nlines \u2028 🚀"))
    [line] = path.read_text(encoding="ascii").splitlines()
    assert json.loads(line)["rows"][0]["column"] == "two\nlines \u2028 🚀"


def test_writers_at_once_do_not_mix_lines(tmp_path: Path):
    channel = FileChannel(path=str(tmp_path / "alerts.jsonl"))

    def write(index: int) -> None:
        for _ in range(20):
            channel.send(message(f"{index}" * 250))

    threads = [threading.Thread(target=write, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    lines = (tmp_path / "alerts.jsonl").read_text().splitlines()
    columns = [json.loads(line)["rows"][0]["column"] for line in lines]
    assert sorted(columns) == sorted(f"{i}" * 250 for i in range(8) for _ in range(20))


def test_a_line_that_a_crash_left_half_does_not_spoil_the_next(tmp_path: Path):
    path = tmp_path / "alerts.jsonl"
    path.write_text('{"dedup_key": "half')
    FileChannel(path=str(path)).send(message())
    half, whole = path.read_text().splitlines()
    assert half == '{"dedup_key": "half'
    assert json.loads(whole)["model"] == "flight_delay"


def test_a_folder_in_the_way_is_said(tmp_path: Path):
    (tmp_path / "alerts.jsonl").mkdir()
    with pytest.raises(ChannelError, match=r"alerts\.jsonl \(Is a directory\)"):
        FileChannel(path=str(tmp_path / "alerts.jsonl")).send(message())


def test_a_full_disk_is_an_error():
    with pytest.raises(ChannelError, match="No space left on device"):
        FileChannel(path="/dev/full").send(message())
