"""A storage whose reads fail while it is told to: ``flaky:///folder/*.parquet``."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import fsspec
from fsspec.implementations.local import LocalFileSystem


class FlakyFiles(LocalFileSystem):
    """Local files under another name, so that they are read as those of a network are."""

    protocol = "flaky"
    fault: Exception | None = None
    fails_open = False

    @classmethod
    def _strip_protocol(cls, path: str) -> str:
        return str(super()._strip_protocol(path.removeprefix("flaky://")))

    def unstrip_protocol(self, name: str) -> str:
        return f"flaky://{name.removeprefix('flaky://')}"

    def open(self, path: str, *_arguments: object, **_options: object) -> Any:
        if self.fault and self.fails_open:
            raise self.fault
        return _File(Path(self._strip_protocol(path)).read_bytes())


class _File(io.BytesIO):
    def read(self, size: int | None = -1, /) -> bytes:
        if FlakyFiles.fault:
            raise FlakyFiles.fault
        return super().read(size)


@contextmanager
def failing(fault: Exception, *, fails_open: bool = False) -> Iterator[None]:
    """While it lasts, nothing of the storage can be read."""
    FlakyFiles.fault, FlakyFiles.fails_open = fault, fails_open
    try:
        yield
    finally:
        FlakyFiles.fault, FlakyFiles.fails_open = None, False


fsspec.register_implementation("flaky", FlakyFiles, clobber=True)
