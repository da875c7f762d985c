"""The engine of this very process: rows are read in batches and counted as they come."""

from __future__ import annotations

from typing import Literal

from dagster_monitoring.declaration import Declaration
from dagster_monitoring.profiles.engines._engine import ScanPlan, SliceRows
from dagster_monitoring.profiles.profile import Profile


class LocalEngine(Declaration):
    """Scans a slice in the process that runs the asset, in bounded memory.

    Example:
        >>> LocalEngine().type
        'local'
    """

    type: Literal["local"] = "local"

    def profile(self, rows: SliceRows, plan: ScanPlan) -> Profile:
        """See :meth:`Engine.profile`."""
        return plan.scan(rows.batches())
