"""What every channel is: it takes a message, or says plainly why it could not."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar, Self

from pydantic import Field, field_validator, model_validator

from dagster_monitoring.alerts.message import AlertMessage
from dagster_monitoring.declaration import Declaration
from dagster_monitoring.errors import DeliveryError
from dagster_monitoring.incidents import Digest, When


class ChannelError(DeliveryError):
    """A channel did not take a message: which one, why, and what to do.

    Args:
        channel: the channel's name.
        problem: what happened; never holds a secret.
        next_step: what a person does about it.
        retry_after_seconds: how long the receiver asks to be left alone, at least 0, or ``None``.

    Example:
        >>> str(ChannelError("ops", "no answer in 10 s", next_step="Check the network."))
        "alert channel 'ops': no answer in 10 s. Check the network."
    """

    def __init__(
        self,
        channel: str,
        problem: str,
        *,
        next_step: str,
        retry_after_seconds: float | None = None,
    ) -> None:
        super().__init__(f"alert channel {channel!r}: {problem}. {next_step}")
        self.channel = channel
        self.retry_after_seconds = retry_after_seconds


class Channel(Declaration, ABC):
    """Somewhere an alert goes. One file of this folder a channel; it is found by itself.

    A subclass declares ``type: Literal["…"] = "…"`` and its fields, and sends.
    """

    type: str = Field(description="Which channel this is.")
    name: str = Field(
        "",
        max_length=100,
        description="Tells two channels of one model apart; by default the type.",
        validate_default=True,
    )
    when: When = Field(
        default_factory=When, description="Which messages it gets; all when left out."
    )
    escalation: bool = Field(
        default=False,
        description="Only escalations come here, then who took the incident, and its end.",
    )
    digest: Digest | None = Field(
        None,
        description='`daily`, or {at: "08:00", timezone: Europe/Paris}: one message a day of '
        "what is open, what closed and what warned. Warnings are told in it alone, errors at once "
        "as well.",
    )
    # Whether a send leaves this machine; the contract tests ask for timeouts where it does.
    remote: ClassVar[bool] = False
    # Whether an update (a retraining was asked for) rings no bell: it goes beneath the incident's
    # first message, or a machine reads it.
    updates_quietly: ClassVar[bool] = False
    # Whether one message a day means anything to it; a pager knows only incidents.
    takes_digest: ClassVar[bool] = True

    @model_validator(mode="before")
    @classmethod
    def _named_by_type(cls, given: Any) -> Any:  # noqa: ANN401 - whatever the YAML held
        if isinstance(given, dict) and not given.get("name"):
            return {**given, "name": cls.model_fields["type"].default}
        return given

    @field_validator("digest", mode="before")
    @classmethod
    def _daily(cls, given: object) -> object:
        return Digest() if given == "daily" else given

    @model_validator(mode="after")
    def _told_at_once_or_by_day(self) -> Self:
        if self.escalation and self.digest is not None:
            raise ValueError("a channel for escalations can't wait for a digest. Leave one out")
        if self.digest is not None and not self.takes_digest:
            raise ValueError(
                f"digest: {self.type} keeps incidents and has no place for a daily message. Give "
                "the digest to another channel"
            )
        return self

    @abstractmethod
    def send(self, message: AlertMessage, *, thread: str | None = None) -> str | None:
        """Hand a message over; returning means that the receiver took it.

        Args:
            message: what to say.
            thread: what this method gave for the first message of the same incident; a channel
                that can, puts what follows beneath it.

        Returns:
            What the receiver calls the message, where later ones can refer to it.

        The same message may be sent more than once (after a crash between sending and noting it);
        ``message.dedup_key`` stays the same and goes along where the receiver can use it.

        Raises:
            DeliveryError: it was not taken; a ``ChannelError`` may say how long to wait.
            MissingExtraError: an optional package is not installed.
        """
