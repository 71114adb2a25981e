"""A blinded reader's word on a film before the model is shown: once, and for good."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.http import HttpRequest
from django.utils import timezone

from accounts.models import AuditEntry, User
from accounts.services import audit
from detection import blinding
from detection.models import Review, Verdict
from detection.selectors import box_of
from detection.services.claims import (
    lock_film,
    patient_of,
    refuse_claimed_by_another,
    refuse_signed,
)
from detection.services.sign import check_report
from imaging.models import Image
from reading.models import FirstImpression
from twinhealth.errors import ConflictError


@dataclass(frozen=True, slots=True)
class Committed:
    """The first impression, and whether this call made it."""

    impression: FirstImpression
    created: bool


def commit(
    *,
    image_id: int,
    user: User,
    conclusion: str,
    text: str = "",
    request: HttpRequest | None = None,
) -> Committed:
    """Keep what the reader thinks, with the boxes drawn so far; the model is shown from now on.

    Takes it too from a reader who got the film blind and whose group has ended being blinded since.
    The same reader's same words again change nothing.

    Raises:
        NotFoundError: `no_such_image`.
        InvalidInputError: `bad_conclusion`, `text_too_long`.
        ConflictError: `first_impression_exists` with another conclusion or text; `signed`;
            `claimed` by another; `not_blinded` of a reader from whom nothing is hidden.
    """
    check_report(conclusion=conclusion, text=text)
    with transaction.atomic():
        image = lock_film(image_id)
        existing = FirstImpression.objects.filter(image=image, reader=user).first()
        if existing is not None:
            if (existing.conclusion, existing.text) == (conclusion, text):
                return Committed(existing, created=False)
            raise ConflictError(
                "first_impression_exists",
                f"Your first impression of this film was {existing.get_conclusion_display()}; it "
                "stays. Say in the report what you think now.",
                conclusion=existing.conclusion,
                at=existing.at.isoformat(),
            )
        refuse_signed(image)
        refuse_claimed_by_another(image, user)
        looks = _looks(image, user)
        hidden = bool(blinding.hidden_from(user, [image.pk]))
        if not hidden and not looks.filter(detail__blind=True).exists():
            raise ConflictError(
                "not_blinded",
                "Nothing of this film is hidden from you; sign it as it is.",
            )
        impression = FirstImpression.objects.create(
            image=image,
            reader=user,
            reader_name=str(user),
            at=timezone.now(),
            conclusion=conclusion,
            text=text,
            boxes=_drawn(image, user),
            seen_before=looks.exclude(detail__has_key="blind").exists(),
        )
        audit.record(
            actor=user,
            verb="committed_first_impression",
            obj=image,
            patient_id=patient_of(image),
            request=request,
            detail={"first_impression": impression.pk, "conclusion": conclusion},
        )
        return Committed(impression, created=True)


def _looks(image: Image, user: User) -> Any:
    """The reader's looks at the film with what the model said, its report, or it as a prior.

    `blind` stands in the detail where the model was hidden. Pixels and readings are other looks.
    """
    page = Q(verb="viewed") & (
        Q(detail={}) | Q(detail__has_key="blind") | Q(detail__has_key="beside")
    )
    return AuditEntry.objects.filter(
        page | Q(verb__in=("viewed_report", "exported_report")),
        object_type="imaging.Image",
        object_id=str(image.pk),
        actor_name=user.username,
    )


def _drawn(image: Image, user: User) -> list[dict[str, Any]]:
    own = Review.objects.filter(image=image, by=user, verdict=Verdict.ADD, withdrawn_at=None)
    return [
        {"review": review.pk, "label": review.label, "box": box_of(review)}
        for review in own.order_by("at", "id")
    ]
