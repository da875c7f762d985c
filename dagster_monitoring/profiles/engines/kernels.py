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

WORTH_COMPILING = 200_000_000
"""Numbers of a scan that NumPy counts before the compiled kernel takes over.

Loading numba and the compiled kernel costs about a second of CPU, and saves about 5 ns a number.
Having paid as much as the start costs, a scan goes on with the compiled kernel, and so never
costs more than twice what the better choice would have. A process that has loaded it already uses
it at once.
"""

_COMPILED = "dagster_monitoring.profiles.engines.compiled"


class Kernels:
    """Chooses the kernel of one scan, piece by piece; a change leaves no trace in the counts.

    Args:
        kernel: one of them, or ``"auto"``.

    Raises:
        UnknownNameError: the environment variable names none.
        MissingExtraError: the compiled kernel is asked for and numba is not installed.
    """

    def __init__(self, kernel: Kernel = "auto") -> None:
        chosen = _given() if kernel == "auto" else kernel
        if chosen == "compiled" and not _is_installed():
            raise MissingExtraError("the compiled kernel", "fast")
        self._chosen = chosen
        self._seen = 0

    def of(self, numbers: int) -> Loops:
        """The kernel for a piece of so many numbers."""
        self._seen += numbers
        if self._chosen == "auto" and self._is_worth_it():
            self._chosen = "compiled"
        return _compiled() if self._chosen == "compiled" else local

    def _is_worth_it(self) -> bool:
        if _COMPILED in sys.modules:
            return True
        return self._seen > WORTH_COMPILING and _is_installed()


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
