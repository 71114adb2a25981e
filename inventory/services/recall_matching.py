"""Machines against recalls: what is found is kept, and nothing that was found is lost."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction

from devices.models import Device
from devices.models.device import Lifecycle
from inventory.matching import Machine, Match, Notice, match
from inventory.models import CandidateState, Recall, RecallCandidate, RecallStep

_RANK = {"possible": 1, "likely": 2, "certain": 3}


def machines(pk: int | None = None) -> list[tuple[int, Machine]]:
    """All that aren't retired, with what they reported; one of them where told."""
    rows = Device.objects.exclude(lifecycle=Lifecycle.RETIRED).order_by("pk")
    if pk is not None:
        rows = rows.filter(pk=pk)
    found = rows.values_list(
        "pk", "model__manufacturer", "model__name", "serial", "udi", "twin__state__reported"
    )
    return [
        (pk, Machine(maker, model, serial, _software(config), udi))
        for pk, maker, model, serial, udi, config in found
    ]


def _software(reported: object) -> str:
    """The version that it told last (DICOM Software Versions, 0018,1020)."""
    told = reported.get("software_versions") if isinstance(reported, dict) else None
    return str(told.get("value") or "") if isinstance(told, dict) else ""


def notice(recall: Recall) -> Notice:
    """What the pure rule looks at."""
    return Notice(recall.manufacturer, recall.model_text, recall.serials, recall.software)


@transaction.atomic
def match_recall(recall: Recall, among: Iterable[tuple[int, Machine]] | None = None) -> int:
    """Candidates of one recall: new ones added, known ones looked at again.

    An open one that no longer matches stays open and says so. One that a person ruled out is asked
    about again where the list has changed so that it fits better than it did.

    Returns:
        How many were added.
    """
    Recall.objects.select_for_update(no_key=True).get(pk=recall.pk)
    known = {each.device_id: each for each in recall.candidates.all()}
    wanted, added = notice(recall), 0
    for device_id, machine in machines() if among is None else among:
        found = match(wanted, machine)
        there = known.get(device_id)
        if found is not None and there is None:
            row = RecallCandidate.objects.create(
                recall=recall,
                device_id=device_id,
                sureness=found.sureness,
                reasons=list(found.reasons),
            )
            _step(row, "found", " ".join(found.reasons))
            added += 1
        elif there is not None:
            _look_again(there, found)
    return added


def match_device(device: Device) -> int:
    """One machine against all recalls, as when it is registered; how many candidates were added."""
    recalls = list(Recall.objects.all())
    if not recalls:
        return 0
    one = machines(device.pk)
    concerned = [r for r in recalls if any(match(notice(r), m) for _, m in one)]
    return sum(match_recall(recall, one) for recall in concerned)


def match_all() -> int:
    """Every recall against every machine; heals whatever was missed. How many were added."""
    among = machines()
    return sum(match_recall(recall, among) for recall in Recall.objects.iterator(chunk_size=500))


def _look_again(row: RecallCandidate, found: Match | None) -> None:
    if found is None:
        if row.still_matches:
            row.still_matches = False
            row.save(update_fields=["still_matches"])
            _step(row, "unmatched", "The list or the machine changed: it is no longer found by it.")
        return
    if row.still_matches and (row.sureness, row.reasons) == (found.sureness, list(found.reasons)):
        return
    better = _RANK[found.sureness] > _RANK[row.sureness] or not row.still_matches
    row.sureness, row.reasons, row.still_matches = found.sureness, list(found.reasons), True
    verb = "matched"
    if better and row.state == CandidateState.REJECTED:
        row.state, row.decided_at, row.decided_by, row.decision = (
            CandidateState.OPEN,
            None,
            None,
            "",
        )
        verb = "reopened"
    row.save()
    _step(row, verb, " ".join(found.reasons))


def _step(row: RecallCandidate, verb: str, text: str) -> None:
    RecallStep.objects.create(candidate=row, verb=verb, text=text[:1_000])
