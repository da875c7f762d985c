from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from dagster_monitoring.errors import StoreError
from dagster_monitoring.stores import Retraining, RetrainingOutcome, Store

NOW = datetime(2024, 5, 2, 6, tzinfo=UTC)
ASKED = Retraining(id="r-1", model="m", incident_id="i-1", partition="2024-05-01", requested_at=NOW)


def test_a_request_is_kept_once(store: Store):
    assert store.retrainings.request(ASKED)
    assert not store.retrainings.request(replace(ASKED, partition="2024-06-01"))
    assert store.retrainings.get("r-1") == ASKED
    assert store.retrainings.list("m") == [ASKED]
    assert store.retrainings.last("other") is None


def test_its_outcome_is_kept(store: Store):
    store.retrainings.request(ASKED)
    store.retrainings.finish(
        "r-1",
        outcome=RetrainingOutcome.PROMOTED,
        reason="better on 14 days",
        now=NOW + timedelta(hours=1),
        challenger_version="v2",
    )
    assert store.retrainings.last("m") == replace(
        ASKED,
        outcome=RetrainingOutcome.PROMOTED,
        reason="better on 14 days",
        finished_at=NOW + timedelta(hours=1),
        challenger_version="v2",
    )


def test_finishing_what_nobody_asked_for_is_an_error(store: Store):
    with pytest.raises(StoreError, match="'r-9'"):
        store.retrainings.finish("r-9", outcome=RetrainingOutcome.FAILED, reason="x", now=NOW)


def test_the_last_is_the_one_asked_for_last(store: Store):
    store.retrainings.request(replace(ASKED, id="r-2", requested_at=NOW + timedelta(days=1)))
    store.retrainings.request(ASKED)
    found = store.retrainings.last("m")
    assert found is not None
    assert found.id == "r-2"
