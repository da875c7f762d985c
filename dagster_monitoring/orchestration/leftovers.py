"""Files that writers left beside their place when they were killed before the renaming."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import fsspec
from fsspec.implementations.local import LocalFileSystem

# No writer takes so long from a file's first byte to its renaming.
LEFT_AFTER = timedelta(days=1)
# As the storage of profiles, the registry and the ledger in files name what is not complete yet.
_OF_A_MODEL = {
    "profiles": re.compile(r"\..+\.parquet\.[0-9a-f]{32}"),
    "performance": re.compile(r"\..+\.parquet\.[0-9a-f]{32}"),
    "baselines": re.compile(r"\..+\.(parquet|json)\.[0-9a-f]{32}"),
    "models": re.compile(r"\.(model\.skops|manifest\.json|champion\.json)\.[a-z0-9_]{8}"),
}
_OF_THE_LEDGER = re.compile(r"\.[0-9a-f]{32}\.parquet")


def remove_leftovers(
    root: str, model: str, *, before: datetime, dry_run: bool = False
) -> tuple[int, int]:
    """Deletes what killed writers left below a storage folder; how many files, how many bytes.

    Only files of such a name, in the folders that these writers write to. An object store shows no
    object before it is complete: there is nothing to do there.

    Args:
        root: the storage folder, a path or any fsspec URL.
        model: whose; the ledger in files is all models'.
        before: files changed later may still be written.
        dry_run: only counts.
    """
    files, base = fsspec.core.url_to_fs(root)
    if not isinstance(files, LocalFileSystem):
        return 0, 0
    count = size = 0
    for path in _named(Path(base), model):
        try:
            found = path.lstat()
            if datetime.fromtimestamp(found.st_mtime, UTC) >= before:
                continue
            if not dry_run:
                path.unlink()
        except FileNotFoundError:
            # Its writer lives, and has renamed it.
            continue
        count, size = count + 1, size + found.st_size
    return count, size


def _named(root: Path, model: str) -> Iterator[Path]:
    patterns = {root / model / folder: name for folder, name in _OF_A_MODEL.items()}
    patterns[root / "label_ledger"] = _OF_THE_LEDGER
    for folder, name in patterns.items():
        for path in sorted(folder.rglob(".*")):
            if name.fullmatch(path.name) and path.is_file() and not path.is_symlink():
                yield path
