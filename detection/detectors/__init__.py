"""The reader itself: the only place that imports torch and OpenMMLab, and only when asked to.

Importing this package or `loader` loads neither; `loader.load_detector()` does.
"""

from __future__ import annotations

import os

# OpenMP reads it when torch is loaded, so it is set before anything here can do that. By default
# its threads spin while they wait for each other; on a machine that also serves pages that took
# four times the CPU time a film needs, and slowed it as much. A hospital's own setting wins.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
