"""From a prediction and its label to a declared task, or to what is missing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dagster_monitoring.drafting.association import mean_by_class
from dagster_monitoring.drafting.choices import Choices, Note, TaskType
from dagster_monitoring.drafting.facts import ColumnFacts, RowsFacts
from dagster_monitoring.errors import SchemaMismatchError
from dagster_monitoring.profiles.labels import class_text
from dagster_monitoring.schema import (
    BinaryClassification,
    ClassLabel,
    MulticlassClassification,
    Regression,
    Task,
)

MOST_CLASSES = 20
_YES = frozenset({"1", "true", "t", "yes", "y", "positive", "pos"})
_TWO = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A prediction with what seems to belong to it; ``rivals``: labels about as likely."""

    prediction: str
    label: str | None
    type: TaskType
    scores: Mapping[str, str]
    rivals: tuple[str, ...] = ()

    @property
    def rank(self) -> tuple[bool, bool, int]:
        """Complete before incomplete, classes before numbers, with scores before without."""
        return self.label is not None, self.type != "regression", len(self.scores)

    @property
    def columns(self) -> tuple[str, ...]:
        """All columns of it."""
        return (self.prediction, *([self.label] if self.label else []), *self.scores.values())


def is_class(column: ColumnFacts) -> bool:
    """Whether a column's values are few enough to be classes."""
    return bool(column.values) and column.n_distinct <= MOST_CLASSES


def plain_classes(values: tuple[str, ...]) -> set[str]:
    """True and false are 1 and 0, as they are where labels are compared."""
    same = {"true": "1", "false": "0", "True": "1", "False": "0"}
    return {same.get(value, value) for value in values}


def refuse_incomplete(facts: RowsFacts, best: Candidate) -> None:
    """Raises ``SchemaMismatchError`` unless prediction and label can make a task."""
    column = facts.columns[best.prediction]
    if best.label is None:
        scorelike = column.minimum is not None and column.minimum >= 0 and column.maximum == 1
        also = " It seems to hold probabilities: then name it with --score." if scorelike else ""
        raise SchemaMismatchError(
            f"no column goes with the prediction {best.prediction} as its label.{also} "
            f"Name the label with --label (it may be in the ground truth only), and the "
            f"prediction with --prediction. The baseline has: {', '.join(facts.columns)}"
        )
    label = facts.columns.get(best.label)
    if best.type == "regression" and label is not None and 0 < label.n_distinct <= 2:  # noqa: PLR2004
        raise SchemaMismatchError(
            f"the label {best.label} holds {' and '.join(label.values)}, but the prediction "
            f"{best.prediction} holds numbers from {column.minimum} to {column.maximum}. That is "
            f"a score (--score {best.prediction}); name the predicted class with --prediction"
        )


def declare(facts: RowsFacts, choices: Choices, best: Candidate) -> tuple[Task, list[Note]]:
    """The task of a complete candidate, and what to know of it."""
    label, prediction = best.label or "", best.prediction
    notes: list[Note] = []
    if label not in facts.columns:
        notes.append(
            Note("task.label", f"the baseline has no column {label}: no reference performance")
        )
    if best.type == "regression":
        return Regression(label=label, prediction=prediction), notes
    if best.type == "multiclass_classification":
        scores = {cls: name for cls, name in best.scores.items() if cls}
        numbers = facts.columns[prediction].is_numeric
        if numbers and choices.task is None:
            notes.append(
                Note("task.type", f"{prediction} holds few whole numbers: taken as classes; for "
                     "numbers give --task regression")
            )  # fmt: skip
        return MulticlassClassification(label=label, prediction=prediction, scores=scores), notes
    positive, why = _positive(facts, label, best)
    if why:
        notes.append(Note("task.positive", why))
    score = score_of(best.scores, positive)
    notes += _orientation(facts, label, score, positive)
    return (
        BinaryClassification(label=label, prediction=prediction, score=score, positive=positive),
        notes,
    )


def _positive(facts: RowsFacts, label: str, best: Candidate) -> tuple[ClassLabel, str | None]:
    """The class that counts as positive, and why when it is not plain."""
    column = facts.columns.get(label, facts.columns[best.prediction])
    values = sorted({*column.values, *facts.columns[best.prediction].values})
    if column.kind == "boolean":
        return True, None
    plain = plain_classes(tuple(values)) <= {"0", "1"}
    if column.is_numeric:
        numbers = sorted(int(v) for v in values if v.lstrip("-").isdigit()) or [1]
        if plain or not numbers:
            return 1, None
        return numbers[-1], f"the labels are {', '.join(values)}: the larger is taken as positive"
    yes = [value for value in values if value.lower() in _YES]
    if len(yes) == 1:
        return yes[0], None
    score = score_of(best.scores, None)
    means = mean_by_class(facts.sample, label, score) if score else {}
    if means:
        likeliest = max(means, key=lambda cls: means[cls])
        return likeliest, f"of {', '.join(values)}, {likeliest} has the higher mean {score}"
    last = values[-1] if values else "1"
    return last, f"nothing tells which of {', '.join(values)} is the positive class: look at it"


def score_of(scores: Mapping[str, str], positive: ClassLabel | None) -> str | None:
    """The score's column: the one of no named class, or that of the positive class."""
    if "" in scores:
        return scores[""]
    if positive is None:
        return None
    wanted = {str(positive), class_text(str(positive)), "1" if positive is True else ""}
    return next((name for cls, name in scores.items() if cls in wanted), None)


def _orientation(
    facts: RowsFacts, label: str, score: str | None, positive: ClassLabel
) -> list[Note]:
    if score is None:
        return [Note("task.score", "no column of probabilities was found: no ROC AUC, no Brier")]
    means = mean_by_class(facts.sample, label, score)
    wanted = {str(positive), "1" if positive is True else str(positive)}
    own = [mean for cls, mean in means.items() if cls in wanted]
    other = [mean for cls, mean in means.items() if cls not in wanted]
    if own and other and own[0] < max(other):
        text = f"{score} is lower where {label} is {positive}: is it the other class's?"
        return [Note("task.score", text)]
    return []
