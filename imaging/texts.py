"""Text from outside, made fit for a row and a log line."""

from __future__ import annotations

import unicodedata


def clean(value: str) -> str:
    """Without control characters (a database refuses NUL, a log line breaks), trimmed."""
    kept = "".join(c for c in value if unicodedata.category(c) not in {"Cc", "Cs"})
    return kept.strip()
