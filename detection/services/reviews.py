"""Verdicts on findings and boxes that readers draw; the model's own findings never change."""

from __future__ import annotations

import math
from collections.abc import Sequence

from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone

from accounts.models import User
from accounts.services import audit
from detection import blinding, room
from detection.models import Finding, Label, RejectReason, Review, Verdict
from imaging.models import Image
from twinhealth.errors import ConflictError, InvalidInputError, NotFoundError, NotPermittedError

from .claims import lock_film, patient_of, refuse_claimed_by_another, refuse_signed

MIN_SIDE = 1.0  # pixels
MAX_REASON = 300
Box = tuple[float, float, float, float]


def record(
    *,
    image_id: int | None = None,
    finding_id: int | None = None,
    user: User,
    verdict: str,
    label: str = "",
    box: Sequence[float] | None = None,
    reason_code: str = "",
    reason: str = "",
    request: HttpRequest | None = None,
) -> Review:
    """Add a verdict on a finding (`accept`, `reject`, `edit`), or a box to a film (`add`).

    The newest verdict on a finding counts; earlier ones stay.

    Args:
        image_id: the film; may be left out where `finding_id` names it.
        finding_id: the finding judged; not for `add`.
        user: the reader.
        verdict: a value of `Verdict`.
        label: for `edit` (what it is instead) and `add`.
        box: left, top, width, height in pixels of the stored image; for `edit` and `add`.
        reason_code: a value of `RejectReason`, for `reject`; words alone count as `other`.
        reason: free text; `other` needs it.
        request: for the audit.

    Raises:
        NotFoundError: `no_such_image`, `no_such_finding`.
        InvalidInputError: `bad_verdict`, `bad_label`, `bad_box`, `box_outside`, `needs_finding`,
            `needs_label_and_box`, `needs_label_or_box`, `unexpected_change`, `reason_too_long`,
            `bad_reason_code`, `reason_code_missing`, `reason_missing`, `unexpected_reason_code`.
        ConflictError: `signed`, `claimed` by another reader, or `first_impression_missing` for a
            verdict on a finding that is hidden from this reader.
    """
    _check_shape(verdict=verdict, label=label, box=box, finding_id=finding_id, reason=reason)
    reason_code = _reason_code(verdict, reason_code, reason)
    with transaction.atomic():
        finding = _finding(finding_id, image_id, user)
        if finding is None and image_id is None:
            raise NotFoundError("no_such_image", "There is no such image.")
        image = lock_film(finding.run.image_id if finding else image_id or 0)
        refuse_signed(image)
        room.refuse_reader(image, user)
        refuse_claimed_by_another(image, user)
        x, y, w, h = _box_inside(box, image) if box is not None else (None,) * 4
        review = Review.objects.create(
            image=image,
            finding=finding,
            verdict=verdict,
            label=label,
            x=x,
            y=y,
            w=w,
            h=h,
            reason_code=reason_code,
            reason=reason,
            by=user,
        )
        audit.record(
            actor=user,
            verb="reviewed",
            obj=image,
            patient_id=patient_of(image),
            request=request,
            detail={"review": review.pk, "verdict": verdict, "finding": finding_id}
            | ({"reason_code": reason_code} if reason_code else {}),
        )
        return review


def withdraw(*, review_id: int, user: User, request: HttpRequest | None = None) -> Review:
    """Take one's own newest verdict on a finding back; what counted before it counts again.

    Raises:
        NotFoundError: `no_such_review`.
        NotPermittedError: `not_yours`.
        ConflictError: `signed`, `withdrawn` already, `not_latest`, `claimed` by another, or
            `first_impression_missing`.
    """
    with transaction.atomic():
        found = Review.objects.filter(pk=review_id).first()
        if found is None:
            raise NotFoundError("no_such_review", "There is no such verdict.", review=review_id)
        image = lock_film(found.image_id)
        refuse_signed(image)
        review = Review.objects.get(pk=review_id)  # again, now that nobody else can change it
        if review.by_id != user.pk:
            raise NotPermittedError(
                "not_yours", "Only the reader who gave a verdict can take it back."
            )
        room.refuse_reader(image, user)
        if review.withdrawn_at is not None:
            raise ConflictError(
                "withdrawn",
                "This verdict is taken back already.",
                by=str(review.by),
                at=review.withdrawn_at.isoformat(),
            )
        refuse_claimed_by_another(image, user)
        if review.finding_id:
            blinding.refuse_hidden(image.pk, user)
        latest = newest(review.finding_id) if review.finding_id else review
        if latest is not None and latest != review:
            raise ConflictError(
                "not_latest",
                f"{latest.by} has given a newer verdict on this finding.",
                by=str(latest.by),
                at=latest.at.isoformat(),
                review=latest.pk,
                verdict=latest.verdict,
            )
        review.withdrawn_at = timezone.now()
        review.save(update_fields=["withdrawn_at"])
        audit.record(
            actor=user,
            verb="withdrew",
            obj=image,
            patient_id=patient_of(image),
            request=request,
            detail={"review": review.pk, "verdict": review.verdict},
        )
        return review


