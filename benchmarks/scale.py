"""What so many rows, columns and models need, computed from measured constants.

    python benchmarks/scale.py

Prints the two tables of docs/scale.md. ``constants.py`` measures what this computes with.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, fields
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from report import table_lines

WINDOW_HOURS = 2.0
"""The day is to be judged within this time."""

SEGMENTS = 16
"""Segments that are counted apart, of three columns together."""

_DAYS = 365
_SECONDS = 3_600
_LEAST = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class Constants:
    """Measured on one core of a shared AMD EPYC; each field's unit is in its name."""

    scan_ns: float
    scan_segments_ns: float
    scan_segments_compiled_ns: float
    baseline_ns: float
    profile_bytes_a_column: float
    profile_bytes_a_column_and_segment: float
    evaluations_a_column: float
    evaluation_bytes: float
    prediction_bytes: float
    prediction_microseconds: float
    label_bytes: float
    label_microseconds: float
    events_a_model_and_day: float
    event_bytes: float
    run_seconds: float
    start_seconds: float
    load_milliseconds_a_model: float
    assets_a_model: float


MEASURED = Constants(
    scan_ns=31.9,
    scan_segments_ns=37.3,
    scan_segments_compiled_ns=26.9,
    baseline_ns=83.9,
    profile_bytes_a_column=7685,
    profile_bytes_a_column_and_segment=353,
    evaluations_a_column=6.65,
    evaluation_bytes=412,
    prediction_bytes=503,
    prediction_microseconds=14.7,
    label_bytes=567,
    label_microseconds=21.4,
    events_a_model_and_day=41,
    event_bytes=8791,
    run_seconds=0.73,
    start_seconds=1.84,
    load_milliseconds_a_model=12.3,
    assets_a_model=6,
)


@dataclass(frozen=True, slots=True)
class Load:
    """Rows a day of all models together, columns of each, and models."""

    rows: int
    columns: int
    models: int


LOADS = (
    Load(10_000, 20, 1),
    Load(1_000_000, 20, 1),
    Load(10_000_000, 50, 10),
    Load(100_000_000, 50, 100),
    Load(1_000_000_000, 50, 1),
    Load(1_000_000_000, 50, 1_000),
    Load(10_000_000_000, 50, 100),
    Load(10_000_000_000, 50, 10_000),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """What a load needs: core hours a day, cores within the window, and what a year keeps."""

    scan_hours: float
    run_hours: float
    cores: float
    profile_gb: float
    evaluation_rows: float
    evaluation_gb: float
    label_hours: float
    label_gb: float
    event_rows: float
    event_gb: float


def needs(load: Load, constants: Constants = MEASURED) -> Needs:
    """What a load needs.

    Each model's day is one run, in a process of its own, of a code location with all models.

    Example:
        >>> round(needs(Load(1_000_000_000, 50, 1)).scan_hours, 2)
        0.52
    """
    c = constants
    cells = load.rows * load.columns
    scan = cells * c.scan_segments_ns * 1e-9 / _SECONDS
    loading = load.models * c.load_milliseconds_a_model / 1e3
    runs = load.models * (c.run_seconds + c.start_seconds + loading) / _SECONDS
    profile = load.columns * (
        c.profile_bytes_a_column + SEGMENTS * c.profile_bytes_a_column_and_segment
    )
    evaluations = load.models * load.columns * c.evaluations_a_column * _DAYS
    labelled = (c.prediction_microseconds + c.label_microseconds) * 1e-6
    events = load.models * c.events_a_model_and_day * _DAYS
    return Needs(
        scan_hours=scan,
        run_hours=runs,
        cores=(scan + runs) / WINDOW_HOURS,
        profile_gb=load.models * profile * _DAYS / 1e9,
        evaluation_rows=evaluations,
        evaluation_gb=evaluations * c.evaluation_bytes / 1e9,
        label_hours=load.rows * labelled / _SECONDS,
        label_gb=load.rows * (c.prediction_bytes + c.label_bytes) * _DAYS / 1e9,
        event_rows=events,
        event_gb=events * c.event_bytes / 1e9,
    )


def needs_lines() -> list[str]:
    """The table of loads."""
    heads = ["rows a day x columns x models"]
    heads += ["scan, core hours", "runs, core hours", f"cores for {WINDOW_HOURS:g} h"]
    heads += ["profiles, GB a year", "evaluations a year", "their GB"]
    heads += ["ids and labels, hours a day", "their GB a year", "events a year", "their GB"]
    rows = []
    for load in LOADS:
        found = needs(load)
        name = f"{_short(load.rows)} x {load.columns} x {load.models:,}"
        rows.append([name, *(_short(getattr(found, field.name)) for field in fields(Needs))])
    return table_lines(heads, rows)


def constant_lines() -> list[str]:
    """The table of constants."""
    rows = [
        [field.name.replace("_", " "), f"{getattr(MEASURED, field.name):,.4g}"]
        for field in fields(Constants)
    ]
    return table_lines(["constant", "value"], rows)


def _short(value: float) -> str:
    """Two digits, and thousands in words; less than a hundredth is said to be that.

    Example:
        >>> _short(0.00123), _short(1.26), _short(41_000), _short(10_000_000_000)
        ('< 0.01', '1.3', '41 k', '10 bn')
    """
    if value < _LEAST:
        return "< 0.01"
    for size, unit in ((1e9, " bn"), (1e6, " M"), (1e3, " k")):
        if value >= size * 0.995:
            return f"{_digits(value / size)}{unit}"
    return _digits(value)


def _digits(value: float) -> str:
    rounded = float(f"{value:.2g}")
    return f"{rounded:.0f}" if rounded >= 10 else f"{rounded:g}"  # noqa: PLR2004 - two digits


if __name__ == "__main__":
    print("\n".join([*constant_lines(), "", *needs_lines()]))
