"""Does a recall concern a machine? How sure that is, and why. Pure.

Two of manufacturer, model and serial must agree; which ones decides how sure it is. The list names
makers by other company names than the machines do, and models by whole sentences, so words are
compared, not texts. A machine is ruled out only by what is understood.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from .serial_ranges import holds, parse

# words that say what kind of company it is, or which of its companies
_COMPANY = frozenset({
    "ag", "bv", "co", "company", "corp", "corporation", "gmbh", "inc", "incorporated", "kg", "kk",
    "llc", "lp", "ltd", "limited", "nv", "oy", "pty", "sa", "sas", "spa", "srl", "the", "of", "and",
    "usa", "us", "europe", "america", "north", "international", "global", "group", "medical",
    "healthcare", "healthineers", "health", "imaging", "systems", "system", "solutions",
    "technologies", "technology", "devices",
})  # fmt: skip
_VERSION = re.compile(r"[0-9]+(?:\.[0-9A-Za-z]+)*|[A-Za-z]{1,4}[0-9]+(?:\.?[0-9A-Za-z]+)*")
CERTAIN, LIKELY, POSSIBLE = "certain", "likely", "possible"


@dataclass(frozen=True, slots=True)
class Notice:
    """What a recall says."""

    manufacturer: str
    model_text: str
    serials: str = ""
    software: str = ""


@dataclass(frozen=True, slots=True)
class Machine:
    """What is known of a machine.

    Attributes:
        manufacturer: of its model.
        model: its model's name.
        serial: its own.
        software: version that it reported; empty where it never did.
        udi: whole UDI; empty where it isn't known.
    """

    manufacturer: str
    model: str
    serial: str
    software: str = ""
    udi: str = ""


@dataclass(frozen=True, slots=True)
class Match:
    """How sure, and one sentence for each reason."""

    sureness: str
    reasons: tuple[str, ...]


@lru_cache(maxsize=8_192)
def words(text: str) -> tuple[str, ...]:
    """Small letters and digits, without accents: `Ysio Max™` is `ysio`, `max`."""
    plain = unicodedata.normalize("NFKD", text[:4_000]).casefold()
    kept = "".join(
        c if c.isalnum() else "" if unicodedata.combining(c) or c == "\N{TRADE MARK SIGN}" else " "
        for c in plain
    )
    return tuple(kept.split())


@lru_cache(maxsize=8_192)
def _joined(text: str) -> tuple[tuple[str, ...], tuple[bool, ...]]:
    """Words with letters and digits apart, and which pieces begin a word.

    `XR-600`, `XR 600` and `XR600` have the same pieces; `XR-600B` has one more, within a word.
    """
    pieces, begins = [], []
    for word in words(text):
        for place, piece in enumerate(re.findall(r"[0-9]+|[^0-9]+", word)):
            pieces.append(piece)
            begins.append(place == 0)
    return tuple(pieces), tuple(begins)


def same_maker(one: str, other: str) -> bool:
    """The same company, whatever its branch is called."""
    first, second = words(one), words(other)
    short = [[w for w in each if w not in _COMPANY] or list(each) for each in (first, second)]
    if not all(short):
        return False
    few, many = sorted(short, key=len)
    # names begin alike; a common word further on isn't the company
    return few[0] == many[0] and set(few) <= set(many)


def model_named(text: str, model: str) -> str:
    """`whole` where the text names the model, `part` where it names its family or begins so."""
    (wanted, _), (there, begins) = _joined(model), _joined(text)
    if not wanted or not there:
        return ""
    size, found = len(wanted), ""
    for i in range(len(there) - size + 1):
        if there[i : i + size] == wanted:
            end = i + size
            if begins[i] and (end == len(there) or begins[end]):
                return "whole"
            found = "part"  # `XR-600B` begins as `XR-600` does, and is another model
    # `XR 600` of `XR 600 plus`: the notice may mean the family. One short word is no family.
    if len("".join(there)) >= 3 and wanted[: len(there)] == there:
        return "part"
    return found


def software_named(text: str, version: str) -> bool | None:
    """Whether a version is one of those named; `None` where the text can't tell."""
    named = {found.casefold() for found in _VERSION.findall(text[:1_000])}
    lowered = text.casefold()
    vague = any(w in lowered for w in ("below", "before", "earlier", "up to", "prior", "<", "all"))
    if version and version.strip().casefold() in named:
        return True
    if not version or not named or vague:
        return None
    return False


def match(notice: Notice, machine: Machine) -> Match | None:
    """The machine as a candidate of the notice; `None` where it isn't one."""
    maker = same_maker(notice.manufacturer, machine.manufacturer) or same_maker(
        machine.manufacturer, notice.model_text
    )
    model = model_named(notice.model_text, machine.model)
    listed = parse(notice.serials)
    serial = holds(listed, machine.serial) if listed.names_some or listed.everything else None
    if serial is None and machine.udi and machine.udi in notice.serials:
        serial = True
    named = serial is True and not (listed.everything and not listed.names_some)
    if (maker, bool(model), named).count(True) < 2 or serial is False:
        return None
    reasons = [f"Made by {machine.manufacturer}, as the notice says."] if maker else []
    reasons += _of_model(model, machine)
    reasons += _of_serial(machine, named=named, narrowed=listed.names_some)
    software = software_named(notice.software, machine.software) if notice.software else True
    if software is False:
        return None
    reasons += _of_software(notice, machine, known=software)
    if maker and model == "whole" and named and software:
        return Match(CERTAIN, tuple(reasons))
    unclear = listed.names_some and not named
    if maker and model == "whole" and not unclear and software:
        return Match(LIKELY, tuple(reasons))
    return Match(POSSIBLE, tuple(reasons))


def _of_model(model: str, machine: Machine) -> list[str]:
    return [
        {
            "whole": f"The notice names the model {machine.model}.",
            "part": f"The notice names the beginning of the model {machine.model}.",
            "": f"The notice doesn't name the model {machine.model}.",
        }[model]
    ]


def _of_serial(machine: Machine, *, named: bool, narrowed: bool) -> list[str]:
    if named:
        return [f"The serial {machine.serial} is in the list."]
    if narrowed:
        return ["Not all of the list's serials or lots can be understood: look at the notice."]
    return ["The notice names no serials: all machines of the model."]


def _of_software(notice: Notice, machine: Machine, *, known: bool | None) -> list[str]:
    if not notice.software:
        return []
    if known:
        return [f"It reported software {machine.software}, which the notice names."]
    if not machine.software:
        return ["The notice names software versions; the machine has reported none."]
    return [f"It reported software {machine.software}; the notice says: {notice.software[:100]}."]
