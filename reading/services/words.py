"""What people write: the reason of every act on the line, and texts that are kept."""

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


def text_of(text: str, *, limit: int, missing: str, too_long: str) -> str:
    """The text without spaces around it; the sentences say what is wrong with none, or too much.

    Its line ends are kept as one character each.

    Raises:
        InvalidInputError: `text_required`, `text_too_long`.
    """
    said = text.replace("\r\n", "\n").strip()
    if not said:
        raise InvalidInputError("text_required", missing)
    if len(said) > limit:
        raise InvalidInputError("text_too_long", too_long, limit=limit)
    return said
