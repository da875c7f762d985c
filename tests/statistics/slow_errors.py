"""Standard errors the slow way: of raw rows, or from a slope at each weight."""

import math

import numpy as np

from dagster_monitoring.statistics.performance import performance_metric


def slopes(of_weights, weights):
    """The change of a function of weights for one more of each, by central differences."""
    step = 1e-4
    found = []
    for at in range(len(weights)):
        up, down = weights.copy(), weights.copy()
        up[at] += step
        down[at] -= step
        found.append((of_weights(up) - of_weights(down)) / (2 * step))
    return np.array(found)


def of_rows(metric, n):
    """The error of a metric of rows by how far each row's weight moves it."""
    return math.sqrt((slopes(metric, np.ones(n)) ** 2).sum())


def of_mean(values):
    return np.std(values, ddof=1) / math.sqrt(len(values))


def found(name, rows):
    error = performance_metric(name).standard_error(rows)
    assert type(error) is float
    return error
