"""What people type, checked before it is stored: trimmed, not empty, not too long. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from twinhealth.errors import InvalidInputError


def clean(text: str, *, field: str, limit: int, required: bool = True) -> str:
    """The text without blanks around it.

    Raises:
        InvalidInputError: `<field>_missing`, `<field>_too_long`, `<field>_invalid` for characters
            that no database column keeps.
    """
    name = field.replace("_", " ")
    text = text.strip()
    if required and not text:
        raise InvalidInputError(f"{field}_missing", f"Write the {name} first.", field=field)
    if len(text) > limit:
        raise InvalidInputError(
            f"{field}_too_long",
            f"The {name} has at most {limit} characters.",
            field=field,
            limit=limit,
        )
    if "\0" in text:
        raise InvalidInputError(
            f"{field}_invalid", f"The {name} has a character that can't be kept.", field=field
        )
    return text


MAX_SKILLS = 20


def clean_skills(names: Sequence[str]) -> list[str]:
    """Skills by name, each once, in alphabetical order.

    Raises:
        InvalidInputError: `skill_too_long`, `skill_invalid`, `too_many_skills`.
    """
    found = {clean(name, field="skill", limit=64, required=False) for name in names} - {""}
    if len(found) > MAX_SKILLS:
        raise InvalidInputError(
            "too_many_skills", f"At most {MAX_SKILLS} skills.", limit=MAX_SKILLS
        )
    return sorted(found, key=str.casefold)
