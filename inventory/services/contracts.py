"""Contracts and warranties: made, changed, withdrawn."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from accounts.services import audit
from devices.models import Component, Device
from devices.plain_text import clean
from inventory.models import Contract, ContractKind, Vendor, Warranty
from twinhealth.errors import ConflictError, InvalidInputError

from . import AnyRequest, edited

_TEXTS = {"number": 64, "phone": 32, "note": 300}


@transaction.atomic
def save(
    *, actor: User, contract: Contract | None = None, request: AnyRequest = None, **given: Any
) -> Contract:
    """A new contract, or changes of one; what isn't named stays.

    Args:
        actor: who.
        contract: the one to change.
        request: for the audit trail.
        given: columns of `Contract`; `devices` and `device_models` are rows.

    Raises:
        InvalidInputError: `contract_covers_nothing`, `contract_ends_before`, `unknown_kind`,
            `notice_days_out_of_range`, `response_hours_out_of_range`,
            `cost_per_year_out_of_range`, and those of `clean`.
        ConflictError: `contract_exists`.
    """
    row = (
        Contract()
        if contract is None
        else Contract.objects.select_for_update(no_key=True).get(pk=contract.pk)
    )
    many: dict[str, Any] = {
        n: list(given.pop(n)) for n in ("devices", "device_models") if n in given
    }
    wanted = dict(given)
    for name, limit in _TEXTS.items():
        if name in given:
            wanted[name] = clean(given[name], field=name, limit=limit, required=name == "number")
    if "cost_per_year" in given:
        wanted["cost_per_year"] = edited.money(given["cost_per_year"], field="cost_per_year")
    if "notice_days" in given:
        wanted["notice_days"] = edited.whole(given["notice_days"], field="notice_days", high=1_000)
    if given.get("response_hours") is not None:
        edited.whole(given["response_hours"], field="response_hours", high=10_000)
    if wanted.get("kind", row.kind) not in ContractKind.values:
        raise InvalidInputError("unknown_kind", "Choose a known kind.", field="kind")
    if wanted.get("ends_on", row.ends_on) < wanted.get("starts_on", row.starts_on):
        raise InvalidInputError(
            "contract_ends_before", "A contract ends after it starts.", field="ends_on"
        )
    covered = {
        name: many.get(name, list(getattr(row, name).all()) if row.pk else [])
        for name in ("devices", "device_models")
    }
    if not any(covered.values()):
        raise InvalidInputError(
            "contract_covers_nothing", "Choose machines, or models.", field="devices"
        )
    edited.save(row, wanted, many=many, actor=actor, taken="contract_exists", request=request)
    return row


@transaction.atomic
def add_warranty(
    *,
    actor: User,
    device: Device,
    vendor: Vendor,
    until: date,
    component: Component | None = None,
    note: str = "",
    is_synthetic: bool = False,
    request: AnyRequest = None,
) -> Warranty:
    """Until that day a machine, or one of its parts, is repaired for nothing.

    Raises:
        InvalidInputError: `component_of_another_device`, `note_too_long`.
    """
    if component is not None and component.device_id != device.pk:
        raise InvalidInputError(
            "component_of_another_device", "This part is in another machine.", field="component"
        )
    row = Warranty.objects.create(
        device=device,
        component=component,
        vendor=vendor,
        until=until,
        note=clean(note, field="note", limit=300, required=False),
        by=actor,
        is_synthetic=is_synthetic,
    )
    audit.record(actor=actor, verb="created", obj=row, request=request)
    return row


@transaction.atomic
def withdraw_warranty(
    *, warranty: Warranty, actor: User, reason: str, request: AnyRequest = None
) -> Warranty:
    """It was entered by mistake; the row stays.

    Raises:
        InvalidInputError: `reason_missing`, `reason_too_long`.
        ConflictError: `withdrawn_already`.
    """
    row = Warranty.objects.select_for_update(no_key=True).get(pk=warranty.pk)
    if row.withdrawn_at is not None:
        raise ConflictError("withdrawn_already", "This entry is withdrawn already.")
    row.withdraw_reason = clean(reason, field="reason", limit=300)
    row.withdrawn_at = timezone.now()
    row.save(update_fields=["withdraw_reason", "withdrawn_at"])
    audit.record(actor=actor, verb="withdrawn", obj=row, request=request)
    return row
