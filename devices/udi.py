"""Unique Device Identification: what a UDI says, and whether it can be right. Pure.

GS1: General Specifications, application identifiers (01) GTIN, (10) lot, (11) made, (17) expires,
(21) serial; check digit modulo 10 (7.9). HIBCC: ANSI/HIBC 2.6, primary and secondary data
structure, check character modulo 43.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from twinhealth.errors import InvalidInputError

_GROUP = "\x1d"  # FNC1 as scanners send it
# application identifier -> (name, length; 0: up to 20 characters, ended by FNC1)
_GS1: dict[str, tuple[str, int]] = {
    "01": ("di", 14),
    "10": ("lot", 0),
    "11": ("made", 6),
    "17": ("expires", 6),
    "21": ("serial", 0),
}
_BRACKETED = re.compile(r"\((\d{2})\)([^()]*)")
_HIBC_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-. $/+%"
_HIBC = re.compile(r"\+([A-Z][A-Z0-9]{3})([A-Z0-9]{1,18})(\d)((?:/[^/]+)*)([0-9A-Z\-. $/+%])")


@dataclass(frozen=True, slots=True)
class Udi:
    """What a UDI says.

    Attributes:
        issuer: `GS1`, `HIBCC`, or empty where nothing was given.
        di: device identifier: of the make and version.
        pi: production identifiers as they were written: of this one piece.
        parts: `serial`, `lot`, `made`, `expires` (as printed, YYMMDD or YYYYMMDD), those there are.
    """

    issuer: str = ""
    di: str = ""
    pi: str = ""
    parts: dict[str, str] = field(default_factory=dict)


def parse(text: str) -> Udi:
    """Read a UDI as printed or as scanned.

    Args:
        text: `(01)00844588003288(21)123`, the same without brackets and with FNC1, or `+H123…`;
            empty text says nothing.

    Raises:
        InvalidInputError: `udi_invalid` with what is wrong.
    """
    text = text.strip().removeprefix("]d2").removeprefix("]C1").removeprefix(_GROUP)
    if not text:
        return Udi()
    if text.startswith("+"):
        return _hibc(text.strip("*").upper())
    return _gs1(text)


def _wrong(why: str) -> InvalidInputError:
    return InvalidInputError("udi_invalid", f"This UDI can't be right: {why}.", field="udi")


def gtin_is_right(digits: str) -> bool:
    """The last of fourteen digits checks the others: weights 3 and 1 in turn."""
    if not (len(digits) == 14 and digits.isascii() and digits.isdigit()):
        return False
    total = sum(int(d) * (1 if i % 2 else 3) for i, d in enumerate(digits[:13]))
    return (10 - total % 10) % 10 == int(digits[13])


def _gs1(text: str) -> Udi:
    found = _bracketed(text) if text.startswith("(") else _scanned(text)
    if "01" not in found:
        raise _wrong("it has no device identifier (01)")
    if not gtin_is_right(found["01"]):
        raise _wrong("the device identifier has 14 digits and its last one must fit the others")
    for code, value in found.items():
        name, length = _GS1[code]
        fits = len(value) == length and value.isdigit() if length else 1 <= len(value) <= 20
        if not (fits and value.isascii()):
            raise _wrong(f"({code}) {name} has a value that it can't have")
    rest = {code: value for code, value in found.items() if code != "01"}
    pi = "".join(f"({code}){value}" for code, value in rest.items())
    return Udi("GS1", found["01"], pi, {_GS1[code][0]: value for code, value in rest.items()})


def _bracketed(text: str) -> dict[str, str]:
    found = dict(_BRACKETED.findall(text))
    if "".join(f"({code}){value}" for code, value in found.items()) != text:
        raise _wrong("its parts look like (01)…(21)…, each once")
    if unknown := found.keys() - _GS1.keys():
        raise _wrong(f"({min(unknown)}) isn't known here")
    return found


def _scanned(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    while text:
        code = text[:2]
        if code not in _GS1 or code in found:
            raise _wrong("it is neither GS1's (01)… nor HIBCC's +…")
        length = _GS1[code][1]
        value = text[2 : 2 + length] if length else text[2:].partition(_GROUP)[0]
        found[code] = value
        text = text[2 + len(value) :].removeprefix(_GROUP)
    return found


def hibc_check(text: str) -> str:
    """The character that closes a HIBC: the sum of all values modulo 43.

    Raises:
        ValueError: for a character that HIBC doesn't have.
    """
    return _HIBC_ALPHABET[sum(_HIBC_ALPHABET.index(c) for c in text) % 43]


def _hibc(text: str) -> Udi:
    match = _HIBC.fullmatch(text)
    if match is None:
        raise _wrong("HIBCC's has +, a labeller of 4, a number, a unit of measure, a check sign")
    try:
        right = hibc_check(text[:-1]) == text[-1]
    except ValueError:
        right = False
    if not right:
        raise _wrong("its last sign must fit the others")
    labeller, number, unit, rest, _ = match.groups()
    parts = {}
    for piece in rest.split("/")[1:]:
        if piece.startswith("S"):
            parts["serial"] = piece[1:]
        elif piece.startswith("16D"):
            parts["made"] = piece[3:]
        elif piece.startswith("14D"):
            parts["expires"] = piece[3:]
        elif piece.startswith("$") and not piece.startswith("$$"):
            parts["serial" if piece.startswith("$+") else "lot"] = piece.lstrip("$+")
    return Udi("HIBCC", f"{labeller}{number}{unit}", rest.removeprefix("/"), parts)
