"""The reading policy: who settles what, what is kept, and the order that follows at once."""

from __future__ import annotations

import importlib
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings as django_settings
from django.db import DatabaseError, IntegrityError, transaction
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import AuditEntry, User
from accounts.permissions import Role
from detection import priority, selectors
from detection.models import DetectorVersion, WorklistItem
from imaging.models import Image
from reading import selectors_policy
from reading.models import ReadingPolicy
from reading.services.policy import settle
from tests.detection.factories import make_image, make_run, make_user
from twinhealth.errors import ConflictError, InvalidInputError

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


@pytest.fixture
def admin(db: None) -> User:
    return make_user(Role.ADMIN, display_name="Ada Admin")


def change(admin: User, **fields: Any) -> ReadingPolicy:
    usual: dict[str, Any] = {"ceiling_minutes": 60, "twice": "none", "twice_percent": None}
    return settle(user=admin, **(usual | {"reason": "a quieter night"} | fields))


def test_until_somebody_settles_one_it_is_an_hour() -> None:
    now = selectors_policy.policy_now()
    assert (now.number, now.ceiling, now.twice) == (0, priority.CEILING, "none")


def test_the_newest_row_counts_and_all_stay(admin: User) -> None:
    change(admin, ceiling_minutes=240)
    change(admin, ceiling_minutes=15, reason="  crowded\n again ")
    assert selectors_policy.policy_now().ceiling == 15 * MINUTE
    kept = [(p.number, p.ceiling_minutes, p.reason) for p in selectors_policy.history()]
    assert kept == [(2, 15, "crowded again"), (1, 240, "a quieter night")]
    assert AuditEntry.objects.filter(verb="settled_policy").count() == 2


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"ceiling_minutes": 14}, "bad_ceiling"),
        ({"ceiling_minutes": 1441}, "bad_ceiling"),
        ({"twice": "sometimes"}, "bad_twice"),
        ({"twice": "share"}, "bad_percent"),
        ({"twice": "share", "twice_percent": 0}, "bad_percent"),
        ({"twice": "share", "twice_percent": 101}, "bad_percent"),
        ({"twice": "all", "twice_percent": 5}, "bad_percent"),
        ({"ceiling_minutes": 90, "reason": " \n"}, "reason_missing"),
        ({}, "nothing_changes"),
    ],
)
def test_what_is_not_settled(admin: User, fields: dict[str, Any], code: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        change(admin, **fields)
    assert caught.value.code == code
    assert not ReadingPolicy.objects.exists()


def test_who_looked_at_an_older_one_is_told(admin: User) -> None:
    change(admin, ceiling_minutes=90, seen=0)
    with pytest.raises(ConflictError) as caught:
        change(admin, ceiling_minutes=30, seen=0)
    assert caught.value.code == "policy_changed"
    assert change(admin, ceiling_minutes=30, seen=1).number == 2


@pytest.mark.parametrize(
    "fields",
    [{"ceiling_minutes": 10}, {"twice": "share"}, {"twice_percent": 5}, {"reason": ""}],
)
def test_the_database_holds_the_bounds(admin: User, fields: dict[str, Any]) -> None:
    row = {"number": 1, "reason": "x", "by": admin, "by_name": "x", "at": timezone.now()}
    with pytest.raises(IntegrityError), transaction.atomic():
        ReadingPolicy.objects.create(**(row | fields))


def test_rows_are_only_ever_added(admin: User) -> None:
    change(admin, ceiling_minutes=90)
    with pytest.raises(DatabaseError), transaction.atomic():
        ReadingPolicy.objects.update(ceiling_minutes=60)
    with pytest.raises(DatabaseError), transaction.atomic():
        ReadingPolicy.objects.all().delete()


def film(version: DetectorVersion, minutes: float, score: float | None = None) -> Image:
    image = make_image(received_ago=minutes * MINUTE)
    make_run(image, version, boxes=(("covid", score),) if score else ())
    return image


def test_the_order_and_its_words_follow_at_once(
    version: DetectorVersion, admin: User, reader: User
) -> None:
    quiet, ill, old = film(version, 100), film(version, 2, 0.6), film(version, 300)

    def order() -> list[Image]:
        return [r.image for r in selectors.worklist(user=reader, filters={"show": "all"}).rows]

    def whys() -> dict[Image, str]:
        rows = selectors.worklist(user=reader, filters={"show": "all"}).rows
        return {r.image: r.why for r in rows}

    assert order() == [old, quiet, ill]
    assert whys()[quiet] == "waited past 60 min"
    ranks = list(WorklistItem.objects.order_by("pk").values_list("rank", "head_start"))
    change(admin, ceiling_minutes=240)
    assert order() == [old, ill, quiet]
    assert (whys()[quiet], whys()[old]) == ("no finding, in turn", "waited past 4 h")
    assert selectors.next_image(user=reader) == old
    assert selectors.film(image_id=quiet.pk, user=reader).why == "no finding, in turn"
    change(admin, ceiling_minutes=1440)
    assert order() == [ill, old, quiet]
    change(admin, ceiling_minutes=15)
    assert order() == [old, quiet, ill]
    # no row was written for any of these
    assert ranks == list(WorklistItem.objects.order_by("pk").values_list("rank", "head_start"))


def test_with_500_waiting_the_database_sorts_as_the_rule_says(
    version: DetectorVersion, admin: User, reader: User
) -> None:
    now = timezone.now()
    images = [make_image() for _ in range(20)]
    first = images[0]
    items = []
    for n in range(500):
        image = images[n] if n < len(images) else None
        if image is None:
            image = Image.objects.get(pk=first.pk)
            image.pk, image.sop_instance_uid = None, f"9.{n}"
            image.path, image.sha256 = f"test/more-{n}.dcm", f"{n:x}" + "a" * 60
            image.save(force_insert=True)
        words = priority.Film(
            run_state="done",
            label="covid" if n % 3 == 0 else "",
            score=(n % 97) / 97 if n % 3 == 0 else None,
            trust="reduced" if n % 5 == 0 else "full",
            waiting_since=now - (n * 37 % 1700) * MINUTE - timedelta(seconds=n),
            urgency={7: "high", 8: "low", 9: "stat"}.get(n % 40, ""),
        )
        items.append(
            WorklistItem(
                image=image,
                run_state="done",
                rank=priority.rank(words),
                head_start=priority.head_start(words),
                waiting_since=words.waiting_since,
                urgency=words.urgency,
            )
        )
    WorklistItem.objects.bulk_create(items)
    for minutes in (15, 61, 240, 1440):
        policy = change(admin, ceiling_minutes=minutes)
        found = list(selectors.worklist_items(user=reader, filters={"show": "all"}, now=now))
        assert len(found) == 500
        numbers = [priority.urgency(item, now, policy.ceiling) for item in found]
        assert numbers == sorted(numbers, reverse=True)
        overdue = selectors.worklist(user=reader, filters={"show": "overdue"}, now=now)
        past = sum(item.waiting_since <= now - policy.ceiling for item in items)
        assert overdue.counts["overdue"] == past
        waiting, rows = selectors_policy.waiting_past(policy.ceiling, now=now)
        assert (waiting, [row.films for row in rows if row.holds]) == (500, [past])


def test_stored_ranks_of_before_are_carried_over(version: DetectorVersion) -> None:
    """What the migration takes out is what an older rank had in it."""
    image = film(version, 30, 0.75)
    film(version, 10)
    WorklistItem.objects.filter(image=image).update(urgency="high")
    now = dict(WorklistItem.objects.values_list("pk", "rank"))
    step = importlib.import_module("detection.migrations.0008_reading_policy")
    step.put_in(apps, None)
    item = WorklistItem.objects.get(image=image)
    assert item.rank == now[item.pk] + 1.75 + 10
    step.take_out(apps, None)
    assert dict(WorklistItem.objects.values_list("pk", "rank")) == now


# --- page and REST


def as_user(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_the_page_settles_shows_history_and_escapes(
    version: DetectorVersion, admin: User, reader: User
) -> None:
    film(version, 100)
    page = as_user(admin)
    html = page.get("/reading-policy/").content.decode()
    assert "nobody has settled one yet" in html
    assert 'href="/reading-policy/"' in page.get("/users/").content.decode()
    body = {"ceiling_minutes": 240, "twice": "none", "seen": 0, "reason": "<b>calm</b>"}
    assert page.post("/reading-policy/", body).status_code == 302
    html = page.get("/reading-policy/").content.decode()
    assert "&lt;b&gt;calm" in html
    assert "<b>calm" not in html
    assert "Ada Admin" in html
    again = page.post("/reading-policy/", body | {"ceiling_minutes": 30})
    assert again.status_code == 409
    assert "Another admin has changed the policy" in again.content.decode()
    wrong = page.post("/reading-policy/", body | {"ceiling_minutes": 5, "reason": ""})
    assert (wrong.status_code, ReadingPolicy.objects.count()) == (400, 1)
    assert as_user(reader).get("/reading-policy/").status_code == 403
    assert "waited past 4 h" in as_user(reader).get("/worklist/?show=all").content.decode()


def test_a_percentage_left_in_the_field_counts_for_a_share_alone(admin: User) -> None:
    page = as_user(admin)
    body = {"ceiling_minutes": 60, "twice": "all", "twice_percent": 20, "reason": "x"}
    assert page.post("/reading-policy/", body).status_code == 302
    assert selectors_policy.policy_now().twice_percent is None
    assert page.post("/reading-policy/", body | {"twice": "share"}).status_code == 302
    assert selectors_policy.policy_now().twice_words.startswith("20 %")


def test_the_figures_on_the_page_are_those_of_the_measurement() -> None:
    text = (Path(django_settings.BASE_DIR) / "docs/benchmarks.md").read_text()
    for row in selectors_policy.SIMULATED:
        for who in ("ill", "others"):
            found = re.search(rf"\| crowded \| {re.escape(row.order)} \| {who} \| (\d+) ", text)
            assert found is not None
            assert int(found[1]) == getattr(row, who)


def test_rest(admin: User, reader: User) -> None:
    api = APIClient()
    api.force_authenticate(admin)
    address = "/api/v1/reading-policy/"
    assert api.get(address).data["number"] == 0
    made = api.post(address, {"twice": "share", "twice_percent": 10, "reason": "a trial"})
    assert (made.status_code, made.data["by"]) == (201, "Ada Admin")
    # what is left out stays
    more = api.post(address, {"ceiling_minutes": 120, "reason": "calm"})
    assert (more.data["twice"], more.data["twice_percent"], more.data["number"]) == ("share", 10, 2)
    ended = api.post(address, {"twice": "none", "reason": "trial over"})
    assert (ended.data["twice_percent"], ended.data["ceiling_minutes"]) == (None, 120)
    stale = api.post(address, {"ceiling_minutes": 30, "reason": "x", "seen": 1})
    assert (stale.status_code, stale.data["code"]) == (409, "policy_changed")
    assert api.post(address, {"ceiling_minutes": 1, "reason": "x"}).status_code == 400
    assert api.post(address, {"twice": "share", "reason": "x"}).data["code"] == "bad_percent"
    assert api.get(address).data == ended.data
    api.force_authenticate(reader)
    assert api.get(address).status_code == 403
