"""A machine's own keys: made, changed and revoked by people, looked at by the doors of readings."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from accounts.models import User
from accounts.services import audit
from devices.models import Device, DeviceKey
from devices.plain_text import clean
from twinhealth.errors import (
    ConflictError,
    DomainError,
    InvalidInputError,
    NotFoundError,
    NotPermittedError,
)

from . import AnyRequest
from .events import lock_twin

MAX_LIVE = 10  # keys of one machine
OVERLAP = timedelta(days=7)  # for which the old key goes on when it is changed
MAX_OVERLAP = timedelta(days=90)
USED_TO_THE = timedelta(minutes=1)  # a row is not written for every reading
# an open part to find the row by, and 256 random bits
_KEY = re.compile(r"thd_([0-9a-f]{12})_([A-Za-z0-9_-]{43})")


class KeyRefusedError(DomainError):
    """A key that opens nothing: `key_unknown`, `key_revoked`, `key_expired`."""


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@transaction.atomic
def make(
    *,
    device: Device,
    name: str,
    actor: User,
    expires_at: datetime | None = None,
    request: AnyRequest | None = None,
) -> tuple[DeviceKey, str]:
    """A new key; the text beside the row is shown once and kept nowhere.

    Args:
        device: the only machine whose readings it may send.
        name: what people call it: where it is installed.
        actor: who makes it.
        expires_at: never unless told.
        request: for the audit row.

    Raises:
        InvalidInputError: `name_missing`, `name_too_long`, `name_invalid`, `expires_in_past`.
        ConflictError: `too_many_keys`.
    """
    name = clean(name, field="name", limit=64)
    now = timezone.now()
    if expires_at is not None and expires_at <= now:
        raise InvalidInputError("expires_in_past", "A new key can't have expired already.")
    lock_twin(device.pk)
    key, text = _add(device, name, actor, expires_at, now)
    audit.record(
        actor=actor, verb="key_made", obj=device, request=request, detail={"key": key.prefix}
    )
    return key, text


def _add(
    device: Device, name: str, actor: User, expires_at: datetime | None, now: datetime
) -> tuple[DeviceKey, str]:
    """Needs the device's lock."""
    if sum(key.state(now) == "live" for key in device.keys.all()) >= MAX_LIVE:
        raise ConflictError(
            "too_many_keys", f"At most {MAX_LIVE} keys of a machine; revoke one.", limit=MAX_LIVE
        )
    prefix = secrets.token_hex(6)
    text = f"thd_{prefix}_{secrets.token_urlsafe(32)}"
    key = DeviceKey.objects.create(
        device=device,
        name=name,
        prefix=prefix,
        digest=_digest(text),
        created_at=now,
        created_by=actor,
        expires_at=expires_at,
    )
    return key, text


@transaction.atomic
def rotate(
    *,
    key: DeviceKey,
    actor: User,
    overlap: timedelta = OVERLAP,
    request: AnyRequest | None = None,
) -> tuple[DeviceKey, str]:
    """A successor of the same name; the old key goes on for `overlap`, so that nothing is lost.

    Raises:
        InvalidInputError: `bad_overlap`, below nothing or above 90 days.
        ConflictError: `key_not_live`, `too_many_keys`.
    """
    if not timedelta(0) <= overlap <= MAX_OVERLAP:
        raise InvalidInputError("bad_overlap", "The old key goes on for 0 to 90 days.")
    lock_twin(key.device_id)
    now = timezone.now()
    key = DeviceKey.objects.select_related("device").get(pk=key.pk)
    if key.state(now) != "live":
        raise ConflictError("key_not_live", f"This key is {key.state(now)}; make a new one.")
    until = now + overlap
    if key.expires_at is None or until < key.expires_at:
        key.expires_at = until
        key.save(update_fields=["expires_at"])
    made, text = _add(key.device, key.name, actor, None, now)
    audit.record(
        actor=actor,
        verb="key_rotated",
        obj=key.device,
        request=request,
        detail={"key": key.prefix, "successor": made.prefix},
    )
    return made, text


@transaction.atomic
def revoke(*, key: DeviceKey, actor: User, request: AnyRequest | None = None) -> DeviceKey:
    """It opens nothing from now on; again: no change."""
    lock_twin(key.device_id)
    key = DeviceKey.objects.select_related("device").get(pk=key.pk)
    if key.revoked_at is None:
        key.revoked_at, key.revoked_by = timezone.now(), actor
        key.save(update_fields=["revoked_at", "revoked_by"])
        audit.record(
            actor=actor,
            verb="key_revoked",
            obj=key.device,
            request=request,
            detail={"key": key.prefix},
        )
    return key


def get(*, device: Device, key_id: int) -> DeviceKey:
    """The machine's key, or `NotFoundError` `key_not_found`."""
    found = DeviceKey.objects.filter(device=device, pk=key_id).first()
    if found is None:
        raise NotFoundError("key_not_found", "This machine has no such key.")
    return found


def open_part(text: str) -> str:
    """What may be told of a key's text: nothing unless it has a key's form."""
    match = _KEY.fullmatch(text)
    return match[1] if match else ""


def authenticate(*, text: str, now: datetime) -> DeviceKey:
    """The live key that this is, with its device; compared in constant time.

    Raises:
        KeyRefusedError: `key_unknown`, `key_revoked`, `key_expired`. The latter two are told only
            to who has the whole key.
    """
    found = authenticate_many(texts=[text], now=now)[text]
    if isinstance(found, KeyRefusedError):
        raise found
    return found


def authenticate_many(
    *, texts: Collection[str], now: datetime
) -> dict[str, DeviceKey | KeyRefusedError]:
    """`authenticate` for many in two queries; the error stands where the key would."""
    parts = {text: open_part(text) for text in texts}
    rows = DeviceKey.objects.select_related("device").filter(prefix__in=set(parts.values()) - {""})
    known = {key.prefix: key for key in rows}
    found = {text: _judge(known.get(prefix), text, now) for text, prefix in parts.items()}
    _note_use([key for key in found.values() if isinstance(key, DeviceKey)], now)
    return found


def _judge(key: DeviceKey | None, text: str, now: datetime) -> DeviceKey | KeyRefusedError:
    right = hmac.compare_digest(key.digest if key else "0" * 64, _digest(text) if key else "")
    if not right or key is None:
        return KeyRefusedError("key_unknown", "This is no key of a machine.")
    state = key.state(now)
    if state != "live":
        return KeyRefusedError(f"key_{state}", f"This key is {state}; ask for a new one.")
    return key


def _note_use(keys: Sequence[DeviceKey], now: datetime) -> None:
    before = now - USED_TO_THE
    stale = [k.pk for k in keys if k.last_used_at is None or k.last_used_at < before]
    if stale:
        rows = DeviceKey.objects.filter(Q(last_used_at=None) | Q(last_used_at__lt=before))
        rows.filter(pk__in=sorted(stale)).update(last_used_at=now)


def check_device(*, key: DeviceKey, device_id: int) -> None:
    """A key opens its own machine only.

    Raises:
        NotPermittedError: `wrong_device`.
    """
    if key.device_id != device_id:
        raise NotPermittedError("wrong_device", "This key belongs to another machine.")
