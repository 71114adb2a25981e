"""Which machine took an image: its serial, then an alias a person confirmed, else the inbox."""

from __future__ import annotations

from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import Case, F, Q, Value, When
from django.db.models.functions import Greatest

from devices.facts import MachineName
from devices.models import Device, DeviceAlias, InboxEntry
from devices.models.inbox import InboxState

_MAX = 64


def _clean(text: str, length: int) -> str:
    """Printable, one space between words, no longer than the column."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:length]


def clean_serial(serial: str) -> str:
    """A serial as it is stored and compared."""
    return _clean(serial, _MAX)


def find(serial: str) -> Device | None:
    """The machine of that serial or confirmed alias."""
    wanted = clean_serial(serial)
    if not wanted:
        return None
    device = Device.objects.filter(serial=wanted).first()
    if device is not None:
        return device
    alias = DeviceAlias.objects.select_related("device").filter(value=wanted).first()
    return alias.device if alias else None


@transaction.atomic
def find_or_inbox(*, name: MachineName, seen_at: datetime) -> Device | None:
    """The registered machine, or `None` after noting the name for an engineer.

    A machine is never made silently: the image is kept and read, the name waits in the inbox with
    a count. An image that names no machine at all leaves nothing to register.
    """
    device = find(name.serial)
    if device is not None:
        return device
    serial = clean_serial(name.serial)
    if not serial:
        return None
    if not _count(serial, seen_at):
        try:
            with transaction.atomic():
                InboxEntry.objects.create(
                    serial=serial,
                    manufacturer=_clean(name.manufacturer, 128),
                    model_name=_clean(name.model_name, 128),
                    station_name=_clean(name.station_name, 64),
                    image_count=1,
                    first_seen_at=seen_at,
                    last_seen_at=seen_at,
                )
        except IntegrityError:  # another image of the same machine was first
            _count(serial, seen_at)
    return None


def _count(serial: str, seen_at: datetime) -> bool:
    """One image more for a known name; False if it isn't known.

    An entry whose machine or alias is gone waits again; a dismissed one stays so.
    """
    decided = Q(state__in=[InboxState.REGISTERED, InboxState.ALIASED])
    updated = InboxEntry.objects.filter(serial=serial).update(
        image_count=F("image_count") + 1,
        last_seen_at=Greatest("last_seen_at", Value(seen_at)),
        state=Case(When(decided, then=Value(InboxState.OPEN.value)), default=F("state")),
    )
    return updated > 0
