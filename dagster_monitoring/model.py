"""The declaration of a monitored model: the same fields in Python and in YAML."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import (
    Discriminator,
    Field,
    PrivateAttr,
    Tag,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from dagster_monitoring.alerts import AnyChannel, Channel, check_names
from dagster_monitoring.declaration import (
    Declaration,
    EnvironmentVariable,
    PlainAddress,
    PlainPath,
    explain,
)
from dagster_monitoring.errors import DeclarationError, did_you_mean
from dagster_monitoring.incidents import AlertPolicy
from dagster_monitoring.monitors import AnyMonitor, Monitor, default_monitors, with_shares
from dagster_monitoring.partitions import WEEKDAYS
from dagster_monitoring.profiles.engine import AnyEngine, LocalEngine, SparkEngine
from dagster_monitoring.retraining import RetrainingConfig
from dagster_monitoring.schema import BinaryClassification, Columns, Partitions, Ranking, Task
from dagster_monitoring.sources import AnyGroundTruth, AnySource, Source

DeclarationT = TypeVar("DeclarationT", bound=Declaration)
NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")


class Storage(Declaration):
    """Where profiles, models and what must be remembered are kept."""

    path: PlainPath = Field(
        "monitoring", description="Folder of profiles, baselines and models; any fsspec URL."
    )
    database: PlainAddress | None = Field(
        None,
        description="SQLAlchemy URL of the store (SQLite or PostgreSQL), or {env: NAME}. "
        "Default: store.sqlite in `path`, which must then be a local folder.",
    )
    labels: Literal["store", "parquet"] = Field(
        "store",
        description="Where labels and the ids of predictions are kept: in the `store`, or as "
        "`parquet` files in `path`, for models with tens of millions of them.",
    )

    @property
    def database_url(self) -> str:
        """The store's URL, its secret read from the environment."""
        if isinstance(self.database, EnvironmentVariable):
            return self.database.read()
        return self.database or f"sqlite:///{self.path}/store.sqlite"

    @property
    def label_folder(self) -> str | None:
        """The folder of labels that are kept as files; ``None`` for those in the store."""
        return f"{self.path}/label_ledger" if self.labels == "parquet" else None


class Removed(Declaration):
    """An entry of ``monitors`` that takes a default monitor away."""

    remove: str = Field(description="Name of the default monitor that is not wanted.")


def _kind_of_entry(entry: object) -> str:
    if isinstance(entry, str):
        return "default"
    fields = entry if isinstance(entry, dict) else {}
    return "removed" if "remove" in fields or isinstance(entry, Removed) else "monitor"


def _kind_of_monitors(given: object) -> str:
    return "word" if isinstance(given, str) else "list"


MonitorEntry = Annotated[
    Annotated[Literal["default"], Tag("default")]
    | Annotated[Removed, Tag("removed")]
    | Annotated[AnyMonitor, Tag("monitor")],
    Discriminator(_kind_of_entry),
]
Monitors = Annotated[
    Annotated[Literal["default"], Tag("word")] | Annotated[tuple[MonitorEntry, ...], Tag("list")],
    Discriminator(_kind_of_monitors),
]


