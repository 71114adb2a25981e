"""Double reading: who reads what, what is kept, when two agree, and who settles the rest."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import AuditEntry, User
from detection import selectors
from detection.models import Claim, DetectorVersion, Review, Signature
from detection.selectors_dataset import signed_films
from detection.services import claims, reviews
from detection.services import request as requests
from imaging.models import Image
from reading import double
from reading.models import Adjudication, DoubleReading, IndependentRead
from reading.selectors import open_help, second_looks
from reading.selectors_agreement import lately
from reading.selectors_double import (
    adjudications,
    marks,
    not_offered,
    second_readings,
)
from reading.selectors_pairs import reader_pairs
from reading.services import critical, line
from reading.services.report_sign import sign_film as sign
from tests.detection.factories import make_image, make_run, make_user
from tests.reading.twice import BOX, finding, first, make_film, read_twice, second
from twinhealth.errors import ConflictError

pytestmark = pytest.mark.django_db


@pytest.fixture
def film(version: DetectorVersion) -> Image:
    return make_film(version)


# --- the rules, pure


@pytest.mark.parametrize(
    ("rule", "percent", "sha", "flagged", "twice"),
    [
        ("none", None, "0", True, False),
        ("all", None, "f", False, True),
        ("flagged", None, "f", True, True),
        ("flagged", None, "0", False, False),
        ("share", 50, "7", False, True),
        ("share", 50, "8", True, False),
        ("share", 100, "f", False, True),
        ("share", 1, "0", False, True),
        ("share", 1, "1", False, False),
    ],
)
def test_which_films_are_read_twice(
    rule: str, percent: int | None, sha: str, flagged: bool, twice: bool
) -> None:
    drawn = double.read_twice(rule=rule, percent=percent, sha256=sha * 64, flagged=flagged)
    assert drawn is twice


def test_the_share_is_not_drawn_by_the_digits_of_the_second_look() -> None:
    sha = "0" * 8 + "f" * 56
    assert not double.read_twice(rule="share", percent=50, sha256=sha, flagged=True)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (("normal", []), ("normal", []), True),
        (("normal", ["covid"]), ("normal", []), True),
        (("not_readable", []), ("not_readable", []), True),
        (("normal", []), ("abnormal", []), False),
        (("abnormal", ["covid"]), ("not_readable", ["covid"]), False),
        (("abnormal", ["covid"]), ("abnormal", ["covid"]), True),
        (("abnormal", ["covid", "pneumonia"]), ("abnormal", ["pneumonia", "covid"]), True),
        (("abnormal", ["covid"]), ("abnormal", ["covid", "pneumonia"]), False),
        (("abnormal", []), ("abnormal", ["pneumonia"]), False),
        (("abnormal", []), ("abnormal", []), True),
    ],
)
def test_when_two_readings_agree(
    one: tuple[str, list[str]], other: tuple[str, list[str]], same: bool
) -> None:
    for a, b in ((one, other), (other, one)):
        assert double.agree(conclusions=(a[0], b[0]), diseases=(a[1], b[1])) is same


# --- the way of a film


def test_without_a_policy_one_reader_signs(film: Image, reader: User) -> None:
    done = sign(image_id=film.pk, user=reader, conclusion="normal")
    assert (done.signature is not None, done.read, done.created) == (True, None, True)
    assert not DoubleReading.objects.exists()


def test_two_who_agree_sign_and_the_signature_names_both(
    film: Image, reader: User, other: User
) -> None:
    policy = read_twice("flagged")
    reviews.record(
        finding_id=finding(film, "pneumonia"),
        user=reader,
        verdict="reject",
        reason_code="other",
        reason="r",
    )
    first(film, reader, text="Patchy left.")
    kept = DoubleReading.objects.get()
    assert (kept.image, kept.why, kept.policy) == (film, "flagged", policy)
    claims.claim(image_id=film.pk, user=other)
    assert selectors.film(image_id=film.pk, user=other).findings[1].review is None
    reviews.record(
        finding_id=finding(film, "pneumonia"),
        user=other,
        verdict="reject",
        reason_code="other",
        reason="said",
    )
    reviews.record(image_id=film.pk, user=other, verdict="add", label="covid", box=BOX)
    done = sign(image_id=film.pk, user=other, conclusion="abnormal", text="Left side.")
    signature = Signature.objects.get()
    assert done.signature == signature
    assert (signature.by, signature.by_name) == (other, "reader and Dr Other")
    assert signature.text == "Left side."
    one, two = IndependentRead.objects.all()
    assert (one.reader_name, one.text, one.diseases) == ("reader", "Patchy left.", ["covid"])
    assert one.findings["findings"][1]["verdict"] == "reject"
    assert one.findings["findings"][1]["reason"] == "r"
    assert (two.position, two.diseases, len(two.kept)) == (2, ["covid"], 2)
    # the film's record is the second reader's; the first's stays in the reading
    assert {r.by for r in Review.objects.filter(withdrawn_at=None)} == {other}
    (data,) = signed_films()
    assert {(b.label, b.by) for b in data.truth.boxes} == {("covid", other.pk)}
    film.worklist_item.refresh_from_db()
    assert film.worklist_item.signed
    verbs = list(AuditEntry.objects.values_list("verb", flat=True))
    assert (verbs.count("read_independently"), verbs.count("signed")) == (2, 1)
    assert not Adjudication.objects.exists()
    # two readers have looked: not for a second look as well
    assert not second_looks().exists()


def test_the_first_reader_can_do_nothing_more(film: Image, reader: User, other: User) -> None:
    read_twice("all")
    review = reviews.record(finding_id=finding(film, "covid"), user=reader, verdict="accept")
    claims.claim(image_id=film.pk, user=reader)
    first(film, reader, "normal")
    assert not Claim.objects.exists()
    run = film.runs.get()
    acts: list[Any] = [
        lambda: claims.claim(image_id=film.pk, user=reader),
        lambda: reviews.record(
            finding_id=finding(film, "covid"),
            user=reader,
            verdict="reject",
            reason_code="other",
            reason="said",
        ),
        lambda: reviews.record(
            image_id=film.pk, user=reader, verdict="add", label="covid", box=BOX
        ),
        lambda: reviews.withdraw(review_id=review.pk, user=reader),
        lambda: line.skip(image_id=film.pk, user=reader, reason="x"),
        lambda: line.ask_help(image_id=film.pk, user=reader, reason="x"),
    ]
    for act in acts:
        with pytest.raises(ConflictError) as caught:
            act()
        assert caught.value.code == "already_read"
    type(run).objects.filter(pk=run.pk).update(
        state="refused", gate_code="g", gate_at=timezone.now(), reason_code="g", reason="r"
    )
    with pytest.raises(ConflictError) as caught:
        requests.read_anyway(run_id=run.pk, user=reader)
    assert caught.value.code == "already_read"
    again = sign(image_id=film.pk, user=reader, conclusion="abnormal", text="changed my mind")
    assert again.read is not None
    assert (again.created, again.read.conclusion, again.signature) == (False, "normal", None)
    assert IndependentRead.objects.count() == 1
    assert claims.release(image_id=film.pk, user=reader) is False


def test_the_film_is_offered_to_the_others_only(film: Image, reader: User, other: User) -> None:
    read_twice("all")
    first(film, reader)
    mine, others = (
        selectors.next_image(user=user, leave_out=not_offered(user)) for user in (reader, other)
    )
    assert (mine, others) == (None, film)
    assert [row["image_id"] for row in second_readings()] == [film.pk]
    assert not adjudications().exists()
    found = marks()
    assert (found.of(film.pk, reader), found.of(film.pk, other)) == ("own", "second")
    line.skip(image_id=film.pk, user=other, reason="later")
    assert selectors.next_image(user=other, leave_out=not_offered(other)) is None


def test_the_second_reader_takes_the_film_first(film: Image, reader: User, other: User) -> None:
    """Who judged findings before the first reading was there starts anew, and isn't taken by it."""
    read_twice("all")
    reviews.record(
        finding_id=finding(film, "covid"),
        user=other,
        verdict="reject",
        reason_code="other",
        reason="said",
    )
    first(film, reader)
    with pytest.raises(ConflictError) as caught:
        sign(image_id=film.pk, user=other, conclusion="normal")
    assert caught.value.code == "take_first"
    claims.claim(image_id=film.pk, user=other)
    Claim.objects.update(until=timezone.now() - timedelta(minutes=1))  # lapsed, and nobody came
    assert sign(image_id=film.pk, user=other, conclusion="normal").read is not None


