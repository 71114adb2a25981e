"""How long `make run` takes until /readyz answers: again on a filled folder, or from a bare clone.

python -m benchmarks.start [--bare]
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from .stack import ROOT, free_port


def until_ready(checkout: Path, data: Path, limit: float) -> float:
    """Start `make run`, wait for /readyz, end it; seconds to the answer."""
    port, dicom_port = free_port(), free_port()
    env = {
        **os.environ,
        "PORT": str(port),
        "DICOM_PORT": str(dicom_port),
        "DATA_DIR": str(data),
        "DEMO_PASSWORD": "bench-only-password",
    }
    begin = time.monotonic()
    with (data.parent / "run.log").open("ab") as log:
        process = subprocess.Popen(
            ["make", "run"], cwd=checkout, env=env, stdout=log, stderr=log, start_new_session=True
        )
    try:
        while time.monotonic() - begin < limit:
            if process.poll() is not None:
                raise RuntimeError((data.parent / "run.log").read_text()[-2000:])
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=2):
                    return time.monotonic() - begin
            except OSError:
                time.sleep(0.1)
        raise TimeoutError(f"not ready within {limit} s")
    finally:
        os.killpg(process.pid, signal.SIGINT)
        process.wait(60)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bare", action="store_true")
    options = parser.parse_args()
    result = {}
    with tempfile.TemporaryDirectory(prefix="twinhealth-bench-") as folder:
        checkout, data = ROOT, Path(folder) / "data"
        data.mkdir()
        if options.bare:
            checkout = Path(folder) / "clone"
            subprocess.run(["git", "clone", "-q", str(ROOT), str(checkout)], check=True)
            result["bare_seconds"] = until_ready(checkout, data, 1800)
        else:
            until_ready(checkout, data, 600)
        result["again_seconds"] = until_ready(checkout, data, 600)
    json.dump(result, sys.stdout)
    print()


if __name__ == "__main__":
    main()
