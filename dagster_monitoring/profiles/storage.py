"""Where profiles and baselines are kept: files below a folder, on any fsspec file system."""

from __future__ import annotations

import os
import uuid
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import quote, unquote

import fsspec

from dagster_monitoring.errors import BaselineError, SliceNotFoundError
from dagster_monitoring.profiles import baseline_serialization as of_baseline
from dagster_monitoring.profiles import losses as of_losses
from dagster_monitoring.profiles import performance_serialization as of_performance
from dagster_monitoring.profiles import serialization as of_profile
from dagster_monitoring.profiles.baseline import Baseline
from dagster_monitoring.profiles.encoding import from_bytes, to_bytes
from dagster_monitoring.profiles.performance_profile import PerformanceProfile
from dagster_monitoring.profiles.profile import Profile


def profile_bytes(profile: Profile) -> bytes:
    """A profile as its file holds it; equal profiles give equal bytes."""
    return to_bytes(of_profile.to_table(profile))


def performance_bytes(profile: PerformanceProfile) -> bytes:
    """A performance profile as its file holds it; equal ones give equal bytes."""
    return to_bytes(of_performance.to_table(profile))


class ProfileStorage:
    """Profiles, performance profiles and baselines of models below one folder.

    A file is there whole or not at all: locally it is written beside its place and then
    renamed; object stores do the same by themselves.

    Args:
        root: a local path or any fsspec URL, for instance ``s3://bucket/monitoring``.

    Layout: ``{model}/profiles/{baseline}/{partition}.parquet``,
    ``{model}/performance/{partition}.parquet``, ``{model}/baselines/{version}/``.
    """

    def __init__(self, root: str | os.PathLike[str]) -> None:
        url = os.fspath(root)
        # A dead drive letter or scheme fails here, when definitions load.
        self._files, base = fsspec.core.url_to_fs(url)
        self._base = base.rstrip("/")
        self._is_local = isinstance(self._files, fsspec.implementations.local.LocalFileSystem)

    def write(
        self, model: str, baseline_version: str, partition: str, profile: Profile | bytes
    ) -> str:
        """Keep a slice's profile, or its bytes, in place of an earlier one; gives its path."""
        data = profile if isinstance(profile, bytes) else profile_bytes(profile)
        return self._put(self._profile(model, baseline_version, partition), data)

    def read(self, model: str, baseline_version: str, partition: str) -> Profile:
        """A slice's profile.

        Raises:
            SliceNotFoundError: it was not written.
            CorruptDataError: the file can't be read.
        """
        path = self._profile(model, baseline_version, partition)
        data = self._get(path, f"{model}, partition {partition}: no profile on {baseline_version}")
        return of_profile.from_table(from_bytes(data, where=path, columns=of_profile.READ))

    def exists(self, model: str, baseline_version: str, partition: str) -> bool:
        """Whether a slice's profile was written."""
        return bool(self._files.exists(self._profile(model, baseline_version, partition)))

    def list_partitions(self, model: str, baseline_version: str) -> list[str]:
        """The slices that have a profile, sorted."""
        return self._names(self._path(model, "profiles", baseline_version), ".parquet")

    def write_performance(
        self, model: str, partition: str, profile: PerformanceProfile | bytes
    ) -> str:
        """Keep a slice's performance profile, or its bytes, as :meth:`write` does."""
        data = profile if isinstance(profile, bytes) else performance_bytes(profile)
        return self._put(self._performance(model, partition), data)

    def read_performance(self, model: str, partition: str) -> PerformanceProfile:
        """A slice's performance profile.

        Raises:
            SliceNotFoundError: it was not written.
            CorruptDataError: the file can't be read.
        """
        path = self._performance(model, partition)
        data = self._get(path, f"{model}, partition {partition}: no performance profile")
        return of_performance.from_table(from_bytes(data, where=path))

    def performance_exists(self, model: str, partition: str) -> bool:
        """Whether a slice's performance profile was written."""
        return bool(self._files.exists(self._performance(model, partition)))

    def list_performance(self, model: str) -> list[str]:
        """The slices that have a performance profile, sorted."""
        return self._names(self._path(model, "performance"), ".parquet")

    def prune(self, model: str, *, before: str, dry_run: bool = False) -> tuple[int, int]:
        """Deletes the profiles of partitions before one, on any baseline; how many, how large.

        One that is needed again is scanned again.
        """
        folders = [
            self._path(model, "profiles", version)
            for version in self._names(self._path(model, "profiles"), "")
        ]
        files = size = 0
        for folder in [*folders, self._path(model, "performance")]:
            for partition in self._names(folder, ".parquet"):
                if partition < before:
                    path = f"{folder}/{quote(partition, safe=' =@+,')}.parquet"
                    files, size = files + 1, size + int(self._files.size(path) or 0)
                    if not dry_run:
                        self._files.rm_file(path)
        return files, size

    def write_baseline(self, model: str, baseline: Baseline) -> str:
        """Keep a baseline; gives its folder. One of the same version holds the same already."""
        folder = self._path(model, "baselines", baseline.version)
        if self._files.exists(f"{folder}/baseline.json"):
            return folder
        table = of_baseline.bins_to_table(baseline.bins)
        self._put(f"{folder}/bins.parquet", to_bytes(table))
        table = of_profile.to_table(baseline.profile)
        self._put(f"{folder}/profile.parquet", to_bytes(table))
        if baseline.reference is not None:
            table = of_performance.to_table(baseline.reference)
            self._put(f"{folder}/performance.parquet", to_bytes(table))
        if baseline.losses is not None:
            table = of_losses.losses_to_table(baseline.losses)
            self._put(f"{folder}/losses.parquet", to_bytes(table))
        # The last file: with it the baseline is there.
        self._put(f"{folder}/baseline.json", of_baseline.facts_to_bytes(baseline))
        return folder

    def read_baseline(self, model: str, version: str) -> Baseline:
        """A baseline.

        Raises:
            BaselineError: it was not written.
            CorruptDataError: a file of it can't be read.
        """
        folder = self._path(model, "baselines", version)
        try:
            data = self._files.cat_file(f"{folder}/baseline.json")
        except FileNotFoundError:
            known = ", ".join(self.list_baselines(model)) or "none"
            raise BaselineError(
                f"{model}: baseline {version} is not in {folder}. There are: {known}. "
                f"Materialize the model's baseline"
            ) from None
        facts = of_baseline.facts_from_bytes(data, where=f"{folder}/baseline.json")
        reference = f"{folder}/performance.parquet"
        losses = f"{folder}/losses.parquet"
        return Baseline(
            version=facts.version,
            model_version=facts.model_version,
            bins=of_baseline.bins_from_table(self._table(f"{folder}/bins.parquet")),
            profile=of_profile.from_table(self._table(f"{folder}/profile.parquet")),
            reference=of_performance.from_table(self._table(reference))
            if self._files.exists(reference)
            else None,
            created_at=facts.created_at,
            notes=facts.notes,
            types=facts.types,
            losses=of_losses.losses_from_table(self._table(losses))
            if self._files.exists(losses)
            else None,
        )

    def list_baselines(self, model: str) -> list[str]:
        """The versions there are, sorted."""
        return self._names(self._path(model, "baselines"), "")

    def _profile(self, model: str, version: str, partition: str) -> str:
        return self._path(model, "profiles", version, f"{partition}.parquet")

    def _performance(self, model: str, partition: str) -> str:
        return self._path(model, "performance", f"{partition}.parquet")

    def _path(self, *parts: str) -> str:
        # Quoted, so that no name leaves the folder.
        safe = [quote(part, safe=" =@+,") for part in parts]
        return "/".join([self._base, *("%2E" * len(p) if set(p) == {"."} else p for p in safe)])

    def _names(self, folder: str, ending: str) -> list[str]:
        try:
            found = self._files.ls(folder, detail=False, refresh=True)
        except (FileNotFoundError, NotADirectoryError):
            return []
        names = [PurePosixPath(path).name for path in found]
        kept = [n for n in names if n.endswith(ending) and not n.startswith(".")]
        return sorted(unquote(name.removesuffix(ending)) for name in kept)

    def _table(self, path: str) -> Any:  # noqa: ANN401 - pyarrow publishes no types
        data = self._get(path, "the baseline is not whole")
        return from_bytes(data, where=path)

    def _get(self, path: str, what: str) -> bytes:
        try:
            return bytes(self._files.cat_file(path))
        except FileNotFoundError:
            raise SliceNotFoundError(
                f"{what} ({path}). Materialize that partition's profile first"
            ) from None

    def _put(self, path: str, data: bytes) -> str:
        folder, name = path.rsplit("/", 1)
        self._files.makedirs(folder, exist_ok=True)
        if not self._is_local:
            self._files.pipe_file(path, data)
            return path
        temporary = Path(folder) / f".{name}.{uuid.uuid4().hex}"
        try:
            temporary.write_bytes(data)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
        return path
