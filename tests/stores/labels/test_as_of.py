"""What was known at a moment, beside pandas working it out from the whole feed."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from dagster_monitoring.stores import Store
from tests.stores.labels.labelled import DAY

PARTITIONS = 4
IDS = 300


def feed(rng: np.random.Generator) -> pd.DataFrame:
    """Late labels, redelivered, corrected, taken back, and some of ids that nobody predicted."""
    size = 4 * IDS
    when = DAY + pd.to_timedelta(rng.integers(0, 40 * 24 * 60, size), unit="min")
    rows = pd.DataFrame(
        {
            "prediction_id": [f"id{i}" for i in rng.integers(0, IDS + 50, size)],
            "label": rng.integers(0, 5, size).astype(float),
            "event_time": pd.Timestamp(DAY),
            "available_at": when,
            "revision": rng.integers(1, 4, size),
        }
    )
    rows.loc[rng.random(size) < 0.05, "label"] = np.nan
    again = rows.sample(frac=0.3, random_state=1)
    again = again.assign(available_at=again["available_at"] + pd.Timedelta(hours=7))
    # Two words on one label at one moment have no order.
    keys = ["prediction_id", "revision", "available_at"]
    return pd.concat([rows, again]).drop_duplicates(keys, keep=False)


def known_by_rule(rows: pd.DataFrame, ids: set[str], as_of: pd.Timestamp) -> dict[str, float]:
    """Of the rows available by then, the highest revision's last one; none if it is missing."""
    own = rows[rows["prediction_id"].isin(ids) & (rows["available_at"] <= as_of)]
    last = own.sort_values(["revision", "available_at"]).groupby("prediction_id").nth(-1)
    last = last.set_index("prediction_id")["label"].dropna()
    return {str(name): float(value) for name, value in last.items()}


@pytest.mark.parametrize("seed", [1, 2])
def test_what_was_known_is_what_pandas_finds_in_the_whole_feed(store: Store, seed: int):
    rng = np.random.default_rng(seed)
    rows = feed(rng)
    members = {
        f"p{n}": {f"id{i}" for i in range(IDS) if i % PARTITIONS == n} for n in range(PARTITIONS)
    }
    shuffled = rows.sample(frac=1.0, random_state=seed)
    parts = np.array_split(np.arange(len(rows)), 7)
    for number, part in enumerate(parts):
        # Some predictions are there before their labels, some come after.
        if number < PARTITIONS:
            store.labels.register_predictions("m", f"p{number}", sorted(members[f"p{number}"]))
        given = pa.Table.from_pandas(shuffled.iloc[part], preserve_index=False)
        store.labels.append("m", given, f"f{number}")
    for partition, ids in members.items():
        for days in (0, 1, 3, 7, 30, 50):
            as_of = DAY + timedelta(days=days)
            expected = known_by_rule(rows, ids, pd.Timestamp(as_of))
            found = store.labels.resolved("m", partition, as_of)
            names, values = found["prediction_id"].to_pylist(), found["label"].to_pylist()
            assert dict(zip(names, values, strict=True)) == expected
            assert store.labels.coverage("m", partition, as_of) == (len(ids), len(expected))
    assert store.labels.unknown("m") == len(
        set(rows["prediction_id"]) - set().union(*members.values())
    )


def test_the_next_arrival_is_the_one_that_pandas_finds(store: Store):
    rows = feed(np.random.default_rng(3))
    store.labels.append("m", pa.Table.from_pandas(rows, preserve_index=False), "f")
    ids = [f"id{i}" for i in range(40)]
    store.labels.register_predictions("m", "p", ids)
    own = rows[rows["prediction_id"].isin(ids)]
    first_words = own.sort_values("available_at").groupby("prediction_id")["available_at"].min()
    for moment in first_words.sort_values()[:5]:
        before = (moment - pd.Timedelta(microseconds=1)).to_pydatetime()
        found = store.labels.next_arrival("m", "p", before)
        assert found == moment.to_pydatetime()
