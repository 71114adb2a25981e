"""UCUM codes as pages show them."""

from __future__ import annotations

import pytest

from devices.standard_metrics import STANDARD_METRICS
from patients.codes import KINDS
from twinhealth.web.ucum import unit_text


@pytest.mark.parametrize(
    ("code", "shown"),
    [
        ("Cel", "°C"),
        ("mm[Hg]", "mmHg"),
        ("{steps}", "steps"),
        ("ng/mL{FEU}", "ng/mL FEU"),
        ("10*3/uL", "\N{MULTIPLICATION SIGN} 10³/µL"),
        ("1", ""),
        ("%", "%"),
        ("kV", "kV"),
    ],
)
def test_unit_text(code: str, shown: str) -> None:
    assert unit_text(code) == shown


def test_no_page_shows_brackets_or_braces() -> None:
    codes = {unit for kind in KINDS for unit in kind.units} | {m.unit for m in STANDARD_METRICS}
    assert not [c for c in codes if set("[]{}*") & set(unit_text(c))]
