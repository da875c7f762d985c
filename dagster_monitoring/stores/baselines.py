"""Baselines in force: from which partition on each version judges."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import sqlalchemy as sa

from dagster_monitoring.stores._database import Database
from dagster_monitoring.stores._tables import baselines


@dataclass(frozen=True, slots=True, kw_only=True)
class BaselineInForce:
    """A baseline version and the partitions it judges.

    Args:
        valid_from: the first partition it judges; it does so until the next one's ``valid_from``.
    """

    model: str
    version: str
    model_version: str
    valid_from: str
    created_at: datetime


_COLUMNS = [baselines.c[name] for name in BaselineInForce.__dataclass_fields__]


class BaselineStore:
    """Which baseline judges which partition; a verdict of the past keeps its own."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put_in_force(self, baseline: BaselineInForce) -> bool:
        """Lets a version judge from a partition on, again too after another one did.

        Of versions with the same ``valid_from``, the one put in force last judges.

        Returns:
            Whether that changed anything: not when this version is the last of its ``valid_from``.
        """
        with self._database.write() as connection:
            begun = [b for b in self.list(baseline.model) if b.valid_from == baseline.valid_from]
            if begun and begun[-1].version == baseline.version:
                return False
            if begun:
                # Two within one tick of the clock are told apart.
                after = begun[-1].created_at + timedelta(microseconds=1)
                baseline = replace(baseline, created_at=max(baseline.created_at, after))
            connection.execute(
                sa.delete(baselines).where(
                    baselines.c.model == baseline.model,
                    baselines.c.version == baseline.version,
                    baselines.c.valid_from == baseline.valid_from,
                )
            )
            row = {name: getattr(baseline, name) for name in BaselineInForce.__dataclass_fields__}
            connection.execute(sa.insert(baselines), [row])
            return True

    def in_force(self, model: str, partition: str) -> BaselineInForce | None:
        """The version that judges a partition; before the first one's start, the first."""
        versions = self.list(model)
        begun = [b for b in versions if b.valid_from <= partition]
        return begun[-1] if begun else versions[0] if versions else None

    def list(self, model: str) -> list[BaselineInForce]:
        """A model's versions in the order in which they judge."""
        query = (
            sa.select(*_COLUMNS)
            .where(baselines.c.model == model)
            .order_by(baselines.c.valid_from, baselines.c.created_at)
        )
        with self._database.read() as connection:
            return [BaselineInForce(**row) for row in connection.execute(query).mappings()]
