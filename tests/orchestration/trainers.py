"""Trainers as users write them: good, bad and broken."""

from typing import Any

import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer

NUMERIC = ["temp", "size"]


def _numbers(model: Any) -> Pipeline:
    kept = ColumnTransformer([("numbers", "passthrough", NUMERIC)])
    return make_pipeline(kept, model)


def good(features: pd.DataFrame, label: pd.Series) -> Pipeline:
    return _numbers(LogisticRegression()).fit(features, label)


def stubborn(features: pd.DataFrame, label: pd.Series) -> Pipeline:
    """Sure of the opposite."""
    fitted = _numbers(LogisticRegression()).fit(features, 1 - label)
    fitted[-1].coef_ = fitted[-1].coef_ * 5
    return fitted


def line(features: pd.DataFrame, label: pd.Series) -> Pipeline:
    return _numbers(LinearRegression()).fit(features, label)


def broken(features: pd.DataFrame, label: pd.Series) -> Pipeline:  # noqa: ARG001 - it fails
    raise ZeroDivisionError(f"no luck with {len(features)} rows")


def unsafe(features: pd.DataFrame, label: pd.Series) -> Pipeline:
    """Holds a function of its own, which the registry does not trust."""
    return make_pipeline(FunctionTransformer(_own), LogisticRegression()).fit(features, label)


def _own(features: pd.DataFrame) -> pd.DataFrame:
    return features[NUMERIC]
