"""Which kernel a scan gets: by name, by the environment, or by what it has counted."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from types import ModuleType

import pytest

from dagster_monitoring.errors import MissingExtraError, UnknownNameError
from dagster_monitoring.profiles.engines import compiled, kernels, local
from dagster_monitoring.profiles.engines.kernels import VARIABLE, Counted, Kernels


@pytest.fixture
def without_numba(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A module that is None can't be found, and counts as not installed."""
    monkeypatch.setitem(sys.modules, "numba", None)
    monkeypatch.delitem(sys.modules, compiled.__name__)
    kernels._is_installed.cache_clear()
    yield
    kernels._is_installed.cache_clear()


@pytest.mark.usefixtures("without_numba")
def test_without_numba_numpy_counts_on_and_asking_for_it_names_the_extra() -> None:
    assert Kernels("auto", counted=Counted(), worth=0).of(100) is local
    with pytest.raises(MissingExtraError, match=r"the compiled kernel .*-monitoring\[fast\]'"):
        Kernels("compiled", counted=Counted())


def test_a_kernel_is_loaded_for_more_values_than_it_is_worth(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delitem(sys.modules, compiled.__name__)
    chooser = Kernels("auto", counted=Counted(), worth=100)
    assert chooser.of(100) is local
    assert chooser.of(1) is compiled
    assert Kernels("numpy", counted=Counted(), worth=0).of(1) is local


@pytest.mark.parametrize(
    ("name", "loops"), [("auto", compiled), ("compiled", compiled), ("numpy", local)]
)
def test_what_is_loaded_is_used_at_once_unless_the_environment_names_another(
    monkeypatch: pytest.MonkeyPatch, name: str, loops: ModuleType
) -> None:
    monkeypatch.setenv(VARIABLE, name)
    assert Kernels("auto", counted=Counted()).of(1) is loops
    assert Kernels("compiled", counted=Counted()).of(1) is compiled


def test_a_name_of_no_kernel_is_refused_with_the_variable_that_holds_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(VARIABLE, "numby")
    with pytest.raises(UnknownNameError, match=rf"no kernel \({VARIABLE}\) is .* mean 'numpy'"):
        Kernels("auto")
