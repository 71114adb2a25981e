"""Trust where it meets kept rules that lag behind, retired machines, and deleted readings."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.permissions import Role
from detection.models import DetectionRun, RunState, TrustChange
from detection.services.execute import execute_run
from detection.services.trust import refresh_late_trust, refresh_trust
from devices.models import Device, Metric, Reading, RetentionPolicy, RetentionRun, Rule
from devices.services import degraded, registry, rules
from devices.services.evaluation import evaluate_rules
from devices.services.readings import ReadingIn, store_readings
from tests.detection.factories import make_device, make_image, make_run, make_user, make_version
from tests.detection.fakes import FakeDetector, install
from tests.detection.test_trust_changes import film, watched
from tests.devices.factories import reading

pytestmark = pytest.mark.django_db
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def kept() -> tuple[Device, Metric, Rule]:
    """A machine whose only rule is one of a kept kind: the median of three above 10 is *act*."""
    device = make_device()
    metric = Metric.objects.create(
        device_model=device.model, key="dead", label="dead", unit="1", max_age=36_000
    )
    rule = rules.create(
        kind="image_quality", metric=metric, model=None, actor=make_user(Role.ADMIN), reason="try",
        given={"name": "dead", "severity": "act", "high": 10, "params": {"n": 3}},
    )  # fmt: skip
    return device, metric, rule


def late(device: Device, value: float, at: Any) -> None:
    store_readings(device=device, items=[ReadingIn("dead", value, "1", at)], source="rest")


@pytest.mark.parametrize("retired", [False, True])
def test_late_readings_of_a_kept_rule_are_known_within_the_same_look(retired: bool) -> None:
    device, metric, _ = kept()
    now = timezone.now()
    for hours, value in ((9, 1), (8, 1), (7, 1), (2, 1)):
        reading(device, metric, value, now - hours * HOUR)
    evaluate_rules(device=device, now=now)
    run = film(device, now - 3 * HOUR, make_version(), device_trust="full")
    if retired:
        registry.set_lifecycle(device=device, lifecycle="retired", actor=None)
    for hours in (5, 4.5, 4):
        late(device, 30, now - hours * HOUR)
    refresh_late_trust(now=now + timedelta(minutes=1))  # before any worker of the rules
    run.refresh_from_db()
    assert (run.device_trust, run.trust_reasons[0]["rule"]) == ("reduced", "dead")


def test_a_film_is_read_with_what_its_machine_said_a_moment_ago(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    device, metric, _ = kept()
    now = timezone.now()
    reading(device, metric, 1, now - 9 * HOUR)
    evaluate_rules(device=device, now=now)
    for minutes in (40, 30, 20):
        reading(device, metric, 30, now - timedelta(minutes=minutes))
    image = make_image(device=device, device_serial=device.serial, acquired_at=now)
    run = make_run(image, make_version(), RunState.QUEUED)
    install(monkeypatch, FakeDetector())
    execute_run(run_id=run.pk)
    run.refresh_from_db()
    assert run.device_trust == "reduced"


@pytest.mark.parametrize(("value", "before"), [(1.0, "full"), (9.0, "reduced")])
def test_deleted_readings_are_no_reason_to_say_something_else(value: float, before: str) -> None:
    device, engineer = watched(), make_user(Role.ENGINEER)
    now = timezone.now()
    Device.objects.filter(pk=device.pk).update(registered_at=now - 200 * DAY)
    then = now - 100 * DAY
    reading(device, device.model.metrics.get(), value, then - HOUR)
    reading(device, device.model.metrics.get(), 1.0, now - HOUR)
    run = film(device, then, make_version())
    assert refresh_trust(device=device) == 1
    assert level(run) == before
    policy = RetentionPolicy.objects.create(
        number=1, raw_months=2, reason="space", by=make_user(Role.ADMIN), by_name="A", at=now
    )
    RetentionRun.objects.create(
        policy=policy, raw_before=now - 60 * DAY, requested_at=now, requested_by=None
    )
    Reading.objects.filter(measured_at__lt=now - 60 * DAY).delete()
    refresh_trust(device=device)
    assert level(run) == before
    span = degraded.mark(device=device, since=then - DAY, reason="stripes", actor=engineer)[0]
    refresh_trust(device=device)
    run.refresh_from_db()
    rules_named = [reason["rule"] for reason in run.trust_reasons]
    assert run.device_trust == "reduced"
    assert rules_named == (["degraded"] if before == "full" else ["degraded", "noise"])
    degraded.withdraw(span=span, reason="wrong machine", actor=engineer)
    refresh_trust(device=device)
    assert level(run) == before
    assert TrustChange.objects.filter(run=run).last().because == "withdrawn"


def level(run: DetectionRun) -> str:
    return DetectionRun.objects.get(pk=run.pk).device_trust
