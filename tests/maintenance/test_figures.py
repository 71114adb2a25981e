"""The figures equal a recomputation minute by minute, and each number's rows make it."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st
from rest_framework.test import APIClient

from accounts.models import AuditEntry
from devices.models import Device, Downtime, MaintenancePlan, WorkOrder
from devices.selectors.alert_figures import Span
from maintenance import cover
from maintenance import selectors_figures as selectors
from maintenance.models import CoveredHours
from maintenance.services import covered_hours
from tests.devices.factories import user
from tests.devices.maintenance_rows import admin, make_device
from twinhealth.errors import InvalidInputError

BERLIN = ZoneInfo("Europe/Berlin")
DAY_SHIFT = ["07:00-12:00, 13:00-18:00"] * 5 + ["", ""]


# --- covered hours


@given(
    day=st.sampled_from([date(2026, 3, 28), date(2026, 10, 24), date(2026, 6, 3)]),
    spans=st.lists(st.integers(0, 24), unique=True, max_size=6),
    low=st.integers(0, 3 * 1440),
    length=st.integers(0, 3 * 1440),
)
@settings(max_examples=60, deadline=None)
def test_covered_seconds_equal_a_count_of_minutes(
    day: date, spans: list[int], low: int, length: int
) -> None:
    ordered = sorted(spans)
    pairs = [[a * 60, b * 60] for a, b in zip(ordered[::2], ordered[1::2], strict=False)]
    week = [pairs] * 7
    found = cover.windows(week, day, day + timedelta(days=2), BERLIN)
    begin = datetime.combine(day, datetime.min.time(), BERLIN).timestamp() + 60 * low
    last = (day + timedelta(days=3)).isoformat()
    counted = 0
    for n in range(length):
        at = datetime.fromtimestamp(begin + 60 * n, BERLIN)
        minute = at.hour * 60 + at.minute
        if at.date().isoformat() < last:
            counted += any(a <= minute < b for a, b in pairs)
    assert found.between(begin, begin + 60 * length) == 60 * counted


@pytest.mark.parametrize(
    ("day", "hours"), [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25), (date(2026, 6, 3), 24)]
)
def test_a_day_has_the_hours_it_has(day: date, hours: int) -> None:
    found = cover.windows(cover.ALWAYS, day, day, BERLIN)
    assert found.between(0, 4e9) == hours * 3600


def test_a_time_that_the_clock_jumps_over_is_the_jump() -> None:
    week = cover.parse(["02:30-06:00"] * 7)
    found = cover.windows(week, date(2026, 3, 29), date(2026, 3, 29), BERLIN)
    assert found.starts == [datetime(2026, 3, 29, 1, tzinfo=UTC).timestamp()]
    assert found.between(0, 4e9) == 3 * 3600


@pytest.mark.parametrize(
    "text", ["7-18", "18:00-07:00", "07:00-07:00", "07:60-08:00", "23:00-25:00",
             "07:00-12:00, 11:00-13:00", "a", "07:00-08:00," * 20, "00:00-24:01"],
)  # fmt: skip
def test_hours_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        cover.parse(["", text, "", "", "", "", ""])
    assert (caught.value.code, caught.value.extra) == ("hours_invalid", {"day": "Tuesday"})


def test_hours_are_said_as_they_are_read() -> None:
    week = cover.parse(DAY_SHIFT)
    assert cover.lines(week) == DAY_SHIFT
    assert cover.weekly_hours(week) == 50
    assert cover.parse(["00:00-24:00"] * 7) == cover.ALWAYS


# --- figures

NOW = datetime(2026, 10, 28, 9, 17, tzinfo=UTC)
SPAN = Span(date(2026, 10, 23), date(2026, 11, 2))  # over a change of the clock and beyond now


@pytest.fixture(autouse=True)
def berlin(settings: object) -> None:
    settings.TIME_ZONE = "Europe/Berlin"  # type: ignore[attr-defined]


def fill(seed: int) -> None:
    """Machines, downtimes that never overlap, and orders around the period."""
    chance = random.Random(seed)
    first = datetime(2026, 10, 19, tzinfo=UTC)
    for number in range(3):
        device = make_device(location=f"room {number % 2}")
        known = first + timedelta(hours=chance.randrange(200) if number == 2 else 0)
        Device.objects.filter(pk=device.pk).update(registered_at=known)
        at = first
        while at < NOW - timedelta(hours=60):
            at += timedelta(minutes=chance.randrange(1, 2000))
            length = timedelta(minutes=chance.randrange(1, 1000))
            Downtime.objects.create(
                device=device, starts_at=at, ends_at=at + length, reason="x",
                planned=chance.random() < 0.4, extent=chance.choice(["full", "full", "partial"]),
            )  # fmt: skip
            at += length
        if number == 0:
            Downtime.objects.create(
                device=device, starts_at=max(at, NOW - timedelta(hours=3)), reason="x"
            )
        plan = MaintenancePlan.objects.create(
            device=device, title="p", rrule="FREQ=DAILY", starts_on=first.date()
        )
        for day in range(20):
            due = first.date() + timedelta(days=day)
            state = chance.choice(["planned", "done", "verified", "cancelled", "in_progress"])
            done = state in {"done", "verified"}
            at_done = datetime.combine(due, datetime.min.time(), UTC) + timedelta(
                minutes=chance.randrange(-3000, 9000)
            )
            WorkOrder.objects.create(
                device=device, plan=plan if day % 5 else None, title="o", state=state, due_on=due,
                grace_days=chance.randrange(4), completed_at=at_done if done else None,
                signature="s" if done else "", verified_at=at_done if state == "verified" else None,
            )  # fmt: skip
    covered_hours.put(actor=admin(), device=None, lines=DAY_SHIFT)
    night = ["00:00-06:00, 20:00-24:00"] * 7
    covered_hours.put(actor=admin(), device=Device.objects.order_by("pk")[0], lines=night)


def brute(device: Device) -> dict[str, float]:  # noqa: PLR0912 - the long way round
    """The same, minute by minute and order by order, from the definitions' words."""
    own = CoveredHours.objects.filter(device=device).first()
    week = (own or CoveredHours.objects.get(device=None)).week
    downs = list(Downtime.objects.filter(device=device))
    low, high = (moment.astimezone(UTC) for moment in SPAN.moments)
    found = dict.fromkeys(
        ("covered", "down", "unplanned", "partial", "failures", "restored", "restoring", "due",
         "on_time"), 0.0,
    )  # fmt: skip
    minute = timedelta(minutes=1)
    at = max(low, device.registered_at)
    while at < min(high, NOW):
        local = at.astimezone(BERLIN)
        clock = local.hour * 60 + local.minute
        if any(a <= clock < b for a, b in week[local.weekday()]):
            found["covered"] += 60
            for down in downs:
                if down.starts_at <= at and (down.ends_at is None or at < down.ends_at):
                    if down.extent == "partial":
                        found["partial"] += 60
                    else:
                        found["down"] += 60
                        found["unplanned"] += 0 if down.planned else 60
        at += minute
    for down in downs:
        if down.extent == "full" and not down.planned:
            found["failures"] += max(low, device.registered_at) <= down.starts_at < min(high, NOW)
            if down.ends_at and low <= down.ends_at <= min(high, NOW):
                found["restored"] += 1
                found["restoring"] += (down.ends_at - down.starts_at).total_seconds()
    today = NOW.astimezone(BERLIN).date()
    for order in WorkOrder.objects.filter(device=device):
        if order.plan_id is None or order.state == "cancelled":
            continue
        if not SPAN.start <= order.due_on <= SPAN.last:
            continue
        last = order.due_on + timedelta(days=order.grace_days)
        if order.completed_at:
            found["due"] += 1
            found["on_time"] += order.completed_at.astimezone(BERLIN).date() <= last
        elif last < today:
            found["due"] += 1
    return found


