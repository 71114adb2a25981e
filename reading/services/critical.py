"""Critical results: told to one person after another until a named one repeats them."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone

from accounts.models import User
from accounts.permissions import Can, may
from accounts.services import audit
from detection.services.claims import lock_film, patient_of
from reading.models import CriticalAttempt, CriticalResult, CriticalState, OnCallList, OnCallStep
from reading.read_back import repeats
from twinhealth.errors import ConflictError, InvalidInputError, NotFoundError, NotPermittedError

from . import critical_email
from .words import text_of

MAX_TEXT = 1000


def report(
    *, image_id: int, user: User, text: str, on_call_id: int, request: HttpRequest | None = None
) -> CriticalResult:
    """Open a critical result on a film and tell the first person of the list.

    Raises:
        InvalidInputError: `text_required`, `text_too_long`, `no_such_list`, `nobody_on_call`.
        NotFoundError: `no_such_image`.
    """
    text = _text(text, "Write the result that must be known.")
    with transaction.atomic():
        image = lock_film(image_id)
        on_call = OnCallList.objects.filter(pk=on_call_id).first()
        if on_call is None:
            raise InvalidInputError("no_such_list", "Choose one of the on-call lists.")
        first = on_call.steps.select_related("user").first()
        if first is None:
            raise InvalidInputError("nobody_on_call", f"Nobody stands on the list {on_call}.")
        now = timezone.now()
        result = CriticalResult.objects.create(
            image=image, text=text, on_call=on_call, author=user, author_name=str(user),
            opened_at=now, step=first.position, told=first.user,
            next_at=now + timedelta(minutes=first.minutes),
        )  # fmt: skip
        _tell(result, first, now)
        _audit(result, "reported_critical", user, request)
        return result


def acknowledge(
    *, result_id: int, user: User, read_back: str, request: HttpRequest | None = None
) -> CriticalResult:
    """Take the result over by repeating it; the same person's repeat changes nothing.

    Raises:
        NotFoundError: `no_such_result`.
        ConflictError: `closed`, or `own_result` of its author.
        InvalidInputError: `text_required`, `text_too_long`, `read_back_differs`.
    """
    with transaction.atomic():
        result = _locked(result_id)
        if result.state == CriticalState.ACKNOWLEDGED and result.closed_by_id == user.pk:
            return result
        _refuse_closed(result)
        if result.author_id == user.pk:
            raise ConflictError("own_result", "Somebody else than its author must acknowledge it.")
        read_back = _text(read_back, "Read the result back: write what you understood.")
        if not repeats(result.text, read_back):
            raise InvalidInputError(
                "read_back_differs",
                "That does not repeat the result. Repeat its words, numbers and side.",
            )
        return _close(result, CriticalState.ACKNOWLEDGED, user, read_back, request)


def cancel(
    *, result_id: int, user: User, reason: str, request: HttpRequest | None = None
) -> CriticalResult:
    """Take one's own result back until somebody has acknowledged it.

    Raises:
        NotFoundError: `no_such_result`.
        NotPermittedError: `not_the_author`.
        ConflictError: `closed`.
        InvalidInputError: `text_required`, `text_too_long`.
    """
    with transaction.atomic():
        result = _locked(result_id)
        if result.author_id != user.pk:
            raise NotPermittedError(
                "not_the_author", f"Only {result.author_name} can cancel this result."
            )
        _refuse_closed(result)
        reason = _text(reason, "Write why it is cancelled.")
        return _close(result, CriticalState.CANCELLED, user, reason, request)


def escalate(*, now: datetime | None = None) -> int:
    """Tell the next person of each open result whose time has passed; how many moved on.

    Each result is a transaction of its own under a row lock, so two beats tell nobody twice and
    a kill loses no more than the one under way, which the next beat takes.
    """
    now = now or timezone.now()
    due = CriticalResult.objects.filter(state=CriticalState.OPEN, next_at__lte=now)
    return sum(_escalate_one(pk, now) for pk in due.values_list("pk", flat=True))


def _escalate_one(pk: int, now: datetime) -> bool:
    with transaction.atomic():
        result = _locked(pk)
        if result.state != CriticalState.OPEN or result.next_at is None or result.next_at > now:
            return False  # another beat or a person was first
        rest = result.on_call.steps.filter(position__gt=result.step).select_related("user")
        for step in rest:
            result.step, result.told = step.position, step.user
            result.next_at = now + timedelta(minutes=step.minutes)
            if _tell(result, step, now):
                break
        else:
            result.next_at = None  # exhausted: it stays open, for everybody
        result.save(update_fields=["step", "told", "next_at"])
        verb = "escalated_critical" if result.next_at else "exhausted_critical"
        _audit(result, verb, None, None)
        return True


def _tell(result: CriticalResult, step: OnCallStep, now: datetime) -> bool:
    reached = may(step.user, Can.FINDING_REVIEW)
    CriticalAttempt.objects.create(
        result=result, step=step.position, user=step.user, user_name=str(step.user), at=now,
        outcome="shown" if reached else "inactive",
    )  # fmt: skip
    if reached:
        critical_email.queue(result=result, step=step, now=now)
    return reached


def _locked(pk: int) -> CriticalResult:
    found = CriticalResult.objects.select_for_update(of=("self",)).filter(pk=pk).first()
    if found is None:
        raise NotFoundError("no_such_result", "There is no such critical result.", result=pk)
    return found


def _refuse_closed(result: CriticalResult) -> None:
    if result.state != CriticalState.OPEN:
        raise ConflictError(
            "closed",
            f"{result.closed_by_name} has {result.get_state_display()} it already.",
            state=result.state,
            by=result.closed_by_name,
            at=result.closed_at.isoformat() if result.closed_at else None,
        )


def _close(
    result: CriticalResult, state: str, user: User, text: str, request: HttpRequest | None
) -> CriticalResult:
    result.state, result.closing_text, result.next_at = state, text, None
    result.closed_by, result.closed_by_name, result.closed_at = user, str(user), timezone.now()
    result.save()
    _audit(result, f"{state}_critical", user, request)
    return result


def _text(text: str, missing: str) -> str:
    too_long = f"At most {MAX_TEXT} characters."
    return text_of(text, limit=MAX_TEXT, missing=missing, too_long=too_long)


def _audit(
    result: CriticalResult, verb: str, user: User | None, request: HttpRequest | None
) -> None:
    audit.record(
        actor=user, verb=verb, obj=result, patient_id=patient_of(result.image), request=request,
        detail={"image": result.image_id, "step": result.step},
    )  # fmt: skip
