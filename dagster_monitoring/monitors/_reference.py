"""The profile that a window is compared with."""

from __future__ import annotations

from dataclasses import dataclass

from dagster_monitoring.monitors._monitor import Measurement, View
from dagster_monitoring.monitors._slices import baseline_note, slices_before
from dagster_monitoring.profiles.profile import Profile


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Reference:
    """A baseline's profile; ``note`` says which slices a rolling one lacks."""

    profile: Profile
    note: str | None = None


def reference_of(view: View, *, rolling: int | None, window: int) -> Reference | Measurement:
    """The baseline's profile; a measurement that says why the rolling one can't serve.

    Args:
        view: the model at the judged partition.
        rolling: how many slices before the window; ``None``: the training baseline.
        window: slices of the judged window.
    """
    if rolling is None:
        return Reference(profile=view.baseline.profile)
    found = view.rolling(rolling, before=window)
    needed = (rolling + 1) // 2
    note = baseline_note(found.partitions, found.missing, rolling)
    if len(found.partitions) >= needed:
        return Reference(profile=found.profile, note=note)
    return Measurement(
        metric="",
        value=None,
        reason=f"{note}; it needs {needed}",
        expected=slices_before(view) < needed + window,
        n=0,
    )
