"""Where Dagster starts to read: all that lies in the folder ``defs``."""

from pathlib import Path

import dagster as dg


@dg.definitions
def defs() -> dg.Definitions:
    """Assets, checks, sensors, schedule and jobs of every component in ``defs``."""
    return dg.load_from_defs_folder(path_within_project=Path(__file__).parent)
