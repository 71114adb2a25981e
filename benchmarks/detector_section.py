"""What the page says of the detector beside plain mmdetection."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

from .sections import module, table, verdict
from .stack import ROOT


def detector(*, long: bool) -> str:
    folder = ROOT / "var" / "mmcv"
    compiled = ["--compiled", str(folder)] if _compiled(folder) else []
    films = "200" if long else "24"
    runs = [module("detector", "--films", films, *compiled)]
    if long:
        runs.append(module("detector", "--films", "10", "--config", "r50", *compiled))
    rows: list[tuple[str, ...]] = []
    for r in runs:
        rows += _versus(r)
    if long:
        r = module("detector", "--sides")
        sides = ", ".join(f"{side} px {s:.2f} s" for side, s in r["seconds_by_side"].items())
        rows.append((r["config"], "seconds a film by longest side of the input", sides, "", ""))
    text = (
        "`python -m benchmarks.detector [--compiled FOLDER] [--config r50] [--sides]`: the same "
        "weights and films in turn. The heads get 1,000 regions in mmdetection's own way and 20 in "
        "ours, which is most of the gain; what that does to AP50 stands in "
        "docs/detector-experiments.md. Boxes are equal "
        "within a pixel and a hundredth of a score. `r50` has random weights, so its boxes say "
        "nothing; its heads get 1,000 regions in every way and its convolutions are most of its "
        "time, so there is less to gain."
    )
    return table("The detector against plain mmdetection", text, rows)


def _compiled(folder: Path) -> bool:
    """Whether mmcv's operators could be compiled there."""
    command = [sys.executable, "-m", "benchmarks.compiled_operators", str(folder)]
    return subprocess.run(command, cwd=ROOT, check=False).returncode == 0


def _versus(r: dict[str, Any]) -> list[tuple[str, ...]]:
    name, whole = r["config"], r["whole"]
    least = {"mmdetection, our operators": 1.5, "mmdetection, compiled operators": 4.0}
    rows: list[tuple[str, ...]] = [
        (
            name,
            f"against {way} ({r['seconds'][way]:.3f} s a film; ours {r['seconds']['ours']:.3f} s)",
            f"{speed:.2f} x",
            f">= {least[way]} x" if way in least else "",
            verdict(speed >= least[way]) if way in least else "",
        )
        for way, speed in r["speed_up"].items()
    ]
    peaks = ", ".join(f"{way} {mib} MiB" for way, mib in r["peak_mib"].items())
    return [
        *rows,
        (
            name,
            f"boxes without an equal one, of {r['boxes']} on {r['films']} films",
            str(len(r["different"])),
            "",
            "",
        ),
        (
            name,
            f"from DICOM bytes to findings, p50 / p95 (decoding {whole['decoding_p50']:.3f} s)",
            f"{whole['p50']:.3f} / {whole['p95']:.3f} s, {whole['films_per_second']:.1f} films/s",
            "",
            "",
        ),
        (
            name,
            f"arithmetic ({r['gflop']:.0f} GFLOP a film) as share of a matrix product's rate",
            f"{r['share_of_gemm']:.0%}",
            "",
            "",
        ),
        (name, "peak memory of a process of its own", peaks, "", ""),
    ]
