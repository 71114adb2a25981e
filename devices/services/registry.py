"""Machines are registered, configured and taken in and out of service by people."""

from __future__ import annotations

import json
from collections.abc import Collection
from contextlib import suppress
from typing import Any

from django.db import IntegrityError, transaction

from accounts.models import User
from accounts.services import audit
from devices.models import Device, DeviceAlias, DeviceModel, Downtime, Metric
from devices.models.device import Lifecycle
from devices.models.twin import EventKind
from devices.standard_metrics import STANDARD_METRICS
from twinhealth.errors import ConflictError, InvalidInputError

from . import AnyRequest, alerts, downtimes, model_plans
from .events import append, lock_twin
from .identify import clean_serial

MAX_CONFIG_KEYS = 100
MAX_CONFIG_TEXT = 500


def find_model(given: int | str) -> DeviceModel:
    """A known model by id, name, or manufacturer and name.

    Raises:
        InvalidInputError: `unknown_model`, `ambiguous_model`; `extra.known` lists those there are.
    """
    models = list(DeviceModel.objects.order_by("manufacturer", "name"))
    text = str(given).strip()
    found = [m for m in models if text in {str(m.pk), m.name, str(m)}]
    known = [{"id": m.pk, "name": str(m)} for m in models]
    if not found:
        names = ", ".join(str(m) for m in models) or "none yet"
        raise InvalidInputError(
            "unknown_model",
            f"There is no model {text[:80]!r}. Known: {names}. A new one is given as "
            "manufacturer, name and modality.",
            known=known,
        )
    if len(found) > 1:
        raise InvalidInputError(
            "ambiguous_model", "More than one make has this name; use the id.", known=known
        )
    return found[0]


@transaction.atomic
def ensure_model(
    *,
    manufacturer: str,
    name: str,
    modality: str,
    actor: User,
    request: AnyRequest | None = None,
) -> DeviceModel:
    """The model of that make and name; a new one gets the standard metrics, without limits.

    Raises:
        InvalidInputError: `model_incomplete`.
    """
    manufacturer, name = manufacturer.strip()[:128], name.strip()[:128]
    modality = modality.strip().upper()[:16]
    if not (manufacturer and name and modality):
        raise InvalidInputError(
            "model_incomplete", "A new model needs manufacturer, name and modality (CR, DX)."
        )
    model, made = DeviceModel.objects.get_or_create(
        manufacturer=manufacturer, name=name, defaults={"modality": modality}
    )
    if made:
        add_standard_metrics(model=model)
        audit.record(actor=actor, verb="described", obj=model, request=request)
    return model


def add_standard_metrics(*, model: DeviceModel, without: Collection[str] = ()) -> None:
    """Give a new model the metrics that images tell of, without limits.

    Args:
        model: has none of them yet.
        without: keys that the model defines itself.
    """
    Metric.objects.bulk_create(
        Metric(
            device_model=model,
            key=m.key,
            label=m.label,
            unit=m.unit,
            max_age=m.max_age,
            plausible_low=m.low,
            plausible_high=m.high,
            counter_of=m.counter_of,
        )
        for m in STANDARD_METRICS
        if m.key not in without
    )


@transaction.atomic
def register_device(
    *,
    serial: str,
    name: str,
    model: DeviceModel,
    actor: User | None,
    location: str = "",
    desired_config: dict[str, Any] | None = None,
    is_synthetic: bool = False,
    request: AnyRequest | None = None,
    **details: Any,
) -> Device:
    """Register a machine that a person vouches for.

    Args:
        serial: as the machine writes it into its images.
        name: what people call it.
        model: its make.
        actor: who; `None` for a set-up command.
        location: room.
        desired_config: how it should be set.
        is_synthetic: made up for the demo.
        request: for the audit row.
        **details: other columns of `Device` (`ae_titles`, `udi`, `criticality`).

    Raises:
        InvalidInputError: `serial_missing`, `name_missing`, `bad_config`.
        ConflictError: `serial_taken` by a machine or an alias.
    """
    serial, name = clean_serial(serial), name.strip()[:128]
    if not serial:
        raise InvalidInputError("serial_missing", "A machine needs its serial number.")
    if not name:
        raise InvalidInputError("name_missing", "A machine needs a name.")
    config = _checked_config(desired_config or {})
    other = DeviceAlias.objects.select_related("device").filter(value=serial).first()
    if other is not None:
        raise ConflictError(
            "serial_taken", f"This serial is an alias of {other.device}.", device=other.device_id
        )
    try:
        with transaction.atomic():
            device = Device.objects.create(
                serial=serial,
                name=name,
                model=model,
                location=location.strip()[:64],
                desired_config=config,
                is_synthetic=is_synthetic,
                registered_by=actor,
                **details,
            )
    except IntegrityError:
        there = Device.objects.filter(serial=serial).first()
        raise ConflictError(
            "serial_taken",
            "A machine with this serial is registered already.",
            device=there.pk if there else None,
        ) from None
    append(
        device=device,
        kind=EventKind.REGISTERED,
        at=device.registered_at,
        actor=actor,
        payload={"serial": serial, "name": name, "model": str(model)},
    )
    if config:
        append(
            device=device, kind=EventKind.CONFIG_DESIRED, actor=actor, payload={"config": config}
        )
    audit.record(actor=actor, verb="registered", obj=device, request=request)
    model_plans.spread_to(device, actor=actor)
    return device


