"""UCUM units that machines send, turned into a metric's own unit. Codes not listed are refused."""

from __future__ import annotations

import math
from functools import cache
from typing import TYPE_CHECKING

from twinhealth.errors import InvalidInputError

if TYPE_CHECKING:
    import pint

# UCUM code (case-sensitive, https://ucum.org) -> pint's name
_CODES: dict[str, str] = {
    "1": "dimensionless",
    "%": "percent",
    "Cel": "degree_Celsius",
    "[degF]": "degree_Fahrenheit",
    "K": "kelvin",
    "V": "volt",
    "mV": "millivolt",
    "kV": "kilovolt",
    "A": "ampere",
    "mA": "milliampere",
    "uA": "microampere",
    "mA.s": "milliampere * second",
    "uA.s": "microampere * second",
    "W": "watt",
    "kW": "kilowatt",
    "J": "joule",
    "kJ": "kilojoule",
    "Pa": "pascal",
    "hPa": "hectopascal",
    "kPa": "kilopascal",
    "MPa": "megapascal",
    "bar": "bar",
    "mbar": "millibar",
    "a": "julian_year",
    "d": "day",
    "h": "hour",
    "min": "minute",
    "s": "second",
    "ms": "millisecond",
    "us": "microsecond",
    "Hz": "hertz",
    "kHz": "kilohertz",
    "MHz": "megahertz",
    "/min": "1 / minute",
    "/s": "1 / second",
    "m": "meter",
    "cm": "centimeter",
    "mm": "millimeter",
    "um": "micrometer",
    "kg": "kilogram",
    "g": "gram",
    "Gy": "gray",
    "cGy": "centigray",
    "mGy": "milligray",
    "uGy": "microgray",
    "Gy.m2": "gray * meter ** 2",
    "dGy.cm2": "decigray * centimeter ** 2",
    "mGy.cm2": "milligray * centimeter ** 2",
    "uGy.m2": "microgray * meter ** 2",
    "L/min": "liter / minute",
    "mL/min": "milliliter / minute",
    "By": "byte",
    "kBy": "kilobyte",
    "MBy": "megabyte",
    "GBy": "gigabyte",
}
# logarithmic: a level refers to something the code doesn't name, so it only equals itself
_OPAQUE = frozenset({"dB", "B"})


def known(code: str) -> bool:
    """True for a code of the table."""
    return code in _CODES or code in _OPAQUE


@cache
def _registry() -> pint.UnitRegistry:
    import pint  # noqa: PLC0415 - a third of a second, for processes that convert

    return pint.UnitRegistry(cache_folder=None)


def convert(value: float, code: str, to: str) -> float:
    """The value in another unit.

    Args:
        value: a finite number.
        code: its UCUM code; an annotation alone (`{exposures}`) counts as `1`.
        to: UCUM code wanted.

    Raises:
        InvalidInputError: `unknown_unit` for a code that the table doesn't have, `unit_mismatch`
            where the two measure different things.
    """
    code = _plain(code)
    to = _plain(to)
    for each in (code, to):
        if not known(each):
            raise InvalidInputError(
                "unknown_unit", f"The unit {each!r} isn't known; use a UCUM code.", unit=each
            )
    if code == to:
        return value
    line = _line(code, to)
    if line is None:
        raise InvalidInputError(
            "unit_mismatch", f"{code!r} can't be turned into {to!r}.", unit=code, expected=to
        )
    result = value * line[0] + line[1]
    if not math.isfinite(result):
        raise InvalidInputError("not_a_number", "The value is too large.", unit=code)
    return result


@cache
def _line(code: str, to: str) -> tuple[float, float] | None:
    """Gain and offset between two known units, `None` where they measure different things.

    All units of the table lie on straight lines, and to ask pint for each reading takes longer
    than to store it.
    """
    if code in _OPAQUE or to in _OPAQUE:
        return None
    registry = _registry()
    source, target = registry.Unit(_CODES[code]), registry.Unit(_CODES[to])
    if not source.is_compatible_with(target):
        return None

    def at(value: float) -> float:
        return float(registry.Quantity(value, source).to(target).magnitude)

    return at(1.0) - at(0.0), at(0.0)


def _plain(code: str) -> str:
    if code.startswith("{") and code.endswith("}") and "{" not in code[1:]:
        return "1"
    return code
