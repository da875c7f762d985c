"""Alerts by e-mail: text and HTML, an incident's messages in one conversation."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Annotated, ClassVar, Literal

from pydantic import Field, field_validator, model_validator

from dagster_monitoring.alerts._channel import Channel, ChannelError
from dagster_monitoring.alerts._http import transport_problem
from dagster_monitoring.alerts._mail import build_mail, message_id
from dagster_monitoring.alerts._text import one_line
from dagster_monitoring.alerts.message import AlertMessage
from dagster_monitoring.declaration import EnvironmentVariable

_ADDRESS = r"^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9.-]+$"
Address = Annotated[str, Field(pattern=_ADDRESS, max_length=254)]
_TRANSIENT = range(400, 500)


class EmailChannel(Channel):
    """Sends mail over SMTP, by default on a connection that STARTTLS encrypts.

    What follows about an incident answers its first mail. A mail that is sent again after a crash
    has the same Message-ID, by which mailboxes know it. An address that the server refuses for good
    keeps the mail from nobody else: the mail names it.
    """

    type: Literal["email"] = "email"
    host: str = Field(min_length=1, description="SMTP server.")
    port: int = Field(587, ge=1, le=65535, description="587 for STARTTLS, 465 for TLS, 25 inside.")
    security: Literal["starttls", "tls", "none"] = Field(
        "starttls",
        description="starttls and tls encrypt, and check the server's certificate; none does "
        "neither, and takes no password.",
    )
    username: EnvironmentVariable | None = Field(None, description="Login, as {env: NAME}.")
    password: EnvironmentVariable | None = Field(None, description="Password, as {env: NAME}.")
    sender: Address = Field(description="Address the mail is from.")
    to: tuple[Address, ...] = Field(min_length=1, max_length=100, description="Who gets it.")
    ca_file: str | None = Field(
        None, description="Certificates to trust, where the server's is of your own authority."
    )
    timeout_seconds: float = Field(10.0, gt=0, le=60, description="For each step of the exchange.")
    remote: ClassVar[bool] = True

    @field_validator("host")
    @classmethod
    def _a_host(cls, host: str) -> str:
        if not host.isascii() or any(c.isspace() or c in "/@" for c in host):
            raise ValueError("a server's name or address, without a protocol, user or port")
        return host

    @model_validator(mode="after")
    def _login_is_safe(self) -> EmailChannel:
        if (self.username is None) != (self.password is None):
            raise ValueError("username and password stand together, or neither")
        if self.username is not None and self.security == "none":
            raise ValueError("a password is not sent without encryption: security starttls or tls")
        return self

    def send(self, message: AlertMessage, *, thread: str | None = None) -> str:
        """Send the mail; gives its Message-ID.

        Raises:
            DeliveryError: the server could not be reached, or did not take it for anybody, or asks
                to try again for some: then nobody was sent it.
            DeclarationError: an environment variable is not set.
        """
        try:
            with self._connected() as server:
                refused = self._address(server)
                names = ", ".join(refused)
                notice = f"Not delivered to {names}: the server refuses." if names else ""
                mail = build_mail(
                    message, sender=self.sender, to=self.to, thread=thread, notice=notice
                )
                self._require(*server.data(mail.as_bytes(policy=mail.policy)), "the mail")
        except smtplib.SMTPResponseException as error:
            raise self._refusal(error.smtp_code, "the conversation") from None
        except (OSError, smtplib.SMTPException) as error:
            problem = transport_problem(error, host=self.host, timeout_seconds=self.timeout_seconds)
            raise ChannelError(
                self.name,
                problem,
                next_step="Check host, port and security, and that the server can be reached.",
            ) from None
        return message_id(message, sender=self.sender)

    @contextmanager
    def _connected(self) -> Iterator[smtplib.SMTP]:
        login = None
        if self.username is not None and self.password is not None:
            login = self.username.read(), self.password.read()
        server = self._open()
        try:
            if self.security == "starttls":
                server.starttls(context=self._trust())
            if login is not None:
                self._log_in(server, *login)
            yield server
            with suppress(OSError, smtplib.SMTPException):
                # The mail was taken; how the server says goodbye changes nothing.
                server.quit()
        finally:
            server.close()

    def _open(self) -> smtplib.SMTP:
        if self.security == "tls":
            return smtplib.SMTP_SSL(
                self.host, self.port, timeout=self.timeout_seconds, context=self._trust()
            )
        return smtplib.SMTP(self.host, self.port, timeout=self.timeout_seconds)

    def _trust(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self.ca_file)

    def _log_in(self, server: smtplib.SMTP, username: str, password: str) -> None:
        try:
            server.login(username, password)
        except (smtplib.SMTPAuthenticationError, smtplib.SMTPNotSupportedError, UnicodeError):
            assert self.username is not None  # noqa: S101 - called with its value
            assert self.password is not None  # noqa: S101 - as above
            raise ChannelError(
                self.name,
                f"{self.host} refused the login",
                next_step=f"Check environment variables {self.username.env} and "
                f"{self.password.env}.",
            ) from None

    def _address(self, server: smtplib.SMTP) -> Sequence[str]:
        """Names sender and receivers; gives the receivers that are refused for good."""
        server.ehlo_or_helo_if_needed()
        self._require(*server.mail(self.sender), f"the sender {self.sender}")
        refused: list[tuple[str, int]] = []
        for address in self.to:
            code, _ = server.rcpt(address)
            if code in _TRANSIENT:
                # Before the mail goes out: sending it to the others now, and again later to all,
                # would double it.
                raise self._refusal(code, f"mail for {address} for now")
            if code not in {250, 251}:
                refused.append((address, code))
        if len(refused) == len(self.to):
            raise self._refusal(refused[0][1], "every address")
        return [f"{one_line(address, 254)} ({code})" for address, code in refused]

    def _require(self, code: int, _said: bytes, what: str) -> None:
        if code != 250:  # noqa: PLR2004 - SMTP's "done"
            raise self._refusal(code, what)

    def _refusal(self, code: int, what: str) -> ChannelError:
        return ChannelError(
            self.name,
            f"{self.host} refused {what} ({code})",
            next_step="It is tried again."
            if code in _TRANSIENT
            else "Check the addresses, and whether the server takes mail from here.",
        )
