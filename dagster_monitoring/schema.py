"""What a model's rows hold: its task, its columns, its partitions."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, available_timezones

from pydantic import Field, field_validator, model_validator

from dagster_monitoring.declaration import Declaration
from dagster_monitoring.errors import DeclarationError, did_you_mean

ClassLabel = int | str | bool


class BinaryClassification(Declaration):
    """Two classes; ``positive`` is the label value that counts as positive."""

    type: Literal["binary_classification"] = "binary_classification"
    label: str = Field(description="Column of the true class, in the ground truth.")
    prediction: str = Field(description="Column of the predicted class.")
    score: str | None = Field(None, description="Column of the positive class's probability, 0..1.")
    positive: ClassLabel = Field(1, description="The label value that is the positive class.")


class MulticlassClassification(Declaration):
    """Three classes or more; ``scores`` maps each class to its probability's column."""

    type: Literal["multiclass_classification"] = "multiclass_classification"
    label: str = Field(description="Column of the true class, in the ground truth.")
    prediction: str = Field(description="Column of the predicted class.")
    scores: dict[str, str] = Field(
        default_factory=dict, description="Class (as text) to the column of its probability."
    )


class Regression(Declaration):
    """A number is predicted."""

    type: Literal["regression"] = "regression"
    label: str = Field(description="Column of the true value, in the ground truth.")
    prediction: str = Field(description="Column of the predicted value.")


class Ranking(Declaration):
    """Rows are ordered within a query; all rows of a query are in one slice."""

    type: Literal["ranking"] = "ranking"
    label: str = Field(
        description="Column of the relevance, a number of at least 0, in the ground truth."
    )
    prediction: str = Field(description="Column of the score: the highest is ranked first.")
    group: str = Field(description="Column of the query that a row belongs to.")
    k: int = Field(10, ge=1, le=1000, description="How many places from the top are judged.")


Task = Annotated[
    BinaryClassification | MulticlassClassification | Regression | Ranking,
    Field(discriminator="type"),
]


class Columns(Declaration):
    """Names of the columns by what they are; a column stands in one role only."""

    id: str = Field(description="Identifies a prediction; labels are joined by it.")
    timestamp: str = Field(description="When the prediction was made; with a time zone.")
    numeric: tuple[str, ...] = Field((), description="Numeric features.")
    categorical: tuple[str, ...] = Field((), description="Categorical features.")
    model_version: str | None = Field(
        None, description="Column of the version that scored the row, where there is one."
    )

    @model_validator(mode="after")
    def _one_role_each(self) -> Columns:
        names = [self.id, self.timestamp, *self.numeric, *self.categorical]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"columns in more than one role: {', '.join(twice)}")
        return self

    @property
    def features(self) -> tuple[str, ...]:
        """All features, numeric first."""
        return (*self.numeric, *self.categorical)


class Partitions(Declaration):
    """Daily slices: days of a time zone, from ``start`` on.

    A day is from local midnight to local midnight, so 23 or 25 hours long where clocks change.

    Example:
        >>> days = Partitions(start="2013-04-01", timezone="America/New_York")
        >>> [str(t) for t in days.bounds("2013-11-03")]
        ['2013-11-03 04:00:00+00:00', '2013-11-04 05:00:00+00:00']
        >>> days.shift("2013-04-01", 2)
        '2013-04-03'
    """

    start: date = Field(description="The first day of production.")
    end: date | None = Field(None, description="The last day, when production is over.")
    timezone: str = Field("UTC", description="IANA name, for instance America/New_York.")

    @model_validator(mode="after")
    def _in_order(self) -> Partitions:
        if self.end is not None and self.end < self.start:
            raise ValueError(f"end ({self.end}) lies before start ({self.start})")
        return self

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        zones = available_timezones()
        if name not in zones:
            raise ValueError(f"no time zone is called {name!r}.{did_you_mean(name, zones)}")
        return name

    def day(self, partition: str) -> date:
        """The day of a partition key such as ``"2013-04-01"``.

        Raises:
            DeclarationError: the key is not a day, or lies outside ``start`` and ``end``.
        """
        try:
            day = date.fromisoformat(partition)
        except ValueError:
            raise DeclarationError(
                f"partition {partition!r} is not a day: write it as YYYY-MM-DD"
            ) from None
        if self.end is not None and day > self.end:
            raise DeclarationError(
                f"partition {partition} lies after the last one, {self.end} (field partitions.end)"
            )
        if day < self.start:
            raise DeclarationError(
                f"partition {partition} lies before the first one, {self.start} "
                f"(field partitions.start)"
            )
        return day

    def bounds(self, partition: str) -> tuple[datetime, datetime]:
        """Start (included) and end (excluded) of a partition, in UTC."""
        day = self.day(partition)
        return self._midnight(day), self._midnight(day + timedelta(days=1))

    def key_of(self, moment: datetime) -> str:
        """The partition that a moment (with a time zone) falls into, before ``start`` too."""
        return moment.astimezone(ZoneInfo(self.timezone)).date().isoformat()

    def shift(self, partition: str, days: int) -> str:
        """The key ``days`` later (or earlier, when negative); it may lie before ``start``."""
        return (date.fromisoformat(partition) + timedelta(days=days)).isoformat()

    def between(self, first: str, last: str) -> list[str]:
        """Keys from ``first`` to ``last``, both included, that lie in production; in order."""
        low = max(date.fromisoformat(first), self.start)
        high = min(date.fromisoformat(last), self.end or date.max)
        count = (high - low).days + 1
        return [(low + timedelta(days=i)).isoformat() for i in range(max(count, 0))]

    def _midnight(self, day: date) -> datetime:
        local = datetime.combine(day, time(), tzinfo=ZoneInfo(self.timezone))
        return local.astimezone(UTC)
