"""The replay says what a rule would have done, beside the failures that really were."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from devices.models import Downtime, WorkOrder
from devices.rule_kinds.fold import run
from devices.rule_kinds.replay import Mishap, replay
from devices.rule_kinds.spec import Spec, complete
from devices.rules import Limit, Sample
from devices.selectors import replay as selectors
from devices.services import events
from devices.services.evaluation import evaluate_rules
from tests.devices import factories as f
from twinhealth.errors import InvalidInputError

T0 = datetime(2025, 3, 1, tzinfo=UTC)
DAY = timedelta(days=1)
YEAR = 365 * DAY


def spec(kind: str = "limit", high: float | None = 10.0, **params: Any) -> Spec:
    limit = Limit(1, "noise", "noise", "1", "act", None, high)
    return Spec(limit, kind, complete(kind, params)[0], cadence=86_400)


def daily(*bad: int, days: int = 365) -> list[Sample]:
    return [Sample(T0 + i * DAY, 11 if i in bad else 5) for i in range(days)]


def test_the_sentence() -> None:
    failures = [
        Mishap(T0 + 109 * DAY, T0 + 111 * DAY, "tube"),
        Mishap(T0 + 209 * DAY, None, "detector"),
        Mishap(T0 + 50 * DAY, T0 + 51 * DAY, "cable"),
    ]
    found = replay(spec(), daily(100, 200, 20), start=T0, end=T0 + YEAR, mishaps=failures)
    assert [r.opened_at for r in found.rings] == [T0 + d * DAY for d in (20, 100, 200)]
    assert found.ahead_days == 9
    # the cable's failure came 30 days after: its forerunner as well
    assert [len(x) for x in (found.before, found.during, found.alone, found.missed)] == [3, 0, 0, 0]
    later = replay(spec(), daily(5, 100, 110, 200), start=T0, end=T0 + YEAR, mishaps=failures)
    assert later.sentence == (
        "With these limits you would have had 4 alerts in the last year: 2 before failures, "
        "9 days ahead, 1 while the machine was down, 1 that nothing followed. "
        "Failures without an alert before them: 1."
    )
    assert [m.text for m in later.missed] == ["cable"]


def test_no_alert_and_no_failure_are_answers_too() -> None:
    found = replay(spec(), daily(), start=T0, end=T0 + 30 * DAY)
    assert found.sentence == (
        "With these limits you would have had no alerts in the last 30 days."
        " No failure is known in that time."
    )


def test_a_span_without_readings_is_told() -> None:
    found = replay(spec(), daily(days=365)[-20:], start=T0, end=T0 + YEAR)
    assert found.sentence.endswith("Readings are there of the last 20 days only.")


def test_what_is_before_the_span_only_brings_the_rule_into_its_state() -> None:
    found = replay(spec(), daily(0, 1, 2, 40), start=T0 + 30 * DAY, end=T0 + YEAR)
    assert [r.opened_at for r in found.rings] == [T0 + 40 * DAY]


def test_silence_out_of_service_is_no_alert() -> None:
    samples = [Sample(T0, 1), Sample(T0 + 40 * DAY, 1), Sample(T0 + 80 * DAY, 1)]
    rule = spec("silence", None, cadences=5)
    idle = [(T0 + DAY, T0 + 30 * DAY)]
    found = replay(rule, samples, start=T0, end=T0 + 81 * DAY, idle=idle)
    assert [r.opened_at for r in found.rings] == [T0 + 45 * DAY]


@pytest.mark.django_db
def test_a_replay_is_what_the_worker_would_have_done(django_assert_num_queries: Any) -> None:
    device, noise, rule = f.watched_device(high=10.0, min_samples=2, keep_seconds=7200)
    values = [5, 11, 11, 5, 11, 5, 5, 5, 5, 12, 12, 5]
    at = [f.NOW + i * timedelta(hours=1) for i in range(len(values))]
    for moment, value in zip(at, values, strict=True):
        f.reading(device, noise, value, moment)
        evaluate_rules(device=device, now=moment)
    (alert,) = device.alerts.all()
    from devices.selectors.rules import get, spec_of_rule

    found_spec = spec_of_rule(get(rule.pk))
    assert [o for o, _ in run(found_spec, [Sample(m, v) for m, v in zip(at, values, strict=True)])] == [
        alert.opened_at, at[10],
    ]  # fmt: skip
    assert alert.recurrences == 1
    Downtime.objects.create(device=device, starts_at=at[11], reason="tube")
    Downtime.objects.create(
        device=device, starts_at=at[0], ends_at=at[1], reason="yearly check", planned=True
    )
    WorkOrder.objects.create(device=device, title="fan", state="requested", started_at=at[11])
    with django_assert_num_queries(3):
        shown = selectors.run(device=device, metric=noise, spec=found_spec, start=at[0], end=at[-1])
    assert [r.opened_at for r in shown.replay.rings] == [alert.opened_at, at[10]]
    assert {m.text.split()[-1] for m in shown.replay.mishaps} == {"tube", "fan"}
    (chart,) = shown.chart["charts"]
    assert [bar["from"] for bar in chart["bars"]] == [
        alert.opened_at.timestamp(),
        at[10].timestamp(),
    ]
    assert chart["v"] == values
    assert chart["limits"] == [{"severity": "act", "value": 10.0, "text": "10"}]


@pytest.mark.django_db
def test_configuration_and_clock_by_the_journal() -> None:
    made = f.model()
    device = f.device(made, desired_config={"a": "1"})
    start = device.registered_at
    for hours, value in ((1, "1"), (2, "2"), (5, "1")):
        events.append(
            device=device, kind="config_reported", at=start + timedelta(hours=hours),
            payload={"config": {"a": value}},
        )  # fmt: skip
    events.append(
        device=device, kind="clock", at=start + timedelta(hours=3),
        payload={"state": "ahead", "seconds": 900},
    )  # fmt: skip
    for kind, opened, cleared in (("config", 2, 5), ("clock", 3, None)):
        rule = Spec(Limit(1, kind, "", "1", "act", None, None), kind)
        shown = selectors.run(device=device, metric=None, spec=rule, start=start, end=start + DAY)
        (ring,) = shown.replay.rings
        assert ring.opened_at == start + timedelta(hours=opened)
        assert ring.cleared_at == (cleared and start + timedelta(hours=cleared))


@pytest.mark.django_db
def test_bad_spans_and_another_makes_metric(monkeypatch: pytest.MonkeyPatch) -> None:
    device, noise, _ = f.watched_device()
    other, _, _ = f.watched_device()

    def code(**given: Any) -> str:
        values = {"device": device, "metric": noise, "spec": spec(), "start": T0, "end": T0 + DAY}
        with pytest.raises(InvalidInputError) as told:
            selectors.run(**{**values, **given})
        return told.value.code

    assert code(end=T0) == "bad_span"
    assert code(start=T0 - 100 * YEAR) == "bad_span"
    assert code(device=other) == "other_model"
    monkeypatch.setattr(selectors, "MOST_READINGS", 2)
    f.readings(device, noise, [(T0 + f.minutes(i), 1.0) for i in range(3)])
    assert code() == "too_many_readings"
