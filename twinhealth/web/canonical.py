"""The one hash of what somebody signed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any


def sha256(content: Mapping[str, Any]) -> str:
    """Over JSON in UTF-8, keys sorted, no spaces: the same content has the same hash everywhere."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()
