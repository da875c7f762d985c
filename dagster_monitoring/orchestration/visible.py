"""What a run says of the settings that judged, and of slices that it had to count again."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

import dagster as dg

from dagster_monitoring.evaluation import Evaluation
from dagster_monitoring.monitors import Monitor
from dagster_monitoring.orchestration.backend import Backend
from dagster_monitoring.orchestration.declarations import DECLARED_TAG, Declarations
from dagster_monitoring.orchestration.partitioned_checks import PartitionVerdict

# What Dagster tags a run with that no person launched.
_BY_ITSELF = ("dagster/schedule_name", "dagster/sensor_name", "dagster/from_automation_condition")
# What `dg dev` sets for the processes below it.
_DEVELOPING = "DAGSTER_IS_DEV_CLI"


class CountedAgain:
    """The slices that windows had counted since this was made, by the baseline's version.

    Args:
        counted: those counted so far; it grows while partitions are judged.
    """

    def __init__(self, counted: Mapping[str, Sequence[str]]) -> None:
        self._counted = counted
        self._before = {version: len(days) for version, days in counted.items()}

    def report(self, log: logging.Logger, partition: str) -> None:
        """Says what was counted, on which baseline, and for which partition."""
        for version, days in self._new().items():
            log.info(
                f"{partition}: {_slices(len(days))} of its windows counted on baseline {version}, "
                f"{min(days)} to {max(days)}"
            )

    def metadata(self) -> dict[str, int | str]:
        """The same for the asset's metadata; empty when nothing was counted."""
        found = self._new()
        if not found:
            return {}
        return {
            "slices counted again": sum(len(days) for days in found.values()),
            "counted on baseline": ", ".join(sorted(found)),
        }

    def _new(self) -> dict[str, Sequence[str]]:
        new = {v: days[self._before.get(v, 0) :] for v, days in self._counted.items()}
        return {version: days for version, days in new.items() if days}


def declarations_of_run(
    backend: Backend, tags: Mapping[str, str], *, now: datetime
) -> Declarations:
    """The settings by which a run judges, as its tags choose.

    In ``dg dev``, runs by hand are drafts until the first run by a schedule or sensor: settings
    that change meanwhile judge every day, also those judged before.

    Raises:
        dg.Failure: the tag says something else than ``now`` or ``then``.
    """
    chosen = tags.get(DECLARED_TAG)
    if chosen not in {None, "now", "then"}:
        raise dg.Failure(f"run tag {DECLARED_TAG} is {chosen!r}: write now, or then")
    cursor = f"{backend.model.model}/in-production"
    by_itself = any(tag in tags for tag in _BY_ITSELF)
    is_draft = bool(os.environ.get(_DEVELOPING)) and not by_itself
    if not is_draft and backend.store.cursors.get(cursor) is None:
        backend.store.cursors.set(cursor, now.isoformat())
    return Declarations(
        backend=backend,
        now=now,
        chosen="now" if chosen == "now" else "then" if chosen == "then" else None,
        drafting=is_draft and backend.store.cursors.get(cursor) is None,
    )


def with_settings(
    verdict: PartitionVerdict,
    declarations: Declarations,
    monitor: Monitor,
    evaluations: Sequence[Evaluation],
) -> PartitionVerdict:
    """A verdict that says which settings judged and, where today's are others, how to use them."""
    version = evaluations[0].declaration_version if evaluations else None
    if version is None:
        return verdict
    first = evaluations[0]
    text = f"{version}, " + ("chosen by hand" if first.declared == "now" else "in force then")
    metadata = {**verdict.metadata, "settings": dg.MetadataValue.text(text)}
    settings = declarations.version(version)
    judged_by = settings.monitors.get(monitor.name) if settings else None
    if judged_by is None or judged_by == monitor:
        return replace(verdict, metadata=metadata)
    command = (
        f"dagster-monitoring backfill {first.model} --from {verdict.partition} "
        f"--to {verdict.partition} --as-declared-now"
    )
    metadata["to judge by today's settings"] = dg.MetadataValue.text(
        f"{command}, or run it with the tag {DECLARED_TAG}: now"
    )
    description = (
        f"{verdict.description} Judged by the settings of then ({version}); today's differ. "
        f"To judge by today's: {command}"
    )
    return replace(verdict, description=description, metadata=metadata)


def _slices(count: int) -> str:
    return "1 slice" if count == 1 else f"{count} slices"
