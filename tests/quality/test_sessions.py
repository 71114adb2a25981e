"""Drafts, signatures, corrections, orders: what may be done, and what is refused."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import DatabaseError, transaction
from django.utils import timezone

from accounts.models import AuditEntry
from accounts.permissions import Role
from devices.models import Device, MaintenancePlan, WorkOrder
from devices.services import orders, plans
from devices.services.registry import set_lifecycle
from quality.models import Protocol, QAResult, QASession
from quality.selectors import overview
from quality.services import files, instruments, protocols, sessions, signing
from tests.devices import factories as f
from tests.devices.maintenance_rows import make_plan, today
from tests.quality import rows
from twinhealth.errors import DomainError

pytestmark = pytest.mark.django_db


def refused(code: str, call: Callable[..., Any], *args: Any, **fields: Any) -> dict[str, Any]:
    with pytest.raises(DomainError) as caught, transaction.atomic():
        call(*args, **fields)
    assert caught.value.code == code
    return caught.value.extra


@pytest.fixture
def device() -> Device:
    return rows.machine()


@pytest.fixture
def protocol(device: Device) -> Protocol:
    return rows.protocol(device)


def sign(session: QASession, **fields: Any) -> QASession:
    who = fields.pop("actor", None) or f.user()
    return signing.sign(session=session, actor=who, signature="W. Orker", **fields)


def test_what_is_signed_stays(device: Device, protocol: Protocol) -> None:
    who = f.user()
    session = rows.signed(protocol, device, kv=["69", "71"], actor=who)
    session.refresh_from_db()
    assert (session.verdict, session.signed_by, session.signature) == ("pass", who, "W. Orker")
    numbers = {r.text or r.number for r in QAResult.objects.filter(session=session)}
    assert numbers == {70.0, "passed", "none"}
    assert AuditEntry.objects.filter(verb="signed").exists()
    refused("already_signed", sessions.save, session=session, actor=who, comment="later")
    refused("already_signed", sessions.discard, session=session, actor=who)
    refused("already_signed", sign, session)
    for change in (
        lambda: QASession.objects.filter(pk=session.pk).update(comment="later"),
        lambda: QASession.objects.filter(pk=session.pk)._raw_delete("default"),
        lambda: QAResult.objects.update(number=1),
        lambda: QAResult.objects.all()._raw_delete("default"),
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            change()


def test_every_test_is_answered(device: Device, protocol: Protocol) -> None:
    session = rows.draft(protocol, device)
    key = next(row["key"] for row in protocol.current.tests if row["kind"] == "number")  # type: ignore[union-attr]
    who = f.user()
    for values, code in (([""], "tests_unanswered"), (["NaN"], "not_a_number")):
        sessions.save(session=session, actor=who, answers={key: {"values": values}})
        extra = refused(code, sign, session)
        if code == "tests_unanswered":
            assert extra["tests"] == ["Tube voltage"]
    sessions.save(session=session, actor=who, answers={key: {"values": ["70"], "unit": "mA"}})
    refused("unit_mismatch", sign, session)
    assert not QAResult.objects.exists()
    session.refresh_from_db()
    assert session.state == "draft"


def test_a_signature_is_needed_and_a_role(device: Device, protocol: Protocol) -> None:
    session = rows.draft(protocol, device)
    clinician = f.user(Role.CLINICIAN)
    refused("permission_denied", sign, session, actor=clinician)
    refused("permission_denied", sessions.save, session=session, actor=clinician)
    refused("permission_denied", sessions.correct, session=session, actor=clinician, reason="x")
    refused("permission_denied", sessions.begin, actor=clinician, device=device, protocol=protocol)
    for text, code in (("  ", "signature_missing"), ("x" * 201, "signature_too_long")):
        refused(code, signing.sign, session=session, actor=f.user(), signature=text)


def test_of_two_who_sign_the_second_is_told(device: Device, protocol: Protocol) -> None:
    session = rows.draft(protocol, device)
    first = f.user()
    sign(session, actor=first)
    with pytest.raises(DomainError) as caught:
        sign(session)
    assert caught.value.code == "already_signed"
    assert str(first) in caught.value.message


def test_of_two_who_type_the_second_is_told(device: Device, protocol: Protocol) -> None:
    session = rows.draft(protocol, device)
    who = f.user()
    sessions.save(session=session, actor=who, seen=session.revision, comment="one")
    refused(
        "session_changed", sessions.save,
        session=session, actor=f.user(), seen=session.revision, comment="two",
    )  # fmt: skip
    refused("session_changed", sign, session, seen=session.revision)
    session.refresh_from_db()
    assert session.comment == "one"


@pytest.mark.parametrize(
    ("answers", "code"),
    [
        ({"nothing": {}}, "unknown_test"),
        ({"k": 7}, "answer_invalid"),
        ({"k": {"passed": "perhaps"}}, "answer_invalid"),
        ({"k": {"values": [True]}}, "answer_invalid"),
        ({"k": {"values": [[]]}}, "answer_invalid"),
        ({"k": {"values": ["1"] * 21}}, "too_many_values"),
        ({"k": {"values": "12"}}, "too_many_values"),
        ({"k": {"values": ["1" * 65]}}, "value_too_long"),
        ({"k": {"note": "x" * 501}}, "note_too_long"),
        ({"k": {"note": "\0"}}, "note_invalid"),
    ],
)
def test_refused_drafts(
    device: Device, protocol: Protocol, answers: dict[str, Any], code: str
) -> None:
    session = rows.draft(protocol, device)
    key = session.version.tests[0]["key"]
    given = {key if name == "k" else name: answer for name, answer in answers.items()}
    refused(code, sessions.save, session=session, actor=f.user(), answers=given)


def test_moments_and_machines(device: Device, protocol: Protocol) -> None:
    who = f.user()
    ahead = timezone.now() + timedelta(hours=1)
    begin = {"actor": who, "protocol": protocol}
    refused("in_future", sessions.begin, device=device, performed_at=ahead, **begin)
    session = rows.draft(protocol, device)
    refused("in_future", sessions.save, session=session, actor=who, performed_at=ahead)
    never = datetime.min.replace(tzinfo=UTC)
    refused("too_long_ago", sessions.save, session=session, actor=who, performed_at=never)
    refused("protocol_of_another_machine", sessions.begin, device=f.device(), **begin)
    alone = rows.protocol(device, name="Alone", device=device)
    refused(
        "protocol_of_another_machine", sessions.begin,
        device=f.device(device.model), actor=who, protocol=alone,
    )  # fmt: skip
    protocols.retire(protocol=protocol, actor=rows.admin())
    refused("protocol_retired", sessions.begin, device=device, **begin)
    protocols.reinstate(protocol=protocol, actor=rows.admin())
    set_lifecycle(device=device, lifecycle="retired", reason="old", actor=rows.admin())
    device.refresh_from_db()
    refused("device_retired", sessions.begin, device=device, **begin)
    refused("device_retired", sign, session)


def test_an_instrument_beyond_its_date_needs_a_reason(device: Device, protocol: Protocol) -> None:
    who = f.user()
    meter = instruments.create(actor=who, name="kV meter", serial="1", calibrated_until=today(-10))
    refused(
        "instrument_exists", instruments.create,
        actor=who, name="kV meter", serial="1", calibrated_until=today(),
    )  # fmt: skip
    before = rows.draft(protocol, device, 20, instrument=meter)
    assert sign(before).is_signed  # what counts is the day of the measurement
    session = rows.draft(protocol, device, 1, instrument=meter)
    refused("instrument_out_of_date", sign, session)
    sessions.save(session=session, actor=who, instrument_reason="compared with a new one")
    signed = sign(session)
    assert signed.content is not None
    assert signed.content["instrument"]["reason"] == "compared with a new one"
    # the certificate keeps what was true then
    instruments.recalibrated(instrument=meter, actor=who, calibrated_until=today(300))
    signed.refresh_from_db()
    assert signed.content["instrument"]["calibrated_until"] == today(-10).isoformat()


def test_a_protocol_edited_while_a_session_is_a_draft(device: Device, protocol: Protocol) -> None:
    session = rows.draft(protocol, device, kv=73)
    other = rows.draft(protocol, device, kv=73)
    tests = [dict(row) for row in protocol.current.tests]  # type: ignore[union-attr]
    tests[0] |= {"tolerance": 4}
    tests.pop()
    boss = rows.admin()
    refused(
        "reason_missing", protocols.revise, protocol=protocol, actor=boss, tests=tests, reason=""
    )
    protocols.revise(protocol=protocol, actor=boss, tests=tests, reason="wider", seen=1)
    refused(
        "protocol_changed", protocols.revise,
        protocol=protocol, actor=boss, tests=tests, reason="again", seen=1,
    )  # fmt: skip
    assert refused("protocol_changed", sign, session)["version"] == 2
    kept = sign(session, keep_version=True)
    assert (kept.version.number, kept.verdict) == (1, "tolerance")
    moved = sessions.renew(session=other, actor=f.user())
    assert set(moved.answers) == {row["key"] for row in tests}
    done = sign(moved)
    assert (done.version.number, done.verdict) == (2, "pass")
    kept.refresh_from_db()
    assert (kept.version.number, kept.verdict) == (1, "tolerance")


def test_a_correction_takes_the_place_once(device: Device, protocol: Protocol) -> None:
    session = rows.signed(protocol, device, 1, kv=73)
    who = f.user()
    refused("reason_missing", sessions.correct, session=session, actor=who, reason=" ")
    draft = sessions.correct(session=session, actor=who, reason="typed wrongly")
    refused("already_superseded", sessions.correct, session=session, actor=who, reason="again")
    assert draft.answers == session.answers
    row = overview.rows(device=device.pk)[0]
    assert row.last == session  # the draft counts for nothing yet
    refused("not_signed", sessions.correct, session=draft, actor=who, reason="x")
    sessions.save(session=draft, actor=who, answers=rows.answers(protocol, 70))
    done = sign(draft)
    row = overview.rows(device=device.pk)[0]
    assert (row.last, row.state) == (done, "ok")
    session.refresh_from_db()
    assert session.verdict == "tolerance"


def test_files(device: Device, protocol: Protocol, settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path
    session = rows.draft(protocol, device)
    who = f.user()
    attach = {"session": session, "actor": who, "filename": "<b>x</b>.pdf"}
    refused("file_type", files.attach, source=io.BytesIO(b"MZ program"), **attach)
    refused("empty_file", files.attach, source=io.BytesIO(b""), **attach)
    settings.MAX_ORDER_FILE_BYTES = 10
    refused("file_too_large", files.attach, source=io.BytesIO(b"%PDF-1.4 long"), **attach)
    settings.MAX_ORDER_FILE_BYTES = 1000
    kept = files.attach(source=io.BytesIO(b"%PDF-1.4 long"), **attach)
    assert [p for p in tmp_path.rglob("*") if p.is_file()] == [tmp_path / kept.path]
    refused("draft_has_files", sessions.discard, session=session, actor=who)
    signed = sign(session)
    assert signed.content is not None
    assert signed.content["files"] == [{"filename": "<b>x</b>.pdf", "sha256": kept.sha256}]
    refused("already_signed", files.attach, source=io.BytesIO(b"%PDF-1.4"), **attach)
    assert len([p for p in tmp_path.rglob("*") if p.is_file()]) == 1


# --- orders and plans


def tied(device: Device, protocol: Protocol, **fields: Any) -> tuple[MaintenancePlan, WorkOrder]:
    plan = make_plan(device, checklist=(), **fields)
    protocols.tie(protocol=protocol, actor=rows.admin(), plan=plan)
    return plan, plan.orders.get()


def test_an_order_with_a_protocol_is_not_completed_without_a_signed_session(
    device: Device, protocol: Protocol
) -> None:
    _, order = tied(device, protocol)
    who = f.user()
    session = rows.draft(protocol, device, order=order, actor=who)
    order.refresh_from_db()
    assert order.state == "in_progress"  # the session started it
    complete = {"order": order, "actor": who, "signature": "W"}
    assert refused("qa_session_missing", orders.complete, **complete)["protocol"] == protocol.pk
    rows.signed(protocol, device)  # an extra one is not this order's
    refused("qa_session_missing", orders.complete, **complete)
    again = sessions.begin(actor=f.user(), device=device, protocol=protocol, order=order)
    assert again == session  # one draft per order
    sign(session, actor=who)
    done = orders.complete(**complete)
    assert done.state == "done"
    refused(
        "order_closed", sessions.begin, actor=who, device=device, protocol=protocol, order=order
    )


def test_signing_may_complete_the_order(device: Device, protocol: Protocol) -> None:
    plan, order = tied(device, protocol, timing="floating", starts_on=today())
    session = rows.draft(protocol, device, order=order)
    sign(session, close_order=True)
    order.refresh_from_db()
    plan.refresh_from_db()
    assert (order.state, order.signature) == ("done", "W. Orker")
    assert plan.next_due_on is not None
    assert plan.next_due_on > today(80)


def test_a_failed_session_completes_too_and_a_corrected_one_counts(
    device: Device, protocol: Protocol
) -> None:
    _, order = tied(device, protocol)
    session = rows.draft(protocol, device, order=order, kv=90)
    failed = sign(session)
    corrected = rows.corrected(failed, kv=91)
    assert corrected.order == order
    assert orders.complete(order=order, actor=f.user(), signature="W").state == "done"


def test_plans_of_a_model_and_of_other_machines(device: Device, protocol: Protocol) -> None:
    boss = rows.admin()
    foreign = make_plan(checklist=())
    tie = {"protocol": protocol, "actor": boss}
    refused("plan_of_another_machine", protocols.tie, plan=foreign, **tie)
    refused("plan_of_what", protocols.tie, **tie)
    plan, order = tied(device, protocol)
    other = rows.protocol(device, name="Other")
    refused("plan_has_protocol", protocols.tie, protocol=other, actor=boss, plan=plan)
    protocols.untie(link=protocol.plans.get(), actor=boss)
    orders.start(order=order, actor=boss)
    assert orders.complete(order=order, actor=boss, signature="B").state == "done"


def test_an_extra_check_moves_no_due_date_unless_it_counts(
    device: Device, protocol: Protocol
) -> None:
    plan, order = tied(device, protocol, timing="floating", starts_on=today(5))
    rows.signed(protocol, device)
    plan.refresh_from_db()
    assert (plan.next_due_on, order.state) == (None, "planned")
    late = rows.draft(protocol, device, 3)
    refused("counts_for_late", sign, late, counts_for=plan)
    fixed = make_plan(device, title="Fixed")
    refused("counts_for_fixed", sign, rows.draft(protocol, device), counts_for=fixed)
    signed = sign(rows.draft(protocol, device), counts_for=plan)
    plan.refresh_from_db()
    order.refresh_from_db()
    assert order.state == "cancelled"  # nobody had touched it
    assert plan.next_due_on is not None
    assert plan.next_due_on > today(80)
    assert signed.order is not None
    signed.order.refresh_from_db()
    assert (signed.order.state, signed.order.counts_for) == ("done", plan)


def test_what_is_due(device: Device, protocol: Protocol) -> None:
    assert overview.rows(device=device.pk)[0].state == "never"
    plan, order = tied(device, protocol, starts_on=today(3))
    row = overview.rows(device=device.pk)[0]
    assert (row.state, row.order, row.due_on) == ("due", order, today(3))
    assert overview.rows(device=device.pk, today=today(30))[0].state == "overdue"
    rows.signed(protocol, device, 1, kv=90)
    assert overview.rows()[0].state == "failing"
    plans.deactivate(plan=plan, actor=rows.admin())
    rows.signed(protocol, device, 0, kv=73)
    assert overview.rows()[0].state == "warning"


def test_a_list_of_many_asks_as_often_as_of_few(
    device: Device, protocol: Protocol, django_assert_num_queries: Any
) -> None:
    tied(device, protocol)
    rows.signed(protocol, device, 1)
    with django_assert_num_queries(8):
        assert len(overview.rows()) == 1
    for number in range(3):
        other = f.device(device.model)
        rows.signed(protocol, other, number + 1)
        rows.draft(protocol, other)
        tied(other, protocol) if number else None
    with django_assert_num_queries(8):
        assert len(overview.rows()) == 4
