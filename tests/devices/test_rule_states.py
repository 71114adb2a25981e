"""Kept states give the verdicts that a fold from scratch gives; late readings are folded in."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone

from devices.models import Alert, Device, Metric, ReadingDay, Rule, RuleChange, RuleState
from devices.rule_kinds.fold import evaluate
from devices.rules import Sample
from devices.selectors import health_at, health_many
from devices.selectors import rules as rule_selectors
from devices.services import alerts, events, registry, rule_states, rules
from devices.services.evaluation import evaluate_rules
from devices.services.readings import ReadingIn, record_readings
from tests.devices import factories as f

pytestmark = pytest.mark.django_db
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def make(kind: str, metric: Metric | None, model: Any = None, **given: Any) -> Rule:
    values = {"name": kind, "severity": "watch", **given}
    return rules.create(
        kind=kind, metric=metric, model=model, given=values, actor=f.user(), reason="try"
    )  # fmt: skip


def bench(kind: str, **given: Any) -> tuple[Device, Metric, Rule]:
    made = f.model()
    noise = f.metric(made, unit="Cel", cadence=3600)
    return f.device(made), noise, make(kind, noise, **given)


def store(device: Device, metric: Metric, samples: list[Sample]) -> None:
    f.readings(device, metric, [(s.at, s.value) for s in samples])


def whole(rule: Rule, samples: list[Sample], at: datetime) -> Any:
    return evaluate(rule_selectors.spec_of_rule(rule_selectors.get(rule.pk)), samples, at)


def series(start: datetime, days: float, seed: int = 1, **step: float) -> list[Sample]:
    rng = random.Random(seed)
    found = []
    for hour in range(int(days * 24)):
        jump = step.get("jump", 0.0) if hour >= step.get("at_day", 1e9) * 24 else 0.0
        found.append(Sample(start + hour * HOUR, 30 + rng.gauss(0, 0.3) + jump))
    return found


KINDS: dict[str, dict[str, Any]] = {
    "rate": {"high": 0.1, "keep_seconds": 2 * 86_400, "params": {"window_seconds": 24 * 3600}},
    "drift": {"params": {"baseline_days": 7, "lag_days": 3, "threshold": 4, "slack": 0.5}},
    "anomaly": {"params": {"step_seconds": 0}},
    "image_quality": {"high": 31, "params": {"n": 5}},
    "reject_rate": {"high": 31, "params": {"window_days": 2}},
}  # fmt: skip


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_kept_state_says_what_a_fold_from_scratch_says(kind: str) -> None:
    device, noise, rule = bench(kind, **KINDS[kind])
    start = f.NOW - 20 * DAY
    samples = series(start, 20, jump=3, at_day=16)
    rng = random.Random(kind)
    done, asked = 0, 0
    while done < len(samples):
        batch = samples[done : done + rng.choice([1, 5, 40])]
        done += len(batch)
        store(device, noise, batch)
        now = batch[-1].at
        evaluate_rules(device=device, now=now)
        (kept,) = health_at(device, now).checks
        fresh = whole(rule, samples[:done], now)
        assert (kept.state, kept.since, kept.n) == (fresh.state, fresh.since, fresh.n)
        assert kept.value == pytest.approx(fresh.value)
        asked += kept.state == "watch"
    assert asked, "the jump was never found, so nothing was compared"
    # a look into the past is told what was known then
    for at in (start + 5 * DAY, start + 17.5 * DAY, f.NOW - HOUR):
        (past,) = health_at(device, at).checks
        assert past.state == whole(rule, [s for s in samples if s.at <= at], at).state


def test_a_late_reading_is_folded_in_and_an_unseen_rule_catches_up() -> None:
    device, noise, rule = bench("image_quality", high=10, params={"n": 3})
    now = timezone.now()
    for hour, value in ((9, 1), (8, 1), (1, 20)):
        store(device, noise, [Sample(now - hour * HOUR, value)])
    evaluate_rules(device=device, now=now)
    assert health_at(device, now).state == "ok"
    late = [ReadingIn("noise", 20, "Cel", now - 5 * HOUR)]
    record_readings(device=device, items=late, source="rest")
    assert RuleState.objects.get().late_from == now - 5 * HOUR
    evaluate_rules(device=device, now=now)
    assert health_at(device, now).checks[0].value == 20
    assert RuleState.objects.get().late_from is None
    assert Alert.objects.get().rule_version == rule.current


def test_a_changed_rule_judges_anew() -> None:
    device, noise, rule = bench("image_quality", high=10, params={"n": 3})
    store(device, noise, [Sample(f.NOW - i * HOUR, 8) for i in range(5)])
    evaluate_rules(device=device, now=f.NOW)
    assert health_at(device, f.NOW).state == "ok"
    given = {name: getattr(rule, name) for name in rules.VALUES}
    rules.change(rule=rule, given={**given, "high": 7}, actor=f.user(), reason="x")
    evaluate_rules(device=device, now=f.NOW)
    assert health_at(device, f.NOW).state == "watch"
    assert health_at(device, f.NOW - HOUR).state == "watch"


def test_nothing_new_writes_nothing_and_reads_little(django_assert_num_queries: Any) -> None:
    device, noise, _ = bench("drift")
    store(device, noise, series(f.NOW - 60 * DAY, 60))
    evaluate_rules(device=device, now=f.NOW)
    before = RuleState.objects.get()
    with django_assert_num_queries(3):
        rule_states.refresh(device=device, now=f.NOW + HOUR)
    assert RuleState.objects.get().state == before.state
    assert RuleChange.objects.count() == 1


def test_a_machine_that_never_sent_it_is_not_written_again_and_again() -> None:
    device, noise, _ = bench("image_quality", high=10, params={"n": 1})
    evaluate_rules(device=device, now=f.NOW)
    before = RuleState.objects.get().pk
    evaluate_rules(device=device, now=f.NOW + HOUR)
    assert RuleState.objects.get().pk == before
    store(device, noise, [Sample(f.NOW, 20)])
    evaluate_rules(device=device, now=f.NOW + 2 * HOUR)
    assert health_at(device, f.NOW + 2 * HOUR).state == "watch"


def test_drift_from_days_and_from_readings_agree() -> None:
    device, noise, rule = bench("drift")
    samples = series(f.NOW - 70 * DAY, 70, jump=1, at_day=60)
    store(device, noise, samples)
    evaluate_rules(device=device, now=f.NOW)
    (kept,) = health_at(device, f.NOW).checks
    fresh = whole(rule, samples, f.NOW)
    assert kept.state == fresh.state == "watch"
    assert (kept.value, kept.baseline) == (
        pytest.approx(fresh.value),
        pytest.approx(fresh.baseline),
    )


def test_a_repair_is_not_rung_out_by_the_days_before_it() -> None:
    device, noise, _ = bench("drift")
    store(device, noise, series(f.NOW - 70 * DAY, 70, jump=2, at_day=60))
    evaluate_rules(device=device, now=f.NOW)
    alert = Alert.objects.get()
    alerts.resolve(alert=alert, actor=f.user(), reason="repaired")
    Alert.objects.update(resolved_at=f.NOW)
    for days in (1, 3):
        store(device, noise, series(f.NOW + (days - 1) * DAY, 1, seed=days))
        evaluate_rules(device=device, now=f.NOW + days * DAY)
    assert Alert.objects.get().state == "resolved"


def test_silence_opens_its_own_alert_and_the_metrics_checks_go_unknown() -> None:
    device, noise, rule = bench("silence", params={"cadences": 3})
    f.rule(noise, "act", high=10.0)
    f.reading(device, noise, 5, f.NOW)
    evaluate_rules(device=device, now=f.NOW)
    assert health_at(device, f.NOW).state == "ok"
    later = f.NOW + 4 * HOUR
    evaluate_rules(device=device, now=later)
    assert Alert.objects.get().rule == rule
    states = {c.kind: c.state for c in health_at(device, later).checks}
    assert states == {"silence": "watch", "limit": "unknown"}
    f.reading(device, noise, 5, later)
    evaluate_rules(device=device, now=later)
    assert Alert.objects.get().cleared_at == later


def test_no_silence_of_what_was_never_sent_or_out_of_service() -> None:
    device, noise, _ = bench("silence", params={"cadences": 3})
    other = f.device(device.model)
    f.reading(device, noise, 5, f.NOW)
    registry.set_lifecycle(device=device, lifecycle="out_of_service", actor=f.user())
    now = timezone.now()
    for machine in (device, other):
        evaluate_rules(device=machine, now=now)
        (check,) = health_at(machine, now).checks
        assert check.state == "unknown"
    assert not Alert.objects.exists()


def test_configuration_says_key_who_and_from_which_image() -> None:
    made, person = f.model(), f.user()
    device = f.device(made)
    rule = make("config", None, made)
    registry.set_desired_config(device=device, config={"software": "7.2"}, actor=person)
    now = timezone.now()
    assert health_at(device, now).checks[0].state == "unknown"
    events.append(
        device=device, kind="config_reported", at=now,
        payload={"config": {"software": "7.1"}, "source": "image:12"},
    )  # fmt: skip
    evaluate_rules(device=device, now=now + HOUR)
    alert = Alert.objects.get()
    assert alert.rule == rule
    assert alert.message == (
        f"config: software is 7.1 (reported by image 12), wanted by {person.username}: 7.2"
    )
    events.append(
        device=device, kind="config_reported", at=now + 2 * HOUR,
        payload={"config": {"software": "7.2"}, "source": "image:13"},
    )  # fmt: skip
    evaluate_rules(device=device, now=now + 3 * HOUR)
    assert Alert.objects.get().cleared_at == now + 3 * HOUR
    assert health_at(device, now + HOUR).state == "watch"


def test_a_clock_that_is_off_opens_an_alert() -> None:
    made = f.model()
    device = f.device(made)
    make("clock", None, made)
    now = timezone.now()
    assert health_at(device, now).checks == ()
    events.append(device=device, kind="clock", at=now, payload={"state": "ahead", "seconds": 480})
    evaluate_rules(device=device, now=now + HOUR)
    assert Alert.objects.get().message == "clock: 8 minutes ahead"


@pytest.mark.parametrize("count", [1, 12])
def test_a_constant_number_of_queries(count: int, django_assert_num_queries: Any) -> None:
    made = f.model()
    noise = f.metric(made, unit="Cel", cadence=60)
    devices = [f.device(made, desired_config={"a": "1"}) for _ in range(count)]
    for kind, given in KINDS.items():
        make(kind, noise, **given)
    make("silence", noise)
    make("config", None, made)
    make("clock", None, made)
    f.rule(noise)
    now = timezone.now()
    for device in devices:
        f.reading(device, noise, 12, now)
        events.append(device=device, kind="config_reported", at=now, payload={"config": {"a": "2"}})
        evaluate_rules(device=device, now=now)
    with django_assert_num_queries(7):
        healths = health_many(devices, now)
    assert {h.coverage[1] for h in healths.values()} == {len(KINDS) + 3}


@pytest.mark.parametrize("keep", [0, 1800, 3600, 5400])
def test_keeping_from_rows_is_the_pure_fold(keep: int) -> None:
    rng = random.Random(keep)
    for seed in range(8):
        device, noise, rule = bench(
            "limit", high=10, hysteresis=1, keep_seconds=keep, min_samples=2
        )
        start = f.NOW + seed * DAY
        samples = [Sample(start + i * HOUR / 2, rng.choice([5.0, 9.5, 11.0])) for i in range(14)]
        store(device, noise, samples)
        for i in range(14):
            for at in (samples[i].at, samples[i].at + HOUR / 4):
                fresh = whole(rule, samples, at)
                (kept,) = health_at(device, at).checks
                assert replace(kept, text="") == replace(fresh, text="")


# --- where states meet other rules' states, and days that are added up anew


def test_folding_anew_rewrites_no_verdict_older_than_the_rule_remembers() -> None:
    made = f.model()
    noise, heat = f.metric(made, unit="Cel"), f.metric(made, "heat", unit="Cel")
    device = f.device(made)
    params = {"baseline_days": 7, "lag_days": 3, "threshold": 4, "slack": 0.5}
    drift = make("drift", noise, params=params)
    make("image_quality", heat, high=10, params={"n": 1})
    store(device, heat, [Sample(f.NOW - 90 * DAY, 1)])  # a sensor that is silent since
    store(device, noise, series(f.NOW - 90 * DAY, 90))
    evaluate_rules(device=device, now=f.NOW)
    forty = f.NOW - 40 * DAY  # lag, baseline and 30 days
    assert RuleChange.objects.filter(rule=drift).earliest("at").at > forty
    given = {name: getattr(drift, name) for name in rules.VALUES}
    rules.change(
        rule=drift, given={**given, "params": {**params, "threshold": 5}}, actor=f.user(),
        reason="x",
    )  # fmt: skip
    evaluate_rules(device=device, now=f.NOW)
    assert RuleChange.objects.filter(rule=drift).earliest("at").at > forty


def test_catching_up_folds_what_is_behind_and_nothing_else(
    django_assert_num_queries: Any,
) -> None:
    device, noise, _ = bench("image_quality", high=10, params={"n": 1})
    now = timezone.now()
    store(device, noise, [Sample(now - HOUR, 1)])
    evaluate_rules(device=device, now=now)
    with django_assert_num_queries(1):
        rule_states.catch_up(device_ids=[device.pk], now=now)
    store(device, noise, [Sample(now - HOUR / 2, 20)])
    rule_states.catch_up(device_ids=[device.pk], now=now)
    assert RuleState.objects.get().verdict["state"] == "watch"


def test_days_added_up_anew_are_folded_anew() -> None:
    device, noise, _ = bench("drift", params={"baseline_days": 7, "lag_days": 3})
    store(device, noise, series(f.NOW - 30 * DAY, 30))
    evaluate_rules(device=device, now=f.NOW)
    true = RuleState.objects.get().verdict
    # as after another time zone: days that readings don't add up to
    day = ReadingDay.objects.filter(device=device).order_by("-day")[1]
    ReadingDay.objects.filter(pk=day.pk).update(total=day.total + 500 * day.n)
    RuleState.objects.all().delete()
    evaluate_rules(device=device, now=f.NOW)
    assert RuleState.objects.get().verdict["value"] != pytest.approx(true["value"])
    call_command("rebuild_twins", stdout=StringIO())
    evaluate_rules(device=device, now=f.NOW)
    kept = RuleState.objects.get().verdict
    assert (kept["state"], kept["value"]) == (true["state"], pytest.approx(true["value"]))
