"""The loaded detector: the real weights on real films, and a random network against mmdetection."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
import torch

from detection.detectors import engine, openmmlab, preprocess, recipe, weights_file
from detection.detectors.loader import load_detector
from detection.detectors.prediction import Box, VersionInfo
from imaging.frame import Frame
from imaging.pixels import read_file
from tests.detectors.conftest import ACTIVE, DEMO
from twinhealth.errors import InvalidInputError, UnavailableError

pytestmark = pytest.mark.model


@pytest.fixture(scope="module")
def detector():
    return load_detector(weights=ACTIVE)


@pytest.fixture(scope="module")
def films():
    names = json.loads((DEMO / "attribution.json").read_text())
    return sorted(DEMO.glob("*.jpg")), names


@pytest.fixture(scope="module")
def random_model(small):
    """A network with random weights, as mmdetection builds it."""
    openmmlab.load("auto")
    from detection.detectors.architecture import build, model_config

    torch.manual_seed(4)
    model = build(model_config(small, classes=3))
    for name, buffer in model.named_buffers():  # as if trained: statistics that do something
        if name.endswith("running_mean"):
            buffer.normal_(0, 0.2)
        if name.endswith("running_var"):
            buffer.uniform_(0.5, 1.5)
    return model.eval()


def info(size=64, **thresholds):
    classes = ("covid", "pneumonia", "normal")
    return VersionInfo(
        "random", "0" * 64, "light", classes, dict.fromkeys(classes, 0.05) | thresholds, size
    )


def noise(height=90, width=140):
    pixels = np.random.default_rng(2).integers(0, 4096, (height, width), dtype=np.uint16)
    return Frame(pixels, "MONOCHROME2", 12)


def test_the_shipped_detector_says_what_it_is(detector):
    version = detector.version_info
    assert version.classes == ("covid", "pneumonia", "normal")
    assert version.config == "light-film"
    manifest = json.loads(ACTIVE.with_suffix(".json").read_text())
    assert version.name == manifest["name"]
    assert version.sha256 == manifest["sha256"]
    assert version.thresholds == manifest["thresholds"]
    assert version.image_size == manifest["image_size"]


def test_it_finds_the_lungs_of_a_normal_and_of_a_covid_film(detector):
    # seen on these films when the weights were shipped; both are from the test split
    for name, label in (("nih_2edcde9360.jpg", "normal"), ("mhh_608c96eae8.jpg", "covid")):
        frame = read_file(DEMO / name)
        prediction = detector.predict(frame)
        assert prediction.seconds > 0
        best = [box for box in prediction.boxes if box.label == label][:2]
        assert len(best) == 2
        assert min(box.score for box in best) > 0.5
        left, right = sorted(best, key=lambda box: box.x)
        middle = frame.pixels.shape[1] / 2
        assert left.x + left.w / 2 < middle < right.x + right.w / 2
        assert all(box.h > frame.pixels.shape[0] / 3 for box in best)


def test_thresholds_per_class_unless_one_is_given(detector):
    frame = read_file(DEMO / "mhh_608c96eae8.jpg")
    thresholds = detector.version_info.thresholds
    everything = detector.predict(frame, min_score=0).boxes
    assert len({box.label for box in everything}) > 1
    assert [box.score for box in everything] == sorted((b.score for b in everything), reverse=True)
    own = [box for box in everything if box.score >= thresholds[box.label]]
    shown = detector.predict(frame).boxes
    assert [box.label for box in shown] == [box.label for box in own]
    np.testing.assert_allclose([b[1:] for b in shown], [b[1:] for b in own], atol=1e-4)
    assert detector.predict(frame, min_score=1.0).boxes == []
    assert all(box.score >= 0.9 for box in detector.predict(frame, min_score=0.9).boxes)


def test_boxes_lie_inside_the_image_and_have_an_area(detector):
    frame = read_file(DEMO / "mhh_608c96eae8.jpg")
    # cut through both lungs, so that boxes want to reach outside
    cut = dataclasses.replace(frame, pixels=frame.pixels[200:600, 150:850])
    boxes = detector.predict(cut, min_score=0).boxes
    assert boxes
    for box in boxes:
        assert isinstance(box, Box)
        assert 0 <= box.score <= 1
        assert box.x >= 0
        assert box.y >= 0
        assert box.w > 0
        assert box.h > 0
        assert box.x + box.w <= 700 + 1e-9
        assert box.y + box.h <= 400 + 1e-9


@pytest.mark.parametrize("shape", [(1, 1), (1, 900), (37, 2)])
def test_odd_films_are_no_error(detector, shape):
    prediction = detector.predict(Frame(np.zeros(shape, np.uint8), "MONOCHROME2", 8))
    assert all(box.w > 0 and box.h > 0 for box in prediction.boxes)


def test_the_same_film_twice_gives_the_same(detector):
    frame = read_file(DEMO / "nih_2edcde9360.jpg")
    assert detector.predict(frame).boxes == detector.predict(frame).boxes


def test_same_numbers_as_mmdetection_itself(random_model):
    # our folded, channels-last way against model.predict() of the network as built
    from copy import deepcopy

    from mmdet.structures import DetDataSample

    frame = noise()
    ours = engine.TorchDetector(deepcopy(random_model), info(), torch.device("cpu"))
    got = ours.predict(frame, min_score=0.05).boxes
    prepared = preprocess.prepare(frame, longest_side=64)
    sample = DetDataSample(
        metainfo={
            "img_shape": (prepared.height, prepared.width),
            "ori_shape": frame.pixels.shape,
            "scale_factor": (prepared.scale_x, prepared.scale_y),
            "pad_shape": prepared.pixels.shape[1:],
            "batch_input_shape": prepared.pixels.shape[1:],
        }
    )
    with torch.inference_mode():
        found = random_model.predict(torch.from_numpy(prepared.pixels)[None], [sample])[0]
    wanted = found.pred_instances
    assert len(got) == len(wanted) > 5
    corners = np.array([[b.x, b.y, b.x + b.w, b.y + b.h] for b in got])
    limit = [frame.pixels.shape[1], frame.pixels.shape[0]] * 2
    np.testing.assert_allclose([b.score for b in got], wanted.scores.numpy(), atol=1e-4)

    # equal scores may come in another order: compare as sets of rounded boxes
    def key(rows):
        return sorted(np.round(np.clip(rows, 0, limit), 1).tolist())

    np.testing.assert_allclose(key(corners), key(wanted.bboxes.numpy()), atol=0.25)


def test_numbers_that_are_none_are_an_error_not_an_empty_film(random_model):
    from copy import deepcopy

    broken = deepcopy(random_model)
    with torch.no_grad():
        broken.backbone.conv1.weight.fill_(3e38)
    with pytest.raises(UnavailableError) as caught:
        engine.TorchDetector(broken, info(), torch.device("cpu")).predict(noise())
    assert caught.value.code == "detector_broken"


@pytest.mark.parametrize(("name", "millions"), [("light", 17.1), ("r50", 69.2)])
def test_the_shipped_configs_build(name, millions):
    openmmlab.load("auto")
    from detection.detectors.architecture import build, model_config

    shipped = recipe.read(name)
    config = model_config(shipped, classes=3)
    assert [stage.assigner.pos_iou_thr for stage in config.train_cfg.rcnn] == [0.5, 0.6, 0.7]
    assert config.backbone.init_cfg is None  # nothing is fetched
    model = build(config)
    assert sum(p.numel() for p in model.parameters()) / 1e6 == pytest.approx(millions, abs=0.1)


def test_a_network_with_random_weights_runs(random_model):
    from copy import deepcopy

    one = engine.TorchDetector(deepcopy(random_model), info(), torch.device("cpu"))
    boxes = one.predict(noise(), min_score=0).boxes
    assert len(boxes) > 5
    assert one.predict(noise(), min_score=1.0).boxes == []


@pytest.fixture
def other_weights(tmp_path, random_model):
    path = tmp_path / "mine.pth"

    def write(**changes):
        meta = weights_file.Meta(
            name="mine",
            config="light",
            classes=("covid", "pneumonia", "normal"),
            image_size=64,
            thresholds={"covid": 0.5, "pneumonia": 0.5, "normal": 0.5},
            licence="",
            training={},
        )
        weights_file.save(path, random_model.state_dict(), dataclasses.replace(meta, **changes))
        return path

    return write


def test_weights_of_another_network(other_weights):
    # the small network's tensors aren't those of `light`
    with pytest.raises(UnavailableError) as caught:
        load_detector(weights=other_weights())
    assert caught.value.code == "weights_wrong_keys"
    assert "shape" in caught.value.extra["detail"]


def test_weights_of_an_unknown_network(other_weights):
    with pytest.raises(InvalidInputError) as caught:
        load_detector(weights=other_weights(config="heavy"))
    assert caught.value.code == "config_unknown"


def test_another_file_than_expected_is_not_loaded():
    with pytest.raises(UnavailableError) as caught:
        load_detector(weights=ACTIVE, expected_sha256="0" * 64)
    assert caught.value.code == "weights_wrong_hash"


def test_a_device_that_is_not_there():
    with pytest.raises(UnavailableError) as caught:
        load_detector(weights=ACTIVE, device="nonsense")
    assert caught.value.code == "detector_no_device"


def test_threads_are_set(settings):
    before = torch.get_num_threads()
    try:
        settings.DETECTOR_THREADS = 1
        load_detector(weights=ACTIVE)
        assert torch.get_num_threads() == 1
        load_detector(weights=ACTIVE, threads=2)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
