"""A signed film stays as it is; what is added is a row of its own."""

from __future__ import annotations

import pytest
from django.db import DatabaseError, transaction
from django.test import Client

from accounts.models import AuditEntry, User
from accounts.permissions import Role
from detection.models import Signature
from detection.services import sign
from imaging.models import Image
from reading.models import Addendum
from reading.services import addenda
from tests.detection.factories import make_image, make_user
from twinhealth.errors import ConflictError, InvalidInputError

pytestmark = pytest.mark.django_db


@pytest.fixture
def reader(db: None) -> User:
    return make_user(Role.CLINICIAN, display_name="Dr Reader")


@pytest.fixture
def signed(reader: User) -> Image:
    image = make_image()
    sign.sign(image_id=image.pk, user=reader, conclusion="normal", text="clear lungs")
    return image


def as_user(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_an_addendum_leaves_the_signature_and_is_audited(signed: Image, reader: User) -> None:
    before = Signature.objects.values().get(image=signed)
    made = addenda.add(image_id=signed.pk, user=reader, text="  small nodule  ")
    assert Signature.objects.values().get(image=signed) == before
    assert (made.text, made.by_name) == ("small nodule", "Dr Reader")
    entry = AuditEntry.objects.get(verb="amended")
    assert entry.patient_ref == signed.series.study.patient_id
    assert entry.detail["addendum"] == made.pk
    assert "nodule" not in str(entry.detail)


def test_no_row_of_it_can_be_changed_or_deleted(signed: Image, reader: User) -> None:
    addenda.add(image_id=signed.pk, user=reader, text="nodule")
    rows = Addendum.objects.all()
    with pytest.raises(DatabaseError), transaction.atomic():
        rows.update(text="nothing")
    with pytest.raises(DatabaseError), transaction.atomic():
        rows.delete()
    assert rows.get().text == "nodule"


def test_an_unsigned_film_and_an_empty_text_are_refused(signed: Image, reader: User) -> None:
    with pytest.raises(ConflictError) as caught:
        addenda.add(image_id=make_image().pk, user=reader, text="nodule")
    assert caught.value.code == "not_signed"
    for text, code in ((" \n", "text_required"), ("x" * 4001, "text_too_long")):
        with pytest.raises(InvalidInputError) as bad:
            addenda.add(image_id=signed.pk, user=reader, text=text)
        assert bad.value.code == code
    assert not Addendum.objects.exists()


def test_the_page_adds_it_and_shows_hostile_text_as_text(signed: Image, reader: User) -> None:
    client = as_user(reader)
    answer = client.post(
        f"/films/{signed.pk}/addenda/", {"text": "<script>x</script>"}, HTTP_HX_REQUEST="true"
    )
    assert answer.status_code == 200
    for html in (answer.content.decode(), client.get(f"/films/{signed.pk}/").content.decode()):
        assert "&lt;script&gt;x&lt;/script&gt;" in html
        assert "<script>x" not in html
        assert "Addendum: Dr Reader" in html


def test_rest_adds_it_for_readers_only(signed: Image, reader: User) -> None:
    address = f"/api/v1/images/{signed.pk}/addenda/"
    made = as_user(reader).post(address, {"text": "nodule"}, content_type="application/json")
    assert (made.status_code, made.json()["text"]) == (201, "nodule")
    unsigned = f"/api/v1/images/{make_image().pk}/addenda/"
    early = as_user(reader).post(unsigned, {"text": "x"}, content_type="application/json")
    assert (early.status_code, early.json()["code"]) == (409, "not_signed")
    engineer = as_user(make_user(Role.ENGINEER))
    refused = engineer.post(address, {"text": "x"}, content_type="application/json")
    assert refused.status_code == 403
    assert Addendum.objects.count() == 1
