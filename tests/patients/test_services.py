"""Patients found or made; observations taken, refused, struck out."""

from __future__ import annotations

import logging
import threading
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from django.db import connection
from django.utils import timezone as django_timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import AuditEntry, User
from patients.models import Observation, Patient
from patients.services import observations
from patients.services.observations import ObservationIn
from patients.services.patients import get_or_create
from twinhealth.errors import ConflictError, InvalidInputError, NotFoundError, TooLargeError

from .conftest import at, pulse

# --- patients


def test_made_once_then_found(db: None):
    one = get_or_create(
        identifier=" 42 ", issuer="WARD", name="Doe^Jane", birth_date=date(1960, 1, 2), sex="F"
    )
    two = get_or_create(identifier="42", issuer="WARD", name="Doe^Jane")
    assert one == two
    assert (two.identifier, two.name, two.sex) == ("42", "Doe^Jane", "F")
    assert get_or_create(identifier="42").pk != one.pk  # another issuer, another person
    assert Patient.objects.count() == 2


def test_what_is_stored_is_kept_and_the_difference_logged_without_text(
    patient: Patient, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.INFO)
    found = get_or_create(
        identifier="8841", name="Roe^Richard", birth_date=date(1999, 9, 9), sex="M"
    )
    assert found == patient
    found.refresh_from_db()
    assert (found.name, found.birth_date, found.sex) == ("Doe^Jane", date(1959, 3, 14), "F")
    assert "patient_identity_differs" in caplog.text
    assert "birth_date" in caplog.text
    assert "Roe" not in caplog.text
    caplog.clear()
    get_or_create(identifier="8841")  # says nothing, so nothing differs
    assert "differs" not in caplog.text


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"identifier": ""}, "patient_id_missing"),
        ({"identifier": "   "}, "patient_id_missing"),
        ({"identifier": "1" * 65}, "patient_id_invalid"),
        ({"identifier": "a\0b"}, "patient_id_invalid"),
        ({"identifier": "1", "issuer": "x" * 65}, "patient_id_invalid"),
        ({"identifier": "1", "name": "x" * 325}, "patient_name_invalid"),
        ({"identifier": "1", "name": "a\nb"}, "patient_name_invalid"),
    ],
)
def test_what_is_no_identity_is_refused(db: None, fields: dict[str, str], code: str):
    with pytest.raises(InvalidInputError) as caught:
        get_or_create(**fields)
    assert caught.value.code == code
    assert not Patient.objects.exists()


@pytest.mark.parametrize(
    "name",
    ["<script>alert(1)</script>", "=HYPERLINK(1)", "Ñandú^José=山田^太郎", "'; DROP TABLE x"],
)
def test_hostile_names_are_kept_as_they_are(db: None, name: str):
    assert get_or_create(identifier="1", name=name, sex="weird").name == name
    assert Patient.objects.get().sex == ""


