"""What a CSV file's first bytes tell: encoding and delimiter. Pure."""

from __future__ import annotations

import codecs

from twinhealth.errors import InvalidInputError

ENCODINGS = {"utf-8": "UTF-8", "windows-1252": "Windows-1252"}
DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}


def head_text(head: bytes) -> tuple[str, str]:
    """Key of `ENCODINGS`, and the bytes as text without a byte-order mark.

    Args:
        head: the file's beginning; it may end within a character.

    Raises:
        InvalidInputError: `empty_file`, `not_text`.
    """
    if not head.strip():
        raise InvalidInputError("empty_file", "The file is empty. Export it again.")
    encoding = "utf-8"
    try:
        text = codecs.getincrementaldecoder("utf-8-sig")().decode(head)
    except UnicodeDecodeError:
        encoding, text = "windows-1252", head.decode("cp1252", "replace")
    if "\0" in text:
        raise InvalidInputError("not_text", "This is no CSV file: it has bytes that no text has.")
    return encoding, text


def delimiter_of(line: str) -> str:
    """The key of `DELIMITERS` that the heading line has most of."""
    return max(DELIMITERS, key=line.count)
