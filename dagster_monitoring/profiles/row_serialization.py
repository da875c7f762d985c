"""What profiles and bins keep of whole rows, in the form that their files take."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from dagster_monitoring.profiles.projection import Projection
from dagster_monitoring.profiles.sample import RowSample, SamplePlan
from dagster_monitoring.statistics.exact_sum import ExactSum
from dagster_monitoring.statistics.multivariate import ReconstructionErrors

Integers = npt.NDArray[np.int64]

# Any: JSON of mixed values, checked by the format's number.
Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True, eq=False)
class SampledColumn:
    """One column of a sample: ranks (of the first column, 0 elsewhere) and the values' bits."""

    name: str
    ranks: Integers
    bits: Integers


def sample_columns(sample: RowSample | None) -> Iterator[SampledColumn]:
    """A sample as integers, column by column; nothing when there is none."""
    if sample is None:
        return
    ranks = sample.ranks.view(np.int64)
    for at, name in enumerate(sample.plan.columns):
        bits = np.ascontiguousarray(sample.values[:, at]).view(np.int64)
        yield SampledColumn(name, np.zeros_like(ranks) if at else ranks, bits)


def write_sample(sample: RowSample | None) -> Json | None:
    """A sample without its rows."""
    if sample is None:
        return None
    return {**write_plan(sample.plan), "n": sample.n, "n_left_out": sample.n_left_out}


def read_sample(header: Json | None, ranks: Integers, bits: Integers) -> RowSample | None:
    """What :func:`write_sample` and :func:`sample_columns` wrote."""
    if header is None:
        return None
    plan = read_plan(header)
    n, width = header["n"], len(plan.columns)
    return RowSample(
        plan=plan,
        ranks=np.ascontiguousarray(ranks[:n]).view(np.uint64),
        values=np.ascontiguousarray(bits.reshape(width, n).T).view(np.float64),
        n_left_out=header["n_left_out"],
    )


def write_plan(plan: SamplePlan) -> Json:
    """What a sample holds."""
    return {"columns": plan.columns, "size": plan.size}


def read_plan(header: Json) -> SamplePlan:
    """What :func:`write_plan` wrote."""
    return SamplePlan(columns=tuple(header["columns"]), size=header["size"])


def write_errors(errors: Mapping[str, ReconstructionErrors]) -> Json:
    """Reconstruction errors, exactly."""
    return {
        key: {
            "n": own.n,
            "total": str(own.total),
            "squares": str(own.squares),
            "n_left_out": own.n_left_out,
        }
        for key, own in errors.items()
    }


def read_errors(header: Json) -> dict[str, ReconstructionErrors]:
    """What :func:`write_errors` wrote."""
    return {
        key: ReconstructionErrors(
            n=own["n"],
            total=ExactSum.parse(own["total"]),
            squares=ExactSum.parse(own["squares"]),
            n_left_out=own["n_left_out"],
        )
        for key, own in header.items()
    }


def write_projections(projections: Sequence[Projection]) -> list[Json]:
    """Projections, exactly: Python writes floats so that they are read back the same."""
    return [
        {
            "columns": own.columns,
            "means": own.means.tolist(),
            "scales": own.scales.tolist(),
            "residual": own.residual.tolist(),
            "shares": {name: shares.tolist() for name, shares in own.shares.items()},
            "explained": own.explained,
        }
        for own in projections
    ]


def read_projections(header: Sequence[Json]) -> tuple[Projection, ...]:
    """What :func:`write_projections` wrote."""
    return tuple(
        Projection(
            columns=tuple(own["columns"]),
            means=np.array(own["means"]),
            scales=np.array(own["scales"]),
            residual=np.array(own["residual"]).reshape(len(own["residual"]), len(own["columns"])),
            shares={name: np.array(shares) for name, shares in own["shares"].items()},
            explained=own["explained"],
        )
        for own in header
    )
