"""The patients' pages."""

from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.test import Client, override_settings
from django.utils import timezone

from accounts.models import AuditEntry, User
from patients import selectors
from patients.models import Observation, Patient
from patients.services import observations
from patients.services.observations import ObservationIn

from .conftest import at, pulse

HOSTILE = "<script>alert('x')</script>^=HYPERLINK(1)"


def page(patient: Patient) -> str:
    return f"/patients/{patient.pk}/"


def text(client: Client, address: str) -> str:
    response = client.get(address)
    assert response.status_code == 200
    return response.content.decode()


def lane_data(html: str) -> dict:
    found = re.search(r'<script id="lane-data" type="application/json">(.*?)</script>', html)
    assert found
    return json.loads(found[1])


# --- the list


def test_the_list_finds_by_number_and_name(client: Client, patient: Patient):
    Patient.objects.create(identifier="1203", name="Roe^Richard", is_synthetic=True)

    def found(query: str) -> list[str]:
        html = text(client, f"/patients/{query}")
        return re.findall(r'<td><a href="/patients/\d+/">([^<]*)</a>', html)

    assert found("") == ["1203", "8841"]
    assert found("?ordering=-identifier") == ["8841", "1203"]
    assert found("?ordering=name") == ["8841", "1203"]
    assert found("?q=88") == ["8841"]
    assert found("?q=jane+DOE") == ["8841"]
    assert found("?q=Roe^Rich") == ["1203"]
    assert found("?synthetic=yes") == ["1203"]
    assert found("?synthetic=no&page=99&ordering=nonsense") == ["8841"]
    assert "No patient matches" in text(client, "/patients/?q=nobody")
    assert "synthetic</span>" in text(client, "/patients/?q=1203")


def test_an_empty_hospital_says_what_to_do(client: Client):
    assert "upload one" in text(client, "/patients/")


def test_the_list_leaves_a_trail_of_whom_it_showed_not_of_what_was_typed(
    client: Client, patient: Patient
):
    client.get("/patients/?q=Doe")
    row = AuditEntry.objects.get()
    assert (row.verb, row.object_type) == ("listed", "patients.Patient")
    assert row.detail == {"patients": [patient.pk]}


def test_the_list_needs_few_queries(client: Client, db: None, django_assert_max_num_queries):
    Patient.objects.bulk_create(Patient(identifier=str(n)) for n in range(120))
    with django_assert_max_num_queries(8):
        html = text(client, "/patients/?page=2")
    assert "120 patients" in html
    assert html.count("data-href") == 50


# --- the page


def test_who_it_is(client: Client, patient: Patient):
    html = text(client, page(patient))
    assert "8841" in html
    assert "Doe, Jane" in html
    assert "female" in html
    assert f"{selectors.age(patient.birth_date, timezone.localdate())} y, born 14 Mar 1959" in html
    assert "synthetic</span>" not in html
    assert 'hx-get="/patients/' in html
    row = AuditEntry.objects.get()
    assert (row.verb, row.patient_ref, row.object_id) == ("viewed", patient.pk, str(patient.pk))


def test_unknown_is_said_to_be_unknown(client: Client):
    html = text(client, page(Patient.objects.create(identifier="0", is_synthetic=True)))
    assert "age unknown" in html
    assert "unknown sex" in html
    assert "synthetic</span>" in html
    assert "No value is known yet" in html


def test_a_name_that_is_html_is_text(client: Client):
    patient = Patient.objects.create(identifier="<b>1</b>", issuer="<i>", name=HOSTILE)
    row = Observation.objects.create(
        patient=patient, code="8867-4", value=70, unit="/min", effective_at=at(), source="rest",
        struck_at=at(0), struck_reason="</td><script>",
    )  # fmt: skip
    for address in ("/patients/", page(patient)):
        html = text(client, address)
        assert "<script>alert" not in html
        assert "<b>1</b>" not in html
        assert "&lt;script&gt;alert" in html
    assert "</td><script>" not in html
    assert row.struck_reason not in html


def test_nobody_is_not_found(client: Client):
    for number in ("1", "99999999999999999999"):
        assert client.get(f"/patients/{number}/").status_code == 404


def test_latest_values_are_the_newest_that_count(client: Client, patient: Patient):
    items = [pulse(70, hours=3), pulse(80, hours=2), pulse(190, hours=1)]
    observations.record(patient=patient, items=items, source="rest", actor=None)
    Observation.objects.filter(value=190).update(struck_at=timezone.now(), struck_reason="slip")
    latest = selectors.latest_values(patient.pk)
    assert [(row.kind.code, int(row.observation.value)) for row in latest] == [("8867-4", 80)]
    html = text(client, page(patient))
    assert re.search(r'kpi-value">80 ', html)
    assert "sent by a system" in html
    assert "<s>190 /min</s>" in html
    assert "slip" in html


