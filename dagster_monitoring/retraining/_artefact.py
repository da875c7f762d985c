"""A fitted model as bytes that can be loaded without running foreign code (skops)."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence

from dagster_monitoring.errors import RegistryError
from dagster_monitoring.retraining.trainer import Estimator

# Private parts of scikit-learn's own models that skops does not list. Each only holds data, or
# wraps a function that needs to be trusted itself. By name, one by one: a whole package holds
# functions that run commands.
SKLEARN_PARTS = frozenset(
    {
        "functools.partial",
        # Boosting's losses: lists of other releases of skops and scikit-learn lack them.
        "sklearn._loss.link.IdentityLink",
        "sklearn._loss.link.Interval",
        "sklearn._loss.link.LogLink",
        "sklearn._loss.link.LogitLink",
        "sklearn._loss.link.MultinomialLogit",
        "sklearn._loss.loss.HalfBinomialLoss",
        "sklearn._loss.loss.HalfMultinomialLoss",
        "sklearn._loss.loss.HalfSquaredError",
        "sklearn.calibration._CalibratedClassifier",
        "sklearn.calibration._SigmoidCalibration",
        "sklearn.compose._column_transformer._RemainderColsList",
        "sklearn.ensemble._hist_gradient_boosting.binning._BinMapper",
        "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
        "sklearn.tree._tree.Tree",
        "sklearn.utils.validation.check_array",
    }
)


def to_bytes(estimator: Estimator, *, version: str, declared: Sequence[str]) -> bytes:
    """The model as a skops archive.

    Raises:
        RegistryError: skops can't hold it, or it holds a type that is neither known nor declared.
    """
    import skops.io
    from skops.io.exceptions import UnsupportedTypeException

    try:
        data: bytes = skops.io.dumps(estimator, compression=zipfile.ZIP_DEFLATED)
    except (UnsupportedTypeException, TypeError, AttributeError) as error:
        raise RegistryError(
            f"model version {version!r} ({type(estimator).__name__}) can't be kept as a safe file: "
            f"{error}. Use scikit-learn's models and functions that have a name."
        ) from error
    _refuse_untrusted(data, version=version, declared=declared)
    return data


def from_bytes(data: bytes, *, version: str, declared: Sequence[str]) -> Estimator:
    """The model of a skops archive.

    Raises:
        RegistryError: it is no such archive, or holds a type that is neither known nor declared.
    """
    import skops.io

    _refuse_untrusted(data, version=version, declared=declared)
    try:
        model: object = skops.io.loads(data, trusted=sorted(SKLEARN_PARTS.union(declared)))
    except (ImportError, AttributeError, KeyError, TypeError, ValueError) as error:
        raise RegistryError(
            f"model version {version!r} can't be rebuilt with the packages installed here "
            f"({type(error).__name__}: {error}). Install those it was trained with, or train again."
        ) from error
    if not isinstance(model, Estimator):
        raise RegistryError(
            f"model version {version!r} holds a {type(model).__name__}, which can't predict."
        )
    return model


def _refuse_untrusted(data: bytes, *, version: str, declared: Sequence[str]) -> None:
    import skops.io

    try:
        untrusted = set(skops.io.get_untrusted_types(data=data))
    except (zipfile.BadZipFile, AttributeError, KeyError, TypeError, ValueError) as error:
        raise RegistryError(
            f"the file of model version {version!r} is no model archive ({type(error).__name__}). "
            f"Restore it, or promote another version."
        ) from error
    unknown = sorted(untrusted - SKLEARN_PARTS - set(declared))
    if unknown:
        names = ", ".join(unknown)
        raise RegistryError(
            f"model version {version!r} holds types that are not trusted: {names}. "
            f"If they are yours, declare them: retraining: {{trusted_types: [{names}]}}"
        )
