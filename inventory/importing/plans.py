"""Plans by the calendar and from work as a table; those by use are made machine by machine."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from accounts.models import User
from devices.checklist_steps import as_line, from_line, steps
from devices.fields import LARGEST_ID
from devices.models import Device, MaintenancePlan
from devices.models.maintenance import Timing
from devices.services import plans
from devices.services.identify import clean_serial
from inventory.services import AnyRequest
from inventory.services.edited import plain

from .kinds import Cells, Changes, Kind, Outcome, choice, day, number, outcome, refused, yes

_TIMING = {"": Timing.FIXED, "fixed": Timing.FIXED, "floating": Timing.FLOATING}
_BETWEEN = "\n"  # steps of a checklist in one cell, each as a form's line has it


class Plans(Kind):
    """One plan a row, by its number; without one by machine and title."""

    columns = (
        "id", "serial", "title", "timing", "rrule", "starts_on", "grace_days", "lead_days",
        "checklist", "verify_required", "active",
    )  # fmt: skip
    required = frozenset({"serial", "title", "rrule", "starts_on"})

    def key(self, cells: Cells) -> str:
        """The number, or machine and title."""
        if cells.get("id"):
            return f"plan {cells['id']}"
        return f"{clean_serial(cells['serial'])}: {cells['title']}"

    def apply(self, cells: Cells, *, actor: User | None, request: AnyRequest) -> Outcome:
        """Make or change the plan, pause it or let it run again."""
        device = _device(cells)
        plan = _plan(cells, device)
        wanted = _wanted(cells)
        active = yes(cells, "active") if "active" in cells else True
        if plan is None:
            made = plans.create(actor=actor, device=device, request=request, **wanted)
            changes = {name: [None, _shown(name, value)] for name, value in wanted.items()}
            if not active:
                changes |= _switched(made, active=active, actor=actor, request=request)
            return outcome(changes, new=True)
        changes = {}
        before = {name: _shown(name, getattr(plan, name)) for name in wanted}
        differing = {n: v for n, v in wanted.items() if _shown(n, v) != before[n]}
        if differing:
            if plan.model_plan_id is not None:
                raise refused("id", "plan_of_a_model", "The model's plan made it; change that one.")
            plan = plans.update(plan=plan, actor=actor, request=request, **differing)
            after = {name: _shown(name, getattr(plan, name)) for name in differing}
            changes = {n: [before[n], after[n]] for n in differing if before[n] != after[n]}
        if "active" in cells and plan.active != active:
            changes |= _switched(plan, active=active, actor=actor, request=request)
        return outcome(changes, new=False)


def _switched(
    plan: MaintenancePlan, *, active: bool, actor: User | None, request: AnyRequest
) -> Changes:
    if actor is None:
        raise refused("active", "no_actor", "Somebody has to say so.")
    step = plans.reactivate if active else plans.deactivate
    step(plan=plan, actor=actor, request=request)
    return {"active": [plain(not active), plain(active)]}


def _device(cells: Cells) -> Device:
    found = Device.objects.filter(serial=clean_serial(cells["serial"])).first()
    if found is None:
        raise refused("serial", "unknown_device", "No machine has that serial.")
    return found


def _plan(cells: Cells, device: Device) -> MaintenancePlan | None:
    of_device = MaintenancePlan.objects.filter(device=device)
    if cells.get("id"):
        text = cells["id"]
        pk = int(text) if text.isdecimal() and len(text) < len(str(LARGEST_ID)) else 0
        found = of_device.filter(pk=pk).first()
        if found is None:
            raise refused("id", "plan_not_found", "This machine has no plan of that number.")
    else:
        same = list(of_device.filter(title=cells["title"])[:2])
        if len(same) > 1:
            raise refused("title", "ambiguous_plan", "There are several of that title; add the id.")
        found = same[0] if same else None
    if found is not None and found.timing == Timing.METER:
        raise refused("timing", "plan_by_use", "A plan by use is changed on its page.")
    return found


def _wanted(cells: Cells) -> dict[str, Any]:
    found: dict[str, Any] = {"title": cells["title"], "rrule": cells["rrule"]}
    found["starts_on"] = day(cells, "starts_on")
    if found["starts_on"] is None:
        raise refused("starts_on", "starts_on_missing", "Write the first day.")
    if "timing" in cells:
        found["timing"] = choice(cells, "timing", _TIMING)
    for name in ("grace_days", "lead_days"):
        if cells.get(name):
            found[name] = number(cells, name)
    if "verify_required" in cells:
        found["verify_required"] = yes(cells, "verify_required")
    if "checklist" in cells:
        lines = [line.strip() for line in cells["checklist"].splitlines()]
        found["checklist"] = steps([from_line(line) for line in lines if line])
    return found


def _shown(name: str, value: Any) -> Any:
    if name == "checklist":
        return _BETWEEN.join(as_line(step) for step in value)
    return str(value) if name == "timing" else plain(value)


def rows() -> Iterator[list[Any]]:
    """All plans that a table can hold, as `Plans` takes them."""
    found = MaintenancePlan.objects.exclude(timing=Timing.METER).select_related("device")
    for plan in found.order_by("device__serial", "pk").iterator(chunk_size=500):
        yield [
            plan.pk, plan.device.serial, plan.title, plan.timing, plan.rrule,
            plan.starts_on.isoformat(), plan.grace_days, plan.lead_days,
            _shown("checklist", plan.checklist), "yes" if plan.verify_required else "no",
            "yes" if plan.active else "no",
        ]  # fmt: skip


HEADER = Plans.columns
