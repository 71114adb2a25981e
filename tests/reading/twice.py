"""Policies, films and readings for tests of double reading."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from accounts.models import User
from detection.models import DetectorVersion
from detection.services import claims, reviews
from imaging.models import Image
from reading.models import ReadingPolicy
from reading.services.report_sign import sign_film as sign
from tests.detection.factories import make_image, make_run, make_user

BOX = (10.0, 20.0, 50.0, 60.0)


def make_film(version: DetectorVersion) -> Image:
    """Flagged as covid, with a second finding of pneumonia; both above the thresholds."""
    image = make_image()
    make_run(image, version, boxes=(("covid", 0.9), ("pneumonia", 0.6, 200, 30, 80, 90)))
    return image


def read_twice(rule: str, percent: int | None = None) -> ReadingPolicy:
    """From now on films are read twice by this rule."""
    admin = make_user("admin")
    return ReadingPolicy.objects.create(
        number=ReadingPolicy.objects.count() + 1,
        twice=rule,
        twice_percent=percent,
        reason="a test",
        by=admin,
        by_name=str(admin),
        at=timezone.now(),
    )


def finding(film: Image, label: str) -> int:
    return film.runs.get().findings.get(label=label).pk


def first(film: Image, user: User, conclusion: str = "abnormal", text: str = "") -> None:
    done = sign(image_id=film.pk, user=user, conclusion=conclusion, text=text)
    assert (done.signature, done.created) == (None, True)
    assert done.read is not None
    assert done.read.position == 1


def second(film: Image, user: User, conclusion: str = "abnormal", text: str = "") -> Any:
    claims.claim(image_id=film.pk, user=user)
    return sign(image_id=film.pk, user=user, conclusion=conclusion, text=text)


def differ(film: Image, reader: User, other: User) -> None:
    """First: covid, the pneumonia rejected, a box drawn. Second: normal, both rejected."""
    read_twice("all")
    reviews.record(
        finding_id=finding(film, "pneumonia"),
        user=reader,
        verdict="reject",
        reason_code="other",
        reason="said",
    )
    reviews.record(image_id=film.pk, user=reader, verdict="add", label="covid", box=BOX)
    first(film, reader, "abnormal", "Left covid.")
    claims.claim(image_id=film.pk, user=other)
    for label in ("covid", "pneumonia"):
        reviews.record(
            finding_id=finding(film, label),
            user=other,
            verdict="reject",
            reason_code="other",
            reason="said",
        )
    done = sign(image_id=film.pk, user=other, conclusion="normal", text="Clear.")
    assert done.signature is None
    assert done.read is not None
    assert done.read.position == 2
