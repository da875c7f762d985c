"""A secret that a declaration writes out is refused when it is read, and not repeated."""

from __future__ import annotations

import pytest

from dagster_monitoring.errors import DeclarationError
from dagster_monitoring.model import MonitoredModel
from tests.orchestration.world import fields_of


@pytest.mark.parametrize(
    "changes",
    [
        {"storage": {"path": "m", "database": "postgresql://me:hunter2@h/x"}},
        {"storage": {"path": "m", "database": "postgresql://h/x?password=hunter2"}},
        {"storage": {"path": "sftp://me:hunter2@h/x"}},
        {"predictions": {"type": "sql", "url": "duckdb:///a?token=hunter2", "table": "t"}},
        {"predictions": {"type": "parquet", "path": "sftp://me:hunter2@h/{partition}"}},
        {"predictions": {"type": "asset", "key": ["a"], "path": "ftp://me:hunter2@h/{partition}"}},
        {"predictions": {"type": "parquet", "path": "x", "storage_options": {"secret": "hunter2"}}},
        {"baseline": {"type": "parquet", "path": "x", "storage_options": {"password": "hunter2"}}},
        {"ground_truth": {"type": "sql", "url": "postgresql://me:hunter2@h/x", "table": "t"}},
        {"ground_truth": {"type": "parquet", "path": "x", "storage_options": {"token": "hunter2"}}},
        {"alerts": [{"type": "webhook", "url": "https://me:hunter2@h/x"}]},
        {"alerts": [{"type": "slack", "channel": "#ml", "token": "xoxb-hunter2"}]},
        {"engine": {"type": "spark", "remote": "sc://h:15002/;token=hunter2"}},
    ],
)
def test_a_secret_that_is_written_out_is_refused_and_not_repeated(changes):
    with pytest.raises(DeclarationError) as refused:
        MonitoredModel.read(fields_of("late", **changes))
    assert "hunter2" not in str(refused.value)
    assert refused.value.__cause__ is None


def test_what_is_no_secret_is_taken():
    for options in ({"token": "anon"}, {"token": "/etc/key.json"}, {"endpoint_url": "http://a:1"}):
        source = {"type": "parquet", "path": "hdfs://nn:8020/a@b", "storage_options": options}
        assert MonitoredModel.read(fields_of("late", predictions=source))
