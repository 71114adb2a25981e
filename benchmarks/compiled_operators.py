"""mmcv's own compiled CPU operators `nms` and `roi_align`, for comparison.

    python -m benchmarks.compiled_operators FOLDER

The source of the mmcv release that is installed is fetched into the folder and those two operators
are compiled there, once (minutes; needs g++ and ninja). Nothing of it is installed or shipped.
"""

from __future__ import annotations

import subprocess
import sys
import tarfile
from importlib.metadata import version
from pathlib import Path
from types import ModuleType

# mmcv's sources are named, not their folder: its other operators need an hour
SOURCES = ("nms.cpp", "roi_align.cpp", "cpu/nms.cpp", "cpu/roi_align.cpp")
# mmcv's binding names all its operators, so this one names the two
BINDING = """
#include <torch/extension.h>
using at::Tensor;
Tensor nms(Tensor, Tensor, float, int);
void roi_align_forward(Tensor, Tensor, Tensor, Tensor, Tensor, int, int, float, int, int, bool);
void roi_align_backward(Tensor, Tensor, Tensor, Tensor, Tensor, int, int, float, int, int, bool);
namespace py = pybind11;
PYBIND11_MODULE(TORCH_EXTENSION_NAME, m) {
  m.def("nms", &nms, py::arg("boxes"), py::arg("scores"), py::arg("iou_threshold"),
        py::arg("offset"));
  m.def("roi_align_forward", &roi_align_forward, py::arg("input"), py::arg("rois"),
        py::arg("output"), py::arg("argmax_y"), py::arg("argmax_x"), py::arg("aligned_height"),
        py::arg("aligned_width"), py::arg("spatial_scale"), py::arg("sampling_ratio"),
        py::arg("pool_mode"), py::arg("aligned"));
  m.def("roi_align_backward", &roi_align_backward, py::arg("grad_output"), py::arg("rois"),
        py::arg("argmax_y"), py::arg("argmax_x"), py::arg("grad_input"),
        py::arg("aligned_height"), py::arg("aligned_width"), py::arg("spatial_scale"),
        py::arg("sampling_ratio"), py::arg("pool_mode"), py::arg("aligned"));
}
"""


def build(folder: Path) -> ModuleType:
    """Compile, or take what was compiled there before.

    Raises:
        CalledProcessError, RuntimeError, OSError: no source, or no compiler.
    """
    from torch.utils.cpp_extension import load

    root = _source(folder) / "mmcv" / "ops" / "csrc"
    # objects lie in one folder, and two of mmcv's sources have one name
    texts = {"binding.cpp": BINDING}
    for name in SOURCES:
        texts[name.replace("/", "_")] = f'#include "{root / "pytorch" / name}"\n'
    for name, text in texts.items():
        if not (folder / name).exists() or (folder / name).read_text() != text:
            (folder / name).write_text(text)
    made: ModuleType = load(
        name="mmcv_operators",
        sources=[str(folder / name) for name in texts],
        extra_include_paths=[str(root / "common"), str(root / "pytorch")],
        extra_cflags=["-O3", "-w"],
        build_directory=str(folder),
    )
    return made


def install(folder: Path) -> None:
    """Let the compiled operators answer mmcv from here on; `ops.install` must have run."""
    from detection.detectors import ops
    from detection.detectors.ops.extension import Extension

    extension: Extension = ops.install("adapter")
    extension.compiled = build(folder)
    ops.install("compiled")


def _source(folder: Path) -> Path:
    release = version("mmcv-lite")
    folder.mkdir(parents=True, exist_ok=True)
    root = folder / f"mmcv-{release}"
    if not root.exists():
        wanted = f"mmcv=={release}"
        subprocess.run(
            f"{sys.executable} -m pip download {wanted} --no-deps --no-binary :all: "
            f"--no-build-isolation --dest {folder}".split(),
            check=True,
            stdout=sys.stderr,
        )
        with tarfile.open(folder / f"mmcv-{release}.tar.gz") as archive:
            archive.extractall(folder, filter="data")
    return root


if __name__ == "__main__":
    build(Path(sys.argv[1]).resolve())
