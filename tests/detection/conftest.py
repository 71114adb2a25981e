"""What most tests of this room start from."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django import Settings

from accounts.models import User
from accounts.permissions import Role
from detection.models import DetectorVersion
from imaging.decoding import client
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


@pytest.fixture
def old(db: None) -> DetectorVersion:
    """A version that isn't active: storing a film makes no run by itself."""
    return make_version("retired", name="shipped-1")


@pytest.fixture
def archive(tmp_path: Path, settings: Settings) -> Path:
    """MEDIA_ROOT and the pixel cache of this test alone."""
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.PIXEL_CACHE_ROOT = tmp_path / "cache"
    return settings.MEDIA_ROOT


@pytest.fixture(scope="session", autouse=True)
def _decoders() -> Iterator[None]:
    yield
    client.close_pool()
