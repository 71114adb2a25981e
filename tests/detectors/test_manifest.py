"""The JSON beside the weights."""

from __future__ import annotations

import hashlib
import json

import pytest

from detection import manifest
from detection.models import DetectorVersion
from tests.detectors.conftest import ACTIVE
from twinhealth.errors import InvalidInputError, UnavailableError

GOOD = {
    "name": "a",
    "file": "a.pth",
    "sha256": "ab" * 32,
    "config": "light",
    "classes": ["covid", "normal"],
    "thresholds": {"covid": 0.5, "normal": 1},
    "image_size": 384,
    "licence": "",
    "training": {},
    "metrics": {"x": [1]},
}


@pytest.fixture
def write(tmp_path):
    def do(**changes):
        path = tmp_path / "a.json"
        path.write_text(json.dumps({k: v for k, v in (GOOD | changes).items() if v is not None}))
        return path

    return do


def test_it_is_read_and_written_back_the_same(write):
    read = manifest.read_manifest(write())
    assert read.thresholds == {"covid": 0.5, "normal": 1.0}
    assert read.classes == ("covid", "normal")
    assert read.as_json() == GOOD
    assert read.scaling is None


def test_a_scaling_is_read_and_written_back(write):
    read = manifest.read_manifest(write(temperature=0.5, offset=-1))
    assert read.scaling == (0.5, -1.0)
    assert read.as_json() == GOOD | {"temperature": 0.5, "offset": -1.0}
    assert manifest.read_manifest(write(temperature=2)).scaling == (2.0, 0.0)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"name": None}, "name"),
        ({"name": ""}, "name"),
        ({"name": "x" * 65}, "name"),
        ({"name": 7}, "name"),
        ({"sha256": "AB" * 32}, "sha256"),
        ({"sha256": "ab"}, "sha256"),
        ({"file": "../a.pth"}, "file"),
        ({"classes": []}, "classes"),
        ({"classes": ["covid", "covid"]}, "classes"),
        ({"classes": "covid"}, "classes"),
        ({"thresholds": {"covid": 0.5}}, "thresholds"),
        ({"thresholds": {"covid": 0.5, "normal": 1.1}}, "normal"),
        ({"thresholds": {"covid": 0.5, "normal": True}}, "normal"),
        ({"thresholds": {"covid": 0.5, "normal": "0.5"}}, "normal"),
        ({"image_size": 0}, "image_size"),
        ({"image_size": True}, "image_size"),
        ({"licence": "x" * 201}, "licence"),
        ({"metrics": []}, "metrics"),
        ({"temperature": 0}, "temperature"),
        ({"temperature": "1"}, "temperature"),
        ({"temperature": True}, "temperature"),
        ({"temperature": float("nan")}, "temperature"),
        ({"temperature": 1, "offset": [0]}, "offset"),
    ],
)
def test_what_is_wrong_is_named(write, changes, why):
    with pytest.raises(InvalidInputError, match=why) as caught:
        manifest.read_manifest(write(**changes))
    assert caught.value.code == "manifest_invalid"


@pytest.mark.parametrize("content", ["", "{", "[]", '"text"', "\x00"])
def test_a_damaged_file(tmp_path, content):
    path = tmp_path / "a.json"
    path.write_text(content)
    with pytest.raises(InvalidInputError) as caught:
        manifest.read_manifest(path)
    assert caught.value.code == "manifest_invalid"


def test_a_missing_file(tmp_path):
    with pytest.raises(UnavailableError) as caught:
        manifest.read_manifest(tmp_path / "a.json")
    assert caught.value.code == "manifest_missing"
    assert manifest.expected_sha256(tmp_path / "a.pth") is None


def test_the_shipped_one_names_the_shipped_weights():
    shipped = manifest.read_manifest(ACTIVE.with_suffix(".json"))
    assert shipped.file == ACTIVE.name
    assert hashlib.sha256(ACTIVE.read_bytes()).hexdigest() == shipped.sha256
    assert manifest.expected_sha256(ACTIVE) == shipped.sha256
    assert shipped.classes == ("covid", "pneumonia", "normal")
    assert ACTIVE.stat().st_size < 40 * 1024**2
    assert "ommercial" in shipped.licence
    assert shipped.scaling is not None
    assert shipped.metrics["test"]["ap"]["all"]["mean"]["ap50"] == pytest.approx(0.826, abs=0.001)


@pytest.mark.django_db
def test_the_shipped_one_fits_a_row():
    shipped = manifest.read_manifest(ACTIVE.with_suffix(".json"))
    row = DetectorVersion(
        name=shipped.name,
        weights_sha256=shipped.sha256,
        weights_path=shipped.file,
        config=shipped.config,
        classes=list(shipped.classes),
        thresholds=dict(shipped.thresholds),
        licence=shipped.licence,
        training=dict(shipped.training),
        metrics=dict(shipped.metrics),
    )
    row.full_clean()
    row.save()


@pytest.mark.parametrize(
    ("content", "why"),
    [(b"[" * 100_000, "JSON"), (b"\xff", "JSON"), (b"[]", "object")],
)
def test_bytes_that_are_no_manifest(content: bytes, why: str):
    with pytest.raises(InvalidInputError, match=why) as caught:
        manifest.parse_manifest(content, name="that was sent")
    assert caught.value.code == "manifest_invalid"
