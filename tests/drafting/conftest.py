"""Baselines of the usual shapes, generated: names and types as teams write them."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest

ROWS = 600


def _common(generator: np.random.Generator) -> dict[str, object]:
    start = datetime(2013, 1, 1, 12, tzinfo=UTC)
    del generator
    return {
        "prediction_id": [f"F{i:06}" for i in range(ROWS)],
        "timestamp": pa.array(
            [start + timedelta(hours=i) for i in range(ROWS)], pa.timestamp("us", tz="UTC")
        ),
    }


@pytest.fixture
def flights() -> pa.Table:
    """Two tasks, a day as text, free text, a constant, a nested column."""
    generator = np.random.default_rng(1)
    delay = generator.normal(10, 20, ROWS)
    proba = 1 / (1 + np.exp(-(delay + generator.normal(0, 25, ROWS) - 15) / 20))
    common = _common(generator)
    return pa.table(
        {
            **common,
            "day": [f"{moment:%Y-%m-%d}" for moment in common["timestamp"].to_pylist()],
            "distance": generator.integers(90, 2500, ROWS).astype(float),
            "temp": generator.normal(50, 15, ROWS),
            "seats": generator.integers(20, 400, ROWS),
            "engines": generator.integers(1, 5, ROWS),
            "is_weekend": generator.integers(0, 2, ROWS),
            "carrier": generator.choice(["UA", "AA", "B6"], ROWS),
            "airport_note": [f"runway {i} closed for maintenance until noon" for i in range(ROWS)],
            "country": ["US"] * ROWS,
            "track": [[0.5, 1.5]] * ROWS,
            "delay15_proba": proba,
            "delay15_pred": (proba > 0.5).astype(np.int32),
            "arr_delay_pred": delay + generator.normal(0, 5, ROWS),
            "model_version": ["v1"] * ROWS,
            "delayed15": (delay > 15).astype(np.int32),
            "arr_delay": delay,
        }
    )


@pytest.fixture
def car_loan() -> pa.Table:
    """The label shares no word with the prediction, but a feature does with the label."""
    generator = np.random.default_rng(2)
    proba = generator.uniform(0, 1, ROWS).round(2)
    repaid = generator.uniform(0, 1, ROWS) < proba
    return pa.table(
        {
            **_common(generator),
            "car_value": generator.normal(30000, 9000, ROWS),
            "repaid_loan_on_prev_car": generator.choice(["True", "False"], ROWS),
            "y_pred_proba": proba,
            "y_pred": (proba >= 0.5).astype(np.int32),
            "repaid": repaid.astype(np.int32),
        }
    )


@pytest.fixture
def car_price() -> pa.Table:
    """A regression."""
    generator = np.random.default_rng(3)
    price = generator.lognormal(9, 0.5, ROWS)
    return pa.table(
        {
            **_common(generator),
            "car_age": generator.integers(1, 20, ROWS).astype(float),
            "fuel": generator.choice(["gas", "diesel", "electric"], ROWS),
            "y_pred": price * generator.normal(1, 0.1, ROWS),
            "y_true": price,
        }
    )


@pytest.fixture
def species() -> pa.Table:
    """Three classes, each with its probability."""
    generator = np.random.default_rng(4)
    names = np.array(["setosa", "versicolor", "virginica"])
    shares = generator.dirichlet([1, 1, 1], ROWS)
    truth = np.array([generator.choice(names, p=share) for share in shares])
    scores = {f"proba_{name}": shares[:, i] for i, name in enumerate(names)}
    return pa.table(
        {
            **_common(generator),
            "petal_width": generator.normal(1, 0.3, ROWS),
            **scores,
            "species_prediction": names[shares.argmax(axis=1)],
            "species": truth,
        }
    )
