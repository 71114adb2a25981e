"""The certificate: what stands in it, the same bytes each time, and rows for the auditor."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from quality import certificate
from quality.models import QASession
from quality.selectors import dossier
from quality.services import instruments
from tests.devices import factories as f
from tests.devices.maintenance_rows import today
from tests.quality import rows
from tests.reading.pdf_text import Pdf
from twinhealth.web.canonical import sha256

pytestmark = pytest.mark.django_db
HOSTILE = "<b>bold</b> & <script>alert(1)</script> =1+1"


def text_of(session: QASession) -> str:
    return " ".join(" ".join(Pdf(certificate.pdf(session)).pages).split())


def signed(**fields: Any) -> QASession:
    device = rows.machine(name="XR-cert", location="R11")
    who = f.user()
    meter = instruments.create(actor=who, name="kV meter", serial="M-7", calibrated_until=today(30))
    protocol = rows.protocol(device)
    fields = {"comment": HOSTILE, "instrument": meter, **fields}
    return rows.signed(protocol, device, 1, kv=["72.5", "73.5"], actor=who, **fields)


def test_what_stands_in_it(settings: Any) -> None:
    settings.TIME_ZONE = "Europe/Berlin"
    with timezone.override("Europe/Berlin"):
        session = signed()
    text = text_of(session)
    for said in (
        "Monthly constancy, version 1", "XR-cert", session.device.serial, "R11",
        "beyond tolerance", "73 kV (mean of 72.5, 73.5)", "68 to 72 kV", "65 to 75 kV",
        "kV meter, serial M-7, calibrated until", "W. Orker", HOSTILE, f"QA-{session.pk}",
        "page 1 of 1", settings.HOSPITAL_NAME,
    ):  # fmt: skip
        assert said in text, said
    assert session.sha256 in text.replace(" ", "")
    local = session.performed_at.astimezone(ZoneInfo("Europe/Berlin"))
    assert f"{local:%d %b %Y %H:%M} (UTC+0{1 if local.dst() == timedelta(0) else 2}00)" in text


def test_it_is_the_same_each_time(settings: Any) -> None:
    session = signed()
    first = certificate.pdf(session)
    settings.HOSPITAL_NAME = "Renamed"
    session.device.name = "Renamed"
    session.device.save()
    again = QASession.objects.get(pk=session.pk)
    assert certificate.pdf(again) == first
    # and so is the hash, of what the database gives back
    assert again.content is not None
    assert sha256(again.content) == again.sha256
    assert sha256(json.loads(json.dumps(again.content))) == again.sha256
    assert sha256({**again.content, "verdict": "pass"}) != again.sha256


def test_a_long_one_goes_over_pages() -> None:
    device = rows.machine()
    tests = [{"name": f"Test number {n}", "kind": "pass_fail"} for n in range(60)]
    protocol = rows.protocol(device, tests=tests)
    answers = {row["key"]: {"passed": True, "note": "n" * 400} for row in protocol.current.tests}  # type: ignore[union-attr]
    session = rows.signed(protocol, device, answers=answers)
    assert len(Pdf(certificate.pdf(session)).pages) > 1


def test_rows_for_the_auditor(django_assert_num_queries: Any) -> None:
    session = signed()
    device = session.device
    later = rows.corrected(session)
    start, end = rows.ago(10), timezone.now()
    with django_assert_num_queries(2):
        columns, found = dossier.COLUMNS, dossier.rows(device, start, end)
    assert [len(row) for row in found] == [len(columns)] * 2
    by_name = [dict(zip(columns, row, strict=True)) for row in found]
    assert by_name[0]["stands"] == f"superseded by QA-{later.pk}"
    assert by_name[1]["stands"] == "stands"
    assert by_name[0]["certificate_sha256"] == session.sha256
    assert by_name[0]["instrument"] == "kV meter (M-7)"
    assert by_name[0]["verdict"] == "beyond tolerance"
    assert dossier.rows(device, rows.ago(30), rows.ago(10)) == []
