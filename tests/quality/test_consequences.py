"""A failed session: an alert, a mark since the last good one; a good one ends both."""

from __future__ import annotations

from datetime import datetime
from itertools import pairwise
from typing import Any

import pytest
from django.utils import timezone

from devices.models import Alert, AlertState, DegradedSpan, Device
from devices.models.maintenance import Evidence
from devices.services import alerts, closed_loop, degraded, orders
from devices.services.evaluation import evaluate_rules
from quality.models import Protocol, QAMark
from tests.devices import factories as f
from tests.quality import rows

pytestmark = pytest.mark.django_db


def marks(device: Device) -> list[tuple[datetime, datetime | None]]:
    found = DegradedSpan.objects.filter(device=device, withdrawn_at=None).order_by("since")
    return list(found.values_list("since", "until"))


def alert_of(protocol: Protocol) -> Alert:
    return Alert.objects.get(rule=protocol.rule)


@pytest.fixture
def device() -> Device:
    return rows.machine()


@pytest.fixture
def protocol(device: Device) -> Protocol:
    return rows.protocol(device)


def test_a_failure_alerts_and_marks_since_the_last_good_session(
    device: Device, protocol: Protocol
) -> None:
    rows.signed(protocol, device, 60)
    good = rows.signed(protocol, device, 30)
    assert not Alert.objects.exists()
    bad = rows.signed(protocol, device, 1, kv=76)
    assert bad.verdict == "action"
    alert = alert_of(protocol)
    assert (alert.state, alert.severity, alert.since) == ("open", "act", bad.performed_at)
    assert "Tube voltage" in alert.message
    assert marks(device) == [(good.performed_at, None)]
    span = DegradedSpan.objects.get()
    assert span.alert == alert
    assert f"QA-{good.pk}" in span.reason
    # the worker that judges rules has nothing to say of it
    evaluate_rules(device=device, now=timezone.now())
    assert alert_of(protocol).state == AlertState.OPEN


def test_without_any_good_session_it_is_since_registration_or_the_first_reading(
    device: Device, protocol: Protocol
) -> None:
    rows.signed(protocol, device, 1, kv=76)
    assert marks(device) == [(device.registered_at, None)]
    assert "registration" in DegradedSpan.objects.get().reason
    other = f.device(protocol.device_model)
    noise = f.metric(other.model)
    first = rows.ago(500)
    f.reading(other, noise, 1.0, first)
    rows.signed(protocol, other, 1, kv=76)
    assert marks(other) == [(first, None)]
    assert "first reading" in DegradedSpan.objects.get(device=other).reason


def test_beyond_tolerance_is_a_warning_and_no_failure(device: Device, protocol: Protocol) -> None:
    warned = rows.signed(protocol, device, 1, kv=73)
    assert warned.verdict == "tolerance"
    assert not Alert.objects.exists()
    assert marks(device) == []


def test_a_passed_session_ends_the_mark_and_the_alert(device: Device, protocol: Protocol) -> None:
    good = rows.signed(protocol, device, 30)
    rows.signed(protocol, device, 10, kv=76)
    repaired = rows.signed(protocol, device, 1)
    assert marks(device) == [(good.performed_at, repaired.performed_at)]
    assert f"QA-{repaired.pk}" in DegradedSpan.objects.get().end_reason
    alert = alert_of(protocol)
    assert (alert.state, alert.resolve_reason) == ("resolved", "repaired")


def test_failing_twice_is_one_alert_and_one_mark(device: Device, protocol: Protocol) -> None:
    good = rows.signed(protocol, device, 30)
    rows.signed(protocol, device, 10, kv=76)
    again = rows.signed(protocol, device, 5, kv=77)
    assert marks(device) == [(good.performed_at, None)]
    assert f"QA-{again.pk}" in alert_of(protocol).message