def newest(finding_id: int) -> Review | None:
    """The verdict on a finding that counts: the newest that nobody took back."""
    return (
        Review.objects.filter(finding_id=finding_id, withdrawn_at=None).order_by("at", "id").last()
    )


def _check_shape(
    *, verdict: str, label: str, box: Sequence[float] | None, finding_id: int | None, reason: str
) -> None:
    if verdict not in Verdict.values:
        raise InvalidInputError(
            "bad_verdict",
            f"A verdict is one of {', '.join(Verdict.values)}.",
            allowed=list(Verdict.values),
        )
    if label and label not in Label.values:
        raise InvalidInputError(
            "bad_label",
            f"A label is one of {', '.join(Label.values)}.",
            allowed=list(Label.values),
        )
    if len(reason) > MAX_REASON:
        raise InvalidInputError(
            "reason_too_long", f"A reason has at most {MAX_REASON} characters.", limit=MAX_REASON
        )
    if (verdict == Verdict.ADD) != (finding_id is None):
        raise InvalidInputError(
            "needs_finding",
            "accept, reject and edit go to a finding; add goes to an image.",
        )
    if verdict == Verdict.ADD and not (label and box is not None):
        raise InvalidInputError("needs_label_and_box", "An added box needs a label and a box.")
    if verdict == Verdict.EDIT and not (label or box is not None):
        raise InvalidInputError("needs_label_or_box", "An edit changes the label or the box.")
    if verdict in {Verdict.ACCEPT, Verdict.REJECT} and (label or box is not None):
        raise InvalidInputError(
            "unexpected_change", "accept and reject change nothing; use edit for that."
        )


def _reason_code(verdict: str, code: str, reason: str) -> str:
    """The code that is kept; a reject in words alone, as before there were codes, is `other`."""
    if verdict != Verdict.REJECT:
        if code:
            raise InvalidInputError(
                "unexpected_reason_code", "Only a reject has a code for its reason."
            )
        return ""
    if code and code not in RejectReason.values:
        raise InvalidInputError(
            "bad_reason_code",
            f"A reject's reason is one of {', '.join(RejectReason.values)}.",
            allowed=list(RejectReason.values),
        )
    worded = bool(reason.strip())
    if not code and not worded:
        raise InvalidInputError(
            "reason_code_missing",
            "Say why the finding is rejected.",
            allowed=list(RejectReason.values),
        )
    if code == RejectReason.OTHER and not worded:
        raise InvalidInputError("reason_missing", "Say in words why the finding is rejected.")
    return code or RejectReason.OTHER


def _finding(finding_id: int | None, image_id: int | None, user: User) -> Finding | None:
    if finding_id is None:
        return None
    if image_id is not None:
        blinding.refuse_hidden(image_id, user)
    found = Finding.objects.select_related("run").filter(pk=finding_id).first()
    wrong = found is None or (image_id is not None and found.run.image_id != image_id)
    # that there is a finding tells a blinded reader something, too
    if found is None or wrong or blinding.hidden_from(user, [found.run.image_id]):
        raise NotFoundError("no_such_finding", "There is no such finding.", finding=finding_id)
    return found


def _box_inside(box: Sequence[float], image: Image) -> Box:
    try:
        numbers = [float(v) for v in box if isinstance(v, int | float) and not isinstance(v, bool)]
    except OverflowError:  # an integer of hundreds of digits
        numbers = []
    if len(numbers) != 4 or len(box) != 4 or not all(math.isfinite(v) for v in numbers):
        raise InvalidInputError(
            "bad_box", "A box is four finite numbers: left, top, width, height."
        )
    x, y, w, h = numbers
    if w < MIN_SIDE or h < MIN_SIDE:
        raise InvalidInputError(
            "bad_box", f"A box is at least {MIN_SIDE:g} pixel wide and high.", minimum=MIN_SIDE
        )
    if x < 0 or y < 0 or x + w > image.columns or y + h > image.rows:
        raise InvalidInputError(
            "box_outside",
            f"The box must lie inside the image of {image.columns} x {image.rows} pixels.",
            columns=image.columns,
            rows=image.rows,
        )
    return (x, y, w, h)
