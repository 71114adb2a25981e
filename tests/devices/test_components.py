"""Parts: one per place, by the database; their use survives counters that begin again."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import AuditEntry, User
from devices.models import Component, Device, Metric, TwinEvent
from devices.selectors import components as selectors
from devices.selectors.twin import state_at
from devices.services import components, registry
from devices.services.components import Part
from devices.services.events import rebuild
from tests.devices import factories as f
from twinhealth.errors import ConflictError, InvalidInputError

pytestmark = pytest.mark.django_db


def ago(days: float) -> datetime:
    return timezone.now() - timedelta(days=days)


def counted() -> tuple[Device, Metric]:
    model = f.model()
    return f.device(model), f.metric(model, "tube_exposures", counter_of="tube")


def tube(device: Device, at: datetime | None = None, **fields: Any) -> Component:
    part = Part(serial=fields.pop("serial", "T1"), counters=fields.pop("counters", {}))
    fields = {"kind": "tube", "actor": None, **fields}
    return components.install(device=device, part=part, at=at, **fields)


def used(component: Component, at: datetime | None = None) -> float | None:
    component.refresh_from_db()
    rows = selectors.parts(component.device, at=at, now=timezone.now())
    return next(r for r in rows if r.component == component).uses[0].value


def test_a_replacement_restarts_the_count_though_the_machine_goes_on() -> None:
    device, metric = counted()
    for days, value in ((30, 1000), (20, 1400), (12, 1500)):
        f.reading(device, metric, value, ago(days))
    first = tube(device, ago(25))
    second = components.replace(
        component=first, part=Part(serial="T2"), actor=f.user(), reason="arcing", at=ago(10)
    )
    f.reading(device, metric, 1580, ago(5))
    assert (used(first), used(second)) == (500, 80)
    # and as of a moment between
    assert used(first, ago(15)) == 400
    assert [r.component.serial for r in selectors.parts(device, at=ago(15), now=ago(0))] == ["T1"]


def test_a_late_reading_is_counted() -> None:
    device, metric = counted()
    part = tube(device, ago(20))
    f.reading(device, metric, 50, ago(1))
    assert used(part) == 0  # the first one after it is the beginning
    f.reading(device, metric, 20, ago(10))
    assert used(part) == 30


def test_a_counter_that_begins_again_loses_nothing() -> None:
    device, metric = counted()
    part = tube(device, ago(20), counters={"tube_exposures": 90})
    for days, value in ((10, 100), (9, 5), (8, 25)):
        f.reading(device, metric, value, ago(days))
    assert used(part) == 10 + 5 + 20


def test_nothing_tells_is_not_zero() -> None:
    device, metric = counted()
    part = tube(device, ago(20))
    assert used(part) is None
    f.reading(device, metric, 5, ago(30))
    assert used(part) == 0


@given(st.lists(st.integers(0, 50), max_size=12), st.none() | st.integers(0, 50))
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_count_is_the_sum_of_its_steps(values: list[int], start: int | None) -> None:
    with transaction.atomic():
        device, metric = counted()
        given_start = {} if start is None else {"tube_exposures": start}
        part = tube(device, ago(20), counters=given_start)
        f.readings(
            device, metric, [(ago(10) + timedelta(minutes=i), v) for i, v in enumerate(values)]
        )
        seen = values if start is None else [start, *values]
        expected = sum(b - a if b >= a else b for a, b in pairwise(seen)) if seen else None
        assert used(part) == expected
        transaction.set_rollback(True)


def test_one_live_part_per_place_is_held_by_the_database() -> None:
    device, _ = counted()
    tube(device)
    with pytest.raises(ConflictError) as caught:
        tube(device, serial="T9")
    assert caught.value.code == "place_taken"
    assert tube(device, serial="T8", position="lateral").position == "lateral"
    with pytest.raises(IntegrityError), transaction.atomic():
        Component.objects.create(device=device, kind="tube", installed_at=ago(0))
    with pytest.raises(ConflictError) as caught:
        tube(f.device())
    assert caught.value.code == "part_elsewhere"
    assert caught.value.extra["device"] == device.pk


def test_a_place_that_was_taken_then_stays_taken_then() -> None:
    device, _ = counted()
    part = tube(device, ago(20))
    components.remove(component=part, actor=None, reason="spare", at=ago(10))
    with pytest.raises(ConflictError):
        tube(device, ago(15), serial="T2")
    tube(device, ago(5), serial="T2")


def test_a_mistaken_entry_is_withdrawn_and_no_past_moment_has_it() -> None:
    device, _ = counted()
    person = f.user()
    part = tube(device, ago(20))
    components.remove(component=part, actor=person, reason="wrong machine", at=ago(10))
    assert state_at(device, ago(5))["components"] == {}
    components.correct(component=part, actor=person, reason="it was the other machine")
    assert list(state_at(device, ago(5))["components"]) == [str(part.pk)]
    assert used(part) is None
    part.refresh_from_db()
    components.correct(component=part, actor=person, reason="never there")
    assert state_at(device, ago(15))["components"] == {}
    assert selectors.parts(device, at=None, now=timezone.now()) == []
    assert Component.objects.filter(pk=part.pk, void_reason="never there").exists()
    kinds = [e.kind for e in TwinEvent.objects.filter(device=device)]
    assert kinds.count("component_corrected") == 2
    assert rebuild(device=device, repair=False)
    assert AuditEntry.objects.filter(verb="corrected").count() == 2
    with pytest.raises(ConflictError) as caught:
        components.correct(component=part, actor=person, reason="again")
    assert caught.value.code == "already_withdrawn"


def test_a_removal_can_not_be_withdrawn_once_the_place_is_taken() -> None:
    device, _ = counted()
    first = tube(device, ago(20))
    components.replace(
        component=first, part=Part(serial="T2"), actor=None, reason="arcing", at=ago(10)
    )
    with pytest.raises(ConflictError) as caught:
        components.correct(component=first, actor=f.user(), reason="no")
    assert caught.value.code == "place_taken"


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"kind": "wheel"}, "unknown_kind"),
        ({"at": timezone.now() + timedelta(days=1)}, "in_future"),
        ({"counters": {"kvp": 1}}, "unknown_counter"),
        ({"counters": {"tube_exposures": float("nan")}}, "not_a_number"),
        ({"serial": "x" * 65}, "serial_too_long"),
    ],
)
def test_what_can_not_be(fields: dict[str, Any], code: str) -> None:
    device, _ = counted()
    with pytest.raises(InvalidInputError) as caught:
        tube(device, **fields)
    assert caught.value.code == code
    assert not Component.objects.exists()


def test_taken_out_before_it_was_put_in_and_twice() -> None:
    part = tube(counted()[0], ago(5))
    with pytest.raises(InvalidInputError):
        components.remove(component=part, actor=None, reason="x", at=ago(6))
    components.remove(component=part, actor=None, reason="x")
    with pytest.raises(ConflictError) as caught:
        components.remove(component=part, actor=None, reason="x")
    assert caught.value.code == "not_in_place"


def test_a_retired_machine_keeps_its_parts() -> None:
    device, _ = counted()
    part = tube(device)
    registry.set_lifecycle(device=device, lifecycle="retired", actor=None)
    with pytest.raises(ConflictError):
        components.remove(component=part, actor=None, reason="x")


@pytest.fixture
def engineer() -> User:
    return f.user()


@pytest.fixture
def browser(engineer: User) -> Client:
    client = Client()
    client.force_login(engineer)
    return client


def test_pages(browser: Client) -> None:
    device, metric = counted()
    f.reading(device, metric, 10, ago(3))
    home = f"/devices/{device.pk}/"
    assert "No part is noted" in browser.get(f"{home}sections/").content.decode()
    answer = browser.post(
        f"{home}components/new/",
        {"kind": "tube", "serial": "<b>T1</b>", "udi": "(01)00844588003288", "at": ""},
    )
    assert answer.status_code == 302
    part = Component.objects.get()
    assert part.udi_di == "00844588003288"
    f.reading(device, metric, 14, timezone.now() + timedelta(seconds=1))
    text = browser.get(f"{home}sections/").content.decode()
    assert "&lt;b&gt;T1&lt;/b&gt;" in text
    wrong = browser.post(f"{home}components/{part.pk}/replace/", {"udi": "(01)1", "reason": "x"})
    assert wrong.status_code == 400
    assert "must fit the others" in wrong.content.decode()
    done = browser.post(
        f"{home}components/{part.pk}/replace/", {"serial": "T2", "reason": "arcing"}
    )
    assert done.status_code == 302
    new = Component.objects.get(serial="T2")
    assert browser.post(f"{home}components/{new.pk}/remove/", {"reason": ""}).status_code == 400
    browser.post(f"{home}components/{new.pk}/remove/", {"reason": "lent out"})
    text = browser.get(f"{home}sections/").content.decode()
    assert "lent out" in text
    assert "It was never taken out" in text
    browser.post(f"{home}components/{new.pk}/correct/", {"reason": "it stayed"})
    new.refresh_from_db()
    assert new.removed_at is None
    text = browser.get(home).content.decode()
    assert "wasn&#x27;t taken out: it stayed" in text


def test_rest(browser: Client) -> None:
    device, metric = counted()
    f.reading(device, metric, 10, ago(20))
    f.reading(device, metric, 15, ago(1))
    base = f"/api/v1/devices/{device.pk}/components/"

    def post(path: str, body: dict[str, Any], status: int) -> Any:
        answer = browser.post(base + path, body, content_type="application/json")
        assert answer.status_code == status, answer.content
        return answer.json()

    made = post("", {"kind": "tube", "serial": "T1", "at": ago(10).isoformat()}, 201)
    assert made["counters"] == [
        {
            "metric": "tube_exposures",
            "unit": "1",
            "since_installation": 5.0,
            "until": made["counters"][0]["until"],
        }
    ]
    assert post("", {"kind": "tube", "serial": "T2"}, 409)["code"] == "place_taken"
    assert post("", {"kind": "wheel"}, 400)
    new = post(f"{made['id']}/replace/", {"serial": "T2", "reason": "old"}, 201)
    assert [p["live"] for p in browser.get(base).json()] == [True, False]
    then = browser.get(base, {"at": ago(5).isoformat()}).json()
    assert [(p["serial"], p["live"]) for p in then] == [("T1", True)]
    assert post(f"{new['id']}/remove/", {"reason": "out"}, 200)["live"] is False
    assert len(post(f"{new['id']}/correct/", {"reason": "not out"}, 200)) == 2
    assert post("999999/correct/", {"reason": "x"}, 404)["code"] == "component_not_found"
