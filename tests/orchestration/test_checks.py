"""What a check shows first."""

import base64
import re
from dataclasses import replace

import pytest

from dagster_monitoring.evaluation import Severity, Status
from dagster_monitoring.monitors.data_quality import DataQualityMonitor
from dagster_monitoring.orchestration.checks import to_verdict
from dagster_monitoring.orchestration.partitioned_checks import PartitionVerdict
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


def test_a_value_is_shown_with_how_sure_it_is():
    monitor = DataQualityMonitor()
    known = evaluation(monitor.name, column="a", value=0.31, standard_error=0.025)
    unknown = evaluation(monitor.name, column="b", value=0.3)
    none = evaluation(monitor.name, column="c", value=None, upper=None, reason="no rows")
    rows = [known, unknown, none]
    verdict = to_verdict(monitor, known.partition, rows, history=lambda _: [])
    table = verdict.metadata["evaluations"]
    shown = {record.data["column"]: record.data["value"] for record in table.records}
    assert shown == {"a": "0.31 ± 0.049", "b": "0.3", "c": None}
    (column,) = [c for c in table.schema.columns if c.name == "value"]
    assert "95 %" in (column.description or "")


def test_the_chart_has_a_whisker_for_each_value_whose_error_is_known():
    """Its length is the interval's in the scale of the values, which the limit and a value give."""
    monitor = DataQualityMonitor()
    last = evaluation(monitor.name, value=0.4, upper=0.2, standard_error=0.05)
    days = [replace(last, partition=f"2013-06-0{i}", value=0.3) for i in range(1, 4)]
    days[0] = replace(days[0], standard_error=None)
    svg = _svg(to_verdict(monitor, last.partition, [last], history=lambda _: days))
    whiskers = re.findall(r"M([\d.]+) ([\d.]+)V([\d.]+)", svg.split('opacity=".4"')[0])[-3:]
    points = re.findall(r'<circle cx="([\d.]+)" cy="([\d.]+)"', svg)
    assert [w[0] for w in whiskers] == [p[0] for p in points[1:]]
    limit = float(re.search(r'<line x1="440\.?0?" x2="[\d.]+" y1="([\d.]+)"', svg)[1])
    unit = (limit - float(points[-1][1])) / (0.4 - 0.2)
    for (_, top, bottom), (_, y) in zip(whiskers, points[1:], strict=True):
        assert float(bottom) - float(top) == pytest.approx(2 * 1.96 * 0.05 * unit, abs=0.3)
        assert (float(bottom) + float(top)) / 2 == pytest.approx(float(y), abs=0.3)


def test_a_value_that_is_hardly_known_does_not_press_the_others_flat():
    monitor = DataQualityMonitor()
    last = evaluation(monitor.name, value=0.4, upper=0.2, standard_error=1e6)
    low = replace(last, partition="2013-06-01", value=0.1, standard_error=None)
    svg = _svg(to_verdict(monitor, last.partition, [last], history=lambda _: [low]))
    ys = [float(y) for y in re.findall(r'<circle cx="[\d.]+" cy="([\d.]+)"', svg)]
    (whisker,) = re.findall(r"M[\d.]+ ([\d.]+)V([\d.]+)", svg.split('opacity=".4"')[0])[-1:]
    assert abs(ys[0] - ys[1]) > 40
    assert (float(whisker[0]), float(whisker[1])) == (32.0, 206.0)  # the panel's edges


def test_thirty_whiskers_cost_an_event_little():
    monitor = DataQualityMonitor()
    last = evaluation(monitor.name, value=0.4, standard_error=0.012)
    days = [replace(last, partition=f"2013-05-{i:02}", value=0.01 * i) for i in range(1, 30)]

    def size(rows: list) -> int:
        verdict = to_verdict(monitor, last.partition, rows[:1], history=lambda _: rows[1:])
        return len(verdict.metadata["plot"].md_str)

    plain = [replace(e, standard_error=None) for e in [last, *days]]
    assert size([last, *days]) - size(plain) < 900
    assert size([last, *days]) < 5_000


def _svg(verdict: PartitionVerdict) -> str:
    data = verdict.metadata["plot"].md_str.split("base64,")[1].rstrip(")")
    return base64.b64decode(data).decode()
