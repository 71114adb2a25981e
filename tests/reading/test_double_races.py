"""Double reading with several readers at once: threads with connections of their own."""

from __future__ import annotations

from functools import partial

import pytest

from detection.models import Review, Signature
from detection.services import claims, reviews
from reading.models import IndependentRead, ReadingPolicy, Report
from reading.selectors_policy import policy_now
from reading.services.adjudication import adjudicate
from reading.services.policy import settle
from reading.services.report_sign import sign_film as sign
from tests.detection.factories import make_image, make_run, make_user, make_version
from tests.detection.test_races import ROUNDS, hammer
from tests.reading.twice import read_twice

pytestmark = pytest.mark.django_db(transaction=True)


def test_two_sign_as_second_and_one_is() -> None:
    """Also with a claim of each, as a lapsed one of the other would leave it."""
    read_twice("all")
    first, anna, bert = (make_user(username=name) for name in ("first", "anna", "bert"))
    for n in range(ROUNDS):
        image = make_image()
        sign(image_id=image.pk, user=first, conclusion="normal")
        claims.claim(image_id=image.pk, user=anna)
        if n % 2:  # nobody holds it when the two sign
            claims.release(image_id=image.pk, user=anna)
        act = partial(sign, image_id=image.pk, conclusion="abnormal")
        seen = hammer([partial(act, user=u) for u in (anna, bert, first) * 2])
        seconds = list(IndependentRead.objects.filter(image=image, position=2))
        if n % 2:
            # neither has taken the film: both hear it, and the first one's repeat changes nothing
            assert (seen, seconds) == ({"ok": 2, "take_first": 4}, [])
            continue
        assert [read.reader for read in seconds] == [anna]
        assert seen["ok"] == 4  # anna's and the first's, each with a repeat
        assert set(seen) <= {"ok", "claimed", "adjudication"}
        assert not Signature.objects.filter(image=image).exists()


def test_two_take_and_sign_as_second_and_one_is() -> None:
    read_twice("all")
    first, anna, bert = (make_user(username=name) for name in ("first", "anna", "bert"))

    def both(image_id: int, user: object) -> None:
        claims.claim(image_id=image_id, user=user)  # type: ignore[arg-type]
        sign(image_id=image_id, user=user, conclusion="normal")  # type: ignore[arg-type]

    for _ in range(ROUNDS):
        image = make_image()
        sign(image_id=image.pk, user=first, conclusion="normal")
        seen = hammer([partial(both, image.pk, u) for u in (anna, bert, first)])
        second = IndependentRead.objects.get(image=image, position=2)
        assert second.reader in {anna, bert}
        assert seen["ok"] == 1
        assert set(seen) <= {"ok", "claimed", "signed", "already_read"}
        assert Signature.objects.get(image=image).by == second.reader


def test_two_sign_as_first_and_one_is() -> None:
    read_twice("all")
    anna, bert = (make_user(username=name) for name in ("anna", "bert"))
    for _ in range(ROUNDS):
        image = make_image()
        act = partial(sign, image_id=image.pk, conclusion="normal")
        seen = hammer([partial(act, user=u) for u in (anna, bert) * 2])
        assert seen == {"ok": 2, "take_first": 2}
        assert IndependentRead.objects.filter(image=image).count() == 1


def test_a_verdict_comes_before_the_first_reading_or_not_at_all() -> None:
    read_twice("all")
    anna, version = make_user(username="anna"), make_version()
    for _ in range(ROUNDS):
        run = make_run(make_image(), version, boxes=(("covid", 0.9),))
        finding = run.findings.get()
        hammer(
            [
                partial(sign, image_id=run.image_id, user=anna, conclusion="normal"),
                partial(
                    reviews.record,
                    finding_id=finding.pk,
                    user=anna,
                    verdict="reject",
                    reason_code="other",
                    reason="said",
                ),
            ]
        )
        read = IndependentRead.objects.get(image=run.image_id)
        stored = Review.objects.filter(finding=finding)
        assert [f["review"] for f in read.findings["findings"]] == (
            [row.pk for row in stored] or [None]
        )
        assert not stored.filter(withdrawn_at=None).exists()


def test_two_leads_decide_and_one_does() -> None:
    read_twice("all")
    first, second = (make_user(username=name) for name in ("first", "second"))
    leads = [make_user(is_reading_lead=True) for _ in range(2)]
    for _ in range(ROUNDS):
        image = make_image()
        sign(image_id=image.pk, user=first, conclusion="normal")
        claims.claim(image_id=image.pk, user=second)
        sign(image_id=image.pk, user=second, conclusion="abnormal")
        acts = [
            partial(adjudicate, image_id=image.pk, user=lead, choice=choice)
            for lead, choice in zip(leads * 2, ["first", "second"] * 2, strict=True)
        ]
        assert hammer(acts) == {"ok": 2, "signed": 2}
        signature = Signature.objects.get(image=image)
        chosen = {"normal": "first", "abnormal": "second"}[signature.conclusion]
        assert signature.adjudication.choice == chosen


def test_two_admins_settle_and_one_does() -> None:
    admins = [make_user("admin") for _ in range(3)]
    for n in range(ROUNDS):
        acts = [
            partial(
                settle, user=admin, ceiling_minutes=61 + 10 * n + k, twice="none",
                twice_percent=None, reason="x", seen=n,
            )
            for k, admin in enumerate(admins)
        ]  # fmt: skip
        assert hammer(acts) == {"ok": 1, "policy_changed": 2}
        assert policy_now().number == n + 1
    assert ReadingPolicy.objects.count() == ROUNDS


def test_tabs_of_the_second_reader_make_one_signature_with_one_report() -> None:
    read_twice("all")
    first, anna = (make_user(username=name) for name in ("first", "anna"))
    for _ in range(ROUNDS):
        image = make_image()
        sign(image_id=image.pk, user=first, conclusion="normal")
        claims.claim(image_id=image.pk, user=anna)
        act = partial(sign, image_id=image.pk, user=anna, conclusion="normal")
        assert hammer([partial(act, text=f"tab {n}") for n in range(4)]) == {"ok": 4}
        report = Report.objects.get(signature__image=image)
        read = IndependentRead.objects.get(image=image, position=2)
        assert report.signature.text == read.text
        assert read.text in report.text


def test_a_second_reader_and_a_lead_at_once_leave_one_word() -> None:
    """The lead decides after the second reading or not at all; whoever signed has a report."""
    read_twice("all")
    first, second = (make_user(username=name) for name in ("first", "second"))
    lead = make_user(is_reading_lead=True)
    for n in range(ROUNDS):
        image = make_image()
        sign(image_id=image.pk, user=first, conclusion="normal")
        claims.claim(image_id=image.pk, user=second)
        word = ("normal", "abnormal")[n % 2]
        decide = partial(
            adjudicate, image_id=image.pk, user=lead, choice="own", conclusion="normal"
        )
        seen = hammer(
            [
                partial(sign, image_id=image.pk, user=second, conclusion=word),
                partial(sign, image_id=image.pk, user=lead, conclusion=word),
                decide,
                decide,
            ]
        )
        assert set(seen) <= {"ok", "not_in_adjudication", "claimed", "signed", "adjudication"}
        reads = IndependentRead.objects.filter(image=image)
        assert [read.reader for read in reads] == [first, second]
        signature = Signature.objects.filter(image=image).first()
        reports = Report.objects.filter(signature__image=image)
        assert reports.count() == (1 if signature else 0)
        if word == "normal":
            assert signature is not None
            assert signature.by == second
        elif signature is not None:
            assert (signature.by, signature.adjudication.choice) == (lead, "own")
