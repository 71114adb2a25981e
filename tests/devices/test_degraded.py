"""A machine is marked as degraded, the mark ends or is withdrawn, and nothing of it is erased."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from accounts.models import AuditEntry, User
from devices import journal_words
from devices.models import Alert, DegradedSpan, Device, Rule, TwinEvent, TwinState
from devices.selectors.degraded import marks_at, standing
from devices.selectors.reach import reach
from devices.services import degraded, evaluation, events
from devices.trust import device_trust
from tests.devices.factories import reading, user, watched_device
from twinhealth.errors import ConflictError, DomainError, InvalidInputError

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


@pytest.fixture
def device(db: None) -> Device:
    made, noise, _ = watched_device()
    reading(made, noise, 1.0, timezone.now() - 30 * DAY)
    return made


@pytest.fixture
def engineer(db: None) -> User:
    return user()


def mark(device: Device, by: User, ago: float, until: float | None = None, **more: Any):
    now = timezone.now()
    return degraded.mark(
        device=device,
        since=now - ago * DAY,
        until=None if until is None else now - until * DAY,
        reason=more.pop("reason", "stripes in the detector"),
        actor=by,
        **more,
    )


def test_a_mark_is_in_the_journal_in_the_state_and_in_the_audit(device, engineer) -> None:
    span, made = mark(device, engineer, 2)
    assert made
    assert span.lasts
    event = TwinEvent.objects.get(device=device, kind="degraded")
    said = journal_words.sentence(event.kind, event.payload)
    assert said.startswith("since ")
    assert said.endswith(": stripes in the detector")
    state = TwinState.objects.get(device=device).state
    assert state["degraded"][str(span.pk)]["until"] is None
    assert AuditEntry.objects.filter(verb="degraded", object_id=str(device.pk)).count() == 1
    degraded.end(span=span, reason="detector replaced", actor=engineer)
    state = TwinState.objects.get(device=device).state
    assert state["degraded"][str(span.pk)]["until"] is not None
    degraded.withdraw(span=span, reason="it was the wall stand", actor=engineer)
    assert TwinState.objects.get(device=device).state["degraded"] == {}
    assert events.rebuild(device=device, repair=False)
    kinds = list(TwinEvent.objects.filter(device=device).values_list("kind", flat=True))
    assert kinds[-3:] == ["degraded", "degraded_ended", "degraded_withdrawn"]


def test_what_covers_a_moment(device, engineer) -> None:
    now = timezone.now()
    mark(device, engineer, 9, 7, reason="first")
    second, _ = mark(device, engineer, 3, reason="second")
    mistake, _ = mark(device, engineer, 6, 5, reason="mistake")
    degraded.withdraw(span=mistake, reason="wrong machine", actor=engineer)

    def covering(ago: float) -> list[str]:
        return [m.reason for m in marks_at(standing(device.pk), now - ago * DAY)]

    assert [covering(a) for a in (10, 8, 5.5, 2)] == [[], ["first"], [], ["second"]]
    assert marks_at(standing(device.pk), second.since)  # the first moment is in it
    trust = device_trust(None, ())
    assert trust.level == "unknown"


@pytest.mark.parametrize(
    ("ago", "until", "reason", "code"),
    [
        (-1, None, "x", "in_future"),
        (2, -1, "x", "in_future"),
        (2, 3, "x", "ends_before_start"),
        (2, 2, "x", "ends_before_start"),
        (31, None, "x", "before_known"),
        (365 * 56, None, "x", "before_known"),
        (2, None, "  ", "reason_missing"),
        (2, None, "x" * 301, "reason_too_long"),
        (2, None, "a\0b", "reason_invalid"),
    ],
)
def test_what_is_refused(device, engineer, ago, until, reason, code) -> None:
    now = timezone.now()
    with pytest.raises(InvalidInputError) as caught:
        degraded.mark(
            device=device,
            since=now - ago * DAY,
            until=None if until is None else now - until * DAY,
            reason=reason,
            actor=engineer,
        )
    assert caught.value.code == code
    assert not DegradedSpan.objects.exists()


def test_another_machines_alert_is_refused(device, engineer) -> None:
    other, _, rule = watched_device()
    now = timezone.now()
    alert = Alert.objects.create(
        device=other, rule=rule, severity="act", message="m", since=now, opened_at=now,
        last_seen_at=now, value=1,
    )  # fmt: skip
    with pytest.raises(InvalidInputError, match="another machine"):
        mark(device, engineer, 1, alert=alert)


def test_an_overlap_is_refused_with_a_way_out(device, engineer) -> None:
    span, _ = mark(device, engineer, 3)
    with pytest.raises(ConflictError) as caught:
        mark(device, engineer, 2, reason="other words")
    assert caught.value.code == "degraded_overlap"
    assert caught.value.extra["span"] == span.pk
    assert "until" not in caught.value.extra
    with pytest.raises(ConflictError) as caught:
        mark(device, engineer, 5, reason="it began earlier")
    assert caught.value.extra["until"] == caught.value.extra["since"]
    earlier, made = degraded.mark(
        device=device,
        since=timezone.now() - 5 * DAY,
        until=span.since,
        reason="it began earlier",
        actor=engineer,
    )
    assert made
    assert earlier.until == span.since


def test_the_same_again_makes_nothing_and_a_repeated_step_is_told(device, engineer) -> None:
    since = timezone.now() - DAY
    said = {"device": device, "since": since, "reason": "stripes", "actor": engineer}
    first, made = degraded.mark(**said)
    again, twice = degraded.mark(**said)
    assert (first, made, twice) == (again, True, False)
    assert TwinEvent.objects.filter(device=device, kind="degraded").count() == 1
    degraded.end(span=first, reason="repaired", actor=engineer)
    with pytest.raises(ConflictError) as caught:
        degraded.end(span=first, reason="again", actor=engineer)
    assert caught.value.code == "degraded_ended"
    degraded.withdraw(span=first, reason="mistake", actor=engineer)
    for step in (degraded.end, degraded.withdraw):
        with pytest.raises(ConflictError) as caught:
            step(span=first, reason="again", actor=engineer)
        assert caught.value.code == "degraded_withdrawn"


def test_an_end_lies_in_the_span_and_not_ahead(device, engineer) -> None:
    span, _ = mark(device, engineer, 1)
    for until, code in ((2 * DAY, "ends_before_start"), (-DAY, "in_future")):
        with pytest.raises(DomainError) as caught:
            degraded.end(span=span, reason="x", actor=engineer, until=timezone.now() - until)
        assert caught.value.code == code


def test_a_retired_machine_needs_an_end(device, engineer) -> None:
    Device.objects.filter(pk=device.pk).update(lifecycle="retired")
    with pytest.raises(ConflictError) as caught:
        mark(device, engineer, 3)
    assert caught.value.code == "device_retired"
    assert mark(device, engineer, 3, 2)[1]


def test_the_database_keeps_what_was_said(device, engineer) -> None:
    span, _ = mark(device, engineer, 3)
    for cheat in (
        lambda: DegradedSpan.objects.filter(pk=span.pk).update(reason="nothing"),
        lambda: DegradedSpan.objects.filter(pk=span.pk).update(since=timezone.now()),
        lambda: DegradedSpan.objects.filter(pk=span.pk)._raw_delete("default"),
    ):
        with pytest.raises(Exception, match="only"), transaction.atomic():
            cheat()
    copy = DegradedSpan.objects.get(pk=span.pk)
    copy.pk = None
    with pytest.raises(IntegrityError), transaction.atomic():
        copy.save(force_insert=True)  # two that last
    assert connection.vendor


def test_a_rule_marks_its_machine_since_the_first_reading_outside(device) -> None:
    Rule.objects.update(marks_degraded=True)
    noise = device.model.metrics.get()
    now = timezone.now()
    first = now - timedelta(hours=3)
    for n in range(3):
        reading(device, noise, 99.0, first + n * timedelta(hours=1))
    evaluation.evaluate_rules(device=device, now=now)
    evaluation.evaluate_rules(device=device, now=now)
    alert = Alert.objects.get()
    span = DegradedSpan.objects.get()
    assert (span.source, span.alert, span.by, span.since) == ("alert", alert, None, first)
    assert degraded.mark_by_alert(alert=alert) is None  # it lasts


def test_a_rule_marks_only_what_no_mark_covers(device, engineer) -> None:
    span, _ = mark(device, engineer, 1)
    span = degraded.end(
        span=span, reason="good", actor=engineer, until=timezone.now() - timedelta(hours=1)
    )
    Rule.objects.update(marks_degraded=True)
    noise = device.model.metrics.get()
    reading(device, noise, 99.0, timezone.now() - timedelta(hours=2))
    evaluation.evaluate_rules(device=device, now=timezone.now())
    by_rule = DegradedSpan.objects.get(source="alert")
    assert by_rule.since == span.until


def test_a_rule_that_marks_nothing_marks_nothing(device) -> None:
    reading(device, device.model.metrics.get(), 99.0, timezone.now() - timedelta(hours=1))
    evaluation.evaluate_rules(device=device, now=timezone.now())
    assert Alert.objects.exists()
    assert not DegradedSpan.objects.exists()


def test_how_far_a_late_reading_reaches(device) -> None:
    """To the next reading that clears; else until the newest is too old to say anything."""
    noise = device.model.metrics.get()
    now = timezone.now()
    bad = reading(device, noise, 99.0, now - 20 * DAY)
    late = type(bad).objects.filter(pk=bad.pk)
    ((start, end),) = reach(late)
    assert (start, end) == (bad.measured_at, bad.measured_at + 7 * DAY + timedelta.resolution)
    reading(device, noise, 50.0, now - 15 * DAY)
    ((_, end),) = reach(late)
    assert end == now - 8 * DAY + timedelta.resolution
    reading(device, noise, 2.0, now - 17 * DAY)
    ((_, end),) = reach(late)
    assert end == now - 17 * DAY
    Rule.objects.update(enabled=False)
    assert reach(late) == []
