"""Working a suggestion out, and accepting its moves."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime

from django.db import transaction

from accounts.models import User
from accounts.services import audit
from devices.services.order_changes import AnyRequest
from planning import results
from planning import suggestion as engine
from planning.assumptions import Assumptions
from planning.models import Suggestion
from planning.selectors import hospital
from planning.services import moves

KEPT = 20  # suggestions; each is a page of numbers that were true when it was made


def make(
    *, actor: User, given: Assumptions, now: datetime, request: AnyRequest = None
) -> Suggestion:
    """Propose the next 90 days; nothing of the schedule changes."""
    book = hospital.book(given, now=now)
    found = engine.suggest(book)
    with transaction.atomic():
        made = Suggestion.objects.create(
            moves=[engine.to_json(each) for each in found.moves],
            result=results.of_suggestion(book, found),
            assumptions=given.given(),
            made_by=actor,
        )
        old = Suggestion.objects.values_list("pk", flat=True)[KEPT:]
        Suggestion.objects.filter(pk__in=list(old)).delete()
        audit.record(
            actor=actor,
            verb="created",
            obj=made,
            request=request,
            detail={"moves": len(found.moves), "seed": given.seed},
        )
    return made


def accept(
    *,
    actor: User,
    suggestion: Suggestion,
    orders: Collection[int],
    now: datetime,
    request: AnyRequest = None,
) -> list[moves.MoveFate]:
    """Move the orders chosen to the days proposed, each with its own sentence as the reason.

    Raises:
        InvalidInputError: `nothing_to_move`.
    """
    chosen = set(orders)
    wanted = [
        moves.Wanted(
            each["order"],
            date.fromisoformat(each["to"]),
            f"suggestion {suggestion.pk}: {each['why']}",
            each["seen"],
        )
        for each in suggestion.moves
        if each["order"] is not None and each["order"] in chosen
    ]
    book = hospital.book(Assumptions(), now=now)
    return moves.write(actor=actor, wanted=wanted, book=book, what=str(suggestion), request=request)
