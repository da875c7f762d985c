"""Dagster's own warnings are its business here: beta and preview features, used on purpose."""

import pytest


def pytest_collection_modifyitems(items):
    for item in items:
        if "tests/security" in str(item.path):
            for category in ("PreviewWarning", "BetaWarning"):
                item.add_marker(pytest.mark.filterwarnings(f"ignore::dagster.{category}"))
