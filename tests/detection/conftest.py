"""What most tests of this room start from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.test import Client
from rest_framework.test import APIClient

from accounts.models import User
from accounts.permissions import Role
from detection.models import DatasetExport, DetectorVersion
from detection.services import sign
from detection.services.dataset_exports import execute_export, request_export
from imaging import pixels
from imaging.frame import Frame
from imaging.models import Image
from patients.models import Patient
from tests.detection.factories import Films, make_image, make_run, make_user, make_version


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
def frames(monkeypatch: pytest.MonkeyPatch) -> dict[int, Frame]:
    """Decoded films by image; the archive is not asked."""
    known: dict[int, Frame] = {}
    monkeypatch.setattr(pixels, "load", lambda image: known[image.pk])
    return known


@pytest.fixture
def signed_film(version: DetectorVersion, reader: User, frames: dict[int, Frame]) -> Films:
    """Make a film of 40 x 30 pixels with one covid finding, sign it unless told otherwise."""

    def make(
        patient: Patient | None = None,
        *,
        conclusion: str = "abnormal",
        boxes: tuple[Any, ...] = (("covid", 0.9, 2, 3, 10, 12),),
        **fields: Any,
    ) -> Image:
        image = make_image(patient, rows=30, columns=40, **fields)
        make_run(image, version, boxes=boxes)
        # as on a real film many pixels are the blackest and whitest, which sets the window firmly
        noise = np.random.default_rng(image.pk).integers(0, 4096, (30, 40), dtype=np.uint16)
        frames[image.pk] = Frame(noise.clip(400, 3700), "MONOCHROME2", 12)
        if conclusion:
            sign.sign(image_id=image.pk, user=reader, conclusion=conclusion)
        return image

    return make


@pytest.fixture
def kept(settings: Any, tmp_path: Path) -> Path:
    """Where zips are kept; made by the first export."""
    settings.DATASET_ROOT = tmp_path / "sets"
    return tmp_path / "sets"


@pytest.fixture
def browser(admin: User) -> Client:
    client = Client()
    client.force_login(admin)
    return client


@pytest.fixture
def api(admin: User) -> APIClient:
    client = APIClient()
    client.force_authenticate(admin)
    return client


@pytest.fixture
def written(signed_film: Films, admin: User, kept: Path) -> DatasetExport:
    """An export that a worker has ended."""
    signed_film()
    export = request_export(user=admin)
    assert execute_export(export_id=export.pk)
    export.refresh_from_db()
    return export
