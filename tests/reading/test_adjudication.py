"""Two readings that differ: who sees what, and who settles it."""

from __future__ import annotations

import pytest
from django.db import DatabaseError, transaction

from accounts.models import AuditEntry, User
from detection import selectors
from detection.models import Claim, DetectorVersion, Signature
from detection.selectors_dataset import signed_films
from detection.services import claims, reviews
from imaging.models import Image
from reading.models import Adjudication, DoubleReading, IndependentRead
from reading.selectors_double import (
    adjudications,
    marks,
    not_offered,
    second_readings,
    standing_of,
    undecidable,
)
from reading.services.adjudication import adjudicate
from reading.services.report_sign import sign_film as sign
from tests.detection.factories import make_image, make_user
from tests.reading.twice import differ, finding, first, make_film, read_twice, second
from twinhealth.errors import ConflictError, InvalidInputError, NotPermittedError

pytestmark = pytest.mark.django_db


@pytest.fixture
def film(version: DetectorVersion) -> Image:
    return make_film(version)


def test_two_who_differ_wait_for_a_lead(film: Image, reader: User, other: User, lead: User) -> None:
    differ(film, reader, other)
    assert not Signature.objects.exists()
    assert not Claim.objects.exists()
    assert [row["image_id"] for row in adjudications()] == [film.pk]
    assert not second_readings().exists()
    outsider = make_user()
    for user in (reader, other, lead, outsider):
        assert selectors.next_image(user=user, leave_out=not_offered(user)) is None
    for user, code in ((reader, "already_read"), (other, "already_read")):
        with pytest.raises(ConflictError) as caught:
            claims.claim(image_id=film.pk, user=user)
        assert caught.value.code == code
    for act in (claims.claim, lambda **k: sign(conclusion="normal", **k)):
        with pytest.raises(ConflictError) as caught:
            act(image_id=film.pk, user=outsider)
        assert caught.value.code == "adjudication"
    claims.claim(image_id=film.pk, user=lead)


def test_what_each_may_see_of_it(film: Image, reader: User, other: User, lead: User) -> None:
    read_twice("all")
    outsider = make_user()

    def seen() -> dict[str, tuple[str, tuple[int, ...], bool, bool]]:
        found = {}
        for user in (reader, other, lead, outsider):
            s = standing_of(image_id=film.pk, user=user)[1]
            positions = tuple(read.position for read in s.reads)
            found[user.username] = (s.phase, positions, s.locked, s.decides)
        return found

    assert set(seen().values()) == {("first", (), False, False)}
    first(film, reader)
    assert seen() == {
        "reader": ("second", (1,), True, False),
        **dict.fromkeys(("other", "lead", outsider.username), ("second", (), False, False)),
    }
    second(film, other, "normal")
    assert seen() == {
        "reader": ("adjudication", (1,), True, False),
        "other": ("adjudication", (2,), True, False),
        "lead": ("adjudication", (1, 2), False, True),
        outsider.username: ("adjudication", (), True, False),
    }
    adjudicate(image_id=film.pk, user=lead, choice="second")
    assert set(seen().values()) == {("signed", (1, 2), False, False)}


@pytest.mark.parametrize(
    ("choice", "conclusion", "text", "boxes"),
    [
        ("first", "abnormal", "Left covid.", {("covid", "unreviewed"), ("covid", "add")}),
        ("second", "normal", "Clear.", set()),
        ("own", "abnormal", "Pneumonia.", {("pneumonia", "accept")}),
    ],
)
def test_a_lead_settles_it(
    film: Image, reader: User, other: User, lead: User, choice: str, conclusion: str, text: str,
    boxes: set[tuple[str, str]],
) -> None:  # fmt: skip
    differ(film, reader, other)
    claims.claim(image_id=film.pk, user=lead)
    reviews.record(finding_id=finding(film, "pneumonia"), user=lead, verdict="accept")
    reviews.record(
        finding_id=finding(film, "covid"),
        user=lead,
        verdict="reject",
        reason_code="other",
        reason="said",
    )
    own = {"conclusion": "abnormal", "text": "Pneumonia."} if choice == "own" else {}
    signature = adjudicate(image_id=film.pk, user=lead, choice=choice, **own)
    assert (signature.by, signature.by_name) == (lead, "Dr Lead")
    assert (signature.conclusion, signature.text) == (conclusion, text)
    assert signature.adjudication.choice == choice
    (data,) = signed_films()
    assert {(b.label, b.verdict) for b in data.truth.boxes} == boxes
    assert adjudicate(image_id=film.pk, user=lead, choice="own", conclusion="normal") == signature
    assert AuditEntry.objects.filter(verb="adjudicated").count() == 1
    assert IndependentRead.objects.count() == 2


def test_who_may_not_settle_it(film: Image, reader: User, other: User, lead: User) -> None:
    differ(film, reader, other)
    User.objects.filter(pk=reader.pk).update(is_reading_lead=True)
    reader.refresh_from_db()
    for user, code in ((reader, "own_read"), (make_user(), "not_a_lead")):
        with pytest.raises(NotPermittedError) as caught:
            adjudicate(image_id=film.pk, user=user, choice="first")
        assert caught.value.code == code
    for fields, code in (
        ({"choice": "third"}, "bad_choice"),
        ({"choice": "own", "conclusion": ""}, "bad_conclusion"),
        ({"choice": "own", "conclusion": "normal", "text": "x" * 4001}, "text_too_long"),
    ):
        with pytest.raises(InvalidInputError) as wrong:
            adjudicate(image_id=film.pk, user=lead, **fields)
        assert wrong.value.code == code
    fresh = make_image()
    with pytest.raises(ConflictError) as nothing:
        adjudicate(image_id=fresh.pk, user=lead, choice="first")
    assert nothing.value.code == "not_in_adjudication"
    adjudicate(image_id=film.pk, user=lead, choice="first")
    with pytest.raises(ConflictError) as late:
        adjudicate(image_id=film.pk, user=make_user(is_reading_lead=True), choice="second")
    assert late.value.code == "signed"


def test_whether_anybody_can_settle_it(film: Image, reader: User, other: User) -> None:
    User.objects.filter(pk=other.pk).update(is_reading_lead=True)
    differ(film, reader, User.objects.get(pk=other.pk))
    assert undecidable(marks().adjudication) == 1
    assert standing_of(image_id=film.pk, user=reader)[1].leads == ()
    closed = make_user(is_reading_lead=True, is_active=False)
    assert undecidable(marks().adjudication) == 1
    User.objects.filter(pk=closed.pk).update(is_active=True)
    assert undecidable(marks().adjudication) == 0
    assert standing_of(image_id=film.pk, user=reader)[1].leads == (closed,)


def test_readings_are_only_ever_added(film: Image, reader: User, other: User, lead: User) -> None:
    differ(film, reader, other)
    adjudicate(image_id=film.pk, user=lead, choice="first")
    for model, change in (
        (IndependentRead, {"text": "other"}),
        (DoubleReading, {"why": "none"}),
        (Adjudication, {"choice": "own"}),
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            model.objects.update(**change)
        with pytest.raises(DatabaseError), transaction.atomic():
            model.objects.all()._raw_delete("default")  # type: ignore[attr-defined]