@pytest.mark.django_db(transaction=True)
def test_made_by_many_at_once_is_one():
    found: list[int] = []
    barrier = threading.Barrier(4, timeout=30)

    def make() -> None:
        barrier.wait()
        try:
            found.append(get_or_create(identifier="7", name="Doe").pk)
        finally:
            connection.close()

    threads = [threading.Thread(target=make) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(found) == 4
    assert len(set(found)) == 1


# --- observations


def record(
    patient: Patient, *items: ObservationIn, source: str = "rest", actor: User | None = None
):
    return observations.record(patient=patient, items=items, source=source, actor=actor)


def test_a_batch_is_stored_with_unit_source_and_trail(patient: Patient, clinician: User):
    items = [
        pulse(71.5),
        ObservationIn("8310-5", 98.6, "[degF]", at()),
        ObservationIn("55423-8", 8000, "1", at()),
    ]
    result = record(patient, *items, actor=clinician)
    assert (result.accepted, result.duplicates, result.rejected) == (3, 0, [])
    rows = Observation.objects.order_by("code").values_list("code", "value", "unit", "source")
    assert list(rows) == [
        ("55423-8", Decimal(8000), "{steps}", "rest"),
        ("8310-5", Decimal(37), "Cel", "rest"),
        ("8867-4", Decimal("71.5"), "/min", "rest"),
    ]
    trail = AuditEntry.objects.get()
    assert (trail.verb, trail.patient_ref, trail.actor_name) == ("recorded", patient.pk, "reader")
    assert trail.detail == {"count": 3, "codes": ["55423-8", "8310-5", "8867-4"], "source": "rest"}


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"code": "1-8"}, "unknown_code"),
        ({"code": None}, "unknown_code"),
        ({"code": []}, "unknown_code"),
        ({"unit": "bpm"}, "wrong_unit"),
        ({"unit": None}, "wrong_unit"),
        ({"unit": "/MIN"}, "wrong_unit"),
        ({"value": "72"}, "not_a_number"),
        ({"value": None}, "not_a_number"),
        ({"value": True}, "not_a_number"),
        ({"value": float("nan")}, "not_a_number"),
        ({"value": float("inf")}, "not_a_number"),
        ({"value": Decimal("sNaN")}, "not_a_number"),
        ({"value": Decimal("-Infinity")}, "not_a_number"),
        ({"value": 7200}, "implausible"),
        ({"value": -72}, "implausible"),
        ({"value": 1e308}, "implausible"),
        ({"value": 10**5000}, "implausible"),
        ({"effective_at": None}, "bad_time"),
        ({"effective_at": datetime(2026, 1, 1)}, "bad_time"),  # noqa: DTZ001 - the point of it
        ({"effective_at": "2026-01-01"}, "bad_time"),
        ({"effective_at": datetime(9999, 12, 31, tzinfo=UTC)}, "in_future"),
        ({"effective_at": datetime(1, 1, 1, tzinfo=UTC)}, "before_birth"),
        ({"effective_at": datetime(1959, 3, 12, tzinfo=UTC)}, "before_birth"),
    ],
)
def test_each_item_is_judged_on_its_own(patient: Patient, changes: dict, code: str):
    bad = pulse(**changes)
    result = record(patient, pulse(70), bad, pulse(71, hours=2))
    assert result.accepted == 2
    assert [(r.index, r.code) for r in result.rejected] == [(1, code)]
    assert result.rejected[0].message.endswith(".")


def test_an_offset_that_the_database_refuses_is_a_time_all_the_same(patient: Patient):
    when = at().astimezone(timezone(-timedelta(hours=19, minutes=59)))
    assert record(patient, pulse(effective_at=when)).accepted == 1
    assert patient.observations.get().effective_at == when


def test_clocks_may_differ_a_little(patient: Patient):
    soon = django_timezone.now() + timedelta(minutes=4)
    late = django_timezone.now() + timedelta(minutes=6)
    result = record(patient, pulse(effective_at=soon), pulse(effective_at=late))
    assert result.accepted == 1
    assert [r.code for r in result.rejected] == ["in_future"]


def test_sent_again_is_a_duplicate_and_another_value_a_conflict(patient: Patient):
    when = at()
    assert record(patient, pulse(70, effective_at=when)).accepted == 1
    elsewhere = when.astimezone(timezone(timedelta(hours=9)))
    again = record(
        patient,
        pulse(70.0, effective_at=elsewhere),
        pulse(Decimal("70.00001"), effective_at=when),  # below what is stored
        pulse(71, effective_at=when),
    )
    assert (again.accepted, again.duplicates) == (0, 2)
    assert [(r.index, r.code) for r in again.rejected] == [(2, "conflicting_value")]
    assert record(patient, pulse(71, effective_at=when), source="lab").accepted == 1


def test_the_same_twice_in_one_batch(patient: Patient):
    when = at()
    result = record(patient, *(pulse(value, effective_at=when) for value in (70, 70, 71)))
    assert (result.accepted, result.duplicates) == (1, 1)
    assert [(r.index, r.code) for r in result.rejected] == [(2, "conflicting_value")]


def test_a_thousand_at_once_and_not_one_more(patient: Patient, django_assert_max_num_queries):
    items = [pulse(70, effective_at=at(1) - timedelta(seconds=n)) for n in range(1001)]
    with pytest.raises(TooLargeError) as caught:
        record(patient, *items)
    assert (caught.value.code, caught.value.extra) == ("too_many_items", {"limit": 1000})
    assert not Observation.objects.exists()
    with django_assert_max_num_queries(20):
        assert record(patient, *items[:1000]).accepted == 1000


