"""Names that lead back to nobody without the installation's key, and the part a patient is in.

HMAC-SHA256 (RFC 2104) under SECRET_KEY, with a label for each purpose, so that the pseudonym of a
patient can't be compared with that of a reader or a film. Another key gives other pseudonyms.
"""

from __future__ import annotations

from typing import Final

from django.utils.crypto import salted_hmac

_PURPOSE: Final = "twinhealth.dataset"
_DIGITS: Final = 20  # hexadecimal, 80 bits: two of a million patients meet once in 10^12 sets
# share of patients, cumulative
PARTS: Final = (("train", 0.70), ("val", 0.85), ("test", 1.0))


def patient(identifier: str, issuer: str) -> str:
    """A patient's name in a set; identity is the number within its issuer."""
    return "p" + _digest("patient", f"{issuer}\x00{identifier}")


def film(sha256: str) -> str:
    """A film's name in a set, from the hash of its original bytes."""
    return "f" + _digest("film", sha256)


def reader(user_id: int) -> str:
    """A reader's name in a set."""
    return "r" + _digest("reader", str(user_id))


def machine(device_id: int) -> str:
    """A machine's name in a set."""
    return "m" + _digest("machine", str(device_id))


def split(identifier: str, issuer: str) -> str:
    """The part that a patient belongs to: 70 % `train`, 15 % `val`, 15 % `test`."""
    drawn = int(_digest("split", f"{issuer}\x00{identifier}")[:13], 16) / 16**13
    return next(part for part, up_to in PARTS if drawn < up_to)


def _digest(purpose: str, value: str) -> str:
    return salted_hmac(f"{_PURPOSE}.{purpose}", value, algorithm="sha256").hexdigest()[:_DIGITS]
