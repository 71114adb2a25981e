"""The calendar feed, read back by a parser of its own, and its addresses' lives."""

from __future__ import annotations

import logging
import logging.config
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from rest_framework.test import APIClient

from accounts.models import AuditEntry, User
from accounts.permissions import Role
from devices.models import WorkOrderEvent
from devices.services import orders
from maintenance import ical
from maintenance.models import CalendarFeed
from maintenance.services import feeds
from maintenance.views_feeds import PER_MINUTE
from tests.devices.factories import user
from tests.devices.maintenance_rows import admin, make_device, make_order, today
from twinhealth.errors import ConflictError, NotFoundError
from twinhealth.logs import logging_config, without_tokens


@pytest.fixture(autouse=True)
def fresh_cache() -> None:
    cache.clear()


def unfold(data: bytes) -> list[str]:
    """Content lines, checked against RFC 5545, 3.1."""
    assert data.endswith(b"\r\n")
    physical = data[:-2].split(b"\r\n")
    for line in physical:
        assert len(line) <= 75
        line.decode()  # no character is cut
        assert b"\n" not in line
        assert b"\r" not in line
    return data[:-2].replace(b"\r\n ", b"").decode().split("\r\n")


def plain(text: str) -> str:
    """TEXT unescaped, 3.3.11."""
    found, rest = "", iter(text)
    for each in rest:
        assert each not in ";,"
        if each == "\\":
            each = {"\\": "\\", ";": ";", ",": ",", "n": "\n", "N": "\n"}[next(rest)]  # noqa: PLW2901
        found += each
    return found


def read(data: bytes) -> list[dict[str, str]]:
    """Events by name of property."""
    lines = unfold(data)
    assert lines[0] == "BEGIN:VCALENDAR"
    assert lines[-1] == "END:VCALENDAR"
    found: list[dict[str, str]] = []
    inside = False
    for line in lines:
        if line == "BEGIN:VEVENT":
            inside = True
            found.append({})
        elif line == "END:VEVENT":
            inside = False
        elif inside:
            name, _, value = line.partition(":")
            assert name not in found[-1]
            found[-1][name] = value
    for event in found:
        assert {"UID", "DTSTAMP", "SEQUENCE", "SUMMARY", "STATUS"} <= set(event)
    return found


@given(st.text(max_size=200))
def test_any_text_is_folded_and_read_back(text: str) -> None:
    event = ical.Event(
        uid="1@x", sequence=0, changed=datetime(2026, 1, 1, tzinfo=UTC),
        at=datetime(2026, 3, 29, 1, tzinfo=UTC), summary=text, description="", location="", url="",
        cancelled=False,
    )  # fmt: skip
    if any(0xD800 <= ord(each) < 0xE000 for each in text):
        return
    found = read(ical.calendar("n", [event]).encode())[0]
    normal = text.replace("\r\n", "\n").replace("\r", "\n")
    kept = "".join(c for c in normal if c in "\n\t" or (c >= " " and c != "\x7f"))
    assert plain(found["SUMMARY"]) == kept


def get(token: str, **headers: str) -> Any:
    return Client().get(f"/calendar/{token}.ics", headers=headers)


def shown(token: str) -> dict[str, dict[str, str]]:
    answer = get(token)
    assert answer.status_code == 200
    assert answer["Content-Type"] == "text/calendar; charset=utf-8"
    return {event["UID"].split("@")[0]: event for event in read(answer.content)}


@pytest.mark.django_db
def test_orders_with_their_times_and_changes() -> None:
    worker = user()
    device = make_device(
        name="Room 1; unit, A\\B", location="R\N{LATIN SMALL LETTER O WITH DIAERESIS}ntgen 1"
    )
    timed = make_order(device=device, assigned_to=worker, description="CANARY")
    due = make_order(device=device, assigned_to=worker, due_on=today(3))
    make_order(due_on=today(3))  # somebody else's
    make_order(assigned_to=worker)  # has no date
    at = timezone.now().replace(microsecond=0) + timedelta(days=2)
    orders.schedule(order=timed, actor=worker, scheduled_for=at)
    _, token = feeds.make(user=worker, name="phone")
    first = shown(token)
    assert set(first) == {f"work-order-{timed.pk}", f"work-order-{due.pk}"}
    event = first[f"work-order-{timed.pk}"]
    assert event["DTSTART"] == f"{at.astimezone(UTC):%Y%m%dT%H%M%SZ}"
    assert plain(event["SUMMARY"]) == f"WO-{timed.pk} Room 1; unit, A\\B: Fix the grid"
    assert event["STATUS"] == "CONFIRMED"
    assert "CANARY" not in str(first)
    day = first[f"work-order-{due.pk}"]
    assert day["DTSTART;VALUE=DATE"] == f"{today(3):%Y%m%d}"
    assert day["DTEND;VALUE=DATE"] == f"{today(4):%Y%m%d}"
    orders.schedule(order=timed, actor=worker, scheduled_for=at + timedelta(days=1))
    orders.cancel(order=due, actor=worker, reason="no")
    second = shown(token)
    moved = second[f"work-order-{timed.pk}"]
    assert moved["UID"] == event["UID"]
    assert int(moved["SEQUENCE"]) > int(event["SEQUENCE"])
    assert moved["DTSTART"] != event["DTSTART"]
    assert second[f"work-order-{due.pk}"]["STATUS"] == "CANCELLED"
    WorkOrderEvent.objects.filter(order=due).update(at=timezone.now() - timedelta(days=61))
    assert f"work-order-{due.pk}" not in shown(token)
    # the other scope
    _, everything = feeds.make(user=worker, name="desk", scope="all")
    assert len(shown(everything)) == 2


