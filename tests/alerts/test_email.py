"""Mail over a real SMTP server: encrypted, in one conversation, once."""

from __future__ import annotations

import socket
import threading
import traceback
from dataclasses import replace
from email.message import EmailMessage
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from dagster_monitoring.alerts import ChannelError, compose
from dagster_monitoring.alerts.email import EmailChannel
from dagster_monitoring.errors import DeclarationError
from dagster_monitoring.incidents import Transition
from tests.alerts.benches import email, message
from tests.alerts.conftest import evaluation, incident
from tests.alerts.mail_server import MailServer, serving_mail


@pytest.fixture
def channel(mail: MailServer, monkeypatch) -> EmailChannel:
    return email(mail, monkeypatch)


def html_of(mail: EmailMessage) -> str:
    body = mail.get_body(("html",))
    assert body is not None
    return body.get_content()


def test_mail_goes_out_encrypted_and_logged_in(channel, mail):
    channel.send(message())
    assert mail.encrypted == [True]
    assert mail.logins == [mail.account]
    assert mail.receivers == [["ml@example.com", "oncall@example.com"]]
    assert mail.mails[0]["Auto-Submitted"] == "auto-generated"


def test_tls_from_the_start(certificate, monkeypatch):
    with serving_mail(*certificate, implicit=True) as server:
        there = email(server, monkeypatch).model_copy(
            update={"security": "tls", "username": None, "password": None}
        )
        there.send(message())
        assert len(server.mails) == 1


def test_an_incidents_mails_are_one_conversation(channel, mail):
    thread = channel.send(message())
    again = channel.send(message(transition=Transition.ESCALATED), thread=thread)
    channel.send(message(transition=Transition.RESOLVED), thread=thread)
    first, worse, end = mail.mails
    assert first["Message-ID"] == thread
    assert worse["Message-ID"] == again != thread
    assert first["References"] is None
    assert [m["In-Reply-To"] for m in (worse, end)] == [thread, thread]
    assert [m["References"] for m in (worse, end)] == [thread, thread]
    assert {m["Subject"].removeprefix("Re: ") for m in mail.mails} == {first["Subject"]}
    assert worse["Subject"].startswith("Re: ")
    assert (first["Importance"], end["Importance"]) == ("high", None)


def test_the_same_message_has_the_same_id(channel, mail):
    assert channel.send(message()) == channel.send(message())
    assert len({m["Message-ID"] for m in mail.mails}) == 1


def test_the_plot_is_a_picture_in_the_mail(channel, mail):
    channel.send(message())
    [found] = [p for p in mail.mails[0].walk() if p.get_content_type() == "image/png"]
    name = found["Content-ID"].strip("<>")
    assert f'src="cid:{name}"' in html_of(mail.mails[0])
    picture = np.asarray(Image.open(BytesIO(found.get_content())).convert("RGB")).astype(int)
    assert picture.shape == (240, 1120, 3)
    red = (picture[..., 0] > 180) & (picture[..., 1] < 80)
    # The value beyond the limit is the highest and the last: a red dot, top right.
    assert red[16, 1104]
    assert not red[224, 16], "the first one is within"
    assert "▁·█" in html_of(mail.mails[0]), "for who blocks pictures"


def test_html_holds_values_as_text(channel, mail):
    channel.send(message(column="<img src=x onerror=alert(1)>\"'&"))
    html = html_of(mail.mails[0])
    assert "<img src=x" not in html
    assert "&lt;img src=x onerror=alert(1)&gt;&quot;&#x27;&amp;" in html
    assert html.count("<img") == 1


def test_a_value_can_add_no_header(channel, mail):
    text = "x\r\nBcc: everyone@example.com\r\n\r\nhello"
    channel.send(replace(message(), title=text, incident_id=text, model=text))
    assert mail.mails[0]["Bcc"] is None
    assert mail.receivers == [["ml@example.com", "oncall@example.com"]]


