"""Declarations in force: from which partition on each version of the settings judges."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from dagster_monitoring.stores._database import Database
from dagster_monitoring.stores._tables import (
    declaration_settings,
    declarations,
    declarations_chosen,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclarationInForce:
    """A version of what a model's monitors are told, and the partitions it judges.

    Args:
        version: the settings' hash.
        valid_from: the first partition it judges; it does so until the next one's ``valid_from``.
    """

    model: str
    version: str
    valid_from: str
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """The settings and the baseline by which someone had a monitor judge a partition."""

    version: str
    baseline_version: str


_COLUMNS = [declarations.c[name] for name in DeclarationInForce.__dataclass_fields__]


class DeclarationStore:
    """Which settings judge which partition; a verdict of the past keeps its own."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def keep(self, model: str, version: str, settings: str) -> None:
        """Keeps settings under their version, once."""
        with self._database.write() as connection:
            if self.settings(model, version) is None:
                row = {"model": model, "version": version, "settings": settings}
                connection.execute(sa.insert(declaration_settings), [row])

    def settings(self, model: str, version: str) -> str | None:
        """The settings of a version; ``None`` when it was never kept."""
        table = declaration_settings.c
        query = sa.select(table.settings).where(table.model == model, table.version == version)
        with self._database.read() as connection:
            return connection.execute(query).scalar()

    def put_in_force(self, declared: DeclarationInForce) -> None:
        """Lets settings judge from a partition on, in place of all that begin there or later."""
        table = declarations.c
        with self._database.write() as connection:
            later = sa.and_(table.model == declared.model, table.valid_from >= declared.valid_from)
            connection.execute(sa.delete(declarations).where(later))
            row = {
                name: getattr(declared, name) for name in DeclarationInForce.__dataclass_fields__
            }
            connection.execute(sa.insert(declarations), [row])

    def list(self, model: str) -> list[DeclarationInForce]:
        """A model's versions in the order in which they judge."""
        table = declarations.c
        query = sa.select(*_COLUMNS).where(table.model == model).order_by(table.valid_from)
        with self._database.read() as connection:
            return [DeclarationInForce(**row) for row in connection.execute(query).mappings()]

    def choose(
        self, model: str, partition: str, monitors: Collection[str], chosen: Chosen | None
    ) -> None:
        """Has monitors judge a partition by chosen settings from now on.

        ``None`` for those in force at the partition again.
        """
        table = declarations_chosen.c
        with self._database.write() as connection:
            here = sa.and_(
                table.model == model, table.partition == partition, table.monitor.in_(monitors)
            )
            connection.execute(sa.delete(declarations_chosen).where(here))
            if chosen is not None and monitors:
                row = {
                    "model": model,
                    "partition": partition,
                    "version": chosen.version,
                    "baseline_version": chosen.baseline_version,
                }
                rows = [row | {"monitor": name} for name in sorted(monitors)]
                connection.execute(sa.insert(declarations_chosen), rows)

    def chosen(self, model: str, partition: str) -> Mapping[str, Chosen]:
        """What was chosen for a partition, by monitor; those without a choice are left out."""
        table = declarations_chosen.c
        query = sa.select(table.monitor, table.version, table.baseline_version).where(
            table.model == model, table.partition == partition
        )
        with self._database.read() as connection:
            return {
                row.monitor: Chosen(version=row.version, baseline_version=row.baseline_version)
                for row in connection.execute(query)
            }
