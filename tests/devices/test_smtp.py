"""E-mails of alerts through a real connection to a mail server that answers as told."""

from __future__ import annotations

import email
import socketserver
import threading
from collections.abc import Iterator
from datetime import timedelta
from email import policy
from typing import Any

import pytest
from django.utils import timezone

from devices.models import DeliveryAttempt, Notification
from devices.services import outbox
from tests.devices.alert_bench import Ward, subscribe

pytestmark = pytest.mark.django_db


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    rcpt: list[str]  # answers to RCPT, one a message; none left: taken
    got: list[tuple[str, list[str], bytes]]  # from, to, message


class Handler(socketserver.StreamRequestHandler):
    """RFC 5321, as far as a client that behaves needs it."""

    server: Server

    def say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())

    def handle(self) -> None:
        sender, to = "", []
        self.say("220 sink.example ESMTP")
        while line := self.rfile.readline().decode().strip():
            verb = line[:4].upper()
            if verb == "MAIL":
                sender, to = line.partition("<")[2].partition(">")[0], []
                self.say("250 ok")
            elif verb == "RCPT":
                answer = self.server.rcpt.pop(0) if self.server.rcpt else "250 ok"
                if answer == "hang up":
                    return
                to.append(line.partition("<")[2].partition(">")[0])
                self.say(answer)
            elif verb == "DATA":
                self.say("354 go on")
                lines = []
                while (part := self.rfile.readline()) != b".\r\n":
                    lines.append(part[1:] if part.startswith(b".") else part)
                self.server.got.append((sender, to, b"".join(lines)))
                self.say("250 taken")
            elif verb == "QUIT":
                self.say("221 bye")
                return
            else:
                self.say("250 sink.example")


@pytest.fixture
def sink(settings: Any) -> Iterator[Server]:
    made = Server(("127.0.0.1", 0), Handler)
    made.rcpt, made.got = [], []
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", made.server_address[1]
    settings.EMAIL_USE_TLS, settings.EMAIL_HOST_USER, settings.EMAIL_TIMEOUT = False, "", 5
    settings.DEFAULT_FROM_EMAIL = "TwinHealth <alerts@hospital.example>"
    thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield made
    made.shutdown()
    thread.join()
    made.server_close()


def queued() -> Notification:
    row = subscribe(in_app=False, email=True)
    ward = Ward(1)
    ward.machines[0].name = "Röntgen 3, Flur West"
    ward.machines[0].save()
    ward.feed(ward.machines[0], 11)
    found = Notification.objects.get()
    assert found.user == row.user
    return found


def said() -> list[tuple[str, int | None]]:
    return list(DeliveryAttempt.objects.values_list("outcome", "code"))


def test_an_alert_arrives_as_it_was_written(sink: Server) -> None:
    row = queued()
    assert outbox.deliver(notification_id=row.pk)
    ((sender, to, raw),) = sink.got
    message = email.message_from_bytes(raw, policy=policy.default)
    assert (sender, to) == ("alerts@hospital.example", [row.user.email])
    assert message["Subject"] == "ACT: Röntgen 3, Flur West: opened"
    assert message["Message-ID"] == f"<{row.key}@hospital.example>"
    assert message["Auto-Submitted"] == "auto-generated"
    assert "not a patient alarm (IEC 60601-1-8)" in message.get_content()
    assert said() == [("delivered", None)]


def test_who_is_put_off_or_cut_off_comes_again_with_the_same_number(sink: Server) -> None:
    row = queued()
    sink.rcpt = ["451 try later", "hang up"]
    later = timezone.now()
    for code in (451, None):
        assert not outbox.deliver(notification_id=row.pk, now=later)
        assert said()[-1] == ("failed", code)
        row.refresh_from_db()
        assert row.state == "queued"
        later += timedelta(hours=2)
    assert outbox.deliver(notification_id=row.pk, now=later)
    (got,) = sink.got
    assert f"<{row.key}@hospital.example>".encode() in got[2]


def test_an_address_that_nobody_has_is_given_up(sink: Server) -> None:
    row = queued()
    sink.rcpt = ["550 no such mailbox"]
    assert not outbox.deliver(notification_id=row.pk)
    row.refresh_from_db()
    assert (row.state, said(), sink.got) == ("dead", [("failed", 550)], [])
