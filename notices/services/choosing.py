"""Each person chooses how to be told."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import time

from django.db import transaction

from accounts.models import User
from accounts.permissions import may
from accounts.services import audit
from devices.notice_kinds import Way, kinds
from devices.services.order_changes import AnyRequest
from notices.models import LARGEST_AHEAD, MOST_AHEAD, NoticeSettings, Scope
from twinhealth.errors import InvalidInputError

MAX_ROOMS = 100
CHOSEN = (
    "ways", "ahead", "scope", "rooms", "digest", "digest_at", "digest_empty", "quiet_from",
    "quiet_to", "quiet_days", "urgent_passes",
)  # fmt: skip


@transaction.atomic
def choose(
    *,
    user: User,
    ways: Mapping[str, str],
    ahead: Collection[int],
    scope: str,
    rooms: Sequence[str] = (),
    digest: bool,
    digest_at: time,
    digest_empty: bool = False,
    quiet_from: time | None = None,
    quiet_to: time | None = None,
    quiet_days: Collection[int] = (),
    urgent_passes: bool = True,
    request: AnyRequest = None,
) -> NoticeSettings:
    """Make or replace a person's settings; see `NoticeSettings` for each.

    Raises:
        InvalidInputError: as `checked`.
    """
    row = checked(
        user=user, ways=ways, ahead=ahead, scope=scope, rooms=rooms, digest=digest,
        digest_at=digest_at, digest_empty=digest_empty, quiet_from=quiet_from, quiet_to=quiet_to,
        quiet_days=quiet_days, urgent_passes=urgent_passes,
    )  # fmt: skip
    saved, _ = NoticeSettings.objects.update_or_create(
        user=user, defaults={name: getattr(row, name) for name in CHOSEN}
    )
    audit.record(
        actor=user,
        verb="chose_notices",
        obj=saved,
        request=request,
        detail={"ways": saved.ways, "digest": saved.digest, "scope": saved.scope},
    )
    return saved


def checked(
    *,
    user: User,
    ways: Mapping[str, str],
    ahead: Collection[int],
    scope: str,
    rooms: Sequence[str] = (),
    **rest: object,
) -> NoticeSettings:
    """The settings, not saved: what a preview is made of.

    Raises:
        InvalidInputError: `unknown_kind`, `unknown_way`, `cannot_be_off`, `bad_days_ahead`,
            `unknown_scope`, `too_many_rooms`, `no_rooms`, `quiet_hours_half`, `bad_quiet_days`,
            `all_days_quiet`.
    """
    _check_ways(user, ways)
    if len(set(ahead)) > MOST_AHEAD or not all(1 <= days <= LARGEST_AHEAD for days in ahead):
        raise InvalidInputError(
            "bad_days_ahead",
            f"At most {MOST_AHEAD} numbers of days, each 1 to {LARGEST_AHEAD}.",
            limit=LARGEST_AHEAD,
        )
    if scope not in Scope.values:
        raise InvalidInputError("unknown_scope", "Choose whose orders.", known=Scope.values)
    wanted = sorted({room.strip()[:64] for room in rooms if room.strip()})
    if len(wanted) > MAX_ROOMS:
        raise InvalidInputError("too_many_rooms", f"At most {MAX_ROOMS} rooms.", limit=MAX_ROOMS)
    if scope == Scope.ROOMS and not wanted:
        raise InvalidInputError("no_rooms", "Choose at least one room.")
    row = NoticeSettings(
        user=user,
        ways={kind: str(way) for kind, way in ways.items()},
        ahead=sorted(set(ahead), reverse=True),
        scope=scope,
        rooms=wanted,
        **rest,
    )
    row.quiet_days = _quiet_days(row)
    return row


def _check_ways(user: User, ways: Mapping[str, str]) -> None:
    known = {kind.key: kind for kind in kinds()}
    for key, way in ways.items():
        # what a person may not have told isn't theirs to choose, and isn't named
        if key not in known or not may(user, known[key].needs):
            raise InvalidInputError("unknown_kind", f"There is no such kind: {key[:40]}.")
        if way not in Way.values:
            raise InvalidInputError("unknown_way", "Choose how to be told.", known=Way.values)
        if way == Way.OFF and user.role in known[key].always:
            raise InvalidInputError(
                "cannot_be_off", f"Your role is told of this: {known[key].label}.", kind=key
            )


def _quiet_days(row: NoticeSettings) -> list[int]:
    if (row.quiet_from is None) != (row.quiet_to is None):
        raise InvalidInputError("quiet_hours_half", "Quiet hours have a begin and an end.")
    days = sorted(set(row.quiet_days))
    if not all(0 <= day <= 6 for day in days):
        raise InvalidInputError("bad_quiet_days", "Days are 0, Monday, to 6.")
    if len(days) == 7:
        raise InvalidInputError(
            "all_days_quiet", "Leave a day of the week on which e-mails may come."
        )
    return days
