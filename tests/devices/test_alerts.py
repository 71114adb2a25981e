"""One alert per machine and rule, opened by the worker, worked by people, never rung twice."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import AuditEntry
from devices import tasks
from devices.models import Alert, Device, Metric
from devices.services import alerts, evaluation, wake
from devices.services.evaluation import evaluate_rules
from tests.devices import factories as f
from tests.devices.test_events import in_threads
from twinhealth.errors import ConflictError, InvalidInputError, NotFoundError

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


def verbs(alert: Alert) -> list[str]:
    return list(alert.notes.values_list("verb", flat=True))


class Bench:
    """A machine with one rule, fed minute by minute."""

    def __init__(self, **rule: Any) -> None:
        self.device, self.noise, self.rule = f.watched_device(**rule)
        # people act at the real time, so readings must lie around it
        self.now: datetime = timezone.now() - timedelta(hours=3)

    def feed(self, *values: float, step: timedelta = timedelta(minutes=1)) -> None:
        for value in values:
            self.now += step
            f.reading(self.device, self.noise, value, self.now)
            evaluate_rules(device=self.device, now=self.now)

    def catch_up(self) -> None:
        self.now = timezone.now() + timedelta(seconds=1)

    @property
    def alert(self) -> Alert:
        return Alert.objects.get(device=self.device)


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_opens_with_what_the_check_says(bench: Bench) -> None:
    bench.feed(5, 11)
    alert = bench.alert
    assert (alert.state, alert.severity, alert.value) == ("open", "act", 11)
    assert alert.message == "noise act: 11, allowed at most 10"
    assert alert.since == alert.opened_at == alert.last_seen_at == bench.now
    assert verbs(alert) == ["opened"]
    event = bench.device.events.last()
    assert event is not None
    assert (event.kind, event.payload["alert_id"]) == ("alert_opened", alert.pk)
    assert str(alert.pk) in bench.device.twin.state["open_alerts"]


def test_more_of_the_same_refreshes_it(bench: Bench) -> None:
    bench.feed(11, 12, 13)
    alert = bench.alert
    assert (alert.value, alert.last_seen_at) == (13, bench.now)
    assert alert.since == bench.now - f.minutes(2)
    assert verbs(alert) == ["opened"]


def test_silence_changes_nothing(bench: Bench) -> None:
    bench.feed(11)
    evaluate_rules(device=bench.device, now=bench.now + timedelta(days=30))
    assert (bench.alert.state, bench.alert.cleared_at) == ("open", None)


def test_clears_beyond_the_hysteresis_and_returns_as_the_same_alert() -> None:
    bench = Bench(hysteresis=2.0)
    bench.feed(11, 9)
    assert bench.alert.cleared_at is None
    bench.feed(7)
    assert (bench.alert.state, bench.alert.cleared_at) == ("open", bench.now)
    bench.feed(6)
    assert bench.alert.cleared_at == bench.now - f.minutes(1)
    bench.feed(12)
    alert = bench.alert
    assert (alert.cleared_at, alert.recurrences, alert.since) == (None, 1, bench.now)
    assert verbs(alert) == ["opened", "cleared", "returned"]
    # as of when the rules were looked at, not of when the row was written
    assert list(alert.notes.values_list("at", flat=True)) == [
        alert.opened_at,
        bench.now - f.minutes(2),
        bench.now,
    ]


def test_a_rule_made_severer_worsens_its_alert() -> None:
    bench = Bench(severity="watch")
    bench.feed(11)
    bench.rule.severity = "act"
    bench.rule.save()
    bench.feed(11)
    assert bench.alert.severity == "act"
    assert verbs(bench.alert) == ["opened", "worsened"]


def test_the_same_evidence_does_not_ring_twice_but_new_evidence_does(bench: Bench) -> None:
    bench.feed(11)
    person = f.user()
    alerts.resolve(alert=bench.alert, actor=person, reason="repaired")
    bench.catch_up()
    evaluate_rules(device=bench.device, now=bench.now)
    assert bench.alert.state == "resolved"
    bench.feed(12)
    alert = bench.alert
    assert (alert.state, alert.recurrences, alert.resolved_at) == ("open", 1, None)
    assert (alert.resolve_reason, alert.acknowledged_by, alert.value) == ("", None, 12)
    assert verbs(alert) == ["opened", "resolved", "reopened"]
    kinds = list(bench.device.events.values_list("kind", flat=True))
    assert kinds == ["registered", "alert_opened", "alert_resolved", "alert_opened"]


def test_a_day_later_it_is_a_new_alert(bench: Bench) -> None:
    bench.feed(11)
    first = alerts.resolve(alert=bench.alert, actor=f.user(), reason="repaired")
    bench.catch_up()
    bench.feed(5)
    bench.now += timedelta(hours=25)
    bench.feed(11)
    assert Alert.objects.filter(device=bench.device).count() == 2
    assert Alert.objects.exclude(pk=first.pk).get().recurrences == 0


def test_the_database_holds_one_unresolved_per_rule(bench: Bench) -> None:
    bench.feed(11)
    copy = bench.alert
    copy.pk = None
    with pytest.raises(IntegrityError), transaction.atomic():
        copy.save()


def test_losing_the_race_at_the_database_is_harmless(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.feed(11)
    monkeypatch.setattr(alerts.Alert.objects, "filter", lambda **_: Alert.objects.none())
    evaluate_rules(device=bench.device, now=bench.now)
    monkeypatch.undo()
    assert verbs(bench.alert) == ["opened"]


@pytest.mark.django_db(transaction=True)
def test_eight_racing_workers_open_exactly_one() -> None:
    device, noise, _ = f.watched_device()
    f.reading(device, noise, 11, f.NOW)
    errors = in_threads(8, lambda _i: evaluate_rules(device=device, now=f.NOW))
    assert errors == []
    alert = Alert.objects.get()
    assert verbs(alert) == ["opened"]
    assert device.events.filter(kind="alert_opened").count() == 1


@pytest.mark.django_db(transaction=True)
def test_racing_people_resolve_once() -> None:
    bench = Bench()
    bench.feed(11)
    alert, person = bench.alert, f.user()

    def work(number: int) -> None:
        if number % 2:
            evaluate_rules(device=bench.device, now=bench.now)
        else:
            alerts.resolve(alert=alert, actor=person, reason="repaired")

    errors = in_threads(6, work)
    assert [type(e) for e in errors] == [ConflictError, ConflictError]
    assert verbs(alert).count("resolved") == 1


def test_the_beat_task_judges_all_but_retired_machines() -> None:
    for retired in (False, True):
        device, noise, _ = f.watched_device()
        f.reading(device, noise, 11, timezone.now())
        if retired:
            Device.objects.filter(pk=device.pk).update(lifecycle="retired")
            wake.ask(device_ids=[device.pk], now=timezone.now())
            tasks.judge_waiting_task()
    assert Alert.objects.count() == 0
    tasks.evaluate_all_rules_task()
    assert Alert.objects.count() == 1


def test_one_machine_that_cannot_be_judged_does_not_silence_the_rest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    broken, healthy = Bench(), Bench()
    f.reading(healthy.device, healthy.noise, 11, healthy.now)
    real = evaluation.watched

    def watched(devices: list[Device], at: datetime) -> Any:
        if devices[0].pk == broken.device.pk:
            raise RuntimeError
        return real(devices, at)

    monkeypatch.setattr(evaluation, "watched", watched)
    evaluation.evaluate_fleet(now=healthy.now)
    assert healthy.alert.state == "open"


def test_people_work_it(bench: Bench) -> None:
    bench.feed(11)
    person, colleague = f.user(), f.user("admin")
    alert = alerts.acknowledge(alert=bench.alert, actor=person)
    assert (alert.state, alert.acknowledged_by) == ("acknowledged", person)
    until = timezone.now() + HOUR
    assert alerts.snooze(alert=alert, actor=person, until=until).snoozed_until == until
    assert alerts.assign(alert=alert, actor=person, assignee=colleague).assigned_to == colleague
    assert alerts.assign(alert=alert, actor=person, assignee=None).assigned_to is None
    alerts.comment(alert=alert, actor=person, text=" tube is hot ")
    alert = alerts.resolve(alert=alert, actor=person, reason="repaired", text="new fan")
    assert (alert.state, alert.resolve_reason, alert.snoozed_until) == (
        "resolved",
        "repaired",
        None,
    )
    alerts.comment(alert=alert, actor=person, text="afterthought")
    assert verbs(alert) == [
        "opened",
        "acknowledged",
        "snoozed",
        "assigned",
        "assigned",
        "commented",
        "resolved",
        "commented",
    ]
    assert alert.notes.get(verb="resolved").text == "repaired. new fan"
    audited = AuditEntry.objects.filter(object_type="devices.Alert", actor=person)
    assert audited.count() == 7
    assert bench.device.twin.state["open_alerts"] == {}


Step = Callable[[Alert], Any]


def _steps() -> dict[str, Step]:
    person = f.user()
    return {
        "acknowledge": lambda a: alerts.acknowledge(alert=a, actor=person),
        "resolve": lambda a: alerts.resolve(alert=a, actor=person, reason="other"),
        "snooze": lambda a: alerts.snooze(alert=a, actor=person, until=timezone.now() + HOUR),
        "assign": lambda a: alerts.assign(alert=a, actor=person, assignee=person),
    }


@pytest.mark.parametrize("step", ["acknowledge", "resolve", "snooze", "assign"])
def test_a_resolved_alert_is_over(bench: Bench, step: str) -> None:
    bench.feed(11)
    alert = alerts.resolve(alert=bench.alert, actor=f.user(), reason="other")
    with pytest.raises(ConflictError) as error:
        _steps()[step](alert)
    assert error.value.code == "bad_transition"
    assert error.value.extra == {"state": "resolved", "step": step}


def test_acknowledged_twice(bench: Bench) -> None:
    bench.feed(11)
    stale = bench.alert
    alerts.acknowledge(alert=bench.alert, actor=f.user())
    with pytest.raises(ConflictError):
        alerts.acknowledge(alert=stale, actor=f.user())


def test_bad_input(bench: Bench) -> None:
    bench.feed(11)
    alert, person = bench.alert, f.user()
    bad: list[tuple[str, Callable[[], Any]]] = [
        ("unknown_reason", lambda: alerts.resolve(alert=alert, actor=person, reason="magic")),
        (
            "text_too_long",
            lambda: alerts.resolve(alert=alert, actor=person, reason="other", text="x" * 1001),
        ),
        ("text_missing", lambda: alerts.comment(alert=alert, actor=person, text="  ")),
        ("text_too_long", lambda: alerts.comment(alert=alert, actor=person, text="x" * 1001)),
        (
            "bad_snooze",
            lambda: alerts.snooze(alert=alert, actor=person, until=timezone.now() - HOUR),
        ),
        (
            "bad_snooze",
            lambda: alerts.snooze(alert=alert, actor=person, until=timezone.now() + 800 * HOUR),
        ),
        (
            "cannot_assign",
            lambda: alerts.assign(alert=alert, actor=person, assignee=f.user("clinician")),
        ),
    ]
    for code, call in bad:
        with pytest.raises(InvalidInputError) as error:
            call()
        assert error.value.code == code
    assert verbs(alert) == ["opened"]


def test_get() -> None:
    with pytest.raises(NotFoundError):
        alerts.get(10**9)


def test_two_rules_of_one_metric_each_ring() -> None:
    device, noise, _ = f.watched_device()
    metric: Metric = noise
    f.rule(metric, "watch", high=8.0)
    f.reading(device, metric, 9, f.NOW)
    evaluate_rules(device=device, now=f.NOW)
    assert list(Alert.objects.values_list("severity", flat=True)) == ["watch"]
    f.reading(device, metric, 12, f.NOW + f.minutes(1))
    evaluate_rules(device=device, now=f.NOW + f.minutes(1))
    assert sorted(Alert.objects.values_list("severity", flat=True)) == ["act", "watch"]
