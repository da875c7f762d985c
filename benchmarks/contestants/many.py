"""The arguments and days of the scripts that go through many days; standard library only."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from shape import DAY


@dataclass(frozen=True)
class ManyDays:
    """``folder`` has ``training.parquet`` and the days that production goes through in turn."""

    folder: Path
    days: int
    scope: str

    @property
    def training(self) -> Path:
        """The training rows."""
        return self.folder / "training.parquet"

    def files(self) -> list[tuple[str, Path]]:
        """Partition and file of each day; the few files there are come round again and again."""
        found = sorted(self.folder.glob("day-*.parquet"))
        first = date.fromisoformat(DAY)
        return [
            ((first + timedelta(days=i)).isoformat(), found[i % len(found)])
            for i in range(self.days)
        ]


def read_many_days(*scopes: str) -> ManyDays:
    """The script's arguments."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--days", type=int, required=True)
    parser.add_argument("--scope", choices=scopes, default=scopes[0])
    parsed = parser.parse_args()
    return ManyDays(parsed.folder, parsed.days, parsed.scope)
