from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dagster_monitoring.profiles.bins import LARGEST, NumericBins, build_numeric_bins
from dagster_monitoring.profiles.engines.lookup import Workspace, lookup

finite = st.floats(-LARGEST, LARGEST)


def _bins(edges: list[float], *, exact: bool) -> NumericBins:
    interior = np.unique(np.array(edges, dtype=np.float64))
    return NumericBins(
        edges=interior,
        segment_edges=interior[:5],
        deciles=interior[:1],
        centre=0.0,
        minimum=0.0,
        maximum=0.0,
        std=0.0,
        exact=exact,
    )


@settings(max_examples=150, deadline=None)
@given(
    exact=st.booleans(),
    edges=st.lists(finite, max_size=40),
    values=st.lists(finite, min_size=1, max_size=40),
)
def test_it_is_searchsorted_for_any_edges_and_values(
    *, edges: list[float], values: list[float], exact: bool
) -> None:
    bins = _bins(edges, exact=exact)
    asked = np.array([*values, *edges], dtype=np.float64)
    with np.errstate(over="ignore", invalid="ignore"):
        found = lookup(bins).places(asked, Workspace(len(asked)))
    assert found.tolist() == np.searchsorted(bins.edges, asked, side="right").tolist()


@pytest.mark.parametrize("sigma", [0.1, 1.0, 3.0])
def test_it_is_searchsorted_on_heavy_tails_and_ties(sigma: float) -> None:
    generator = np.random.default_rng(2)
    values = generator.lognormal(sigma=sigma, size=20_000)
    values[::7] = 1.0
    bins = build_numeric_bins(values)
    asked = np.concatenate((bins.edges, np.nextafter(bins.edges, -np.inf), values))[:30_000]
    found = lookup(bins).places(asked, Workspace(len(asked)))
    assert (found == np.searchsorted(bins.edges, asked, side="right")).all()