def test_lanes_hold_the_period_in_order(client: Client, patient: Patient):
    items = [
        pulse(70, hours=30 * 24 + 1),
        pulse(72, hours=50),
        pulse(74, hours=1),
        ObservationIn("1988-5", 12, "mg/L", at(5)),
        ObservationIn("55423-8", 0, "{steps}", at(5)),
    ]
    observations.record(patient=patient, items=items, source="rest", actor=None, is_synthetic=True)
    data = lane_data(text(client, page(patient)))
    assert [group["lane"] for group in data["groups"]] == ["vitals", "wearables", "labs"]
    assert [value for _, value in data["groups"][0]["series"][0]["points"]] == [72.0, 74.0]
    assert data["groups"][1]["series"][0]["points"][0][1] == 0.0
    two_days = lane_data(text(client, f"{page(patient)}?days=2"))
    assert [value for _, value in two_days["groups"][0]["series"][0]["points"]] == [74.0]
    everything = lane_data(text(client, f"{page(patient)}?days=all"))
    assert len(everything["groups"][0]["series"][0]["points"]) == 3
    assert everything["start"] == pytest.approx(at(30 * 24 + 1).timestamp(), abs=5)
    assert lane_data(text(client, f"{page(patient)}?days=x")) is not None
    assert "synthetic</span>" in text(client, page(patient))