def test_failing_again_within_a_day_of_the_repair_reopens(
    device: Device, protocol: Protocol
) -> None:
    rows.signed(protocol, device, 10, kv=76)
    rows.signed(protocol, device, 1)
    assert alert_of(protocol).state == AlertState.RESOLVED
    rows.signed(protocol, device, 0.5, kv=76)
    alert = alert_of(protocol)
    assert (alert.state, alert.recurrences) == ("open", 1)
    assert len(marks(device)) == 2


def test_a_failure_entered_late_marks_the_past_alone(device: Device, protocol: Protocol) -> None:
    first = rows.signed(protocol, device, 90)
    last = rows.signed(protocol, device, 10)
    rows.signed(protocol, device, 40, kv=76)  # forgotten paper
    assert marks(device) == [(first.performed_at, last.performed_at)]
    assert not Alert.objects.exists()


def test_a_good_session_entered_late_shortens_the_mark(device: Device, protocol: Protocol) -> None:
    rows.signed(protocol, device, 90)
    rows.signed(protocol, device, 10, kv=76)
    late = rows.signed(protocol, device, 30)
    assert marks(device) == [(late.performed_at, None)]
    assert DegradedSpan.objects.exclude(withdrawn_at=None).count() == 1
    assert alert_of(protocol).state == AlertState.OPEN


def test_correcting_the_failure_takes_all_back(device: Device, protocol: Protocol) -> None:
    rows.signed(protocol, device, 30)
    wrong = rows.signed(protocol, device, 1, kv=770)
    rows.corrected(wrong, kv=70)
    assert marks(device) == []
    alert = alert_of(protocol)
    assert (alert.state, alert.resolve_reason) == ("resolved", "false_alarm")
    assert not QAMark.objects.exists()


def test_correcting_a_pass_into_a_failure_brings_it(device: Device, protocol: Protocol) -> None:
    good = rows.signed(protocol, device, 30)
    wrong = rows.signed(protocol, device, 1)
    rows.corrected(wrong, kv=77)
    assert marks(device) == [(good.performed_at, None)]
    assert alert_of(protocol).state == AlertState.OPEN


def test_correcting_the_last_good_one_moves_the_beginning(
    device: Device, protocol: Protocol
) -> None:
    first = rows.signed(protocol, device, 60)
    wrong = rows.signed(protocol, device, 30)
    rows.signed(protocol, device, 1, kv=76)
    rows.corrected(wrong, kv=77)
    covered = marks(device)
    assert covered[0][0] == first.performed_at
    assert covered[-1][1] is None
    # without a gap
    assert all(a[1] == b[0] for a, b in pairwise(covered))


def test_what_another_mark_covers_is_not_marked_twice(device: Device, protocol: Protocol) -> None:
    good = rows.signed(protocol, device, 30)
    person = f.user()
    other, _ = degraded.mark(device=device, since=rows.ago(20), reason="stripes", actor=person)
    rows.signed(protocol, device, 10, kv=76)
    assert marks(device) == [(good.performed_at, other.since), (other.since, None)]
    # and when the person ends that one, the failing machine doesn't look good
    until = rows.ago(5)
    degraded.end(span=other, until=until, reason="cable", actor=person)
    assert marks(device)[-1] == (until, None)
    last = rows.signed(protocol, device, 1)
    assert marks(device)[-1] == (until, last.performed_at)


def test_two_failing_protocols_hand_the_mark_over(device: Device, protocol: Protocol) -> None:
    second = rows.protocol(device, name="Dose")
    good = rows.signed(protocol, device, 30)
    rows.signed(second, device, 25)
    rows.signed(protocol, device, 10, kv=76)
    rows.signed(second, device, 9, kv=76)
    assert marks(device) == [(good.performed_at, None)]
    assert Alert.objects.exclude(state="resolved").count() == 2
    ended = rows.signed(protocol, device, 2)
    assert marks(device) == [
        (good.performed_at, ended.performed_at), (ended.performed_at, None)
    ]  # fmt: skip
    rows.signed(second, device, 1)
    assert all(until for _, until in marks(device))


