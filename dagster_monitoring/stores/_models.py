"""Models by number, where millions of rows refer to them."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from dagster_monitoring.errors import StoreError
from dagster_monitoring.stores._tables import models
from dagster_monitoring.stores._text import storable


def find_model(model: str) -> sa.ScalarSelect[int]:
    """A model's number as part of a query; null for a model that the store does not know."""
    return sa.select(models.c.id).where(models.c.name == storable(model)).scalar_subquery()


def model_number(connection: sa.Connection, model: str) -> int:
    """A model's number, given now if it has none; in a write transaction."""
    known = connection.execute(sa.select(find_model(model))).scalar()
    if known is not None:
        return int(known)
    return made_id(connection.execute(sa.insert(models).values(name=storable(model))))


def made_id(inserted: sa.CursorResult[Any]) -> int:
    """The id that the database gave to the row just inserted."""
    key = inserted.inserted_primary_key
    if key is None:
        raise StoreError("the database gave no id for a row it took")
    return int(key[0])
