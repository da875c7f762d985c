from __future__ import annotations

from collections.abc import Iterator

import pytest
from threadpoolctl import threadpool_limits


@pytest.fixture(autouse=True, scope="session")
def one_thread() -> Iterator[None]:
    """Trees this small train faster on one thread than two threads wait for each other."""
    with threadpool_limits(1):
        yield