def test_what_a_person_ended_stays_ended_until_the_next_failure(
    device: Device, protocol: Protocol
) -> None:
    rows.signed(protocol, device, 30)
    rows.signed(protocol, device, 10, kv=76)
    span = DegradedSpan.objects.get()
    until = rows.ago(5)
    degraded.end(span=span, until=until, reason="not of the pictures", actor=f.user())
    rows.signed(protocol, device, 20)  # late, says nothing new
    assert all(end for _, end in marks(device))
    rows.signed(protocol, device, 2, kv=77)
    assert marks(device)[-1] == (until, None)


def test_an_order_that_waits_gets_its_evidence(device: Device, protocol: Protocol) -> None:
    rows.signed(protocol, device, 10, kv=76)
    worker = f.user()
    order = orders.create_from_alert(actor=worker, alert=alert_of(protocol))
    order = orders.start(order=order, actor=worker)
    order = orders.complete(order=order, actor=worker, signature="W")
    assert order.evidence == Evidence.WAITING
    rows.signed(protocol, device, 0)
    order.refresh_from_db()
    assert order.evidence == Evidence.SHOWN
    assert "Monthly constancy" in order.evidence_text
    assert alert_of(protocol).state == AlertState.RESOLVED


def test_a_pass_measured_before_the_work_was_signed_lets_the_order_go(
    device: Device, protocol: Protocol
) -> None:
    rows.signed(protocol, device, 10, kv=76)
    worker = f.user()
    order = orders.create_from_alert(actor=worker, alert=alert_of(protocol))
    order = orders.start(order=order, actor=worker)
    rows.signed(protocol, device, 0)
    order = orders.complete(order=order, actor=worker, signature="W")
    assert order.evidence == Evidence.NONE


def test_another_protocols_pass_is_no_evidence(device: Device, protocol: Protocol) -> None:
    rows.signed(protocol, device, 10, kv=76)
    worker = f.user()
    order = orders.create_from_alert(actor=worker, alert=alert_of(protocol))
    order = orders.start(order=order, actor=worker)
    orders.complete(order=order, actor=worker, signature="W")
    rows.signed(rows.protocol(device, name="Other"), device, 0)
    order.refresh_from_db()
    assert order.evidence == Evidence.WAITING


def test_a_good_test_is_evidence_for_its_metric(device: Device) -> None:
    noise = f.metric(device.model)
    f.rule(noise)
    tests: list[dict[str, Any]] = [{**rows.TESTS[0], "metric": "noise"}]
    protocol = rows.protocol(device, tests=tests)
    f.reading(device, noise, 11, rows.ago(0.1))
    evaluate_rules(device=device, now=timezone.now())
    worker = f.user()
    order = orders.create_from_alert(actor=worker, alert=Alert.objects.get())
    order = orders.start(order=order, actor=worker)
    orders.complete(order=order, actor=worker, signature="W")
    rows.signed(protocol, device, 0)
    order.refresh_from_db()
    assert order.evidence == Evidence.SHOWN


def test_a_person_may_resolve_the_alert_and_it_stays_so(device: Device, protocol: Protocol) -> None:
    rows.signed(protocol, device, 10, kv=76)
    alerts.resolve(alert=alert_of(protocol), actor=f.user(), reason="other")
    rows.signed(protocol, device, 20, kv=76)  # entered late: the present is as before
    assert alert_of(protocol).state == AlertState.RESOLVED


def test_the_loop_leaves_the_alert_alone(device: Device, protocol: Protocol) -> None:
    """No verdict of the worker is none: what waits for a session waits."""
    rows.signed(protocol, device, 10, kv=76)
    worker = f.user()
    order = orders.create_from_alert(actor=worker, alert=alert_of(protocol))
    order = orders.start(order=order, actor=worker)
    orders.complete(order=order, actor=worker, signature="W")
    closed_loop.look(device_id=device.pk, verdicts=[], now=timezone.now())
    order.refresh_from_db()
    assert order.state == "done"
