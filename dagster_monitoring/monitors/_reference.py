"""The profile that a window is compared with."""

from __future__ import annotations

from dagster_monitoring.monitors._monitor import Measurement, View
from dagster_monitoring.monitors._slices import slices_before
from dagster_monitoring.profiles.profile import Profile


def reference_profile(view: View, *, rolling: int | None, window: int) -> Profile | Measurement:
    """The baseline's profile; a measurement that says why the rolling one can't serve.

    Args:
        view: the model at the judged partition.
        rolling: how many slices before the window; ``None``: the training baseline.
        window: slices of the judged window.
    """
    if rolling is None:
        return view.baseline.profile
    found = view.rolling(rolling, before=window)
    needed = (rolling + 1) // 2
    if len(found.partitions) >= needed:
        return found.profile
    return Measurement(
        metric="",
        value=None,
        reason=f"the rolling baseline has {len(found.partitions)} of its {rolling} slices, "
        f"and needs {needed}",
        expected=slices_before(view) < needed + window,
        n=0,
    )