def _checked_config(config: Any) -> dict[str, Any]:
    """Flat, small, plain values."""
    good = isinstance(config, dict) and len(config) <= MAX_CONFIG_KEYS
    if good:
        good = all(
            isinstance(key, str)
            and key.strip()
            and len(key) <= 64
            and isinstance(value, str | int | float | bool)
            and len(str(value)) <= MAX_CONFIG_TEXT
            and "\0" not in f"{key}{value}"
            for key, value in config.items()
        )
    if not good:
        raise InvalidInputError(
            "bad_config",
            f"At most {MAX_CONFIG_KEYS} names, each with a short text or a number.",
        )
    try:
        json.dumps(config, allow_nan=False)
    except ValueError:
        raise InvalidInputError("bad_config", "A value is not a finite number.") from None
    return dict(config)


@transaction.atomic
def set_desired_config(
    *,
    device: Device,
    config: dict[str, Any],
    actor: User,
    request: AnyRequest | None = None,
) -> Device:
    """Say how the machine should be set; replaces what was wanted before. The same: no event.

    Raises:
        InvalidInputError: `bad_config`.
    """
    config = _checked_config(config)
    lock_twin(device.pk)
    device = Device.objects.get(pk=device.pk)
    if device.desired_config == config:
        return device
    before, device.desired_config = device.desired_config, config
    device.save(update_fields=["desired_config"])
    append(
        device=device,
        kind=EventKind.CONFIG_DESIRED,
        actor=actor,
        payload={"config": config, "previous": before},
    )
    audit.record(
        actor=actor,
        verb="configured",
        obj=device,
        request=request,
        detail={"keys": sorted({*config, *before})},
    )
    return device


@transaction.atomic
def set_lifecycle(
    *,
    device: Device,
    lifecycle: str,
    actor: User | None,
    reason: str = "",
    request: AnyRequest | None = None,
) -> Device:
    """Take a machine out of service, back in, or retire it for good.

    Out of service begins a downtime, anything else ends it. One that is open already stays as it
    is, and so does one that was planned and stands in the way.

    Raises:
        InvalidInputError: `unknown_lifecycle`.
        ConflictError: `device_retired`, and `bad_transition` where it stands there already.
    """
    if lifecycle not in Lifecycle.values:
        raise InvalidInputError(
            "unknown_lifecycle", "Choose one of the known states.", known=list(Lifecycle.values)
        )
    lock_twin(device.pk)
    device = Device.objects.get(pk=device.pk)
    if device.lifecycle == Lifecycle.RETIRED:
        raise ConflictError("device_retired", "This machine is retired; its history stays.")
    if device.lifecycle == lifecycle:
        raise ConflictError("bad_transition", f"It is {device.get_lifecycle_display()} already.")
    device.lifecycle = lifecycle
    device.save(update_fields=["lifecycle"])
    _note_downtime(device=device, reason=reason, actor=actor, request=request)
    append(
        device=device,
        kind=EventKind.LIFECYCLE,
        actor=actor,
        payload={"lifecycle": lifecycle, "reason": reason.strip()[:300]},
    )
    if lifecycle == Lifecycle.RETIRED:
        alerts.resolve_retired(device=device, actor=actor, reason=reason, request=request)
    audit.record(
        actor=actor,
        verb="lifecycle_changed",
        obj=device,
        request=request,
        detail={"to": lifecycle},
    )
    return device


def _note_downtime(
    *, device: Device, reason: str, actor: User | None, request: AnyRequest | None
) -> None:
    open_one = Downtime.objects.filter(device=device, ends_at=None).first()
    if device.lifecycle != Lifecycle.OUT_OF_SERVICE:
        if open_one is not None:
            downtimes.end(downtime=open_one, actor=actor, request=request)
    elif open_one is None:
        with suppress(ConflictError):  # planned for now or later: two rows would count time twice
            downtimes.create(
                actor=actor,
                device=device,
                reason=reason.strip()[:300] or "taken out of service",
                request=request,
            )
