"""One run over an asset's partitions: judged, recorded, and what each verdict rests on noted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from dagster_monitoring.errors import DataError
from dagster_monitoring.evaluation import Evaluation
from dagster_monitoring.monitors import Monitor
from dagster_monitoring.orchestration.backend import Backend
from dagster_monitoring.orchestration.declarations import Declarations, Rule
from dagster_monitoring.orchestration.evaluator import Evaluator
from dagster_monitoring.orchestration.label_state import LabelState
from dagster_monitoring.orchestration.performance_profiles import (
    joined_labels,
    write_performance_profile,
)
from dagster_monitoring.orchestration.windows import SliceProfiles
from dagster_monitoring.stores import Judgement

ON_LABELS = "performance"
"""The asset whose verdicts rest on labels."""


class Judging:
    """Judges partitions for one asset, in any order, each with the same verdict.

    Args:
        backend: the model's storage and store.
        asset: ``drift``, ``data_quality`` or ``performance``.
        declarations: which settings judge.
        run_id: the run that judges, for the record.
        now: the moment as of which labels are read, and due.
        log: is told of a slice that can't be joined with its labels.
    """

    def __init__(
        self,
        backend: Backend,
        asset: str,
        declarations: Declarations,
        *,
        run_id: str | None,
        now: datetime,
        log: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.declarations = declarations
        self._backend, self._asset, self._now, self._log = backend, asset, now, log
        # Before anything is read: what changes from now on is not known to these verdicts.
        self._knew = backend.store.judgements.changes(backend.model.model)
        self._states: dict[str, LabelState | None] = {}
        self._profiles = SliceProfiles(backend, now=now)
        self._evaluator = Evaluator(backend, self._profiles, run_id=run_id, now=now)
        self.monitors = tuple(m for m in backend.model.active_monitors if m.asset == asset)

    @property
    def counted(self) -> dict[str, list[str]]:
        """The slices that windows had counted so far, by the baseline's version."""
        return self._profiles.counted

    def judge(
        self, partition: str, monitors: Sequence[Monitor] | None = None
    ) -> dict[str, list[Evaluation]]:
        """Evaluate the asset's monitors, or some of them, and keep the result."""
        asked = self.monitors if monitors is None else monitors
        rules = self.declarations.rules(partition, asked)
        if self._asset == ON_LABELS:
            self._join(partition)
        found = self._evaluator.evaluate(rules, partition)
        store = self._backend.store
        with store.transaction():
            rows = [evaluation for some in found.by_monitor.values() for evaluation in some]
            judgement = self._judgement(partition, rules, rows, back=found.back)
            knows_all = store.judgements.knows_all(judgement)
            store.evaluations.record(rows, complete=True, knows_all=knows_all)
            if len(rules) == len(self.monitors):
                store.judgements.note(judgement)
        return found.by_monitor

    def measure_ahead(
        self, partitions: Sequence[str], monitors: Sequence[Monitor] | None = None
    ) -> None:
        """Measure at partitions that are judged next, which together takes less time.

        Not what rests on labels: each partition is joined with them when it is judged. Nor by
        settings that are chosen for a partition: the choice is kept with its verdict.
        """
        if self._asset == ON_LABELS or self.declarations.chosen is not None:
            return
        asked = self.monitors if monitors is None else monitors
        rules = ((self.declarations.rules(key, asked), key) for key in partitions)
        self._evaluator.measure_ahead(rules)

    def _join(self, partition: str) -> None:
        try:
            change = write_performance_profile(self._backend, partition, as_of=self._now)
        except DataError as error:
            self._log(str(error))
        else:
            self._profiles.knows(change)
            self._states.pop(partition, None)

    def _judgement(
        self, partition: str, rules: Sequence[Rule], found: Sequence[Evaluation], *, back: int
    ) -> Judgement:
        model = self._backend.model
        views = [(rule.monitor, self._evaluator.view(rule, partition)) for rule in rules]
        days = model.partitions.between(model.partitions.shift(partition, -back), partition)
        on_labels = self._asset == ON_LABELS
        moments = self._moments(days, rules, found) if on_labels else []
        moments += [at for monitor, view in views for at in monitor.changes_at(view)]
        return Judgement(
            model=model.model,
            asset=self._asset,
            days=days,
            knew=self._knew,
            on_labels=on_labels,
            due=min((at for at in moments if at > self._now), default=None),
            made=frozenset(self._profiles.changes),
        )

    def _moments(
        self, days: Sequence[str], rules: Sequence[Rule], found: Sequence[Evaluation]
    ) -> list[datetime]:
        """When the verdicts change by themselves: labels become available, or become due."""
        moments = []
        for day in days:
            # What was due before and still is belongs to a slice that can't be read: no reason.
            joined = self._joined(day)
            if joined is not None and joined.due is not None and joined.due > self._now:
                moments.append(joined.due)
            due = max((d for rule in rules if (d := self._due(rule, day))), default=None)
            if due is not None and due > self._now and self._may_change(day, days[-1], found):
                moments.append(due)
        return moments

    def _joined(self, day: str) -> LabelState | None:
        """The labels that a day was joined with; read once, as its counts are."""
        if day not in self._states:
            self._states[day] = joined_labels(self._backend, day)
        return self._states[day]

    def _due(self, rule: Rule, day: str) -> datetime | None:
        return self._evaluator.view(rule, day).labels_due

    def _may_change(self, day: str, judged: str, found: Sequence[Evaluation]) -> bool:
        """Whether a day's verdict is another one when its labels are due, without a new label."""
        own = self._profiles.performance_window(last=day, length=1).profile
        waits = day == judged and any(e.value is None for e in found)
        return waits or own.n_labelled < own.n
