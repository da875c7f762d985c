"""Where a declaration goes, and where the files lie that it speaks of."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from dagster_monitoring.errors import MonitoringError
from dagster_monitoring.sources import ParquetSource, Request

# What slices and labels are often called beside a baseline; the first is written if none is there.
_SLICES = (
    "predictions/day={partition}/*.parquet",
    "predictions/{partition}/*.parquet",
    "predictions/{partition}.parquet",
    "predictions/*.parquet",
    "predictions.parquet",
)
_LABELS = (
    "labels/*.parquet",
    "ground_truth/*.parquet",
    "labels.parquet",
    "ground_truth.parquet",
)
_TOO_GENERAL = frozenset({"", "data", "dataset", "baseline", "baselines", "train", "tmp", "files"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """A path to declare; ``columns`` are those of its files, ``None`` where there are none yet."""

    path: str
    columns: tuple[str, ...] | None


def find_slices(baseline: str, *, root: Path) -> Feed:
    """Where daily slices lie, or should: beside the baseline.

    Args:
        baseline: its path or URL.
        root: the folder that relative paths start from.
    """
    return _find(baseline, _SLICES, root=root)


def find_labels(baseline: str, *, root: Path) -> Feed:
    """Where labels arrive, or should: beside the baseline."""
    return _find(baseline, _LABELS, root=root)


def project_root(start: Path) -> Path:
    """The nearest folder, from ``start`` upwards, with a pyproject.toml; else ``start``."""
    start = start.absolute()
    return next((f for f in (start, *start.parents) if (f / "pyproject.toml").is_file()), start)


def relative_path(path: str, *, root: Path) -> str:
    """A local path as it is written in a declaration: from ``root`` where it lies below it.

    Example:
        >>> relative_path("/project/data/a.parquet", root=Path("/project"))
        'data/a.parquet'
        >>> relative_path("s3://bucket/a.parquet", root=Path("/project"))
        's3://bucket/a.parquet'
    """
    if "://" in path or "::" in path:
        return path
    absolute = Path(path).absolute()
    inside = absolute.is_relative_to(root)
    return absolute.relative_to(root).as_posix() if inside else absolute.as_posix()


def default_output(root: Path, model: str) -> Path:
    """Where Dagster finds a component of a dg project; ``defs.yaml`` where there is none."""
    file = root / "pyproject.toml"
    tools = tomllib.loads(file.read_text(encoding="utf-8")).get("tool", {}) if file.exists() else {}
    module = tools.get("dg", {}).get("project", {}).get("root_module")
    if not isinstance(module, str):
        return Path("defs.yaml")
    source = root / "src" if (root / "src" / module).is_dir() else root
    return source / module / "defs" / model / "defs.yaml"


def model_name(baseline: str, label: str) -> str:
    """A model's name: the baseline's folder, or the label where that says nothing.

    Example:
        >>> model_name("s3://models/car_loan/baseline.parquet", "repaid")
        'car_loan'
        >>> model_name("data/baseline.parquet", "Late (15 min)")
        'late_15_min'
    """
    folder = re.sub(r"[\\/]+[^\\/]*$", "", baseline) if re.search(r"[\\/]", baseline) else ""
    name = re.split(r"[\\/:]+", folder)[-1].lower()
    return _slug(label if name in _TOO_GENERAL or "*" in name or name == "." else name)


def _slug(text: str) -> str:
    slug = re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")[:64]
    return slug if slug[:1].isalpha() else f"model_{slug}"[:64].rstrip("_")


def _find(baseline: str, names: Sequence[str], *, root: Path) -> Feed:
    folder = baseline.replace("\\", "/").rpartition("/")[0]
    paths = [f"{folder}/{name}" if folder else name for name in names]
    for path in paths:
        columns = _columns(relative_path(path, root=root), root)
        if columns is not None:
            return Feed(path=relative_path(path, root=root), columns=columns)
    return Feed(path=relative_path(paths[0], root=root), columns=None)


def _columns(path: str, root: Path) -> tuple[str, ...] | None:
    try:
        source = ParquetSource(path=path).relative_to(root)
        return tuple(source.describe(Request()).schema.names)
    except (MonitoringError, OSError, pa.ArrowException):
        return None
