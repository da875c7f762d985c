"""A message as a mail: headers that hold an incident's mails together, text, HTML, a picture."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from dagster_monitoring.alerts._chart_png import chart_png
from dagster_monitoring.alerts._email_html import page
from dagster_monitoring.alerts._plain import plain_text
from dagster_monitoring.alerts._text import one_line
from dagster_monitoring.alerts.message import AlertMessage
from dagster_monitoring.evaluation import Severity
from dagster_monitoring.incidents import Transition

_ID = re.compile(r"<[\x21-\x3b\x3d\x3f-\x7e]+>")


def build_mail(
    message: AlertMessage,
    *,
    sender: str,
    to: Sequence[str],
    thread: str | None,
    notice: str = "",
) -> EmailMessage:
    """The mail about a message.

    Args:
        message: what to say.
        sender: address.
        to: addresses.
        thread: the Message-ID of the incident's first mail, if this is not it.
        notice: a line above all else, about the mail itself.
    """
    mail = EmailMessage(policy=SMTP)
    mail["From"] = sender
    mail["To"] = ", ".join(to)
    mail["Subject"] = _subject(message, is_reply=thread is not None)
    mail["Date"] = format_datetime(message.updated_at)
    mail["Message-ID"] = message_id(message, sender=sender)
    if thread is not None and _ID.fullmatch(thread):
        mail["In-Reply-To"] = thread
        mail["References"] = thread
    # So that no holiday notice answers it (RFC 3834).
    mail["Auto-Submitted"] = "auto-generated"
    calm = {Transition.UPDATED, Transition.RESOLVED, Transition.DIGEST}
    if message.severity is Severity.ERROR and message.transition not in calm:
        mail["Importance"] = "high"
    title = one_line(message.title, 300)
    text = "\n".join([*([notice, ""] if notice else []), title, "", plain_text(message)])
    mail.set_content(text)
    _add_html(mail, message, notice=notice)
    return mail


def message_id(message: AlertMessage, *, sender: str) -> str:
    """The same for the same message, however often it is sent."""
    digest = hashlib.blake2b(message.dedup_key.encode(), digest_size=16).hexdigest()
    domain = sender.rpartition("@")[2]
    return f"<{digest}@{domain if domain.isascii() else 'dagster-monitoring.invalid'}>"


def _subject(message: AlertMessage, *, is_reply: bool) -> str:
    """One subject an incident: mail programs hold a conversation together by it too."""
    if message.digest is not None:
        return one_line(f"{message.title}, {message.updated_at:%Y-%m-%d}", 200)
    about = f"{message.model} since {message.opened_partition} ({message.incident_id})"
    test = "TEST: " if message.is_test else ""
    return one_line(f"{'Re: ' if is_reply else ''}{test}Incident of {about}", 200)


def _add_html(mail: EmailMessage, message: AlertMessage, *, notice: str) -> None:
    if message.plot is None:
        mail.add_alternative(page(message, notice=notice, picture=None), subtype="html")
        return
    name = message_id(message, sender="plot@dagster-monitoring.invalid")
    mail.add_alternative(page(message, notice=notice, picture=name.strip("<>")), subtype="html")
    html = list(mail.iter_parts())[-1]
    assert isinstance(html, EmailMessage)  # noqa: S101 - parts of an EmailMessage are such
    html.add_related(
        chart_png(message.plot),
        maintype="image",
        subtype="png",
        cid=name,
        disposition="inline",
        filename="plot.png",
    )
