"""What tests of the reading room start from."""

from __future__ import annotations

import pytest

from accounts.models import User
from detection.models import DetectorVersion
from tests.detection.factories import make_user, make_version


@pytest.fixture
def reader(db: None) -> User:
    return make_user(username="reader")


@pytest.fixture
def other(db: None) -> User:
    return make_user(username="other", display_name="Dr Other")


@pytest.fixture
def version(db: None) -> DetectorVersion:
    return make_version()


@pytest.fixture
def lead(db: None) -> User:
    return make_user(username="lead", display_name="Dr Lead", is_reading_lead=True)
