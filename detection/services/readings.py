"""Asking for readings apart: of each new film by the shadow, of signed films by any version."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone

from accounts.models import User
from accounts.services import audit
from detection.models import (
    Conclusion,
    DetectorVersion,
    Purpose,
    ReadingState,
    Signature,
    VersionReading,
)
from imaging.models import Image
from twinhealth.errors import ConflictError, InvalidInputError

from .which import shadow_version, version_by_id

MOST_FILMS = 2_000
# what a person's signature says of a film that may be compared with a version's scores
READABLE = (Conclusion.NORMAL, Conclusion.ABNORMAL)


def read_along(image: Image) -> None:
    """Have the shadow version, if there is one, read a new film too; call it in its transaction."""
    if image.display_problem:
        return
    shadow = shadow_version()
    if shadow is not None:
        _request(shadow, [image.pk], Purpose.SHADOW)


def score_signed_films(
    *, version_id: int, last: int, user: User | None, request: HttpRequest | None = None
) -> int:
    """Have a version read the newest signed films that it hasn't read apart yet.

    Asking again continues: what was read stays, what failed gets another try.

    Args:
        version_id: the version.
        last: how many of the newest films signed as normal or abnormal, 1 to `MOST_FILMS`.
        user: who asks; `None` for the command line.
        request: for the audit.

    Returns:
        How many films were added to those that wait.

    Raises:
        NotFoundError: `no_such_version`.
        InvalidInputError: `bad_number`.
        ConflictError: `no_signed_films`.
    """
    if not 1 <= last <= MOST_FILMS:
        raise InvalidInputError(
            "bad_number", f"Between 1 and {MOST_FILMS} films can be read.", last=last
        )
    version = version_by_id(version_id)
    with transaction.atomic():
        signed = Signature.objects.filter(conclusion__in=READABLE, image__display_problem="")
        films = list(signed.order_by("-at", "-pk").values_list("image_id", flat=True)[:last])
        if not films:
            raise ConflictError(
                "no_signed_films",
                "No film is signed as normal or abnormal yet; there is nothing to compare with.",
            )
        VersionReading.objects.filter(
            version=version, image__in=films, state=ReadingState.FAILED
        ).delete()
        added = _request(version, films, Purpose.SCORING)
        audit.record(
            actor=user,
            verb="asked_to_score",
            obj=version,
            request=request,
            detail={"version": version.name, "last": last, "added": added},
        )
        return added


def _request(version: DetectorVersion, image_ids: Iterable[int], purpose: Purpose) -> int:
    """Add waiting readings for those films that have none by this version; how many."""
    wanted = set(image_ids)
    known = VersionReading.objects.filter(version=version, image__in=wanted)
    missing = sorted(wanted - set(known.values_list("image_id", flat=True)))
    now = timezone.now()
    VersionReading.objects.bulk_create(
        (
            VersionReading(version=version, image_id=pk, purpose=purpose, queued_at=now)
            for pk in missing
        ),
        ignore_conflicts=True,  # somebody else asked at the same moment
    )
    return len(missing)


def drop_waiting(version: DetectorVersion, *purposes: Purpose) -> None:
    """Take back the readings apart that wait for the version."""
    VersionReading.objects.filter(
        version=version, state=ReadingState.QUEUED, purpose__in=purposes
    ).delete()
