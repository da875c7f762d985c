"""Rows as a trainer sees them, what an estimator says about them, and the loss of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np

from dagster_monitoring.errors import DataError, SchemaMismatchError
from dagster_monitoring.retraining.trainer import Estimator
from dagster_monitoring.schema import BinaryClassification, Columns, Regression, Task

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa
    from numpy.typing import NDArray

LossName: TypeAlias = Literal["log_loss", "zero_one", "squared_error"]
# Where scikit-learn's log_loss clipped for years; one certain mistake costs 34.5, not infinity.
_SMALLEST_PROBABILITY = 1e-15


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Predictions:
    """What a model says about n rows.

    ``outputs`` (n,): classes, or numbers. ``probabilities`` (n, K) in the order of ``classes``, or
    ``None``. ``classes`` are text, as ``class_name`` writes them.
    """

    outputs: NDArray[Any]
    probabilities: NDArray[np.float64] | None = None
    classes: tuple[str, ...] = ()


def feature_frame(table: pa.Table, columns: Columns) -> pd.DataFrame:
    """The features of a table, in one form for training, judging and serving.

    Numeric features become float64 (missing: NaN), categorical ones text (missing stays missing),
    in the declared order.

    Raises:
        SchemaMismatchError: a column is not there, or holds what can't be a number or text.
    """
    import pandas as pd
    import pyarrow as pa

    wanted = [(name, pa.float64()) for name in columns.numeric]
    wanted += [(name, pa.string()) for name in columns.categorical]
    return pd.DataFrame({name: _column(table, name, kind).to_pandas() for name, kind in wanted})


def predict(estimator: Estimator, features: pd.DataFrame) -> Predictions:
    """An estimator's predictions, with probabilities where it gives them.

    Raises:
        DataError: it gave another number of rows than it was asked for.
    """
    values = np.asarray(estimator.predict(features))
    if values.shape != (len(features),):
        raise DataError(
            f"the model gave predictions of shape {values.shape} for {len(features)} rows"
        )
    classes: object = getattr(estimator, "classes_", None)
    give = getattr(estimator, "predict_proba", None)
    if classes is None or give is None:
        return Predictions(outputs=values)
    return Predictions(
        outputs=values,
        probabilities=np.asarray(give(features), dtype=np.float64),
        classes=class_names(np.asarray(classes)),
    )


def shared_loss(task: Task, models: Sequence[Predictions]) -> LossName:
    """The loss that all of them can be held to: log loss where each gives probabilities."""
    if isinstance(task, Regression):
        return "squared_error"
    scored = all(model.probabilities is not None for model in models)
    return "log_loss" if models and scored else "zero_one"


def row_losses(
    task: Task, label: NDArray[Any], predictions: Predictions, *, loss: LossName
) -> NDArray[np.float64]:
    """The loss of each row, shape (n,), at least 0; lower is better.

    Args:
        task: what is predicted; for two classes only the positive one is told from the rest.
        label: the true values, shape (n,), none missing.
        predictions: of the same rows.
        loss: ``log_loss`` (natural logarithm, probabilities clipped at 1e-15; a class the model
            does not know has probability 0), ``zero_one``, or ``squared_error``.

    Raises:
        ValueError: log loss without probabilities.
    """
    if loss == "squared_error":
        difference = label.astype(np.float64) - predictions.outputs.astype(np.float64)
        squared: NDArray[np.float64] = difference**2
        return squared
    truth = _reduced(task, label)
    if loss == "zero_one":
        missed: NDArray[np.float64] = (truth != _reduced(task, predictions.outputs)).astype(float)
        return missed
    return _log_losses(task, truth, predictions)


def class_name(value: object) -> str:
    """A class as text, the same for 1, 1.0, True and numpy's kinds of them.

    Example:
        >>> [class_name(value) for value in (1, 1.0, True, "1", "yes", 2.5)]
        ['1', '1', '1', '1', 'yes', '2.5']
    """
    if isinstance(value, bool | np.bool_):
        return str(int(value))
    if isinstance(value, float | np.floating) and float(value).is_integer():
        return str(int(value))
    return str(value)


def class_names(values: NDArray[Any]) -> tuple[str, ...]:
    """``class_name`` of each."""
    return tuple(class_name(value) for value in values.tolist())


def _column(table: pa.Table, name: str, kind: pa.DataType) -> pa.ChunkedArray:
    import pyarrow as pa

    if name not in table.column_names:
        raise SchemaMismatchError(
            f"feature {name!r} is not in the rows to train on; they have: "
            f"{', '.join(table.column_names)}"
        )
    try:
        return table[name].cast(kind, safe=False)
    except pa.ArrowException as error:
        raise SchemaMismatchError(
            f"feature {name!r} is {table[name].type}, which can't be read as {kind}: {error}"
        ) from None


def _reduced(task: Task, values: NDArray[Any]) -> NDArray[np.str_]:
    names, codes = np.unique(values, return_inverse=True)
    text = np.array(class_names(names), dtype=np.str_)[codes]
    if not isinstance(task, BinaryClassification):
        return text
    positive = class_name(task.positive)
    reduced: NDArray[np.str_] = np.where(text == positive, positive, "rest")
    return reduced


def _log_losses(
    task: Task, truth: NDArray[np.str_], predictions: Predictions
) -> NDArray[np.float64]:
    if predictions.probabilities is None:
        raise ValueError("log loss needs probabilities")
    given = np.zeros(len(truth))
    for index, name in enumerate(predictions.classes):
        column = predictions.probabilities[:, index]
        given = np.where(truth == name, column, given)
    if isinstance(task, BinaryClassification):
        positive = class_name(task.positive)
        known = positive in predictions.classes
        share = predictions.probabilities[:, predictions.classes.index(positive)] if known else 0.0
        given = np.where(truth == positive, share, 1.0 - np.asarray(share))
    clipped = np.clip(given, _SMALLEST_PROBABILITY, 1.0)
    losses: NDArray[np.float64] = -np.log(clipped)
    return losses