@pytest.mark.django_db
@pytest.mark.parametrize("seed", [3, 8])
def test_figures_equal_a_recomputation_and_their_rows_make_them(seed: int) -> None:
    fill(seed)
    page = selectors.page(SPAN, selectors.Chosen(), by="device", now=NOW)
    totals = dict.fromkeys(brute(Device.objects.first()), 0.0)
    for device in Device.objects.all():
        expected = brute(device)
        sums = next(group.sums for group in page.groups if group.key == str(device.pk))
        for name, value in expected.items():
            assert getattr(sums, name) == pytest.approx(value, abs=0.5), (device, name)
            totals[name] += value
        chosen = selectors.Chosen(device=device.pk)
        orders = list(selectors.order_rows(SPAN, chosen, now=NOW))
        assert len(orders) == sums.due
        assert sum(order.was_in_time for order in orders) == sums.on_time
        for figure, name in (
            ("uptime", "down"),
            ("unplanned", "unplanned"),
            ("partial", "partial"),
        ):
            rows = list(selectors.downtime_rows(figure, SPAN, chosen, now=NOW))
            selectors.measure(rows, SPAN, now=NOW)
            made = 3600 * sum(row.covered_hours for row in rows)
            assert made == pytest.approx(getattr(sums, name), abs=0.5)
        assert selectors.downtime_rows("mtbf", SPAN, chosen, now=NOW).count() == sums.failures
        repaired = list(selectors.downtime_rows("mttr", SPAN, chosen, now=NOW))
        selectors.measure(repaired, SPAN, now=NOW)
        assert 3600 * sum(row.clock_hours for row in repaired) == pytest.approx(sums.restoring)
        assert len(repaired) == sums.restored
    for by in ("room", "model"):
        grouped = selectors.page(SPAN, selectors.Chosen(), by=by, now=NOW)
        for name, value in totals.items():
            assert getattr(grouped.total, name) == pytest.approx(value, abs=0.5)
            assert sum(getattr(g.sums, name) for g in grouped.groups) == pytest.approx(
                value, abs=0.5
            )
    total = page.total
    assert total.uptime_percent == pytest.approx(100 * (1 - totals["down"] / totals["covered"]))
    assert total.mtbf_hours == pytest.approx(
        (totals["covered"] - totals["down"]) / 3600 / totals["failures"]
    )
    assert total.mttr_hours == pytest.approx(totals["restoring"] / 3600 / totals["restored"])
    assert total.on_time_percent == pytest.approx(100 * totals["on_time"] / totals["due"])