class MonitoredModel(Declaration):
    """A model in service and everything that watches it.

    Args are the fields below; unknown fields are errors that name the nearest known one.

    Raises:
        pydantic.ValidationError: what was declared can't be right. ``MonitoredModel.read`` gives
            the same as a ``DeclarationError`` in plain words.

    Example:
        >>> model = MonitoredModel(
        ...     model="flight_delay",
        ...     task={"type": "binary_classification", "label": "late", "prediction": "late_pred"},
        ...     columns={"id": "flight", "timestamp": "at", "numeric": ["temp"]},
        ...     partitions={"start": "2013-04-01", "timezone": "America/New_York"},
        ...     baseline={"type": "parquet", "path": "data/baseline.parquet"},
        ...     predictions={"type": "parquet", "path": "data/day={partition}/*.parquet"},
        ... )
        >>> model.model, model.partitions.timezone
        ('flight_delay', 'America/New_York')
    """

    model: str = Field(description="Name of the model: lower case letters, digits, underscores.")
    description: str | None = Field(None, description="What the model is for, in a line.")
    owners: tuple[str, ...] = Field(
        (), description="E-mail addresses, or team:name; shown on every asset."
    )
    task: Task = Field(description="What is predicted, and in which columns.")
    columns: Columns = Field(description="The columns by their role.")
    partitions: Partitions = Field(description="Slices of production: hours, days or weeks.")
    engine: AnyEngine = Field(
        # With its type given, so that a model written out without defaults can be read again.
        default_factory=lambda: LocalEngine(type="local"),
        description="What scans the slices: `local`, or {type: spark, master: spark://host:7077}.",
    )
    baseline: AnySource = Field(
        description="Rows of known good: features, out-of-sample predictions, labels."
    )
    predictions: AnySource = Field(description="Slices of scored rows.")
    ground_truth: AnyGroundTruth | None = Field(
        None, description="The feed of labels, as they arrive."
    )
    segments: tuple[str, ...] = Field(
        (), description="Categorical columns whose values are watched one by one."
    )
    monitors: Monitors = Field(
        "default",
        description="`default`, or a list of monitors; `default` in the list adds the default "
        "set, a monitor of the same name replaces a default, {remove: NAME} drops one.",
    )
    alerts: tuple[AnyChannel, ...] = Field((), description="Channels that are told of incidents.")
    alert_policy: AlertPolicy = Field(
        default_factory=AlertPolicy, description="What opens and closes an incident."
    )
    retraining: RetrainingConfig | None = Field(
        None, description="How a challenger is trained, and when."
    )
    storage: Storage = Field(
        default_factory=Storage, description="Where profiles, models and the store are kept."
    )
    schedule: str | None = Field(
        None,
        description="Cron line, in the partitions' time zone, of the job that judges the slice "
        "that was over last. Default: 01:30 every day; of hours, ten minutes past each; of weeks, "
        "01:30 on the day on which they begin.",
    )
    root: Path = Field(
        Path(), description="Folder that relative paths start from; set by the component."
    )

    _resolved: tuple[Monitor, ...] = PrivateAttr(default=())

    @classmethod
    def read(cls, attributes: dict[str, Any], *, where: str = "") -> MonitoredModel:
        """The declaration from a mapping, such as YAML gives.

        Raises:
            DeclarationError: one line for each fault, with the field's path and the next step.
        """
        try:
            return cls.model_validate(attributes)
        except ValidationError as error:
            raise DeclarationError(explain(error, where=where, given=attributes)) from None

    @field_validator("model")
    @classmethod
    def _a_plain_name(cls, name: str) -> str:
        if not NAME.fullmatch(name):
            raise ValueError(
                f"{name!r} can't name a model: use a lower case letter first, then lower case "
                "letters, digits and underscores, at most 64"
            )
        return name

    @field_validator("alerts")
    @classmethod
    def _names_differ(cls, channels: tuple[Channel, ...]) -> tuple[Channel, ...]:
        check_names(channels)
        return channels

    @field_validator("baseline", "predictions")
    @classmethod
    def _one_spark_session(cls, source: Source, info: ValidationInfo) -> Source:
        engine = info.data.get("engine")
        if engine is None:
            return source  # the engine's own fault is told
        return source.connected(engine if isinstance(engine, SparkEngine) else None)

    @model_validator(mode="after")
    def _engine_fits(self) -> MonitoredModel:
        if isinstance(self.engine, SparkEngine) and not self.predictions.read_by_spark:
            raise ValueError(
                "engine: Spark reads predictions of type parquet, asset and spark_table, not "
                f"{type(self.predictions).__name__}. Use one of those, or engine: local"
            )
        return self

    @model_validator(mode="after")
    def _retraining_fits(self) -> MonitoredModel:
        if self.retraining is not None and isinstance(self.task, Ranking):
            raise ValueError(
                "retraining: a challenger is compared row by row, and a ranking is judged by "
                "queries. Leave retraining out, or declare the score as a regression"
            )
        return self

    @model_validator(mode="after")
    def _labels_name_an_entity(self) -> MonitoredModel:
        feed = self.ground_truth
        if feed is not None and feed.entity == self.columns.id:
            raise ValueError(
                f"ground_truth.entity: {feed.entity!r} is columns.id, which is unique to each "
                "prediction. Leave join and entity out"
            )
        return self

    @model_validator(mode="after")
    def _names_fit(self) -> MonitoredModel:
        unknown = [s for s in self.segments if s not in self.columns.categorical]
        if unknown:
            raise ValueError(
                f"segments: {unknown[0]!r} is not a categorical column."
                f"{did_you_mean(unknown[0], self.columns.categorical)}"
            )
        self._resolved = _resolve(self)
        return self

    @property
    def active_monitors(self) -> tuple[Monitor, ...]:
        """The monitors in force: defaults resolved, replaced and dropped."""
        return self._resolved

    @property
    def cron(self) -> str:
        """The cron line of the job that judges slices: as declared, or that of their length."""
        keys = self.partitions
        # Cron counts weekdays from Sunday.
        weekday = (WEEKDAYS.index(keys.week_start) + 1) % len(WEEKDAYS)
        defaults = {"hour": "10 * * * *", "day": "30 1 * * *", "week": f"30 1 * * {weekday}"}
        return self.schedule or defaults[keys.every]

    @property
    def label_id(self) -> str:
        """The column of the predictions that labels are joined by."""
        feed = self.ground_truth
        return feed.entity if feed is not None and feed.entity is not None else self.columns.id

    @property
    def label_ledger(self) -> str:
        """The name of the ledger that the model's labels are in.

        Its own name, and more where its ids are others than the predictions', or several models
        share the feed: ledgers of one name hold the same labels under the same ids.
        """
        feed, name = self.ground_truth, [self.model]
        if feed is not None and (feed.feed is not None or feed.join != "id"):
            name = [f"feed {feed.feed}"] if feed.feed else name
            name += [feed.id or self.label_id, *([feed.time] if feed.time else []), self.task.label]
        return "/".join([*name, "parquet"] if self.storage.labels == "parquet" else name)

    @property
    def score(self) -> str | None:
        """The score column, where the task has one."""
        return self.task.score if isinstance(self.task, BinaryClassification) else None

    def rooted(self, root: Path) -> MonitoredModel:
        """The same declaration with every relative path made absolute below ``root``."""
        changes: dict[str, object] = {
            "root": root,
            "baseline": self.baseline.relative_to(root),
            "predictions": self.predictions.relative_to(root),
            "storage": _anchored(self.storage, root),
            "alerts": tuple(_anchored(channel, root) for channel in self.alerts),
            "monitors": self.monitors
            if self.monitors == "default"
            else tuple(_anchored(m, root) if isinstance(m, Monitor) else m for m in self.monitors),
        }
        if self.ground_truth is not None:
            changes["ground_truth"] = self.ground_truth.relative_to(root)
        return MonitoredModel.model_validate({**dict(self), **changes})


