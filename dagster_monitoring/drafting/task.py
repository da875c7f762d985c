"""What is predicted: prediction, label and scores, told from names and from what goes together."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from dagster_monitoring.drafting.association import association
from dagster_monitoring.drafting.choices import Choices, Note, TaskType, check_chosen
from dagster_monitoring.drafting.facts import ColumnFacts, RowsFacts
from dagster_monitoring.drafting.names import (
    PREDICTION,
    SCORE,
    label_strength,
    says_prediction,
    says_score,
    stem,
    tokens,
)
from dagster_monitoring.drafting.task_type import (
    MOST_CLASSES,
    Candidate,
    declare,
    is_class,
    plain_classes,
    refuse_incomplete,
)
from dagster_monitoring.errors import SchemaMismatchError
from dagster_monitoring.schema import BinaryClassification, Task

# A column that goes less together with the prediction is no label, whatever its type.
_LEAST_ASSOCIATION = 0.15
_TOO_CLOSE = 0.15


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskDraft:
    """The task, what to know of it, and the columns that are taken by it or by another task.

    ``left_out`` maps a column of another task to the reason why it is no feature.
    """

    task: Task
    used: tuple[str, ...]
    left_out: Mapping[str, str]
    notes: tuple[Note, ...]


def infer_task(facts: RowsFacts, choices: Choices, *, taken: Collection[str]) -> TaskDraft:
    """The task of rows that hold predictions and labels.

    Args:
        facts: what the columns hold.
        choices: what the user said; it is never overruled.
        taken: columns that are something else, such as the id and the timestamp.

    Raises:
        SchemaMismatchError: no prediction or no label can be told; names the option that does.
    """
    for option in ("prediction", "label", "score"):
        chosen = getattr(choices, option)
        if chosen is not None:
            check_chosen(facts.columns, chosen, option=f"--{option}", optional=option == "label")
    names = _prediction_names(facts, choices, taken)
    found = [_candidate(facts, choices, name, names, taken) for name in names]
    best = max(found, key=lambda candidate: candidate.rank)
    refuse_incomplete(facts, best)
    task, notes = declare(facts, choices, best)
    others = [candidate for candidate in found if candidate is not best]
    return TaskDraft(
        task=task,
        used=best.columns,
        left_out=_others(facts, best, others, task),
        notes=(*notes, *_ambiguities(best, others)),
    )


def _prediction_names(facts: RowsFacts, choices: Choices, taken: Collection[str]) -> list[str]:
    if choices.prediction is not None:
        return [choices.prediction]
    named = [
        name
        for name, column in facts.columns.items()
        if says_prediction(name)
        and name not in {*taken, choices.label, choices.score}
        and column.kind in {"boolean", "integer", "number", "text"}
    ]
    if not named:
        scores = [name for name in facts.columns if says_score(name)]
        also = (
            f" {scores[0]} seems to be a score; the predicted class is needed too."
            if scores
            else ""
        )
        raise SchemaMismatchError(
            "no column is called a prediction (such as prediction, y_pred, late_pred)."
            f"{also} Name it with --prediction. The baseline has: {', '.join(facts.columns)}"
        )
    return named


def _candidate(
    facts: RowsFacts, choices: Choices, prediction: str, all_predictions: list[str],
    taken: Collection[str],
) -> Candidate:  # fmt: skip
    excluded = {*taken, *all_predictions, *([choices.score] if choices.score else [])}
    scored = [n for n in _score_names(facts, prediction, all_predictions) if n not in taken]
    label, rivals = _label(facts, prediction, excluded | set(scored))
    if choices.label is not None:
        label, rivals = choices.label, ()
    kind = choices.task or _type_of(facts, prediction, label)
    scores = {} if kind == "regression" else _scores(facts, choices, prediction, label, scored)
    return Candidate(prediction=prediction, label=label, type=kind, scores=scores, rivals=rivals)


def _label(
    facts: RowsFacts, prediction: str, excluded: Collection[str]
) -> tuple[str | None, tuple[str, ...]]:
    """The likeliest label, and others that are about as likely."""
    strengths: dict[str, float] = {}
    for name, column in facts.columns.items():
        if name in excluded or not _may_label(column, facts.columns[prediction]):
            continue
        by_name = label_strength(name, prediction)
        together = association(facts.sample, name, prediction)
        if by_name or together >= _LEAST_ASSOCIATION:
            strengths[name] = by_name + together
    if not strengths:
        return None, ()
    best = max(strengths, key=lambda name: strengths[name])
    rivals = [n for n, s in strengths.items() if n != best and s > strengths[best] - _TOO_CLOSE]
    return best, tuple(rivals)


def _may_label(column: ColumnFacts, prediction: ColumnFacts) -> bool:
    if is_class(prediction):
        theirs, ours = plain_classes(prediction.values), plain_classes(column.values)
        shared = theirs <= ours or ours <= theirs
        return shared and 1 < column.n_distinct <= MOST_CLASSES
    return column.is_numeric and column.n_distinct > 2  # noqa: PLR2004 - two values are classes


def _type_of(facts: RowsFacts, prediction: str, label: str | None) -> TaskType:
    column = facts.columns[prediction]
    if column.is_numeric and not is_class(column):
        return "regression"
    values = plain_classes(column.values)
    if label is not None and label in facts.columns:
        values |= plain_classes(facts.columns[label].values)
    return "binary_classification" if len(values) <= 2 else "multiclass_classification"  # noqa: PLR2004


def _score_names(facts: RowsFacts, prediction: str, predictions: list[str]) -> list[str]:
    """Columns of probabilities that may belong to a prediction."""
    found = []
    for name, column in facts.columns.items():
        low, high = column.minimum, column.maximum
        is_share = low is not None and high is not None and low >= 0 and high <= 1
        if name == prediction or not says_score(name) or not (column.is_numeric and is_share):
            continue
        own = stem(prediction)
        shares_stem = stem(name)[: len(own)] == own
        says_of_other = any(
            stem(p) and stem(name)[: len(stem(p))] == stem(p)
            for p in predictions
            if p != prediction
        )
        if shares_stem or (not says_of_other and _says_probability(name)):
            found.append(name)
    return found


def _says_probability(name: str) -> bool:
    words = set(tokens(name))
    return bool(words & (SCORE - {"score", "scores"})) or bool(words & PREDICTION) or words <= SCORE


def _scores(
    facts: RowsFacts, choices: Choices, prediction: str, label: str | None, names: list[str]
) -> dict[str, str]:
    """Classes, as text, to their scores' columns; ``""`` for a score of no named class."""
    if choices.score is not None:
        return {"": choices.score}
    classes = {*facts.columns[prediction].values}
    if label is not None and label in facts.columns:
        classes |= {*facts.columns[label].values}
    by_class = {_suffix(name, prediction, classes): name for name in names}
    by_class.pop(None, None)
    if len(by_class) > 1:
        return {str(cls): name for cls, name in sorted(by_class.items(), key=str)}
    if label is None or not names or len(plain_classes(tuple(classes))) > 2:  # noqa: PLR2004
        return {}
    return {"": max(names, key=lambda name: association(facts.sample, label, name))}


