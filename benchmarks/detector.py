"""The detector against plain mmdetection, in one run on the same weights and films.

    python -m benchmarks.detector [--films 200] [--compiled FOLDER] [--config r50] [--sides]

Several ways read the same films in turn, so that ratios hold on a noisy machine: the product's
engine; mmdetection's `inference_detector` with our operators and as many regions to the heads as
the product, which must give equal boxes; mmdetection with its own 1,000 regions; the same with
mmcv's own compiled CPU operators (`--compiled`, see `compiled_operators`). `--images` takes JPEG
films from a folder, else the demo's films with a little noise are read from DICOM bytes.
`--config r50` measures a network with random weights of that recipe. `--sides` measures how time
grows with the input. Prints JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "twinhealth.settings.embedded")
WARM = 2  # films before the clock counts
SIDES = (384, 512, 768, 1024, 1536)
LEAST = 0.3  # boxes with a lower score aren't compared; the version's thresholds are above
EQUAL = "mmdetection, our operators and number of regions"
NEAR = 1.0  # pixels of the film and hundredths of a score that may lie between equal boxes


@dataclass
class Way:
    """One way of reading, with the seconds it took for each film."""

    name: str
    operators: str
    read: Callable[[Any], Any]
    seconds: list[float]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--films", type=int, default=200)
    parser.add_argument("--images", type=Path, default=None)
    parser.add_argument("--compiled", type=Path, default=None)
    parser.add_argument("--config", default="")
    parser.add_argument("--sides", action="store_true")
    parser.add_argument("--memory-of", default="", help=argparse.SUPPRESS)
    options = parser.parse_args()

    import django

    django.setup()
    with tempfile.TemporaryDirectory() as name:
        weights = _weights(options.config, Path(name))
        if options.memory_of:
            report = _memory(options.memory_of, weights, options)
        elif options.sides:
            report = _sides(weights)
        else:
            report = _versus(weights, options)
    print(json.dumps(report, indent=2))


def _versus(weights: Path, options: argparse.Namespace) -> dict[str, Any]:
    from detection.detectors import ops
    from detection.detectors.loader import load_detector

    names = _films(options)
    ways = _ways(weights, options.compiled)
    # mmdetection knows nothing of the film's word in a box's score
    bare: Any = load_detector(weights=weights, operators="adapter")
    bare._film_share = 0.0  # noqa: SLF001 - of no use but here
    decoding, whole, different, boxes = [], [], [], 0
    for number, source in enumerate(names):
        start = time.perf_counter()
        frame = source()
        decoded = time.perf_counter() - start
        found: dict[str, Any] = {}
        # each way comes first as often as the others
        for way in (*ways[number % len(ways) :], *ways[: number % len(ways)]):
            ops.install(way.operators)
            start = time.perf_counter()
            found[way.name] = way.read(frame)
            if number >= WARM:
                way.seconds.append(time.perf_counter() - start)
        if number >= WARM:
            decoding.append(decoded)
            whole.append(decoded + ways[0].seconds[-1])
        ops.install("adapter")
        mine = _compared(bare.predict(frame, min_score=0.0))
        boxes += len(mine)
        different += _mismatches(mine, _compared(found[EQUAL]), number)
    ours = ways[0]
    medians = {way.name: statistics.median(way.seconds) for way in ways}
    gflop = _gflop(weights, names[0]())
    gemm = _gemm()
    return {
        "config": _config(weights),
        "films": len(whole),
        "seconds": {name: round(value, 4) for name, value in medians.items()},
        "speed_up": {
            way.name: round(
                statistics.median(
                    theirs / mine for mine, theirs in zip(ours.seconds, way.seconds, strict=True)
                ),
                2,
            )
            for way in ways[1:]
        },
        "whole": {
            "p50": round(statistics.median(whole), 4),
            "p95": round(statistics.quantiles(whole, n=20)[-1], 4),
            "films_per_second": round(len(whole) / sum(whole), 2),
            "decoding_p50": round(statistics.median(decoding), 4),
        },
        "boxes": boxes,
        "different": different,
        "gflop": round(gflop, 1),
        "share_of_gemm": round(gflop / medians["ours"] / gemm, 2),
        "peak_mib": {way.name: _peak(way.name, options) for way in ways},
    }


def _ways(weights: Path, compiled: Path | None, only: str = "") -> list[Way]:
    """All ways, or one; only what is used is loaded."""
    from detection.detectors import ops

    from . import compiled_operators, plain

    def ours() -> Callable[[Any], Any]:
        from detection.detectors.loader import load_detector

        detector = load_detector(weights=weights, operators="adapter")
        return lambda frame: detector.predict(frame, min_score=0.0)

    ops.install("adapter")
    stock = partial(plain.stock, weights)
    makers: list[tuple[str, str, Callable[[], Callable[[Any], Any]]]] = [
        ("ours", "adapter", ours),
        (EQUAL, "adapter", partial(stock, proposals=None)),
        ("mmdetection, our operators", "adapter", stock),
    ]
    if compiled:
        compiled_operators.install(compiled.resolve())
        makers.append(("mmdetection, compiled operators", "compiled", stock))
    return [Way(name, how, make(), []) for name, how, make in makers if only in {"", name}]


def _films(options: argparse.Namespace) -> list[Callable[[], Any]]:
    """Functions that decode one film each: from JPEG, or from DICOM bytes through a file."""
    from imaging.pixels import read_file

    from .films import films

    if options.images:
        paths = sorted(options.images.glob("*.jpg"))[: options.films + WARM]
        return [lambda path=path: read_file(path) for path in paths]  # type: ignore[misc]

    folder = Path(tempfile.mkdtemp())

    def decoded(name: str, content: bytes) -> Any:
        path = folder / name
        path.write_bytes(content)
        frame = read_file(path)
        path.unlink()
        return frame

    made = films(options.films + WARM, seed=1)
    return [lambda film=film: decoded(*film) for film in made]  # type: ignore[misc]


def _compared(result: Any) -> list[tuple[int, float, list[float]]]:
    """(class, score, corners) of either kind of result."""
    from detection.detectors.classes import CLASSES

    from . import plain

    if hasattr(result, "pred_instances"):
        return plain.boxes(result, least=LEAST)
    return [
        (CLASSES.index(b.label), b.score, [b.x, b.y, b.x + b.w, b.y + b.h])
        for b in result.boxes
        if b.score >= LEAST
    ]


def _mismatches(mine: Sequence[Any], theirs: Sequence[Any], film: int) -> list[dict[str, Any]]:
    """Boxes of either side without an equal one on the other."""

    def equal(a: Any, b: Any) -> bool:
        edges = max(abs(x - y) for x, y in zip(a[2], b[2], strict=True))
        return bool(a[0] == b[0] and abs(a[1] - b[1]) <= NEAR / 100 and edges <= NEAR)

    odd = [box for box in mine if not any(equal(box, other) for other in theirs)]
    odd += [box for box in theirs if not any(equal(box, other) for other in mine)]
    return [{"film": film, "class": b[0], "score": round(b[1], 3)} for b in odd]


def _sides(weights: Path) -> dict[str, Any]:
    """Seconds a film at growing inputs; the same weights, fit for none but the first."""
    from detection.detectors.loader import load_detector

    detector: Any = load_detector(weights=weights)
    info = detector.version_info
    sources = _films(argparse.Namespace(images=None, films=4))
    frames = [source() for source in sources]
    seconds = {}
    for side in SIDES:
        detector.version_info = replace(info, image_size=side)
        each = []
        for frame in frames:
            start = time.perf_counter()
            detector.predict(frame)
            each.append(time.perf_counter() - start)
        seconds[side] = round(statistics.median(each[1:]), 3)
    return {"config": info.config, "seconds_by_side": seconds}


def _peak(way: str, options: argparse.Namespace) -> int:
    """Most memory of a fresh process that reads a few films in one way, in MiB."""
    command = [sys.executable, "-m", "benchmarks.detector", "--memory-of", way, "--films", "5"]
    command += ["--config", options.config]
    if options.compiled:
        command += ["--compiled", str(options.compiled)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE)
    return int(json.loads(done.stdout)["peak_mib"])


def _memory(name: str, weights: Path, options: argparse.Namespace) -> dict[str, Any]:
    from detection.detectors import ops

    (way,) = _ways(weights, options.compiled, only=name)
    ops.install(way.operators)
    for source in _films(options):
        way.read(source())
    # not ru_maxrss, which a child takes over from its parent
    status = Path("/proc/self/status").read_text()
    return {"peak_mib": int(status.split("VmHWM:")[1].split()[0]) // 1024}


def _gflop(weights: Path, frame: Any) -> float:
    """Arithmetic of one film's reading, counted by torch."""
    from torch.utils.flop_counter import FlopCounterMode

    from detection.detectors.loader import load_detector

    detector = load_detector(weights=weights)
    with FlopCounterMode(display=False) as counter:
        detector.predict(frame)
    return float(counter.get_total_flops()) / 1e9


