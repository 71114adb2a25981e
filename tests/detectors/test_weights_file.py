"""Weights on disk: what is refused, and how it is said."""

from __future__ import annotations

import dataclasses
import hashlib
import pickle
import zipfile

import pytest
import torch

from detection.detectors import weights_file
from twinhealth.errors import UnavailableError

pytestmark = pytest.mark.model

META = weights_file.Meta(
    name="mine",
    config="light",
    classes=("covid", "pneumonia", "normal"),
    image_size=384,
    thresholds={"covid": 0.25, "pneumonia": 0.5, "normal": 0.75},
    licence="none",
    training={"images": 3},
)
STATE = {"a.weight": torch.tensor([[0.5, -2.0]]), "steps": torch.tensor(7)}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "mine.pth"


def code_of(path, expected=None):
    with pytest.raises(UnavailableError) as caught:
        weights_file.read(path, expected)
    assert path.name in caught.value.message
    return caught.value.code


def test_what_is_saved_is_read_back(path):
    sha256 = weights_file.save(path, STATE, META)
    assert sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    read = weights_file.read(path, sha256.upper())
    assert read.sha256 == sha256
    assert read.meta == META
    assert read.state["a.weight"].dtype == torch.float32
    torch.testing.assert_close(read.state["a.weight"], STATE["a.weight"])
    assert read.state["steps"].item() == 7
    assert [p.name for p in path.parent.iterdir()] == ["mine.pth"]


def test_the_file_holds_half_precision_and_plain_values(path):
    weights_file.save(path, STATE, META)
    raw = torch.load(path, weights_only=True)
    assert set(raw) == {"state_dict", "meta"}
    assert raw["state_dict"]["a.weight"].dtype == torch.float16
    assert raw["meta"]["preprocessing"]["percentiles"] == [1.0, 99.0]


def test_a_missing_file(path):
    assert code_of(path) == "weights_missing"


def test_a_folder_in_its_place(path):
    path.mkdir()
    assert code_of(path) == "weights_missing"


def test_another_file(path):
    weights_file.save(path, STATE, META)
    assert code_of(path, "0" * 64) == "weights_wrong_hash"


@pytest.mark.parametrize("keep", [0, 3, 100, -1, -200])
def test_a_truncated_file(path, keep):
    weights_file.save(path, STATE, META)
    path.write_bytes(path.read_bytes()[:keep])
    assert code_of(path) == "weights_damaged"


def test_a_text_file(path):
    path.write_text("version https://git-lfs.github.com/spec/v1")
    assert code_of(path) == "weights_damaged"


def test_a_zip_without_weights(path):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme.txt", "hello")
    assert code_of(path) == "weights_damaged"


def test_a_zip_bomb(path):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", b"\x00" * 10_000_000)
    assert code_of(path) == "weights_damaged"


def test_a_file_larger_than_any_weights(path, monkeypatch):
    monkeypatch.setattr(weights_file, "MAX_BYTES", 100)
    weights_file.save(path, STATE, META)
    assert code_of(path) == "weights_damaged"


class Exploit:
    """Touches a file when it is unpickled."""

    def __init__(self, target):
        self.target = str(target)

    def __reduce__(self):
        return (open, (self.target, "w"))


@pytest.mark.parametrize("old_format", [True, False])
def test_a_pickle_that_runs_code_is_not_run(path, tmp_path, old_format):
    touched = tmp_path / "touched"
    torch.save(
        {"state_dict": {"a": Exploit(touched)}, "meta": META.as_dict()},
        path,
        _use_new_zipfile_serialization=not old_format,
    )
    assert code_of(path) == "weights_unsafe"
    assert not touched.exists()


def test_a_bare_pickle_is_not_run(path, tmp_path):
    touched = tmp_path / "touched"
    path.write_bytes(pickle.dumps(Exploit(touched)))
    assert code_of(path) == "weights_unsafe"
    assert not touched.exists()


@pytest.mark.parametrize(
    "content",
    [
        [1, 2],
        {},
        {"state_dict": {}},
        {"meta": META.as_dict()},
        {"state_dict": {"a": 5}, "meta": META.as_dict()},
        {"state_dict": [], "meta": META.as_dict()},
        {"state_dict": {}, "meta": {**META.as_dict(), "thresholds": {"covid": 0.5}}},
        {"state_dict": {}, "meta": {**META.as_dict(), "image_size": "large"}},
        {"state_dict": {}, "meta": {}},
    ],
)
def test_other_content(path, content):
    torch.save(content, path)
    assert code_of(path) == "weights_damaged"


@pytest.mark.parametrize("classes", [(), ("cat", "dog"), ("covid", "pneumonia")])
def test_other_classes(path, classes):
    meta = dataclasses.replace(META, classes=classes)
    weights_file.save(path, STATE, meta)
    assert code_of(path) == "weights_wrong_classes"


def test_classes_in_another_order_are_fine(path):
    meta = dataclasses.replace(META, classes=("normal", "covid", "pneumonia"))
    weights_file.save(path, STATE, meta)
    assert weights_file.read(path).meta.classes == ("normal", "covid", "pneumonia")


@pytest.mark.parametrize(
    "value", [float("nan"), float("inf"), 1e6]
)  # the last is too large for fp16
def test_numbers_that_are_none(path, value):
    weights_file.save(path, {"a": torch.tensor([1.0, value])}, META)
    assert code_of(path) == "weights_not_finite"
