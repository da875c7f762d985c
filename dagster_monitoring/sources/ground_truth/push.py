"""Labels that are handed over, by ``report_labels`` or over HTTP; nothing is fetched."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pyarrow as pa

from dagster_monitoring.errors import DeclarationError
from dagster_monitoring.sources.ground_truth._ground_truth import Delivery, GroundTruth


class PushGroundTruth(GroundTruth):
    """No feed to read: labels come by ``report_labels``, or to ``dagster-monitoring serve-labels``.

    Every kind of ground truth takes labels that way too, beside what it reads.

    Example:
        >>> PushGroundTruth(expected_delay_days=3).deliveries()
        []
    """

    type: Literal["push"] = "push"

    def deliveries(self, after: str | None = None) -> list[Delivery]:  # noqa: ARG002 - there is never one
        """See :meth:`GroundTruth.deliveries`: always empty."""
        return []

    def read(self, delivery: Delivery, *, id: str, label: str) -> Iterator[pa.Table]:  # noqa: A002, ARG002 - nothing to read
        """See :meth:`GroundTruth.read`.

        Raises:
            DeclarationError: always; it gives no deliveries.
        """
        raise DeclarationError(f"ground truth of type push has no delivery {delivery.uri!r}")

    def relative_to(self, root: Path) -> PushGroundTruth:  # noqa: ARG002 - it has no path
        """See :meth:`GroundTruth.relative_to`."""
        return self
