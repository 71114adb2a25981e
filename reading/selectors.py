"""Reads of the reading room's pages: what was signed today, what can be taken back."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from accounts.models import User
from detection.models import Review, Signature, Verdict
from detection.selectors_film import Film, box_of
from imaging.models import Image
from reading.change import Mark
from reading.models import Addendum, HelpRequest, IndependentRead, SavedView, Skip
from reading.models.line import HelpState
from twinhealth.errors import NotFoundError


def signed_today(*, now: datetime | None = None) -> QuerySet[Signature]:
    """Signatures since midnight in the hospital's zone, newest first, joined for a table."""
    midnight = timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)
    return (
        Signature.objects.filter(at__gte=midnight)
        .select_related("by", "image__series__study__patient", "image__device")
        .order_by("-at", "-id")
    )


def last_verdict(*, image_id: int, user: User) -> Review | None:
    """The reader's own newest verdict on a film that isn't taken back; `None` without one."""
    return (
        Review.objects.filter(image_id=image_id, by=user, withdrawn_at=None)
        .order_by("at", "id")
        .last()
    )


def marks_of(film: Film) -> list[Mark]:
    """The findings of a film that stand: the model's that nobody rejected, and drawn ones."""
    boxes = [
        (view.shown_label, view.shown_box)
        for view in film.findings
        if view.review is None or view.review.verdict != Verdict.REJECT
    ]
    boxes += [(review.label, box) for review in film.added if (box := box_of(review))]
    columns, rows = film.image.columns, film.image.rows
    return [
        Mark(label=label, center=(x + w / 2) / columns, area=w * h / (columns * rows))
        for label, (x, _, w, h) in boxes
    ]


def skipped_by(user: User, *, now: datetime | None = None) -> QuerySet[Image]:
    """Numbers of the films that aren't offered to this reader for the moment."""
    live = Skip.objects.filter(by=user, until__gt=now or timezone.now())
    return live.values("image_id")  # type: ignore[return-value]


def open_help() -> QuerySet[HelpRequest]:
    """Calls for help with unsigned films, oldest first."""
    return (
        HelpRequest.objects.filter(state=HelpState.OPEN)
        .filter(~Exists(Signature.objects.filter(image_id=OuterRef("image_id"))))
        .select_related("by", "image")
        .order_by("at", "id")
    )


def help_calls(state: str) -> QuerySet[HelpRequest]:
    """Calls for help in one state, of signed films too, newest first.

    Not those from before a reading of a film that another is yet to read: they stand again with
    the signature, as on the film's page.
    """
    read_since = IndependentRead.objects.filter(
        image_id=OuterRef("image_id"), at__gte=OuterRef("at"), image__signature=None
    )
    return (
        HelpRequest.objects.filter(~Exists(read_since), state=state)
        .select_related("by", "ended_by")
        .order_by("-at", "-id")
    )


def help_of(image_id: int) -> HelpRequest | None:
    """The newest call for help with a film that wasn't withdrawn; `None` without one."""
    return (
        HelpRequest.objects.filter(image_id=image_id)
        .exclude(state=HelpState.WITHDRAWN)
        .select_related("by", "ended_by")
        .order_by("at", "id")
        .last()
    )


def help_image(help_id: int) -> int:
    """Number of the film that a call for help is about.

    Raises:
        NotFoundError: `no_such_help`.
    """
    found = HelpRequest.objects.filter(pk=help_id).values_list("image_id", flat=True).first()
    if found is None:
        raise NotFoundError("no_such_help", "There is no such call for help.", help=help_id)
    return found


def line_of(image_id: int) -> dict[str, Any]:
    """A film beside its reading: `image`, `call`, `item`, `signature`, `looked`, `wants_look`.

    Raises:
        NotFoundError: `no_such_image`.
    """
    image = (
        Image.objects.select_related("worklist_item", "signature__second_look__by")
        .filter(pk=image_id)
        .first()
    )
    if image is None:
        raise NotFoundError("no_such_image", "There is no such image.", image=image_id)
    signature = getattr(image, "signature", None)
    looked = getattr(signature, "second_look", None)
    waits = signature is not None and looked is None
    return {
        "image": image,
        "call": help_of(image_id),
        "item": getattr(image, "worklist_item", None),
        "signature": signature,
        "looked": looked,
        "wants_look": waits and second_looks().filter(image_id=image_id).exists(),
    }


def second_looks() -> QuerySet[Signature]:
    """Signatures that wait for a second reader, oldest first.

    Those where detector and reader disagree (flagged and signed normal, or read without a flag and
    signed abnormal), and of those where both say normal a share, drawn when they were signed.
    Films that two readers read have had their second reader.
    """
    return (
        Signature.objects.filter(
            image__worklist_item__look_since__isnull=False,
            second_look=None,
            image__double_reading=None,
        )
        .select_related(
            "by", "image__series__study__patient", "image__device", "image__worklist_item"
        )
        .order_by("image__worklist_item__look_since", "id")
    )


def saved_views(user: User) -> QuerySet[SavedView]:
    """A reader's own views, by name."""
    return SavedView.objects.filter(user=user)


def addenda_of(signature: Signature | None) -> list[Addendum]:
    """What was added under a signature, oldest first; empty without one."""
    return list(Addendum.objects.filter(signature=signature)) if signature else []
