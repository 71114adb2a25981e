"""Keeping scenarios by name, taking them away, and applying their moves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction

from accounts.models import User
from accounts.services import audit
from devices.plain_text import clean
from devices.services.order_changes import AnyRequest
from planning.assumptions import Assumptions
from planning.book import Book
from planning.changes import Change
from planning.models import Scenario
from planning.services import moves
from twinhealth.errors import ConflictError

MOST = 200


def keep(
    *,
    actor: User,
    name: str,
    changes: Sequence[Change],
    given: Assumptions,
    result: dict[str, Any],
    request: AnyRequest = None,
) -> Scenario:
    """Keep a scenario with what the simulation said of it.

    Raises:
        InvalidInputError: `name_missing`, `name_too_long`.
        ConflictError: `name_taken`; `too_many_scenarios`.
    """
    name = clean(name, field="name", limit=100)
    taken = ConflictError("name_taken", "Another scenario has this name.")
    try:
        with transaction.atomic():
            if Scenario.objects.count() >= MOST:
                raise ConflictError(
                    "too_many_scenarios", f"{MOST} scenarios are kept: delete some.", limit=MOST
                )
            if Scenario.objects.filter(name=name).exists():
                raise taken
            made = Scenario.objects.create(
                name=name,
                changes=[each.to_json() for each in changes],
                assumptions=given.given(),
                result=result,
                made_by=actor,
            )
            audit.record(
                actor=actor,
                verb="created",
                obj=made,
                request=request,
                detail={"changes": [each.text for each in changes]},
            )
    except IntegrityError:
        raise taken from None
    return made


@transaction.atomic
def delete(*, actor: User, scenario: Scenario, request: AnyRequest = None) -> None:
    """Take it away; the audit trail keeps its name and changes."""
    audit.record(
        actor=actor,
        verb="deleted",
        obj=scenario,
        request=request,
        detail={"name": scenario.name, "changes": scenario.changes},
    )
    scenario.delete()


def apply(
    *,
    actor: User,
    book: Book,
    changes: Sequence[Change],
    reason: str,
    seen: Mapping[int, Sequence[Any]] | None = None,
    scenario: Scenario | None = None,
    now: datetime,
    request: AnyRequest = None,
) -> list[moves.MoveFate]:
    """Write the moves among the changes into the orders.

    Args:
        actor: who applies it.
        book: the hospital as it is now.
        changes: of the scenario; only its moves are written.
        reason: kept in each order's history.
        seen: where each order stood when the scenario was looked at.
        scenario: where it was kept: it says that it was applied.
        now: when.
        request: for the audit trail.

    Raises:
        InvalidInputError: `reason_missing`, `reason_too_long`, `nothing_to_move`.
    """
    reason = clean(reason, field="reason", limit=300)
    seen = seen or {}
    wanted = [
        moves.Wanted(each.order, each.day, reason, seen.get(each.order, ()))
        for each in changes
        if each.kind == "move" and each.order is not None and each.day is not None
    ]
    found = moves.write(
        actor=actor,
        wanted=wanted,
        book=book,
        what=scenario.name if scenario else reason,
        request=request,
    )
    if scenario is not None and any(not each.code for each in found):
        Scenario.objects.filter(pk=scenario.pk).update(applied_at=now, applied_by=actor)
    return found
