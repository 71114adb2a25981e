"""What most tests of this room start from: an archive of their own, people, a registered machine."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pytest_django import Settings

from accounts.models import User
from accounts.permissions import Role
from devices.models import Device, DeviceModel, Metric
from devices.services.registry import register_device
from imaging.decoding import client
from imaging.models.image import Door
from imaging.services.ingest import IngestResult, ingest_dicom, ingest_picture

from .factories import make_dicom


@pytest.fixture(autouse=True)
def archive(tmp_path: Path, settings: Settings) -> Path:
    """MEDIA_ROOT and the pixel cache of this test alone."""
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.PIXEL_CACHE_ROOT = tmp_path / "cache"
    return settings.MEDIA_ROOT


@pytest.fixture(scope="session", autouse=True)
def _decoders() -> Iterator[None]:
    yield
    client.close_pool()


@pytest.fixture
def kept(archive: Path) -> Callable[[], list[str]]:
    """Every file below MEDIA_ROOT, by its first folder."""

    def files() -> list[str]:
        found = [p.relative_to(archive) for p in archive.rglob("*") if p.is_file()]
        return sorted(str(p.parts[0]) for p in found)

    return files


def _user(name: str, role: str) -> User:
    return User.objects.create_user(username=name, password="correct horse battery", role=role)


@pytest.fixture
def clinician(db: None) -> User:
    return _user("clinician", Role.CLINICIAN)


@pytest.fixture
def admin(db: None) -> User:
    return _user("admin", Role.ADMIN)


@pytest.fixture
def engineer(db: None) -> User:
    return _user("engineer", Role.ENGINEER)


@pytest.fixture
def device(db: None) -> Device:
    """XR-1, which knows the picture's metrics."""
    model = DeviceModel.objects.create(manufacturer="Acme", name="Ray 1", modality="DX")
    for key, unit in (("pixel_noise", "1"), ("pixel_mean", "%"), ("kvp", "kV")):
        Metric.objects.create(device_model=model, key=key, label=key, unit=unit)
    return register_device(serial="XR-1", name="Room 1", model=model, actor=None)


@pytest.fixture
def send(clinician: User) -> Callable[..., IngestResult]:
    """Ingest bytes as the clinician."""

    def ingest(data: bytes | None = None, **fields: object) -> IngestResult:
        return ingest_dicom(
            source=io.BytesIO(make_dicom() if data is None else data),
            **{"filename": "film.dcm", "door": Door.REST, "actor": clinician, **fields},
        )

    return ingest


@pytest.fixture
def send_picture(clinician: User) -> Callable[..., IngestResult]:
    """Ingest a picture as the clinician."""

    def ingest(data: bytes, **fields: object) -> IngestResult:
        return ingest_picture(
            source=io.BytesIO(data),
            **{
                "filename": "film.png",
                "door": Door.BROWSER,
                "actor": clinician,
                "patient_id": "P1",
                "device_serial": "XR-1",
                **fields,
            },
        )

    return ingest
