"""What a model's rows hold: its task, its columns, its partitions."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from dagster_monitoring.declaration import Declaration
from dagster_monitoring.partitions import Partitions

__all__ = [
    "BinaryClassification",
    "ClassLabel",
    "Columns",
    "MulticlassClassification",
    "Partitions",
    "Ranking",
    "Regression",
    "Task",
]

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
