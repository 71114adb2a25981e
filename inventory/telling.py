"""What people are told of parts, contracts and recalls; the room of notices tells it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from django.urls import reverse

from accounts.permissions import Can, Role
from devices import notice_kinds
from devices.notice_kinds import Happening, Kind, Section, Span, Told, Way

from . import selectors
from .models import CandidateState, Contract, Part, RecallCandidate, StockMovement

# days before the last day on which notice can be given
BEFORE = (30, 7, 0)


def contract_ends(span: Span) -> list[Happening]:
    """30 and 7 days before the last day for giving notice, and on it."""
    # notice is given before the end: those that have ended have nothing to tell
    running = Contract.objects.select_related("vendor").filter(ends_on__gte=span.days[0])
    return [
        Happening(
            at=at,
            subject=contract.pk,
            key=f"{contract.ends_on}:{contract.notice_days}:{days}",
            title=f"Contract {contract.vendor.name} {contract.number}: give notice by"
            f" {selectors.notice_by(contract):%Y-%m-%d}, ends on {contract.ends_on:%Y-%m-%d}",
            path=reverse("inventory:contract", args=[contract.pk]),
            synthetic=contract.is_synthetic,
        )
        for contract in running.order_by("pk")
        for days, at in span.before(selectors.notice_by(contract), BEFORE)
    ]


def _contract_over(told: Sequence[Told], span: Span) -> Mapping[int, str]:
    rows = Contract.objects.filter(pk__in={each.subject for each in told})
    known = {
        pk: f"{end}:{days}" for pk, end, days in rows.values_list("pk", "ends_on", "notice_days")
    }
    return {
        each.id: "the contract has other dates"
        for each in told
        if known.get(each.subject) != each.key.rpartition(":")[0]
    }


def part_low(span: Span) -> list[Happening]:
    """What a movement brought to its level; told once until it has been above it again."""
    moved = StockMovement.objects.filter(at__gt=span.since, at__lte=span.until).values("part")
    low = {part.pk: part for part in selectors.to_reorder().filter(pk__in=moved)}
    crossed = _crossings(low)
    return [
        Happening(
            at=at,
            subject=part.pk,
            key=str(movement),
            title=f"{part.number} {part.name}: {part.stock} left, ordered again at"
            f" {part.reorder_level}",
            path=reverse("inventory:part", args=[part.pk]),
            synthetic=part.is_synthetic,
        )
        for part, movement, at in ((low[pk], *found) for pk, found in crossed.items())
        if span.has(at)
    ]


def _crossings(low: dict[int, Part]) -> dict[int, tuple[int, datetime]]:
    """Per part the movement, and its time, that brought the stock down to its level."""
    stocks = {pk: part.stock for pk, part in low.items()}
    found: dict[int, tuple[int, datetime]] = {}
    rows = StockMovement.objects.filter(part__in=low).order_by("-pk")
    for part, movement, amount, at in rows.values_list("part_id", "pk", "amount", "at"):
        if part in stocks and stocks[part] > low[part].reorder_level:
            del stocks[part]  # from the newest back: before this it was low another time
        if part in stocks:
            found[part] = (movement, at)
            stocks[part] -= amount
    return found


def _part_over(told: Sequence[Told], span: Span) -> Mapping[int, str]:
    low = set(
        selectors.to_reorder()
        .filter(pk__in={each.subject for each in told})
        .values_list("pk", flat=True)
    )
    return {each.id: "there is enough again" for each in told if each.subject not in low}


def recall_waits(span: Span) -> list[Happening]:
    """A machine that a recall may concern was found."""
    rows = RecallCandidate.objects.select_related("recall", "device").filter(
        state=CandidateState.OPEN, found_at__gt=span.since, found_at__lte=span.until
    )
    return [
        Happening(
            at=row.found_at,
            subject=row.pk,
            key="found",
            title=f"{row.device.name} may be concerned by recall {row.recall.reference}",
            path=reverse("inventory:recall", args=[row.recall_id]),
            room=row.device.location,
            synthetic=row.device.is_synthetic,
        )
        for row in rows.order_by("pk")
    ]


def _recall_over(told: Sequence[Told], span: Span) -> Mapping[int, str]:
    rows = RecallCandidate.objects.filter(pk__in={each.subject for each in told})
    waiting = set(rows.filter(state=CandidateState.OPEN).values_list("pk", flat=True))
    return {each.id: "somebody decided it" for each in told if each.subject not in waiting}


def connect() -> None:
    """Have them told; called once, when the room is ready."""
    for kind in (
        Kind(
            key="contract_ends", label="a contract has to be given notice of", over=_contract_over,
            section=Section.COMING, happened=contract_ends, duty=Can.MAINTENANCE_PLAN,
            needs=Can.MAINTENANCE_PLAN, defaults={Role.ADMIN: Way.EMAIL},
        ),
        Kind(
            key="part_low", label="a part is to be ordered again", over=_part_over,
            section=Section.WAITING, happened=part_low, duty=Can.MAINTENANCE_PLAN,
            defaults={Role.ADMIN: Way.DIGEST, Role.ENGINEER: Way.OFF},
        ),
        Kind(
            key="recall_waits", label="a recall may concern a machine", over=_recall_over,
            section=Section.WAITING, happened=recall_waits, duty=Can.ORDER_WORK,
            defaults={Role.ADMIN: Way.EMAIL, Role.ENGINEER: Way.IN_APP},
        ),
    ):  # fmt: skip
        notice_kinds.register(kind)
