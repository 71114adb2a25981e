"""What the detector's own way of running the network brings, against mmdetection's. One process.

    python -m benchmarks.detector_engine [--rounds 5] [--predictions 0]

Both read the same demo pictures, prepared alike, in turn within one run, so that the ratio holds
on a noisy machine. `--predictions 500` reads on and tells the memory before and after. Prints JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import time
from collections.abc import Callable
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "twinhealth.settings.embedded")


def seconds(call: Callable[[Any], object], films: list[Any]) -> list[float]:
    each = []
    for film in films:
        start = time.perf_counter()
        call(film)
        each.append(time.perf_counter() - start)
    return each


def resident_mib() -> int:
    with open("/proc/self/statm") as file:  # noqa: PTH123 - a line of the kernel
        return int(file.read().split()[1]) * resource.getpagesize() // 2**20


def plain_mmdetection(weights: Any) -> Callable[[Any], object]:
    """The same weights, by `model.predict` of the network as mmdetection builds it."""
    import torch
    from mmdet.structures import DetDataSample

    from detection.detectors import preprocess, recipe, weights_file
    from detection.detectors.architecture import build, model_config
    from detection.detectors.engine import FLOOR

    stored = weights_file.read(weights)
    config = model_config(recipe.read(stored.meta.config), classes=3, min_score=FLOOR)
    model: Any = build(config).eval()
    model.load_state_dict(stored.state)

    def predict(frame: Any) -> object:
        prepared = preprocess.prepare(frame, longest_side=stored.meta.image_size)
        meta = {
            "img_shape": (prepared.height, prepared.width),
            "ori_shape": frame.pixels.shape,
            "scale_factor": (prepared.scale_x, prepared.scale_y),
            "pad_shape": prepared.pixels.shape[1:],
            "batch_input_shape": prepared.pixels.shape[1:],
        }
        with torch.no_grad():
            pixels = torch.from_numpy(prepared.pixels)[None]
            return model.predict(pixels, [DetDataSample(metainfo=meta)])

    return predict


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--predictions", type=int, default=0)
    options = parser.parse_args()

    import django

    django.setup()
    from django.conf import settings

    from detection.detectors import ops
    from detection.detectors.loader import load_detector
    from imaging.pixels import read_file

    films = [read_file(path) for path in sorted((settings.BASE_DIR / "demo/images").glob("*.jpg"))]
    detector = load_detector(weights=settings.DETECTOR_WEIGHTS)
    plain = plain_mmdetection(settings.DETECTOR_WEIGHTS)

    def ours(film: Any) -> object:
        return detector.predict(film, min_score=0.0)

    rounds: dict[str, list[float]] = {"ours": [], "plain": []}
    for call in (ours, plain):
        seconds(call, films[:2])  # warm
    ratios = []
    for _ in range(options.rounds):
        mine, theirs = seconds(ours, films), seconds(plain, films)
        rounds["ours"] += mine
        rounds["plain"] += theirs
        ratios.append(statistics.median(mine) / statistics.median(theirs))
    report = {
        "films": len(films),
        "threads": settings.DETECTOR_THREADS,
        "operators": ops.describe(),
        "ours_seconds": round(statistics.median(rounds["ours"]), 4),
        "plain_seconds": round(statistics.median(rounds["plain"]), 4),
        "ours_over_plain": round(statistics.median(ratios), 3),
        "memory_mib": resident_mib(),
    }
    for i in range(options.predictions):
        detector.predict(films[i % len(films)])
    if options.predictions:
        report["memory_mib_after"] = resident_mib()
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
