"""Profiles as files, a partition each, on any fsspec path."""

from __future__ import annotations

from collections.abc import Iterable

import dagster as dg

from dagster_monitoring.model import MonitoredModel
from dagster_monitoring.orchestration.backend import open_backend
from dagster_monitoring.orchestration.counting import keep_slice
from dagster_monitoring.profiles.profile import Profile


def io_manager_key(model: MonitoredModel) -> str:
    """The resource key of the model's IO manager."""
    return f"{model.model}_profile_io_manager"


class ProfileIOManager(dg.IOManager):
    """Writes profiles one by one as they are scanned, so a year's backfill holds one at a time.

    An asset downstream that takes the profile as an input gets a ``Profile``, or for several
    partitions a mapping from partition to ``Profile``.
    """

    def __init__(self, model: MonitoredModel) -> None:
        self.model = model

    def handle_output(self, context: dg.OutputContext, obj: Iterable[tuple[str, Profile]]) -> None:
        """Write each profile under the baseline that its partition is judged by."""
        with open_backend(self.model) as backend:
            for partition, profile in obj:
                version = backend.baseline_in_force(partition).version
                others = keep_slice(backend, version, partition, profile)
                if others:
                    context.log.info(f"{partition} was counted again on {', '.join(others)} too")
        context.log.debug(f"profiles are below {self.model.storage.path}/{self.model.model}")

    def load_input(self, context: dg.InputContext) -> Profile | dict[str, Profile]:
        """The profile of each partition asked for."""
        with open_backend(self.model) as backend:
            found = {
                partition: backend.storage.read(
                    self.model.model, backend.baseline_in_force(partition).version, partition
                )
                for partition in context.asset_partition_keys
            }
        return found if len(found) != 1 else next(iter(found.values()))
