"""An alert's order closes the alert only with evidence after the work; else the work begins again."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from rest_framework.test import APIClient

from devices.models import Alert, TwinEvent, WorkOrder
from devices.models.maintenance import Evidence
from devices.selectors import evidence
from devices.services import alerts, closed_loop, orders
from devices.services.evaluation import evaluate_rules
from tests.devices import factories as f
from tests.devices.maintenance_rows import admin
from twinhealth.errors import ConflictError

pytestmark = pytest.mark.django_db


class Loop:
    """A machine whose noise rose, the alert, and its order, done two hours ago."""

    def __init__(self, *, steps: tuple[str, ...] = ("clean",), **rule: Any) -> None:
        self.device, self.noise, self.rule = f.watched_device(**rule)
        self.now = timezone.now() - timedelta(hours=2)
        self.feed(11)
        self.alert = Alert.objects.get()
        self.worker = f.user()
        self.order = orders.create_from_alert(actor=self.worker, alert=self.alert)
        self.order.checklist = [{"step": step, "done": False, "note": ""} for step in steps]
        self.order.save()
        self.done()

    def done(self) -> None:
        if self.order.state != "in_progress":
            self.order = orders.start(order=self.order, actor=self.worker)
        self.order = orders.complete(
            order=self.order, actor=self.worker, signature="W. Orker",
            checklist=[True] * len(self.order.checklist),
        )  # fmt: skip
        assert self.order.completed_at is not None
        # as if it had been done then, so that what is measured next isn't in the future
        back = self.order.completed_at - self.now - timedelta(minutes=1)
        self.now += timedelta(minutes=1)
        self.order.completed_at -= back
        if self.order.evidence_by is not None:
            self.order.evidence_by -= back
        self.order.save()

    def feed(self, *values: float, minutes: float = 1) -> None:
        for value in values:
            self.now += timedelta(minutes=minutes)
            f.reading(self.device, self.noise, value, self.now)
            evaluate_rules(device=self.device, now=self.now)

    def wait(self, **span: float) -> None:
        self.now += timedelta(**span)
        evaluate_rules(device=self.device, now=self.now)

    def read(self) -> tuple[str, str, str]:
        """Alert's state, order's state, and what became of the evidence."""
        self.alert.refresh_from_db()
        self.order.refresh_from_db()
        return self.alert.state, self.order.state, self.order.evidence


def test_done_work_alone_resolves_nothing() -> None:
    loop = Loop()
    assert loop.read() == ("open", "done", "waiting")
    loop.feed(1, 2)
    assert loop.read() == ("open", "done", "waiting")
    waiting = evidence.of_alert(loop.alert, loop.now)
    assert waiting is not None
    assert (waiting.good, waiting.needed) == (2, 3)
    assert waiting.missing == "2 of 3 good readings of Noise since the work was done."


def test_three_good_readings_resolve_it() -> None:
    loop = Loop()
    loop.feed(1, 2, 3)
    assert loop.read() == ("resolved", "done", "shown")
    assert loop.alert.resolve_reason == "repaired"
    assert loop.alert.resolved_by is None
    assert evidence.of_alert(loop.alert, loop.now) is None
    note = loop.alert.notes.filter(verb="resolved").get()
    assert "3 good readings" in note.text
    assert f"WO-{loop.order.pk}" in note.text
    last = loop.order.events.last()
    assert last is not None
    assert "the alert is resolved" in last.note
    assert TwinEvent.objects.filter(kind="alert_resolved").exists()


def test_readings_from_before_the_work_are_no_evidence() -> None:
    device, noise, _ = f.watched_device()
    now = timezone.now()
    f.reading(device, noise, 11, now - timedelta(hours=2))
    evaluate_rules(device=device, now=now - timedelta(hours=2))
    f.readings(device, noise, [(now - timedelta(minutes=n), 1.0) for n in range(10, 60)])
    worker = f.user()
    order = orders.create_from_alert(actor=worker, alert=Alert.objects.get())
    order = orders.start(order=order, actor=worker)
    order = orders.complete(order=order, actor=worker, signature="A")
    evaluate_rules(device=device, now=timezone.now())
    order.refresh_from_db()
    assert order.evidence == Evidence.WAITING


def test_a_reading_within_the_hysteresis_is_not_good() -> None:
    loop = Loop(hysteresis=2.0)
    loop.feed(1, 9, 1, 1)
    assert loop.read() == ("open", "done", "waiting")
    loop.feed(1)
    assert loop.read() == ("resolved", "done", "shown")


def test_how_many_readings_is_a_setting_taken_at_the_completion(settings: Any) -> None:
    settings.ORDER_EVIDENCE_READINGS = 1
    loop = Loop()
    settings.ORDER_EVIDENCE_READINGS = 5
    loop.feed(1)
    assert loop.read() == ("resolved", "done", "shown")


def test_failing_again_sends_the_order_back_with_the_reason() -> None:
    loop = Loop(steps=("clean", "measure"))
    loop.feed(1, 12)
    assert loop.read() == ("open", "in_progress", "failed")
    assert loop.order.signature == ""
    assert [item["done"] for item in loop.order.checklist] == [False, False]
    events = list(loop.order.events.all())
    assert (events[-1].from_state, events[-1].to_state, events[-1].by) == (
        "done", "in_progress", None,
    )  # fmt: skip
    assert "failed again" in events[-1].note
    signed = next(event for event in events if event.to_state == "done")
    assert signed.detail["signature"] == "W. Orker"
    assert [item["done"] for item in signed.detail["checklist"]] == [True, True]
    assert loop.alert.notes.filter(verb="ordered", text__contains="goes back to work").exists()
    # and the work is done once more, this time for good
    loop.done()
    assert loop.read() == ("open", "done", "waiting")
    loop.feed(1, 1, 1)
    assert loop.read() == ("resolved", "done", "shown")


def test_a_failure_that_began_before_the_work_does_not_send_it_back() -> None:
    loop = Loop()
    loop.wait(minutes=5)  # the old reading still stands, no new one came
    assert loop.read() == ("open", "done", "waiting")


def test_no_evidence_in_time_sends_it_back() -> None:
    loop = Loop()
    loop.feed(1)
    loop.wait(hours=71)
    assert loop.read() == ("open", "done", "waiting")
    loop.wait(hours=1)
    assert loop.read() == ("open", "in_progress", "failed")
    assert "No evidence that it held came by" in loop.order.evidence_text


def test_a_verified_order_stays_and_another_follows() -> None:
    loop = Loop()
    loop.order = orders.verify(order=loop.order, actor=admin())
    loop.feed(12)
    assert loop.read() == ("open", "verified", "failed")
    following = WorkOrder.objects.exclude(pk=loop.order.pk).get()
    assert (following.follows, following.alert, following.state) == (
        loop.order, loop.alert, "planned",
    )  # fmt: skip
    assert following.title.startswith("Again: ")
    assert [item["done"] for item in following.checklist] == [False]
    loop.feed(13)
    assert WorkOrder.objects.count() == 2  # once


def test_where_somebody_made_another_order_that_one_goes_on() -> None:
    loop = Loop()
    other = orders.create_from_alert(actor=loop.worker, alert=loop.alert)
    loop.feed(12)
    assert loop.read() == ("open", "done", "failed")
    assert f"WO-{other.pk} goes on" in loop.order.events.last().note  # type: ignore[union-attr]
    assert WorkOrder.objects.filter(state__in=["planned", "in_progress"]).get() == other


def test_an_alert_that_comes_back_within_a_day_reopens_both() -> None:
    loop = Loop()
    loop.feed(1, 1, 1)
    loop.feed(12)
    assert loop.read() == ("open", "in_progress", "failed")
    assert "came back" in loop.order.evidence_text
    assert Alert.objects.count() == 1


def test_a_person_may_resolve_it_and_nothing_is_waited_for() -> None:
    loop = Loop()
    alerts.resolve(alert=loop.alert, actor=loop.worker, reason="adjusted")
    assert loop.read() == ("resolved", "done", "person")
    loop.wait(hours=100)
    assert loop.read()[1] == "done"


def test_an_alert_resolved_before_the_work_ended_asks_for_nothing() -> None:
    loop = Loop()
    loop.feed(12)
    alerts.resolve(alert=loop.alert, actor=loop.worker, reason="repaired")
    loop.order.refresh_from_db()
    loop.done()
    assert loop.read() == ("resolved", "done", "")


def test_a_passed_test_is_evidence_if_it_came_after_the_work() -> None:
    loop = Loop()
    done = loop.order.completed_at
    assert done is not None
    passed: dict[str, Any] = {"device_id": loop.device.pk, "name": "Monthly noise test"}
    assert closed_loop.qa_passed(at=done - timedelta(seconds=1), **passed) == 0
    assert (
        closed_loop.qa_passed(
            at=loop.now + timedelta(seconds=1), metric_ids=[loop.noise.pk + 1], **passed
        )
        == 0
    )
    assert loop.read()[2] == "waiting"
    assert (
        closed_loop.qa_passed(
            at=loop.now + timedelta(seconds=1), metric_ids=[loop.noise.pk], **passed
        )
        == 1
    )
    assert loop.read() == ("resolved", "done", "shown")
    assert closed_loop.qa_passed(at=loop.now + timedelta(seconds=1), **passed) == 0


def test_a_rule_switched_off_says_nothing_so_a_person_must() -> None:
    loop = Loop()
    loop.rule.enabled = False
    loop.rule.save()
    loop.wait(hours=100)
    assert loop.read() == ("open", "done", "waiting")
    waiting = evidence.of_alert(Alert.objects.get(), loop.now)
    assert waiting is not None
    assert "resolve the alert by hand" in waiting.missing


def test_silence_ends_with_readings() -> None:
    device, noise, rule = f.watched_device()
    noise.cadence = 60
    noise.save()
    rule.kind, rule.high, rule.params = "silence", None, {"cadences": 10}
    rule.save()
    now = timezone.now() - timedelta(hours=1)
    f.reading(device, noise, 1, now)
    evaluate_rules(device=device, now=timezone.now() - timedelta(minutes=10))
    worker = f.user()
    order = orders.create_from_alert(actor=worker, alert=Alert.objects.get())
    order = orders.start(order=order, actor=worker)
    order = orders.complete(order=order, actor=worker, signature="A")
    assert order.completed_at is not None
    for n in (1, 2, 3):
        moment = order.completed_at + timedelta(minutes=n)
        f.reading(device, noise, 1, moment)
        evaluate_rules(device=device, now=moment)
        assert (Alert.objects.get().state == "resolved") == (n == 3)


def test_pages_and_rest_say_what_is_missing() -> None:
    loop = Loop()
    loop.feed(1)
    client, api = Client(), APIClient()
    client.force_login(loop.worker)
    api.force_authenticate(loop.worker)
    body = client.get(reverse("devices:alert", args=[loop.alert.pk])).content.decode()
    assert "1 of 3 good readings of Noise" in body
    assert reverse("devices:order", args=[loop.order.pk]) in body
    assert "waiting for evidence" in client.get(reverse("devices:alerts")).content.decode()
    body = client.get(reverse("devices:order", args=[loop.order.pk])).content.decode()
    assert "1 of 3 good readings of Noise" in body
    found = api.get(f"/api/v1/alerts/{loop.alert.pk}/").json()["evidence"]
    assert (found["order"], found["good"], found["needed"]) == (loop.order.pk, 1, 3)
    order = api.get(f"/api/v1/work-orders/{loop.order.pk}/").json()
    assert order["evidence"] == "waiting"
    assert "1 of 3" in order["evidence_missing"]
    loop.feed(1, 1)
    assert api.get(f"/api/v1/alerts/{loop.alert.pk}/").json()["evidence"] is None
    body = client.get(reverse("devices:order", args=[loop.order.pk])).content.decode()
    assert "It held: 3 good readings" in body


def test_nobody_reopens_by_hand() -> None:
    loop = Loop()
    api = APIClient()
    api.force_authenticate(loop.worker)
    assert api.post(f"/api/v1/work-orders/{loop.order.pk}/reopen/").status_code == 404
    assert "reopen" not in api.get(f"/api/v1/work-orders/{loop.order.pk}/").json()["possible"]
    with pytest.raises(ConflictError):
        orders.resume(order=loop.order, actor=loop.worker)