def test_a_policy_that_changes_strands_nobody(film: Image, reader: User, other: User) -> None:
    read_twice("all")
    first(film, reader, "normal")
    read_twice("none")
    fresh = make_image()
    assert sign(image_id=fresh.pk, user=reader, conclusion="normal").signature is not None
    assert second(film, other, "normal").signature is not None


@pytest.mark.parametrize("flagged", [True, False])
def test_whether_it_is_flagged_counts_when_the_first_signs(
    version: DetectorVersion, reader: User, flagged: bool
) -> None:
    read_twice("flagged")
    image = make_image()
    make_run(image, version, boxes=(("covid", 0.9 if flagged else 0.4),))
    done = sign(image_id=image.pk, user=reader, conclusion="normal")
    assert (done.signature is None) is flagged


def test_calls_for_help_of_before_are_out_of_sight(film: Image, reader: User, other: User) -> None:
    read_twice("all")
    line.ask_help(image_id=film.pk, user=reader, reason="nodule?")
    first(film, reader)
    assert not open_help().exists()
    call = line.ask_help(image_id=film.pk, user=other, reason="rib?")
    with pytest.raises(ConflictError) as caught:
        line.answer_help(help_id=call.pk, user=reader, answer="I said covid")
    assert caught.value.code == "already_read"


