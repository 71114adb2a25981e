"""How long readings are kept: a dry run that tells the truth, and a deletion that loses no count."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from django.db.migrations.executor import MigrationExecutor
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import AuditEntry, User
from devices.models import (
    Alert,
    Device,
    Metric,
    Reading,
    Reading5Min,
    ReadingDay,
    ReadingHour,
    ReadingLatest,
    RetentionPolicy,
    RetentionRun,
)
from devices.models.retention import LENGTHS
from devices.retention import cuts, month_before, usual_hours
from devices.selectors.partitions import listed
from devices.selectors.readings import series
from devices.selectors.retention import floors
from devices.selectors.storage import months, plan, tables
from devices.services import deletion, partitions, retention
from devices.services.readings import ReadingIn, record_readings
from devices.services.rollups import rebuild_rollups
from tests.detection.factories import make_image
from tests.devices import factories as f
from twinhealth.errors import ConflictError, InvalidInputError

pytestmark = pytest.mark.django_db
API = "/api/v1/"
NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
SHORT = {"raw_months": 2, "five_minute_months": 3, "hour_months": 4, "day_months": 4}


@pytest.fixture
def admin() -> User:
    return f.user("admin")


@pytest.fixture
def half_a_year() -> tuple[Device, Metric]:
    """A reading every 6 hours from January to NOW, in partitions of their own."""
    device, noise, _ = f.watched_device()
    moments = [datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=6 * n) for n in range(662)]
    f.readings(device, noise, [(at, float(n)) for n, at in enumerate(moments)])
    partitions.make(now=NOW)
    return device, noise


def settled(user: User, **lengths: int | None) -> RetentionPolicy:
    return retention.settle(user=user, reason="the disk", now=NOW, **{**SHORT, **lengths})


def test_cuts() -> None:
    found = cuts(now=NOW, raw_months=2, five_minute_months=6, hour_months=12, day_months=18)
    assert found.raw == datetime(2026, 4, 1, tzinfo=UTC)
    assert found.five_minute == datetime(2025, 12, 1, tzinfo=UTC)
    assert found.hour == datetime(2025, 6, 1, tzinfo=UTC)
    assert found.day == date(2024, 12, 1)
    for_ever = dict.fromkeys(LENGTHS)
    assert cuts(now=NOW, **for_ever).nothing
    assert cuts(now=NOW, **{**for_ever, "raw_months": 600}).raw


@pytest.mark.parametrize(
    ("five_minutes", "days", "hours"),
    [(None, None, None), (6, None, 60), (6, 120, 60), (6, 24, 24), (100, None, 100), (80, 90, 80)],
)
def test_hours_are_kept_five_years_unless_told(
    five_minutes: int | None, days: int | None, hours: int | None
) -> None:
    assert usual_hours(five_minutes, days) == hours


def test_everything_is_kept_until_somebody_settles_something(
    half_a_year: tuple[Device, Metric], admin: User
) -> None:
    call_command("apply_retention", stdout=StringIO())
    assert Reading.objects.count() == 662
    with pytest.raises(InvalidInputError) as error:
        retention.begin(user=admin, now=NOW)
    assert error.value.code == "nothing_to_delete"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"raw_months": 1}, "bad_months"),
        ({"day_months": 601}, "bad_months"),
        ({"five_minute_months": 1}, "bad_months"),
        ({"raw_months": None}, "coarse_before_fine"),
        ({"raw_months": 5}, "coarse_before_fine"),
        ({"five_minute_months": None}, "coarse_before_fine"),
        ({"hour_months": 1}, "bad_months"),
        ({"hour_months": 2}, "coarse_before_fine"),
        ({"hour_months": 5}, "coarse_before_fine"),
        ({"reason": " "}, "reason_missing"),
        ({"reason": "x" * 301}, "reason_too_long"),
    ],
)
def test_what_may_not_be_settled(admin: User, changes: dict[str, Any], code: str) -> None:
    given = {**SHORT, "reason": "why", **changes}
    with pytest.raises(InvalidInputError) as error:
        retention.settle(user=admin, now=NOW, **given)
    assert error.value.code == code
    if code in {"bad_months", "coarse_before_fine"}:
        fields = {"number": 9, "by": admin, "by_name": "a", "at": NOW}
        with pytest.raises(IntegrityError), transaction.atomic():
            RetentionPolicy.objects.create(**fields, **given)


def test_two_admins(admin: User) -> None:
    settled(admin)
    with pytest.raises(InvalidInputError) as same:
        settled(admin)
    assert same.value.code == "nothing_changes"
    with pytest.raises(ConflictError) as late:
        settled(admin, raw_months=3, seen=0)
    assert late.value.code == "policy_changed"
    with pytest.raises(ConflictError):
        retention.begin(user=admin, now=NOW, seen=0)
    retention.begin(user=admin, now=NOW, seen=1)
    with pytest.raises(ConflictError) as twice:
        retention.begin(user=admin, now=NOW)
    assert twice.value.code == "already_running"


def test_the_dry_run_says_what_the_deletion_does(
    half_a_year: tuple[Device, Metric], admin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deletion, "BITE", 100)
    device, noise = half_a_year
    days = list(ReadingDay.objects.filter(day__gte=date(2026, 2, 1)).values_list("day", "n"))
    policy = settled(admin)
    before = Reading.objects.count()
    found = plan(policy, NOW)
    assert Reading.objects.count() == before
    assert (found.raw, found.five_minute, found.hour, found.day) == (360, 236, 124, 31)
    assert found.day_kept == 0
    run = retention.begin(user=admin, now=NOW)
    assert deletion.work(run_id=run.pk, seconds=60)
    run.refresh_from_db()
    assert (run.raw, run.five_minute, run.hour, run.day) == (360, 236, 124, 31)
    assert run.finished_at is not None
    assert Reading.objects.count() == 302
    assert Reading.objects.earliest("measured_at").measured_at == datetime(2026, 4, 1, tzinfo=UTC)
    assert Reading5Min.objects.earliest("starts_at").starts_at == datetime(2026, 3, 1, tzinfo=UTC)
    assert ReadingHour.objects.earliest("starts_at").starts_at == datetime(2026, 2, 1, tzinfo=UTC)
    assert list(ReadingDay.objects.values_list("day", "n")) == days
    if connection.vendor == "postgresql":
        assert found.partitions == (date(2026, 1, 1), date(2026, 2, 1), date(2026, 3, 1))
        assert run.partitions == 3
        assert listed()[0] == date(2026, 4, 1)
    assert rebuild_rollups(device=device, repair=False)
    verbs = AuditEntry.objects.order_by("pk").values_list("verb", flat=True)
    assert list(verbs)[-3:] == ["settled_retention", "ordered_deletion", "deleted_readings"]
    # and the policy's next month finds nothing more to do today
    assert plan(policy, NOW).nothing
    # a chart of a time without readings shows what is left
    for month, left in ((1, "day"), (2, "hour"), (3, "5min"), (4, "raw")):
        start = datetime(2026, month, 3, tzinfo=UTC)
        chosen, points = series(device=device, start=start, end=start + timedelta(days=1))
        assert (chosen, bool(points)) == (left, month > 1)
    assert [row.deleted for row in months()] == [False, False, False, True, True]
    assert {table.name for table in tables()} == {"readings", "5 minutes", "hours", "days"}
    assert ReadingLatest.objects.get(device=device, metric=noise).value == 661


def test_a_reading_that_was_deleted_is_not_counted_again(
    half_a_year: tuple[Device, Metric], admin: User
) -> None:
    device, _ = half_a_year
    settled(admin)
    run = retention.begin(user=admin, now=NOW)
    old = ReadingIn("noise", 0, "1", datetime(2026, 3, 31, 18, tzinfo=UTC))
    kept = ReadingIn("noise", 0, "1", datetime(2026, 4, 1, tzinfo=UTC))
    for _ in range(2):  # before the worker came, and after
        result = record_readings(device=device, items=[old, kept], source="rest")
        assert (result.accepted, result.duplicates) == (0, 1)
        assert [r["code"] for r in result.rejected] == ["past_retention"]
        deletion.work(run_id=run.pk, seconds=60)
    assert ReadingDay.objects.get(day=date(2026, 3, 31)).n == 4


def test_days_that_alerts_and_films_rest_on_stay(
    half_a_year: tuple[Device, Metric], admin: User
) -> None:
    device, noise = half_a_year
    Metric.objects.filter(pk=noise.pk).update(max_age=3 * 86_400)
    rang = datetime(2026, 1, 10, 9, tzinfo=UTC)
    Alert.objects.create(
        device=device, rule=noise.rules.get(), severity="act", message="m", value=40,
        since=rang, opened_at=rang, last_seen_at=rang + timedelta(hours=20),
        state="resolved", resolved_at=rang, resolve_reason="fixed",
    )  # fmt: skip
    make_image(device=device, acquired_at=datetime(2026, 1, 20, 9, tzinfo=UTC))
    policy = settled(admin)
    assert plan(policy, NOW).day_kept == 7
    run = retention.begin(user=admin, now=NOW)
    deletion.work(run_id=run.pk, seconds=60)
    stay = ReadingDay.objects.filter(day__lt=date(2026, 2, 1)).values_list("day", flat=True)
    assert sorted(day.day for day in stay) == [9, 10, 11, 17, 18, 19, 20]


def test_a_deletion_goes_on_where_it_was_broken_off(
    half_a_year: tuple[Device, Metric], admin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    settled(admin)
    run = retention.begin(user=admin, now=NOW)
    calls = 0
    while not deletion.work(run_id=run.pk, seconds=-1):  # one bite a call
        calls += 1
    assert calls >= 2
    run.refresh_from_db()
    assert (run.raw, run.five_minute, run.hour, run.day) == (360, 236, 124, 31)
    assert deletion.work(run_id=run.pk, seconds=60)
    assert AuditEntry.objects.filter(verb="deleted_readings").count() == 1


def test_the_command(half_a_year: tuple[Device, Metric], admin: User) -> None:
    settled(admin)
    out = StringIO()
    call_command("apply_retention", "--dry-run", stdout=out)
    assert "0 old days stay" in out.getvalue()
    assert Reading.objects.count() == 662
    call_command("apply_retention", stdout=out)
    assert out.getvalue().endswith("deleted\n")
    assert Reading.objects.filter(measured_at__lt=timezone.now() - timedelta(days=100)).count() == 0
    assert RetentionRun.objects.get().requested_by is None
    RetentionRun.objects.update(finished_at=None)
    f.reading(*half_a_year, 1, datetime(2020, 1, 1, tzinfo=UTC))
    with pytest.raises(CommandError, match="under way"):
        call_command("apply_retention", stdout=out)


def client(user: User) -> Client:
    made = Client()
    made.force_login(user)
    return made


def test_from_the_page(half_a_year: tuple[Device, Metric], admin: User) -> None:
    browser = client(admin)
    page = browser.get("/storage/").content.decode()
    assert "everything is kept" in page
    assert "Delete for good" not in page
    tried = browser.get("/storage/?try=1&raw_months=2&five_minute_months=&day_months=")
    assert "Settle this policy" in tried.content.decode()
    assert not RetentionPolicy.objects.exists()
    wrong = browser.get("/storage/?try=1&raw_months=&five_minute_months=3")
    assert wrong.status_code == 400
    assert "Longer steps are kept" in wrong.content.decode()
    given = {"raw_months": "2", "five_minute_months": "", "day_months": "", "seen": "0"}
    silent = browser.post("/storage/settle/", {**given, "reason": ""})
    assert silent.status_code == 400
    assert "Say why" in silent.content.decode()
    assert browser.post("/storage/settle/", {**given, "reason": "<b>disk"}).status_code == 302
    page = browser.get("/storage/").content.decode()
    assert "&lt;b&gt;disk" in page
    assert "Delete for good" in page
    assert browser.post("/storage/apply/", {"seen": "1"}).status_code == 302
    assert "under way" in browser.get("/storage/").content.decode()
    engineer = client(f.user())
    page = engineer.get("/storage/?try=1&raw_months=2").content.decode()
    assert "Dry run of what you try" in page
    assert "Settle this" not in page
    assert engineer.post("/storage/apply/", {"seen": "1"}).status_code == 403
    assert client(f.user("clinician")).get("/storage/").status_code == 403


def test_from_rest(half_a_year: tuple[Device, Metric], admin: User) -> None:
    api = APIClient()
    api.force_authenticate(admin)
    body = api.get(f"{API}storage/").json()
    assert body["policy"]["number"] == 0
    assert [row["month"] for row in body["months"]][-1] == "2026-01-01"
    assert sum(row["readings"] for row in body["months"]) == 662
    tried = api.get(f"{API}retention-plan/?raw_months=2").json()
    assert tried["raw"] > 0
    bad = api.get(f"{API}retention-plan/?five_minute_months=2")
    assert (bad.status_code, bad.json()["code"]) == (400, "coarse_before_fine")
    made = api.post(
        f"{API}retention-policy/", {"raw_months": 2, "reason": "disk", "seen": 0}, format="json"
    )
    assert (made.status_code, made.json()["number"]) == (201, 1)
    assert made.json()["five_minute_months"] is None
    assert made.json()["hour_months"] is None
    # hours that are left out fit between the others
    asked = "five_minute_months=3&day_months=120"
    tried_hours = api.get(f"{API}retention-plan/?{asked}").json()["hour_before"]
    assert tried_hours[:7] == f"{month_before(timezone.now(), 60):%Y-%m}"
    assert api.get(f"{API}retention-policy/").json()[0]["reason"] == "disk"
    late = api.post(f"{API}retention-runs/", {"seen": 0}, format="json")
    assert (late.status_code, late.json()["code"]) == (409, "policy_changed")
    begun = api.post(f"{API}retention-runs/", {"seen": 1}, format="json")
    assert (begun.status_code, begun.json()["finished_at"]) == (202, None)
    deletion.work_off(seconds=60)
    (run,) = api.get(f"{API}retention-runs/").json()
    assert run["raw"] == tried["raw"]
    assert run["finished_at"]


def test_an_empty_hospital_says_so(admin: User) -> None:
    page = client(admin).get("/storage/").content.decode()
    for words in (
        "No machine has sent a reading",
        "Nothing was ever deleted",
        "everything is kept",
    ):
        assert words in page


@pytest.mark.timeout(1200)  # all rooms go back and come again; half of it would spoil what follows
@pytest.mark.django_db(transaction=True)
def test_an_upgrade_settles_hours_for_policies_that_knew_none() -> None:
    """What was deleted before left no five minutes to make hours of."""
    newest = MigrationExecutor(connection).loader.graph.leaf_nodes()
    by = f.user("admin")
    lengths = [(2, 6, None), (2, 6, 12), (2, None, None), (None, None, None)]
    device, noise, _ = f.watched_device()
    f.readings(device, noise, [(NOW + timedelta(minutes=n), 1000 + n / 1e4) for n in range(200)])
    hours = list(ReadingHour.objects.order_by("starts_at").values_list())
    try:
        before = MigrationExecutor(connection).migrate([("devices", "0016_standing_still")]).apps
        policies = before.get_model("devices", "RetentionPolicy").objects
        for number, (raw, five, day) in enumerate(lengths, start=1):
            policy = policies.create(
                number=number, raw_months=raw, five_minute_months=five, day_months=day,
                reason="disk", by_id=by.pk, by_name="a", at=NOW,
            )  # fmt: skip
        before.get_model("devices", "RetentionRun").objects.create(
            policy=policy, requested_at=NOW, five_minute_before=datetime(2025, 1, 1, tzinfo=UTC)
        )
    finally:
        MigrationExecutor(connection).migrate(newest)
    kept = RetentionPolicy.objects.order_by("number").values_list("hour_months", flat=True)
    assert list(kept) == [60, 12, None, None]
    assert floors().hour == datetime(2025, 1, 1, tzinfo=UTC)
    made = list(ReadingHour.objects.order_by("starts_at").values_list())
    assert [row[0] for row in made] == [row[0] for row in hours]
    assert rebuild_rollups(device=device, repair=False)
