"""An exported set goes into training as it is."""

from __future__ import annotations

import numpy as np
import pytest
from django.core.management import call_command

from accounts.models import User
from detection.detectors import recipe
from detection.manifest import read_manifest
from detection.services import sign
from detection.services.dataset import export_dataset
from imaging import pixels
from imaging.frame import Frame
from tests.detection.factories import make_image, make_run, make_user, make_version

pytestmark = [pytest.mark.model, pytest.mark.django_db]


def test_train_detector_takes_an_exported_set(monkeypatch, small, tmp_path):
    monkeypatch.setattr(recipe, "read", lambda name: small)
    reader: User = make_user()
    version = make_version()
    rng = np.random.default_rng(4)
    films = {}
    for _ in range(12):
        image = make_image(rows=120, columns=150)
        make_run(image, version, boxes=(("covid", 0.9, 20, 20, 40, 80),))
        values = rng.integers(0, 900, (120, 150), dtype=np.uint16)
        values[20:100, 20:60] = 3000
        films[image.pk] = Frame(values, "MONOCHROME2", 12)
        sign.sign(image_id=image.pk, user=reader, conclusion="abnormal")
    monkeypatch.setattr(pixels, "load", lambda image: films[image.pk])
    exported = export_dataset(folder=tmp_path / "set")
    call_command(
        "train_detector",
        f"--annotations={tmp_path / 'set' / 'annotations.json'}",
        f"--val-annotations={tmp_path / 'set' / 'annotations.json'}",
        f"--images={tmp_path / 'set' / 'images'}",
        f"--out={tmp_path / 'trained'}",
        "--name=corrected-1",
        "--max-iters=1",
    )
    manifest = read_manifest(tmp_path / "trained" / "corrected-1.json")
    assert manifest.training["images"] == exported.counts["films"] == 12
    assert manifest.metrics["val"]["images"] == 12
