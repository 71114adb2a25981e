"""Observations: taken in batches, item by item; a wrong one is struck out, never deleted."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone
from rest_framework.request import Request

from accounts.models import User
from accounts.services import audit
from patients.codes import BY_CODE, DIASTOLIC, SYSTOLIC, Kind
from patients.models import Observation, Patient
from patients.models.observation import Source
from twinhealth.errors import ConflictError, InvalidInputError, NotFoundError, TooLargeError

MAX_ITEMS = 1_000
# senders' clocks differ by this much without being wrong about the day
CLOCK_SKEW = timedelta(minutes=5)
_STORED = Decimal("0.0001")

AnyRequest = HttpRequest | Request


@dataclass(frozen=True, slots=True)
class ObservationIn:
    """One value as it was sent; nothing of it is trusted yet."""

    code: Any
    value: Any
    unit: Any
    effective_at: Any  # aware datetime


@dataclass(frozen=True, slots=True)
class Rejection:
    """Why one item was not taken."""

    index: int
    code: str
    message: str


@dataclass(slots=True)
class RecordResult:
    """What became of a batch."""

    accepted: int = 0
    duplicates: int = 0
    rejected: list[Rejection] = field(default_factory=list)


class _Refused(Exception):  # noqa: N818 - never leaves this module
    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


@transaction.atomic
def record(
    *,
    patient: Patient,
    items: Sequence[ObservationIn],
    source: str,
    actor: User | None,
    request: AnyRequest | None = None,
    is_synthetic: bool = False,
) -> RecordResult:
    """Take what can be taken; say of the rest why not.

    A value that is there already for that patient, kind, time and source counts as a duplicate,
    so that a batch can be sent again; another value for the same is rejected, for which of the
    two is right must be decided by a person.

    Args:
        patient: whose.
        items: at most `MAX_ITEMS`.
        source: a value of `Source`.
        actor: who enters or sends; `None` for the demo's maker.
        request: for the audit trail.
        is_synthetic: made up for a demo or a test.

    Raises:
        TooLargeError: `too_many_items`; nothing is stored.
    """
    if len(items) > MAX_ITEMS:
        raise TooLargeError(
            "too_many_items", f"At most {MAX_ITEMS} values at once.", limit=MAX_ITEMS
        )
    # one writer per patient at a time, so that duplicates are seen
    Patient.objects.select_for_update().get(pk=patient.pk)
    result = RecordResult()
    checked: list[tuple[int, Kind, Decimal, datetime]] = []
    now = timezone.now()
    for index, item in enumerate(items):
        try:
            checked.append((index, *_check(item, patient, now)))
        except _Refused as refused:
            result.rejected.append(Rejection(index, refused.code, refused.message))
    there = _stored(patient, source, checked)
    fresh: list[Observation] = []
    for index, kind, value, at in checked:
        key = (kind.code, at)
        if key not in there:
            there[key] = value
            fresh.append(
                Observation(
                    patient=patient,
                    code=kind.code,
                    value=value,
                    unit=kind.unit,
                    effective_at=at,
                    source=source,
                    entered_by=actor,
                    is_synthetic=is_synthetic,
                )
            )
        elif there[key] == value:
            result.duplicates += 1
        else:
            result.rejected.append(
                Rejection(
                    index,
                    "conflicting_value",
                    "Another value is stored for this time; strike that out first if it is wrong.",
                )
            )
    Observation.objects.bulk_create(fresh)
    result.accepted = len(fresh)
    result.rejected.sort(key=lambda rejection: rejection.index)
    if fresh:
        audit.record(
            actor=actor,
            verb="recorded",
            obj=Observation,
            patient_id=patient.pk,
            request=request,
            detail={
                "count": len(fresh),
                "codes": sorted({row.code for row in fresh}),
                "source": str(source),
            },
        )
    return result


@transaction.atomic
def enter(
    *,
    patient: Patient,
    items: Sequence[ObservationIn],
    actor: User,
    request: AnyRequest | None = None,
) -> RecordResult:
    """What a person enters by form: all of it (both values of a blood pressure) or nothing.

    Raises:
        InvalidInputError: the first item's reason; `diastolic_not_below_systolic`.
        ConflictError: `already_there`.
    """
    values = {item.code: item.value for item in items}
    if SYSTOLIC.code in values and DIASTOLIC.code in values:
        upper, lower = values[SYSTOLIC.code], values[DIASTOLIC.code]
        if lower >= upper:
            raise InvalidInputError(
                "diastolic_not_below_systolic", "The lower pressure must be below the upper one."
            )
    result = record(patient=patient, items=items, source=Source.FORM, actor=actor, request=request)
    if result.rejected:
        first = result.rejected[0]
        raise InvalidInputError(first.code, first.message)
    if not result.accepted:
        raise ConflictError("already_there", "This value is stored for that time already.")
    return result


@transaction.atomic
def strike_out(
    *,
    patient: Patient,
    observation_id: int,
    reason: str,
    actor: User,
    request: AnyRequest | None = None,
) -> Observation:
    """Mark a wrong value: it stays readable, with who and why in the audit trail.

    Raises:
        NotFoundError: `observation_not_found`, for one of another patient too.
        ConflictError: `already_struck`.
        InvalidInputError: `reason_missing`, `reason_too_long`.
    """
    reason = reason.strip()
    if not reason:
        raise InvalidInputError("reason_missing", "Say why the value is wrong.")
    if len(reason) > 200:
        raise InvalidInputError("reason_too_long", "Keep the reason below 200 characters.")
    found = (
        Observation.objects.select_for_update().filter(pk=observation_id, patient=patient).first()
    )
    if found is None:
        raise NotFoundError("observation_not_found", "This patient has no such value.")
    if found.struck_at is not None:
        raise ConflictError("already_struck", "This value is struck out already.")
    found.struck_at = timezone.now()
    found.struck_reason = reason
    found.save(update_fields=["struck_at", "struck_reason"])
    audit.record(
        actor=actor,
        verb="struck_out",
        obj=found,
        patient_id=patient.pk,
        request=request,
        detail={"code": found.code},
    )
    return found


def _check(item: ObservationIn, patient: Patient, now: datetime) -> tuple[Kind, Decimal, datetime]:
    kind = BY_CODE.get(item.code) if isinstance(item.code, str) else None
    if kind is None:
        raise _Refused("unknown_code", "This LOINC code is not taken here.")
    number = _number(item.value)
    value = kind.convert(number, item.unit) if isinstance(item.unit, str) else None
    if value is None:
        raise _Refused("wrong_unit", f"Send {kind.name} in {' or '.join(kind.units)}.")
    if not kind.is_plausible(value):
        raise _Refused(
            "implausible", f"{kind.name} lies between {kind.low} and {kind.high} {kind.unit}."
        )
    at = item.effective_at
    if not isinstance(at, datetime) or at.tzinfo is None:
        raise _Refused("bad_time", "Give the time as ISO 8601 with an offset.")
    if at > now + CLOCK_SKEW:
        raise _Refused("in_future", "The time lies in the future.")
    born = patient.birth_date
    if at.year < 1900 or (born and timezone.localdate(at) < born):
        raise _Refused("before_birth", "The time lies before the patient's birth.")
    # PostgreSQL takes no offset of 16 hours or more
    return kind, value.quantize(_STORED), at.astimezone(UTC)


def _number(value: Any) -> Decimal:
    """A finite number; text and truth values are none, whatever they would convert to."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise _Refused("not_a_number", "The value must be a number.")
    if isinstance(value, int) and abs(value) >= 10**12:
        raise _Refused("implausible", "The value is far outside what is plausible.")
    if isinstance(value, float) and not math.isfinite(value):
        raise _Refused("not_a_number", "The value must be a finite number.")
    try:
        number = Decimal(str(value))
    except InvalidOperation as error:  # pragma: no cover - the types above all convert
        raise _Refused("not_a_number", "The value must be a number.") from error
    if not number.is_finite():
        raise _Refused("not_a_number", "The value must be a finite number.")
    return number


def _stored(
    patient: Patient, source: str, checked: Sequence[tuple[int, Kind, Decimal, datetime]]
) -> dict[tuple[str, datetime], Decimal]:
    if not checked:
        return {}
    rows = Observation.objects.filter(
        patient=patient,
        source=source,
        struck_at=None,
        code__in={kind.code for _, kind, _, _ in checked},
        effective_at__in={at for _, _, _, at in checked},
    ).values_list("code", "effective_at", "value")
    return {(code, at): value for code, at, value in rows}
