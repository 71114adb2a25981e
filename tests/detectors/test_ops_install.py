"""Who answers as `mmcv._ext`, in this process and in fresh ones."""

from __future__ import annotations

import subprocess
import sys
import types

import pytest
import torch

from detection.detectors import openmmlab, ops
from detection.detectors.ops.extension import NAME, Extension
from tests.detectors.conftest import ROOT
from twinhealth.errors import UnavailableError

pytestmark = pytest.mark.model


class OnCuda(torch.Tensor):
    """A CPU tensor that says that it lies on a GPU."""

    is_cuda = True


def compiled():
    module = types.ModuleType("compiled")
    module.nms = lambda *args, **kwargs: "compiled nms"
    module.softnms = lambda *args, **kwargs: "compiled softnms"
    module.get_compiler_version = lambda: "GCC 12"
    module.get_compiling_cuda_version = lambda: "12.8"
    return module


BOXES, SCORES = torch.tensor([[0.0, 0, 1, 1]]), torch.tensor([0.5])


@pytest.mark.parametrize(
    ("mode", "has_compiled", "on_gpu", "expected"),
    [
        ("auto", False, False, "ours"),
        ("auto", False, True, "ours"),
        ("auto", True, False, "ours"),
        ("auto", True, True, "compiled"),
        ("adapter", True, False, "ours"),
        ("adapter", True, True, "ours"),
        ("compiled", True, False, "compiled"),
        ("compiled", True, True, "compiled"),
    ],
)
def test_who_answers(mode, has_compiled, on_gpu, expected):
    extension = Extension(mode, compiled() if has_compiled else None)
    boxes = BOXES.as_subclass(OnCuda) if on_gpu else BOXES
    # by keyword, as mmcv calls some of its operators
    got = extension.nms(boxes, scores=SCORES, iou_threshold=0.5, offset=0)
    assert ("compiled" if got == "compiled nms" else "ours") == expected


def test_an_operator_that_nobody_has_exists_until_it_is_called():
    extension = Extension("auto", None)
    assert hasattr(extension, "deform_conv_forward")
    with pytest.raises(NotImplementedError, match=r"deform_conv_forward.*nms, roi_align"):
        extension.deform_conv_forward()
    assert Extension("auto", compiled()).softnms() == "compiled softnms"
    assert not hasattr(extension, "__path__")


def test_compiled_kernels_get_tensors_in_rows():
    # they read memory as it lies: a map that lies channels last would give them other features
    seen = []
    module = types.ModuleType("compiled")
    module.roi_align_forward = lambda features, *_, output: seen.append((features, output))
    features = torch.randn(1, 3, 4, 5).contiguous(memory_format=torch.channels_last)
    output = torch.zeros(1, 3, 2, 2)
    Extension("compiled", module).roi_align_forward(features, 1, output=output)
    ((given, written),) = seen
    assert given.is_contiguous()
    assert torch.equal(given, features)
    assert written is output  # what is written into stays the caller's


def test_versions_for_the_environment_report():
    assert Extension("auto", compiled()).get_compiler_version() == "GCC 12"
    assert Extension("auto", compiled()).get_compiling_cuda_version() == "12.8"
    assert Extension("auto", None).get_compiler_version() == "not compiled"
    assert Extension("auto", None).get_compiling_cuda_version() == "not compiled"


@pytest.fixture
def no_extension(monkeypatch):
    # set and deleted, so that what a test installs is gone again even where nothing was before
    monkeypatch.setitem(sys.modules, NAME, sys.modules.get(NAME))
    monkeypatch.delitem(sys.modules, NAME)


@pytest.mark.usefixtures("no_extension")
def test_install_again_changes_the_mode_of_the_same_module(monkeypatch):
    monkeypatch.setattr(ops.extension, "_find_compiled", compiled)
    first = ops.install("auto")
    assert first.mode == "auto"
    assert ops.install("compiled") is first
    assert first.mode == "compiled"
    assert "with mmcv's compiled" in ops.describe()


@pytest.mark.usefixtures("no_extension")
def test_compiled_ones_that_are_demanded_and_missing(monkeypatch):
    assert ops.describe() == "not installed"
    monkeypatch.setattr(ops.extension, "_find_compiled", lambda: None)
    with pytest.raises(UnavailableError) as caught:
        ops.install("compiled")
    assert caught.value.code == "detector_ops_missing"
    assert NAME not in sys.modules


def test_the_last_choice_holds():
    openmmlab.load("adapter")
    assert sys.modules[NAME].mode == "adapter"
    openmmlab.load("auto")
    assert sys.modules[NAME].mode == "auto"


def test_another_word():
    with pytest.raises(UnavailableError, match="auto, adapter, compiled") as caught:
        ops.install("fast")
    assert caught.value.code == "detector_ops_unknown"


def fresh(code):
    """Run it in a process of its own, where any warning is an error."""
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_torchvision_and_mmdetection_import_in_a_fresh_process():
    done = fresh(
        "from detection.detectors import openmmlab\n"
        "openmmlab.load('auto')\n"
        "import torchvision, torch\n"
        "from mmcv.ops import nms, roi_align\n"
        "from mmengine.utils.dl_utils import collect_env\n"
        "assert torchvision.__version__ == collect_env()['TorchVision']\n"
        "print(nms(torch.tensor([[0., 0, 9, 9], [0, 0, 9, 8]]), torch.tensor([.1, .2]), .5)[1])\n"
    )
    assert done.stderr == ""
    assert done.stdout.strip() == "tensor([1])"


def test_nothing_of_torch_comes_with_the_door():
    done = fresh(
        "import sys\n"
        "import detection.manifest, detection.detectors.loader\n"
        "print(sorted(m for m in ('torch', 'mmdet', 'mmcv', 'mmengine', 'cv2', 'pycocotools')\n"
        "             if m in sys.modules))\n"
    )
    assert done.stderr == ""
    assert done.stdout.strip() == "[]"
