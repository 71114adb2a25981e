"""Work that asks for a skill goes to people who have it; nobody verifies what they worked on."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import AuditEntry, User
from accounts.permissions import Role
from devices.models import PersonSkill, SkillWaiver, WorkOrder
from devices.order_steps import FINISHED, OPEN, STEPS, TRANSITIONS
from devices.selectors.order_people import missing_of, wanting, worked_on
from devices.selectors_maintenance import OrderFilter, order_table
from devices.services import order_costs, orders, skills
from devices.skills import missing
from tests.devices.factories import user
from tests.devices.maintenance_rows import admin, make_order, make_plan, today
from twinhealth.errors import ConflictError, InvalidInputError, NotPermittedError

pytestmark = pytest.mark.django_db
DOSE = "Dose meter"


def asking(*names: str, **fields: Any) -> WorkOrder:
    plan = make_plan(skills=list(names or (DOSE,)), checklist=[], **fields)
    return WorkOrder.objects.get(plan=plan)


def able(name: str = DOSE, **fields: Any) -> User:
    person = user()
    skills.give(actor=admin(), person=person, name=name, **fields)
    return person


def client(person: User) -> Client:
    found = Client()
    found.force_login(person)
    return found


@pytest.mark.parametrize(
    ("held", "lacks"),
    [
        ({}, ["A", "b"]),
        ({"a": None}, ["b"]),
        ({"a": today(), "b": today(-1)}, ["b"]),  # a skill counts on its last day
        ({"a": today(1), "b": None}, []),
    ],
)
def test_what_somebody_lacks(held: dict[str, Any], lacks: list[str]) -> None:
    assert missing(["A", "b"], held, today()) == lacks
    assert missing(["A", "b"], held, today(), waived=["B", " a "]) == []


def test_a_skill_is_given_once_and_its_last_day_changes() -> None:
    boss, person = admin(), user()
    first = skills.give(actor=boss, person=person, name=" Dose meter ")
    again = skills.give(actor=boss, person=person, name="DOSE METER", valid_until=today(30))
    assert (again.pk, again.name, again.valid_until) == (first.pk, DOSE, today(30))
    with pytest.raises(IntegrityError), transaction.atomic():
        PersonSkill.objects.create(person=person, name="dose METER")
    skills.take(skill=again, actor=boss)
    assert not PersonSkill.objects.exists()
    rows = AuditEntry.objects.filter(verb__in=["skill_given", "skill_taken"]).order_by("pk")
    assert [row.verb for row in rows] == ["skill_given", "skill_given", "skill_taken"]
    assert rows[1].detail["valid_until"] == today(30).isoformat()


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"name": "  "}, "skill_missing"),
        ({"name": "x" * 65}, "skill_too_long"),
        ({"name": "a\0b"}, "skill_invalid"),
        ({"valid_until": today(-1)}, "valid_until_past"),
    ],
)
def test_a_skill_that_cannot_be_given(given: dict[str, Any], code: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        skills.give(actor=admin(), person=user(), **{"name": DOSE, **given})
    assert refused.value.code == code


def test_nobody_else_than_who_works_on_orders_gets_one() -> None:
    with pytest.raises(InvalidInputError) as refused:
        skills.give(actor=admin(), person=user(Role.CLINICIAN), name=DOSE)
    assert refused.value.code == "cannot_assign"


def test_assigning_scheduling_and_starting_without_the_skill_is_refused() -> None:
    order, can, cannot = asking(), able(), user()
    late = able(valid_until=today())
    calls: list[Any] = [
        lambda: orders.assign(order=order, actor=admin(), assignee=cannot),
        lambda: orders.schedule(
            order=order, actor=admin(), scheduled_for=timezone.now(), assigned_to=cannot
        ),
        lambda: orders.start(order=order, actor=cannot),
        # the skill ends before the day for which the work is scheduled
        lambda: [
            orders.schedule(
                order=order, actor=admin(), scheduled_for=timezone.now() + timedelta(days=3)
            ),
            orders.assign(order=order, actor=admin(), assignee=late),
        ],
    ]
    for call in calls:
        with pytest.raises(ConflictError) as refused:
            call()
        assert refused.value.code == "skills_missing"
        assert refused.value.extra["skills"] == [DOSE]
        assert can.username in refused.value.extra["able"]
    order.refresh_from_db()
    assert (order.state, order.assigned_to) == ("scheduled", None)
    orders.assign(order=order, actor=admin(), assignee=can)
    assert orders.start(order=order, actor=can).state == "in_progress"


def test_what_one_began_another_without_the_skill_does_not_sign_or_resume() -> None:
    order, can, cannot = asking(), able(), user()
    orders.start(order=order, actor=can)
    with pytest.raises(ConflictError) as refused:
        orders.complete(order=order, actor=cannot, signature="C")
    assert refused.value.code == "skills_missing"
    orders.hold(order=order, actor=cannot, reason="nobody may be stopped from stopping")
    with pytest.raises(ConflictError):
        orders.resume(order=order, actor=cannot)
    orders.resume(order=order, actor=can)
    assert orders.complete(order=order, actor=can, signature="C").state == "done"


def test_an_admin_overrides_with_the_reason_on_the_time_line() -> None:
    order, cannot = asking(), user()
    with pytest.raises(NotPermittedError) as refused:
        orders.assign(order=order, actor=cannot, assignee=cannot, override="I can")
    assert refused.value.code == "cannot_override"
    orders.assign(order=order, actor=admin(), assignee=cannot, override="supervised by the vendor")
    waiver = SkillWaiver.objects.get()
    assert (waiver.order, waiver.person, waiver.skills) == (order, cannot, [DOSE])
    assert "supervised by the vendor" in order.events.order_by("pk")[1].note
    assert missing_of(WorkOrder.objects.filter(pk=order.pk)) == {}
    orders.start(order=order, actor=cannot)  # not asked twice
    orders.complete(order=order, actor=cannot, signature="C")
    with pytest.raises(ConflictError):  # for this order alone
        orders.start(order=asking(), actor=cannot)


def test_skills_nobody_has_are_listed() -> None:
    asking("Laser")
    asking("laser", DOSE)
    able()
    able("Laser", valid_until=today())
    assert wanting() == []
    PersonSkill.objects.filter(name="Laser").update(valid_until=today(-1))
    assert wanting() == [("Laser", 2)]


def test_rest_of_skills_and_of_their_refusals() -> None:
    boss, person = admin(), user()
    by_boss, by_person = client(boss), client(person)
    url = "/api/v1/person-skills/"
    json: dict[str, Any] = {"content_type": "application/json"}
    assert by_person.post(url, {"person": person.username, "name": DOSE}, **json).status_code == 403
    made = by_boss.post(url, {"person": person.username, "name": DOSE}, **json)
    assert (made.status_code, made.json()["given_by"]) == (201, boss.username)
    again = by_boss.post(
        url, {"person": person.username, "name": DOSE, "valid_until": str(today(1))}, **json
    )
    assert (again.status_code, again.json()["id"]) == (201, made.json()["id"])
    assert by_person.get(f"{url}?name__iexact=dose meter").json()["count"] == 1
    order, other = asking(), user()
    base = f"/api/v1/work-orders/{order.pk}/"
    assert by_boss.get(base).json()["able"] == [person.username]
    body = {"assigned_to": other.username}
    refused = by_boss.post(f"{base}assign/", body, **json)
    assert (refused.status_code, refused.json()["code"]) == (409, "skills_missing")
    assert refused.json()["extra"]["able"] == [person.username]
    unlawful = by_person.post(f"{base}assign/", {**body, "override": "please"}, **json)
    assert (unlawful.status_code, unlawful.json()["code"]) == (403, "cannot_override")
    given = by_boss.post(f"{base}assign/", {**body, "override": "supervised"}, **json)
    assert (given.status_code, given.json()["skills_missing"]) == (200, [])
    refused = by_boss.post(f"{base}start/", {}, **json)
    assert (refused.status_code, refused.json()["code"]) == (409, "skills_missing")
    assert client(other).post(f"{base}start/", {}, **json).status_code == 200
    assert by_person.delete(f"{url}{made.json()['id']}/").status_code == 403
    assert by_boss.delete(f"{url}{made.json()['id']}/").status_code == 204
    assert by_boss.delete(f"{url}{made.json()['id']}/").json()["code"] == "skill_not_found"


def test_pages_of_skills_and_suggestions() -> None:
    boss, cannot, can = client(admin()), user(), able()
    order = asking()
    page = reverse("devices:order", args=[order.pk])
    body = boss.get(page).content.decode()
    assert f"able: {can}" in body
    assert f"{cannot} (lacks {DOSE})" in body
    assign = reverse("devices:order-step", args=[order.pk, "assign"])
    refused = boss.post(assign, {"assigned_to": cannot.pk})
    assert refused.status_code == 409
    assert f"{cannot} lacks {DOSE}" in refused.content.decode()
    assert (
        boss.post(assign, {"assigned_to": cannot.pk, "override": "supervised"}).status_code == 302
    )
    assert "works without Dose meter: supervised" in boss.get(page).content.decode()
    skills_page = reverse("devices:skills")
    given = {"person": cannot.pk, "name": "<b>Laser</b>", "valid_until": ""}
    assert client(cannot).post(reverse("devices:skill-give"), given).status_code == 403
    assert boss.post(reverse("devices:skill-give"), given).status_code == 302
    assert "&lt;b&gt;Laser&lt;/b&gt;" in boss.get(skills_page).content.decode()
    past = {**given, "valid_until": str(today(-1))}
    answer = boss.post(reverse("devices:skill-give"), past)
    assert answer.status_code == 400
    assert "lies in the past" in answer.content.decode()
    made = PersonSkill.objects.get(person=cannot)
    assert boss.post(reverse("devices:skill-take", args=[made.pk])).status_code == 302
    assert boss.get(f"{skills_page}?skill={DOSE}").content.decode().count("Take away") == 1


def test_the_week_says_what_the_person_lacks() -> None:
    order, cannot = asking(), user()
    WorkOrder.objects.filter(pk=order.pk).update(
        assigned_to=cannot
    )  # given before skills were kept
    body = client(admin()).get(reverse("maintenance:week")).content.decode()
    assert f"lacks {DOSE}" in body


def test_lists_and_the_week_cost_as_many_queries_for_many_as_for_few() -> None:
    door = client(admin())
    addresses = [
        reverse("devices:skills"), reverse("maintenance:week"), "/api/v1/person-skills/",
    ]  # fmt: skip
    costs = []
    for _ in range(2):
        for _ in range(4):
            given = able()
            WorkOrder.objects.filter(pk=asking(DOSE, "Laser").pk).update(assigned_to=given)
        found = []
        for address in addresses:
            door.get(address)
            with CaptureQueriesContext(connection) as asked:
                assert door.get(address).status_code == 200
            found.append(len(asked))
        costs.append(found)
    assert costs[0] == costs[1]


# --- verification


def test_who_worked_on_it_never_verifies_it() -> None:
    worker, helper, starter, writer, photographer = (user() for _ in range(5))
    order = make_order("planned", worker=worker)
    orders.start(order=order, actor=starter)
    orders.save_checklist(order=order, actor=writer, checklist=[True, False])
    order_costs.add_labour(order=order, actor=worker, person=helper, minutes=5)
    order.files.create(
        step=0, filename="p", path="x", kind="image/png", size=1, sha256="0", by=photographer
    )
    order = orders.complete(order=order, actor=worker, signature="W", checklist=[True, True])
    assert worked_on(order) == {p.pk for p in (worker, helper, starter, writer, photographer)}
    for person in (worker, helper, starter, writer, photographer):
        with pytest.raises(NotPermittedError) as refused:
            orders.verify(order=order, actor=person)
        assert refused.value.code == "own_work"
    with pytest.raises(NotPermittedError) as refused:
        orders.verify(order=order, actor=user(Role.CLINICIAN))
    assert refused.value.code == "cannot_verify"
    assert orders.verify(order=order, actor=user()).state == "verified"


@pytest.mark.parametrize("door", ["rest", "page"])
def test_verifying_the_own_work_is_refused_at_both_doors(door: str) -> None:
    worker = user()
    order = make_order("done", worker=worker)
    paths = {
        "rest": f"/api/v1/work-orders/{order.pk}/verify/",
        "page": reverse("devices:order-step", args=[order.pk, "verify"]),
    }
    assert client(worker).post(paths[door]).status_code == 403
    assert client(user(Role.CLINICIAN)).post(paths[door]).status_code == 403
    order.refresh_from_db()
    assert order.state == "done"
    assert client(user()).post(paths[door]).status_code in {200, 302}
    order.refresh_from_db()
    assert order.state == "verified"


def test_orders_that_wait_for_a_second_person_are_listed() -> None:
    for wanted in (True, False):
        plan = make_plan(verify_required=wanted, checklist=[])
        order = WorkOrder.objects.get(plan=plan)
        worker = user()
        orders.start(order=order, actor=worker)
        orders.complete(order=order, actor=worker, signature="W")
    found = order_table(OrderFilter(show="to_verify"), ordering="", today=today())
    assert [order.verify_required for order in found] == [True]
    orders.verify(order=found[0], actor=user())
    assert not order_table(OrderFilter(show="to_verify"), ordering="", today=today()).exists()


def test_the_table_leads_to_done_and_verified_by_one_step_alone() -> None:
    into = {
        state: {step for (_, step), to in TRANSITIONS.items() if to == state} for state in FINISHED
    }
    assert into == {"done": {"complete"}, "verified": {"verify"}}
    assert {state for (state, step) in TRANSITIONS if step == "verify"} == {"done"}
    assert {state for (state, step) in TRANSITIONS if step == "complete"} == {"in_progress"}
    assert not [state for (state, _) in TRANSITIONS if state in {"verified", "cancelled"}]
    assert {state for (state, step) in TRANSITIONS if step == "cancel"} == set(OPEN)
    assert "reopen" not in STEPS  # the system's alone
