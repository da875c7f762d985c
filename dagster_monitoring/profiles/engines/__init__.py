"""Engines that turn Arrow batches into profiles."""
