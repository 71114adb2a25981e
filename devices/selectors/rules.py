"""Rules as the pure modules take them, their lists and their history."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from django.conf import settings
from django.db.models import Count, Q, QuerySet

from devices.models import Alert, DeviceModel, Metric, Rule, RuleVersion
from devices.rule_kinds.spec import Spec, complete
from devices.rule_kinds.words import sentence
from devices.rules import CheckResult, Limit, Sample
from twinhealth.errors import NotFoundError


@dataclass(frozen=True, slots=True)
class Watched:
    """One rule on one machine with what it says.

    Attributes:
        device_id: the machine.
        spec: the rule.
        result: its verdict.
        samples: of a limit, the readings that decide it.
    """

    device_id: int
    spec: Spec
    result: CheckResult
    samples: tuple[Sample, ...] = ()


# a rule's own columns, and all that `spec_of` needs, as `values()` names them
_OWN = (
    "name", "severity", "low", "high", "hysteresis", "for_seconds", "min_samples", "keep_seconds",
    "params", "affects_image",
)  # fmt: skip
SPEC_COLUMNS = (
    "id", "kind", *_OWN, "metric_id", "metric__key", "metric__unit",
    "metric__max_age", "metric__cadence", "current__number",
)  # fmt: skip


def spec_of(row: Mapping[str, Any]) -> Spec:
    """A rule's row (`SPEC_COLUMNS`) as values."""
    limit = Limit(
        rule_id=row["id"],
        rule=row["name"],
        metric=row["metric__key"] or "",
        unit=row["metric__unit"] or "1",
        severity=row["severity"],
        low=row["low"],
        high=row["high"],
        hysteresis=row["hysteresis"],
        for_seconds=row["for_seconds"],
        min_samples=row["min_samples"],
        affects_image=row["affects_image"],
        max_age=row["metric__max_age"] or 0,
        keep_seconds=row["keep_seconds"],
    )
    params = row["params"] or {}
    return Spec(
        limit=limit,
        kind=row["kind"],
        # what a later release adds has its default
        params=complete(row["kind"], params)[0],
        version=row["current__number"],
        cadence=row["metric__cadence"],
        zone=settings.TIME_ZONE,
    )


def spec_of_rule(rule: Rule) -> Spec:
    """A rule with its metric at hand (`listed`, `get`) as values."""
    values = {name: getattr(rule, name) for name in _OWN}
    number = rule.current.number if rule.current else None
    return _spec({**values, "id": rule.pk, "kind": rule.kind}, rule.metric, number)


def words_of(rule: Rule, version: RuleVersion) -> str:
    """What a version said, in words."""
    row = {**version.values, "id": rule.pk}
    said = sentence(_spec(row, rule.metric, version.number))
    return said if version.values.get("enabled", True) else f"Switched off. {said}"


def spec_given(kind: str, metric_: Metric | None, values: Mapping[str, Any]) -> Spec:
    """A rule that isn't saved as values.

    Args:
        kind: `devices.models.rule.RuleKind`.
        metric_: that it is of.
        values: as `devices.services.rules.checked` gives them.
    """
    return _spec({**values, "id": 0, "kind": kind}, metric_, None)


def _spec(row: Mapping[str, Any], of: Metric | None, number: int | None) -> Spec:
    return spec_of(
        {
            **row,
            "metric__key": of.key if of else None,
            "metric__unit": of.unit if of else None,
            "metric__max_age": of.max_age if of else None,
            "metric__cadence": of.cadence if of else None,
            "current__number": number,
        }
    )


def fingerprint(spec: Spec) -> str:
    """Changes with anything that makes another verdict of the same readings."""
    told = {**asdict(spec.limit), "rule": "", "kind": spec.kind, "params": dict(spec.params)}
    text = json.dumps([told, spec.cadence, spec.zone], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def get(rule_id: int) -> Rule:
    """The rule with what it is of.

    Raises:
        NotFoundError: `rule_not_found`.
    """
    found = (
        Rule.objects.select_related("metric__device_model", "device_model", "current__by")
        .filter(pk=rule_id)
        .first()
    )
    if found is None:
        raise NotFoundError("rule_not_found", "There is no such rule.")
    return found


def model_of(rule: Rule) -> DeviceModel:
    """Whose machines it watches."""
    found = rule.metric.device_model if rule.metric else rule.device_model
    assert found is not None  # noqa: S101 - a constraint holds it
    return found


def listed(model: DeviceModel | None = None, *, enabled: bool | None = None) -> QuerySet[Rule]:
    """Rules by model, metric and severity, each with its number of unresolved alerts."""
    waiting = Count("alerts", filter=~Q(alerts__state="resolved"))
    found = Rule.objects.select_related("metric__device_model", "device_model", "current__by")
    if model is not None:
        found = found.filter(Q(metric__device_model=model) | Q(device_model=model))
    if enabled is not None:
        found = found.filter(enabled=enabled)
    return found.annotate(waiting=waiting).order_by(
        "metric__device_model__manufacturer", "metric__device_model__name", "metric__label",
        "severity", "kind", "name", "pk",
    )  # fmt: skip


def models() -> list[DeviceModel]:
    """All makes."""
    return list(DeviceModel.objects.order_by("manufacturer", "name"))


def model(model_id: int) -> DeviceModel:
    """One make.

    Raises:
        NotFoundError: `model_not_found`.
    """
    found = DeviceModel.objects.filter(pk=model_id).first()
    if found is None:
        raise NotFoundError("model_not_found", "There is no such model.")
    return found


def metric(model_: DeviceModel, key: str) -> Metric:
    """A metric of the model.

    Raises:
        NotFoundError: `unknown_metric`.
    """
    found = Metric.objects.filter(device_model=model_, key=key).first()
    if found is None:
        raise NotFoundError("unknown_metric", "The model has no such metric.")
    return found


def history(rule: Rule) -> list[RuleVersion]:
    """Every version, newest first."""
    return list(rule.versions.select_related("by").order_by("-number"))


def alerts_of(rule: Rule, device_id: int, limit: int = 50) -> list[Alert]:
    """The rule's alerts on one machine, newest first."""
    found = Alert.objects.select_related("rule_version", "resolved_by").filter(
        rule=rule, device=device_id
    )
    return list(found.order_by("-opened_at")[:limit])
