"""A day of production for each thing that can be wrong with it."""

from datetime import timedelta

import numpy as np
import pyarrow as pa

from dagster_monitoring.evaluation import Evaluation
from tests.orchestration.world import MOMENT, ROWS, World, rows, write

FAULTS = (
    "good",
    "missing column",
    "extra column",
    "wrong type in one file",
    "empty file",
    "corrupt file",
    "no bytes",
    "no file",
    "duplicate ids",
    "outside the day",
    "no zone",
    "many categories",
    "infinities",
    "hostile value",
    "one class",
    "all null",
    "no ids",
    "good again",
)
DAY = {fault: number for number, fault in enumerate(FAULTS)}
HOSTILE = "<script>alert(1)</script>'; DROP TABLE x;--\n| a | b |\r\n=1+1"
MONITORS = [
    {"type": "data_quality"},
    {"type": "drift", "columns": "all", "window": 1},
    {"type": "performance", "metrics": ["accuracy", "roc_auc"], "window": 1},
    {"type": "label_coverage"},
]


def put(table: pa.Table, name: str, values: object) -> pa.Table:
    return table.set_column(table.column_names.index(name), name, pa.array(values))


def serve_fault(world: World, fault: str) -> None:
    number = DAY[fault]
    table = rows(number)
    path = world.serve(number, table)
    moments = table["at"].to_pylist()
    other_moments = [m - timedelta(days=2) if i < 15 else m for i, m in enumerate(moments)]
    replaced = {
        "missing column": lambda: table.drop(["temp"]),
        "extra column": lambda: table.append_column("novel", table["size"]),
        "empty file": lambda: table.slice(0, 0),
        "duplicate ids": lambda: put(table, "id", ["d8-0"] * 30 + table["id"].to_pylist()[30:]),
        "outside the day": lambda: put(table, "at", pa.array(other_moments, MOMENT)),
        "no zone": lambda: put(table, "at", table["at"].cast(pa.timestamp("us"))),
        "many categories": lambda: put(
            rows(number, 50_000), "city", [f"town-{i}" for i in range(50_000)]
        ),
        "infinities": lambda: put(
            table, "temp", [np.inf, -np.inf, np.nan] * 5 + table["temp"].to_pylist()[15:]
        ),
        "hostile value": lambda: put(
            table, "city", [HOSTILE] * 40 + table["city"].to_pylist()[40:]
        ),
        "all null": lambda: put(table, "temp", pa.nulls(ROWS, pa.float64())),
        "no ids": lambda: table.drop(["id"]),
    }
    if fault in replaced:
        write(replaced[fault](), path)
    elif fault == "wrong type in one file":
        write(table.slice(0, 100), path)
        text = put(table.slice(100), "temp", [f"{v} °C" for v in table["temp"].to_pylist()[100:]])
        world.serve(number, text, file="part-1")
    elif fault == "corrupt file":
        path.write_bytes(path.read_bytes()[:-200])
    elif fault == "no bytes":
        path.write_bytes(b"")
    elif fault == "no file":
        path.unlink()


def cell(world: World, fault: str, monitor: str, metric: str, column=None) -> Evaluation:
    return world.cell(DAY[fault], monitor, metric, column)
