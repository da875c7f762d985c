"""A folder on any file system, whose files appear whole or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import cast

import fsspec
from fsspec.implementations.local import LocalFileSystem

from dagster_monitoring.errors import RegistryError


class Folder:
    """Files below a root; names use forward slashes.

    Args:
        root: a local path, or any fsspec URL.
    """

    def __init__(self, root: str) -> None:
        self.root = root
        self._files, self._base = fsspec.core.url_to_fs(os.path.expanduser(root))  # noqa: PTH111 - a URL stays one

    def path(self, name: str) -> str:
        """Where a file of the folder lies."""
        return f"{self._base.rstrip('/')}/{name}"

    def exists(self, name: str) -> bool:
        """Whether there is such a file."""
        return bool(self._files.exists(self.path(name)))

    def read(self, name: str) -> bytes:
        """The whole file.

        Raises:
            RegistryError: it is a link to what lies outside the folder.
        """
        if isinstance(self._files, LocalFileSystem):
            _refuse_outside(Path(self.path(name)), Path(self._base))
        return cast("bytes", self._files.cat_file(self.path(name)))

    def write(self, name: str, data: bytes) -> None:
        """Replace a file; a reader meanwhile, or a crash, sees the old one or the new one."""
        if isinstance(self._files, LocalFileSystem):
            _replace(Path(self.path(name)), data)
        else:
            # Object stores show an object when its upload is complete.
            self._files.pipe_file(self.path(name), data)

    def folders(self) -> list[str]:
        """Names of the folders directly below, sorted; empty before the first write."""
        self._files.invalidate_cache()
        if not self._files.exists(self._base):
            return []
        entries = self._files.ls(self._base, detail=True)
        found = [e["name"].rstrip("/") for e in entries if e["type"] == "directory"]
        return sorted(path.rpartition("/")[2] for path in found)


def _refuse_outside(path: Path, root: Path) -> None:
    """Raise unless a file, all links followed, lies below the folder."""
    if not path.resolve().is_relative_to(root.resolve()):
        raise RegistryError(
            f"{path} is a link to a place outside the registry at {root}: it is not read. Put the "
            f"file itself there."
        )


def _replace(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
