"""Labels in Parquet files: which have come since, and what they hold."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pyarrow as pa

from dagster_monitoring.errors import CorruptDataError, DataError
from dagster_monitoring.sources._files import (
    BATCH_ROWS,
    PLACEHOLDER,
    StorageOptions,
    StoredFile,
    list_files,
    open_parquet,
    show_path,
)
from dagster_monitoring.sources.ground_truth._ground_truth import (
    Delivery,
    GroundTruth,
    missing_column,
)

PATH_FIELD = (
    "Path, glob or fsspec URL of the label files. {arrived:%Y-%m-%d}, in any strftime form, stands "
    "for the UTC day that a file arrives on: then only the folders of the last days are listed."
)
# A file that a slower clock stamped, or that showed late in a listing, is still found.
_OVERLAP = timedelta(hours=1)
_DAY = timedelta(days=1)
_NO_TEXT = re.compile(r"\\x[0-9a-f]{2}")
_ARRIVED = re.compile(r"\{arrived:([^{}]+)\}")


def list_deliveries(path: str, options: StorageOptions, after: str | None) -> list[Delivery]:
    """One delivery a file, oldest first; those written since a cursor, or all.

    Raises:
        DeclarationError: the protocol is unknown, or its package is not installed.
        DataError: the storage can't be reached.
    """
    since = None if after is None else datetime.fromisoformat(after) - _OVERLAP
    found = {
        file.url: file
        for pattern in patterns(path, since, now=datetime.now(UTC))
        for file in list_files(pattern, options)
        if since is None or file.modified_at >= since
    }
    return [
        Delivery(
            uri=_as_text(file.url),
            fingerprint=file.fingerprint,
            cursor=file.modified_at.isoformat(),
            arrived_at=file.modified_at,
        )
        for file in sorted(found.values(), key=lambda file: (file.modified_at, file.url))
    ]


def patterns(path: str, since: datetime | None, *, now: datetime) -> list[str]:
    """The globs that name the files which arrived from the day before a moment on, or all.

    Example:
        >>> noon = datetime(2024, 5, 2, 12, tzinfo=UTC)
        >>> patterns("labels/{arrived:%Y-%m-%d}/*.parquet", noon, now=noon)[0]
        'labels/2024-05-01/*.parquet'
        >>> patterns("labels/{arrived:%Y-%m-%d}/*.parquet", None, now=noon)
        ['labels/*-*-*/*.parquet']
    """
    path = path.replace(PLACEHOLDER, "*")
    if not _ARRIVED.search(path):
        return [path]
    if since is None or since > now:
        return [_ARRIVED.sub(lambda found: re.sub(r"%-?[A-Za-z]", "*", found[1]), path)]
    days = range(-1, (now.date() - since.date()).days + 2)
    moments = [since + _DAY * day for day in days]
    named = [_ARRIVED.sub(lambda found, m=m: m.strftime(found[1]), path) for m in moments]  # type: ignore[misc] # mypy sees no default of a lambda
    return list(dict.fromkeys(named))


def read_delivery(
    feed: GroundTruth,
    options: StorageOptions,
    delivery: Delivery,
    *,
    id: str,  # noqa: A002 - the word that declarations use
    label: str,
) -> Iterator[pa.Table]:
    """A file's labels in batches; see :meth:`GroundTruth.read`."""
    file, where = _file(delivery, options), f"file {show_path(delivery.uri)}"
    key = feed.id or id
    with open_parquet(file, options) as parquet:
        names = parquet.schema_arrow.names
        for name, field in ((key, "id"), (label, "task.label")):
            if name not in names:
                raise missing_column(name, names, where=where, field=field)
        columns = [key, label, *feed.optional_columns(names, where=where)]
        for batch in parquet.iter_batches(
            batch_size=BATCH_ROWS, columns=list(dict.fromkeys(columns))
        ):
            yield feed.normalise(
                batch,
                id_column=key,
                label_column=label,
                arrived_at=delivery.arrived_at,
                where=where,
            )


def _file(delivery: Delivery, options: StorageOptions) -> StoredFile:
    for file in list_files(delivery.uri, options, literal=True):
        return file
    shown = show_path(delivery.uri)
    if _NO_TEXT.search(delivery.uri):
        raise CorruptDataError(f"file {shown}: its name is no UTF-8. Give it another name")
    raise DataError(f"file {shown} went away before it was read")


def _as_text(url: str) -> str:
    """An address that every store can keep: bytes of a name that are no text are written out."""
    return url.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
