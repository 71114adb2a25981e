"""Instruments with which is measured."""

from __future__ import annotations

from datetime import date

from django.db import IntegrityError, transaction

from accounts.models import User
from accounts.services import audit
from devices.plain_text import clean
from devices.services.order_changes import AnyRequest
from quality.models import Instrument
from twinhealth.errors import ConflictError


@transaction.atomic
def create(
    *, actor: User, name: str, serial: str, calibrated_until: date, request: AnyRequest = None
) -> Instrument:
    """An instrument and the last day of its own calibration.

    Raises:
        InvalidInputError: a text's own code.
        ConflictError: `instrument_exists`.
    """
    name = clean(name, field="name", limit=120)
    serial = clean(serial, field="serial", limit=64)
    try:
        with transaction.atomic():
            found = Instrument.objects.create(
                name=name, serial=serial, calibrated_until=calibrated_until
            )
    except IntegrityError:
        raise ConflictError("instrument_exists", "This instrument is known already.") from None
    audit.record(actor=actor, verb="created", obj=found, request=request)
    return found


@transaction.atomic
def recalibrated(
    *, instrument: Instrument, actor: User, calibrated_until: date, request: AnyRequest = None
) -> Instrument:
    """Its calibration holds until another day; signed sessions keep what they said."""
    found = Instrument.objects.select_for_update(no_key=True).get(pk=instrument.pk)
    before, found.calibrated_until = found.calibrated_until, calibrated_until
    found.save(update_fields=["calibrated_until"])
    audit.record(
        actor=actor,
        verb="changed",
        obj=found,
        request=request,
        detail={"calibrated_until": [before.isoformat(), calibrated_until.isoformat()]},
    )
    return found
