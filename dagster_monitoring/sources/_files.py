"""Parquet files on any fsspec path: listed, opened, read in batches, their faults named."""

from __future__ import annotations

import glob
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import AfterValidator

from dagster_monitoring.declaration import EnvironmentVariable, plain_options
from dagster_monitoring.errors import CorruptDataError, DataError, DeclarationError

PLACEHOLDER = "{partition}"
BATCH_ROWS = 131_072
# A column that takes more bytes a value than this is not worth a dictionary: ids, free text.
_DICTIONARY_BYTES = 4.0

StorageOptions = Mapping[str, str | EnvironmentVariable]
DeclaredOptions = Annotated[dict[str, str | EnvironmentVariable], AfterValidator(plain_options)]
"""Options as they are declared: secrets by the names of their variables."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFile:
    """One file: its full URL, its size in bytes, and a text that changes when the file does."""

    url: str
    path: str
    size_bytes: int
    fingerprint: str
    modified_at: datetime


def list_files(pattern: str, options: StorageOptions, *, literal: bool = False) -> list[StoredFile]:
    """Files that a path or glob names, sorted by path; none is an empty list.

    Args:
        pattern: path or URL.
        options: for the file system.
        literal: whether it is one file's own name, which may hold a wildcard's signs.

    Raises:
        DeclarationError: the protocol is unknown, or its package is not installed.
        DataError: the storage can't be reached.
    """
    with _storage_faults(pattern):
        filesystem, path = _open_filesystem(pattern, options)
        if glob.has_magic(path) and not literal:
            found = filesystem.glob(path, detail=True)
        else:
            found = {path: filesystem.info(path)} if filesystem.exists(path) else {}
        return [
            StoredFile(
                url=str(filesystem.unstrip_protocol(name)),
                path=name,
                size_bytes=int(info.get("size") or 0),
                fingerprint=_fingerprint(info),
                modified_at=_modified_at(info),
            )
            for name, info in sorted(found.items())
            if info.get("type") == "file"
        ]


@contextmanager
def open_parquet(
    file: StoredFile, options: StorageOptions, *, dictionaries: bool = False
) -> Iterator[pq.ParquetFile]:
    """An open Parquet file; faults while it is open are raised as this package's errors.

    Args:
        file: what :func:`list_files` gave.
        options: for the file system.
        dictionaries: whether strings of few distinct values come dictionary-encoded.

    Raises:
        CorruptDataError: the file is empty, cut off, or no Parquet; names it and what to do.
        DataError: the storage can't be reached, or fails while it is read; worth another try.
    """
    with _storage_faults(file.url):
        filesystem, _ = _open_filesystem(file.url, options)
    faults: list[Exception] = []
    with _reading_faults(file, faults), _handle(filesystem, file.path, faults) as handle:
        parquet = pq.ParquetFile(handle)
        if dictionaries:
            encoded = _worth_a_dictionary(parquet)
            parquet = pq.ParquetFile(handle, metadata=parquet.metadata, read_dictionary=encoded)
        yield parquet


def show_path(path: str) -> str:
    """A path or URL without the credentials it may carry.

    Example:
        >>> show_path("sftp://me:secret@host/data/*.parquet")
        'sftp://***@host/data/*.parquet'
    """
    if "://" not in path or "@" not in path:
        return path
    scheme, _, rest = path.partition("://")
    authority, slash, tail = rest.partition("/")
    return (
        f"{scheme}://***@{authority.rpartition('@')[2]}{slash}{tail}" if "@" in authority else path
    )


def join_root(path: str, root: Path) -> str:
    """A relative local path taken from ``root``; anything else as it is.

    Wildcards are the path's alone: of a folder called ``[x]`` the signs are its name's.

    Example:
        >>> join_root("data/a.parquet", Path("/project")), join_root("s3://b/a", Path("/project"))
        ('/project/data/a.parquet', 's3://b/a')
    """
    if urlsplit(path).scheme or "::" in path or Path(path).is_absolute():
        return path
    return str(Path(glob.escape(str(root))) / path)


def _open_filesystem(url: str, options: StorageOptions):  # type: ignore[no-untyped-def]  # noqa: ANN202 - fsspec publishes no types
    import fsspec
    from fsspec.core import strip_protocol, url_to_fs

    resolved = {
        name: value.read() if isinstance(value, EnvironmentVariable) else value
        for name, value in options.items()
    }
    if url.startswith("file:///"):
        # Its own name, whatever signs are in it: a chain of file systems begins otherwise.
        return fsspec.filesystem("file", **resolved), strip_protocol(url)
    return url_to_fs(url, **resolved)


@contextmanager
def _handle(filesystem, path: str, faults: list[Exception]) -> Iterator[Any]:  # type: ignore[no-untyped-def]  # noqa: ANN001 - fsspec publishes no types
    if "file" in filesystem.protocol:
        with pa.memory_map(path) if Path(path).stat().st_size else pa.OSFile(path) as handle:
            yield handle
    else:
        with _remembered(faults):
            opened = filesystem.open(path, "rb")
        with opened as handle:
            yield _Watched(handle, faults)


class _Watched:
    """A file of a storage that remembers the storage's own faults.

    pyarrow raises OSError for a damaged page as well as for a read that timed out; whoever
    handles it must tell what never gets better from what does.
    """

    def __init__(self, file: Any, faults: list[Exception]) -> None:  # noqa: ANN401 - fsspec publishes no types
        self._file = file
        self._faults = faults

    @property
    def closed(self) -> bool:
        return bool(self._file.closed)

    def read(self, size: int = -1) -> bytes:
        with _remembered(self._faults):
            return bytes(self._file.read(size))

    def seek(self, offset: int, whence: int = 0) -> int:
        with _remembered(self._faults):
            return int(self._file.seek(offset, whence))

    def tell(self) -> int:
        return int(self._file.tell())

    def close(self) -> None:
        """The file is closed by whoever opened it."""


@contextmanager
def _remembered(faults: list[Exception]) -> Iterator[None]:
    try:
        yield
    except Exception as error:
        faults.append(error)
        raise


def _worth_a_dictionary(parquet: pq.ParquetFile) -> list[str]:
    # Made anew each time that it is asked for.
    metadata, schema, names = parquet.metadata, parquet.schema_arrow, []
    # Nested columns shift the positions.
    if metadata.num_row_groups == 0 or metadata.num_columns != len(schema):
        return []
    first = metadata.row_group(0)
    for position, field in enumerate(schema):
        chunk = first.column(position)
        plain = chunk.total_uncompressed_size > _DICTIONARY_BYTES * max(chunk.num_values, 1)
        small = chunk.total_uncompressed_size < BATCH_ROWS
        wanted = pa.types.is_string(field.type) and (small or not plain)
        if wanted and not _is_delta_encoded(metadata, position):
            names.append(field.name)
    return names


def _is_delta_encoded(metadata: pq.FileMetaData, position: int) -> bool:
    """Whether a column has delta-encoded strings, which pyarrow can't read as a dictionary.

    Other writers fall back to them when a column has too many distinct values.
    """
    return any(
        "DELTA" in encoding
        for group in range(metadata.num_row_groups)
        for encoding in metadata.row_group(group).column(position).encodings
    )


def _fingerprint(info: Mapping[str, object]) -> str:
    for name in ("ETag", "etag", "md5Hash", "mtime", "LastModified", "last_modified", "modified"):
        if info.get(name):
            return f"{info.get('size')}:{info[name]}"
    return f"{info.get('size')}:{info.get('created')}"


def _modified_at(info: Mapping[str, object]) -> datetime:
    for name in ("mtime", "LastModified", "last_modified", "updated", "modified", "created"):
        value = info.get(name)
        if isinstance(value, datetime):
            return value if value.tzinfo else value.replace(tzinfo=UTC)
        if isinstance(value, int | float):
            return datetime.fromtimestamp(value, UTC)
    raise DataError("the storage does not say when its files were written: name available_at")


@contextmanager
def _storage_faults(path: str) -> Iterator[None]:
    shown = show_path(path)
    try:
        yield
    except ImportError as error:
        raise DeclarationError(f"{shown} needs another package: {error}") from None
    except ValueError as error:
        raise DeclarationError(f"path {shown}: {error}") from None
    except OSError as error:
        raise DataError(
            f"{shown} can't be listed: {error}. Check the path, the credentials and the network"
        ) from error


@contextmanager
def _reading_faults(file: StoredFile, faults: list[Exception]) -> Iterator[None]:
    shown = show_path(file.url)
    if file.size_bytes == 0:
        raise CorruptDataError(
            f"file {shown} is empty (0 bytes), not even a Parquet footer. Its writer was "
            f"interrupted: write it again, or remove it, then run the partition again"
        )
    try:
        yield
    except FileNotFoundError as error:
        raise DataError(f"file {shown} went away while it was read: run it again") from error
    except Exception as error:
        if faults or (isinstance(error, OSError) and error.errno is not None):
            reason = faults[0] if faults else error
            raise DataError(
                f"file {shown} can't be read now: {type(reason).__name__}: {reason}. Check the "
                f"storage, the credentials and the network, then run the partition again"
            ) from error
        if not isinstance(error, pa.ArrowException | OSError):
            raise
        raise CorruptDataError(
            f"file {shown} can't be read to its end ({file.size_bytes} bytes): {error}. "
            f"Write it again, or remove it, then run the partition again"
        ) from error
