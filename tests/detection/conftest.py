"""What most tests of this room start from."""

from __future__ import annotations

import pytest

from accounts.models import User
from accounts.permissions import Role
from detection.models import DetectorVersion
from tests.detection.factories import make_user, make_version


@pytest.fixture
def reader(db: None) -> User:
    return make_user(username="reader")


@pytest.fixture
def other(db: None) -> User:
    return make_user(username="other", display_name="Dr Other")


@pytest.fixture
def admin(db: None) -> User:
    return make_user(Role.ADMIN)


@pytest.fixture
def engineer(db: None) -> User:
    return make_user(Role.ENGINEER)


@pytest.fixture
def version(db: None) -> DetectorVersion:
    return make_version()
