"""Messages of alerts: at least once, every try a row, to the right people at the right time."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import smtplib
import socket
import threading
import time as clock
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, time, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings as django_settings
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.db import DatabaseError, IntegrityError, transaction
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import AuditEntry, User
from devices import backoff, tasks, webhook_http
from devices import webhook_signature as signing
from devices.models import Alert, DeliveryAttempt, Notification, Webhook
from devices.quiet_hours import next_moment
from devices.services import alerts, outbox, webhooks
from tests.devices import factories as f
from tests.devices.alert_bench import Ward, subscribe, webhook
from twinhealth.errors import ConflictError, InvalidInputError, NotFoundError

pytestmark = pytest.mark.django_db
DOCS = Path(__file__).resolve().parents[2] / "docs" / "alerts.md"
ZONE = ZoneInfo("Europe/Berlin")


@pytest.fixture
def ward(db: None) -> Ward:
    return Ward(2)


def run_due(now: datetime) -> list[bool]:
    return [outbox.deliver(notification_id=pk, now=now) for pk in outbox.due(now=now)]


def attempts() -> list[tuple[str, int | None]]:
    return list(DeliveryAttempt.objects.order_by("pk").values_list("outcome", "code"))


# --- a server that does what a test says, one step a request


class Server(ThreadingHTTPServer):
    daemon_threads = True
    steps: list[Callable[[Handler], None]]
    got: list[tuple[dict[str, str], bytes]]


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.append((dict(self.headers), body))
        self.server.steps.pop(0)(self)

    def log_message(self, *args: Any) -> None:
        """Nothing on the terminal."""


def answers(code: int, text: str = "", **headers: str) -> Callable[[Handler], None]:
    def step(handler: Handler) -> None:
        handler.send_response(code)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(text)))
        handler.end_headers()
        handler.wfile.write(text.encode())

    return step


def drips(handler: Handler) -> None:
    """A byte now and then: no single wait is long, the whole is."""
    try:
        for letter in "HTTP/1.1 200 OK\r\nX-Slow: " + "x" * 200:
            handler.wfile.write(letter.encode())
            handler.wfile.flush()
            clock.sleep(0.05)
    except OSError:
        return


def hangs_up(handler: Handler) -> None:
    handler.connection.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def server(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    settings.WEBHOOK_ALLOW_HTTP = True
    settings.WEBHOOK_ALLOWED_NETWORKS = ["127.0.0.0/8"]
    monkeypatch.setattr(webhook_http, "SECONDS", 2.0)
    made = Server(("127.0.0.1", 0), Handler)
    made.steps, made.got = [], []
    thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield made
    made.shutdown()
    thread.join()
    made.server_close()


def url_of(server: Server) -> str:
    return f"http://127.0.0.1:{server.server_port}/hook?a=b"


def test_a_webhook_fails_waits_redirects_and_then_works(ward: Ward, server: Server) -> None:
    _, secret = webhook(url_of(server))
    server.steps = [
        answers(500, "broken\x00 inside"), drips, hangs_up,
        answers(302, Location="http://169.254.169.254/"), answers(204),
    ]  # fmt: skip
    alert = ward.feed(ward.machines[0], 11)
    row, now, waits = Notification.objects.get(), ward.now, []
    while row.state == "queued":
        assert run_due(now - timedelta(seconds=1)) == []
        run_due(now)
        row.refresh_from_db()
        if row.due_at:
            waits.append((row.due_at - now).total_seconds())
            now = row.due_at
    assert row.state == "sent"
    assert attempts() == [
        ("failed", 500), ("failed", None), ("failed", None), ("failed", 302), ("delivered", 204),
    ]  # fmt: skip
    texts = list(DeliveryAttempt.objects.order_by("pk").values_list("text", flat=True))
    assert texts[0] == "broken inside"
    assert texts[1] == "no answer within 2 s"
    assert texts[3] == "it redirects, which is not followed"
    for wait, whole in zip(waits, (15, 30, 60, 120), strict=True):
        assert whole / 2 <= wait <= whole
    # one message, known by its key, signed anew at each try
    assert len(server.got) == 5
    assert {got["Idempotency-Key"] for got, _ in server.got} == {str(row.key)}
    for headers, body in server.got:
        stamp = headers["TwinHealth-Timestamp"]
        digest = hmac.new(secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
        assert headers["TwinHealth-Signature"] == f"v1={digest}"
    told = json.loads(server.got[0][1])
    assert told["id"] == str(row.key)
    assert (told["event"], told["alert"]["id"]) == ("alert.opened", alert.pk)
    assert told["device"]["serial"] == ward.machines[0].serial
    assert all(attempt.took_ms is not None for attempt in DeliveryAttempt.objects.all())


def test_given_up_and_sent_again(ward: Ward, server: Server) -> None:
    webhook(url_of(server))
    server.steps = [answers(503)] * backoff.MAX_TRIES + [answers(200, "thanks")]
    ward.feed(ward.machines[0], 11)
    row, now = Notification.objects.get(), ward.now
    for _ in range(backoff.MAX_TRIES):
        run_due(now)
        row.refresh_from_db()
        now = row.due_at or now
    assert (row.state, row.tries, row.due_at) == ("dead", backoff.MAX_TRIES, None)
    assert outbox.due(now=now + timedelta(days=9)) == []
    outbox.send_again(notification=row, actor=ward.person)
    with pytest.raises(ConflictError):
        outbox.send_again(notification=row, actor=ward.person)
    assert run_due(timezone.now()) == [True]
    assert attempts()[-1] == ("delivered", 200)


def test_gone_is_gone_and_switched_off_is_off(ward: Ward, server: Server) -> None:
    hook, _ = webhook(url_of(server))
    server.steps = [answers(410)]
    ward.feed(ward.machines[0], 11)
    assert run_due(ward.now) == [False]
    ward.feed(ward.machines[1], 11)
    webhooks.change(
        webhook=hook, actor=ward.person, name="off", url=hook.url, severity="act", active=False
    )
    assert run_due(ward.now) == [False]
    assert list(Notification.objects.values_list("state", flat=True)) == ["dropped", "dead"]
    assert len(server.got) == 1


@pytest.mark.parametrize("active", [True, False])
def test_an_admin_tries_a_webhook_and_sees_how_it_went(
    ward: Ward, server: Server, client: Any, active: bool
) -> None:
    hook, secret = webhook(url_of(server), severity="act")
    Webhook.objects.update(active=active)
    client.force_login(f.user("admin"))
    assert "Send a test" in client.get(f"/webhooks/{hook.pk}/").content.decode()
    answer = client.post(f"/webhooks/{hook.pk}/test/")
    row = Notification.objects.get()
    assert answer.url == f"/alerts/deliveries/{row.pk}/"
    server.steps += [answers(204), answers(503, "busy")]
    assert outbox.deliver(notification_id=row.pk)
    headers, body = server.got[0]
    stamp = int(headers[signing.TIMESTAMP_HEADER])
    assert headers[signing.SIGNATURE_HEADER] == signing.header([secret], stamp, body)
    told = json.loads(body)
    assert (told["id"], told["event"], told["alert"]) == (str(row.key), "test", None)
    # one that fails is given up at once: who tries it wants to know
    api = client.post(f"/api/v1/webhooks/{hook.pk}/test/")
    assert (api.status_code, api.json()["state"], api.json()["device"]) == (202, "queued", None)
    assert not outbox.deliver(notification_id=api.json()["id"])
    again = client.get(f"/api/v1/alert-deliveries/{api.json()['id']}/").json()
    assert (again["state"], again["attempts"][0]["code"]) == ("dead", 503)
    page = client.get(f"/alerts/deliveries/{again['id']}/").content.decode()
    assert "a test by an admin" in page
    assert "busy" in page
    assert "given up" in client.get(f"/webhooks/{hook.pk}/").content.decode()
    listed = client.get("/alerts/deliveries/").content.decode()
    assert listed.count("a test by an admin") >= 2
    assert not any(client.get("/api/v1/alerts/figures/").json()["notifications"].values())
    assert AuditEntry.objects.filter(verb="tested", object_id=str(hook.pk)).count() == 2


def test_only_so_much_of_an_answer_is_read_and_kept(ward: Ward, server: Server) -> None:
    webhook(url_of(server))
    server.steps = [answers(200, "y" * 1_000_000)]
    ward.feed(ward.machines[0], 11)
    assert run_due(ward.now) == [True]
    assert DeliveryAttempt.objects.get().text == "y" * 300


def test_a_worker_that_died_is_followed_by_another(ward: Ward, server: Server) -> None:
    webhook(url_of(server))
    ward.feed(ward.machines[0], 11)
    row = Notification.objects.get()
    Notification.objects.update(state="sending", due_at=None, taken_at=ward.now)
    assert outbox.due(now=ward.now + timedelta(seconds=60)) == []
    assert not outbox.deliver(notification_id=row.pk, now=ward.now + timedelta(seconds=60))
    server.steps = [answers(200)]
    later = ward.now + timedelta(seconds=90)
    assert outbox.due(now=later) == [row.pk]
    assert outbox.deliver(notification_id=row.pk, now=later)
    assert attempts() == [("lost", None), ("delivered", 200)]


def test_one_that_ends_each_worker_ends(ward: Ward, server: Server) -> None:
    webhook(url_of(server))
    ward.feed(ward.machines[0], 11)
    row = Notification.objects.get()
    Notification.objects.update(state="sending", due_at=None, taken_at=ward.now, tries=9)
    assert not outbox.deliver(notification_id=row.pk, now=ward.now + timedelta(seconds=90))
    row.refresh_from_db()
    assert (row.state, row.tries, attempts(), server.got) == ("dead", 10, [("lost", None)], [])


def test_the_docs_show_how_to_check_a_signature(ward: Ward, server: Server) -> None:
    """The receiver's code of docs/alerts.md is run, with the secret before and after rotation."""
    snippet = re.search(r"```python\n(.*?)```", DOCS.read_text(), re.DOTALL)
    assert snippet
    shown: dict[str, Any] = {}
    exec(snippet[1], shown)
    hook, old = webhook(url_of(server))
    _, new = webhooks.rotate(webhook=hook, actor=ward.person)
    server.steps = [answers(200)]
    ward.catch_up()
    ward.feed(ward.machines[0], 11, minutes=0)
    assert run_due(ward.now) == [True]
    headers, body = server.got[0]
    for secret in (old, new):
        assert shown["is_genuine"](secret, headers, body)
        assert not shown["is_genuine"](secret, headers, body + b" ")
        stale = {**headers, "TwinHealth-Timestamp": str(int(clock.time()) - 301)}
        assert not shown["is_genuine"](secret, stale, body)
    assert not shown["is_genuine"]("whsec_other", headers, body)
    # without an overlap the secret before ends at once
    _, newest = webhooks.rotate(webhook=hook, actor=ward.person, overlap=timedelta())
    server.steps = [answers(200)]
    ward.feed(ward.machines[1], 11, minutes=0)
    run_due(ward.now)
    headers, body = server.got[1]
    assert shown["is_genuine"](newest, headers, body)
    assert not shown["is_genuine"](new, headers, body)


