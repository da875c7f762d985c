"""The settings that judge a partition: those in force there, or those that someone chose.

What monitors are told is kept in versions. New settings judge the partitions after the last one
that was judged; a day of the past that is judged again, because its labels came or in a backfill,
is judged by the settings in force then. To judge it by today's is the user's choice, which is kept.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import blake2b
from pathlib import Path
from typing import Literal

from pydantic import TypeAdapter, ValidationError

from dagster_monitoring.incidents import AlertPolicy
from dagster_monitoring.model import MonitoredModel
from dagster_monitoring.monitors import AnyMonitor, Monitor, with_shares
from dagster_monitoring.orchestration.backend import Backend
from dagster_monitoring.schema import Columns
from dagster_monitoring.stores import BaselineInForce, Chosen, DeclarationInForce

Declared = Literal["then", "now"]

DECLARED_TAG = "dagster_monitoring/declared"
"""The tag of a run that chooses: ``now`` for today's settings, ``then`` for those in force."""

_MONITOR: TypeAdapter[Monitor] = TypeAdapter(AnyMonitor)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a model's monitors are told.

    Args:
        version: their hash.
        monitors: by name.
        columns: the columns by their role.
        segments: the columns that rows are grouped by.
        expected_delay_days: of labels; ``None`` without ground truth.
    """

    version: str
    monitors: Mapping[str, Monitor]
    columns: Columns
    segments: tuple[str, ...]
    expected_delay_days: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A monitor as it judges a partition: by which settings, on which baseline, and why those."""

    monitor: Monitor
    settings: Settings
    baseline_version: str
    declared: Declared


