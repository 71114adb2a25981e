"""Reads of accounts and of the audit trail."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.db.models import Q, QuerySet
from django.utils import timezone

from twinhealth.errors import InvalidInputError, NotFoundError

from .models import AuditEntry, User
from .permissions import Role

PAGE = 50
COUNT_CAP = 10_000

USER_ORDERINGS = {
    "username": "username",
    "display_name": "display_name",
    "role": "role",
    "last_login": "last_login",
    "date_joined": "date_joined",
}


def users(*, q: str = "", role: str = "", active: str = "", ordering: str = "") -> QuerySet[User]:
    """Accounts, filtered and sorted; unknown filter values are ignored.

    Args:
        q: part of the user name or the display name.
        role: a value of `Role`.
        active: `yes` or `no`.
        ordering: a key of `USER_ORDERINGS`, `-` in front for descending.
    """
    found = User.objects.all()
    if q:
        found = found.filter(Q(username__icontains=q) | Q(display_name__icontains=q))
    if role in Role.values:
        found = found.filter(role=role)
    if active in {"yes", "no"}:
        found = found.filter(is_active=active == "yes")
    field = USER_ORDERINGS.get(ordering.removeprefix("-"), "username")
    sign = "-" if ordering.startswith("-") else ""
    return found.order_by(f"{sign}{field}", "pk")


def user(pk: int) -> User:
    """One account.

    Raises:
        NotFoundError: `user_not_found`.
    """
    found = User.objects.filter(pk=pk).first()
    if found is None:
        raise NotFoundError("user_not_found", "There is no such account.")
    return found


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """What the audit page can be narrowed by; empty means all."""

    actor: str = ""
    verb: str = ""
    object_type: str = ""
    object_id: str = ""
    patient: int | None = None
    since: date | None = None
    until: date | None = None  # included
    request_id: str = ""

    def as_dict(self) -> dict[str, str]:
        """The filters in use, for the address and the audit trail itself."""
        values = {
            "actor": self.actor,
            "verb": self.verb,
            "object_type": self.object_type,
            "object_id": self.object_id,
            "patient": self.patient,
            "since": self.since,
            "until": self.until,
            "request_id": self.request_id,
        }
        return {key: str(value) for key, value in values.items() if value not in (None, "")}


def audit_entries(chosen: AuditFilter) -> QuerySet[AuditEntry]:
    """Rows, newest first. Days are days of the hospital's zone."""
    equal: dict[str, Any] = {
        "actor_name": chosen.actor,
        "verb": chosen.verb,
        "object_type": chosen.object_type,
        "object_id": chosen.object_id,
        "patient_ref": chosen.patient,
        "request_id": chosen.request_id,
    }
    found = AuditEntry.objects.filter(**{k: v for k, v in equal.items() if v not in (None, "")})
    if chosen.since:
        found = found.filter(at__gte=_midnight(chosen.since))
    if chosen.until and chosen.until < date.max:
        found = found.filter(at__lt=_midnight(chosen.until + timedelta(days=1)))
    return found.order_by("-at", "-id")


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))


@dataclass(frozen=True, slots=True)
class AuditPage:
    """One page; the next begins below `next_cursor`."""

    rows: list[AuditEntry]
    next_cursor: str
    count: int
    more_than_count: bool  # counting stopped at `COUNT_CAP`


def audit_page(
    chosen: AuditFilter, *, before: str = "", size: int = PAGE, counted: bool = True
) -> AuditPage:
    """A page by keyset: as fast on page 1,000 of millions of rows as on page 1.

    Args:
        chosen: the filters.
        before: `next_cursor` of the page above; empty for the newest rows.
        size: rows.
        counted: count the rows, up to `COUNT_CAP`.

    Raises:
        InvalidInputError: `bad_cursor`.
    """
    found = audit_entries(chosen)
    rows = list(_below(found, before)[: size + 1])
    last = rows[size - 1] if len(rows) > size else None
    count = found[: COUNT_CAP + 1].count() if counted else 0
    return AuditPage(
        rows=rows[:size],
        next_cursor=f"{last.at.isoformat()}_{last.pk}" if last else "",
        count=min(count, COUNT_CAP),
        more_than_count=count > COUNT_CAP,
    )


def _below(found: QuerySet[AuditEntry], cursor: str) -> QuerySet[AuditEntry]:
    if not cursor:
        return found
    at_text, _, pk_text = cursor.rpartition("_")
    try:
        at, pk = datetime.fromisoformat(at_text), int(pk_text)
        if at.tzinfo is None or not 0 <= pk < 2**63:
            raise _bad_cursor()
        at = at.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise _bad_cursor() from error
    # the first condition lets the index on time do the work
    return found.filter(at__lte=at).filter(Q(at__lt=at) | Q(id__lt=pk))


def _bad_cursor() -> InvalidInputError:
    return InvalidInputError("bad_cursor", "This page address is not valid. Start at page one.")
