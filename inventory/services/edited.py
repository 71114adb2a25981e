"""What all edits of this room do: texts checked, what changed told to the audit trail."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, models, transaction

from accounts.models import User
from accounts.services import audit
from twinhealth.errors import ConflictError, InvalidInputError

from . import AnyRequest

LARGEST = 2**31 - 1  # what an integer column holds
MAX_PRICE = Decimal(10_000_000)

Changes = dict[str, list[Any]]


def money(value: Any, *, field: str) -> Decimal | None:
    """An amount in the hospital's currency, to the cent; `None` where it isn't known.

    Raises:
        InvalidInputError: `<field>_out_of_range`.
    """
    if value is None:
        return None
    found = Decimal(value)
    if not found.is_finite() or not 0 <= found <= MAX_PRICE:
        raise InvalidInputError(
            f"{field}_out_of_range", f"An amount from 0 to {MAX_PRICE:,}.", field=field
        )
    return found.quantize(Decimal("0.01"))


def whole(value: Any, *, field: str, low: int = 0, high: int = 1_000_000) -> int:
    """A whole number within its limits.

    Raises:
        InvalidInputError: `<field>_out_of_range`.
    """
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        name = field.replace("_", " ")
        raise InvalidInputError(
            f"{field}_out_of_range", f"The {name} is a whole number, {low} to {high}.", field=field
        )
    return value


def plain(value: Any) -> Any:
    """A value as JSON keeps it."""
    if isinstance(value, list | tuple | set):
        return sorted(str(each) for each in value)
    if value is None or isinstance(value, bool | int | str):
        return value
    return str(value)


def save(
    row: models.Model,
    wanted: Mapping[str, Any],
    *,
    many: Mapping[str, Any] | None = None,
    actor: User | None,
    taken: str,
    request: AnyRequest = None,
) -> Changes:
    """Store a new or changed row; nothing is written where nothing differs.

    Called within the service's transaction.

    Args:
        row: new, or locked by the caller.
        wanted: column -> checked value.
        many: many-to-many field -> rows.
        actor: who.
        taken: code of the error where another row has what must be unique.
        request: for the audit trail.

    Returns:
        Column -> [before, after]; of a new row all that is wanted.

    Raises:
        ConflictError: `taken`.
    """
    new = row.pk is None
    changes: Changes = {
        name: [None if new else plain(getattr(row, name)), plain(value)]
        for name, value in wanted.items()
        if new or getattr(row, name) != value
    }
    for name, value in wanted.items():
        setattr(row, name, value)
    if new or changes:
        try:
            with transaction.atomic():
                row.save()
        except IntegrityError as error:
            raise ConflictError(taken, "There is one already, or it contradicts itself.") from error
    for name, rows in (many or {}).items():
        manager = getattr(row, name)
        before = [] if new else list(manager.all())
        if {each.pk for each in before} != {each.pk for each in rows}:
            changes[name] = [plain(before), plain(rows)]
            manager.set(rows)
    if new or changes:
        verb = "created" if new else "changed"
        audit.record(actor=actor, verb=verb, obj=row, request=request, detail=dict(changes))
    return changes
