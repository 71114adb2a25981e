"""Racing workers: the database holds one alert, one journal event and one message each."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest
from django.db import connection

from devices.models import Alert, AlertGroup, AlertNote, Notification, TwinEvent
from devices.services import alerts, outbox
from devices.services.evaluation import evaluate_rules
from tests.devices import factories as f
from tests.devices.alert_bench import Ward, subscribe, webhook
from tests.devices.test_events import in_threads

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(600)]
FLEET = 300


@pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite has one writer at a time")
def test_eight_writers_and_300_machines_give_exactly_300() -> None:
    subscribe(email=True)
    webhook("https://example.org/hook")
    made = f.model()
    noise = f.metric(made)
    f.rule(noise)
    machines = [f.device(made) for _ in range(FLEET)]
    for machine in machines:
        f.reading(machine, noise, 11, f.NOW)

    def work(number: int) -> None:
        mine = machines[:]
        random.Random(number).shuffle(mine)
        for machine in mine:
            evaluate_rules(device=machine, now=f.NOW)

    assert in_threads(8, work) == []
    assert Alert.objects.count() == FLEET
    assert Alert.objects.filter(told=1, withheld="").values("device").distinct().count() == FLEET
    assert TwinEvent.objects.filter(kind="alert_opened").count() == FLEET
    assert AlertNote.objects.filter(verb="opened").count() == FLEET
    for channel in ("in_app", "email", "webhook"):
        assert Notification.objects.filter(channel=channel).count() == FLEET, channel


def test_a_power_cut_in_eight_threads_is_one_incident() -> None:
    subscribe()
    ward = Ward(8)
    ward.supply()
    for machine in ward.machines:
        f.reading(machine, ward.noise, 11, ward.now)
    errors = in_threads(8, lambda i: evaluate_rules(device=ward.machines[i], now=ward.now))
    assert errors == []
    group = AlertGroup.objects.get()
    assert group.members.count() == 7
    assert Notification.objects.get().alert == group.head


def test_resolving_the_head_while_others_join_hides_nobody() -> None:
    from devices.services import alert_news

    subscribe()
    ward = Ward(6)
    ward.supply()
    head = ward.feed(ward.machines[0], 11)
    ward.feed(ward.machines[1], 11)
    for machine in ward.machines[2:]:
        f.reading(machine, ward.noise, 11, ward.now)

    def work(number: int) -> None:
        if number == 0:
            alerts.resolve(alert=head, actor=ward.person, reason="repaired")
        else:
            evaluate_rules(device=ward.machines[number + 1], now=ward.now)

    assert in_threads(5, work) == []
    alert_news.release(now=ward.now + timedelta(seconds=1))
    unresolved = Alert.objects.exclude(state="resolved")
    live = AlertGroup.objects.filter(ended_at=None).values_list("pk", flat=True)
    for alert in unresolved:
        assert alert.withheld == "" or alert.group_id in live


def test_people_who_acknowledge_the_same_alerts() -> None:
    ward = Ward(6)
    rows = [ward.feed(machine, 11) for machine in ward.machines]
    done: list[int] = []

    def work(number: int) -> None:
        ids = [row.pk for row in rows]
        random.Random(number).shuffle(ids)
        done.append(len(alerts.acknowledge_many(alert_ids=ids, actor=ward.person)))

    assert in_threads(4, work) == []
    assert sorted(done) == [0, 0, 0, 6]


def test_of_four_workers_one_delivers(monkeypatch: pytest.MonkeyPatch) -> None:
    from devices.services import channels

    subscribe(in_app=False, email=True)
    ward = Ward(1)
    ward.feed(ward.machines[0], 11)
    row = Notification.objects.get()
    sent: list[int] = []

    def send(notification: Notification, *_: object) -> channels.Result:
        sent.append(notification.pk)
        return channels.Result(channels.Outcome.DELIVERED, None, "")

    monkeypatch.setattr(channels, "send", send)
    assert in_threads(4, lambda _: outbox.deliver(notification_id=row.pk)) == []
    assert sent == [row.pk]
    assert row.attempts.count() == 1
