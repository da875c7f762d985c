"""The asset ``<model>/incidents``: what is open, as Dagster shows it."""

from __future__ import annotations

from collections.abc import Sequence

import dagster as dg

from dagster_monitoring.incidents import Incident
from dagster_monitoring.model import MonitoredModel
from dagster_monitoring.orchestration.asset_specs import build_spec
from dagster_monitoring.orchestration.naming import asset_key

_COLUMNS = ("id", "severity", "status", "cause", "since", "last bad", "monitors", "owner")
_MAX_ROWS = 50


def build_incident_spec(model: MonitoredModel) -> dg.AssetSpec:
    """The asset; no job makes it, the alert job tells what it is.

    It names no assets upstream: a user's job that selects what lies downstream of an asset of
    theirs would then try to run it.
    """
    return build_spec(
        model,
        "incidents",
        description="Incidents that are open, as of the last run of the alert job.",
        deps=[],
        kinds={"incidents"},
        partitioned=False,
    )


def incident_materialization(
    model: MonitoredModel, is_open: Sequence[Incident]
) -> dg.AssetMaterialization:
    """What is open now: how many, for the plot, and a table of them, worst first, at most 50."""
    schema = dg.TableSchema(columns=[dg.TableColumn(name) for name in _COLUMNS])
    records = [dg.TableRecord(_row(one)) for one in is_open[:_MAX_ROWS]]
    return dg.AssetMaterialization(
        asset_key(model, "incidents"),
        metadata={
            "open": len(is_open),
            "incidents": dg.MetadataValue.table(records, schema=schema),
        },
    )


def _row(one: Incident) -> dict[str, str]:
    cells = (
        one.id, one.severity.value, one.status.value, one.cause.value, one.opened_partition,
        one.last_partition, ", ".join(one.monitors), one.owner or "",
    )  # fmt: skip
    return dict(zip(_COLUMNS, cells, strict=True))
