"""Serial numbers as recall lists write them: single ones, ranges, lots, all. Pure.

People write `SN 100-200; SN 305`, `A0010 to A0099`, `all units`. What can't be understood is kept
apart, so that a machine isn't ruled out by a text that nobody could read.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache

MAX_TEXT = 20_000
MAX_TOKENS = 5_000
MAX_TOKEN = 200

_SPLIT = re.compile(r"[;,\n\r\t|]|\s{2,}|\band\b", re.IGNORECASE)
_LABEL = re.compile(
    r"^(?:serial\s+(?:numbers?|nos?\.?)|serials?|s\s*/\s*n|sn\s*:|serial\s*#)\s*[:#]?\s*",
    re.IGNORECASE,
)
_ALL = re.compile(
    r"all(?: (?:units?|serials?|serial numbers?|lots?|machines?|devices?|affected units?))?",
    re.IGNORECASE,
)
_NOTHING = {"none", "n/a", "na", "not applicable"}
_NOT_A_SERIAL = re.compile(
    r"\b(?:lots?|batch|batches|expir\w*|manufactured|model|udi|catalog|between|before|after)\b",
    re.IGNORECASE,
)
_ENDS = re.compile(r"\s*(?:-|–|—|\.\.+|\bto\b|\bthrough\b)\s*", re.IGNORECASE)  # noqa: RUF001
_END = re.compile(r"([A-Z0-9/_.-]*?)([0-9]{1,30})")


@dataclass(frozen=True, slots=True)
class Range:
    """Numbers from one to another, both included, behind the same letters."""

    prefix: str
    low: str
    high: str

    def holds(self, serial: str) -> bool | None:
        """Whether it is in; `None` where the number is written with another count of digits."""
        match = _END.fullmatch(serial)
        if match is None or match[1] != self.prefix:
            return False
        if not int(self.low) <= int(match[2]) <= int(self.high):
            return False
        return True if len(self.low) <= len(match[2]) <= len(self.high) else None


@dataclass(slots=True)
class Serials:
    """What a list's text says.

    Attributes:
        everything: it says all.
        single: serials, as `plain` writes them.
        ranges: from, to.
        unclear: what isn't understood, as written.
    """

    everything: bool = False
    single: set[str] = field(default_factory=set)
    ranges: list[Range] = field(default_factory=list)
    unclear: list[str] = field(default_factory=list)

    @property
    def names_some(self) -> bool:
        """Whether it narrows at all."""
        return bool(self.single or self.ranges or self.unclear)


def plain(serial: str) -> str:
    """A serial as it is compared: capitals, no spaces."""
    return "".join(serial.split()).upper()


@lru_cache(maxsize=2_048)
def parse(text: str) -> Serials:
    """Read a list's text; the answer is shared, so nobody changes it."""
    found = Serials()
    tokens = [t.strip(" .()[]\"'") for t in _SPLIT.split(text[:MAX_TEXT])]
    for token in tokens[:MAX_TOKENS]:
        _take(found, _LABEL.sub("", token, count=1).strip(" :#"))
    if len(tokens) > MAX_TOKENS or len(text) > MAX_TEXT:
        found.unclear.append("the rest of a long list")
    return found


def _take(found: Serials, token: str) -> None:
    if not any(c.isalnum() for c in token) or token.lower() in _NOTHING:
        return
    if _ALL.fullmatch(token):
        found.everything = True
    elif len(token) > MAX_TOKEN or _NOT_A_SERIAL.search(token):
        found.unclear.append(token[:MAX_TOKEN])
    elif (span := _range(token)) is not None:
        found.ranges.append(span)
        # a hyphen may as well belong to one serial: `A1-2026`
        found.single.add(plain(token))
    elif any(c.isdigit() for c in token) and len(token.split()) <= 2:
        found.single.add(plain(token))
    else:
        found.unclear.append(token)


def _range(token: str) -> Range | None:
    """The two ends; a hyphen within a serial (`SN-100`) is none."""
    for cut in _ENDS.finditer(token):
        low = _END.fullmatch(plain(token[: cut.start()]))
        high = _END.fullmatch(plain(token[cut.end() :]))
        if low is None or high is None:
            continue
        if cut[0] == "-" and len(low[2]) != len(high[2]):
            continue  # `DX100-0417` is one serial, `A100-200` a range
        if high[1] in {"", low[1]} and int(low[2]) <= int(high[2]):
            return Range(low[1], low[2], high[2])
    return None


def holds(found: Serials, serial: str) -> bool | None:
    """Whether a machine's serial is meant: yes, no, or (`None`) nobody can tell from the text."""
    wanted = plain(serial)
    if not wanted:
        return None
    # some lists write the label as a part of the serial, some machines do
    if wanted in found.single or wanted.removeprefix("SN") in found.single:
        return True
    verdicts = {span.holds(wanted) for span in found.ranges}
    if True in verdicts:
        return True
    if found.everything:
        return True
    return None if None in verdicts or found.unclear else False
