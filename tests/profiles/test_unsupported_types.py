"""Types that nothing here counts: named where they are declared, elsewhere of no matter."""

from __future__ import annotations

from dataclasses import replace

import pyarrow as pa
import pytest

from dagster_monitoring.errors import BaselineError
from dagster_monitoring.profiles.baseline import Baseline, build_baseline
from dagster_monitoring.profiles.encoding import to_bytes
from dagster_monitoring.profiles.profile import Profile
from dagster_monitoring.profiles.scan import scan
from dagster_monitoring.profiles.serialization import to_table
from tests.profiles.arrow_types import ARRAYS, BOTH, NAME, NUMBER, make, type_name
from tests.profiles.conftest import COLUMNS, TASK, make_rows, reader

N = 40
NULLS = [i % 4 == 0 for i in range(N)]
ROWS = make_rows(N, seed=3)


def _scan(baseline: Baseline, rows: pa.RecordBatch) -> Profile:
    return scan([rows], bins=baseline.bins, columns=COLUMNS, known=["late"])


def _bytes(profile: Profile) -> bytes:
    return to_bytes(to_table(replace(profile, extra_columns=())))


@pytest.mark.parametrize("name", ARRAYS)
def test_a_column_that_nobody_declared_is_named_and_changes_nothing(
    baseline: Baseline, name: str
) -> None:
    rows = ROWS.add_column(2, "nobody's", make(name, NULLS))
    profile = _scan(baseline, rows)
    assert profile.extra_columns == ("nobody's",)
    assert profile.type_faults == {}
    assert _bytes(profile) == _bytes(_scan(baseline, ROWS))


@pytest.mark.parametrize("name", ARRAYS)
@pytest.mark.parametrize(("column", "kind"), [("size", NUMBER), ("city", NAME)])
def test_a_baseline_is_refused_by_the_name_of_what_it_cannot_count(
    name: str, column: str, kind: str
) -> None:
    array = make(name, [False] * N)
    rows = ROWS.set_column(ROWS.schema.names.index(column), column, array)

    def build() -> Baseline:
        return build_baseline(reader(rows), columns=COLUMNS, task=TASK, model_version="v1")

    if ARRAYS[name][0] in {kind, BOTH}:
        assert build().profile.columns[column].rows == N
        return
    with pytest.raises(BaselineError) as told:
        build()
    assert f"column '{column}' holds {type_name(array.type)}" in str(told.value)
