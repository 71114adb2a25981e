"""The engine alone: DICOM files to findings in one process, in a loop. Prints seconds per file.

python -m benchmarks.engine_loop FOLDER
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "twinhealth.settings.embedded")


def main(folder: Path) -> None:
    import django

    django.setup()
    from django.conf import settings

    from detection.detectors.loader import load_detector
    from imaging.pixels import read_file

    detector = load_detector(weights=settings.DETECTOR_WEIGHTS, expected_sha256=None)
    files = sorted(folder.glob("*.dcm"))
    detector.predict(read_file(files[0]))  # warm
    each = []
    for path in files:
        start = time.perf_counter()
        detector.predict(read_file(path))
        each.append(time.perf_counter() - start)
    json.dump(each, sys.stdout)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
