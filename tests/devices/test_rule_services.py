"""Rules are made, changed and switched as versions; what is wrong is said at its field."""

from __future__ import annotations

import math
from typing import Any

import pytest
from django.db import DatabaseError, connection

from accounts.models import AuditEntry
from devices.models import Rule, RuleVersion
from devices.selectors import health_at
from devices.services import rules
from devices.services.evaluation import evaluate_rules
from tests.devices import factories as f
from twinhealth.errors import ConflictError, InvalidInputError

pytestmark = pytest.mark.django_db
NOW = f.NOW


def make(kind: str = "limit", of: Any = None, **given: Any) -> Rule:
    metric = of or f.metric(f.model())
    values = {"name": "Noise", "severity": "act", **given}
    if kind == "limit":
        values.setdefault("high", 10)
    return rules.create(
        kind=kind, metric=metric, model=None, given=values, actor=f.user(), reason="acceptance"
    )  # fmt: skip


def test_a_rule_begins_with_its_first_version_and_house_defaults() -> None:
    rule = make()
    assert (rule.hysteresis, rule.keep_seconds, rule.min_samples) == (0.5, 900, 1)
    version = rule.current
    assert version is not None
    assert (version.number, version.reason) == (1, "acceptance")
    assert version.values == {name: getattr(rule, name) for name in rules.VALUES}
    assert AuditEntry.objects.filter(verb="rule_made").count() == 1


def test_a_change_is_a_version_and_the_same_again_is_none() -> None:
    rule, person = make(), f.user()
    values = {name: getattr(rule, name) for name in rules.VALUES}
    rule = rules.change(
        rule=rule, given={**values, "high": 12}, actor=person, reason="too shy", seen=1
    )
    rule = rules.change(
        rule=rule, given={**values, "high": 12}, actor=person, reason="again", seen=2
    )
    assert [(v.number, v.values["high"], v.reason) for v in rule.versions.all()] == [
        (1, 10.0, "acceptance"), (2, 12.0, "too shy"),
    ]  # fmt: skip
    with pytest.raises(ConflictError) as told:
        rules.change(rule=rule, given={**values, "high": 13}, actor=person, reason="late", seen=1)
    assert told.value.code == "rule_changed"
    assert Rule.objects.get(pk=rule.pk).high == 12


def test_off_and_on_again_with_a_reason() -> None:
    device, noise, _ = f.watched_device()
    rule = make(of=noise, name="second")
    f.reading(device, noise, 5, NOW)
    assert health_at(device, NOW).coverage == (2, 2)
    with pytest.raises(InvalidInputError):
        rules.switch(rule=rule, enabled=False, actor=f.user(), reason=" ")
    rule = rules.switch(rule=rule, enabled=False, actor=f.user(), reason="sensor is gone")
    assert health_at(device, NOW).coverage == (1, 1)
    with pytest.raises(ConflictError, match="off already"):
        rules.switch(rule=rule, enabled=False, actor=f.user(), reason="again")
    rules.switch(rule=rule, enabled=True, actor=f.user(), reason="it is back")
    assert [v.values["enabled"] for v in rule.versions.all()] == [True, False, True]


def test_an_alert_remembers_the_version_that_opened_it() -> None:
    made = f.model()
    noise = f.metric(made)
    device, rule = f.device(made), make(of=noise)
    values = {name: getattr(rule, name) for name in rules.VALUES}
    rules.change(rule=rule, given={**values, "high": 8}, actor=f.user(), reason="earlier", seen=1)
    f.reading(device, noise, 9, NOW)
    evaluate_rules(device=device, now=NOW)
    (alert,) = device.alerts.all()
    assert alert.rule_version is not None
    assert (alert.rule_version.number, alert.rule_version.values["high"]) == (2, 8.0)
    assert health_at(device, NOW).checks[0].version == 2


@pytest.mark.parametrize(
    ("kind", "given", "field"),
    [
        ("limit", {"high": math.nan}, "high"),
        ("limit", {"high": "1e400"}, "high"),
        ("limit", {"high": None}, "high"),
        ("limit", {"low": 10, "high": 10}, "high"),
        ("limit", {"hysteresis": -1}, "hysteresis"),
        ("limit", {"for_seconds": 100 * 365 * 86_400}, "for_seconds"),
        ("limit", {"for_seconds": 1.5}, "for_seconds"),
        ("limit", {"min_samples": 0}, "min_samples"),
        ("limit", {"keep_seconds": "soon"}, "keep_seconds"),
        ("limit", {"name": " "}, "name"),
        ("limit", {"name": "a\x00b"}, "name"),
        ("limit", {"severity": "panic"}, "severity"),
        ("limit", {"params": [1]}, "params"),
        ("rate", {"high": 1, "params": {"window_seconds": 0}}, "window_seconds"),
        ("drift", {"high": 3}, "high"),
        ("silence", {}, "cadence_seconds"),
        ("silence", {"keep_seconds": 5, "params": {"cadence_seconds": 60}}, "keep_seconds"),
        ("config", {}, "metric"),
        ("weather", {}, "kind"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_at_its_field(kind: str, given: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInputError) as told:
        make(kind, **given)
    assert told.value.code == "bad_rule"
    assert set(told.value.extra["fields"]) == {field}
    assert Rule.objects.count() == RuleVersion.objects.count() == 0


def test_one_rule_of_a_kind_severity_and_name() -> None:
    rule = make()
    with pytest.raises(ConflictError) as told:
        make(of=rule.metric)
    assert told.value.code == "rule_exists"
    assert make("rate", of=rule.metric, high=1).kind == "rate"


def test_versions_are_only_added() -> None:
    version = make().current
    assert version is not None
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_trigger WHERE tgrelid = 'devices_ruleversion'::regclass"
                       if connection.vendor == "postgresql" else
                       "SELECT 1 FROM sqlite_master WHERE type='trigger' AND tbl_name='devices_ruleversion'")  # fmt: skip
        if cursor.fetchone() is None:
            pytest.skip("without migrations there is no trigger")
    with pytest.raises(DatabaseError):
        RuleVersion.objects.filter(pk=version.pk).update(reason="never")
