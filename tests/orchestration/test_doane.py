"""Doane's bins, asked for by a monitor, from slices in files to verdicts."""

import numpy as np
import pytest
from scipy.spatial.distance import jensenshannon

from dagster_monitoring.evaluation import Status
from tests.orchestration.world import baseline_rows, new_world, rows

N = 400
ON_DECILES = {"type": "drift", "window": 1, "columns": ["temp"], "metrics": ["jensen_shannon"]}
MONITORS = [
    {**ON_DECILES, "name": "on_deciles"},
    {**ON_DECILES, "name": "on_thirty", "bins": {"equal_width": 30}},
    {**ON_DECILES, "name": "on_doane", "bins": "doane", "segments": True},
]


def told(training, day, edges):
    """Jensen-Shannon as NannyML has it: what lies outside is a bin of its own."""
    p, q = (np.histogram(values, edges)[0] for values in (training, day))
    return jensenshannon([*p, len(training) - p.sum()], [*q, len(day) - q.sum()], base=2)


def test_monitors_of_one_model_ask_for_several_bins_and_get_them(tmp_path):
    with new_world(tmp_path, monitors=MONITORS) as made:
        made.serve(0, rows(0, N))
        made.setup()
        made.day(0)
        training = baseline_rows()["temp"].to_numpy()
        day = rows(0, N)["temp"].to_numpy()
        edges = np.histogram_bin_edges(training, bins="doane")
        found = made.cell(0, "on_doane", "jensen_shannon", "temp")
        assert found.value == pytest.approx(told(training, day, edges), rel=1e-9)
        others = [
            made.cell(0, m, "jensen_shannon", "temp").value for m in ("on_deciles", "on_thirty")
        ]
        assert len({found.value, *others}) == 3
        of_segments = [e for e in made.of_day(0, "on_doane") if e.segment is not None]
        assert of_segments
        assert all(e.value is not None for e in of_segments)


def test_a_monitor_declared_later_gets_them_with_a_new_baseline(tmp_path):
    with new_world(tmp_path, monitors=MONITORS[:1]) as plain:
        plain.serve(0, rows(0, N))
        plain.serve(1, rows(1, N))
        plain.setup()
        plain.day(0)
        later = plain.declare(monitors=MONITORS)
        later.day(0)
        assert later.cell(0, "on_doane", "jensen_shannon", "temp").status is Status.NO_DATA
        later.job("setup")
        later.day(1)
        assert later.cell(1, "on_doane", "jensen_shannon", "temp").value is not None
