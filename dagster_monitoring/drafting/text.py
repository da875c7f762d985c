"""A draft as YAML, with comments that say what was told from what."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import yaml

from dagster_monitoring.drafting.draft import Draft
from dagster_monitoring.drafting.places import Feed
from dagster_monitoring.schema import BinaryClassification, MulticlassClassification

_WIDTH = 96


@dataclass(frozen=True, slots=True, kw_only=True)
class Paths:
    """Where the declaration says that rows are read."""

    baseline: str
    slices: Feed
    labels: Feed


def declaration_text(draft: Draft, *, model: str, paths: Paths) -> str:
    """The component's YAML.

    Args:
        draft: the roles of the columns.
        model: the model's name.
        paths: where its rows are.
    """
    sections = (
        _header(model),
        _task(draft),
        _columns(draft),
        _partitions(draft),
        _sources(paths),
        _rest(draft),
    )
    return "\n".join(line for section in sections for line in (*section, "")).rstrip() + "\n"


def _header(model: str) -> Iterator[str]:
    yield "# One monitored model, as far as its baseline tells; lines marked `look:` need a look."
    yield "# Paths are relative to the project's folder, where pyproject.toml lies."
    yield f"# Then: dagster-monitoring check {model}"
    yield "type: dagster_monitoring.ModelMonitoringComponent"
    yield ""
    yield "attributes:"
    yield f"  model: {model} # names the assets, the checks and what the stores remember"


def _task(draft: Draft) -> Iterator[str]:
    task = draft.task
    yield from _notes(draft, "task")
    yield "  task:"
    yield f"    type: {task.type}"
    yield f"    label: {_scalar(task.label)} # in the ground truth"
    yield f"    prediction: {_scalar(task.prediction)} # in the slices"
    if isinstance(task, BinaryClassification):
        if task.score is not None:
            yield f"    score: {_scalar(task.score)} # the positive class's probability"
        yield f"    positive: {_scalar(task.positive)}"
    if isinstance(task, MulticlassClassification) and task.scores:
        yield "    scores: # a class and its probability's column"
        for name, column in task.scores.items():
            yield f"      {_scalar(name)}: {_scalar(column)}"


def _columns(draft: Draft) -> Iterator[str]:
    columns = draft.columns
    yield from _notes(draft, "columns")
    yield "  columns:"
    yield f"    id: {_scalar(columns.id)} # labels are joined to predictions by it"
    yield f"    timestamp: {_scalar(columns.timestamp)} # when the prediction was made"
    yield from _listed("numeric", columns.numeric)
    yield from _listed("categorical", columns.categorical)
    if columns.model_version is not None:
        yield f"    model_version: {_scalar(columns.model_version)} # which version scored the row"
    if draft.left_out:
        yield "    # Left out:"
        for name, reason in draft.left_out.items():
            yield from _comment(f"- {_scalar(name)}: {reason}", indent=4)


def _partitions(draft: Draft) -> Iterator[str]:
    days = draft.partitions
    yield f"  # The baseline ends on {days.shift(days.first, -1)}."
    yield from _notes(draft, "partitions")
    yield f"  partitions: {{ start: {days.start}, timezone: {days.timezone} }}"


def _sources(paths: Paths) -> Iterator[str]:
    yield f"  baseline: {{ type: parquet, path: {_quoted(paths.baseline)} }}"
    yield ""
    if paths.slices.columns is None:
        yield "  # look: no slices were found; {partition} stands for the day, as 2013-04-01."
    yield f"  predictions: {{ type: parquet, path: {_quoted(paths.slices.path)} }}"
    yield ""
    yield from _labels(paths.labels)


def _labels(feed: Feed) -> Iterator[str]:
    lines = ["ground_truth:", "  type: parquet", f"  path: {_quoted(feed.path)}"]
    if feed.columns is None:
        yield "  # look: no labels were found. Without them performance is not judged."
        yield from (f"  # {line}" for line in lines)
        yield "  #   available_at: available_at # when a label became available"
        yield "  #   expected_delay_days: 1 # until then a slice without labels is no fault"
        return
    yield from (f"  {line}" for line in lines)
    for role in ("available_at", "revision", "event_time"):
        if role in feed.columns:
            yield f"    {role}: {role}"
    yield "    expected_delay_days: 1 # look: until then a slice without labels is no fault"


def _rest(draft: Draft) -> Iterator[str]:
    if draft.segments:
        yield "  # Columns whose values are watched one by one as well, for instance:"
        yield f"  # segments: [{', '.join(map(_quoted_item, draft.segments))}]"
        yield ""
    yield "  monitors:"
    yield "    - default # drift, data quality, performance, label coverage"
    yield "    - type: impact # what drift does to the error, before labels; keeps some rows"
    yield ""
    yield "  alerts:"
    yield "    - { type: console }"
    yield '    # - { type: slack, channel: "#ml-alerts", token: { env: SLACK_TOKEN } }'
    yield ""
    yield "  # A challenger is trained when drift or a loss of performance opens an incident:"
    yield "  # retraining: { trainer: my_project.train:fit, cooldown_days: 7 }"


def _notes(draft: Draft, section: str) -> Iterator[str]:
    for note in draft.notes:
        if note.field.partition(".")[0] == section:
            yield from _comment(f"look: {note.field}: {note.text}", indent=2)


def _comment(text: str, *, indent: int) -> list[str]:
    # What stands in data must not end the comment and go on as YAML.
    inert = "".join(c if c.isprintable() else "?" for c in text)
    return textwrap.wrap(
        inert,
        width=_WIDTH,
        initial_indent=f"{' ' * indent}# ",
        subsequent_indent=f"{' ' * indent}#   ",
        break_on_hyphens=False,
        break_long_words=False,
    )


def _listed(field: str, names: Sequence[str]) -> Iterator[str]:
    one_line = f"    {field}: [{', '.join(map(_quoted_item, names))}]"
    if len(one_line) <= _WIDTH:
        yield one_line
        return
    yield f"    {field}:"
    yield from (f"      - {_scalar(name)}" for name in names)


def _scalar(value: str | int | bool) -> str:  # noqa: FBT001 - a class label may be a boolean
    """A value as YAML 1.1 reads it back, on one line."""
    if isinstance(value, str) and not value.isprintable():
        return json.dumps(value)
    plain: str = yaml.safe_dump(value, allow_unicode=True, width=10_000)
    return plain.removesuffix("\n").removesuffix("\n...")


def _quoted(path: str) -> str:
    return json.dumps(path, ensure_ascii=False)


def _quoted_item(name: str) -> str:
    """As :func:`_scalar`, and safe inside brackets."""
    plain = _scalar(name)
    return _quoted(name) if set("[]{},") & set(name) and plain[0] not in "'\"" else plain
