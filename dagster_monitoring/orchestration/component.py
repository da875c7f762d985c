"""The YAML form of a monitored model: a Dagster component."""

from __future__ import annotations

import re
from typing import Self

import dagster as dg
from pydantic import BaseModel, ValidationError

from dagster_monitoring.declaration import explain
from dagster_monitoring.errors import DeclarationError
from dagster_monitoring.model import MonitoredModel
from dagster_monitoring.orchestration.definitions import build_monitoring_defs


class ModelMonitoringComponent(dg.Component):
    """Watches one model: slices, profiles, drift, data quality, performance, alerts, retraining.

    Its attributes are the fields of ``MonitoredModel``. Relative paths start from the project's
    root. ``{{ env.NAME }}`` works in text fields; secrets are better given as ``{env: NAME}``,
    which is read only where it is used.
    """

    def __init__(self, model: MonitoredModel) -> None:
        self.model = model

    @classmethod
    def get_model_cls(cls) -> type[BaseModel]:
        """The schema of the attributes."""
        return MonitoredModel

    @classmethod
    def get_spec(cls) -> dg.ComponentTypeSpec:
        """How Dagster's tools describe the component."""
        return dg.ComponentTypeSpec(
            description="Monitors a model in service: daily slices, drift, data quality, "
            "performance on late labels, alerts and retraining.",
            tags=["machine-learning", "monitoring"],
        )

    @classmethod
    def load(cls, attributes: BaseModel | None, context: dg.ComponentLoadContext) -> Self:
        """The component from its YAML attributes."""
        given = attributes.model_dump(exclude_unset=True) if attributes else {}
        resolved = context.resolution_context.at_path("attributes").resolve_value(given)
        try:
            model = MonitoredModel.model_validate(resolved)
        except ValidationError as error:
            raise DeclarationError(explain(error, where="attributes.", given=resolved)) from None
        return cls(model.rooted(context.project_root))

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """The model's assets, checks, jobs, schedule and sensors."""
        del context
        return build_monitoring_defs(self.model)


def root_cause(error: BaseException) -> str:
    """The message at the bottom of an exception's chain, where the useful words are."""
    while (deeper := error.__cause__ or error.__context__) is not None:
        error = deeper
    if isinstance(error, ValidationError):
        # Dagster validated the attributes itself, with the kinds of the entries in the paths.
        text = explain(error, where="attributes.")
        return re.sub(r"monitors\.list(\[\d+\])(\.monitor\.\w+)?", r"monitors\1", text)
    return f"{error}" if isinstance(error, DeclarationError) else f"{type(error).__name__}: {error}"
