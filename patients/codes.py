"""What may be observed: LOINC code, name, UCUM unit, conversions, plausible range, lane.

A pure table. LOINC's names are those of loinc.org; units are UCUM, case-sensitive
(unitsofmeasure.org). The plausible range only keeps out slips of the keyboard and wrong units:
values in it can be very ill, values outside can't be a living person's.

This material contains content from LOINC (http://loinc.org), copyright Regenstrief Institute,
Inc. and the LOINC Committee, available at no cost under http://loinc.org/license.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum


class Lane(StrEnum):
    """Groups of lanes on the patient page, in their order."""

    VITALS = "vitals"
    WEARABLES = "wearables"
    LABS = "labs"


@dataclass(frozen=True, slots=True)
class Conversion:
    """value in the kind's unit = value * factor + offset."""

    factor: Decimal
    offset: Decimal = Decimal(0)

    def apply(self, value: Decimal) -> Decimal:
        """Converted value, not rounded."""
        return value * self.factor + self.offset


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of observation."""

    code: str
    name: str  # short, for people
    loinc_name: str
    unit: str
    low: Decimal
    high: Decimal
    lane: Lane
    decimals: int  # shown
    accepts: dict[str, Conversion] = field(default_factory=dict)

    @property
    def units(self) -> tuple[str, ...]:
        """All units that are taken, the kind's own first."""
        return (self.unit, *self.accepts)

    def convert(self, value: Decimal, unit: str) -> Decimal | None:
        """The value in the kind's own unit; `None` for a unit that isn't taken."""
        if unit == self.unit:
            return value
        conversion = self.accepts.get(unit)
        return conversion.apply(value) if conversion else None

    def is_plausible(self, value: Decimal) -> bool:
        """Whether a living person can have it (bounds included)."""
        return self.low <= value <= self.high


def _kind(  # noqa: PLR0917 - a row of the table below
    code: str,
    name: str,
    loinc_name: str,
    unit: str,
    low: str,
    high: str,
    lane: Lane,
    decimals: int,
    accepts: dict[str, Conversion] | None = None,
) -> Kind:
    return Kind(
        code, name, loinc_name, unit, Decimal(low), Decimal(high), lane, decimals, accepts or {}
    )


def _times(factor: str) -> Conversion:
    return Conversion(Decimal(factor))


_SAME = Conversion(Decimal(1))
_PLASMA = "[Mass/volume] in Serum or Plasma"

KINDS: tuple[Kind, ...] = (
    _kind("8480-6", "systolic blood pressure", "Systolic blood pressure",
          "mm[Hg]", "30", "320", Lane.VITALS, 0),
    _kind("8462-4", "diastolic blood pressure", "Diastolic blood pressure",
          "mm[Hg]", "10", "220", Lane.VITALS, 0),
    _kind("8867-4", "heart rate", "Heart rate",
          "/min", "10", "350", Lane.VITALS, 0, {"{beats}/min": _SAME}),
    _kind("8310-5", "body temperature", "Body temperature",
          "Cel", "13", "46", Lane.VITALS, 1,
          # degrees Fahrenheit less 32, five ninths of it
          {"[degF]": Conversion(Decimal(5) / 9, Decimal(-160) / 9)}),
    _kind("59408-5", "SpO2, pulse oximeter",
          "Oxygen saturation in Arterial blood by Pulse oximetry",
          "%", "10", "100", Lane.VITALS, 0),
    _kind("2708-6", "SaO2, blood gas", "Oxygen saturation in Arterial blood",
          "%", "10", "100", Lane.VITALS, 0),
    _kind("9279-1", "respiratory rate", "Respiratory rate",
          "/min", "1", "150", Lane.VITALS, 0, {"{breaths}/min": _SAME}),
    _kind("29463-7", "body weight", "Body weight",
          "kg", "0.2", "650", Lane.VITALS, 1,
          {"g": _times("0.001"), "[lb_av]": _times("0.45359237")}),
    _kind("93832-4", "sleep duration", "Sleep duration",
          "h", "0", "24", Lane.WEARABLES, 1, {"min": Conversion(Decimal(1) / 60)}),
    _kind("55423-8", "steps", "Number of steps in unspecified time Pedometer",
          "{steps}", "0", "200000", Lane.WEARABLES, 0, {"1": _SAME}),
    _kind("2339-0", "glucose, blood", "Glucose [Mass/volume] in Blood",
          "mg/dL", "5", "3000", Lane.LABS, 0,
          # molar mass 180.156 g/mol
          {"mmol/L": _times("18.0156")}),
    _kind("1988-5", "CRP", f"C reactive protein {_PLASMA}",
          "mg/L", "0", "1500", Lane.LABS, 1, {"mg/dL": _times("10")}),
    _kind("6690-2", "leukocytes", "Leukocytes [#/volume] in Blood by Automated count",
          "10*3/uL", "0", "1500", Lane.LABS, 1, {"10*9/L": _SAME}),
    _kind("731-0", "lymphocytes", "Lymphocytes [#/volume] in Blood by Automated count",
          "10*3/uL", "0", "1500", Lane.LABS, 2, {"10*9/L": _SAME}),
    # fibrinogen-equivalent and D-dimer units differ about twofold: two codes, no conversion
    _kind("48065-7", "D-dimer (FEU)", "Fibrin D-dimer FEU [Mass/volume] in Platelet poor plasma",
          "ng/mL{FEU}", "0", "500000", Lane.LABS, 0,
          {"ug/L{FEU}": _SAME, "ug/mL{FEU}": _times("1000"), "mg/L{FEU}": _times("1000")}),
    _kind("48066-5", "D-dimer (DDU)", "Fibrin D-dimer DDU [Mass/volume] in Platelet poor plasma",
          "ng/mL{DDU}", "0", "500000", Lane.LABS, 0,
          {"ug/L{DDU}": _SAME, "ug/mL{DDU}": _times("1000"), "mg/L{DDU}": _times("1000")}),
    _kind("2276-4", "ferritin", f"Ferritin {_PLASMA}",
          "ng/mL", "0", "500000", Lane.LABS, 0, {"ug/L": _SAME}),
    _kind("2160-0", "creatinine", f"Creatinine {_PLASMA}",
          "mg/dL", "0.05", "80", Lane.LABS, 2,
          # molar mass 113.12 g/mol
          {"umol/L": _times("0.011312")}),
    _kind("2524-7", "lactate", "Lactate [Moles/volume] in Serum or Plasma",
          "mmol/L", "0", "50", Lane.LABS, 1),
)  # fmt: skip

BY_CODE: dict[str, Kind] = {kind.code: kind for kind in KINDS}

SYSTOLIC = BY_CODE["8480-6"]
DIASTOLIC = BY_CODE["8462-4"]


def label(code: str) -> str:
    """Short name of a code; the code itself where the table has lost it."""
    return BY_CODE[code].name if code in BY_CODE else code


def decimals(code: str) -> int:
    """How many decimals a value of this code is shown with; four where the table has lost it."""
    return BY_CODE[code].decimals if code in BY_CODE else 4