def test_urgency_and_critical_results_go_on(film: Image, reader: User, other: User) -> None:
    from reading.models import OnCallList

    read_twice("all")
    first(film, reader)
    line.set_urgency(image_id=film.pk, user=reader, urgency="stat", reason="worse")
    (row,) = selectors.worklist(user=other).rows
    assert row.why.startswith("asked for as STAT (worse)")
    on_call = OnCallList.objects.create(name="Thorax")
    on_call.steps.create(position=1, user=other, minutes=5)
    made = critical.report(image_id=film.pk, user=reader, text="free air", on_call_id=on_call.pk)
    assert made.told == other


def test_long_names_fit_under_a_signature(film: Image, version: DetectorVersion) -> None:
    read_twice("all")
    one, two = (make_user(display_name=letter * 128) for letter in "ab")
    first(film, one, "normal")
    signature = second(film, two, "normal").signature
    assert signature.by_name == f"{'a' * 72} and {'b' * 72}"


# --- what the database holds by itself


def row(film: Image, user: User, position: int) -> IndependentRead:
    return IndependentRead(
        image=film, reader=user, position=position, reader_name="x", at=timezone.now(),
        conclusion="normal", findings={},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("same_reader", "position"), [(True, 2), (False, 1), (False, 3), (False, 0)]
)
def test_the_database_takes_two_readings_by_two_readers(
    film: Image, reader: User, other: User, same_reader: bool, position: int
) -> None:
    row(film, reader, 1).save()
    with pytest.raises(IntegrityError), transaction.atomic():
        row(film, reader if same_reader else other, position).save()


# --- figures


def test_the_figures_of_pairs(version: DetectorVersion, lead: User) -> None:
    read_twice("all")
    a, b, c = (make_user(username=name) for name in "abc")
    said = [("abnormal", "abnormal"), ("abnormal", "normal"), ("normal", "normal")] * 2
    for n, (one, two) in enumerate(said):
        image = make_image()
        pair = (a, b) if n % 2 else (b, a)
        first(image, pair[0], one)
        second(image, pair[1], two)
    unclear = make_image()
    first(unclear, a, "not_readable")
    second(unclear, c, "normal")
    waits = make_image()
    first(waits, a, "abnormal")
    span = lately(timezone.localdate())
    found = reader_pairs(user=a, span=span)
    assert [(r.one_name, r.other_name, r.cells.films) for r in found.rows] == [("a", "b", 6)]
    cells = found.total.cells
    assert (cells.both, cells.one, cells.other, cells.neither) == (2, 1, 1, 2)
    assert cells.kappa is not None
    assert cells.kappa.value == pytest.approx(1 / 3)
    assert cells.kappa.low < cells.kappa.value < cells.kappa.high
    assert found.unreadable == 1
    alone = reader_pairs(user=c, span=span)
    assert (alone.rows, alone.unreadable, alone.total.cells.kappa) == ((), 1, None)
    everyone = reader_pairs(user=lead, span=span)
    assert (everyone.total.cells.films, everyone.unreadable) == (6, 1)
