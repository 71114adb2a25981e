"""When people are told of an alert, when later, and when with another one."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from devices.models import Alert, AlertGroup
from devices.services import alert_news, alerts, downtimes
from tests.devices.alert_bench import HOUR, Ward, news, subscribe
from tests.devices.maintenance_rows import make_order
from twinhealth.errors import InvalidInputError

pytestmark = pytest.mark.django_db


@pytest.fixture
def ward(db: None) -> Ward:
    subscribe()
    return Ward()


def states(*rows: Alert) -> list[str]:
    return [Alert.objects.get(pk=row.pk).withheld for row in rows]


def test_told_once_on_open_and_not_while_it_goes_on(ward: Ward) -> None:
    alert = ward.feed(ward.machines[0], 11)
    ward.feed(ward.machines[0], 12)
    assert news() == [(alert.pk, "opened")]
    assert (alert.told, alert.withheld, alert.opened_withheld) == (1, "", "")


def test_a_rise_and_a_reopening_are_told(ward: Ward) -> None:
    machine = ward.machines[0]
    alert = ward.feed(machine, 11, "heat")
    alert.rule.severity = "act"
    alert.rule.save()
    ward.feed(machine, 12, "heat")
    alerts.resolve(alert=alert, actor=ward.person, reason="repaired")
    ward.catch_up()
    ward.feed(machine, 13, "heat")
    assert news() == [(alert.pk, "opened"), (alert.pk, "rose"), (alert.pk, "reopened")]


# --- muted and snoozed


def test_maintenance_mutes_and_what_still_fails_is_told_when_it_ends(ward: Ward) -> None:
    failing, mended = ward.machines[:2]
    window: dict[str, Any] = {
        "actor": ward.person, "reason": "service", "planned": True,
        "starts_at": ward.now - HOUR, "ends_at": ward.now + HOUR,
    }  # fmt: skip
    for machine in (failing, mended):
        downtimes.create(device=machine, **window)
    muted, cleared = ward.feed(failing, 11), ward.feed(mended, 11)
    ward.feed(mended, 1)
    assert (muted.state, muted.withheld, muted.opened_withheld) == (
        "open", "maintenance", "maintenance",
    )  # fmt: skip
    assert list(muted.notes.values_list("verb", flat=True)) == ["opened", "muted"]
    assert news() == []
    assert alert_news.release(now=ward.now) == 0
    assert alert_news.release(now=ward.now + 2 * HOUR) == 1
    assert news() == [(muted.pk, "released")]
    assert alert_news.release(now=ward.now + 3 * HOUR) == 0
    assert states(muted, cleared) == ["", "maintenance"]
    # it comes back after the window without having been told of: now it is
    ward.now += 3 * HOUR
    ward.feed(mended, 12)
    alert_news.release(now=ward.now)
    assert news() == [(muted.pk, "released"), (cleared.pk, "released")]


def test_an_order_in_progress_mutes(ward: Ward) -> None:
    make_order("in_progress", device=ward.machines[0], worker=ward.person)
    assert ward.feed(ward.machines[0], 11).withheld == "maintenance"
    assert ward.feed(ward.machines[1], 11).withheld == ""


def test_a_rise_during_maintenance_is_told_after_it(ward: Ward) -> None:
    machine = ward.machines[0]
    alert = ward.feed(machine, 11, "heat")
    down = downtimes.create(actor=ward.person, device=machine, reason="service", starts_at=ward.now)
    alert.rule.severity = "act"
    alert.rule.save()
    ward.feed(machine, 12, "heat")
    assert news() == [(alert.pk, "opened")]
    downtimes.end(downtime=down, actor=ward.person)
    ward.catch_up()
    alert_news.release(now=ward.now)
    assert news() == [(alert.pk, "opened"), (alert.pk, "released")]
    assert states(alert) == [""]


def test_a_snoozed_one_is_told_again_when_the_time_is_over(ward: Ward) -> None:
    alert = ward.feed(ward.machines[0], 11)
    ward.catch_up()
    alerts.snooze(alert=alert, actor=ward.person, until=ward.now + HOUR)
    assert alert_news.release(now=ward.now) == 0
    assert alert_news.release(now=ward.now + 2 * HOUR) == 1
    assert news() == [(alert.pk, "opened"), (alert.pk, "released")]


# --- inhibited


@pytest.mark.parametrize("in_two_steps", [False, True])
def test_act_speaks_for_watch_of_the_same_metric(in_two_steps: bool) -> None:
    subscribe(email=True)
    ward = Ward(watch=8)
    machine = ward.machines[0]
    if in_two_steps:
        ward.feed(machine, 9)
    ward.feed(machine, 11)
    watch = Alert.objects.get(severity="watch")
    act = Alert.objects.get(severity="act")
    # nobody had read of the first step: the second takes its place
    assert news() == [(act.pk, "opened")]
    assert (watch.withheld, act.withheld) == ("inhibited", "")
    # another metric has its own say
    assert ward.feed(machine, 11, "heat").withheld == ""
    # back between the two limits: the watch alert stands on its own
    ward.feed(machine, 9)
    alert_news.release(now=ward.now)
    assert news()[-1] == (watch.pk, "released")


def test_what_was_read_is_not_taken_back() -> None:
    row = subscribe()
    ward = Ward(watch=8)
    watch = ward.feed(ward.machines[0], 9)
    from devices.services import outbox

    outbox.mark_read(user=row.user)
    ward.feed(ward.machines[0], 11)
    assert news()[0] == (watch.pk, "opened")
    assert states(watch) == [""]


# --- incidents


def test_a_power_cut_is_one_incident_and_one_notification(ward: Ward) -> None:
    ward.supply()
    rows = [ward.feed(machine, 11) for machine in ward.machines]
    rows.append(ward.feed(ward.machines[1], 11, "heat"))
    group = AlertGroup.objects.get()
    assert (group.head_id, group.label, group.members.count()) == (rows[0].pk, "Panel 1", 3)
    assert news() == [(rows[0].pk, "opened")]
    assert states(*rows) == ["", "grouped", "grouped", "grouped"]


def test_alone_in_time_or_place_is_no_incident(ward: Ward) -> None:
    ward.supply(*ward.machines[:2])
    first = ward.feed(ward.machines[0], 11)
    elsewhere = ward.feed(ward.machines[2], 11)
    late = ward.feed(ward.machines[1], 11, minutes=30)
    assert AlertGroup.objects.count() == 0
    assert states(first, elsewhere, late) == ["", "", ""]
    assert len(news()) == 3


def test_an_incident_that_becomes_severe_is_told_once_more(ward: Ward) -> None:
    ward.supply()
    a, b, c = ward.machines
    head = ward.feed(a, 11, "heat")
    ward.feed(b, 11, "heat")
    worse = ward.feed(b, 11)
    ward.feed(c, 11)
    assert news() == [(head.pk, "opened"), (worse.pk, "opened")]
    assert AlertGroup.objects.get().severity == "act"


def test_a_muted_alert_silences_nobody(ward: Ward) -> None:
    ward.supply()
    make_order("in_progress", device=ward.machines[0], worker=ward.person)
    muted = ward.feed(ward.machines[0], 11)
    told, grouped = ward.feed(ward.machines[1], 11), ward.feed(ward.machines[2], 11)
    assert states(muted, told, grouped) == ["maintenance", "", "grouped"]
    assert AlertGroup.objects.get().head == told


def test_when_the_head_is_resolved_the_rest_stands_on_its_own(ward: Ward) -> None:
    ward.supply()
    head, failing, cleared = (ward.feed(machine, 11) for machine in ward.machines)
    ward.feed(ward.machines[2], 1)
    with pytest.MonkeyPatch.context() as patch:
        sent: list[bool] = []
        patch.setattr(alerts, "_release_soon", lambda: sent.append(True))
        alerts.resolve(alert=head, actor=ward.person, reason="repaired")
    assert sent == [True]
    assert AlertGroup.objects.get().ended_at is not None
    alert_news.release(now=ward.now)
    assert news() == [(head.pk, "opened"), (failing.pk, "released")]
    assert states(failing, cleared) == ["", "grouped"]


def test_of_a_group_those_at_work_are_not_told_again(ward: Ward) -> None:
    ward.supply()
    head, member = (ward.feed(machine, 11) for machine in ward.machines[:2])
    alerts.acknowledge(alert=member, actor=ward.person)
    alerts.resolve(alert=head, actor=ward.person, reason="repaired")
    assert alert_news.release(now=ward.now) == 0
    assert states(member) == [""]


def test_a_reopened_alert_may_join_a_new_incident(ward: Ward) -> None:
    ward.supply()
    a, b, _ = ward.machines
    head = ward.feed(a, 11)
    member = ward.feed(b, 11)
    for row in (head, member):
        alerts.resolve(alert=row, actor=ward.person, reason="repaired")
    ward.catch_up()
    ward.feed(b, 12)
    ward.feed(a, 12)
    live = AlertGroup.objects.get(ended_at=None)
    assert (live.head_id, list(live.members.all())) == (member.pk, [head])


def test_one_live_incident_per_head(ward: Ward) -> None:
    ward.supply()
    for machine in ward.machines[:2]:
        ward.feed(machine, 11)
    copy = AlertGroup.objects.get()
    copy.pk = None
    with pytest.raises(IntegrityError), transaction.atomic():
        copy.save()


# --- escalation


def test_what_nobody_acknowledges_escalates_once(ward: Ward) -> None:
    act, held = ward.feed(ward.machines[0], 11), ward.feed(ward.machines[1], 11)
    watch = ward.feed(ward.machines[2], 11, "heat")
    alerts.acknowledge(alert=held, actor=ward.person)
    assert alert_news.escalate(now=ward.now + timedelta(minutes=10)) == 0
    assert alert_news.escalate(now=ward.now + HOUR) == 1
    assert alert_news.escalate(now=ward.now + 2 * HOUR) == 0
    assert news()[3:] == [(act.pk, "escalated")]
    assert watch.severity == "watch"
    assert "escalated" in act.notes.values_list("verb", flat=True)


def test_a_cleared_or_grouped_one_does_not_escalate(ward: Ward) -> None:
    ward.supply()
    head, _member = (ward.feed(machine, 11) for machine in ward.machines[:2])
    cleared = ward.feed(ward.machines[2], 11, minutes=60)
    ward.feed(ward.machines[2], 1)
    assert cleared.withheld == ""
    alert_news.escalate(now=ward.now + HOUR)
    assert [pk for pk, what in news() if what == "escalated"] == [head.pk]


def test_one_that_can_not_be_looked_at_stops_no_other(
    ward: Ward, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [ward.feed(machine, 11, minutes=30) for machine in ward.machines[:2]]
    real = alert_news.tell

    def tell(alert: Alert, *args: Any) -> None:
        if alert.pk == rows[0].pk:
            raise RuntimeError
        real(alert, *args)

    monkeypatch.setattr(alert_news, "tell", tell)
    assert alert_news.escalate(now=ward.now + HOUR) == 1
    assert news()[2:] == [(rows[1].pk, "escalated")]


# --- many at once


def test_acknowledging_many(ward: Ward) -> None:
    rows = [ward.feed(machine, 11, minutes=30) for machine in ward.machines]
    alerts.acknowledge(alert=rows[0], actor=ward.person)
    done = alerts.acknowledge_many(alert_ids=[row.pk for row in rows] + [10**9], actor=ward.person)
    assert {row.pk for row in done} == {row.pk for row in rows[1:]}
    for ids, code in (([], "nothing_chosen"), (range(501), "too_many")):
        with pytest.raises(InvalidInputError) as error:
            alerts.acknowledge_many(alert_ids=ids, actor=ward.person)
        assert error.value.code == code
