"""How the model is trained: once for the first champion, and again for every challenger."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd
    from sklearn.pipeline import Pipeline

CATEGORICAL = ["carrier", "origin", "dest", "day_of_week"]


def fit(features: pd.DataFrame, label: pd.Series[int]) -> Pipeline:
    """A fitted classifier of late flights.

    Missing values need no care: gradient boosting learns for each split where they go. A carrier
    or an airport that training did not hold counts as missing.

    Args:
        features: one row a flight; the columns of ``CATEGORICAL`` and any numeric ones.
        label: 1 for a flight that arrived more than 15 minutes late, else 0; same rows.

    Returns:
        A pipeline with ``predict_proba``; its second column is the probability to be late.
    """
    import numpy as np
    from sklearn.compose import ColumnTransformer
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import OrdinalEncoder

    encoder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan)
    columns = ColumnTransformer([("codes", encoder, CATEGORICAL)], remainder="passthrough")
    model = HistGradientBoostingClassifier(
        categorical_features=list(range(len(CATEGORICAL))),
        learning_rate=0.08,
        max_iter=80,
        max_leaf_nodes=15,
        min_samples_leaf=50,
        early_stopping=False,
        random_state=2013,
    )
    return Pipeline([("columns", columns), ("model", model)]).fit(features, label)