@dataclass
class Declarations:
    """The settings of a model's partitions; one object serves one run.

    Args:
        backend: the model's storage and store.
        now: the moment of judging.
        chosen: what the run's user chose; ``None``: what each partition was judged by last.
        drafting: whether today's settings may change without a trace until production begins.
        keeps: whether what is new is put in force; else nothing is written.
    """

    backend: Backend
    now: datetime
    chosen: Declared | None = None
    drafting: bool = False
    keeps: bool = True
    _read: dict[str, Settings | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        store, name, model = self.backend.store, self.backend.model.model, self.backend.model
        text = settings_text(model)
        self.today = _read(text, blake2b(text.encode(), digest_size=6).hexdigest(), model)
        self._read[self.today.version] = self.today
        if self.keeps:
            self._put_in_force(text)
        # One run judges by what is in force when it begins.
        self._versions = store.declarations.list(name)
        new = None if self.keeps else self._news(self._versions)
        self._versions += [new] if new else []
        self._baselines = store.baselines.list(name)

    def rules(self, partition: str, monitors: Sequence[Monitor]) -> list[Rule]:
        """How each of today's monitors judges a partition.

        Raises:
            BaselineError: no baseline was built yet.
        """
        if not self._baselines:
            self.backend.baseline_in_force(partition)  # says what to do
        self._choose(partition, [m.name for m in monitors])
        chosen = self.backend.store.declarations.chosen(self.backend.model.model, partition)
        return [self._rule(partition, m, chosen.get(m.name)) for m in monitors]

    def version(self, version: str) -> Settings | None:
        """The settings of a version; ``None`` for one that can't be read any more."""
        if version not in self._read:
            text = self.backend.store.declarations.settings(self.backend.model.model, version)
            self._read[version] = _read(text, version, self.backend.model) if text else None
        return self._read[version]

    def _rule(self, partition: str, monitor: Monitor, chosen: Chosen | None) -> Rule:
        if chosen is not None:
            version, baseline, declared = chosen.version, chosen.baseline_version, "now"
        else:
            version, declared = _in_force(self._versions, partition), "then"
            baseline = _in_force(self._baselines, partition)
        settings = self.version(version)
        known = settings.monitors.get(monitor.name) if settings else None
        if settings is None or known is None or known.asset != monitor.asset:
            # It did not exist then, or its settings of then can't be read any more.
            settings, known, declared = self.today, monitor, "now"
        return Rule(
            monitor=known,
            settings=settings,
            baseline_version=baseline,
            declared="now" if declared == "now" else "then",
        )

    def _choose(self, partition: str, names: Sequence[str]) -> None:
        if self.chosen is None:
            return
        store, name = self.backend.store, self.backend.model.model
        newest = self._baselines[-1].version
        today = Chosen(version=self.today.version, baseline_version=newest)
        choice = today if self.chosen == "now" else None
        store.declarations.choose(name, partition, names, choice)

    def _put_in_force(self, text: str) -> None:
        """Today's settings judge from the partition on that follows the last judged one."""
        model, store = self.backend.model.model, self.backend.store
        with store.transaction():
            new = self._news(store.declarations.list(model))
            if new is not None:
                store.declarations.keep(model, new.version, text)
                store.declarations.put_in_force(new)

    def _news(self, known: Sequence[DeclarationInForce]) -> DeclarationInForce | None:
        """Today's settings as those that judge from now on; ``None`` where they do already."""
        model = self.backend.model
        if known and known[-1].version == self.today.version:
            return None
        judged = self.backend.store.evaluations.last_partition(model.model)
        is_first = not known or judged is None or self.drafting
        return DeclarationInForce(
            model=model.model,
            version=self.today.version,
            valid_from=model.partitions.first
            if is_first or judged is None
            else model.partitions.shift(judged, 1),
            created_at=self.now,
        )


def _in_force(versions: Sequence[DeclarationInForce | BaselineInForce], partition: str) -> str:
    """The version that judges a partition; before the first one's start, the first."""
    begun = [v for v in versions if v.valid_from <= partition]
    return begun[-1].version if begun else versions[0].version


def settings_text(model: MonitoredModel) -> str:
    """What the model's monitors are told, as JSON; the same wherever the project lies."""
    monitors = [_portable(m.model_dump(mode="json"), model.root) for m in model.active_monitors]
    feed, policy = model.ground_truth, model.alert_policy
    settings = {
        "monitors": sorted(monitors, key=lambda m: str(m["name"])),
        "columns": model.columns.model_dump(mode="json"),
        "segments": list(model.segments),
        "expected_delay_days": feed.expected_delay_days if feed else None,
        "false_pages_per_month": policy.false_pages_per_month,
        "for": policy.for_,
    }
    return json.dumps(settings, sort_keys=True)


def current_settings(model: MonitoredModel, monitors: Sequence[Monitor]) -> Settings:
    """Today's settings with some monitors in place of the model's; kept nowhere."""
    feed = model.ground_truth
    return Settings(
        version="",
        monitors={monitor.name: monitor for monitor in monitors},
        columns=model.columns,
        segments=model.segments,
        expected_delay_days=feed.expected_delay_days if feed else None,
    )


def _read(text: str, version: str, model: MonitoredModel) -> Settings:
    given = json.loads(text)
    read = [_monitor(entry, model.root) for entry in given["monitors"]]
    every = model.partitions.every
    counted = [m.counted_in(every) for m in read if m is not None]
    # Settings that were kept before there was a budget have none.
    policy = AlertPolicy.model_validate(
        {
            "for": given.get("for", 1),
            "false_pages_per_month": given.get("false_pages_per_month"),
        }
    )
    monitors = with_shares(counted, policy, every=every)
    return Settings(
        version=version,
        monitors={m.name: m for m in monitors},
        columns=Columns.model_validate(given["columns"]),
        segments=tuple(given["segments"]),
        expected_delay_days=given["expected_delay_days"],
    )


def _monitor(entry: dict[str, object], root: Path) -> Monitor | None:
    path = entry.get("path")
    if isinstance(path, str) and "://" not in path and not Path(path).is_absolute():
        entry = entry | {"path": str(root / path)}
    try:
        return _MONITOR.validate_python(entry)
    except ValidationError:
        # Another version of this package wrote it.
        return None


def _portable(entry: dict[str, object], root: Path) -> dict[str, object]:
    path = entry.get("path")
    if isinstance(path, str) and Path(path).is_relative_to(root):
        return entry | {"path": str(Path(path).relative_to(root))}
    return entry
