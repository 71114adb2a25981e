"""Where a machine's reported configuration differs from the desired one. Pure."""

from __future__ import annotations

from typing import Any


def drift(desired: dict[str, Any], reported: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """One entry per desired key that the machine doesn't report so.

    Args:
        desired: key -> wanted value.
        reported: key -> `{"value", "since"}` (`devices.projection`).

    Returns:
        `{"key", "desired", "reported", "since"}` by key; `reported` and `since` are `None` where
        the machine never said: not known to be right, so it is listed.
    """
    found = []
    for key in sorted(desired):
        entry = reported.get(key)
        if entry is not None and str(entry["value"]) == str(desired[key]):
            continue
        found.append(
            {
                "key": key,
                "desired": desired[key],
                "reported": entry["value"] if entry else None,
                "since": entry["since"] if entry else None,
            }
        )
    return found
