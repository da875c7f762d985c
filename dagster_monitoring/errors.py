"""Every error this package raises on purpose.

```
MonitoringError
├── DeclarationError        what was declared can't be right: field, given, allowed, next step
│   └── UnknownNameError    a name that nothing has: says the nearest one
├── DataError               data does not fit its declaration: file, column, partition, remedy
│   ├── SliceNotFoundError  no file or row for a partition
│   ├── CorruptDataError    a file that can't be read to its end
│   └── SchemaMismatchError a column is missing or has another type
├── BaselineError           a baseline that can't serve: empty, or not built yet
├── EngineError             an engine that can't serve: no Java, no session, the cluster failed
├── StoreError              the store of evaluations, labels and incidents can't be reached
├── IncidentError           an incident that is not there, or is over
├── DeliveryError           a channel did not take an alert
├── RegistryError           a model artefact is missing, altered or of a type that is not safe
└── MissingExtraError       an optional package is not installed: names the extra
```
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class MonitoringError(Exception):
    """The root of this package's errors."""


class DeclarationError(MonitoringError):
    """A declaration that can't be right, found when definitions load."""


class UnknownNameError(DeclarationError):
    """A name that nothing has.

    Args:
        what: the kind of thing, for instance ``"drift metric"``.
        given: the name that was asked for.
        allowed: the names there are.

    Example:
        >>> str(UnknownNameError("drift metric", "psy", ["psi", "kl_divergence"]))
        "no drift metric is called 'psy'. Did you mean 'psi'? There are: kl_divergence, psi"
    """

    def __init__(self, what: str, given: str, allowed: Iterable[str]) -> None:
        names = sorted(allowed)
        super().__init__(
            f"no {what} is called {given!r}.{did_you_mean(given, names)} "
            f"There are: {', '.join(names) or 'none'}"
        )


class DataError(MonitoringError):
    """Data that does not fit its declaration."""


class SliceNotFoundError(DataError):
    """There is no file, or no row, for a partition."""


class CorruptDataError(DataError):
    """A file that can't be read to its end."""


class SchemaMismatchError(DataError):
    """A column is missing, or its type can't be what was declared."""


class BaselineError(MonitoringError):
    """A baseline that can't serve."""


class EngineError(MonitoringError):
    """An engine that can't serve; the data are not to blame, and another try may succeed."""


class StoreError(MonitoringError):
    """The store can't be reached, or refused a write."""


class IncidentError(MonitoringError):
    """An incident that is not there, or that what was asked can't be done to."""


class DeliveryError(MonitoringError):
    """A channel did not take an alert; it is tried again."""


class RegistryError(MonitoringError):
    """A model artefact is missing, altered, or of a type that is not safe to load."""


class MissingExtraError(MonitoringError):
    """An optional package is not installed.

    Args:
        feature: what needs it, for instance ``"the Slack channel"``.
        extra: the extra that brings it, for instance ``"slack"``.
    """

    def __init__(self, feature: str, extra: str) -> None:
        super().__init__(
            f"{feature} needs an optional package. "
            f"Install it with: pip install 'dagster-monitoring[{extra}]'"
        )


def did_you_mean(given: str, allowed: Iterable[str]) -> str:
    """The nearest allowed name as a sentence with a leading space, or nothing.

    Example:
        >>> did_you_mean("jensen", ["jensen_shannon", "psi"])
        " Did you mean 'jensen_shannon'?"
        >>> did_you_mean("zzz", ["psi"])
        ''
    """
    nearest = difflib.get_close_matches(given, list(allowed), n=1, cutoff=0.5)
    return f" Did you mean {nearest[0]!r}?" if nearest else ""
