"""The reader's minutes in Chromium: first picture, next picture, drags, a hundred films in a row.

    python -m benchmarks.viewer [--films 100] [--large 4] [--side 3000]

Real processes on a folder of their own (web alone: the detector reads no film), loopback, headless
Chromium without a graphics card at 1440 x 900. Large films have 16 bits and noise, so that nothing
compresses; the films of the loop are 2,000 px square with 12 bits. A picture counts as shown two
frames after the page says so. Prints JSON.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from playwright.sync_api import Browser, Page, sync_playwright

from demo.films import FILMS, dataset_for

from .films import file_of
from .stack import PASSWORD, Stack, stack

DESK = {"width": 1440, "height": 900}
ARGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
]
DRAG_SECONDS = 3.0
LISTEN = """
window.paints = 0;
const drawn = CanvasRenderingContext2D.prototype.drawImage;
CanvasRenderingContext2D.prototype.drawImage = function (...all) {
  if (this.canvas.id === "film-canvas") window.paints += 1;
  return drawn.apply(this, all);
};
document.addEventListener("DOMContentLoaded", () => {
  const stage = document.getElementById("stage");
  if (!stage) return;
  new MutationObserver(() => {
    if (stage.dataset.state !== "shown" || window.shownAt) return;
    const seen = () => (window.shownAt = performance.timeOrigin + performance.now());
    requestAnimationFrame(() => requestAnimationFrame(seen));
  }).observe(stage, { attributes: true, attributeFilter: ["data-state"] });
});
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--films", type=int, default=100)
    parser.add_argument("--large", type=int, default=4)
    parser.add_argument("--side", type=int, default=3000)
    options = parser.parse_args()
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        raise SystemExit("Chromium is not installed")
    with (
        tempfile.TemporaryDirectory() as name,
        stack(Path(name) / "data", detector=False) as running,
    ):
        incoming = Path(name) / "incoming"
        large = _imported(running, incoming / "large", options.large, options.side, bits=16)
        small = _imported(running, incoming / "small", options.films, 2000, bits=12)
        running.start("web")
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=program, args=ARGS)
            report = {
                "side": options.side,
                "first": _first(running, browser, large),
                "next": _next(running, browser, large),
                "frames": _frames(running, browser, large[0]),
                "loop": _loop(running, browser, len(small)),
            }
            browser.close()
    print(json.dumps(report, indent=2))


def _imported(running: Stack, folder: Path, count: int, side: int, *, bits: int) -> list[int]:
    """Films in the archive, newest first in the list; their numbers."""
    folder.mkdir(parents=True)
    before = _numbers(running)
    for name, content in _films(count, side, bits):
        (folder / name).write_bytes(content)
    running.manage("import_images", str(folder))
    shutil.rmtree(folder)
    return sorted(_numbers(running) - before)


def _numbers(running: Stack) -> set[int]:
    code = "from imaging.models import Image; print(*Image.objects.values_list('pk', flat=True))"
    return {int(pk) for pk in running.manage("shell", "-v0", "-c", code).split()}


def _films(count: int, side: int, bits: int) -> Iterator[tuple[str, bytes]]:
    rng = np.random.default_rng(side)
    now = datetime.now(UTC)
    for number in range(count):
        ds = dataset_for(FILMS[0], now=now)
        ds.Rows = ds.Columns = side
        ds.BitsAllocated, ds.BitsStored, ds.HighBit = 16, bits, bits - 1
        ds.PixelData = _chest(side, bits, rng).tobytes()
        for name in ("WindowCenter", "WindowWidth"):
            if name in ds:
                delattr(ds, name)
        yield f"{number:04d}.dcm", file_of(ds, patient_id=f"BENCH-{side}-{number}")


def _chest(side: int, bits: int, rng: np.random.Generator) -> npt.NDArray[np.uint16]:
    """Two dark lungs on a bright chest, with quantum noise over the whole range."""
    y, x = np.mgrid[-1 : 1 : side * 1j, -1 : 1 : side * 1j].astype(np.float32)
    lungs = np.exp(-(((abs(x) - 0.42) / 0.28) ** 4) - (y / 0.7) ** 4)
    shade = 0.75 - 0.5 * lungs + rng.normal(0, 0.02, (side, side)).astype(np.float32)
    return np.asarray(shade.clip(0, 1) * (2**bits - 1), np.uint16)


def _page(running: Stack, browser: Browser) -> Page:
    """Signed in, with an empty cache."""
    context = browser.new_context(viewport=DESK, reduced_motion="reduce")
    context.add_init_script(LISTEN)
    page = context.new_page()
    page.set_default_timeout(60_000)
    page.goto(f"http://127.0.0.1:{running.port}/login/")
    page.fill("#id_username", "clinician")
    page.fill("#id_password", PASSWORD)
    page.press("#id_password", "Enter")
    page.wait_for_url(lambda url: "/login/" not in url)
    return page


