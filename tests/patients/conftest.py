"""A clinician, a patient, and values for him."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from django.test import Client
from django.utils import timezone
from rest_framework.authtoken.models import Token

from accounts.models import User
from patients.models import Patient
from patients.services.observations import ObservationIn


@pytest.fixture
def clinician(db: None) -> User:
    return User.objects.create_user("reader", role="clinician")


@pytest.fixture
def client(clinician: User) -> Client:
    client = Client()
    client.force_login(clinician)
    return client


@pytest.fixture
def api(clinician: User) -> Client:
    token = Token.objects.create(user=clinician)
    return Client(headers={"Authorization": f"Token {token.key}"})


@pytest.fixture
def patient(db: None) -> Patient:
    return Patient.objects.create(
        identifier="8841", name="Doe^Jane", birth_date=date(1959, 3, 14), sex="F"
    )


def at(hours: float = 1) -> datetime:
    return timezone.now().replace(microsecond=0) - timedelta(hours=hours)


def pulse(value: object = 72, *, hours: float = 1, **fields: object) -> ObservationIn:
    item = {"code": "8867-4", "value": value, "unit": "/min", "effective_at": at(hours), **fields}
    return ObservationIn(**item)
