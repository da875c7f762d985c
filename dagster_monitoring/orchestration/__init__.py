"""A model's graph in Dagster: its assets, checks, sensors and jobs."""
