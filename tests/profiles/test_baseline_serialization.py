"""Bins and facts of a baseline, read back from what files hold of them."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from dagster_monitoring.errors import CorruptDataError
from dagster_monitoring.profiles.baseline import Baseline
from dagster_monitoring.profiles.baseline_serialization import (
    bins_from_table,
    bins_to_table,
    facts_from_bytes,
    facts_to_bytes,
)
from dagster_monitoring.profiles.bins import BinSet, CategoricalBins, NumericBins
from dagster_monitoring.profiles.projection import Projection
from dagster_monitoring.profiles.sample import SamplePlan
from tests.profiles.conftest import plain

SIZE = NumericBins(
    edges=np.array([-0.0, 1.5, 2.0, 1e300]),
    segment_edges=np.array([1.5, 1e300]),
    deciles=np.array([2.0]),
    centre=1.25,
    minimum=-3.0,
    maximum=1e308,
    std=0.1,
    exact=True,
    exponent=-40,
    doane=9,
)
EMPTY = NumericBins(
    edges=np.array([]),
    segment_edges=np.array([]),
    deciles=np.array([]),
    centre=0.0,
    minimum=None,
    maximum=None,
    std=None,
    exact=False,
)
PROJECTION = Projection(
    columns=("size", "city"),
    means=np.array([0.1, 0.2]),
    scales=np.array([1.0, 3.0]),
    residual=np.array([[0.6, 0.8]]),
    shares={"city": np.array([0.25, 0.75])},
    explained=0.5,
)
BINS = BinSet(
    columns={
        "size": SIZE,
        "none": EMPTY,
        "city": CategoricalBins(vocabulary=("Oslo", "", "naïve 🛫"), complete=False),
        "blank": CategoricalBins(vocabulary=()),
    },
    segments={"city": ("Oslo", ""), "blank": ()},
    projections=(PROJECTION,),
    sample=SamplePlan(columns=("city",), size=7),
)


@pytest.mark.parametrize(
    "bins",
    [BINS, BinSet(columns={}), BinSet(columns={"none": EMPTY}), replace(BINS, sample=None)],
    ids=["of every kind", "none at all", "without a value", "without a sample"],
)
def test_bins_are_read_as_they_were_written(bins: BinSet) -> None:
    read = bins_from_table(bins_to_table(bins))
    assert [*read.columns] == [*bins.columns]
    assert plain(read) == plain(bins)
    assert read.key == bins.key


def test_a_file_of_bins_says_of_each_row_whose_and_what_it_is() -> None:
    rows = bins_to_table(BINS).to_pylist()
    assert list(dict.fromkeys((row["column"], row["role"]) for row in rows)) == [
        *(("size", role) for role in ("edge", "segment_edge", "decile")),
        *(("city", role) for role in ("name", "segment")),
    ]
    assert [row["edge"] for row in rows[4:6]] == [1.5, 1e300]
    assert [row["name"] for row in rows[-2:]] == ["Oslo", ""]
    assert all((row["edge"] is None) != (row["name"] is None) for row in rows)


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_bins_that_json_can_not_hold_are_not_written(value: float) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        bins_to_table(BinSet(columns={"size": replace(SIZE, maximum=value)}))


@pytest.mark.parametrize(
    "table", [pa.table({"a": [1]}), pa.table({"a": [1]}).replace_schema_metadata({"b": "c"})]
)
def test_a_table_that_holds_no_bins_is_refused(table: pa.Table) -> None:
    with pytest.raises(CorruptDataError, match=r"not a file of format 2 \(dagster_monitoring.bins"):
        bins_from_table(table)


def test_facts_are_read_as_they_were_written(baseline: Baseline) -> None:
    noted = replace(baseline, notes=("a note", "another"), types={"size": "double"})
    facts = facts_from_bytes(facts_to_bytes(noted), where="baseline.json")
    assert (facts.version, facts.model_version) == (noted.version, "v1")
    assert (facts.created_at, facts.notes) == (noted.created_at, ("a note", "another"))
    assert facts.types == {"size": "double"}


def test_facts_can_be_read_by_a_person(baseline: Baseline) -> None:
    data = facts_to_bytes(baseline)
    facts = json.loads(data)
    assert (facts["rows"], facts["bins"]) == (5_000, baseline.bins.key)
    assert facts["created_at"] == "2024-02-01T00:00:00+00:00"
    assert data.decode().startswith('{\n  "format": 2,\n  "version": "b-')


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b'{"format": 1}', r"^x/baseline\.json is of format 1, not 2$"),
        (b"{}", r"^x/baseline\.json can't be read: KeyError\('format'\)\. Delete it"),
        (b'{"format": 2}', r"can't be read: KeyError\('version'\)"),
        (b"[]", r"can't be read: TypeError"),
        (b"\xff", r"can't be read: UnicodeDecodeError"),
        (b"", r"can't be read: JSONDecodeError"),
    ],
)
def test_a_file_without_facts_is_named_with_the_reason(data: bytes, message: str) -> None:
    with pytest.raises(CorruptDataError, match=message):
        facts_from_bytes(data, where="x/baseline.json")


def test_a_moment_that_is_none_is_named(baseline: Baseline) -> None:
    facts = json.loads(facts_to_bytes(baseline)) | {"created_at": "yesterday"}
    with pytest.raises(CorruptDataError, match="can't be read: ValueError"):
        facts_from_bytes(json.dumps(facts).encode(), where="x")
