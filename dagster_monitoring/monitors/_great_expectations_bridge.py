"""The bridge to Great Expectations, the only module that imports it: a suite, rows, outcomes.

Its own severity (critical, warning, info) and its ``mostly`` are kept; whether an expectation is
met is for it alone to say.
"""

from __future__ import annotations

import importlib
import json
import os
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from dagster_monitoring.errors import DeclarationError, MissingExtraError

if TYPE_CHECKING:
    from types import ModuleType

# Marks an expectation with its place in the suite, since results come in another order.
_PLACE = "dagster_monitoring_place"
_LONGEST_MESSAGE = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """One expectation of a suite, as its JSON says it."""

    type: str
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    severity: str = "critical"

    @property
    def column(self) -> str | None:
        """The column or columns it is about; ``None`` when it is about the table."""
        if "column" in self.kwargs:
            return str(self.kwargs["column"])
        if "column_A" in self.kwargs:
            return f"{self.kwargs['column_A']}, {self.kwargs.get('column_B')}"
        names = self.kwargs.get("column_list")
        return ", ".join(map(str, names)) if isinstance(names, list) else None

    @property
    def allowed(self) -> float:
        """The share of values that may be unexpected, 0..1."""
        return 1.0 - float(self.kwargs.get("mostly") or 1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one expectation.

    ``value`` is the share of unexpected values, or 0 (met) and 1 (not met) where there is no
    share; ``None`` with a ``note`` when it could not be evaluated.
    """

    expectation: Expectation
    value: float | None
    is_met: bool
    note: str | None
    rows: int


def read_suite(path: str) -> list[Expectation]:
    """The expectations of a suite's JSON file.

    Raises:
        DeclarationError: no such file, or it is no suite.
    """
    try:
        declared = json.loads(Path(path).read_text(encoding="utf-8"))
        return [_expectation(entry) for entry in declared["expectations"]]
    except FileNotFoundError:
        raise DeclarationError(
            f"there is no expectation suite at {path}. Write one to start from with "
            f"`dagster-monitoring gx-suite`, or correct the monitor's path"
        ) from None
    except (json.JSONDecodeError, UnicodeDecodeError, KeyError, TypeError) as error:
        raise DeclarationError(
            f"{path} is no expectation suite: it is JSON with a list `expectations`, each with "
            f"`type` and `kwargs` ({type(error).__name__}: {error})"
        ) from None


def call_suite(function: str) -> list[Expectation]:
    """The expectations of the suite that ``module:function`` returns.

    Args:
        function: where it is.

    Raises:
        DeclarationError: there is no such function, or it returns something else.
    """
    gx = load()
    module_name, _, name = function.partition(":")
    # Suites that are put together piece by piece need a context that is there before them.
    _new_context(gx)
    try:
        suite = getattr(importlib.import_module(module_name), name)()
    except (ImportError, AttributeError) as error:
        raise DeclarationError(
            f"function {function!r} can't be found ({error}). Write it as module:function, with "
            f"the module on the Python path"
        ) from error
    if not isinstance(suite, gx.ExpectationSuite):
        raise DeclarationError(
            f"function {function!r} returned {type(suite).__name__}; it has to return a "
            "great_expectations.ExpectationSuite"
        )
    return [_expectation(entry) for entry in suite.to_json_dict()["expectations"]]


def run_suite(expectations: Sequence[Expectation], rows: pa.Table) -> list[Outcome]:
    """Every expectation's outcome on rows, in the suite's order.

    Raises:
        DeclarationError: an expectation that Great Expectations does not know, or whose
            arguments it does not take.
    """
    gx = load()
    with _quiet():
        from great_expectations.data_context.types.base import (
            ProgressBarsConfig,
        )

        context = _new_context(gx)
        context.variables.progress_bars = ProgressBarsConfig(globally=False)
        suite = gx.ExpectationSuite(name="slice", expectations=_build(gx, expectations))
        asset = context.data_sources.add_pandas("slices").add_dataframe_asset("slice")
        whole = asset.add_batch_definition_whole_dataframe("rows")
        batch = whole.get_batch(batch_parameters={"dataframe": _frame(rows)})
        results = batch.validate(suite).results
    by_place = {r.expectation_config.meta[_PLACE]: r for r in results}
    return [
        _outcome(expectation, by_place[place], rows.num_rows)
        for place, expectation in enumerate(expectations)
    ]


def load() -> ModuleType:
    """Great Expectations, without the messages it sends home.

    Raises:
        MissingExtraError: it is not installed.
    """
    # It reads this when it is imported; a suite on a slice is nobody else's business.
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "False")
    try:
        with _quiet():
            return importlib.import_module("great_expectations")
    except ModuleNotFoundError as error:
        if error.name != "great_expectations":
            raise
        raise MissingExtraError("the Great Expectations monitor", "gx") from None


def _new_context(gx: ModuleType) -> Any:  # noqa: ANN401 - theirs
    """A context in memory; the one it makes by itself leaves a folder for documents behind."""
    from great_expectations.data_context.types.base import (
        DataContextConfig,
        InMemoryStoreBackendDefaults,
    )

    stores = InMemoryStoreBackendDefaults(init_temp_docs_sites=False)
    config = DataContextConfig(store_backend_defaults=stores)
    return gx.get_context(mode="ephemeral", project_config=config)


@contextmanager
def _quiet() -> Iterator[None]:
    """Without warnings about its own insides, which a user can't act on."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _expectation(entry: Mapping[str, Any]) -> Expectation:
    kwargs = {k: v for k, v in dict(entry.get("kwargs") or {}).items() if k != "batch_id"}
    severity = str(entry.get("severity") or "critical")
    return Expectation(type=str(entry["type"]), kwargs=kwargs, severity=severity)


def _build(gx: ModuleType, expectations: Sequence[Expectation]) -> list[Any]:
    """Expectations for a suite, made one by one: a suite silently drops those it can't make."""
    from great_expectations.expectations.expectation_configuration import (
        ExpectationConfiguration,
    )

    made = []
    for place, expectation in enumerate(expectations):
        configuration = ExpectationConfiguration(
            type=expectation.type, kwargs=dict(expectation.kwargs), meta={_PLACE: place}
        )
        try:
            made.append(configuration.to_domain_obj())
        except (gx.exceptions.GreatExpectationsError, ValueError, TypeError) as error:
            raise DeclarationError(
                f"expectation {place} of the suite, {expectation.type} with "
                f"{dict(expectation.kwargs)}, can't be used: {_short(str(error))}"
            ) from error
    return made


def _frame(rows: pa.Table) -> Any:  # noqa: ANN401 - a pandas frame, whose import takes long
    """Rows for pandas; dictionary codes back to values, so that they compare as what they are."""
    plain = [
        pa.field(f.name, f.type.value_type if pa.types.is_dictionary(f.type) else f.type)
        for f in rows.schema
    ]
    return rows.cast(pa.schema(plain)).to_pandas()


def _outcome(expectation: Expectation, result: Any, rows: int) -> Outcome:  # noqa: ANN401 - theirs
    is_met = bool(result.success)
    found: Mapping[str, Any] = result.result or {}
    value, note = _value(found, is_met=is_met)
    message = _message(result.exception_info)
    if message is not None:
        value, note = None, f"it could not be evaluated: {message}"
    elements = found.get("element_count")
    n = int(elements) if elements is not None else rows
    return Outcome(expectation=expectation, value=value, is_met=is_met, note=note, rows=n)


def _value(found: Mapping[str, Any], *, is_met: bool) -> tuple[float | None, str | None]:
    elements, missing = found.get("element_count"), found.get("missing_count")
    if elements is not None and elements == missing:
        return None, f"all {elements} values are missing, so there is nothing to look at"
    percent = found.get("unexpected_percent")
    if percent is not None:
        examples = found.get("partial_unexpected_list") or []
        shown = ", ".join(repr(e) for e in examples[:3])
        return float(percent) / 100.0, _short(f"unexpected: {shown}") if shown else None
    observed = found.get("observed_value")
    note = _short(f"observed {observed}") if observed is not None else None
    return (0.0 if is_met else 1.0), note


def _message(info: Any) -> str | None:  # noqa: ANN401 - one record, or one a metric
    if not info or info.get("raised_exception") is False:
        return None
    records = [info] if "raised_exception" in info else list(info.values())
    messages = {str(r.get("exception_message")) for r in records if isinstance(r, dict)}
    return _short("; ".join(sorted(messages))) if messages else None


def _short(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= _LONGEST_MESSAGE else f"{flat[: _LONGEST_MESSAGE - 1]}…"