def test_a_new_server_key_signs_beside_the_old_one(
    ward: Ward, server: Server, settings: Any
) -> None:
    hook, old = webhook(url_of(server))
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "n" * 50
    server.steps = [answers(200)]
    ward.feed(ward.machines[0], 11)
    run_due(ward.now)
    headers, body = server.got[0]
    digest = hmac.new(
        old.encode(), f"{headers['TwinHealth-Timestamp']}.".encode() + body, hashlib.sha256
    ).hexdigest()
    assert f"v1={digest}" in headers["TwinHealth-Signature"].split(",")
    assert old not in str(vars(hook))


# --- where nothing is sent


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/", "ftp://example.org/", "https:///x", "https://user:pw@example.org/",
        "https://example.org:99999/", "https://example.org/\r\nX: y", "nonsense", "https://exa mple/",
    ],
)  # fmt: skip
def test_addresses_that_are_refused_when_typed(url: str) -> None:
    with pytest.raises(InvalidInputError) as error:
        webhook(url)
    assert error.value.code == "bad_url"


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
        "0.0.0.0", "224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1%eth0", "fc00::1",
        "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "ff02::1",
        "2001:0:0:0:0:0:f5ff:fffe",
    ],
)  # fmt: skip
def test_private_addresses(address: str) -> None:
    nobody = webhook_http.rules(allow_http=False, networks=[])
    assert not webhook_http.allowed_address(address, nobody)


