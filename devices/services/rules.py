"""People make, change, switch off and on the rules; each change is a version with its reason."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError, transaction

from accounts.models import User
from accounts.services import audit
from devices.models import DeviceModel, Metric, Rule, RuleState, RuleVersion
from devices.rule_kinds.clean import clean
from devices.rule_kinds.spec import ELSEWHERE, OF_MACHINE
from twinhealth.errors import ConflictError, InvalidInputError

from . import AnyRequest

# what a version keeps
VALUES = (
    "kind", "name", "severity", "low", "high", "hysteresis", "for_seconds", "min_samples",
    "keep_seconds", "params", "affects_image", "marks_degraded", "enabled",
)  # fmt: skip


def checked(kind: str, metric: Metric | None, given: Mapping[str, Any]) -> dict[str, Any]:
    """A rule's values, complete.

    Args:
        kind: `devices.models.rule.RuleKind`.
        metric: that it is of; `None` for the machine as a whole.
        given: as `devices.rule_kinds.clean.clean` takes it.

    Raises:
        InvalidInputError: `bad_rule`; `extra["fields"]` has a sentence for each bad field.
    """
    found = clean(kind, given)
    errors = dict(found.errors)
    if kind in OF_MACHINE and metric is not None:
        errors["metric"] = "This kind is of the machine as a whole, not of a metric."
    elif kind not in OF_MACHINE and metric is None and "kind" not in errors:
        errors["metric"] = "Choose the metric."
    if kind == "silence" and metric is not None and "cadence_seconds" not in errors:
        own = found.values.get("params", {}).get("cadence_seconds")
        if own is None and metric.cadence is None:
            errors["cadence_seconds"] = "The metric has no cadence: say how often readings come."
    if errors:
        raise InvalidInputError("bad_rule", "Some values aren't right.", fields=errors)
    return found.values


def _reason(reason: str) -> str:
    reason = " ".join(reason.split())
    if not reason or len(reason) > 300:
        raise InvalidInputError(
            "bad_rule", "Say why.", fields={"reason": "Say why, in at most 300 characters."}
        )
    return reason


def _new_version(rule: Rule, actor: User | None, reason: str) -> None:
    """Write the rule down as it stands now; the caller holds the rule's row."""
    number = rule.versions.count() + 1
    rule.current = RuleVersion.objects.create(
        rule=rule,
        number=number,
        values={name: getattr(rule, name) for name in VALUES},
        by=actor,
        reason=reason,
    )
    rule.save(update_fields=["current"])


def _save(rule: Rule) -> None:
    try:
        with transaction.atomic():
            rule.save()
    except IntegrityError:
        raise ConflictError(
            "rule_exists", "There is a rule of this kind, severity and name already."
        ) from None


@transaction.atomic
def create(
    *,
    kind: str,
    metric: Metric | None,
    model: DeviceModel | None,
    given: Mapping[str, Any],
    actor: User | None,
    reason: str,
    request: AnyRequest | None = None,
) -> Rule:
    """Make a rule and its first version; a worker judges by it within a minute.

    Args:
        kind: `devices.models.rule.RuleKind`.
        metric: that it is of; `None` for configuration and clock.
        model: whose machines it watches, where it is of no metric.
        given: as `checked` takes it.
        actor: who; `None` for a set-up command.
        reason: why.
        request: for the audit row.

    Raises:
        InvalidInputError: `bad_rule`.
        ConflictError: `rule_exists`.
    """
    values = checked(kind, metric, given)
    reason = _reason(reason)
    if metric is None and model is None:
        raise InvalidInputError(
            "bad_rule", "Some values aren't right.", fields={"model": "Choose the model."}
        )
    rule = Rule(metric=metric, device_model=None if metric else model, **values)
    _save(rule)
    _new_version(rule, actor, reason)
    audit.record(actor=actor, verb="rule_made", obj=rule, request=request)
    return rule


def _locked(rule: Rule, seen: int | None) -> Rule:
    """The row as it is now.

    Raises:
        ConflictError: `rule_changed` where somebody changed it since version `seen`.
    """
    # no_key: a worker that writes a row of this rule while it keeps a state of it must not wait
    Rule.objects.select_for_update(no_key=True).get(pk=rule.pk)
    found = Rule.objects.select_related("metric", "device_model", "current").get(pk=rule.pk)
    number = found.current.number if found.current else None
    if seen is not None and number != seen:
        raise ConflictError(
            "rule_changed", "Somebody changed this rule meanwhile; look again.", version=number
        )
    return found


@transaction.atomic
def create_elsewhere(
    *, kind: str, model: DeviceModel, name: str, severity: str, actor: User | None, reason: str
) -> Rule:
    """The rule behind alerts that a room above judges; the worker passes it over.

    It is made with that room's row, which is audited there, and can't be edited as a rule.
    """
    if kind not in ELSEWHERE:
        raise ValueError(f"a rule of kind {kind!r} is judged here")
    rule = Rule(device_model=model, kind=kind, name=name[:128], severity=severity)
    _save(rule)
    _new_version(rule, actor, reason)
    return rule


@transaction.atomic
def change(
    *,
    rule: Rule,
    given: Mapping[str, Any],
    actor: User,
    reason: str,
    seen: int | None = None,
    request: AnyRequest | None = None,
) -> Rule:
    """Give the rule other values, as a new version. The same values again: nothing happens.

    Args:
        rule: which; its kind and metric stay.
        given: as `checked` takes it.
        actor: who.
        reason: why.
        seen: number of the version that the person looked at.
        request: for the audit row.

    Raises:
        InvalidInputError: `bad_rule`.
        ConflictError: `rule_exists`, `rule_changed`.
    """
    values = checked(rule.kind, rule.metric, given)
    reason = _reason(reason)
    rule = _locked(rule, seen)
    if all(getattr(rule, name) == value for name, value in values.items()):
        return rule
    for name, value in values.items():
        setattr(rule, name, value)
    _save(rule)
    _new_version(rule, actor, reason)
    audit.record(actor=actor, verb="rule_changed", obj=rule, request=request, detail=_detail(rule))
    return rule


@transaction.atomic
def switch(
    *,
    rule: Rule,
    enabled: bool,
    actor: User,
    reason: str,
    request: AnyRequest | None = None,
) -> Rule:
    """Switch a rule off or on, as a new version; its alerts stay as they are.

    Raises:
        InvalidInputError: `bad_rule` without a reason.
        ConflictError: `bad_transition` where it stands so already; `rule_elsewhere` where another
            room keeps it.
    """
    if rule.kind in ELSEWHERE:
        raise ConflictError(
            "rule_elsewhere", "This rule goes with its QA protocol: retire the protocol."
        )
    reason = _reason(reason)
    rule = _locked(rule, None)
    if rule.enabled == enabled:
        raise ConflictError("bad_transition", f"It is {'on' if enabled else 'off'} already.")
    rule.enabled = enabled
    rule.save(update_fields=["enabled"])
    RuleState.objects.filter(rule=rule).delete()  # what came while it was off was never folded
    _new_version(rule, actor, reason)
    verb = "rule_switched_on" if enabled else "rule_switched_off"
    audit.record(actor=actor, verb=verb, obj=rule, request=request, detail=_detail(rule))
    return rule


def _detail(rule: Rule) -> dict[str, Any]:
    return {"version": rule.current.number if rule.current else None}
