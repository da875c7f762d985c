"""The columns of the bench's rows, for every contestant; standard library only."""

from __future__ import annotations

NUMERIC = (
    "normal",
    "rounded",
    "lognormal",
    "pareto",
    "student_t",
    "exponential",
    "two_humps",
    "zero_inflated",
    "few_missing",
    "many_missing",
    "poisson",
    "prediction",
)
CATEGORIES = {
    "three": 3,
    "five": 5,
    "eight": 8,
    "twelve": 12,
    "thirty": 30,
    "eighty": 80,
    "two_hundred": 200,
    "five_hundred": 500,
}
"""Categorical column to how many values it has."""

CATEGORICAL = tuple(CATEGORIES)
COLUMNS = (*NUMERIC, *CATEGORICAL)
ID = "prediction_id"
TIMESTAMP = "timestamp"
DAY = "2024-05-01"
TRAINING_DAYS = 30
