"""What a column's name says of its role."""

from __future__ import annotations

import difflib
import re

PREDICTION = frozenset(
    {"pred", "preds", "predict", "predicted", "prediction", "predictions", "yhat", "hat",
     "forecast", "forecasted", "estimate", "estimated"}
)  # fmt: skip
SCORE = frozenset(
    {"proba", "probas", "prob", "probs", "probability", "probabilities", "score", "scores",
     "confidence", "likelihood"}
)  # fmt: skip
LABEL = frozenset({"label", "labels", "target", "true", "truth", "actual", "outcome", "observed"})

ID_NAMES = ("prediction_id", "id", "request_id", "row_id", "event_id", "uuid", "guid")
TIME_NAMES = (
    "timestamp", "prediction_timestamp", "prediction_time", "predicted_at", "scored_at",
    "request_time", "requested_at", "datetime", "time", "ts", "date", "created_at",
)  # fmt: skip
VERSION_NAMES = ("model_version", "model", "version", "model_id", "model_name")
# Moments at which labels happen or arrive, rather than predictions.
LABEL_TIME_NAMES = ("available_at", "event_time", "label_time", "labelled_at", "updated_at")

_WORDS = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+\d*|[A-Z]+|\d+|[^\W\d_]+")
_NOT_PREDICTIONS = frozenset({"id", "uuid", "time", "timestamp", "at", "date", "version", "ts"})
_ALIKE = 0.8


def tokens(name: str) -> tuple[str, ...]:
    """A name's words in lower case.

    Example:
        >>> tokens("delay15_pred"), tokens("predictedPrice"), tokens("y.true")
        (('delay15', 'pred'), ('predicted', 'price'), ('y', 'true'))
    """
    return tuple(word.lower() for word in _WORDS.findall(name))


def stem(name: str) -> tuple[str, ...]:
    """A name's words without those that say prediction, score or label.

    Example:
        >>> stem("arr_delay_pred"), stem("y_true")
        (('arr', 'delay'), ('y',))
    """
    return tuple(word for word in tokens(name) if word not in PREDICTION | SCORE | LABEL)


def says_prediction(name: str) -> bool:
    """Whether it is called a prediction, and not its id, time, version or score.

    Example:
        >>> [n for n in ("y_pred", "y_pred_proba", "prediction_id") if says_prediction(n)]
        ['y_pred']
    """
    words = set(tokens(name))
    return bool(words & PREDICTION) and not words & (_NOT_PREDICTIONS | SCORE)


def says_score(name: str) -> bool:
    """Whether it is called a score or probability."""
    return bool(set(tokens(name)) & SCORE)


def label_strength(name: str, prediction: str) -> float:
    """How much a name sounds like the label of a prediction: 0 (not at all) to 2.

    Example:
        >>> [label_strength(name, "delay15_pred") for name in ("delay15", "delayed15", "seats")]
        [2.0, 1.0, 0.0]
    """
    own, other = stem(name), stem(prediction)
    words = set(tokens(name))
    if (own and own == other) or words == {"y"} or (words & LABEL and not own):
        return 2.0
    if words & LABEL and set(own) <= {"y", "ground"}:
        return 2.0
    alike = difflib.SequenceMatcher(None, "".join(own), "".join(other)).ratio()
    return 1.0 if words & LABEL or (own and other and alike >= _ALIKE) else 0.0


def ranked(names: list[str], wanted: tuple[str, ...]) -> list[str]:
    """Names in the order of the wanted ones, by whole name; the others after them as they come.

    Example:
        >>> ranked(["seen", "Time", "timestamp"], ("timestamp", "time"))
        ['timestamp', 'Time', 'seen']
    """
    place = {name: i for i, name in enumerate(wanted)}
    return sorted(names, key=lambda name: place.get("_".join(tokens(name)), len(place)))


def is_called(name: str, wanted: tuple[str, ...]) -> bool:
    """Whether a name is one of the wanted, whatever its case and separators."""
    return "_".join(tokens(name)) in wanted
