"""Parts as a table."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from accounts.models import User
from devices.models import DeviceModel
from devices.models.component import ComponentKind
from devices.services.registry import find_model
from inventory.models import Part, Vendor
from inventory.services import AnyRequest, parts, stock
from twinhealth.errors import InvalidInputError

from .kinds import Cells, Kind, Outcome, amount, choice, number, outcome, refused, several, yes

_KINDS = {"": "", **{str(kind.label).casefold(): kind.value for kind in ComponentKind}}


class Parts(Kind):
    """One part a row, by its number; an empty cell is an empty value."""

    columns = (
        "number", "name", "unit", "kind", "fits", "vendor", "price", "location", "opening_stock",
        "reorder_level", "reorder_amount", "active",
    )  # fmt: skip
    required = frozenset({"number", "name"})
    ignored = {"stock_now": "it changes by movements alone"}

    def key(self, cells: Cells) -> str:
        """The number, as it is stored."""
        return cells["number"]

    def apply(self, cells: Cells, *, actor: User | None, request: AnyRequest) -> Outcome:
        """Add or change the part; a new one may begin with a stock."""
        part = Part.objects.filter(number=cells["number"]).first()
        opening = number(cells, "opening_stock") if cells.get("opening_stock") else 0
        if part is not None and opening:
            raise refused(
                "opening_stock", "stock_by_movement", "This part is known: count its stock instead."
            )
        found, changes = parts.save(actor=actor, part=part, request=request, **_given(cells))
        if opening:
            stock.receive(
                part=found, amount=opening, actor=actor, reason="opening stock", request=request
            )
            changes["opening_stock"] = [None, opening]
        return outcome(changes, new=part is None)


def _given(cells: Cells) -> dict[str, Any]:
    """Fields of the service, of the columns that the file has."""
    read: dict[str, Callable[[], Any]] = {
        "number": lambda: cells["number"],
        "name": lambda: cells["name"],
        "location": lambda: cells["location"],
        "unit": lambda: cells["unit"] or "piece",
        "kind": lambda: choice(cells, "kind", _KINDS),
        "price": lambda: amount(cells, "price"),
        "reorder_level": lambda: number(cells, "reorder_level"),
        "reorder_amount": lambda: number(cells, "reorder_amount"),
        "active": lambda: yes(cells, "active"),
        "vendor": lambda: _vendor(cells["vendor"]),
        "fits": lambda: [_model(text) for text in several(cells, "fits")],
    }
    found = {name: value() for name, value in read.items() if name in cells}
    return {("component_kind" if name == "kind" else name): v for name, v in found.items()}


def _vendor(name: str) -> Vendor | None:
    if not name:
        return None
    found = Vendor.objects.filter(name=name).first()
    if found is None:
        raise refused("vendor", "unknown_vendor", f"There is no vendor {name[:80]}.")
    return found


def _model(text: str) -> DeviceModel:
    try:
        return find_model(text)
    except InvalidInputError as error:
        raise refused("fits", error.code, error.message) from error


def rows() -> Iterator[list[Any]]:
    """All parts, as `Parts` takes them, and what there is of each now."""
    found = Part.objects.select_related("vendor").prefetch_related("fits").order_by("number")
    for part in found.iterator(chunk_size=500):
        yield [
            part.number, part.name, part.unit, part.get_component_kind_display().casefold(),
            "|".join(str(model) for model in part.fits.all()), part.vendor.name if part.vendor
            else "", part.price, part.location, "", part.reorder_level, part.reorder_amount,
            "yes" if part.active else "no", part.stock,
        ]  # fmt: skip


HEADER = (*Parts.columns, "stock_now")
