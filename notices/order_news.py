"""Kinds that follow from what people did to an order: given, taken, moved, held, done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Exists, F, Max, OuterRef, Subquery
from django.db.models.functions import Coalesce, Greatest
from django.utils.dateparse import parse_datetime

from accounts.permissions import Can, Role
from devices import notice_kinds
from devices.models import MaintenancePlan, WorkOrder, WorkOrderEvent
from devices.models.device import Lifecycle
from devices.models.maintenance import Evidence, OrderState
from devices.notice_kinds import Happening, Kind, Section, Span, Told, Way
from devices.order_steps import OPEN

from .order_dates import closed

EVIDENCE_LEAD = timedelta(days=1)  # before the order would go back to work
PLAN_WAITS = timedelta(days=1)  # the job that makes orders has its chance first


def _order(pk: int, title: str, machine: str) -> dict[str, Any]:
    return {
        "subject": pk,
        "title": f"WO-{pk} {title} · {machine}",
        "path": f"/maintenance/orders/{pk}/",
    }


def _events(span: Span, key: str) -> list[Any]:
    """Events of the span that say of a change, in one query."""
    found = WorkOrderEvent.objects.filter(
        at__gt=span.since, at__lte=span.until, detail__has_key=key
    )
    return list(
        found.order_by("at", "pk").values(
            "pk", "at", "by_id", "detail", "order_id", "order__title", "order__device__name",
            "order__device__location", "order__is_synthetic",
        )
    )  # fmt: skip


def _of_event(event: Any, person: int, words: str) -> Happening:
    about = _order(event["order_id"], event["order__title"], event["order__device__name"])
    about["title"] += f": {words}"
    return Happening(
        at=event["at"],
        key=str(event["pk"]),
        people=(person,),
        room=event["order__device__location"],
        synthetic=event["order__is_synthetic"],
        **about,
    )


def assigned(span: Span) -> list[Happening]:
    """Somebody else gave an order to a person."""
    found = []
    for event in _events(span, "assigned"):
        person = event["detail"]["assigned"]["to"]
        if person is not None and person != event["by_id"]:
            found.append(_of_event(event, person, "assigned to you"))
    return found


def taken(span: Span) -> list[Happening]:
    """Somebody else took an order from a person."""
    found = []
    for event in _events(span, "assigned"):
        person = event["detail"]["assigned"]["from"]
        if person is not None and person != event["by_id"]:
            found.append(_of_event(event, person, "not yours any more"))
    return found


def moved(span: Span) -> list[Happening]:
    """Somebody else gave a person's order another time."""
    found = []
    for event in _events(span, "scheduled"):
        person = event["detail"]["scheduled"]["person"]
        # who gets the order in the same step hears that
        if person is None or person == event["by_id"] or "assigned" in event["detail"]:
            continue
        to = parse_datetime(event["detail"]["scheduled"]["to"] or "")
        words = f"moved to {to.astimezone(span.zone):%Y-%m-%d %H:%M}" if to else "has no time now"
        found.append(_of_event(event, person, words))
    return found


_STATE = ("pk", "state", "assigned_to_id", "evidence", "evidence_by")


def _over(told: Sequence[Told], kind: str) -> dict[int, str]:
    """Why they are no longer true, in one query."""
    orders = WorkOrder.objects.filter(pk__in={each.subject for each in told})
    known = {row["pk"]: row for row in orders.values(*_STATE)}
    found = {}
    for each in told:
        row = known.get(each.subject)
        why = "the order is gone" if row is None else _why(row, each, kind)
        if why:
            found[each.id] = why
    return found


def _why(row: dict[str, Any], each: Told, kind: str) -> str:
    if kind == "order_verify":
        waits = row["state"] == OrderState.DONE
        return "" if waits else "it doesn't wait to be verified any more"
    if kind == "order_evidence":
        waits = row["evidence"] == Evidence.WAITING and str(row["evidence_by"]) == each.key
        return "" if waits else "no evidence is waited for any more"
    mine = row["assigned_to_id"] == each.user_id
    why = closed(row["state"])
    if kind == "order_hold" and not why:
        why = "" if row["state"] == OrderState.ON_HOLD else "the work goes on"
    if kind == "order_taken":
        why = why or ("it is yours again" if mine else "")
    elif each.by_name and not mine:
        why = why or "somebody else has the order"
    return why


def _over_of(kind: str) -> Any:
    def over(told: Sequence[Told], span: Span) -> Mapping[int, str]:
        return _over(told, kind)

    return over


def hold(span: Span) -> list[Happening]:
    """On hold for longer than the house allows."""
    begun = WorkOrderEvent.objects.filter(
        order=OuterRef("pk"), to_state=OrderState.ON_HOLD
    ).exclude(from_state=OrderState.ON_HOLD)
    begun = begun.order_by("-at", "-pk")
    found = WorkOrder.objects.filter(state=OrderState.ON_HOLD).annotate(
        held_at=Subquery(begun.values("at")[:1]), held_by=Subquery(begun.values("pk")[:1])
    )
    wait = timedelta(days=span.hold_days)
    rows = found.filter(held_at__gt=span.since - wait, held_at__lte=span.until - wait)
    happenings = []
    for row in rows.values(
        "pk", "title", "held_at", "held_by", "hold_reason", "assigned_to_id", "is_synthetic",
        "device__name", "device__location",
    ):  # fmt: skip
        about = _order(row["pk"], row["title"], row["device__name"])
        day = span.day_of(row["held_at"])
        about["title"] += f": on hold since {day:%Y-%m-%d} ({row['hold_reason']})"
        happenings.append(
            Happening(
                at=row["held_at"] + wait,
                key=str(row["held_by"]),
                people=(row["assigned_to_id"],) if row["assigned_to_id"] else (),
                room=row["device__location"],
                synthetic=row["is_synthetic"],
                **about,
            )
        )
    return happenings


