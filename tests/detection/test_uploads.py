"""Weights that were uploaded: where they lie."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from detection.manifest import Manifest
from detection.services import engine
from detection.services.versions import register_version

pytestmark = pytest.mark.django_db


def test_uploaded_weights_lie_below_the_media_folder(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path
    manifest = Manifest("sent", "a.pth", "a" * 64, "light", ("covid",), {"covid": 0.5}, 384)
    version = register_version(manifest, uploaded_to="weights/ab/cd/x.pth")
    assert version.uploaded
    assert engine.weights_path(version) == tmp_path / "weights/ab/cd/x.pth"
