"""Signing and keeping a draft at once: threads with connections of their own, real commits."""

from __future__ import annotations

from functools import partial

import pytest

from detection.models import Signature
from detection.services import reviews
from reading.models import Report, ReportDraft
from reading.services import report_draft, report_sign
from tests.detection.factories import make_image, make_run, make_user, make_version
from tests.detection.test_races import hammer

pytestmark = pytest.mark.django_db(transaction=True)
ROUNDS = 5


def test_a_repeat_in_mid_sign_makes_one_signature_and_one_report() -> None:
    reader, other = make_user(), make_user()
    for _ in range(ROUNDS):
        image = make_image()
        sign = partial(report_sign.sign_film, image_id=image.pk, conclusion="normal")
        acts = [partial(sign, user=reader)] * 3 + [partial(sign, user=other)] * 3
        assert hammer(acts) == {"ok": 3, "signed": 3}
        signature = Signature.objects.get(image=image)
        assert Report.objects.get(signature__image=image).by_id == signature.by_id


def test_of_two_tabs_one_is_first() -> None:
    reader = make_user()
    for _ in range(ROUNDS):
        image = make_image()
        keep = partial(report_draft.keep, image_id=image.pk, user=reader)
        acts = [partial(keep, sections={"findings": str(n)}) for n in range(4)]
        assert hammer(acts) == {"ok": 1, "stale_draft": 3}
        assert ReportDraft.objects.get(image=image).revision == 1


def test_a_verdict_stands_in_the_report_or_comes_too_late() -> None:
    reader, version = make_user(), make_version()
    for _ in range(ROUNDS):
        run = make_run(make_image(), version, boxes=(("covid", 0.9),))
        finding = run.findings.get()
        seen = hammer(
            [
                partial(
                    report_sign.sign_film, image_id=run.image_id, user=reader, conclusion="abnormal"
                ),
                partial(reviews.record, finding_id=finding.pk, user=reader, verdict="accept"),
            ]
        )
        report = Report.objects.get(signature__image_id=run.image_id)
        assert ("accepted by the reader" in report.text) == (seen["ok"] == 2)