@pytest.mark.django_db
def test_unchanged_is_304() -> None:
    worker = user()
    order = make_order(assigned_to=worker, due_on=today(3))
    _, token = feeds.make(user=worker, name="phone")
    answer = get(token)
    etag = answer["ETag"]
    again = get(token, if_none_match=etag)
    assert (again.status_code, again.content, again["ETag"]) == (304, b"", etag)
    orders.comment(order=order, actor=worker, text="x")
    assert get(token, if_none_match=etag).status_code == 200
    assert "private" in answer["Cache-Control"]


@pytest.mark.django_db
def test_forged_revoked_and_powerless_tokens_are_404_alike() -> None:
    worker = user()
    feed, token = feeds.make(user=worker, name="phone")
    assert token not in str(CalendarFeed.objects.values().get())
    assert get(token).status_code == 200
    for forged in ("x", token[:-1], f"{token}x", "A" * 43, "\N{SNOWMAN}", "a/b"):
        assert get(forged).status_code == 404, forged
    User.objects.filter(pk=worker.pk).update(role=Role.CLINICIAN)
    assert get(token).status_code == 404
    User.objects.filter(pk=worker.pk).update(role=Role.ENGINEER, is_active=False)
    assert get(token).status_code == 404
    User.objects.filter(pk=worker.pk).update(is_active=True)
    with pytest.raises(NotFoundError):
        feeds.revoke(user=admin(), pk=feed.pk)
    assert get(token).status_code == 200
    feeds.revoke(user=worker, pk=feed.pk)
    feeds.revoke(user=worker, pk=feed.pk)
    assert get(token).status_code == 404
    assert AuditEntry.objects.filter(verb="feed_revoked").count() == 1


@pytest.mark.django_db
def test_readings_and_guesses_are_limited(settings: Any) -> None:
    _, token = feeds.make(user=user(), name="phone")
    codes = [get(token).status_code for _ in range(PER_MINUTE + 2)]
    # a new minute may begin in between
    assert 429 in codes or codes.count(200) == len(codes) > PER_MINUTE + 2
    settings.SIGN_IN_TRIES_PER_ACCOUNT = 3
    guesses = [get("B" * 43).status_code for _ in range(6)]
    assert guesses[:2] == [404, 404]
    assert guesses[-1] == 429


@pytest.mark.django_db
def test_page_and_rest() -> None:
    worker = user()
    client, api = Client(), APIClient()
    client.force_login(worker)
    api.force_authenticate(worker)
    url = reverse("maintenance:feeds")
    assert client.post(url, {"name": " "}).status_code == 400
    assert client.post(url, {"name": "x", "scope": "none"}).status_code == 400
    made = client.post(url, {"name": "<b>phone", "scope": "all"})
    assert made.status_code == 201
    assert "<b>" not in made.content.decode()
    path = urlsplit(made.context["address"]).path
    assert Client().get(path).status_code == 200
    assert path not in client.get(url).content.decode()  # shown once
    other = api.post("/api/v1/calendar-feeds/", {"name": "desk"}, format="json").json()
    assert Client().get(urlsplit(other["address"]).path).status_code == 200
    listed = api.get("/api/v1/calendar-feeds/").json()
    assert [each["name"] for each in listed] == ["desk", "<b>phone"]
    assert "address" not in listed[0]
    assert api.delete(f"/api/v1/calendar-feeds/{other['id']}/").status_code == 204
    assert api.delete(f"/api/v1/calendar-feeds/{2**70}/").status_code == 404
    assert Client().get(urlsplit(other["address"]).path).status_code == 404
    feed = CalendarFeed.objects.get(revoked_at=None)
    stranger = Client()
    stranger.force_login(admin())
    assert stranger.post(reverse("maintenance:feed-revoke", args=[feed.pk])).status_code == 404
    assert client.post(reverse("maintenance:feed-revoke", args=[feed.pk])).status_code == 302
    assert Client().get(path).status_code == 404


@pytest.mark.django_db
def test_a_person_has_at_most_ten() -> None:
    worker = user()
    for number in range(10):
        feeds.make(user=worker, name=str(number))
    with pytest.raises(ConflictError) as caught:
        feeds.make(user=worker, name="x")
    assert caught.value.code == "too_many_feeds"


def test_no_log_holds_a_token() -> None:
    line = {"event": "Not Found: /calendar/SECRET.ics", "request": "GET /calendar/SECRET.ics?x"}
    assert without_tokens(None, "info", line) == {
        "event": "Not Found: /calendar/….ics", "request": "GET /calendar/….ics?x",
    }  # fmt: skip
    record = logging.LogRecord(
        "django.request", 30, "f", 1, "%s: %s", ("x", "/calendar/SECRET.ics"), None
    )
    formatter = logging.config.DictConfigurator(logging_config("INFO")).configure_formatter(
        logging_config("INFO")["formatters"]["json"]
    )
    assert "SECRET" not in formatter.format(record)
    assert "/calendar/" in formatter.format(record)
