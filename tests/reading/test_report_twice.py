"""The report of a film that two readers read: whose words it holds."""

from __future__ import annotations

import pytest

from accounts.models import User
from detection.models import DetectorVersion, Signature
from detection.services import claims
from reading.models import Report, ReportDraft
from reading.services import report_draft
from reading.services.adjudication import adjudicate
from reading.services.report_sign import sign_film
from tests.reading.twice import make_film, read_twice

pytestmark = pytest.mark.django_db
OWN = {"comparison": "None at hand.", "impression": "Left lung clear."}


def words(report: Report) -> dict[str, str]:
    return {section["key"]: section["text"] for section in report.content["sections"]}


def test_two_who_agree_leave_the_second_readers_report(
    version: DetectorVersion, reader: User, other: User
) -> None:
    film = make_film(version)
    read_twice("all")
    report_draft.keep(image_id=film.pk, user=reader, revision=0, sections={"impression": "First."})
    done = sign_film(
        image_id=film.pk, user=reader, conclusion="normal", sections={"impression": "First."}
    )
    assert (done.signature, done.report, Report.objects.count()) == (None, None, 0)
    assert done.read is not None
    assert done.read.sections == {"impression": "First."}
    assert not ReportDraft.objects.filter(by=reader).exists()
    claims.claim(image_id=film.pk, user=other)
    signed = sign_film(image_id=film.pk, user=other, conclusion="normal", sections=OWN)
    assert signed.report is not None
    assert signed.report.signature == signed.signature
    assert words(signed.report)["comparison"] == "None at hand."
    assert "First." not in signed.report.text
    again = sign_film(image_id=film.pk, user=other, conclusion="normal", sections=OWN)
    assert (again.report, again.created) == (signed.report, False)


@pytest.mark.parametrize("choice", ["first", "second", "own"])
def test_a_lead_signs_the_report_of_the_chosen_reading(
    version: DetectorVersion, reader: User, other: User, lead: User, choice: str
) -> None:
    film = make_film(version)
    read_twice("all")
    sign_film(image_id=film.pk, user=reader, conclusion="normal", sections=OWN)
    claims.claim(image_id=film.pk, user=other)
    sign_film(image_id=film.pk, user=other, conclusion="abnormal", text="Right patchy.")
    claims.claim(image_id=film.pk, user=lead)
    signature = adjudicate(
        image_id=film.pk, user=lead, choice=choice, conclusion="abnormal", text="Both sides."
    )
    assert Signature.objects.get() == signature
    report = Report.objects.get(signature=signature)
    expected = {"first": "Left lung clear.", "second": "Right patchy.", "own": "Both sides."}
    assert words(report)["impression"] == expected[choice]
    assert (words(report)["comparison"] == "None at hand.") is (choice == "first")
    assert report.by == lead