def _suffix(name: str, prediction: str, classes: set[str]) -> str | None:
    """The class whose name a score's column ends with."""
    rest = [w for w in stem(name) if w not in stem(prediction)]
    spelled = {tokens(cls): cls for cls in classes}
    return spelled.get(tuple(rest))


def _others(
    facts: RowsFacts, best: Candidate, others: list[Candidate], task: Task
) -> dict[str, str]:
    left = {
        name: f"of another task, whose prediction is {other.prediction}"
        for other in others
        for name in other.columns
        if name not in best.columns
    }
    score = task.score if isinstance(task, BinaryClassification) else None
    for cls, name in best.scores.items():
        if isinstance(task, BinaryClassification) and name != score:
            left[name] = f"the score of the other class, {cls}"
    for name in _score_names(facts, best.prediction, [best.prediction]):
        if name not in best.columns and _says_probability(name):
            left.setdefault(name, "a score that the task does not use")
    return left


def _ambiguities(best: Candidate, others: list[Candidate]) -> list[Note]:
    notes = [
        Note("task", f"another task is in these rows: --prediction {other.prediction} "
             f"--label {other.label}")
        for other in others
        if other.label is not None
    ]  # fmt: skip
    if best.rivals:
        rivals = ", ".join(best.rivals)
        notes.append(Note("task.label", f"it might also be {rivals}; --label says which"))
    return notes
