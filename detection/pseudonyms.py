"""Names that tell nothing to those without the key, and the split that follows from one.

HMAC-SHA-256 (RFC 2104) with the installation's own key: without it nobody can try all patient
numbers until one fits, as a plain hash would allow. No clock, no database.
"""

from __future__ import annotations

import hashlib
import hmac

SHARES: tuple[tuple[str, float], ...] = (("train", 0.70), ("val", 0.15), ("test", 0.15))
_LENGTH = 16  # hexadecimal digits, 64 bits: a million films collide with odds of 1 to 37 million


def pseudonym(key: bytes, kind: str, number: int) -> str:
    """The name of a row in an exported set, `patient-1f0c…`.

    Args:
        key: of the installation.
        kind: `patient`, `film`, `reader`, `machine`; equal numbers of two kinds aren't alike.
        number: of the row here.
    """
    return f"{kind}-{_digest(key, kind, number).hex()[:_LENGTH]}"


def split_of(key: bytes, patient: int) -> str:
    """`train`, `val` or `test` for a patient who has none yet; the same for the same key."""
    place = int.from_bytes(_digest(key, "split", patient)[:8]) / 2**64
    for split, share in SHARES:
        if place < share:
            return split
        place -= share
    return SHARES[-1][0]


def _digest(key: bytes, kind: str, number: int) -> bytes:
    return hmac.digest(key, f"{kind}:{number}".encode(), hashlib.sha256)
