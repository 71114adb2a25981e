"""Recalls: which machines are candidates, and that no candidate is lost."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import IntegrityError, InternalError, transaction
from hypothesis import given
from hypothesis import strategies as st

from devices.models.twin import EventKind
from devices.services import orders
from devices.services.events import append
from devices.services.registry import set_lifecycle
from inventory import selectors
from inventory.matching import Machine, Notice, match, model_named, same_maker
from inventory.models import CandidateState, Recall, RecallCandidate, RecallStep
from inventory.serial_ranges import holds, parse
from inventory.services import recall_matching, recalls
from tests.devices.factories import device, model, user
from tests.devices.maintenance_rows import admin
from twinhealth.errors import ConflictError, InvalidInputError


def sure(notice: dict[str, str], machine: dict[str, str]) -> str:
    found = match(
        Notice(**{"manufacturer": "Acme", "model_text": "XR-600", **notice}),
        Machine(**{"manufacturer": "Acme", "model": "XR-600", "serial": "SN100", **machine}),
    )
    return found.sureness if found else ""


@pytest.mark.parametrize(
    ("notice", "machine", "expected"),
    [
        ({"serials": "SN100"}, {}, "certain"),
        ({"serials": "S/N: SN 100; SN 200"}, {}, "certain"),
        ({"serials": "SN050 to SN150"}, {}, "certain"),
        ({"serials": "SN050-150"}, {}, "certain"),
        ({"serials": "050 - 150"}, {"serial": "100"}, "certain"),
        ({"serials": "US91412044  SN100"}, {}, "certain"),  # as openFDA separates them
        ({}, {}, "likely"),
        ({"serials": "all units"}, {}, "likely"),
        ({"manufacturer": "ACME Medical Systems GmbH"}, {}, "likely"),
        ({"model_text": "The XR 600 digital X-ray system, catalog 77"}, {}, "likely"),
        ({"model_text": "xr600"}, {}, "likely"),
        ({"serials": "N/A"}, {}, "likely"),
        ({"serials": "Lot 2231"}, {}, "possible"),  # nobody can tell
        ({"serials": "units made before May 2020"}, {}, "possible"),
        ({"model_text": "XR"}, {}, ""),  # one short word is no family
        ({"model_text": "XR-600"}, {"model": "XR-600 plus"}, "possible"),
        ({"manufacturer": "Other", "serials": "SN100"}, {}, "possible"),
        ({"model_text": "something else", "serials": "SN100"}, {}, "possible"),
        ({"software": "5.2.1, 5.2.2"}, {"software": "5.2.1"}, "likely"),
        ({"software": "5.2.1"}, {}, "possible"),  # it never told its version
        ({"software": "versions below 6"}, {"software": "5.2.1"}, "possible"),
        # near misses
        ({"serials": "SN101"}, {}, ""),
        ({"serials": "SN0100"}, {}, ""),
        ({"serials": "SN101 to SN200"}, {}, ""),
        ({"serials": "XN050 to XN150"}, {}, ""),
        ({"model_text": "XR-6000"}, {}, ""),
        ({"model_text": "XR-60"}, {}, ""),
        ({"manufacturer": "Acmed"}, {}, ""),
        ({"manufacturer": "Other"}, {}, ""),
        ({"model_text": "something else"}, {}, ""),
        ({"software": "5.2.2"}, {"software": "5.2.1"}, ""),
        ({"manufacturer": "", "model_text": ""}, {}, ""),
        (
            {"manufacturer": "Medical Systems Inc", "model_text": "x"},
            {"manufacturer": "Medical Devices"},
            "",
        ),
        ({"model_text": "XR-600B"}, {}, "possible"),  # another model whose name begins so
        ({"model_text": "XR-600B", "serials": "SN9"}, {}, ""),
        # hostile
        ({"serials": "9" * 30_000}, {}, "possible"),
        ({"serials": "0-" + "9" * 31}, {}, ""),
        ({"serials": "-" * 5_000}, {}, "likely"),  # nothing but dashes names no serial
        ({"model_text": "<script>XR-600</script>"}, {}, "likely"),
        ({"model_text": "=HYPERLINK(XR-600)"}, {}, "likely"),
        ({"model_text": "ХR-600"}, {}, ""),  # noqa: RUF001 - a Cyrillic letter is another one
    ],
)
def test_candidates(notice: dict[str, str], machine: dict[str, str], expected: str):
    assert sure(notice, machine) == expected


def test_a_serial_with_a_hyphen_is_no_range():
    assert parse("DX100-0417").ranges == []
    assert holds(parse("DX100-0417"), "DX100-0417") is True
    assert holds(parse("DX100-0417"), "DX200") is False
    assert holds(parse("DX100-0410 to DX100-0419"), "dx100-0417") is True
    assert holds(parse("DX100-0410 to DX100-0419"), "DX100-0420") is False
    # written with another count of digits, it may be another machine's
    assert holds(parse("A010 to A100"), "A00020") is None


@given(st.text(max_size=300), st.text(max_size=64))
def test_no_text_breaks_the_matching(text: str, serial: str):
    notice = Notice(text, text, text, text)
    found = match(notice, Machine("Acme", "XR-600", serial, "1.0"))
    assert found is None or found.reasons
    assert same_maker(text, "Acme") == same_maker("Acme", text)
    assert model_named(text, text) in {"", "whole"}


@given(st.integers(0, 10**9), st.integers(0, 10**6), st.integers(-5, 10**6))
def test_ranges_hold_what_lies_between(low: int, size: int, step: int):
    wanted = low + step
    if wanted < 0:
        return
    text = f"Q{low:010d} to Q{low + size:010d}"
    assert holds(parse(text), f"Q{wanted:010d}") is (0 <= step <= size)


def make_recall(**fields: Any) -> Recall:
    fields = {"reference": "R-1", "manufacturer": "Acme", "model_text": "XR-600", **fields}
    recall, _ = recalls.save(actor=None, **fields)
    recall_matching.match_recall(recall)
    return recall


def steps(row: RecallCandidate) -> list[str]:
    return list(row.steps.values_list("verb", flat=True))


@pytest.fixture
def xr600(db: None) -> Any:
    return model(manufacturer="Acme", name="XR-600")


def test_a_machine_that_is_registered_later_is_found(xr600: Any):
    recall = make_recall()
    assert not recall.candidates.exists()
    later = device(xr600)
    found = recall.candidates.get()
    assert (found.device, found.sureness, found.state) == (later, "likely", "open")
    assert steps(found) == ["found"]
    device(model(manufacturer="Acme", name="CT-1"))
    assert recall.candidates.count() == 1


def test_matching_again_loses_and_doubles_nothing(xr600: Any):
    made = [device(xr600) for _ in range(3)]
    recall = make_recall()
    assert recall_matching.match_all() == 0 == recall_matching.match_recall(recall)
    assert recall.candidates.count() == 3
    recalls.reject(candidate=recall.candidates.get(device=made[0]), actor=user(), reason="seen")
    recalls.save(actor=None, recall=recall, serials=made[1].serial)
    recall.refresh_from_db()
    recall_matching.match_recall(recall)
    states = {c.device_id: (c.state, c.still_matches, c.sureness) for c in recall.candidates.all()}
    assert states == {
        made[0].pk: ("rejected", False, "likely"),
        made[1].pk: ("open", True, "certain"),
        made[2].pk: ("open", False, "likely"),  # still asks for a person
    }
    assert selectors.recall_counts() == {
        "found": 3, "to_decide": 2, "to_do": 0, "worked_off": 0, "rejected": 1,
    }  # fmt: skip


def test_who_was_ruled_out_is_asked_about_again_when_it_fits_better(xr600: Any):
    machine = device(xr600)
    recall = make_recall()
    row = recall.candidates.get()
    recalls.reject(candidate=row, actor=user(), reason="another series")
    recalls.save(actor=None, recall=recall, serials=machine.serial)
    recall.refresh_from_db()
    recall_matching.match_recall(recall)
    row.refresh_from_db()
    assert (row.state, row.sureness, row.decided_by) == ("open", "certain", None)
    assert steps(row) == ["found", "rejected", "reopened"]


def test_reported_software_counts(xr600: Any):
    machine = device(xr600)
    recall = make_recall(software="5.2.1")
    assert recall.candidates.get().sureness == "possible"
    append(
        device=machine,
        kind=EventKind.CONFIG_REPORTED,
        payload={"config": {"software_versions": "5.2.1"}},
    )
    recall_matching.match_all()
    assert recall.candidates.get().sureness == "likely"


def refused(code: str, call: Any, **fields: Any) -> None:
    with pytest.raises((ConflictError, InvalidInputError)) as caught, transaction.atomic():
        call(**fields)
    assert caught.value.code == code


def test_a_confirmed_one_stays_until_its_order_is_done(xr600: Any):
    device(xr600)
    row, who = make_recall(severity="I").candidates.get(), user()
    refused("not_confirmed", recalls.make_order, candidate=row, actor=who)
    recalls.confirm(candidate=row, actor=who)
    refused("decided_already", recalls.reject, candidate=row, actor=who, reason="no")
    assert selectors.recall_counts()["to_do"] == 1
    order = recalls.make_order(candidate=row, actor=who)
    assert (order.state, order.title) == ("planned", "Recall R-1: XR-600")
    refused("order_exists", recalls.make_order, candidate=row, actor=who)
    refused("has_order", recalls.reopen, candidate=row, actor=who, reason="no")
    assert selectors.recall_counts()["to_do"] == 1
    orders.cancel(order=order, actor=admin(), reason="wrong day")
    order = recalls.make_order(candidate=row, actor=who)
    order = orders.start(order=order, actor=who)
    orders.complete(order=order, actor=who, checklist=[True] * 3, signature="x")
    counts = selectors.recall_counts()
    assert (counts["to_do"], counts["worked_off"]) == (0, 1)
    row.refresh_from_db()
    assert steps(row) == ["found", "confirmed", "ordered", "ordered"]


def test_refusals(xr600: Any):
    machine = device(xr600)
    row, who = make_recall().candidates.get(), user()
    refused("not_decided", recalls.reopen, candidate=row, actor=who, reason="x")
    refused("reason_missing", recalls.reject, candidate=row, actor=who, reason=" ")
    recalls.reject(candidate=row, actor=who, reason="another series")
    refused("reason_missing", recalls.reopen, candidate=row, actor=who, reason="")
    recalls.reopen(candidate=row, actor=who, reason="it is the series")
    recalls.confirm(candidate=row, actor=who, reason="seen")
    set_lifecycle(device=machine, lifecycle="retired", actor=None)
    refused("device_retired", recalls.make_order, candidate=row, actor=who)
    refused("recall_exists", make_recall)
    refused("unknown_severity", make_recall, reference="R-2", severity="IV")
    refused("reference_missing", make_recall, reference=" ")
    refused("model_text_too_long", make_recall, reference="R-2", model_text="x" * 2_001)


def test_the_database_keeps_history_and_reasons(xr600: Any):
    device(xr600)
    row = make_recall().candidates.get()
    with pytest.raises((IntegrityError, InternalError)), transaction.atomic():
        RecallStep.objects.filter(candidate=row).update(text="other")
    with pytest.raises(IntegrityError), transaction.atomic():
        RecallCandidate.objects.filter(pk=row.pk).update(state=CandidateState.REJECTED)
    with pytest.raises(IntegrityError), transaction.atomic():
        RecallCandidate.objects.create(recall=row.recall, device=row.device, sureness="likely")
