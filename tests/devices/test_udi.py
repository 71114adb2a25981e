"""UDI: GS1's and HIBCC's, as printed and as scanned."""

from __future__ import annotations

import pytest

from devices.udi import Udi, gtin_is_right, hibc_check, parse
from twinhealth.errors import InvalidInputError

GTIN = "00844588003288"


def test_gs1_as_printed_and_as_scanned() -> None:
    printed = parse(f"(01){GTIN}(17)270101(10)LOT-7(21)S/N 9")
    assert printed == Udi(
        "GS1",
        GTIN,
        "(17)270101(10)LOT-7(21)S/N 9",
        {"expires": "270101", "lot": "LOT-7", "serial": "S/N 9"},
    )
    assert parse(f"01{GTIN}1727010110LOT-7\x1d21S/N 9") == printed
    assert parse(f"]d201{GTIN}1727010110LOT-7\x1d21S/N 9") == printed


def test_hibcc() -> None:
    body = "+A99912341/$$52001510X3/16D20111212/S77DEFG45"
    found = parse(body + hibc_check(body))
    assert (found.issuer, found.di) == ("HIBCC", "A99912341")
    assert found.parts == {"made": "20111212", "serial": "77DEFG45"}
    # ANSI/HIBC 2.6's own example of the check character: +A123BJC5D6E7 and unit 1 give G
    assert hibc_check("+A123BJC5D6E71") == "G"


@pytest.mark.parametrize(
    "text",
    [
        "(01)00844588003289", "(21)123", "(01)0084458800328", f"(01){GTIN}(21)", "hello",
        f"(01){GTIN}(99)x", f"(01){GTIN}(21)1(21)2", f"(01){GTIN} (21)1", "+A123BJC5D6E71H", "+",
        f"(01){GTIN}(17)2701", f"(01){GTIN}(10)" + "x" * 21, "(01)" + "\u0660" * 14,
    ],
)  # fmt: skip
def test_what_can_not_be_right(text: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        parse(text)
    assert caught.value.code == "udi_invalid"


def test_nothing_is_nothing() -> None:
    assert parse("  ") == Udi()


def test_one_wrong_digit_is_always_found() -> None:
    for place in range(14):
        for digit in "0123456789":
            changed = GTIN[:place] + digit + GTIN[place + 1 :]
            assert gtin_is_right(changed) == (changed == GTIN)
