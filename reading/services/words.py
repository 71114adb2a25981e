"""The reason that every act on the line asks for."""

from __future__ import annotations

from twinhealth.errors import InvalidInputError

MAX_REASON = 300


def reason_of(text: str, *, limit: int = MAX_REASON) -> str:
    """The text on one line, without spaces around it.

    Raises:
        InvalidInputError: `reason_missing`, `reason_too_long`.
    """
    said = " ".join(text.split())
    if not said:
        raise InvalidInputError("reason_missing", "Say why in a few words.")
    if len(said) > limit:
        raise InvalidInputError(
            "reason_too_long", f"A reason has at most {limit} characters.", limit=limit
        )
    return said
