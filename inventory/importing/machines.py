"""Machines as a table: registered and changed, retired, never deleted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from accounts.models import User
from devices.models import Device, DeviceModel
from devices.models.device import Criticality, Lifecycle
from devices.services import details, registry
from devices.services.identify import clean_serial
from inventory.services import AnyRequest

from .kinds import Cells, Changes, Kind, Outcome, choice, outcome, refused, several

_LIFE = {str(label).casefold(): value for value, label in Lifecycle.choices}
_CRITICALITY = {str(label).casefold(): value for value, label in Criticality.choices}
# ours -> column of the machine
_FIELDS = {"name": "name", "room": "location", "udi": "udi"}


class Machines(Kind):
    """One machine a row, by its serial; an empty cell is an empty value."""

    columns = (
        "serial", "name", "manufacturer", "model", "modality", "room", "criticality", "udi",
        "ae_titles", "lifecycle",
    )  # fmt: skip
    required = frozenset({"serial", "name", "manufacturer", "model"})

    def key(self, cells: Cells) -> str:
        """The serial, as it is stored."""
        return clean_serial(cells["serial"])

    def apply(self, cells: Cells, *, actor: User | None, request: AnyRequest) -> Outcome:
        """Register the machine, or change what people say of it."""
        device = Device.objects.select_related("model").filter(serial=self.key(cells)).first()
        new = device is None
        changes: Changes = {}
        if device is None:
            device = _registered(cells, actor, request)
            shown = {name: [None, cells[name]] for name in self.columns if cells.get(name)}
            changes = shown
        else:
            _same_model(device, cells)
            changes = _changed(device, cells, actor, request)
        life = choice(cells, "lifecycle", _LIFE) if cells.get("lifecycle") else None
        if life is not None and life != device.lifecycle:
            before = device.get_lifecycle_display()
            device = registry.set_lifecycle(
                device=device,
                lifecycle=life,
                actor=actor,
                reason="by an imported table",
                request=request,
            )
            changes["lifecycle"] = [None if new else before, device.get_lifecycle_display()]
        return outcome(changes, new=new)


def _wanted(cells: Cells) -> dict[str, Any]:
    found: dict[str, Any] = {field: cells[name] for name, field in _FIELDS.items() if name in cells}
    if cells.get("criticality"):
        found["criticality"] = choice(cells, "criticality", _CRITICALITY)
    if "ae_titles" in cells:
        found["ae_titles"] = several(cells, "ae_titles")
    return found


def _registered(cells: Cells, actor: User | None, request: AnyRequest) -> Device:
    if actor is None:
        raise refused("", "no_actor", "Somebody has to vouch for a machine.")
    device = registry.register_device(
        serial=cells["serial"],
        name=cells["name"],
        model=_model(cells, actor, request),
        actor=actor,
        location=cells.get("room", ""),
        request=request,
    )
    rest = {name: value for name, value in _wanted(cells).items() if name != "location"}
    return details.change_details(device=device, changes=rest, actor=actor, request=request)


def _model(cells: Cells, actor: User, request: AnyRequest) -> DeviceModel:
    manufacturer, name = cells["manufacturer"], cells["model"]
    found = DeviceModel.objects.filter(manufacturer=manufacturer, name=name).first()
    if found is not None:
        return found
    for column in ("manufacturer", "model"):
        if len(cells[column]) > 128:
            raise refused(column, f"{column}_too_long", "At most 128 characters.")
    if not cells.get("modality"):
        raise refused(
            "modality", "model_incomplete", "A model that isn't known needs its modality (CR, DX)."
        )
    return registry.ensure_model(
        manufacturer=manufacturer,
        name=name,
        modality=cells["modality"],
        actor=actor,
        request=request,
    )


def _same_model(device: Device, cells: Cells) -> None:
    """Readings and rules hang on the model: a table doesn't change it."""
    model = device.model
    if (cells["manufacturer"], cells["model"]) != (model.manufacturer, model.name):
        raise refused(
            "model", "model_fixed", f"This machine is a {model}; a table can't change that."
        )
    if cells.get("modality", model.modality).upper() != model.modality:
        raise refused("modality", "model_fixed", f"The modality of {model} is {model.modality}.")


def _changed(device: Device, cells: Cells, actor: User | None, request: AnyRequest) -> Changes:
    if actor is None:
        raise refused("", "no_actor", "Somebody has to vouch for a machine.")
    wanted = _wanted(cells)
    before = {name: getattr(device, name) for name in wanted}
    after = details.change_details(device=device, changes=wanted, actor=actor, request=request)
    columns = {field: name for name, field in _FIELDS.items()}
    return {
        columns.get(name, name): [
            _shown(name, old, device),
            _shown(name, getattr(after, name), after),
        ]
        for name, old in before.items()
        if getattr(after, name) != old
    }


def _shown(name: str, value: Any, device: Device) -> Any:
    if name == "criticality":
        return str(Criticality(value).label)
    return "|".join(value) if isinstance(value, list) else value


def rows() -> Iterator[list[Any]]:
    """All machines, retired ones too, as `Machines` takes them."""
    found = Device.objects.select_related("model").order_by("serial")
    for device in found.iterator(chunk_size=500):
        yield [
            device.serial, device.name, device.model.manufacturer, device.model.name,
            device.model.modality, device.location, device.get_criticality_display(), device.udi,
            "|".join(device.ae_titles), device.get_lifecycle_display(),
        ]  # fmt: skip


HEADER = Machines.columns