def test_nothing_taken_leaves_no_trail(patient: Patient):
    record(patient, pulse("x"))
    record(patient)
    assert not AuditEntry.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_the_same_batch_from_two_senders_at_once():
    patient = Patient.objects.create(identifier="1")
    items = [pulse(70, effective_at=at(1) - timedelta(seconds=n)) for n in range(50)]
    results = []
    barrier = threading.Barrier(2, timeout=30)

    def send() -> None:
        barrier.wait()
        try:
            results.append(record(patient, *items))
        finally:
            connection.close()

    threads = [threading.Thread(target=send) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted((r.accepted, r.duplicates) for r in results) == [(0, 50), (50, 0)]
    assert Observation.objects.count() == 50


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    value=st.one_of(st.floats(), st.integers(), st.decimals(), st.text(max_size=5), st.none()),
    unit=st.sampled_from(["/min", "{beats}/min", "bpm", "", None, 5]),
)
def test_whatever_is_sent_is_counted_once(patient: Patient, value: object, unit: object):
    Observation.objects.all().delete()
    result = record(patient, pulse(value, unit=unit))
    assert result.accepted + result.duplicates + len(result.rejected) == 1


# --- by form


def pair(upper: str, lower: str, when: datetime) -> list[ObservationIn]:
    return [
        ObservationIn("8480-6", Decimal(upper), "mm[Hg]", when),
        ObservationIn("8462-4", Decimal(lower), "mm[Hg]", when),
    ]


def test_blood_pressure_is_stored_whole_or_not_at_all(patient: Patient, clinician: User):
    for items, code in (
        (pair("80", "120", at()), "diastolic_not_below_systolic"),
        (pair("120", "120", at()), "diastolic_not_below_systolic"),
        (pair("120", "5", at()), "implausible"),
        (pair("900", "80", at()), "implausible"),
    ):
        with pytest.raises(InvalidInputError) as caught:
            observations.enter(patient=patient, items=items, actor=clinician)
        assert caught.value.code == code
    assert not Observation.objects.exists()
    assert not AuditEntry.objects.exists()
    items = pair("120", "80", at())
    assert observations.enter(patient=patient, items=items, actor=clinician).accepted == 2
    with pytest.raises(ConflictError) as again:
        observations.enter(patient=patient, items=items, actor=clinician)
    assert again.value.code == "already_there"


# --- struck out


def strike(patient: Patient, row: Observation, clinician: User, reason: str = "wrong patient"):
    return observations.strike_out(
        patient=patient, observation_id=row.pk, reason=reason, actor=clinician
    )


def test_a_struck_value_stays_and_makes_room(patient: Patient, clinician: User):
    when = at()
    record(patient, pulse(170, effective_at=when))
    row = Observation.objects.get()
    strike(patient, row, clinician)
    row.refresh_from_db()
    assert row.struck_at is not None
    assert (row.struck_reason, row.value) == ("wrong patient", Decimal(170))
    assert record(patient, pulse(70, effective_at=when)).accepted == 1
    trail = AuditEntry.objects.get(verb="struck_out")
    assert (trail.patient_ref, trail.detail) == (patient.pk, {"code": "8867-4"})
    with pytest.raises(ConflictError) as caught:
        strike(patient, row, clinician)
    assert caught.value.code == "already_struck"


@pytest.mark.parametrize(
    ("reason", "code"),
    [("", "reason_missing"), ("  ", "reason_missing"), ("x" * 201, "reason_too_long")],
)
def test_a_strike_needs_a_reason(patient: Patient, clinician: User, reason: str, code: str):
    record(patient, pulse(70))
    with pytest.raises(InvalidInputError) as caught:
        strike(patient, Observation.objects.get(), clinician, reason)
    assert caught.value.code == code


def test_a_value_of_another_patient_is_not_found(patient: Patient, clinician: User):
    record(patient, pulse(70))
    other = Patient.objects.create(identifier="1")
    with pytest.raises(NotFoundError):
        strike(other, Observation.objects.get(), clinician)
    assert Observation.objects.get().struck_at is None
