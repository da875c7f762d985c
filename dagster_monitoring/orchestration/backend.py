"""What a model's assets, sensors and commands work with: its storage, store and registry."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from dagster_monitoring.errors import BaselineError, DeclarationError
from dagster_monitoring.model import MonitoredModel
from dagster_monitoring.profiles.baseline import Baseline
from dagster_monitoring.profiles.storage import ProfileStorage
from dagster_monitoring.retraining import ModelRegistry
from dagster_monitoring.sources import GroundTruth
from dagster_monitoring.stores import Store, open_store

# Where Dagster's web server can be reached, for links in messages; Dagster itself does not know.
URL_VARIABLE = "DAGSTER_MONITORING_UI_URL"


@dataclass(frozen=True, slots=True, kw_only=True)
class Backend:
    """A model's declaration with everything that holds its state, open."""

    model: MonitoredModel
    storage: ProfileStorage
    registry: ModelRegistry
    store: Store
    _baselines: dict[str, Baseline] = field(default_factory=dict)

    @property
    def ground_truth(self) -> GroundTruth:
        """The feed of labels.

        Raises:
            DeclarationError: the model declares none.
        """
        if self.model.ground_truth is None:
            raise DeclarationError(
                f"{self.model.model}: no ground truth is declared (field ground_truth)"
            )
        return self.model.ground_truth

    def baseline_in_force(self, partition: str) -> Baseline:
        """The baseline that judges a partition.

        Raises:
            BaselineError: none was built yet.
        """
        found = self.store.baselines.in_force(self.model.model, partition)
        if found is None:
            raise BaselineError(
                f"{self.model.model}: no baseline was built yet. Materialize the assets champion "
                f"and baseline first (job {self.model.model}_setup)"
            )
        return self.baseline(found.version)

    def baseline(self, version: str) -> Baseline:
        """A baseline by its version, read once."""
        if version not in self._baselines:
            self._baselines[version] = self.storage.read_baseline(self.model.model, version)
        return self._baselines[version]

    def judged_days(self) -> list[str]:
        """The partitions whose labels were looked at, sorted."""
        return self.store.labels.partitions(self.model.model)

    def run_url(self, run_id: str) -> str | None:
        """A link to a run, when the environment says where Dagster's web server is."""
        base = ui_url()
        return f"{base}/runs/{run_id}" if base else None


def ui_url() -> str | None:
    """Where Dagster's web server is, without a slash at the end, when the environment says."""
    return os.environ.get(URL_VARIABLE, "").rstrip("/") or None


@contextmanager
def open_backend(model: MonitoredModel) -> Iterator[Backend]:
    """The model's backend, closed at the end.

    Raises:
        StoreError: the store can't be reached.
    """
    trusted = model.retraining.trusted_types if model.retraining else ()
    storage = model.storage
    with open_store(storage.database_url, label_folder=storage.label_folder) as store:
        if model.ground_truth is not None:
            store.labels.follow(model.model, model.label_ledger)
        yield Backend(
            model=model,
            storage=ProfileStorage(model.storage.path),
            registry=ModelRegistry(
                f"{model.storage.path}/{model.model}/models", trusted_types=trusted
            ),
            store=store,
        )
