"""Recalls as a table: our own plain layout, or the FDA's export of enforcement reports."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

from accounts.models import User
from inventory.matching import Machine
from inventory.models import Recall, Severity
from inventory.services import AnyRequest, recall_matching, recalls

from .kinds import Cells, Kind, Outcome, choice, day, outcome

# names of openFDA's device/enforcement and of the web export -> ours
_FDA = {
    "recall_number": "reference",
    "recall_initiation_date": "issued_on",
    "recalling_firm": "manufacturer",
    "recalling_firm_name": "manufacturer",
    "product_description": "model_text",
    "code_info": "serials",
    "code_information": "serials",
    "reason_for_recall": "action",
    "classification": "severity",
    "event_classification": "severity",
    "product_classification": "severity",
}
_SEVERITY = {
    "": Severity.NOTICE, "notice": Severity.NOTICE, "not yet classified": Severity.NOTICE,
    **{f"{word}{value.casefold()}": value for value in ("I", "II", "III")
       for word in ("", "class ")},
    "1": Severity.I, "2": Severity.II, "3": Severity.III,
}  # fmt: skip


class Recalls(Kind):
    """One notice a row, by its reference; sent again, it changes the one there is."""

    columns = (
        "reference", "issued_on", "manufacturer", "model_text", "serials", "software", "action",
        "severity",
    )  # fmt: skip
    required = frozenset({"reference", "manufacturer", "model_text"})
    ignored = {"candidates_to_decide": "people decide them on the page"}

    def renamed(self, headings: tuple[str, ...]) -> Mapping[str, str]:
        """The FDA's names, where the file has them; the first of two for one column counts."""
        if not {"recall_number", "product_description"} <= set(headings):
            return {}
        found: dict[str, str] = {}
        for heading in headings:
            ours = _FDA.get(heading)
            if ours and ours not in found.values():
                found[heading] = ours
        return {h: found.get(h, f"fda:{h}") for h in headings}

    def key(self, cells: Cells) -> str:
        """The reference."""
        return cells["reference"]

    @cached_property
    def _machines(self) -> list[tuple[int, Machine]]:
        return recall_matching.machines()

    def apply(self, cells: Cells, *, actor: User | None, request: AnyRequest) -> Outcome:
        """Keep the notice, and the machines that it may concern."""
        there = Recall.objects.filter(reference=cells["reference"]).first()
        given: dict[str, Any] = {
            name: cells[name]
            for name in ("reference", "manufacturer", "serials", "software", "action")
            if name in cells
        }
        # an export's description may be longer than anybody reads; its beginning names the model
        given["model_text"] = cells["model_text"][:2_000]
        if "issued_on" in cells:
            given["issued_on"] = day(cells, "issued_on")
        if "severity" in cells:
            given["severity"] = choice(cells, "severity", _SEVERITY)
        recall, changes = recalls.save(actor=actor, recall=there, request=request, **given)
        if there is None or changes:
            added = recall_matching.match_recall(recall, self._machines)
            if added:
                changes["candidates"] = [None, added]
        return outcome(changes, new=there is None)


def rows() -> Iterator[list[Any]]:
    """All notices in the plain layout."""
    for recall in Recall.objects.order_by("reference").iterator(chunk_size=500):
        yield [
            recall.reference, recall.issued_on, recall.manufacturer, recall.model_text,
            recall.serials, recall.software, recall.action, recall.severity,
        ]  # fmt: skip


HEADER = Recalls.columns
