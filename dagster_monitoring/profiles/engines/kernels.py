"""Which kernel counts: the one of NumPy, or the compiled one where it is worth its start."""

from __future__ import annotations

import os
import sys
from functools import cache
from importlib.util import find_spec
from typing import Literal, get_args

from dagster_monitoring.errors import MissingExtraError, UnknownNameError
from dagster_monitoring.profiles.engines import local
from dagster_monitoring.profiles.engines.loops import Loops

Kernel = Literal["auto", "numpy", "compiled"]

VARIABLE = "DAGSTER_MONITORING_KERNEL"
"""The environment variable that decides where ``"auto"`` is asked for."""

WORTH_COMPILING = 60_000_000
"""Values that a process counts with NumPy before the compiled kernel takes over.

Loading numba and the compiled kernel costs about 0.7 s of CPU, and saves about 11 ns a value.
Having paid as much as the start costs, a process goes on with the compiled kernel, and so never
costs more than twice what the better choice would have. A process that has loaded it already uses
it at once.
"""

_COMPILED = "dagster_monitoring.profiles.engines.compiled"


class Counted:
    """How many values were counted so far."""

    def __init__(self) -> None:
        self.values = 0


_COUNTED = Counted()
"""All that this process counted. What is counted does not depend on it, only how fast."""


class Kernels:
    """Chooses the kernel of one scan, batch by batch; a change leaves no trace in the counts.

    Args:
        kernel: one of them, or ``"auto"``.
        counted: what was counted before, and is added to.
        worth: values to be counted before the compiled kernel is loaded.

    Raises:
        UnknownNameError: the environment variable names none.
        MissingExtraError: the compiled kernel is asked for and numba is not installed.
    """

    def __init__(
        self,
        kernel: Kernel,
        *,
        counted: Counted = _COUNTED,
        worth: int = WORTH_COMPILING,
    ) -> None:
        chosen = _given() if kernel == "auto" else kernel
        if chosen == "compiled" and not _is_installed():
            raise MissingExtraError("the compiled kernel", "fast")
        self._chosen = chosen
        self._counted = counted
        self._worth = worth

    def of(self, values: int) -> Loops:
        """The kernel for a batch of so many values."""
        self._counted.values += values
        if self._chosen == "auto" and self._is_worth_it():
            self._chosen = "compiled"
        return _compiled() if self._chosen == "compiled" else local

    def _is_worth_it(self) -> bool:
        if _COMPILED in sys.modules:
            return True
        return self._counted.values > self._worth and _is_installed()


def _given() -> Kernel:
    chosen = os.environ.get(VARIABLE, "auto")
    allowed: tuple[Kernel, ...] = get_args(Kernel)
    for kernel in allowed:
        if chosen == kernel:
            return kernel
    raise UnknownNameError(f"kernel ({VARIABLE})", chosen, allowed)


@cache
def _is_installed() -> bool:
    return find_spec("numba") is not None


def _compiled() -> Loops:
    from dagster_monitoring.profiles.engines import compiled

    return compiled