def signed_in(person: object) -> Client:
    client = Client()
    client.force_login(person)
    return client


@pytest.mark.django_db
def test_no_evidence_is_no_number() -> None:
    device = make_device()
    Device.objects.filter(pk=device.pk).update(registered_at=timezone.now() + timedelta(days=1))
    body = signed_in(user()).get(reverse("maintenance:figures")).content.decode()
    assert body.count("not enough data") == 12  # six of the house, six of its machine
    api = APIClient()
    api.force_authenticate(user())
    total = api.get("/api/v1/maintenance-figures/").json()["total"]
    assert (total["uptime_percent"], total["mtbf_hours"], total["on_time_percent"]) == (None,) * 3


@pytest.mark.django_db
def test_pages_csv_and_rest_say_the_same() -> None:
    device = make_device(name="=cmd|' /C calc'!A0 <b>")
    now = timezone.now()
    Device.objects.filter(pk=device.pk).update(registered_at=now - timedelta(days=20))
    Downtime.objects.create(
        device=device,
        starts_at=now - timedelta(hours=9),
        ends_at=now - timedelta(hours=4),
        reason="<i>",
    )
    client, api = signed_in(user()), APIClient()
    api.force_authenticate(user())
    total = api.get("/api/v1/maintenance-figures/?by=room").json()["total"]
    assert (total["failures"], total["mttr_hours"]) == (1, pytest.approx(5))
    body = client.get(reverse("maintenance:figures")).content.decode()
    assert "<b>" not in body
    assert "5.0&nbsp;h" in body
    for figure in ("uptime", "unplanned", "partial", "mtbf", "mttr", "on_time"):
        shown = client.get(reverse("maintenance:figure-rows", args=[figure])).content.decode()
        assert ("&lt;i&gt;" in shown) == (figure not in {"partial", "on_time"})
    assert client.get(reverse("maintenance:figure-rows", args=["none"])).status_code == 404
    answer = client.get(reverse("maintenance:figures-csv"))
    lines = b"".join(answer.streaming_content).decode().splitlines()
    assert len(lines) == 3
    assert "'=cmd" in lines[1]
    for query in ("?from=x", "?from=2026-02-01&to=2026-01-01", "?from=1900-01-01"):
        assert client.get(reverse("maintenance:figures") + query).status_code == 400
        assert api.get(f"/api/v1/maintenance-figures/{query}").status_code == 400
    for query in (f"?machine={10**30}", f"?model={2**63}", "?by=nothing", "?page=x"):
        assert client.get(reverse("maintenance:figures") + query).status_code == 200


@pytest.mark.django_db
def test_the_page_asks_as_often_for_many_machines_as_for_one() -> None:
    client = signed_in(user())
    counts = []
    for _ in range(2):
        make_device()
        with CaptureQueriesContext(connection) as captured:
            client.get(reverse("maintenance:figures"))
        counts.append(len(captured))
    assert counts[0] == counts[1] <= 14


@pytest.mark.django_db
def test_covered_hours_by_page_and_rest() -> None:
    device, boss, worker = make_device(), signed_in(admin()), signed_in(user())
    url, put = reverse("maintenance:hours"), reverse("maintenance:hours-set")
    assert "every hour counts" in worker.get(url).content.decode()
    week = {f"day-{n}": text for n, text in enumerate(DAY_SHIFT)}
    assert worker.post(put, week).status_code == 403
    assert boss.post(put, week).status_code == 302
    wrong = boss.post(put, {**week, "day-1": "7 to 18", "device": device.pk})
    assert wrong.status_code == 400
    assert 'value="7 to 18"' in wrong.content.decode()
    assert boss.post(put, {**week, "day-5": "08:00-10:00", "device": device.pk}).status_code == 302
    assert "52" in worker.get(url).content.decode()
    api = APIClient()
    api.force_authenticate(admin())
    own = f"/api/v1/devices/{device.pk}/covered-hours/"
    assert api.get(own).json() == {"week": [*DAY_SHIFT[:5], "08:00-10:00", ""], "own": True}
    assert api.delete(own).status_code == 204
    assert api.get(own).json() == {"week": DAY_SHIFT, "own": False}
    assert api.put(own, {"week": ["00:00-24:00"] * 7}, format="json").json()["own"]
    assert api.put("/api/v1/covered-hours/", {"week": ["x"] * 7}, format="json").status_code == 400
    assert api.put("/api/v1/covered-hours/", {"week": []}, format="json").status_code == 400
    assert boss.post(put, {"device": device.pk, "clear": "1"}).status_code == 302
    assert CoveredHours.objects.count() == 1
    verbs = list(AuditEntry.objects.order_by("pk").values_list("verb", flat=True))
    assert verbs.count("hours_set") == 3
    assert verbs.count("hours_cleared") == 2
    assert worker.get(f"{url}?machine={2**70}").status_code == 200
    assert worker.get(f"{url}?machine=99999").status_code == 404
