"""Where alerts meet rules, machines, supplies and time limits: nothing lost, told twice or stuck."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from celery.exceptions import SoftTimeLimitExceeded
from django.db import connection, transaction
from django.utils import timezone

from devices import tasks
from devices.models import (
    Alert,
    AlertGroup,
    DegradedSpan,
    Device,
    Notification,
    Rule,
    RuleChange,
    Supply,
    Wake,
)
from devices.rule_kinds.facts import without_names
from devices.services import (
    alert_groups,
    alert_news,
    alerts,
    degraded,
    downtimes,
    evaluation,
    events,
    outbox,
    registry,
    relations,
    rules,
    wake,
)
from devices.services.evaluation import evaluate_rules
from tests.devices import factories as f
from tests.devices.alert_bench import HOUR, Ward, news, subscribe, webhook

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


@pytest.fixture
def ward(db: None) -> Ward:
    subscribe()
    return Ward()


def again(alert: Alert) -> Alert:
    return Alert.objects.get(pk=alert.pk)


def switch_off(rule: Rule, ward: Ward) -> None:
    rules.switch(rule=rule, enabled=False, actor=ward.person, reason="noisy")


# --- escalation and overlays


def test_an_escalation_that_maintenance_mutes_comes_after_it(ward: Ward) -> None:
    alert = ward.feed(ward.machines[0], 11)
    downtimes.create(
        actor=ward.person, device=ward.machines[0], reason="service",
        starts_at=ward.now + MINUTE, ends_at=ward.now + HOUR,
    )  # fmt: skip
    assert alert_news.escalate(now=ward.now + 40 * MINUTE) == 0
    assert (again(alert).withheld, again(alert).escalated_at) == ("maintenance", None)
    assert alert_news.escalate(now=ward.now + 41 * MINUTE) == 0
    assert alert.notes.filter(verb="muted").count() == 1
    assert alert_news.release(now=ward.now + 61 * MINUTE) == 1
    assert alert_news.escalate(now=ward.now + 80 * MINUTE) == 0  # its time begins anew
    assert alert_news.escalate(now=ward.now + 92 * MINUTE) == 1
    assert news() == [(alert.pk, "opened"), (alert.pk, "released"), (alert.pk, "escalated")]


def test_the_severe_member_of_a_mild_incident_escalates(ward: Ward) -> None:
    ward.supply()
    ward.feed(ward.machines[0], 11, "heat")
    severe, hidden = ward.feed(ward.machines[1], 11), ward.feed(ward.machines[2], 11)
    assert [again(a).withheld for a in (severe, hidden)] == ["", "grouped"]
    assert alert_news.escalate(now=ward.now + 31 * MINUTE) == 1
    assert news()[-1] == (severe.pk, "escalated")
    assert again(severe).withheld == ""


def test_the_severe_member_is_told_again_after_its_snooze(ward: Ward) -> None:
    ward.supply()
    ward.feed(ward.machines[0], 11, "heat")
    severe, hidden = ward.feed(ward.machines[1], 11), ward.feed(ward.machines[2], 11)
    until = timezone.now() + HOUR
    for alert in (severe, hidden):
        alerts.snooze(alert=alert, actor=ward.person, until=until)
    alert_news.release(now=until + MINUTE)
    assert news()[-1] == (severe.pk, "released")
    assert [again(a).withheld for a in (severe, hidden)] == ["", "grouped"]


# --- rules that are off, machines that are gone


def test_of_a_rule_that_is_off_nobody_is_told_and_it_speaks_for_none() -> None:
    subscribe()
    ward = Ward(watch=5)
    machine = ward.machines[0]
    ward.feed(machine, 11)
    act, watch = Alert.objects.order_by("-severity")[1], Alert.objects.get(severity="watch")
    assert (act.severity, watch.withheld) == ("act", "inhibited")
    switch_off(act.rule, ward)
    assert alert_news.escalate(now=ward.now + HOUR) == 0
    assert alert_news.release(now=ward.now + HOUR) == 1
    assert news()[-1] == (watch.pk, "released")


def test_what_is_withheld_of_a_rule_that_is_off_stays_so(ward: Ward) -> None:
    alert = ward.feed(ward.machines[0], 11)
    until = timezone.now() + HOUR
    alerts.snooze(alert=alert, actor=ward.person, until=until)
    switch_off(alert.rule, ward)
    assert alert_news.release(now=until + HOUR) == 0
    rules.switch(rule=alert.rule, enabled=True, actor=ward.person, reason="needed")
    assert alert_news.release(now=until + HOUR) == 1


def test_an_alert_of_a_rule_that_is_off_heads_no_incident(ward: Ward) -> None:
    ward.supply()
    switch_off(ward.feed(ward.machines[0], 11, "heat").rule, ward)
    second = ward.feed(ward.machines[1], 11)
    assert (second.withheld, second.group, AlertGroup.objects.count()) == ("", None, 0)


def test_retiring_ends_the_machines_alerts_with_what_hangs_on_them(ward: Ward) -> None:
    ward.supply()
    head, member = ward.feed(ward.machines[0], 11), ward.feed(ward.machines[1], 11)
    registry.set_lifecycle(
        device=ward.machines[0], lifecycle="retired", actor=ward.person, reason="sold"
    )
    head = again(head)
    assert (head.state, head.resolve_reason, head.resolved_by) == ("resolved", "other", ward.person)
    assert head.notes.last().text == "other. The machine was retired. sold"
    assert alert_news.escalate(now=ward.now + HOUR) == 0
    assert alert_news.release(now=timezone.now()) == 1
    assert news()[-1] == (member.pk, "released")


def test_no_alert_for_a_machine_that_was_retired_meanwhile(ward: Ward) -> None:
    machine = ward.machines[0]  # as a worker has it in its hands
    f.reading(machine, ward.noise, 11, ward.now)
    registry.set_lifecycle(
        device=Device.objects.get(pk=machine.pk), lifecycle="retired", actor=ward.person
    )
    evaluate_rules(device=machine, now=ward.now)
    assert not Alert.objects.exists()


# --- what an alert remembers, and what it marks


def test_a_later_alert_of_a_limit_knows_its_version_too() -> None:
    made = f.model()
    noise, device, person = f.metric(made), f.device(made), f.user()
    rule = rules.create(
        kind="limit", metric=noise, model=None, actor=person, reason="try",
        given={"name": "noise", "severity": "act", "high": 10, "keep_seconds": 0},
    )  # fmt: skip
    now = timezone.now()
    f.reading(device, noise, 11, now)
    evaluate_rules(device=device, now=now)
    alerts.resolve(alert=Alert.objects.get(), actor=person, reason="repaired")
    later = now + 30 * HOUR
    f.reading(device, noise, 12, later)
    evaluate_rules(device=device, now=later)
    assert [a.rule_version for a in Alert.objects.all()] == [rule.current, rule.current]


def test_a_check_that_fails_again_marks_the_machine_again(ward: Ward) -> None:
    Rule.objects.update(marks_degraded=True)
    machine = ward.machines[0]
    Device.objects.filter(pk=machine.pk).update(registered_at=ward.now - HOUR)
    ward.feed(machine, 11)
    ward.feed(machine, 1)
    first = DegradedSpan.objects.get()
    degraded.end(span=first, until=ward.now, reason="looks good", actor=ward.person)
    ward.feed(machine, 12)
    second = DegradedSpan.objects.exclude(pk=first.pk).get()
    assert (second.since, second.until) == (ward.now, None)


# --- who is told what


def test_programs_are_told_no_names_and_people_are() -> None:
    subscribe()
    webhook("https://example.org/hook")
    made, person = f.model(), f.user()
    device, now = f.device(made), timezone.now()
    rules.create(
        kind="config", metric=None, model=made, actor=person, reason="try",
        given={"name": "as wanted", "severity": "watch"},
    )  # fmt: skip
    registry.set_desired_config(device=device, config={"software": "7.2"}, actor=person)
    events.append(
        device=device, kind="config_reported", at=now,
        payload={"config": {"software": "7.1"}, "source": "image:12"},
    )  # fmt: skip
    evaluate_rules(device=device, now=now + HOUR)
    told = dict(Notification.objects.values_list("channel", "text"))
    assert f"wanted by {person.username}: 7.2" in told["in_app"]
    assert told["webhook"] == ("as wanted: software is 7.1 (reported by image 12), wanted: 7.2")
    assert without_names("a is 1, wanted by a.b+c@d-e_f") == "a is 1, wanted"  # cut at the end


@pytest.mark.parametrize("change", [{"is_active": False}, {"role": "clinician"}])
def test_no_email_to_who_may_no_longer_see_alerts(
    ward: Ward, change: dict[str, Any], mailoutbox: list[Any], settings: Any
) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    person = subscribe(email=True).user
    alert = ward.feed(ward.machines[0], 11)
    row = Notification.objects.get(channel="email")
    type(person).objects.filter(pk=person.pk).update(**change)
    assert not outbox.deliver(notification_id=row.pk)
    row.refresh_from_db()
    assert (row.state, row.alert, mailoutbox) == ("dropped", alert, [])


# --- time that isn't enough


def test_machines_for_which_the_time_was_too_short_come_with_the_next_message(
    ward: Ward, monkeypatch: pytest.MonkeyPatch
) -> None:
    for machine in ward.machines:
        f.reading(machine, ward.noise, 11, ward.now)
    monkeypatch.setattr(tasks, "JUDGE_SECONDS", -1.0)
    sent: list[int] = []
    monkeypatch.setattr(tasks.judge_waiting_task, "hint", lambda: sent.append(1), raising=False)
    tasks.evaluate_all_rules_task()
    assert (sent, Wake.objects.count(), Alert.objects.count()) == ([1], 3, 0)
    tasks.judge_waiting_task()
    assert (sent, Wake.objects.count(), Alert.objects.count()) == ([1, 1], 3, 0)
    monkeypatch.setattr(tasks, "JUDGE_SECONDS", 40.0)
    tasks.judge_waiting_task()
    assert (sent, Wake.objects.count(), Alert.objects.count()) == ([1, 1], 0, 3)


def test_the_workers_time_limit_ends_a_round_and_loses_no_machine(
    ward: Ward, monkeypatch: pytest.MonkeyPatch
) -> None:
    for machine in ward.machines:
        f.reading(machine, ward.noise, 11, ward.now)
    honest = evaluation.evaluate_device

    def slow(*, device_id: int, now: Any) -> None:
        if device_id == ward.machines[0].pk:
            raise SoftTimeLimitExceeded
        honest(device_id=device_id, now=now)

    monkeypatch.setattr(evaluation, "evaluate_device", slow)
    wake.ask(device_ids=[m.pk for m in ward.machines], now=ward.now)
    assert wake.sweep(now=ward.now)
    assert not Alert.objects.exists()
    assert not wake.sweep(now=ward.now)
    assert Alert.objects.count() == 2


def test_the_time_limit_ends_a_round_of_releases(
    ward: Ward, monkeypatch: pytest.MonkeyPatch
) -> None:
    ward.feed(ward.machines[0], 11)

    def slow(*args: Any) -> bool:
        raise SoftTimeLimitExceeded

    monkeypatch.setattr(alert_news, "_escalate_one", slow)
    with pytest.raises(SoftTimeLimitExceeded):
        alert_news.escalate(now=ward.now + HOUR)


# --- locks


def in_thread(work: Callable[[], object]) -> tuple[threading.Thread, list[BaseException]]:
    errors: list[BaseException] = []

    def run() -> None:
        try:
            with transaction.atomic():
                work()
        except BaseException as error:  # noqa: BLE001 - handed to the test
            errors.append(error)
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    return thread, errors


@pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite has one writer at a time")
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("act", ["spoke", "end", "delete"])
def test_a_supply_is_locked_before_its_incidents(act: str) -> None:
    ward = Ward(2)
    supply = ward.supply()
    head = ward.feed(ward.machines[0], 11)
    ward.feed(ward.machines[1], 11)
    work = {
        "spoke": lambda: alert_groups.spoke(head),
        "end": lambda: alert_groups.end(head, ward.now),
        "delete": lambda: relations.delete_supply(supply=supply, actor=ward.person),
    }[act]
    with transaction.atomic():  # as one does that joins
        Supply.objects.select_for_update().get(pk=supply.pk)
        thread, errors = in_thread(work)
        until = time.monotonic() + 10
        while not waits() and time.monotonic() < until:
            time.sleep(0.01)
        assert waits()
        AlertGroup.objects.select_for_update(of=("self",), nowait=True).get()
    thread.join(timeout=20)
    assert errors == []


def waits() -> bool:
    """Whether another session waits for a lock of this one."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_locks"
            " WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))"
        )
        return bool(cursor.fetchone()[0])


@pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite has one writer at a time")
@pytest.mark.django_db(transaction=True)
def test_a_worker_may_write_of_a_rule_that_is_being_switched() -> None:
    device, _, rule = f.watched_device()

    def work() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL lock_timeout = '3s'")
        RuleChange.objects.create(device=device, rule=rule, at=f.NOW, verdict={})

    with transaction.atomic():
        rules._locked(rule, None)
        thread, errors = in_thread(work)
        thread.join(timeout=20)
    assert errors == []
