"""Audit files: what stands in them, what the hash is of, and that nobody is left out."""

from __future__ import annotations

import csv
import hashlib
import io
import subprocess
import zipfile
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.permissions import Role
from devices import dossier
from devices.models import Device, WorkOrder
from devices.services import downtimes, order_files, orders
from devices.services.registry import set_lifecycle
from inventory.audit_content import collect
from inventory.models import AuditFile
from inventory.services import audit_file_work, audit_files, contracts, stock
from tests.devices.factories import device, user
from tests.devices.maintenance_rows import admin, make_plan, today
from twinhealth.errors import ConflictError, InvalidInputError, NotFoundError

from .rows import make_part, make_vendor

pytestmark = pytest.mark.django_db
PDF = b"%PDF-1.4 a delivery note"


def busy() -> tuple[Device, WorkOrder]:
    """A machine with a plan whose order is done, a file, a part, a downtime and a contract."""
    machine = device(name="XR <b>1</b>", serial="SN-1")
    plan = make_plan(
        machine,
        title="Quarterly =service",
        checklist=[{"step": "kV", "kind": "number", "unit": "kV", "low": 68, "high": 72}],
    )
    order, who = plan.orders.get(), user()
    order = orders.start(order=order, actor=who)
    order_files.attach(order=order, actor=who, source=io.BytesIO(PDF), filename="note.pdf")
    stock.issue(part=make_part(5, number="F-77"), order=order, amount=2, actor=who)
    order = orders.complete(
        order=order, actor=who, checklist=[{"value": 70.5}], signature="S. Igned"
    )
    orders.verify(order=order, actor=admin())
    down = downtimes.create(
        actor=who, device=machine, reason="tube failed",
        starts_at=timezone.now() - timedelta(hours=5), ends_at=timezone.now() - timedelta(hours=2),
    )  # fmt: skip
    downtimes.correct(
        downtime=down, actor=who, why="it was longer", starts_at=down.starts_at,
        ends_at=timezone.now() - timedelta(hours=1), reason="tube failed", planned=False,
        extent="full", order=None,
    )  # fmt: skip
    contracts.save(
        actor=admin(), vendor=make_vendor(name="Fixers"), number="C-9", kind="full",
        devices=[machine], starts_on=today(-9), ends_on=today(9),
    )  # fmt: skip
    return machine, order


def content_of(machine: Device | None = None) -> Any:
    found = Device.objects.select_related("model").order_by("serial")
    listed = [d for d in found if machine is None or d.pk == machine.pk]
    return collect(listed, starts_on=today(-30), ends_on=today(30))


def rows_of(content: Any, name: str) -> list[dict[str, str]]:
    place = [section.name for section in content.sections].index(name)
    columns = content.sections[place].columns
    return [dict(zip(columns, row, strict=True)) for m in content.machines for row in m.rows[place]]


def made(machine: Device | None = None, **fields: Any) -> AuditFile:
    row = audit_files.ask(
        actor=fields.pop("actor", None) or admin(),
        device=machine,
        starts_on=today(-30),
        ends_on=today(30),
    )
    assert audit_file_work.work(file_id=row.pk)
    row.refresh_from_db()
    return row


def test_who_what_when_signature_and_hashes():
    machine, order = busy()
    content = content_of(machine)
    number = f"WO-{order.pk}"
    (found,) = rows_of(content, "orders")
    assert (found["order"], found["state"], found["signature"]) == (number, "verified", "S. Igned")
    assert found["done by"]
    assert found["verified by"]
    assert found["done by"] != found["verified by"]
    (step,) = rows_of(content, "steps")
    assert (step["what"], step["value"], step["unit"], step["limits"] != "") == (
        "kV",
        "70.5",
        "kV",
        True,
    )
    (due,) = rows_of(content, "due-dates")
    assert (due["due"], due["in time"]) == (today().isoformat(), "in time")
    (file,) = rows_of(content, "files")
    assert (file["name"], file["bytes"]) == ("note.pdf", str(len(PDF)))
    assert file["sha-256"] == hashlib.sha256(PDF).hexdigest()
    assert [row["what"] for row in rows_of(content, "parts")] == ["issued"]
    (down,) = rows_of(content, "downtimes")
    (corrected,) = rows_of(content, "downtime-corrections")
    assert (down["reason"], corrected["why"]) == ("tube failed", "it was longer")
    assert [row["number"] for row in rows_of(content, "contracts")] == ["C-9"]
    assert any(row["note"].startswith("signed") for row in rows_of(content, "history"))


def test_due_dates_are_judged_by_the_period_and_not_by_today():
    machine = device()
    late = orders.create(
        actor=admin(), device=machine, title="late", due_on=today(-5), grace_days=1
    )
    orders.create(actor=admin(), device=machine, title="grace", due_on=today(-1), grace_days=60)
    gone = orders.create(actor=admin(), device=machine, title="gone", due_on=today(-2))
    orders.cancel(order=gone, actor=admin(), reason="machine is away")
    found = {row["title"]: row["in time"] for row in rows_of(content_of(machine), "due-dates")}
    assert found == {"late": "not done in time", "grace": "not yet due", "gone": "cancelled"}
    late = orders.start(order=late, actor=user())
    orders.complete(order=late, actor=user(), checklist=[], signature="x")
    found = {row["title"]: row["in time"] for row in rows_of(content_of(machine), "due-dates")}
    assert found["late"] == "late"


def test_the_same_data_have_the_same_hash_whoever_asks():
    machine, order = busy()
    first, second = made(machine), made(machine, actor=user())
    assert first.content_sha256 == second.content_sha256 == content_of(machine).sha256()
    assert first.requested_by_name != second.requested_by_name
    orders.comment(order=order, actor=user(), text="one more remark")
    assert made(machine).content_sha256 != first.content_sha256


