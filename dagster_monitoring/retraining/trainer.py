"""From a reference such as ``my_project.train:fit`` to a fitted estimator."""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, runtime_checkable

from dagster_monitoring.errors import DataError, DeclarationError, did_you_mean
from dagster_monitoring.schema import Regression, Task

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from sklearn.compose import ColumnTransformer

DEFAULT_TRAINER = "dagster_monitoring.retraining.trainer:default"
_REFERENCE = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")
# Gradient boosting keeps 255 bins a column, one of them for missing; rarer values share one.
_MOST_CATEGORIES = 250

FitFunction: TypeAlias = Callable[..., object]


@runtime_checkable
class Estimator(Protocol):
    """What a trainer gives: scikit-learn's convention.

    A classifier also has ``predict_proba`` (rows x classes) and ``classes_``.
    """

    def predict(self, features: pd.DataFrame) -> np.ndarray[Any, Any]:
        """One prediction a row."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Trainer:
    """A function that trains, found and checked; ``takes_task``: it wants to know the task."""

    reference: str
    function: FitFunction
    takes_task: bool

    def fit(self, features: pd.DataFrame, label: pd.Series[Any], *, task: Task) -> Estimator:
        """A fitted estimator.

        Args:
            features: one row a prediction, the model's feature columns.
            label: the true value of each row, same index.
            task: what is predicted.

        Raises:
            DataError: no rows, a missing label, or labels of one class only.
            DeclarationError: the function gave something that can't predict.
            Exception: whatever the function itself raises.
        """
        _check_rows(features, label, task)
        if self.takes_task:
            fitted = self.function(features, label, task=task)
        else:
            fitted = self.function(features, label)
        if not isinstance(fitted, Estimator):
            raise DeclarationError(
                f"trainer {self.reference} gave {_describe(fitted)}, which has no predict. "
                f"Return the fitted estimator (field retraining.trainer)."
            )
        return fitted


def resolve_trainer(reference: str) -> Trainer:
    """The function behind ``module:function``, its signature checked.

    Raises:
        DeclarationError: no such module or function, or it can't be called as
            ``function(features, label)``; the message says which and what to do.
    """
    module_name, function_name = split_reference(reference)
    function = _function_of(module_name, function_name, reference)
    if not callable(function):
        raise DeclarationError(
            f"trainer {reference} is {_describe(function)}, not a function "
            f"(field retraining.trainer)."
        )
    return Trainer(
        reference=reference,
        function=function,
        takes_task=_checked_signature(function, reference),
    )


def split_reference(reference: str) -> tuple[str, str]:
    """Module and function of ``module:function``.

    Raises:
        DeclarationError: it is not written so.

    Example:
        >>> split_reference("my_project.train:fit")
        ('my_project.train', 'fit')
    """
    if not _REFERENCE.fullmatch(reference):
        raise DeclarationError(
            f"{reference!r} is not a trainer: write module:function, "
            f"for instance my_project.train:fit"
        )
    module_name, _, function_name = reference.partition(":")
    return module_name, function_name


def _function_of(module_name: str, function_name: str, reference: str) -> object:
    try:
        module = importlib.import_module(module_name)
    except ImportError as error:
        raise DeclarationError(_why_not_imported(module_name, reference, error)) from error
    if not hasattr(module, function_name):
        names = [name for name, _ in inspect.getmembers(module, inspect.isfunction)]
        raise DeclarationError(
            f"trainer {reference}: module {module_name} has no function {function_name!r}."
            f"{did_you_mean(function_name, names)} Its functions: {', '.join(names) or 'none'}"
        )
    found: object = getattr(module, function_name)
    return found


def _why_not_imported(module_name: str, reference: str, error: ImportError) -> str:
    missing = error.name or ""
    if isinstance(error, ModuleNotFoundError) and f"{module_name}.".startswith(f"{missing}."):
        return (
            f"trainer {reference}: there is no module {missing!r}. Install its project where "
            f"Dagster's code server runs (pip install -e .), or correct retraining.trainer."
        )
    return f"trainer {reference}: module {module_name} can't be imported: {error}"


def _checked_signature(function: FitFunction, reference: str) -> bool:
    """Whether the function takes ``task``; raises unless it takes features and label."""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        # Some compiled functions tell no signature; the call itself will tell.
        return False
    takes_task = "task" in signature.parameters
    try:
        if takes_task:
            signature.bind("features", "label", task="task")
        else:
            signature.bind("features", "label")
    except TypeError as error:
        raise DeclarationError(
            f"trainer {reference} is declared as {signature}, which can't be called with "
            f"(features, label) ({error}). Declare it as "
            f"fit(features: pandas.DataFrame, label: pandas.Series), or add a keyword task."
        ) from None
    return takes_task


def _check_rows(features: pd.DataFrame, label: pd.Series[Any], task: Task) -> None:
    if len(features) == 0:
        raise DataError(
            "there is no labelled row to train on. Wait for labels, or train on more days."
        )
    if len(features) != len(label):
        raise DataError(f"{len(features):,} rows to train on, but {len(label):,} labels")
    missing = int(label.isna().sum())
    if missing:
        raise DataError(f"{missing:,} of {len(label):,} labels to train on are missing")
    if not isinstance(task, Regression) and bool((label == label.iloc[0]).all()):
        raise DataError(
            f"all {len(label):,} labels to train on are {label.iloc[0]!r}: a classifier needs two "
            f"classes. Train on more days."
        )


def _describe(found: object) -> str:
    return "nothing" if found is None else f"a {type(found).__name__}"


def default(features: pd.DataFrame, label: pd.Series[Any], *, task: Task) -> Estimator:
    """Gradient boosted trees, for every task; missing values and text columns need no care.

    Text, categorical and object columns are categories (the 250 most frequent; the others share
    one); a category that training did not hold counts as missing. Deterministic.

    Args:
        features: one row a prediction; numbers or categories, missing values allowed.
        label: the true value of each row, none missing.
        task: regression, or else classification.

    Source: scikit-learn's HistGradientBoosting, after LightGBM (Ke et al., 2017).
    """
    from sklearn.ensemble import (
        HistGradientBoostingClassifier,
        HistGradientBoostingRegressor,
    )
    from sklearn.pipeline import Pipeline

    features = _plain(features)
    categorical = [name for name in features.columns if features[name].dtype == object]
    numeric = [name for name in features.columns if name not in categorical]
    boosting = (
        HistGradientBoostingRegressor
        if isinstance(task, Regression)
        else HistGradientBoostingClassifier
    )
    model = boosting(
        categorical_features=list(range(len(categorical))),
        learning_rate=0.08,
        max_iter=150,
        max_leaf_nodes=15,
        min_samples_leaf=30,
        l2_regularization=1.0,
        early_stopping=False,
        random_state=0,
    )
    steps = [("columns", _encoder(categorical, numeric)), ("model", model)]
    fitted: Estimator = Pipeline(steps).fit(features, label)
    return fitted


def _plain(features: pd.DataFrame) -> pd.DataFrame:
    """Numbers as float64 and the rest as objects; infinite is missing; empty numbers left out.

    The trees put what is missing on its own side, but can't choose cuts beyond infinity, or in a
    column without a number.
    """
    import numpy as np
    import pandas as pd
    from pandas.api.types import is_numeric_dtype

    plain: dict[str, pd.Series[Any]] = {}
    for name, column in features.items():
        if is_numeric_dtype(column.dtype):
            numbers = column.astype("float64").replace([np.inf, -np.inf], np.nan)
            if numbers.notna().any():
                plain[str(name)] = numbers
        else:
            objects = column.astype(object)
            plain[str(name)] = objects.where(objects.notna(), None)
    if not plain:
        raise DataError("no feature to train on has a value")
    return pd.DataFrame(plain)


def _encoder(categorical: list[str], numeric: list[str]) -> ColumnTransformer:
    from sklearn.compose import ColumnTransformer
    from sklearn.preprocessing import OrdinalEncoder

    codes = OrdinalEncoder(
        handle_unknown="use_encoded_value",
        unknown_value=float("nan"),
        encoded_missing_value=float("nan"),
        max_categories=_MOST_CATEGORIES,
    )
    return ColumnTransformer(
        [("categories", codes, categorical), ("numbers", "passthrough", numeric)]
    )
