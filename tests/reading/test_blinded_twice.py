"""A reader of a blinded group in a double reading: first the impression, then the reading."""

from __future__ import annotations

import pytest

from accounts.models import User
from detection.models import DetectorVersion
from detection.services import claims
from reading.models import IndependentRead, ReadingGroup, ReadingGroupMember
from reading.services.first_impressions import commit
from reading.services.report_sign import sign_film
from tests.reading.twice import make_film, read_twice
from twinhealth.errors import ConflictError

pytestmark = pytest.mark.django_db


def test_no_reading_before_the_first_impression(
    version: DetectorVersion, reader: User, other: User
) -> None:
    film = make_film(version)
    read_twice("all")
    group = ReadingGroup.objects.create(name="blind", blinded=True)
    ReadingGroupMember.objects.create(group=group, user=other)
    sign_film(image_id=film.pk, user=reader, conclusion="abnormal", text="Left.")
    claims.claim(image_id=film.pk, user=other)
    with pytest.raises(ConflictError) as caught:
        sign_film(image_id=film.pk, user=other, conclusion="abnormal")
    assert caught.value.code == "first_impression_missing"
    assert IndependentRead.objects.count() == 1
    commit(image_id=film.pk, user=other, conclusion="normal", text="")
    sign_film(image_id=film.pk, user=other, conclusion="normal")
    assert IndependentRead.objects.get(position=2).reader == other