def test_the_pdf_has_it_all():
    machine, order = busy()
    row = made(machine)
    path = audit_files.take(row=row, kind="pdf", actor=admin())
    text = subprocess.run(
        ["pdftotext", "-layout", str(path), "-"], check=True, capture_output=True, text=True
    ).stdout
    pages = text.count("\f")
    for wanted in (
        "Audit file", "XR <b>1</b>", "SN-1", f"WO-{order.pk}", "S. Igned", "70.5", "tube failed",
        "C-9", "F-77", row.content_sha256, f"page 1 of {pages}", f"page {pages} of {pages}",
        row.requested_by_name.split(" ")[0],
    ):  # fmt: skip
        assert wanted in text, wanted
    # a hash is broken into the lines of its narrow cell
    assert hashlib.sha256(PDF).hexdigest()[:8] in text
    assert hashlib.sha256(path.read_bytes()).hexdigest() == row.pdf_sha256


def test_the_zip_has_it_all_and_can_be_hashed_again():
    machine, order = busy()
    row = made(machine)
    path = audit_files.take(row=row, kind="zip", actor=admin())
    with zipfile.ZipFile(path) as archive:
        names = set(archive.namelist())
        assert names >= {"orders.csv", "files.csv", "about.csv", "content.jsonl", "parts.csv"}
        assert hashlib.sha256(archive.read("content.jsonl")).hexdigest() == row.content_sha256
        about = dict(csv.reader(io.StringIO(archive.read("about.csv").decode("utf-8-sig"))))
        for name in names - {"about.csv"}:
            assert about[f"sha-256 of {name}"] == hashlib.sha256(archive.read(name)).hexdigest()
        orders_csv = archive.read("orders.csv").decode("utf-8-sig")
    (found,) = csv.DictReader(io.StringIO(orders_csv))
    assert (found["serial"], found["order"]) == ("SN-1", f"WO-{order.pk}")
    assert "'=" not in found["title"]
    assert found["title"] == "Quarterly =service"


def test_a_retired_machine_stays_in_the_file():
    machine, _ = busy()
    set_lifecycle(device=machine, lifecycle="retired", actor=admin(), reason="too old")
    device(serial="SN-2")
    row = made()
    assert (row.machines, row.machines_done) == (2, 2)
    content = content_of()
    assert [each.serial for each in content.machines] == ["SN-1", "SN-2"]
    assert rows_of(content, "machine")[0]["lifecycle"] == "retired"
    assert rows_of(content, "orders")


def test_a_room_adds_its_own_section():
    before = dict(dossier._sections)
    dossier.register(dossier.Section("quality", "Tests", ("what",), lambda *_: [["=passed"]], 90))
    try:
        machine = device()
        assert rows_of(content_of(machine), "quality") == [{"what": "=passed"}]
        row = made(machine)
        with zipfile.ZipFile(audit_files.take(row=row, kind="zip", actor=admin())) as archive:
            assert "'=passed" in archive.read("quality.csv").decode()
    finally:
        dossier._sections.clear()
        dossier._sections.update(before)


def refused(code: str, call: Any, **fields: Any) -> None:
    with pytest.raises((InvalidInputError, ConflictError, NotFoundError)) as caught:
        call(**fields)
    assert caught.value.code == code


def test_refusals():
    who = admin()
    for start, end in ((0, -1), (-1_200, 0)):
        refused(
            "bad_period", audit_files.ask, actor=who, starts_on=today(start), ends_on=today(end)
        )
    rows = [audit_files.ask(actor=who, starts_on=today(-1), ends_on=today()) for _ in range(5)]
    refused("too_many_waiting", audit_files.ask, actor=who, starts_on=today(-1), ends_on=today())
    refused("not_made_yet", audit_files.take, row=rows[0], kind="pdf", actor=who)


def test_a_worker_that_dies_is_followed_by_another(monkeypatch: pytest.MonkeyPatch):
    machine = device()
    row = audit_files.ask(actor=admin(), device=machine, starts_on=today(-1), ends_on=today())
    assert audit_file_work.lost() == []
    AuditFile.objects.filter(pk=row.pk).update(
        state="working", token="dead", attempts=1, touched_at=timezone.now() - timedelta(hours=1)
    )
    assert audit_file_work.lost() == [row.pk]
    assert audit_file_work.work(file_id=row.pk)
    assert not audit_file_work.work(file_id=row.pk)  # done: a second message does nothing
    AuditFile.objects.filter(pk=row.pk).update(
        state="working", attempts=3, touched_at=timezone.now() - timedelta(hours=1)
    )
    assert not audit_file_work.work(file_id=row.pk)
    row.refresh_from_db()
    assert row.state == "failed"


def test_by_rest():
    machine, _ = busy()
    client = APIClient()
    client.force_authenticate(user(Role.ENGINEER))
    given = {"device": machine.serial, "starts_on": today(-9), "ends_on": today()}
    made_row = client.post("/api/v1/audit-files/", given, format="json")
    assert (made_row.status_code, made_row.json()["state"]) == (201, "queued")
    pk = made_row.json()["id"]
    assert client.get(f"/api/v1/audit-files/{pk}/pdf/").json()["code"] == "not_made_yet"
    audit_file_work.work(file_id=pk)
    answer = client.get(f"/api/v1/audit-files/{pk}/pdf/")
    assert b"".join(answer.streaming_content).startswith(b"%PDF-")
    client.force_authenticate(user(Role.CLINICIAN))
    assert client.get(f"/api/v1/audit-files/{pk}/").status_code == 403
