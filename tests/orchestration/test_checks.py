"""What a check shows first."""

from dagster_monitoring.evaluation import Severity, Status
from dagster_monitoring.monitors.data_quality import DataQualityMonitor
from dagster_monitoring.orchestration.checks import to_verdict
from tests.alerts.conftest import evaluation


def test_what_passed_a_limit_of_nothing_at_all_comes_before_what_passed_another_by_little():
    monitor = DataQualityMonitor()
    rows = [
        evaluation(monitor.name, metric="missing_share", column="a", value=0.21, upper=0.2),
        evaluation(monitor.name, metric="duplicate_ids", column=None, value=0.4, upper=0.0),
        evaluation(
            monitor.name,
            metric="row_count",
            column=None,
            value=900.0,
            lower=800.0,
            upper=None,
            status=Status.HEALTHY,
            severity=None,
        ),
        evaluation(monitor.name, column="b", value=0.9, severity=Severity.WARN),
    ]
    verdict = to_verdict(monitor, rows[0].partition, rows, history=lambda _: [])
    table = verdict.metadata["evaluations"]
    shown = [record.data["metric"] for record in table.records]
    assert shown == ["duplicate_ids", "missing_share", "psi", "row_count"]
