"""Arrow batches in, mergeable summaries out."""
