"""Reads of the room: one function per page or list."""

from __future__ import annotations

from django.db.models import Count, QuerySet

from accounts.models import User
from twinhealth.errors import NotFoundError

from .models import Image, Intake, Outcome, QuarantinedFile
from .models.intake import QuarantineState


def images() -> QuerySet[Image]:
    """All images with what a list shows of them, newest exposure first."""
    return Image.objects.select_related("device", "series__study__patient").order_by(
        "-acquired_at", "-pk"
    )


def image_or_error(image_id: int) -> Image:
    """One image with patient and machine.

    Raises:
        NotFoundError: `image_not_found`.
    """
    image = images().filter(pk=image_id).first()
    if image is None:
        raise NotFoundError("image_not_found", "There is no such image.")
    return image


def intakes_of(user: User, *, outcome: str = "") -> QuerySet[Intake]:
    """What became of the files that a person sent, newest first."""
    rows = Intake.objects.filter(by=user).select_related("image", "quarantined")
    if outcome in Outcome.values:
        rows = rows.filter(outcome=outcome)
    return rows.order_by("-at", "-pk")


def intake_counts(user: User) -> dict[str, int]:
    """Outcome -> how many of the person's files ended so."""
    rows = Intake.objects.filter(by=user).values("outcome").annotate(count=Count("pk")).order_by()
    return {row["outcome"]: row["count"] for row in rows}


def quarantined(*, state: str = "") -> QuerySet[QuarantinedFile]:
    """Files in quarantine with what they collide with, newest first."""
    rows = QuarantinedFile.objects.select_related(
        "existing__device", "existing__series__study__patient", "decided_by"
    ).prefetch_related("intakes")
    if state in QuarantineState.values:
        rows = rows.filter(state=state)
    return rows.order_by("-created_at", "-pk")


def open_quarantine_count() -> int:
    """How many files wait for somebody to look."""
    return QuarantinedFile.objects.filter(state=QuarantineState.OPEN).count()