def test_an_address_refused_for_good_keeps_the_mail_from_nobody_else(channel, mail):
    mail.rcpt["oncall@example.com"] = "550 gone"
    channel.send(message())
    assert mail.receivers == [["ml@example.com"]]
    notice = "Not delivered to oncall@example.com (550)"
    plain = mail.mails[0].get_body(("plain",))
    assert plain is not None
    assert notice in plain.get_content()
    assert notice in html_of(mail.mails[0])


def test_an_address_refused_for_now_holds_the_mail_for_all(channel, mail):
    mail.rcpt["oncall@example.com"] = "451 greylisted"
    with pytest.raises(ChannelError, match=r"refused mail for oncall@example.com for now \(451\)"):
        channel.send(message())
    assert mail.mails == []


@pytest.mark.parametrize("answer", ["550 gone", "553 no such name"])
def test_when_all_are_refused_it_fails(channel, mail, answer):
    mail.rcpt = dict.fromkeys(channel.to, answer)
    with pytest.raises(ChannelError, match="refused every address"):
        channel.send(message())


def test_a_mail_that_is_not_taken_fails(channel, mail):
    mail.data = "554 looks like spam"
    with pytest.raises(ChannelError, match=r"127\.0\.0\.1 refused the mail \(554\)"):
        channel.send(message())


def test_a_wrong_password_is_named_by_its_variable_only(channel, monkeypatch):
    monkeypatch.setenv("MAIL_PASSWORD", "wr0ng-s3cret")
    with pytest.raises(ChannelError, match="MAIL_USER and MAIL_PASSWORD") as caught:
        channel.send(message())
    assert "wr0ng" not in "".join(traceback.format_exception(caught.value))


def test_a_certificate_that_nobody_vouches_for_ends_it(channel, mail):
    stranger = channel.model_copy(update={"ca_file": None})
    with pytest.raises(ChannelError, match=r"certificate of 127\.0\.0\.1 can't be verified"):
        stranger.send(message())
    assert mail.logins == [], "no password goes to a stranger"


def test_a_server_that_says_nothing_is_given_up(channel):
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        port = silent.getsockname()[1]
        there = channel.model_copy(update={"port": port, "timeout_seconds": 0.3})
        with pytest.raises(ChannelError, match=r"no answer from 127\.0\.0\.1 within 0\.3 s"):
            there.send(message())
    with pytest.raises(ChannelError, match="refused the connection"):
        there.send(message())


def test_a_server_that_hangs_up_in_the_middle_is_an_error(channel):
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()

        def hang_up() -> None:
            connection, _ = server.accept()
            connection.sendall(b"220 hello\r\n")
            connection.recv(100)
            connection.close()

        thread = threading.Thread(target=hang_up)
        thread.start()
        there = channel.model_copy(update={"port": server.getsockname()[1]})
        with pytest.raises(ChannelError, match=r"no answer from 127\.0\.0\.1"):
            there.send(message())
        thread.join()


def test_a_login_that_is_not_set_names_its_variable(channel, monkeypatch):
    monkeypatch.delenv("MAIL_PASSWORD")
    with pytest.raises(DeclarationError, match="MAIL_PASSWORD is not set"):
        channel.send(message())


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"to": ["a@example.com\r\nBcc: b@example.com"]}, "to"),
        ({"to": []}, "to"),
        ({"sender": "nobody"}, "sender"),
        ({"host": "smtp://mail.example.com"}, "host"),
        ({"username": {"env": "U"}}, "stand together"),
        (
            {"username": {"env": "U"}, "password": {"env": "P"}, "security": "none"},
            "not sent without encryption",
        ),
    ],
)
def test_a_wrong_declaration_is_explained(wrong, said):
    fields = {"host": "mail.example.com", "sender": "m@example.com", "to": ["a@example.com"]}
    with pytest.raises(ValueError, match=said):
        EmailChannel.model_validate({**fields, **wrong})


def test_a_message_without_a_plot_has_no_picture(channel, mail):
    channel.send(compose(incident(evaluation()), Transition.OPENED, run_url=None))
    assert "<img" not in html_of(mail.mails[0])
    assert [p.get_content_type() for p in mail.mails[0].iter_parts()] == ["text/plain", "text/html"]
