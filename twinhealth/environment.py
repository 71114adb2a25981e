"""Settings from the environment: NAME, or NAME_FILE a file that holds the value."""

from __future__ import annotations

from typing import Any

import environ
from environ.fileaware_mapping import FileAwareMapping


class _Names(FileAwareMapping):
    """Values without white space around them; an empty one is as good as none."""

    def __getitem__(self, key: str) -> Any:
        value = super().__getitem__(key).strip()
        if not value:
            raise KeyError(key)
        return value


class Env(environ.Env):
    """Mounted secrets end with a newline, and `.env.example` lists names without values."""

    ENVIRON = _Names()
