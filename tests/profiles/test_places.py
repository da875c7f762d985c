"""Either kernel counts a number in the bin that a search finds, whatever the edges."""

from __future__ import annotations

from types import ModuleType

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest

from dagster_monitoring.profiles.bins import NumericBins
from dagster_monitoring.profiles.engines import compiled, local
from dagster_monitoring.profiles.engines.cubes import Cube, SegmentRows
from dagster_monitoring.profiles.engines.lookup import Workspace
from dagster_monitoring.profiles.engines.loops import PIECE
from dagster_monitoring.profiles.engines.numeric import NumericCounter
from dagster_monitoring.profiles.reading import Numbers

Floats = npt.NDArray[np.float64]

KERNELS = [pytest.param(local, id="numpy"), pytest.param(compiled, id="compiled")]


def _edges(generator: np.random.Generator, n: int, spread: float, pivot: float) -> Floats:
    """Around a pivot, of as many orders of magnitude."""
    away = generator.choice([-1.0, 1.0], n) * 10.0 ** generator.uniform(-spread, spread, n)
    return np.unique(pivot + away)


def _counts(edges: Floats, values: Floats, loops: ModuleType) -> list[int]:
    bins = NumericBins(
        edges=edges,
        segment_edges=edges[:5],
        deciles=edges[:1],
        centre=float(edges[0]),
        minimum=0.0,
        maximum=0.0,
        std=0.0,
        exact=False,
    )
    counter = NumericCounter(bins, Cube.within((), most=1), Workspace(PIECE))
    counter.add(Numbers(pa.array(values)), SegmentRows([], ()), loops)
    return [*map(int, counter.column().counts)]


def _assert_as_searched(edges: Floats, loops: ModuleType) -> None:
    """On edges, right below them, between and beyond."""
    between = (edges[1:] + edges[:-1]) / 2
    values = np.concatenate((edges, np.nextafter(edges, -np.inf), between, [-1e139, 1e139]))
    found = np.searchsorted(edges, values, side="right")
    expected = np.bincount(found, minlength=len(edges) + 1)
    assert _counts(edges, values, loops) == expected.tolist()


@pytest.mark.parametrize("loops", KERNELS)
@pytest.mark.parametrize("pivot", [0.0, 1000.0])
@pytest.mark.parametrize("spread", [0.5, 2.0, 5.0, 20.0, 60.0])
@pytest.mark.parametrize("n", [1, 7, 60, 400])
def test_it_is_searchsorted(loops: ModuleType, pivot: float, spread: float, n: int) -> None:
    generator = np.random.default_rng(5)
    for _ in range(3):
        _assert_as_searched(_edges(generator, n, spread, pivot), loops)


@pytest.mark.parametrize("loops", KERNELS)
@pytest.mark.parametrize("n", [410, 610, 810, 1010, 1210, 1410, 1610, 1810])
def test_it_is_searchsorted_in_a_crowd_at_the_end(loops: ModuleType, n: int) -> None:
    """A few edges far above the others share the table's last cell."""
    few = n // 200
    _assert_as_searched(
        np.append(np.linspace(0.0, 1.0, n - few), 1e9 * np.arange(1, few + 1)), loops
    )
