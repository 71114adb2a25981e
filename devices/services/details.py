"""What people call a machine and where it stands; its history stays under whatever name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from accounts.services import audit
from devices import udi
from devices.models import Device
from devices.models.device import Criticality
from devices.models.twin import EventKind
from devices.plain_text import clean
from twinhealth.errors import InvalidInputError

from . import AnyRequest
from .events import append, lock_twin

MAX_AE_TITLES = 8
# PS3.5 table 6.2-1, AE: printable ASCII without the backslash
_AE_TITLE = re.compile(r"[\x21-\x5b\x5d-\x7e](?:[\x20-\x5b\x5d-\x7e]{0,14}[\x21-\x5b\x5d-\x7e])?")


def checked_ae_titles(given: Any) -> list[str]:
    """AE titles, each once.

    Raises:
        InvalidInputError: `ae_title_invalid`.
    """
    titles = [str(title).strip() for title in given] if isinstance(given, list | tuple) else [""]
    if len(titles) > MAX_AE_TITLES or not all(_AE_TITLE.fullmatch(title) for title in titles):
        raise InvalidInputError(
            "ae_title_invalid",
            f"At most {MAX_AE_TITLES} AE titles, each of 1 to 16 plain characters.",
            field="ae_titles",
        )
    return list(dict.fromkeys(titles))


def _checked(name: str, value: Any) -> Any:
    if name in {"name", "location"}:
        limit = 128 if name == "name" else 64
        return clean(str(value), field=name, limit=limit, required=name == "name")
    if name == "udi":
        text = clean(str(value), field="udi", limit=128, required=False)
        udi.parse(text)
        return text
    if name == "criticality":
        if value not in Criticality.values:
            raise InvalidInputError("unknown_criticality", "Choose 1, 2 or 3.", field=name)
        return value
    if name == "noted_since":
        if value is not None and value > timezone.now():
            raise InvalidInputError("in_future", "That moment is still to come.", field=name)
        return value
    return checked_ae_titles(value)


@transaction.atomic
def change_details(
    *,
    device: Device,
    changes: Mapping[str, Any],
    actor: User,
    request: AnyRequest | None = None,
) -> Device:
    """Change what people say of a machine; what is as it was makes no event.

    Args:
        device: which.
        changes: `name`, `location`, `criticality` (1 to 3), `udi`, `ae_titles`, and `noted_since`:
            from when its failures are noted here, aware, or `None` for its registration.
        actor: who.
        request: for the audit row.

    Raises:
        InvalidInputError: `name_missing`, `udi_invalid`, `ae_title_invalid`,
            `unknown_criticality`, `in_future`, and those of `clean`.
    """
    lock_twin(device.pk)
    device = Device.objects.select_related("model").get(pk=device.pk)
    wanted = {name: _checked(name, value) for name, value in changes.items()}
    before = {n: getattr(device, n) for n, v in wanted.items() if getattr(device, n) != v}
    if not before:
        return device
    for name in before:
        setattr(device, name, wanted[name])
    device.save(update_fields=list(before))
    append(
        device=device,
        kind=EventKind.DETAILS_CHANGED,
        actor=actor,
        payload={
            "changed": {name: _plain(wanted[name]) for name in before},
            "previous": {name: _plain(value) for name, value in before.items()},
        },
    )
    audit.record(
        actor=actor,
        verb="described",
        obj=device,
        request=request,
        detail={"fields": sorted(before)},
    )
    return device


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return ", ".join(value)
    return value.isoformat() if hasattr(value, "isoformat") else value