def _shown(page: Page, since: float) -> float:
    """Seconds from a moment (ms of the epoch) until the film was seen."""
    at: float = page.wait_for_function("() => window.shownAt").json_value()
    return (at - since) / 1000


def _open(running: Stack, page: Page, film: int) -> float:
    page.goto(f"http://127.0.0.1:{running.port}/films/{film}/", wait_until="commit")
    page.wait_for_function("() => window.shownAt")
    return _shown(page, page.evaluate("performance.timeOrigin"))


def _first(running: Stack, browser: Browser, films: list[int]) -> list[float]:
    """Each film in a browser that has seen nothing, decoded by the server for the first time."""
    seconds = []
    for film in films:
        for kept in running.folder.rglob("*cache*"):
            if kept.is_dir():
                shutil.rmtree(kept, ignore_errors=True)
        page = _page(running, browser)
        seconds.append(_open(running, page, film))
        page.context.close()
    return seconds


def _next(running: Stack, browser: Browser, films: list[int]) -> list[float]:
    """The film that the page has fetched ahead, opened from the one before it."""
    page = _page(running, browser)
    seconds = []
    for film in films:
        _open(running, page, film)
        page.wait_for_load_state("networkidle")
        ahead = page.locator("#stage").get_attribute("data-next")
        if ahead:
            seconds.append(_open(running, page, int(ahead.split("/")[-3])))
    page.context.close()
    return seconds


def _frames(running: Stack, browser: Browser, film: int) -> dict[str, float]:
    """Pictures painted in a second of dragging."""
    page = _page(running, browser)
    _open(running, page, film)
    box = page.locator("#stage").bounding_box()
    if box is None:
        raise RuntimeError("the stage is not to be seen")
    middle = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    rates = {}
    for name in ("window", "zoom", "pan"):
        page.keyboard.press("r")
        if name == "window":
            page.keyboard.press("w")
        page.mouse.move(*middle)
        if name != "zoom":
            page.mouse.down()
        began = page.evaluate("() => { window.paints = 0; return performance.now(); }")
        step = 0
        while page.evaluate("performance.now()") - began < DRAG_SECONDS * 1000:
            step += 1
            if name == "zoom":
                page.mouse.wheel(0, -40 if step % 40 < 20 else 40)
            else:
                page.mouse.move(middle[0] + step % 60, middle[1] + step % 45)
        paints, took = page.evaluate("began => [window.paints, performance.now() - began]", began)
        rates[name] = paints / took * 1000
        if name != "zoom":
            page.mouse.up()
        if name == "window":
            page.keyboard.press("w")
    page.context.close()
    return rates


def _loop(running: Stack, browser: Browser, films: int) -> dict[str, Any]:
    """Open, look, sign, next: seconds from the key that signs to the next film, and the memory."""
    page = _page(running, browser)
    page.goto(f"http://127.0.0.1:{running.port}/worklist/")
    page.locator("#worklist tr[data-href]").first.click()
    page.wait_for_function("() => window.shownAt")
    seconds: list[float] = []
    memory: list[float] = []
    while len(seconds) < films - 1:
        page.wait_for_load_state("networkidle")  # the reader looks
        memory.append(_memory(page))
        page.locator("#report [name=conclusion]").first.check()
        began: float = page.evaluate("performance.timeOrigin + performance.now()")
        address = page.url
        page.keyboard.press("n")
        page.wait_for_url(lambda url, address=address: url != address, wait_until="commit")
        if "/films/" not in page.url:
            break
        page.wait_for_function("() => window.shownAt")
        seconds.append(_shown(page, began))
    page.context.close()
    tenth = max(1, len(memory) // 10)
    return {
        "films": len(seconds),
        "p50": statistics.median(seconds),
        "p95": sorted(seconds)[int(len(seconds) * 0.95)],
        "worst": max(seconds),
        "memory_mib": [
            statistics.median(memory[tenth : 2 * tenth]),
            statistics.median(memory[-tenth:]),
        ],
    }


def _memory(page: Page) -> float:
    """Bytes of scripts and buffers of the page, MiB, after a collection."""
    session = page.context.new_cdp_session(page)
    session.send("HeapProfiler.collectGarbage")
    usage = session.send("Runtime.getHeapUsage")
    session.detach()
    return float(usage["usedSize"] + usage.get("backingStorageSize", 0)) / 2**20


if __name__ == "__main__":
    main()
