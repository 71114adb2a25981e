"""Reads of this room: one function per page or list, each with a constant number of queries."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, TypeVar

from django.db.models import Case, Count, F, IntegerField, Model, Q, QuerySet, Sum, Value, When
from django.db.models.functions import Coalesce

from devices.models import Device, DeviceModel, WorkOrder
from devices.order_steps import FINISHED
from twinhealth.errors import NotFoundError

from .mds2 import QUESTIONS
from .models import (
    AuditFile,
    CandidateState,
    Contract,
    InventoryImport,
    MovementKind,
    Part,
    Recall,
    RecallCandidate,
    StockMovement,
    Vendor,
    Warranty,
)
from .sections import covering

SOON_DAYS = 90
LOW = Q(active=True, reorder_level__gt=0, stock__lte=F("reorder_level"))
# a confirmed recall is over when its order is done; without one it isn't
WORKED_OFF = Q(state=CandidateState.CONFIRMED, order__state__in=FINISHED)
TO_DECIDE = Q(state=CandidateState.OPEN)
TO_DO = Q(state=CandidateState.CONFIRMED) & ~Q(order__state__in=FINISHED) | Q(
    state=CandidateState.CONFIRMED, order=None
)

Row = TypeVar("Row", bound=Model)


def one(found: QuerySet[Row], pk: int, code: str) -> Row:
    """The row of a number.

    Raises:
        NotFoundError: `code`.
    """
    row = found.filter(pk=pk).first()
    if row is None:
        raise NotFoundError(code, "There is no such thing.")
    return row


def parts() -> QuerySet[Part]:
    """All, with what a row shows."""
    return Part.objects.select_related("vendor").prefetch_related("fits").order_by("number")


PART_ORDERINGS = {
    "number": "number",
    "name": "name",
    "stock": "stock",
    "vendor": "vendor__name",
    "location": "location",
    "price": "price",
}


@dataclass(frozen=True, slots=True)
class PartFilter:
    """What a list of parts is narrowed to."""

    q: str = ""
    show: str = ""  # low, inactive, all; empty: those that are kept
    vendor: int | None = None
    model: int | None = None
    ordering: str = ""


def part_table(chosen: PartFilter) -> QuerySet[Part]:
    """Parts as the page lists them."""
    found = parts()
    if chosen.show == "low":
        found = found.filter(LOW)
    elif chosen.show == "inactive":
        found = found.filter(active=False)
    elif chosen.show != "all":
        found = found.filter(active=True)
    if chosen.q:
        found = found.filter(Q(number__icontains=chosen.q) | Q(name__icontains=chosen.q))
    if chosen.vendor is not None:
        found = found.filter(vendor=chosen.vendor)
    if chosen.model is not None:
        found = found.filter(Q(fits=chosen.model) | Q(fits=None)).distinct()
    column = PART_ORDERINGS.get(chosen.ordering.removeprefix("-"))
    if column:
        sign = "-" if chosen.ordering.startswith("-") else ""
        found = found.order_by(f"{sign}{column}", "number")
    return found


def to_reorder() -> QuerySet[Part]:
    """What is at or below its level, those that ran out first."""
    return parts().filter(LOW).order_by("stock", "number")


def movements() -> QuerySet[StockMovement]:
    """Newest first; of an issue how many have come back."""
    found = StockMovement.objects.select_related("part", "order", "by", "issue")
    return found.annotate(back=Coalesce(Sum("returns__amount"), 0)).order_by("-pk")


def issued_to(order: WorkOrder) -> list[StockMovement]:
    """What an order took, with `back` and `left`."""
    rows = list(movements().filter(order=order, kind=MovementKind.ISSUE).order_by("pk"))
    for row in rows:
        row.left = -row.amount - row.back  # type: ignore[attr-defined]
        row.taken = -row.amount  # type: ignore[attr-defined]
    return rows


def fitting(device: Device) -> QuerySet[Part]:
    """Parts that are kept and fit a machine; those that name no model fit all."""
    fits = Q(fits=device.model_id) | Q(fits=None)
    return Part.objects.filter(fits, active=True).distinct().order_by("number")


def vendors() -> QuerySet[Vendor]:
    """By name, with how much hangs on each."""
    return Vendor.objects.annotate(
        part_count=Count("parts", distinct=True), contract_count=Count("contracts", distinct=True)
    ).order_by("name")


def contracts() -> QuerySet[Contract]:
    """Soonest end first."""
    found = Contract.objects.select_related("vendor")
    return found.prefetch_related("devices", "device_models").order_by("ends_on", "pk")


def contracts_of(device: Device, today: date) -> list[Contract]:
    """Those that hold today for a machine, and those to come."""
    found = Contract.objects.filter(covering(device), ends_on__gte=today).select_related("vendor")
    return list(found.distinct().order_by("starts_on", "pk"))


def warranties() -> QuerySet[Warranty]:
    """That stand, soonest end first."""
    found = Warranty.objects.filter(withdrawn_at=None)
    return found.select_related("device", "component", "vendor").order_by("until", "pk")


def ending(today: date) -> tuple[list[Contract], list[Warranty]]:
    """What ends in the next 90 days."""
    until = today + timedelta(days=SOON_DAYS)
    return (
        list(contracts().filter(ends_on__range=(today, until))),
        list(warranties().filter(until__range=(today, until))),
    )


def notice_by(contract: Contract) -> date:
    """The last day on which notice can be given."""
    return contract.ends_on - timedelta(days=contract.notice_days)


def recalls() -> QuerySet[Recall]:
    """Newest first, with how many candidates are to be decided and to be worked off."""

    def counted(condition: Q) -> Count:
        there = Q(candidates__isnull=False)
        return Count("candidates", filter=there & condition, distinct=True)

    state = "candidates__state"
    finished = Q(candidates__order__state__in=FINISHED)
    return Recall.objects.annotate(
        found=Count("candidates", distinct=True),
        to_decide=counted(Q(**{state: CandidateState.OPEN})),
        confirmed=counted(Q(**{state: CandidateState.CONFIRMED})),
        worked_off=counted(Q(**{state: CandidateState.CONFIRMED}) & finished),
        rejected=counted(Q(**{state: CandidateState.REJECTED})),
    ).order_by(F("issued_on").desc(nulls_last=True), "-pk")


def candidates() -> QuerySet[RecallCandidate]:
    """The surest that wait for a decision first."""
    rank = Case(
        When(TO_DECIDE, then=Value(0)),
        When(state=CandidateState.CONFIRMED, then=Value(1)),
        default=Value(2),
        output_field=IntegerField(),
    )
    sure = Case(
        When(sureness="certain", then=Value(0)),
        When(sureness="likely", then=Value(1)),
        default=Value(2),
        output_field=IntegerField(),
    )
    found = RecallCandidate.objects.select_related(
        "recall", "device", "device__model", "decided_by", "order"
    )
    return found.annotate(rank=rank, sure=sure).order_by("rank", "sure", "pk")


def recall_counts() -> dict[str, int]:
    """Over all recalls: nobody loses a candidate."""
    return RecallCandidate.objects.aggregate(
        found=Count("pk"),
        to_decide=Count("pk", filter=TO_DECIDE),
        to_do=Count("pk", filter=TO_DO),
        worked_off=Count("pk", filter=WORKED_OFF),
        rejected=Count("pk", filter=Q(state=CandidateState.REJECTED)),
    )


def models_with_answers() -> QuerySet[DeviceModel]:
    """Models with how many questions are answered and of which document."""
    return (
        DeviceModel.objects.select_related("mds2")
        .annotate(
            answered=Count("mds2__answers", distinct=True),
            machines=Count("devices", distinct=True),
        )
        .order_by("manufacturer", "name")
    )


def questions(model: DeviceModel) -> list[dict[str, Any]]:
    """Every question with its answer, if it has one."""
    sheet = getattr(model, "mds2", None)
    there = {each.code: each for each in sheet.answers.all()} if sheet else {}
    return [{"question": each, "answer": there.get(each.code)} for each in QUESTIONS]


def audit_files() -> QuerySet[AuditFile]:
    """Newest first."""
    return AuditFile.objects.select_related("device", "requested_by").order_by("-pk")


def imports() -> QuerySet[InventoryImport]:
    """Newest first."""
    return InventoryImport.objects.select_related("requested_by", "device_model").order_by("-pk")
