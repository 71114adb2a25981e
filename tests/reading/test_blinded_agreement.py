"""What blinded readers changed, and the model against their first word, counted by hand."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from detection.models import DetectorVersion
from detection.services import sign
from imaging.models import Image
from reading.agreement import share
from reading.models import FirstImpression, ReadingGroup, ReadingGroupMember
from reading.selectors_agreement import Span
from reading.selectors_blinded_agreement import blind_table
from tests.detection.factories import make_image, make_run, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def group(reader: User, other: User) -> ReadingGroup:
    made = ReadingGroup.objects.create(name="blind", blinded=True)
    for user in (reader, other):
        ReadingGroupMember.objects.create(group=made, user=user)
    return made


def read(
    by: User,
    first: str,
    signed: str,
    version: DetectorVersion | None,
    *,
    flag: bool = False,
    seen_before: bool = False,
) -> Image:
    """A film as this reader read it; `version` is `None` where the model had not."""
    image = make_image()
    if version:
        make_run(image, version, boxes=(("covid", 0.9),) if flag else ())
    FirstImpression.objects.create(
        image=image, reader=by, reader_name=str(by), at=timezone.now(), conclusion=first,
        seen_before=seen_before,
    )  # fmt: skip
    sign.sign(image_id=image.pk, user=by, conclusion=signed)
    return image


def span() -> Span:
    day = timezone.localdate()
    return Span(day - timedelta(days=1), day + timedelta(days=1))


@pytest.fixture
def films(reader: User, other: User, version: DetectorVersion) -> None:
    for _ in range(3):
        read(reader, "abnormal", "abnormal", version, flag=True)
    read(reader, "normal", "abnormal", version, flag=True)  # toward
    read(reader, "normal", "abnormal", version, flag=True)
    read(reader, "abnormal", "normal", version, flag=True)  # away
    read(reader, "abnormal", "abnormal", version)
    read(reader, "normal", "normal", version)
    read(reader, "normal", "not_readable", version)
    read(reader, "normal", "abnormal", None)
    # none of these count
    read(reader, "normal", "abnormal", version, flag=True, seen_before=True)
    another = read(other, "normal", "abnormal", version, flag=True)
    assert another.signature.by == other


def test_changes_and_their_direction(films: None, reader: User) -> None:
    table = blind_table(user=reader, span=span())
    assert table.films == 10
    assert table.changed == share(5, 10)
    assert (table.toward, table.away) == (share(2, 8), share(1, 8))
    assert [(c.first, c.signed, c.model, c.films) for c in table.changes] == [
        ("normal", "abnormal", "flagged", 2),
        ("abnormal", "normal", "flagged", 1),
        ("normal", "abnormal", "not read", 1),
        ("normal", "not readable", "not flagged", 1),
    ]


def test_the_model_against_the_blind_word_and_the_signature(films: None, reader: User) -> None:
    first, signed = blind_table(user=reader, span=span()).against
    assert (first.detected, first.passed) == (share(4, 5), share(1, 3))
    assert (signed.detected, signed.passed) == (share(5, 6), share(1, 2))
    assert first.cells.films == signed.cells.films == 8


def test_own_figures_and_the_leads(films: None, reader: User, other: User) -> None:
    assert blind_table(user=other, span=span()).films == 1
    lead = make_user(is_reading_lead=True)
    assert blind_table(user=lead, span=span()).films == 11
    client = Client()
    client.force_login(other)
    html = client.get("/agreement/").content.decode()
    assert "Blinded first reads" in html
    got = client.get("/api/v1/agreement/").json()["blind"]
    assert (got["films"], got["changed"]["value"]) == (1, 1.0)
    assert got["against"][0]["detected"] is None  # no film was abnormal at first


def test_without_a_blind_film_the_page_says_nothing_of_it(reader: User) -> None:
    client = Client()
    client.force_login(reader)
    assert "Blinded first reads" not in client.get("/agreement/").content.decode()
    assert client.get("/api/v1/agreement/").json()["blind"]["changed"] is None
