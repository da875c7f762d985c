"""The demo's model as Dagster definitions, for ``dagster dev`` in a checkout of this package.

It shows the project that ``dagster-monitoring demo`` laid out in the current folder; before that,
the same graph over the template, without data.
"""

from pathlib import Path

import dagster as dg
import yaml

from dagster_monitoring.demo.world import PROJECT
from dagster_monitoring.model import MonitoredModel
from dagster_monitoring.orchestration.clock import Clock, utc_now
from dagster_monitoring.orchestration.definitions import build_monitoring_defs

DEFAULT_FOLDER = "dagster-monitoring-demo"
DECLARATION = Path("src/flight_delays/defs/flight_delay/defs.yaml")


def read_model(project: Path) -> MonitoredModel:
    """The model that a demo project declares.

    Raises:
        DeclarationError: the YAML was changed to what can't be right.
    """
    file = project / DECLARATION
    attributes = yaml.safe_load(file.read_text())["attributes"]
    return MonitoredModel.read(attributes, where=f"{file}: ").rooted(project.resolve())


def build(project: Path, *, clock: Clock = utc_now) -> dg.Definitions:
    """The definitions of a demo project, with any clock."""
    return build_monitoring_defs(read_model(project), clock=clock)


_laid_out = Path(DEFAULT_FOLDER)
defs = build(_laid_out if (_laid_out / DECLARATION).exists() else PROJECT)