def test_public_and_named_addresses() -> None:
    named = webhook_http.rules(allow_http=False, networks=["10.1.0.0/16", "fd00:1::/32"])
    for address in ("93.184.216.34", "2606:4700::1111", "10.1.2.3", "::ffff:10.1.2.3", "fd00:1::9"):
        assert webhook_http.allowed_address(address, named), address
    assert not webhook_http.allowed_address("10.2.0.1", named)


def test_the_address_is_checked_when_connecting(
    ward: Ward, server: Server, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name that was fine when it was typed leads inside later, or to one of each."""
    settings.WEBHOOK_ALLOWED_NETWORKS = []
    webhook(f"http://rebind.example:{server.server_port}/")
    real = socket.getaddrinfo
    answers_now: list[str] = []

    def resolve(host: str, port: int, *args: Any, **kwargs: Any) -> Any:
        if host != "rebind.example":
            return real(host, port, *args, **kwargs)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (a, port)) for a in answers_now]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    answers_now[:] = ["93.184.216.34", "127.0.0.1"]
    ward.feed(ward.machines[0], 11)
    run_due(ward.now)
    assert server.got == []
    assert Notification.objects.get().state == "dead"
    assert "private address" in DeliveryAttempt.objects.get().text
    # the connection goes to what was checked, and the name isn't asked again
    settings.WEBHOOK_ALLOWED_NETWORKS = ["127.0.0.1/32"]
    answers_now[:] = ["127.0.0.1"]
    server.steps = [answers(200)]
    ward.feed(ward.machines[1], 11)
    assert run_due(ward.now) == [True]
    assert server.got[0][0]["Host"] == f"rebind.example:{server.server_port}"


def test_no_name_no_port_and_no_tls(
    ward: Ward, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhook_http, "SECONDS", 10.0)
    webhook("https://nowhere.invalid/")
    webhook("http://127.0.0.1:1/")
    webhook(f"https://127.0.0.1:{server.server_port}/")
    ward.feed(ward.machines[0], 11)
    assert run_due(ward.now) == [False] * 3
    assert set(Notification.objects.values_list("state", flat=True)) == {"queued"}
    texts = " | ".join(DeliveryAttempt.objects.values_list("text", flat=True))
    assert "can't be resolved" in texts
    assert "no connection" in texts
    assert "TLS failed" in texts


# --- e-mail


class Refusing(EmailBackend):
    error: Exception

    def send_messages(self, messages: Any) -> int:
        raise self.error


def test_an_email_says_what_and_where_and_that_it_is_technical(ward: Ward) -> None:
    row = subscribe(in_app=False, email=True)
    ward.supply()
    alert = ward.feed(ward.machines[0], 11)
    ward.feed(ward.machines[1], 11)
    assert run_due(ward.now) == [True]
    (message,) = mail.outbox
    assert message.to == [row.user.email]
    assert message.subject == f"ACT: {ward.machines[0].name}: opened"
    assert f"https://testserver/alerts/{alert.pk}/" in message.body
    assert "Incident on Panel 1: 1 more alert" in message.body
    assert "not a patient alarm (IEC 60601-1-8)" in message.body
    assert message.extra_headers["Message-ID"].startswith(f"<{Notification.objects.get().key}@")


@pytest.mark.parametrize(
    ("error", "state", "code"),
    [
        (smtplib.SMTPResponseException(450, b"later"), "queued", 450),
        (smtplib.SMTPResponseException(550, b"never"), "dead", 550),
        (smtplib.SMTPRecipientsRefused({"x@y": (550, b"who")}), "dead", 550),
        (smtplib.SMTPRecipientsRefused({"x@y": (451, b"grey")}), "queued", 451),
        (smtplib.SMTPServerDisconnected("gone"), "queued", None),
        (ConnectionRefusedError("no"), "queued", None),
        (ValueError("line feed"), "dead", None),
    ],
)
def test_what_a_mail_server_says(
    ward: Ward, settings: Any, error: Exception, state: str, code: int | None
) -> None:
    subscribe(in_app=False, email=True)
    settings.EMAIL_BACKEND = f"{__name__}.Refusing"
    Refusing.error = error
    ward.feed(ward.machines[0], 11)
    run_due(ward.now)
    assert Notification.objects.get().state == state
    assert attempts() == [("failed", code)]


def test_no_server_no_address_and_what_is_over(ward: Ward, settings: Any) -> None:
    row = subscribe(in_app=False, email=True)
    alert = ward.feed(ward.machines[0], 11)
    backend = settings.EMAIL_BACKEND
    settings.EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
    run_due(ward.now)
    settings.EMAIL_BACKEND = backend
    User.objects.filter(pk=row.user_id).update(email="")
    outbox.send_again(notification=Notification.objects.get(), actor=ward.person)
    run_due(timezone.now())
    assert Notification.objects.get().state == "dead"
    alerts.resolve(alert=alert, actor=ward.person, reason="repaired")
    outbox.send_again(notification=Notification.objects.get(), actor=ward.person)
    run_due(timezone.now())
    assert Notification.objects.get().state == "dropped"
    assert (len(attempts()), mail.outbox) == (2, [])


# --- who and when


def told() -> list[tuple[int, str]]:
    return list(Notification.objects.order_by("pk").values_list("alert_id", "channel"))


def test_each_person_says_of_what(ward: Ward) -> None:
    wanted = {
        "all": subscribe(),
        "room": subscribe(rooms=["R0"]),
        "machine": subscribe(devices=[ward.machines[1]]),
        "act only": subscribe(watch=False),
        "late only": subscribe(watch=False, act=False),
    }
    for gone in (subscribe(f.user("clinician")), subscribe()):
        User.objects.filter(pk=gone.user_id, role="engineer").update(is_active=False)
    webhook("https://example.org/", severity="act")
    first = ward.feed(ward.machines[0], 11)
    second = ward.feed(ward.machines[1], 11, "heat")
    users = {name: row.user_id for name, row in wanted.items()}
    got = {
        name: list(
            Notification.objects.filter(user=pk).order_by("pk").values_list("alert_id", flat=True)
        )
        for name, pk in users.items()
    }
    assert got == {
        "all": [first.pk, second.pk],
        "room": [first.pk],
        "machine": [second.pk],
        "act only": [first.pk],
        "late only": [],
    }
    assert Notification.objects.filter(user=None).count() == 1
    assert Notification.objects.count() == 6


def test_emails_of_watch_wait_for_the_morning(ward: Ward, settings: Any) -> None:
    local = timezone.localtime(ward.now)
    subscribe(
        in_app=False, email=True,
        quiet_from=(local - timedelta(hours=1)).time(), quiet_to=(local + timedelta(hours=1)).time(),
    )  # fmt: skip
    ward.feed(ward.machines[0], 11)
    watch = ward.feed(ward.machines[1], 11, "heat")
    assert len(run_due(ward.now)) == 1
    waiting = Notification.objects.get(state="queued")
    assert waiting.alert == watch
    assert waiting.due_at is not None
    assert waiting.due_at > ward.now + timedelta(minutes=50)


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("2026-01-10T21:59", "2026-01-10T21:59"),
        ("2026-01-10T22:00", "2026-01-11T06:30"),
        ("2026-01-11T03:00", "2026-01-11T06:30"),
        ("2026-01-11T06:30", "2026-01-11T06:30"),
        # the night in which the clock is set forward
        ("2026-03-28T23:00", "2026-03-29T06:30"),
    ],
)
def test_quiet_hours_over_midnight(at: str, expected: str) -> None:
    moment = datetime.fromisoformat(at).replace(tzinfo=ZONE)
    found = next_moment(moment.astimezone(UTC), time(22), time(6, 30), ZONE)
    assert found == datetime.fromisoformat(expected).replace(tzinfo=ZONE)


@given(
    at=st.datetimes(
        min_value=datetime(2026, 1, 1),  # noqa: DTZ001 - hypothesis adds the zone
        max_value=datetime(2027, 1, 1),  # noqa: DTZ001
        timezones=st.just(UTC),
    ),
    start=st.times(),
    end=st.times(),
)
def test_quiet_hours_end_within_a_day_and_are_left_for_good(
    at: datetime, start: time, end: time
) -> None:
    found = next_moment(at, start, end, ZONE)
    assert at <= found <= at + timedelta(hours=25)
    if found != at:
        assert found.astimezone(ZONE).time() == end or found.astimezone(ZONE).hour == 3
        assert next_moment(found, start, end, ZONE) == found


@given(tries=st.integers(1, backoff.MAX_TRIES), chance=st.floats(0, 1))
def test_pauses_grow_and_are_bounded(tries: int, chance: float) -> None:
    wait = backoff.pause(tries, chance)
    whole = min(backoff.FIRST * 2 ** (tries - 1), backoff.LONGEST)
    assert whole / 2 <= wait <= whole


# --- the database holds it


def test_one_message_per_news_and_receiver(ward: Ward) -> None:
    subscribe()
    webhook("https://example.org/")
    ward.feed(ward.machines[0], 11)
    for row in Notification.objects.all():
        row.pk, row.key = None, uuid.uuid4()
        with pytest.raises(IntegrityError), transaction.atomic():
            row.save()


def test_attempts_are_only_ever_added(ward: Ward) -> None:
    subscribe(in_app=False, email=True)
    ward.feed(ward.machines[0], 11)
    run_due(ward.now)
    with pytest.raises(DatabaseError), transaction.atomic():
        DeliveryAttempt.objects.update(outcome="failed")
    with pytest.raises(DatabaseError), transaction.atomic():
        DeliveryAttempt.objects.all().delete()


def test_a_message_rolls_back_with_its_alert(ward: Ward) -> None:
    subscribe()
    with transaction.atomic():
        ward.feed(ward.machines[0], 11)
        transaction.set_rollback(True)
    assert (Alert.objects.count(), Notification.objects.count()) == (0, 0)


def test_the_tasks(ward: Ward, monkeypatch: pytest.MonkeyPatch) -> None:
    subscribe(in_app=False, email=True)
    ward.feed(ward.machines[0], 11)
    monkeypatch.setattr(tasks.deliver_notification_task, "delay", tasks.deliver_notification_task)
    tasks.release_alerts_task()
    tasks.escalate_alerts_task()
    tasks.deliver_due_notifications_task()
    assert [m.subject.rpartition(": ")[2] for m in mail.outbox] == [
        "opened", "nobody acknowledged it in time",
    ]  # fmt: skip


def test_get_and_bad_input(ward: Ward) -> None:
    with pytest.raises(NotFoundError):
        outbox.get(10**9)
    with pytest.raises(NotFoundError):
        webhooks.get(10**9)
    hook, _ = webhook("https://example.org/", name="taken")
    admin = f.user("admin")
    bad: list[tuple[str, Callable[[], Any]]] = [
        ("name_taken", lambda: webhook("https://example.org/", name="taken")),
        ("unknown_severity", lambda: webhook("https://example.org/", severity="loud")),
        ("url_too_long", lambda: webhook("https://example.org/" + "x" * 500)),
        (
            "bad_overlap",
            lambda: webhooks.rotate(webhook=hook, actor=admin, overlap=timedelta(days=99)),
        ),
        ("quiet_hours_half", lambda: subscribe(quiet_from=time(22))),
        ("too_many_rooms", lambda: subscribe(rooms=[str(n) for n in range(101)])),
        ("no_address", subscribe_without_address),
    ]
    for code, call in bad:
        with pytest.raises((InvalidInputError, ConflictError)) as error:
            call()
        assert error.value.code == code
    assert django_settings.WEBHOOK_ALLOW_HTTP is False


def subscribe_without_address() -> None:
    from devices.services import subscriptions

    subscriptions.subscribe(
        user=f.user(), watch=True, act=True, escalations=True, in_app=True, email=True
    )
