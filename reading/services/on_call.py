"""On-call lists, kept by admins."""

from __future__ import annotations

from django.db import transaction
from django.http import HttpRequest

from accounts.models import User
from accounts.permissions import Can, may
from accounts.services import audit
from reading.models import OnCallList
from twinhealth.errors import InvalidInputError

LONGEST = 24 * 60  # minutes of one step


def save(
    *, name: str, people: list[tuple[str, int]], user: User, request: HttpRequest | None = None
) -> OnCallList:
    """Make the list of this name, or replace who stands on it.

    Args:
        people: user name and minutes of each step, in order.
        name: of the list, at most 64 characters.
        user: the admin.
        request: for the audit.

    Raises:
        InvalidInputError: `nobody_on_call`, `no_such_reader`, `bad_minutes`.
    """
    if not people:
        raise InvalidInputError("nobody_on_call", "Name at least one person.")
    with transaction.atomic():
        on_call, _ = OnCallList.objects.get_or_create(name=name)
        on_call.steps.all().delete()
        for position, (username, minutes) in enumerate(people, start=1):
            person = User.objects.filter(username__iexact=username).first()
            if person is None or not may(person, Can.FINDING_REVIEW):
                raise InvalidInputError(
                    "no_such_reader", f"Line {position} names nobody who may read films."
                )
            if not 1 <= minutes <= LONGEST:
                raise InvalidInputError("bad_minutes", f"A step lasts 1 to {LONGEST} minutes.")
            on_call.steps.create(position=position, user=person, minutes=minutes)
        audit.record(
            actor=user,
            verb="changed_on_call",
            obj=on_call,
            request=request,
            detail={"steps": [minutes for _, minutes in people]},
        )
        return on_call
