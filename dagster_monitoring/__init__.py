"""Model monitoring as Dagster assets.

Daily slices of production become profiles; monitors judge them against training and rolling
baselines as asset checks; late labels recompute the days they touch; incidents alert people and
ask for retraining. Declare a model with ``MonitoredModel`` and ``build_monitoring_defs``, or in
YAML with ``ModelMonitoringComponent``.
"""

from dagster_monitoring.errors import MonitoringError
from dagster_monitoring.evaluation import Evaluation, Severity, Status
from dagster_monitoring.model import MonitoredModel
from dagster_monitoring.monitors.data_quality import DataQualityMonitor
from dagster_monitoring.monitors.drift import DriftMonitor
from dagster_monitoring.monitors.great_expectations import GreatExpectationsMonitor
from dagster_monitoring.monitors.label_coverage import LabelCoverageMonitor
from dagster_monitoring.monitors.learned import LearnedThreshold
from dagster_monitoring.monitors.performance import PerformanceMonitor
from dagster_monitoring.monitors.threshold import (
    AbsoluteThreshold,
    RelativeThreshold,
)
from dagster_monitoring.orchestration.component import ModelMonitoringComponent
from dagster_monitoring.orchestration.definitions import build_monitoring_defs
from dagster_monitoring.orchestration.push import report_labels
from dagster_monitoring.schema import (
    BinaryClassification,
    Columns,
    MulticlassClassification,
    Partitions,
    Regression,
)
from dagster_monitoring.sources import AssetSource, ParquetSource, SqlSource
from dagster_monitoring.stores import open_store

__all__ = [
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
