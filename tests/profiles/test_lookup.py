"""Looking up the bin of a number finds what a search does, nearly always without one."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dagster_monitoring.profiles.bins import LARGEST, NumericBins, build_numeric_bins
from dagster_monitoring.profiles.engines.lookup import (
    CELLS,
    EvenCells,
    Lookup,
    OctaveCells,
    Workspace,
    lookup,
)

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
        found = lookup(bins).places(asked, Workspace(len(asked) + 3))
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


def _share_left_to_search(table: Lookup, values: npt.NDArray[np.float64]) -> float:
    cells = table.cells.of(values, Workspace(len(values)))
    return float((table.below[cells] > len(table.edges)).mean())


SHAPES: dict[str, Callable[[np.random.Generator], npt.NDArray[np.float64]]] = {
    "normal": lambda g: g.normal(178.0, 7.0, 20_000),
    "uniform": lambda g: g.uniform(-5.0, 1.0, 20_000),
    "log-normal": lambda g: g.lognormal(3.0, 1.2, 20_000),
    "Pareto": lambda g: g.pareto(1.2, 20_000),
    "Pareto, negative": lambda g: -g.pareto(1.2, 20_000),
    "Student's t": lambda g: g.standard_t(1.5, 20_000),
    "Student's t, elsewhere": lambda g: 1e3 + g.standard_t(1.5, 20_000),
    "zeros and gammas": lambda g: np.where(g.random(20_000) < 0.7, 0.0, g.gamma(0.8, 4.0, 20_000)),
    "few values": lambda g: g.poisson(3.0, 20_000).astype(np.float64),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_hardly_any_number_is_left_to_search_for(shape: str) -> None:
    values = SHAPES[shape](np.random.default_rng(3))
    table = lookup(build_numeric_bins(values))
    assert _share_left_to_search(table, values) < 0.02
    assert table.passes in {1, 2}


def test_a_crowd_among_others_is_found_in_a_second_table() -> None:
    generator = np.random.default_rng(3)
    values = np.concatenate((generator.normal(1, 1e-9, 3_000), generator.normal(0, 1e3, 17_000)))
    table = lookup(build_numeric_bins(values))
    crowd = values[:3_000]
    assert _share_left_to_search(table, crowd) > 0.99
    assert table.inner is not None
    assert _share_left_to_search(table.inner, crowd) < 0.01
    found = table.places(values, Workspace(len(values)))
    assert (found == np.searchsorted(table.edges, values, side="right")).all()


def test_crowds_that_no_second_table_parts_are_searched() -> None:
    generator = np.random.default_rng(3)
    values = np.concatenate((generator.normal(1, 1e-7, 3_000), generator.normal(1e6, 0.1, 3_000)))
    table = lookup(build_numeric_bins(values))
    assert _share_left_to_search(table, values) > 0.99
    assert table.inner is None
    found = table.places(values, Workspace(len(values)))
    assert (found == np.searchsorted(table.edges, values, side="right")).all()


def test_cells_are_even_where_that_is_enough() -> None:
    generator = np.random.default_rng(3)
    found = {name: lookup(build_numeric_bins(SHAPES[name](generator))).cells for name in SHAPES}
    assert isinstance(found["normal"], EvenCells)
    assert isinstance(found["few values"], EvenCells)
    assert isinstance(found["Pareto"], OctaveCells)
    assert isinstance(found["Student's t"], OctaveCells)


CHOICES = [
    EvenCells(low=-1.0, scale=3.0),
    OctaveCells(pivot=-(2.0**-30), shift=44, start=(1023 - 30) << 8, lower=0),
    OctaveCells(pivot=np.finfo(np.float64).tiny, shift=44, start=(1023 - 9) << 8, lower=CELLS // 2),
    OctaveCells(pivot=2.0**-30, shift=44, start=(1023 - 30) << 8, lower=CELLS),
    OctaveCells(pivot=1000.0, shift=45, start=(1023 - 9) << 7, lower=CELLS // 2),
]


@pytest.mark.parametrize("cells", CHOICES)
@given(values=st.lists(finite | st.floats(-2000.0, 2000.0), min_size=2, max_size=40))
def test_a_cell_grows_with_its_numbers(
    *, cells: EvenCells | OctaveCells, values: list[float]
) -> None:
    ordered = np.sort(np.array(values))
    with np.errstate(over="ignore"):
        found = cells.of(ordered, Workspace(len(ordered) + 3))
    assert len(found) == len(ordered)
    assert (np.diff(found) >= 0).all()
    assert found.min() >= 0
    assert found.max() < CELLS


@pytest.mark.parametrize("cells", CHOICES)
def test_all_cells_are_used_to_the_outermost(cells: EvenCells | OctaveCells) -> None:
    """The compiled kernel finds cells by itself, and takes these for granted."""
    assert cells.of(np.array([-1e140, 1e140]), Workspace(2)).tolist() == [0, CELLS - 1]


@pytest.mark.parametrize("shape", SHAPES)
def test_a_cell_knows_the_edges_below_it_crowded_or_not(shape: str) -> None:
    table = lookup(build_numeric_bins(SHAPES[shape](np.random.default_rng(3))))
    inside = np.bincount(table.cells.of(table.edges, Workspace(len(table.edges))), minlength=CELLS)
    below = np.concatenate(([0], np.cumsum(inside)[:-1]))
    crowded = np.where(inside > table.passes, len(table.edges) + 1, 0)
    assert table.below.tolist() == (below + crowded).tolist()
    assert table.narrow.tolist() == table.below.tolist()
    assert [type(number) for number in table.cells.numbers] == [float, float, int, int, int]


def test_octaves_have_the_same_number_of_cells_on_both_sides() -> None:
    cells = OctaveCells(pivot=1000.0, shift=44, start=1023 << 8, lower=CELLS // 2)
    away = np.array([0.5, 1.0, 2.0, 4.0, 6.0, 8.0])
    steps = [0, 0, 256, 512, 640, 768]
    above = cells.of(1000.0 + away, Workspace(6)) - CELLS // 2
    assert above.tolist() == steps
    below = CELLS // 2 - 1 - cells.of(1000.0 - away, Workspace(6))
    assert below.tolist() == steps


@pytest.mark.parametrize("cells", CHOICES)
def test_a_negative_zero_is_a_zero(cells: EvenCells | OctaveCells) -> None:
    one, other = cells.of(np.array([-0.0, 0.0]), Workspace(2)).tolist()
    assert one == other


def test_without_edges_all_numbers_are_in_one_bin() -> None:
    assert lookup(_bins([], exact=True)).places(
        np.array([-1.0, 0.0, 9e9]), Workspace(3)
    ).tolist() == [0, 0, 0]