def _resolve(model: MonitoredModel) -> tuple[Monitor, ...]:
    by_name: dict[str, Monitor] = {}
    declared: set[str] = set()
    entries = ("default",) if model.monitors == "default" else model.monitors
    for entry in entries:
        if entry == "default":
            for monitor in _defaults(model):
                by_name.setdefault(monitor.name, monitor)
        elif isinstance(entry, Removed):
            if entry.remove not in by_name:
                raise ValueError(
                    f"monitors: nothing to remove is called {entry.remove!r}."
                    f"{did_you_mean(entry.remove, by_name)}"
                )
            del by_name[entry.remove]
        else:
            if entry.name in declared:
                raise ValueError(f"monitors: two monitors are called {entry.name!r}")
            declared.add(entry.name)
            by_name[entry.name] = entry
    every = model.partitions.every
    counted = [monitor.counted_in(every) for monitor in by_name.values()]
    return with_shares(counted, model.alert_policy, every=every)


def _anchored(declared: DeclarationT, root: Path) -> DeclarationT:
    """A copy whose relative ``path``, where it has one, starts from ``root``."""
    path = getattr(declared, "path", None)
    if not isinstance(path, str) or "://" in path or Path(path).is_absolute():
        return declared
    return declared.model_copy(update={"path": str(root / path)})


def _defaults(model: MonitoredModel) -> list[Monitor]:
    """The default set; without ground truth, nothing that needs labels."""
    return default_monitors(
        model.task,
        model.columns,
        labels=model.ground_truth is not None,
        every=model.partitions.every,
    )
