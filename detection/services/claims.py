"""A reader's lease on a film, so that two don't read the same one at the same time."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone

from accounts.models import User
from accounts.services import audit
from detection import room
from detection.models import Claim, Signature
from imaging.models import Image
from twinhealth.errors import ConflictError, NotFoundError

LEASE = timedelta(minutes=10)


def claim(*, image_id: int, user: User, request: HttpRequest | None = None) -> Claim:
    """Take a film, or renew one's own lease on it, for `LEASE` from now.

    Raises:
        NotFoundError: `no_such_image`.
        ConflictError: `signed`, or `claimed` by another reader with who and until.
    """
    with transaction.atomic():
        image = lock_film(image_id)
        refuse_signed(image)
        room.refuse_reader(image, user)
        refuse_claimed_by_another(image, user)
        now = timezone.now()
        held = Claim.objects.filter(image=image).first()
        if held and held.by_id == user.pk and held.until > now:
            held.until = now + LEASE
            held.save(update_fields=["until"])
            return held  # a renewal: the audit has the claim itself
        taken, _ = Claim.objects.update_or_create(
            image=image, defaults={"by": user, "at": now, "until": now + LEASE}
        )
        audit.record(
            actor=user, verb="claimed", obj=image, patient_id=patient_of(image), request=request
        )
        return taken


def release(*, image_id: int, user: User, request: HttpRequest | None = None) -> bool:
    """Give a film back; true if there was a lease of one's own to give.

    Raises:
        NotFoundError: `no_such_image`.
        ConflictError: `claimed` by another reader.
    """
    with transaction.atomic():
        image = lock_film(image_id)
        refuse_claimed_by_another(image, user)
        gone, _ = Claim.objects.filter(image=image, by=user).delete()
        if gone:
            audit.record(
                actor=user,
                verb="released",
                obj=image,
                patient_id=patient_of(image),
                request=request,
            )
        return bool(gone)


def lock_film(image_id: int) -> Image:
    """Lock a film's row until the transaction ends: claims, verdicts and signatures queue here.

    Call it inside `atomic()`. The lock lets inserts that only refer to the film pass, so the
    detector's own writes don't wait for a reader.

    Raises:
        NotFoundError: `no_such_image`.
    """
    image = (
        Image.objects.select_for_update(of=("self",), no_key=True)
        .select_related("series__study")
        .filter(pk=image_id)
        .first()
    )
    if image is None:
        raise NotFoundError("no_such_image", "There is no such image.", image=image_id)
    return image


def refuse_signed(image: Image) -> None:
    """Raise `signed` if the film has its signature.

    Raises:
        ConflictError: `signed`, with who and when.
    """
    signature = Signature.objects.filter(image=image).first()
    if signature is not None:
        raise signed_error(signature)


def signed_error(signature: Signature) -> ConflictError:
    """The film is read: who, when."""
    return ConflictError(
        "signed",
        f"{signature.by_name} has signed this film; it can't be changed any more.",
        by=signature.by_name,
        at=signature.at.isoformat(),
        signature=signature.pk,
    )


def refuse_claimed_by_another(image: Image, user: User) -> None:
    """Raise `claimed` if another reader's lease is alive.

    Raises:
        ConflictError: `claimed`, with who and until.
    """
    other = (
        Claim.objects.filter(image=image, until__gt=timezone.now())
        .exclude(by=user)
        .select_related("by")
        .first()
    )
    if other is not None:
        raise ConflictError(
            "claimed",
            f"{other.by} is reading this film. Take another, or wait until the claim ends.",
            by=str(other.by),
            at=other.at.isoformat(),
            until=other.until.isoformat(),
        )


def patient_of(image: Image) -> int:
    """Our number of the film's patient, for the audit."""
    return image.series.study.patient_id
