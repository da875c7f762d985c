"""Everything Dagster loads: one folder for each component."""
