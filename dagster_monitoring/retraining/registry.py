"""Models kept as files: versioned, checked by their hash, loaded without running foreign code.

Layout below the root: ``{version}/model.skops`` and ``{version}/manifest.json`` (written last: a
version without one was never finished), and ``champion.json`` with every promotion so far.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime

from dagster_monitoring.errors import RegistryError
from dagster_monitoring.retraining._artefact import from_bytes, to_bytes
from dagster_monitoring.retraining._files import Folder
from dagster_monitoring.retraining.trainer import Estimator

_SHA256 = re.compile(r"[0-9a-f]{64}")
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelVersion:
    """A model as it was registered; ``metadata`` is what the registrar wanted remembered."""

    version: str
    sha256: str
    size_bytes: int
    created_at: datetime
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Champion:
    """A version in service, and the baseline that goes with it.

    Args:
        version: the version; empty where the first promotion was taken back.
        baseline_version: what production is compared with since.
        promoted_at: since when.
        withdrawn: the version that it replaced by a rollback; empty for a promotion.
    """

    version: str
    baseline_version: str
    promoted_at: datetime
    withdrawn: str = ""


class ModelRegistry:
    """The versions of one model.

    Args:
        root: a folder of its own, or any fsspec URL.
        trusted_types: full names of types a model may hold beside the built-in ones.

    Example:
        >>> import tempfile
        >>> from sklearn.dummy import DummyRegressor
        >>> registry = ModelRegistry(tempfile.mkdtemp())
        >>> fitted = DummyRegressor().fit([[0], [1]], [2.0, 4.0])
        >>> _ = registry.register(fitted, version="v1", metadata={"rows": "2"})
        >>> _ = registry.promote("v1", baseline_version="b-1")
        >>> registry.champion().version, float(registry.load("v1").predict([[5]])[0])
        ('v1', 3.0)
    """

    def __init__(self, root: str, *, trusted_types: Sequence[str] = ()) -> None:
        self._folder = Folder(root)
        self._trusted_types = tuple(trusted_types)

    def register(
        self,
        estimator: Estimator,
        *,
        version: str,
        metadata: Mapping[str, str] | None = None,
        now: datetime | None = None,
    ) -> ModelVersion:
        """Keep a fitted model under a new name; it is not in service until promoted.

        Raises:
            RegistryError: the version exists or its name can't be a folder's, or the model holds
                a type that is not trusted: the message names it and what to declare.
        """
        self._check_name(version)
        if self._folder.exists(f"{version}/manifest.json"):
            raise RegistryError(
                f"version {version!r} is in the registry at {self._folder.root} already. "
                f"Versions never change: register under another name."
            )
        data = to_bytes(estimator, version=version, declared=self._trusted_types)
        registered = ModelVersion(
            version=version,
            sha256=hashlib.sha256(data).hexdigest(),
            size_bytes=len(data),
            created_at=now or datetime.now(UTC),
            metadata=dict(metadata or {}),
        )
        self._folder.write(f"{version}/model.skops", data)
        self._folder.write(f"{version}/manifest.json", _to_json(asdict(registered)))
        return registered

    def load(self, version: str) -> Estimator:
        """The model of a version, after checking that its file is the one registered.

        Raises:
            RegistryError: no such version, its file is missing or altered, or it holds a type
                that is not trusted.
        """
        known = self.get(version)
        path = f"{version}/model.skops"
        if not self._folder.exists(path):
            raise RegistryError(
                f"the file of model version {version!r} is gone: {self._folder.path(path)}. "
                f"Restore it, or promote another version."
            )
        data = self._folder.read(path)
        found = hashlib.sha256(data).hexdigest()
        if found != known.sha256:
            raise RegistryError(
                f"the file of model version {version!r} was altered: {self._folder.path(path)} "
                f"has sha256 {found[:12]}…, registered was {known.sha256[:12]}…. "
                f"It is not loaded; restore it, or promote another version."
            )
        return from_bytes(data, version=version, declared=self._trusted_types)

    def get(self, version: str) -> ModelVersion:
        """What is known of a version.

        Raises:
            RegistryError: there is none of that name, or its manifest can't be read.
        """
        self._check_name(version)
        path = f"{version}/manifest.json"
        if not self._folder.exists(path):
            names = ", ".join(v.version for v in self.versions()) or "none"
            raise RegistryError(
                f"no model version {version!r} in the registry at {self._folder.root}. "
                f"There are: {names}"
            )
        try:
            registered = _manifest(json.loads(self._folder.read(path)))
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise self._unreadable(path, error) from None
        if registered.version != version:
            raise RegistryError(
                f"{self._folder.path(path)} is the manifest of another version, "
                f"{registered.version[:100]!r}: it was altered. Restore it."
            )
        return registered

    def versions(self) -> list[ModelVersion]:
        """Every version, oldest first; empty for a new registry."""
        names = [
            name
            for name in self._folder.folders()
            if _VERSION.fullmatch(name) and self._folder.exists(f"{name}/manifest.json")
        ]
        return sorted((self.get(name) for name in names), key=lambda v: (v.created_at, v.version))

    def promote(
        self, version: str, *, baseline_version: str, now: datetime | None = None
    ) -> Champion:
        """Put a version in service, together with its baseline; readers see all of it or nothing.

        Promoting what is in service already changes nothing.

        Raises:
            RegistryError: no such version.
        """
        self.get(version)
        history = self.history()
        if history and (history[-1].version, history[-1].baseline_version) == (
            version,
            baseline_version,
        ):
            return history[-1]
        champion = Champion(
            version=version,
            baseline_version=baseline_version,
            promoted_at=now or datetime.now(UTC),
        )
        promotions = [asdict(one) for one in (*history, champion)]
        self._folder.write("champion.json", _to_json({"promotions": promotions}))
        return champion

    def withdraw(self, *, now: datetime | None = None) -> Champion | None:
        """Take the champion out of service and put the one before it back; gives that one.

        Where there is none before it, the model that was served before the first promotion serves
        again, and the registry names none. The history keeps what happened.

        Raises:
            RegistryError: nothing was promoted, or the version before can't be read.
        """
        history = self.history()
        stack = _in_service(history)
        if not stack:
            raise RegistryError(
                f"{self._folder.path('champion.json')} names no champion: there is nothing to roll "
                f"back."
            )
        gone, before = stack[-1], stack[-2] if len(stack) > 1 else None
        if before is not None:
            self.get(before.version)
        back = Champion(
            version=before.version if before else "",
            baseline_version=before.baseline_version if before else "",
            promoted_at=now or datetime.now(UTC),
            withdrawn=gone.version,
        )
        promotions = [asdict(one) for one in (*history, back)]
        self._folder.write("champion.json", _to_json({"promotions": promotions}))
        return back if before else None

    def champion(self) -> Champion | None:
        """The version in service, or ``None``: none was promoted, or the last was withdrawn."""
        history = self.history()
        return history[-1] if history and history[-1].version else None

    def history(self) -> list[Champion]:
        """Every promotion, oldest first; the last is in service.

        One without a version says that the first promotion was taken back.

        Raises:
            RegistryError: the pointer's file can't be read.
        """
        if not self._folder.exists("champion.json"):
            return []
        try:
            promotions = json.loads(self._folder.read("champion.json"))["promotions"]
            history = [
                Champion(
                    version=one["version"],
                    baseline_version=one["baseline_version"],
                    promoted_at=datetime.fromisoformat(one["promoted_at"]),
                    withdrawn=one.get("withdrawn", ""),
                )
                for one in promotions
            ]
            for one in history:
                # Empty for a first promotion that was taken back.
                if one.version:
                    self._check_name(one.version)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise self._unreadable("champion.json", error) from None
        return history

    def _check_name(self, version: str) -> None:
        if not _VERSION.fullmatch(version):
            raise RegistryError(
                f"{version[:100]!r} can't name a model version: use letters, digits, dots, "
                f"dashes and underscores, at most 100, a letter or digit first."
            )

    def _unreadable(self, path: str, error: Exception) -> RegistryError:
        return RegistryError(
            f"{self._folder.path(path)} can't be read ({type(error).__name__}): it was altered. "
            f"Restore it."
        )


def _manifest(fields: dict[str, object]) -> ModelVersion:
    """A version from its manifest; raises ``ValueError``, ``KeyError`` or ``TypeError``."""
    version, sha256, size, created = (
        fields[name] for name in ("version", "sha256", "size_bytes", "created_at")
    )
    metadata = fields["metadata"]
    if not isinstance(version, str) or not isinstance(created, str) or type(size) is not int:
        raise TypeError("a field of another type")
    if not isinstance(sha256, str) or not _SHA256.fullmatch(sha256):
        raise ValueError("no SHA-256")
    if not isinstance(metadata, dict) or not all(isinstance(v, str) for v in metadata.values()):
        raise TypeError("metadata that is not text")
    return ModelVersion(
        version=version,
        sha256=sha256,
        size_bytes=size,
        created_at=datetime.fromisoformat(created),
        metadata=metadata,
    )


def _in_service(history: Sequence[Champion]) -> list[Champion]:
    """The champion and those before it that a rollback would come to, the champion last."""
    stack: list[Champion] = []
    for one in history:
        if one.withdrawn:
            del stack[-1:]
        elif one.version:
            stack.append(one)
    return stack


def _to_json(fields: Mapping[str, object]) -> bytes:
    return json.dumps(fields, indent=2, sort_keys=True, default=_text).encode()


def _text(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} can't be kept in a manifest")
