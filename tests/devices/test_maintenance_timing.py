"""Plans counted from work and by use; extra checks; schedules over odd days."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from rest_framework.test import APIClient

from devices import schedule
from devices.blackouts import Span, shifted
from devices.models import Component, Device, MaintenancePlan, Metric, WorkOrder
from devices.selectors.meters import counts
from devices.services import orders, plans
from tests.devices import factories as f
from tests.devices.maintenance_rows import admin, make_device, make_order, make_plan, today
from twinhealth.errors import InvalidInputError

DAYS = st.dates(date(1990, 1, 1), date(2100, 12, 31))


# --- schedules: pure


@given(DAYS, st.sampled_from(sorted(schedule._STEP)), st.integers(1, 10))
def test_one_interval_after_any_day(day: date, freq: str, interval: int) -> None:
    rule = schedule.parse(f"FREQ={freq};INTERVAL={interval}")
    found = schedule.after(rule, day)
    assert found > day
    if freq in {"DAILY", "WEEKLY"}:
        assert (found - day).days == interval * (7 if freq == "WEEKLY" else 1)
        return
    months = interval * (12 if freq == "YEARLY" else 1)
    assert (found.year * 12 + found.month) - (day.year * 12 + day.month) == months
    # the same day of the month, or the last of one that lacks it
    assert found.day == day.day or (found.day < day.day and (found + timedelta(1)).day == 1)


def test_leap_day_month_end_and_first_monday() -> None:
    yearly, monthly = schedule.parse("FREQ=YEARLY"), schedule.parse("FREQ=MONTHLY")
    assert schedule.after(yearly, date(2028, 2, 29)) == date(2029, 2, 28)
    assert schedule.after(monthly, date(2028, 1, 31)) == date(2028, 2, 29)
    assert schedule.after(monthly, date(2027, 1, 31)) == date(2027, 2, 28)
    first_monday = schedule.every_n_months_on(1, nth=1, weekday=0)
    found = schedule.between(first_monday, date(2026, 1, 1), date(2026, 1, 1), date(2027, 12, 31))
    assert len(found) == 24
    assert all(day.weekday() == 0 and day.day <= 7 for day in found)
    assert len({(day.year, day.month) for day in found}) == 24


@given(DAYS, st.integers(0, 23), st.sampled_from(["Europe/Berlin", "America/New_York"]))
def test_a_due_date_is_a_day_whatever_the_clock_does(day: date, hour: int, zone: str) -> None:
    """Two occurrences a day apart stay a day apart over a change of the clock."""
    from zoneinfo import ZoneInfo

    moment = datetime(day.year, day.month, day.day, hour, tzinfo=ZoneInfo(zone))
    local = moment.astimezone(UTC).astimezone(ZoneInfo(zone)).date()
    rule = schedule.parse("FREQ=DAILY", zone=ZoneInfo(zone))
    assert schedule.after(rule, local) - local == timedelta(days=1)


spans = st.lists(
    st.tuples(DAYS, st.integers(0, 40), st.booleans()).map(
        lambda t: Span(t[0], t[0] + timedelta(days=t[1]), t[2])
    ),
    max_size=4,
)


@given(DAYS, st.integers(0, 30), spans, st.integers(0, 60))
def test_a_due_date_moves_within_its_grace_or_before(
    day: date, grace: int, off: list[Span], ahead: int
) -> None:
    now = day - timedelta(days=ahead)
    found = shifted(day, grace, off, now)
    assert now <= found <= day + timedelta(days=grace)
    free = lambda each: not any(span.covers(each) for span in off)  # noqa: E731
    if free(day):
        assert found == day
    elif found != day:
        assert free(found)
        if found < day:  # nothing was free within the grace
            assert not any(free(day + timedelta(days=n)) for n in range(grace + 1))
        between = range(1, abs((found - day).days))
        assert not any(free(day + (found > day or -1) * timedelta(days=n)) for n in between)


def test_a_season_over_new_year_comes_back_every_year() -> None:
    off = [Span(date(2020, 12, 20), date(2021, 1, 6), yearly=True)]
    assert shifted(date(2030, 12, 24), 20, off, date(2030, 1, 1)) == date(2031, 1, 7)
    assert shifted(date(2030, 12, 24), 3, off, date(2030, 1, 1)) == date(2030, 12, 19)
    assert shifted(date(2030, 12, 24), 3, off, date(2030, 12, 22)) == date(2030, 12, 24)


# --- floating


def floating(**fields: Any) -> MaintenancePlan:
    return make_plan(timing="floating", rrule="FREQ=MONTHLY;INTERVAL=3", **fields)


def finish(order: WorkOrder, at: datetime | None = None, **fields: Any) -> WorkOrder:
    order = orders.start(order=order, actor=f.user())
    answers = [True] * len(order.checklist)
    return orders.complete(order=order, actor=f.user(), signature="A", checklist=answers, **fields)


@pytest.mark.django_db
def test_the_next_is_counted_from_the_signature() -> None:
    plan = floating(starts_on=today(-20))
    order = WorkOrder.objects.get(plan=plan)
    assert (order.due_on, plan.next_due_on) == (today(-20), None)
    assert plans.materialise_due_orders() == 0  # one at a time
    finish(order)
    plan.refresh_from_db()
    assert plan.next_due_on == schedule.after(schedule.parse(plan.rrule), today())
    plans.materialise_due_orders(now=timezone.now() + timedelta(days=85))
    assert [o.due_on for o in plan.orders.order_by("due_on")] == [today(-20), plan.next_due_on]


@pytest.mark.django_db
@pytest.mark.parametrize(
    "rrule", ["FREQ=MONTHLY;BYDAY=1MO", "FREQ=DAILY;COUNT=2", "FREQ=MONTHLY;BYMONTHDAY=1"]
)
def test_what_names_days_cannot_float(rrule: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        make_plan(timing="floating", rrule=rrule)
    assert caught.value.code == "rrule_invalid"


@pytest.mark.django_db
def test_a_cancelled_one_counts_from_the_day_it_was_due() -> None:
    plan = floating(starts_on=today(2))
    orders.cancel(order=WorkOrder.objects.get(plan=plan), actor=f.user(), reason="machine away")
    plan.refresh_from_db()
    assert plan.next_due_on == schedule.after(schedule.parse(plan.rrule), today(2))


@pytest.mark.django_db
def test_pausing_and_changing_a_floating_plan_keep_its_count() -> None:
    plan = floating(starts_on=today())
    finish(WorkOrder.objects.get(plan=plan))
    plan = plans.deactivate(plan=plan, actor=admin())
    plan = plans.reactivate(plan=plan, actor=admin())
    assert plan.next_due_on == schedule.after(schedule.parse(plan.rrule), today())
    plan = plans.update(plan=plan, actor=admin(), rrule="FREQ=MONTHLY;INTERVAL=6")
    assert plan.next_due_on == schedule.after(schedule.parse(plan.rrule), today())


# --- extra checks


@pytest.mark.django_db
def test_an_extra_check_never_moves_a_date_unless_told() -> None:
    device = make_device()
    fixed, floats = (
        make_plan(device, starts_on=today(5)),
        floating(device=device, starts_on=today(5)),
    )
    finish(make_order(device=device))
    before = {o.pk: o.due_on for o in WorkOrder.objects.filter(plan__isnull=False)}
    assert set(before.values()) == {today(5)}
    extra = orders.start(order=make_order(device=device, checklist=[]), actor=f.user())
    with pytest.raises(InvalidInputError) as caught:
        orders.complete(order=extra, actor=f.user(), signature="A", counts_for=fixed)
    assert caught.value.code == "counts_for_fixed"
    with pytest.raises(InvalidInputError) as other:
        orders.complete(
            order=extra, actor=f.user(), signature="A", counts_for=floating(starts_on=today(99))
        )
    assert other.value.code == "counts_for_another_device"
    orders.complete(order=extra, actor=f.user(), signature="A", counts_for=floats)
    floats.refresh_from_db()
    assert floats.next_due_on == schedule.after(schedule.parse(floats.rrule), today())
    assert WorkOrder.objects.get(plan=floats).state == "cancelled"
    assert WorkOrder.objects.get(plan=fixed).due_on == today(5)


@pytest.mark.django_db
def test_an_extra_check_leaves_an_order_that_somebody_took() -> None:
    plan = floating(starts_on=today(5))
    taken = WorkOrder.objects.get(plan=plan)
    orders.assign(order=taken, actor=admin(), assignee=f.user())
    extra = orders.start(order=make_order(device=plan.device, checklist=[]), actor=f.user())
    orders.complete(order=extra, actor=f.user(), signature="A", counts_for=plan)
    taken.refresh_from_db()
    plan.refresh_from_db()
    assert (taken.state, plan.next_due_on) == ("planned", None)


# --- by use


class Counter:
    """A machine whose exposures have grown by 100 a day for 30 days, to 3,000."""

    def __init__(self, counter_of: str = "") -> None:
        made = f.model()
        self.metric: Metric = f.metric(made, "exposures", unit="1", counter_of=counter_of)
        self.device: Device = f.device(made)
        self.now = timezone.now().replace(microsecond=0)
        f.readings(
            self.device, self.metric,
            [(self.now - timedelta(days=30 - n), 100.0 * n) for n in range(31)],
        )  # fmt: skip

    def plan(self, every: float = 2000, **fields: Any) -> MaintenancePlan:
        fields = {"now": self.now, "starts_on": today(), **fields}
        return make_plan(
            self.device, timing="meter", rrule="", meter=self.metric, meter_every=every, **fields
        )


@pytest.mark.django_db
def test_the_day_is_estimated_from_the_last_30_days() -> None:
    counter = Counter()
    plan = counter.plan()
    assert (plan.meter_base, plan.next_due_on) == (3000, today(20))
    assert not plan.orders.exists()
    found = counts([plan], counter.now)[plan.pk]
    assert (found.used, found.per_day) == (0, pytest.approx(100, rel=0.02))
    # 20 days at 100 a day, 14 days of lead: its order is made on the sixth day
    assert plans.materialise_due_orders(now=counter.now + timedelta(days=5)) == 0


@pytest.mark.django_db
def test_it_is_due_when_it_is_reached_and_counts_again_from_the_work() -> None:
    counter = Counter()
    plan = counter.plan(lead_days=0)
    f.reading(counter.device, counter.metric, 5001, counter.now + timedelta(hours=1))
    later = counter.now + timedelta(hours=2)
    assert plans.materialise_due_orders(now=later) == 1
    assert plans.materialise_due_orders(now=later) == 0
    order = WorkOrder.objects.get(plan=plan)
    assert order.due_on == timezone.localdate(later)
    finish(order)
    plan.refresh_from_db()
    assert plan.meter_base in {3000, 5001}  # what had been read when it was signed
    assert plan.next_due_on is not None


@pytest.mark.django_db
def test_a_faster_use_brings_the_day_nearer() -> None:
    counter = Counter()
    plan = counter.plan(every=20_000)
    before = plan.next_due_on
    f.reading(counter.device, counter.metric, 9000, counter.now + timedelta(days=1))
    plans.materialise_due_orders(now=counter.now + timedelta(days=1, hours=1))
    plan.refresh_from_db()
    assert before is not None
    assert plan.next_due_on is not None
    assert plan.next_due_on < before


@pytest.mark.django_db
def test_a_new_part_begins_anew_and_so_does_a_counter_set_back() -> None:
    counter = Counter(counter_of="tube")
    plan = counter.plan()
    f.reading(counter.device, counter.metric, 4500, counter.now + timedelta(hours=1))
    later = counter.now + timedelta(hours=3)
    assert counts([plan], later)[plan.pk].used == 1500
    Component.objects.create(
        device=counter.device, kind="tube", serial="T2", counters={"exposures": 4400},
        installed_at=counter.now + timedelta(hours=2),
    )  # fmt: skip
    assert counts([plan], later)[plan.pk].used == 100
    f.reading(counter.device, counter.metric, 30, counter.now + timedelta(hours=3))
    assert counts([plan], later)[plan.pk].used == 30


@pytest.mark.django_db
def test_without_readings_no_day_is_known_and_none_is_made_up() -> None:
    made = f.model()
    metric, device = f.metric(made, "hours", unit="h"), None
    device = f.device(made)
    plan = make_plan(device, timing="meter", rrule="", meter=metric, meter_every=10)
    assert (plan.next_due_on, plan.meter_base) == (None, None)
    assert plans.materialise_due_orders() == 0


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"meter": None}, "meter_missing"),
        ({"meter_every": 0}, "meter_every_out_of_range"),
        ({"meter_every": float("inf")}, "meter_every_out_of_range"),
        ({"meter_every": None}, "meter_every_out_of_range"),
        ({"rrule": "FREQ=DAILY"}, "rrule_invalid"),
        ({"timing": "fixed", "rrule": "FREQ=DAILY"}, "meter_not_used"),
        ({"timing": "sometimes"}, "unknown_timing"),
        ({"device": "other"}, "meter_of_another_model"),
    ],
)
def test_a_bad_plan_by_use_is_refused(fields: dict[str, Any], code: str) -> None:
    counter = Counter()
    if fields.get("device"):
        fields = {"device": make_device()}
    values = {
        "device": counter.device, "timing": "meter", "rrule": "", "meter": counter.metric,
        "meter_every": 5, **fields,
    }  # fmt: skip
    with pytest.raises(InvalidInputError) as caught:
        make_plan(**values)
    assert caught.value.code == code


# --- in the browser and by REST


@pytest.mark.django_db
def test_pages_of_floating_plans_and_plans_by_use() -> None:
    boss, counter = Client(), Counter()
    boss.force_login(admin())
    fields = {
        "device": counter.device.pk, "title": "Tube look", "timing": "meter", "mode": "month_day",
        "meter": counter.metric.pk, "meter_every": "2000", "starts_on": today().isoformat(),
        "grace_days": 7, "lead_days": 14, "checklist": "",
    }  # fmt: skip
    assert boss.post(reverse("devices:plan-new"), fields).status_code == 302
    plan = MaintenancePlan.objects.get()
    body = boss.get(reverse("devices:plan", args=[plan.pk])).content.decode()
    assert "every 2,000" in body
    assert "0 of 2,000" in body
    assert boss.get(reverse("devices:plan-edit", args=[plan.pk])).status_code == 200
    for view in ("plans", "calendar"):
        assert boss.get(f"{reverse('devices:maintenance')}?view={view}").status_code == 200
    floats = {**fields, "timing": "floating", "every": 3, "month_day": 0, "mode": "month_day"}
    preview = boss.get(reverse("devices:plan-preview"), floats).content.decode()
    assert "counted from when it was last done" in preview
    assert (
        "depends on the use" in boss.get(reverse("devices:plan-preview"), fields).content.decode()
    )
    assert boss.post(reverse("devices:plan-new"), floats).status_code == 302
    made = MaintenancePlan.objects.get(timing="floating")
    extra = orders.start(order=make_order(device=counter.device, checklist=[]), actor=f.user())
    body = boss.get(reverse("devices:order", args=[extra.pk])).content.decode()
    assert "Counts for the plan" in body
    done = boss.post(
        reverse("devices:order-step", args=[extra.pk, "complete"]),
        {"signature": "A", "counts_for": made.pk},
    )
    assert done.status_code == 302
    extra.refresh_from_db()
    assert extra.counts_for == made


@pytest.mark.django_db
def test_rest_of_floating_plans_and_plans_by_use() -> None:
    api, counter = APIClient(), Counter()
    api.force_authenticate(admin())
    base = {"device": counter.device.pk, "title": "T", "starts_on": today().isoformat()}
    url = "/api/v1/maintenance-plans/"
    by_use = {**base, "timing": "meter", "meter": "exposures", "meter_every": 2000}
    made = api.post(url, by_use, format="json").json()
    assert (made["timing"], made["meter"], made["next_due_on"]) == (
        "meter", "exposures", today(20).isoformat(),
    )  # fmt: skip
    assert api.post(url, base, format="json").json()["extra"]["rrule"]
    assert api.post(url, {**by_use, "meter": "x"}, format="json").status_code == 400
    floats = api.post(
        url, {**base, "timing": "floating", "rrule": "FREQ=YEARLY"}, format="json"
    ).json()
    assert floats["rule"] == "every year, counted from when it was last done"
    assert len(floats["next_dates"]) <= 1
    changed = api.patch(f"{url}{made['id']}/", {"timing": "fixed"}, format="json")
    assert changed.json()["code"] == "timing_fixed"
    changed = api.patch(f"{url}{made['id']}/", {"meter_every": 1000}, format="json").json()
    assert changed["next_due_on"] == today(10).isoformat()