def test_many_points_are_cut_to_the_newest(
    client: Client, patient: Patient, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(selectors, "MAX_POINTS", 2)
    items = [pulse(70 + n, hours=9 - n) for n in range(3)]
    observations.record(patient=patient, items=items, source="rest", actor=None)
    html = text(client, page(patient))
    points = lane_data(html)["groups"][0]["series"][0]["points"]
    assert [value for _, value in points] == [71.0, 72.0]
    assert "Only the newest points" in html


def test_the_page_needs_few_queries(
    client: Client, patient: Patient, django_assert_max_num_queries
):
    items = [pulse(70, hours=1 + n / 10) for n in range(300)]
    observations.record(patient=patient, items=items, source="rest", actor=None)
    with django_assert_max_num_queries(12):
        html = text(client, page(patient))
    assert "300 values" in html
    html = text(client, f"{page(patient)}?page=2&code=8867-4")
    assert "only one kind" in html


@pytest.mark.parametrize(
    ("born", "on", "age"),
    [
        (date(2000, 2, 29), date(2026, 2, 28), 25),
        (date(2000, 2, 29), date(2026, 3, 1), 26),
        (date(2026, 1, 1), date(2026, 1, 1), 0),
        (date(2027, 1, 1), date(2026, 1, 1), None),
        (None, date(2026, 1, 1), None),
    ],
)
def test_age(born: date | None, on: date, age: int | None):
    assert selectors.age(born, on) == age


# --- entering


def enter(client: Client, patient: Patient, **fields: object):
    local = timezone.localtime() - timedelta(minutes=1)
    data = {
        "kind": "8867-4",
        "value": "72",
        "unit": "",
        "lower": "",
        "effective_at": local.strftime("%Y-%m-%dT%H:%M"),
        **fields,
    }
    return client.post(f"{page(patient)}observations/", data)


def test_a_value_is_entered(client: Client, patient: Patient, clinician: User):
    assert enter(client, patient)["Location"] == page(patient)
    row = Observation.objects.get()
    assert (row.code, int(row.value), row.unit, row.source) == ("8867-4", 72, "/min", "form")
    assert row.entered_by == clinician
    assert "Recorded." in text(client, page(patient))
    assert AuditEntry.objects.filter(verb="recorded", patient_ref=patient.pk).count() == 1


def test_blood_pressure_is_entered_as_a_pair(client: Client, patient: Patient):
    enter(client, patient, kind="blood-pressure", value="128", lower="82")
    rows = Observation.objects.order_by("-value").values_list("code", "value")
    assert [(code, int(value)) for code, value in rows] == [("8480-6", 128), ("8462-4", 82)]


def test_another_unit_is_converted(client: Client, patient: Patient):
    enter(client, patient, kind="8310-5", value="98.6", unit="[degF]")
    assert float(Observation.objects.get().value) == 37.0


@pytest.mark.parametrize(
    ("fields", "status", "says"),
    [
        ({"kind": "blood-pressure"}, 400, "needs both values"),
        ({"kind": "blood-pressure", "value": "80", "lower": "120"}, 400, "below the upper"),
        ({"lower": "80"}, 400, "Only blood pressure"),
        ({"kind": "8480-6"}, 400, "Select a valid choice"),
        ({"value": "NaN"}, 400, "Enter a number"),
        ({"value": "1e400"}, 400, "digits"),
        ({"value": "7200"}, 400, "lies between"),
        ({"unit": "bpm"}, 400, "Send heart rate in"),
        ({"effective_at": "2999-01-01T00:00"}, 400, "future"),
        ({"effective_at": "yesterday"}, 400, "Enter a valid date"),
        ({"effective_at": ""}, 400, "required"),
    ],
)
def test_a_bad_value_is_explained(
    client: Client, patient: Patient, fields: dict, status: int, says: str
):
    response = enter(client, patient, **fields)
    assert response.status_code == status
    assert says in response.content.decode()
    assert not Observation.objects.exists()


def test_the_same_twice_is_a_conflict(client: Client, patient: Patient):
    when = (timezone.localtime() - timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M")
    enter(client, patient, effective_at=when)
    assert enter(client, patient, effective_at=when).status_code == 409
    assert enter(client, patient, effective_at=when, value="73").status_code == 400


@override_settings(TIME_ZONE="Asia/Tokyo")
def test_times_are_the_hospitals(client: Client, patient: Patient):
    enter(client, patient, effective_at="2026-11-14T09:30")
    assert Observation.objects.get().effective_at == datetime(2026, 11, 14, 0, 30, tzinfo=UTC)
    html = text(client, page(patient))
    assert "14 Nov 2026 09:30" in html
    assert "Asia/Tokyo" in html
    prefilled = re.search(r'name="effective_at" value="([^"]*)"', html)
    assert prefilled
    local = datetime.fromisoformat(prefilled[1]).replace(tzinfo=timezone.get_default_timezone())
    assert abs(local - timezone.now()) < timedelta(minutes=5)


@override_settings(TIME_ZONE="Europe/Berlin")
def test_a_time_that_the_clock_skipped_or_had_twice_is_asked_again(
    client: Client, patient: Patient
):
    for when in ("2026-03-29T02:30", "2026-10-25T02:30"):
        response = enter(client, patient, effective_at=when)
        assert response.status_code == 400
        assert "be interpreted in time zone" in response.content.decode()


@pytest.mark.parametrize(
    ("points", "period"),
    [
        ([], "30"),
        ([1] * 8, "2"),
        ([1] * 7, "30"),
        ([1] * 4 + [100] * 4, "7"),
        ([1, 100, 400] * 3, "30"),
        ([1000] * 9, "30"),
    ],
)
def test_the_first_look_fits_the_data(
    client: Client, patient: Patient, points: list[int], period: str
):
    items = [pulse(70, hours=hours + n / 100) for n, hours in enumerate(points)]
    observations.record(patient=patient, items=items, source="rest", actor=None)
    assert selectors.fitting_period(patient.pk) == period
    assert f'href="?days={period}#course" aria-current="true"' in text(client, page(patient))


def test_values_have_the_decimals_of_their_kind(client: Client, patient: Patient):
    items = [ObservationIn("93832-4", Decimal("5.5"), "h", at(2)), pulse(71, hours=1)]
    observations.record(patient=patient, items=items, source="rest", actor=None)
    html = text(client, page(patient))
    assert "5.5 h" in html
    assert "71 /min" in html
    assert "5.5000" not in html
    Observation.objects.update(code="lost-code")
    assert "5.5000 h" in text(client, page(patient))


# --- striking out


def test_a_value_is_struck_out_with_a_reason(client: Client, patient: Patient):
    enter(client, patient)
    row = Observation.objects.get()
    address = f"{page(patient)}observations/{row.pk}/strike/"
    assert client.post(address).status_code == 400
    assert client.post(address, {"reason": "typed wrong"})["Location"] == page(patient)
    assert client.post(address, {"reason": "again"}).status_code == 409
    row.refresh_from_db()
    assert row.struck_reason == "typed wrong"
    assert "No value in this period" in text(client, page(patient))
    assert client.get(address).status_code == 405


def test_without_csrf_token_nothing_is_entered(clinician: User, patient: Patient):
    client = Client(enforce_csrf_checks=True)
    client.force_login(clinician)
    assert enter(client, patient).status_code == 403
    assert not Observation.objects.exists()


def test_pages_hold_no_inline_script_or_style(client: Client, patient: Patient):
    enter(client, patient)
    for address in ("/patients/", page(patient)):
        html = text(client, address)
        assert " style=" not in html
        assert "<style" not in html
        scripts = re.findall(r"<script\b([^>]*)>", html)
        assert scripts
        assert all("src=" in tag or 'type="application/json"' in tag for tag in scripts)
