"""What importing the package costs, and what it promises."""

import json
import subprocess
import sys

import dagster_monitoring

# Loaded where they are used: each takes from tenths of a second to seconds.
HEAVY = (
    "scipy.stats",
    "sklearn",
    "great_expectations",
    "slack_sdk",
    "matplotlib",
    "pandas",
    "skops",
    "rich",
    "requests",
    "psycopg2",
)

PUBLIC = [
    "AbsoluteThreshold",
    "AssetSource",
    "BinaryClassification",
    "Columns",
    "DataQualityMonitor",
    "DriftMonitor",
    "Evaluation",
    "GreatExpectationsMonitor",
    "LabelCoverageMonitor",
    "LearnedThreshold",
    "ModelMonitoringComponent",
    "MonitoredModel",
    "MonitoringError",
    "MulticlassClassification",
    "ParquetSource",
    "Partitions",
    "PerformanceMonitor",
    "Regression",
    "RelativeThreshold",
    "Severity",
    "SqlSource",
    "Status",
    "build_monitoring_defs",
    "open_store",
    "report_labels",
]


def loaded_by(statement: str) -> set[str]:
    """The modules that a new interpreter has loaded after a statement."""
    script = f"import sys, json\n{statement}\nprint(json.dumps(sorted(sys.modules)))"
    run = subprocess.run(  # noqa: S603 - this project's own commands
        [sys.executable, "-W", "ignore", "-c", script], capture_output=True, text=True, check=True
    )
    return set(json.loads(run.stdout.splitlines()[-1]))


def test_importing_loads_nothing_heavy_that_dagster_does_not():
    loaded = loaded_by("import dagster_monitoring")
    own = loaded - loaded_by("import dagster")
    assert {m for m in loaded if m.startswith(("scipy.stats", "sklearn", "great_exp"))} == set()
    assert [name for name in HEAVY if name in own] == []
    assert not {"scipy.stats", "sklearn", "great_expectations", "slack_sdk", "matplotlib"} & loaded


def test_declaring_a_model_and_its_definitions_loads_nothing_heavy():
    """The code server does this at every start."""
    statement = """
import dagster_monitoring as m
model = m.MonitoredModel.read({
    "model": "late",
    "task": {"type": "binary_classification", "label": "y", "prediction": "p", "score": "s"},
    "columns": {"id": "id", "timestamp": "at", "numeric": ["a"], "categorical": ["b"]},
    "partitions": {"start": "2024-01-01"},
    "baseline": {"type": "parquet", "path": "b.parquet"},
    "predictions": {"type": "parquet", "path": "{partition}.parquet"},
    "ground_truth": {"type": "parquet", "path": "l/*.parquet"},
    "alerts": [{"type": "slack", "channel": "#x", "token": {"env": "T"}}, {"type": "console"}],
    "retraining": {"cooldown_days": 7},
})
m.build_monitoring_defs(model)
"""
    heavy = {"scipy.stats", "sklearn", "great_expectations", "slack_sdk", "matplotlib"}
    assert not heavy & loaded_by(statement)


def test_the_public_names_are_these():
    assert dagster_monitoring.__all__ == PUBLIC
    assert len(PUBLIC) <= 25
    for name in PUBLIC:
        assert getattr(dagster_monitoring, name).__doc__, name
