"""Each person says of what to be told, and how."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import time

from django.db import transaction

from accounts.models import User
from devices.models import Device, Subscription
from twinhealth.errors import InvalidInputError

MAX_ROOMS = 100


@transaction.atomic
def subscribe(
    *,
    user: User,
    watch: bool,
    act: bool,
    escalations: bool,
    in_app: bool,
    email: bool,
    rooms: Sequence[str] = (),
    devices: Sequence[Device] = (),
    quiet_from: time | None = None,
    quiet_to: time | None = None,
) -> Subscription:
    """Make or replace the person's subscription; with no channel it is none.

    Args:
        user: whose.
        watch: of watch alerts.
        act: of act alerts.
        escalations: of act alerts that nobody acknowledged in time.
        in_app: as a line behind the bell.
        email: to the account's address.
        rooms: of machines in these rooms; with `devices` empty too, of all machines.
        devices: of these machines.
        quiet_from: hospital's time from which e-mails of watch alerts wait.
        quiet_to: until then.

    Raises:
        InvalidInputError: `quiet_hours_half`, `too_many_rooms`, `no_address` for e-mail to an
            account without one.
    """
    if (quiet_from is None) != (quiet_to is None):
        raise InvalidInputError("quiet_hours_half", "Quiet hours have a begin and an end.")
    wanted = sorted({room.strip()[:64] for room in rooms if room.strip()})
    if len(wanted) > MAX_ROOMS:
        raise InvalidInputError("too_many_rooms", f"At most {MAX_ROOMS} rooms.", limit=MAX_ROOMS)
    if email and not user.email:
        raise InvalidInputError("no_address", "This account has no e-mail address.")
    row, _ = Subscription.objects.update_or_create(
        user=user,
        defaults={
            "watch": watch,
            "act": act,
            "escalations": escalations,
            "in_app": in_app,
            "email": email,
            "rooms": wanted,
            "quiet_from": quiet_from,
            "quiet_to": quiet_to,
        },
    )
    row.devices.set(devices)
    return row


def of(user: User) -> Subscription:
    """The person's subscription; one that is not saved yet tells of nothing."""
    found = Subscription.objects.filter(user=user).first()
    return found or Subscription(user=user, in_app=False)
