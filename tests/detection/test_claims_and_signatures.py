from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import DatabaseError, transaction
from django.utils import timezone

from accounts.models import AuditEntry, User
from detection.models import Claim, Signature, WorklistItem
from detection.services import claims, sign
from detection.services.worklist import refresh_items
from imaging.models import Image
from tests.detection.factories import make_image
from twinhealth.errors import ConflictError, InvalidInputError, NotFoundError

pytestmark = pytest.mark.django_db


@pytest.fixture
def image(db: None) -> Image:
    image = make_image()
    refresh_items(image_ids=[image.pk])
    return image


def verbs(image: Image) -> list[str]:
    rows = AuditEntry.objects.filter(
        object_type="imaging.Image",
        object_id=str(image.pk),
        patient_ref=image.series.study.patient_id,
    )
    return list(rows.order_by("id").values_list("verb", flat=True))


def run_out(image: Image) -> None:
    Claim.objects.filter(image=image).update(until=timezone.now() - timedelta(seconds=1))


def test_a_claim_lasts_ten_minutes_and_its_holder_renews_it(image: Image, reader: User) -> None:
    first = claims.claim(image_id=image.pk, user=reader)
    assert timedelta(minutes=9) < first.until - timezone.now() <= timedelta(minutes=10)
    Claim.objects.update(until=timezone.now() + timedelta(seconds=30))
    again = claims.claim(image_id=image.pk, user=reader)
    assert again.pk == first.pk
    assert again.until - timezone.now() > timedelta(minutes=9)
    assert verbs(image) == ["claimed"]


def test_another_readers_live_claim_is_told_with_who_and_until(
    image: Image, reader: User, other: User
) -> None:
    held = claims.claim(image_id=image.pk, user=other)
    with pytest.raises(ConflictError) as caught:
        claims.claim(image_id=image.pk, user=reader)
    assert caught.value.code == "claimed"
    assert caught.value.extra["by"] == "Dr Other"
    assert caught.value.extra["until"] == held.until.isoformat()


def test_a_claim_that_ran_out_is_free(image: Image, reader: User, other: User) -> None:
    claims.claim(image_id=image.pk, user=other)
    run_out(image)
    assert claims.claim(image_id=image.pk, user=reader).by == reader
    assert Claim.objects.count() == 1


def test_release_ends_ones_own_claim_only(image: Image, reader: User, other: User) -> None:
    claims.claim(image_id=image.pk, user=reader)
    with pytest.raises(ConflictError) as caught:
        claims.release(image_id=image.pk, user=other)
    assert caught.value.code == "claimed"
    assert claims.release(image_id=image.pk, user=reader) is True
    assert claims.release(image_id=image.pk, user=reader) is False
    assert verbs(image) == ["claimed", "released"]


@pytest.mark.parametrize("act", [claims.claim, claims.release])
def test_no_such_image(act: object, reader: User) -> None:
    with pytest.raises(NotFoundError) as caught:
        act(image_id=10**9, user=reader)  # type: ignore[operator]
    assert caught.value.code == "no_such_image"


def test_signing_needs_neither_claim_nor_verdicts_and_closes_the_film(
    image: Image, reader: User
) -> None:
    signed = sign.sign(image_id=image.pk, user=reader, conclusion="normal", text="Clear lungs.")
    assert signed.created
    row = Signature.objects.get(image=image)
    assert (row.by, row.by_name, row.conclusion, row.text) == (
        reader,
        "reader",
        "normal",
        "Clear lungs.",
    )
    assert WorklistItem.objects.get(image=image).signed
    assert verbs(image) == ["signed"]


def test_the_same_readers_repeat_changes_nothing(image: Image, reader: User) -> None:
    first = sign.sign(image_id=image.pk, user=reader, conclusion="normal")
    again = sign.sign(image_id=image.pk, user=reader, conclusion="abnormal")
    assert not again.created
    assert again.signature.pk == first.signature.pk
    assert Signature.objects.get().conclusion == "normal"
    assert verbs(image) == ["signed"]


def test_anyone_else_hears_who_signed_and_when(image: Image, reader: User, other: User) -> None:
    signed = sign.sign(image_id=image.pk, user=other, conclusion="normal").signature
    for act in (
        lambda: sign.sign(image_id=image.pk, user=reader, conclusion="normal"),
        lambda: claims.claim(image_id=image.pk, user=reader),
    ):
        with pytest.raises(ConflictError) as caught:
            act()
        assert caught.value.code == "signed"
        assert caught.value.extra["by"] == "Dr Other"
        assert caught.value.extra["at"] == signed.at.isoformat()


def test_not_while_another_reader_holds_it(image: Image, reader: User, other: User) -> None:
    claims.claim(image_id=image.pk, user=other)
    with pytest.raises(ConflictError) as caught:
        sign.sign(image_id=image.pk, user=reader, conclusion="normal")
    assert caught.value.code == "claimed"
    run_out(image)
    assert sign.sign(image_id=image.pk, user=reader, conclusion="normal").created


def test_signing_ends_the_claim(image: Image, reader: User) -> None:
    claims.claim(image_id=image.pk, user=reader)
    sign.sign(image_id=image.pk, user=reader, conclusion="abnormal")
    assert not Claim.objects.exists()


@pytest.mark.parametrize(
    ("fields", "code"),
    [({"conclusion": "fine"}, "bad_conclusion"), ({"text": "x" * 4001}, "text_too_long")],
)
def test_bad_signatures(image: Image, reader: User, fields: dict[str, str], code: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        sign.sign(image_id=image.pk, user=reader, **({"conclusion": "normal"} | fields))
    assert caught.value.code == code
    assert not Signature.objects.exists()


def test_a_signature_can_be_neither_changed_nor_removed(image: Image, reader: User) -> None:
    signature = sign.sign(image_id=image.pk, user=reader, conclusion="normal").signature
    signature.conclusion = "abnormal"
    with pytest.raises(DatabaseError), transaction.atomic():
        signature.save()
    with pytest.raises(DatabaseError), transaction.atomic():
        signature.delete()
