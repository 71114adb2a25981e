"""Protocols are made, revised, tied to plans, retired; each version says who made it, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from accounts.services import audit
from devices.models import Device, DeviceModel, MaintenancePlan, ModelPlan
from devices.models.device import Lifecycle
from devices.plain_text import clean
from devices.services import rules
from devices.services.order_changes import AnyRequest
from quality.models import Protocol, ProtocolPlan, ProtocolVersion
from quality.tests_of import ProtocolTest, clean_tests
from twinhealth.errors import ConflictError, InvalidInputError


@transaction.atomic
def create(
    *,
    actor: User,
    name: str,
    tests: Sequence[Mapping[str, Any]],
    device_model: DeviceModel | None = None,
    device: Device | None = None,
    instructions: str = "",
    reason: str = "first version",
    request: AnyRequest = None,
) -> Protocol:
    """A protocol of a model or of one machine, with its first version.

    Args:
        actor: who.
        name: what it is called.
        tests: as `quality.tests_of.clean_tests` takes them.
        device_model: of all machines of this model; or
        device: of this one alone.
        instructions: before the first test.
        reason: of the first version.
        request: for the audit trail.

    Raises:
        InvalidInputError: `protocol_of_what`, a text's own code, or as `clean_tests`.
        ConflictError: `device_retired`.
    """
    if (device is None) == (device_model is None):
        raise InvalidInputError("protocol_of_what", "Choose a model or one machine.")
    if device is not None and device.lifecycle == Lifecycle.RETIRED:
        raise ConflictError("device_retired", "This machine is retired; it needs no more tests.")
    name = clean(name, field="name", limit=120)
    model = device_model or device.model  # type: ignore[union-attr]
    cleaned = _tests(tests, [], model)
    # the rule's name is unique per model, a protocol's isn't
    number = (Protocol.objects.order_by("-pk").values_list("pk", flat=True).first() or 0) + 1
    while model.machine_rules.filter(name__startswith=f"QA {number}:").exists():
        number += 1
    rule = rules.create_elsewhere(
        kind="qa",
        model=model,
        name=f"QA {number}: {name}",
        severity="act",
        actor=actor,
        reason="made with its QA protocol",
    )
    protocol = Protocol.objects.create(
        name=name,
        device_model=device_model,
        device=device,
        rule=rule,
        created_by=actor,
        is_synthetic=device.is_synthetic if device else model.is_synthetic,
    )
    _add(protocol, cleaned, instructions, reason, actor)
    audit.record(actor=actor, verb="created", obj=protocol, request=request)
    return protocol


@transaction.atomic
def revise(
    *,
    protocol: Protocol,
    actor: User,
    tests: Sequence[Mapping[str, Any]],
    reason: str,
    name: str | None = None,
    instructions: str = "",
    seen: int | None = None,
    request: AnyRequest = None,
) -> Protocol:
    """A new version; sessions keep the one that they were taken with.

    Args:
        protocol: which.
        actor: who.
        tests: as `create`; a test with the key of an earlier one goes on with its trend.
        reason: why.
        name: another name.
        instructions: before the first test.
        seen: number of the version that the person looked at.
        request: for the audit trail.

    Raises:
        InvalidInputError: `reason_missing`, or as `create`.
        ConflictError: `protocol_changed` where somebody else was faster; `protocol_retired`.
    """
    protocol = _locked(protocol)
    if protocol.retired_at is not None:
        raise ConflictError("protocol_retired", "This protocol is retired.")
    version = protocol.current
    if version is None or (seen is not None and seen != version.number):
        raise ConflictError(
            "protocol_changed",
            "Somebody changed this protocol meanwhile; look again.",
            version=version.number if version else None,
        )
    if name is not None:
        protocol.name = clean(name, field="name", limit=120)
    earlier = [key for each in protocol.versions.all() for key in _keys(each)]
    _add(protocol, _tests(tests, earlier, protocol.rule.device_model), instructions, reason, actor)
    audit.record(
        actor=actor,
        verb="changed",
        obj=protocol,
        request=request,
        detail={"version": protocol.current.number if protocol.current else None},
    )
    return protocol


def _locked(protocol: Protocol) -> Protocol:
    Protocol.objects.select_for_update(no_key=True).get(pk=protocol.pk)
    return Protocol.objects.select_related("current", "rule__device_model").get(pk=protocol.pk)


def _keys(version: ProtocolVersion) -> list[str]:
    return [row["key"] for row in version.tests]


def _tests(
    given: Sequence[Mapping[str, Any]], keys: Sequence[str], model: DeviceModel | None
) -> list[ProtocolTest]:
    metrics = set(model.metrics.values_list("key", flat=True)) if model else set()
    return clean_tests(given, keys=set(keys), metrics=metrics)


def _add(
    protocol: Protocol, tests: Sequence[ProtocolTest], instructions: str, reason: str, actor: User
) -> None:
    protocol.current = ProtocolVersion.objects.create(
        protocol=protocol,
        number=protocol.versions.count() + 1,
        tests=[test.to_json() for test in tests],
        instructions=clean(instructions, field="instructions", limit=4000, required=False),
        reason=clean(reason, field="reason", limit=300),
        by=actor,
    )
    protocol.save(update_fields=["current", "name"])


@transaction.atomic
def retire(*, protocol: Protocol, actor: User, request: AnyRequest = None) -> Protocol:
    """No more sessions, and its plans' orders ask for none; what was signed stays.

    Raises:
        ConflictError: `protocol_retired` where it is already.
    """
    protocol = _locked(protocol)
    if protocol.retired_at is not None:
        raise ConflictError("protocol_retired", "This protocol is retired already.")
    protocol.retired_at = timezone.now()
    protocol.save(update_fields=["retired_at"])
    audit.record(actor=actor, verb="retired", obj=protocol, request=request)
    return protocol


@transaction.atomic
def reinstate(*, protocol: Protocol, actor: User, request: AnyRequest = None) -> Protocol:
    """Undo `retire`.

    Raises:
        ConflictError: `protocol_in_use` where it isn't retired.
    """
    protocol = _locked(protocol)
    if protocol.retired_at is None:
        raise ConflictError("protocol_in_use", "This protocol is in use.")
    protocol.retired_at = None
    protocol.save(update_fields=["retired_at"])
    audit.record(actor=actor, verb="reinstated", obj=protocol, request=request)
    return protocol


@transaction.atomic
def tie(
    *,
    protocol: Protocol,
    actor: User,
    plan: MaintenancePlan | None = None,
    model_plan: ModelPlan | None = None,
    request: AnyRequest = None,
) -> ProtocolPlan:
    """Have the orders of a plan, or of all plans made from a model's plan, ask for the protocol.

    Raises:
        InvalidInputError: `plan_of_what`, `plan_of_another_machine`.
        ConflictError: `plan_has_protocol`, `protocol_retired`.
    """
    if (plan is None) == (model_plan is None):
        raise InvalidInputError("plan_of_what", "Choose one plan.")
    protocol = _locked(protocol)
    if protocol.retired_at is not None:
        raise ConflictError("protocol_retired", "This protocol is retired.")
    right = (
        covers(protocol, plan.device)
        if plan is not None
        else protocol.device_model_id == model_plan.device_model_id  # type: ignore[union-attr]
    )
    if not right:
        raise InvalidInputError(
            "plan_of_another_machine", "This plan is of machines that the protocol isn't of."
        )
    wanted = {"plan": plan, "model_plan": model_plan}
    found, made = ProtocolPlan.objects.get_or_create(
        **{name: value for name, value in wanted.items() if value is not None},
        defaults={"protocol": protocol},
    )
    if not made and found.protocol_id != protocol.pk:
        raise ConflictError(
            "plan_has_protocol", "This plan has a protocol already.", protocol=found.protocol_id
        )
    if made:
        detail = {"plan": found.plan_id, "model_plan": found.model_plan_id}
        audit.record(actor=actor, verb="tied", obj=protocol, request=request, detail=detail)
    return found


@transaction.atomic
def untie(*, link: ProtocolPlan, actor: User, request: AnyRequest = None) -> None:
    """The plan's orders ask for no session any more."""
    detail = {"plan": link.plan_id, "model_plan": link.model_plan_id}
    audit.record(actor=actor, verb="untied", obj=link.protocol, request=request, detail=detail)
    link.delete()


def covers(protocol: Protocol, device: Device) -> bool:
    """Whether the protocol is of this machine."""
    if protocol.device_id is not None:
        return protocol.device_id == device.pk
    return protocol.device_model_id == device.model_id