_DONE = (
    "pk", "title", "completed_at", "completed_by_id", "assigned_to_id", "evidence_by",
    "is_synthetic", "device__name", "device__location",
)  # fmt: skip


def verify(span: Span) -> list[Happening]:
    """Done, and another person has to look at it."""
    found = WorkOrder.objects.filter(
        state=OrderState.DONE,
        verify_required=True,
        completed_at__gt=span.since,
        completed_at__lte=span.until,
    )
    happenings = []
    for row in found.order_by("pk").values(*_DONE):
        about = _order(row["pk"], row["title"], row["device__name"])
        about["title"] += ": waits to be verified"
        happenings.append(
            Happening(
                at=row["completed_at"],
                key=str(row["completed_at"]),
                but=(row["completed_by_id"],) if row["completed_by_id"] else (),
                room=row["device__location"],
                synthetic=row["is_synthetic"],
                **about,
            )
        )
    return happenings


def evidence(span: Span) -> list[Happening]:
    """Work on an alert that the machine hasn't shown to hold; it soon goes back to work."""
    found = WorkOrder.objects.filter(
        evidence=Evidence.WAITING,
        evidence_by__gt=span.since + EVIDENCE_LEAD,
        evidence_by__lte=span.until + EVIDENCE_LEAD,
    )
    happenings = []
    for row in found.order_by("pk").values(*_DONE):
        about = _order(row["pk"], row["title"], row["device__name"])
        by: datetime = row["evidence_by"]
        about["title"] += f": evidence is missing, until {by.astimezone(span.zone):%Y-%m-%d %H:%M}"
        people = {row["completed_by_id"], row["assigned_to_id"]} - {None}
        happenings.append(
            Happening(
                at=by - EVIDENCE_LEAD,
                key=str(by),
                people=tuple(sorted(people)),
                room=row["device__location"],
                synthetic=row["is_synthetic"],
                **about,
            )
        )
    return happenings


def _dateless() -> Any:
    """Active plans without a next date and without an open order."""
    orders = WorkOrder.objects.filter(plan=OuterRef("pk"))
    return MaintenancePlan.objects.filter(
        ~Exists(orders.filter(state__in=OPEN)), active=True, next_due_on=None
    ).exclude(device__lifecycle=Lifecycle.RETIRED)


def plan_without_date(span: Span) -> list[Happening]:
    """A day after the last thing that happened to such a plan, and each seventh after that."""
    last = Max(
        Greatest("orders__created_at", Coalesce("orders__completed_at", F("orders__created_at")))
    )
    found = _dateless().annotate(last=Coalesce(last, F("created_at")))
    happenings = []
    for row in found.values(
        "pk", "title", "last", "created_at", "is_synthetic", "device__name", "device__location"
    ):
        first = span.day_of(max(row["last"], row["created_at"]) + PLAN_WAITS)
        happenings += [
            Happening(
                at=at,
                subject=row["pk"],
                key=f"{first}:{number}",
                title=f"Plan {row['title']} · {row['device__name']}: no next date",
                path=f"/maintenance/plans/{row['pk']}/",
                room=row["device__location"],
                synthetic=row["is_synthetic"],
            )
            for number, at in span.weekly(first)
        ]
    return happenings


def _plan_over(told: Sequence[Told], span: Span) -> dict[int, str]:
    still = set(
        _dateless().filter(pk__in={each.subject for each in told}).values_list("pk", flat=True)
    )
    return {
        each.id: "the plan has a date or an order" for each in told if each.subject not in still
    }


_TO_ME: dict[Role, Way] = {Role.ENGINEER: Way.EMAIL, Role.ADMIN: Way.EMAIL}


def connect() -> None:
    """Have them told; called once, when the room is ready."""
    for key, label, happened in (
        ("order_assigned", "an order is given to me", assigned),
        ("order_taken", "an order is taken from me", taken),
        ("order_moved", "somebody else moves my order", moved),
    ):
        notice_kinds.register(
            Kind(
                key=key, label=label, section=Section.CHANGED, happened=happened,
                over=_over_of(key), lasting=False,
                defaults=_TO_ME if key == "order_assigned" else dict.fromkeys(_TO_ME, Way.IN_APP),
            )
        )  # fmt: skip
    for key, label, happened, defaults, more in (
        (
            "order_hold", "an order is on hold for too long", hold,
            {Role.ENGINEER: Way.IN_APP, Role.ADMIN: Way.DIGEST}, {"watched": True},
        ),
        (
            "order_verify", "finished work waits to be verified", verify,
            {Role.ENGINEER: Way.DIGEST, Role.ADMIN: Way.IN_APP}, {"duty": Can.ORDER_WORK},
        ),
        (
            "order_evidence", "evidence for an alert is missing", evidence,
            {Role.ENGINEER: Way.IN_APP, Role.ADMIN: Way.DIGEST}, {"watched": True},
        ),
    ):  # fmt: skip
        notice_kinds.register(
            Kind(
                key=key, label=label, section=Section.WAITING, happened=happened,
                over=_over_of(key), defaults=defaults, **more,
            )
        )  # fmt: skip
    notice_kinds.register(
        Kind(
            key="plan_without_date",
            label="a plan has no next date (weekly while it hasn't)",
            section=Section.WAITING,
            happened=plan_without_date,
            over=_plan_over,
            defaults={Role.ADMIN: Way.DIGEST},
            needs=Can.MAINTENANCE_PLAN,
            duty=Can.MAINTENANCE_PLAN,
        )
    )
