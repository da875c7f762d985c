"""Counted slices, kept so that it is known which ones changed."""

from __future__ import annotations

from dagster_monitoring.errors import BaselineError
from dagster_monitoring.orchestration.backend import Backend
from dagster_monitoring.orchestration.slices import profile_slice
from dagster_monitoring.profiles.profile import Profile
from dagster_monitoring.profiles.storage import profile_bytes

# What the join with labels is kept as, beside the versions of baselines: those begin otherwise.
JOINED = "joined"


def keep_profile(backend: Backend, version: str, partition: str, profile: Profile) -> int | None:
    """Keep a slice's profile on a baseline's bins; the change's number when it is another."""
    name, content = backend.model.model, profile_bytes(profile)
    backend.storage.write(name, version, partition, content)
    # Noted after it is there: who is told of the change finds it.
    return backend.store.judgements.count_slice(name, partition, version, content)


def keep_slice(backend: Backend, version: str, partition: str, profile: Profile) -> list[str]:
    """Keep a slice's profile, and count the slice again on the other baselines that have it.

    Windows of days that another baseline judges look back on it too, and have to see the same
    rows.

    Returns:
        The versions of those other baselines.
    """
    keep_profile(backend, version, partition, profile)
    counted = backend.store.judgements.counted_on(backend.model.model, partition)
    others = [other for other in counted if other not in {version, JOINED}]
    for other in others:
        try:
            baseline = backend.baseline(other)
        except BaselineError:
            # Nothing is judged by a baseline that is gone.
            continue
        keep_profile(backend, other, partition, profile_slice(backend, partition, baseline))
    return others
