"""Parts are put into machines and taken out by people; a mistake is corrected, never erased."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from accounts.models import User
from accounts.services import audit
from devices import udi
from devices.models import Component, ComponentKind, Device, Metric
from devices.models.device import Lifecycle
from devices.models.twin import EventKind
from devices.plain_text import clean
from devices.projection import iso
from twinhealth.errors import ConflictError, DomainError, InvalidInputError, NotFoundError

from . import AnyRequest
from .events import append, lock_twin


@dataclass(frozen=True, slots=True)
class Part:
    """What people say of a part.

    Attributes:
        serial: as printed on it.
        manufacturer: its maker.
        model_name: as its maker calls it.
        udi: whole, as printed or scanned.
        counters: metric key -> what the machine's counter showed when it was put in, in the
            metric's unit; only where it isn't what the last reading before says.
    """

    serial: str = ""
    manufacturer: str = ""
    model_name: str = ""
    udi: str = ""
    counters: Mapping[str, Any] = field(default_factory=dict)


def get(*, device: Device, component_id: int) -> Component:
    """A part that is or was in the machine.

    Raises:
        NotFoundError: `component_not_found`.
    """
    found = Component.objects.filter(device=device, pk=component_id).first()
    if found is None:
        raise NotFoundError("component_not_found", "This machine has no such part.")
    return found


def _moment(at: datetime | None) -> datetime:
    now = timezone.now()
    if at is not None and at > now:
        raise InvalidInputError("in_future", "That moment is still to come.", field="at")
    return at or now


def _counters(device: Device, kind: str, given: Mapping[str, Any]) -> dict[str, float]:
    known = set(
        Metric.objects.filter(device_model=device.model_id, counter_of=kind).values_list(
            "key", flat=True
        )
    )
    for key, value in given.items():
        if key not in known:
            raise InvalidInputError(
                "unknown_counter", f"{key[:64]!r} is no counter of a {kind} of this machine."
            )
        good = isinstance(value, int | float) and not isinstance(value, bool)
        if not good or not math.isfinite(value) or value < 0:
            raise InvalidInputError("not_a_number", f"{key} must be a number, zero or more.")
    return {key: float(value) for key, value in given.items()}


def _lock(device: Device) -> Device:
    lock_twin(device.pk)
    device = Device.objects.select_related("model").get(pk=device.pk)
    if device.lifecycle == Lifecycle.RETIRED:
        raise ConflictError("device_retired", "This machine is retired; its history stays.")
    return device


def _payload(component: Component, reason: str) -> dict[str, Any]:
    return {
        "component_id": component.pk,
        "kind": component.kind,
        "position": component.position,
        "serial": component.serial,
        "make": component.make,
        "installed_at": iso(component.installed_at),
        "reason": reason,
    }


@transaction.atomic
def install(
    *,
    device: Device,
    kind: str,
    part: Part,
    actor: User | None,
    position: str = "",
    at: datetime | None = None,
    reason: str = "",
    request: AnyRequest | None = None,
) -> Component:
    """Put a part into a free place.

    Args:
        device: into which machine.
        kind: `ComponentKind`.
        part: what it is.
        actor: who says so; `None` for a set-up command.
        position: where a machine has several of a kind.
        at: since when; now unless told.
        reason: why.
        request: for the audit row.

    Raises:
        InvalidInputError: `unknown_kind`, `in_future`, `udi_invalid`, `unknown_counter`,
            `not_a_number`, and those of `clean`.
        ConflictError: `place_taken`, `part_elsewhere`, `device_retired`.
    """
    return _put_in(
        device=_lock(device),
        kind=kind,
        position=position,
        part=part,
        at=_moment(at),
        reason=reason,
        actor=actor,
        request=request,
    )


def _put_in(
    *,
    device: Device,
    kind: str,
    position: str,
    part: Part,
    at: datetime,
    reason: str,
    actor: User | None,
    request: AnyRequest | None,
) -> Component:
    if kind not in ComponentKind.values:
        raise InvalidInputError("unknown_kind", "Choose a known kind.", known=ComponentKind.values)
    position = clean(position, field="position", limit=32, required=False)
    _check_place(device, kind, position, at)
    known = udi.parse(clean(part.udi, field="udi", limit=128, required=False))
    reason = clean(reason, field="reason", limit=300, required=False)
    component = Component(
        device=device,
        kind=kind,
        position=position,
        serial=clean(
            part.serial or known.parts.get("serial", ""), field="serial", limit=64, required=False
        ),
        manufacturer=clean(part.manufacturer, field="manufacturer", limit=128, required=False),
        model_name=clean(part.model_name, field="model_name", limit=128, required=False),
        udi_di=known.di,
        udi_pi=known.pi,
        installed_at=at,
        install_reason=reason,
        counters=_counters(device, kind, part.counters),
        installed_by=actor,
    )
    try:
        with transaction.atomic():
            component.save(force_insert=True)
    except IntegrityError:
        raise _elsewhere(component) from None
    append(
        device=device,
        kind=EventKind.COMPONENT_INSTALLED,
        at=at,
        actor=actor,
        payload=_payload(component, reason),
    )
    audit.record(actor=actor, verb="installed", obj=component, request=request)
    return component


def _check_place(
    device: Device, kind: str, position: str, at: datetime, *, without: int | None = None
) -> None:
    """Nothing is in the place from `at` on."""
    others = Component.objects.filter(
        device=device, kind=kind, position=position, voided_at=None
    ).filter(Q(removed_at=None) | Q(removed_at__gt=at))
    if without is not None:
        others = others.exclude(pk=without)
    other = others.order_by("installed_at").first()
    if other is not None:
        raise ConflictError(
            "place_taken",
            f"There is a part in this place at that time: {other}. Replace it instead.",
            component=other.pk,
        )


def _elsewhere(component: Component) -> DomainError:
    other = (
        Component.objects.select_related("device")
        .filter(
            kind=component.kind,
            manufacturer=component.manufacturer,
            serial=component.serial,
            removed_at=None,
            voided_at=None,
        )
        .first()
    )
    where = f" {other.device}" if other else " another machine"
    return ConflictError(
        "part_elsewhere",
        f"This part is in{where}; take it out there first.",
        device=other.device_id if other else None,
    )


@transaction.atomic
def remove(
    *,
    component: Component,
    actor: User | None,
    reason: str,
    at: datetime | None = None,
    request: AnyRequest | None = None,
) -> Component:
    """Take a part out.

    Raises:
        InvalidInputError: `reason_missing`, `in_future`, `removed_before_installed`.
        ConflictError: `not_in_place`, `device_retired`.
    """
    device = _lock(component.device)
    return _take_out(
        device=device,
        component=component,
        at=_moment(at),
        reason=reason,
        actor=actor,
        request=request,
    )


def _take_out(
    *,
    device: Device,
    component: Component,
    at: datetime,
    reason: str,
    actor: User | None,
    request: AnyRequest | None,
) -> Component:
    component = Component.objects.get(pk=component.pk)
    if component.removed_at is not None or component.voided_at is not None:
        raise ConflictError("not_in_place", "This part isn't in the machine any more.")
    if at < component.installed_at:
        raise InvalidInputError(
            "removed_before_installed", "A part is taken out after it was put in.", field="at"
        )
    component.removed_at, component.removed_by = at, actor
    component.removal_reason = clean(reason, field="reason", limit=300)
    component.save(update_fields=["removed_at", "removed_by", "removal_reason"])
    append(
        device=device,
        kind=EventKind.COMPONENT_REMOVED,
        at=at,
        actor=actor,
        payload=_payload(component, component.removal_reason),
    )
    audit.record(actor=actor, verb="removed", obj=component, request=request)
    return component


@transaction.atomic
def replace(
    *,
    component: Component,
    part: Part,
    actor: User | None,
    reason: str,
    at: datetime | None = None,
    request: AnyRequest | None = None,
) -> Component:
    """Take a part out and put another into its place, at one moment.

    Raises:
        InvalidInputError, ConflictError: as `remove` and `install`.
    """
    device, at = _lock(component.device), _moment(at)
    shared: dict[str, Any] = {
        "device": device,
        "at": at,
        "reason": reason,
        "actor": actor,
        "request": request,
    }
    old = _take_out(component=component, **shared)
    return _put_in(kind=old.kind, position=old.position, part=part, **shared)


@transaction.atomic
def correct(
    *, component: Component, actor: User, reason: str, request: AnyRequest | None = None
) -> Component:
    """Take back the last entry about a part: its removal, else its installation.

    The entry stays in the journal, and beside it stands that it was a mistake.

    Raises:
        InvalidInputError: `reason_missing`.
        ConflictError: `already_withdrawn`, `place_taken`, `part_elsewhere`, `device_retired`.
    """
    device = _lock(component.device)
    component = Component.objects.get(pk=component.pk)
    reason = clean(reason, field="reason", limit=300)
    if component.voided_at is not None:
        raise ConflictError("already_withdrawn", "This entry is withdrawn already.")
    of, at = "installed", component.installed_at
    if component.removed_at is None:
        component.voided_at, component.void_reason = timezone.now(), reason
    else:
        of, at = "removed", component.removed_at
        _check_place(device, component.kind, component.position, at, without=component.pk)
        component.removed_at, component.removed_by, component.removal_reason = None, None, ""
    try:
        with transaction.atomic():
            component.save()
    except IntegrityError:
        raise _elsewhere(component) from None
    append(
        device=device,
        kind=EventKind.COMPONENT_CORRECTED,
        at=at,
        actor=actor,
        payload={**_payload(component, reason), "of": of},
    )
    audit.record(
        actor=actor, verb="corrected", obj=component, request=request, detail={"entry": of}
    )
    return component
