"""Numbers in, numbers out: no files, no clocks, no thresholds' verdicts."""