def _gemm(side: int = 1536, rounds: int = 9) -> float:
    """GFLOP/s of a square matrix product on the same threads."""
    import torch

    a, b = torch.randn(side, side), torch.randn(side, side)
    each = []
    for _ in range(rounds):
        start = time.perf_counter()
        a @ b
        each.append(time.perf_counter() - start)
    return 2 * side**3 / statistics.median(each) / 1e9


def _weights(config: str, folder: Path) -> Path:
    """The active weights, or random ones of a recipe."""
    from django.conf import settings

    if not config:
        return Path(settings.DETECTOR_WEIGHTS)
    from detection.detectors import openmmlab, recipe, weights_file
    from detection.detectors.classes import CLASSES

    openmmlab.load("adapter")
    from detection.detectors.architecture import build, model_config

    wanted = recipe.read(config)
    network = build(model_config(wanted, classes=len(CLASSES)))
    openmmlab.init_weights(network)
    path = folder / f"{config}.pth"
    meta = weights_file.Meta(
        name=config,
        config=config,
        classes=CLASSES,
        image_size=wanted.input.longest_side,
        thresholds=dict.fromkeys(CLASSES, 0.5),
        licence="",
        training={},
    )
    weights_file.save(path, network.state_dict(), meta)
    return path


def _config(weights: Path) -> str:
    from detection.detectors import weights_file

    return weights_file.read(weights).meta.config


if __name__ == "__main__":
    main()
