"""Tables: every encoding and trick, and a dry run that tells exactly what applying does."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from django.core import serializers
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase as DjangoCase

from accounts import csvsafe
from accounts.permissions import Role
from devices.models import Device, MaintenancePlan, WorkOrder
from devices.services import plans
from inventory.importing import machines as machine_table
from inventory.importing import mds2 as mds2_table
from inventory.importing import parts as part_table
from inventory.importing import plans as plan_table
from inventory.importing import recalls as recall_table
from inventory.importing import table
from inventory.importing.kinds import amount, day
from inventory.importing.run import digest, run
from inventory.models import InventoryImport, Mds2Answer, Part, Recall, StockMovement
from inventory.services import edited, import_work, imports
from tests.devices.factories import device, model, user
from tests.devices.maintenance_rows import admin, make_plan
from twinhealth.errors import ConflictError, InvalidInputError, TooLargeError

from .rows import make_part, make_vendor

PARTS = "number;name;price;reorder_level\nA-1;Größe µ;12,50;3\nA-2;Filter;1.234,50;0\n"


def refused(code: str, call: Any, *args: Any, **kwargs: Any) -> Any:
    with pytest.raises((InvalidInputError, TooLargeError, ConflictError)) as caught:
        call(*args, **kwargs)
    assert caught.value.code == code
    return caught.value


# --- reading


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252"])
def test_encodings(encoding: str):
    data = PARTS.encode(encoding)
    data = b"\xff\xfe" + data if encoding == "utf-16-le" else data
    found = table.read(data)
    assert found.headings == ("number", "name", "price", "reorder_level")
    assert [row.cells["name"] for row in found.rows] == ["Größe µ", "Filter"]
    assert found.delimiter == ";"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty_file"),
        (b" \n", "empty_file"),
        (b"\xff\xfe", "empty_file"),
        (PARTS.encode("utf-16-le"), "not_text"),  # without its mark
        (b"number,name\nA,\x81\x8d\n", "unknown_encoding"),
        (b"number,name\nA,\xc3", "unknown_encoding"),  # cut off within a character
        (b"\xff\xfea", "unknown_encoding"),
        (b"%PDF-1.7\x00\x01,\x9d", "not_text"),
        (b"number,number\nA,B\n", "duplicate_heading"),
        (b"number,,name\nA,B,C\n", "no_headings"),
        (b"number,name\n", "no_rows"),
        (b'number,name\nA,"open\n', "broken_row"),
        (b"a" + b",a" * 100 + b"\n1\n", "too_many_columns"),
    ],
)
def test_files_that_nobody_can_read(data: bytes, code: str):
    refused(code, table.read, data)


def test_ten_thousand_rows_and_no_more():
    rows = "".join(f"A-{n},x\n" for n in range(10_000))
    assert len(table.read(f"number,name\n{rows}".encode()).rows) == 10_000
    refused("too_many_rows", table.read, f"number,name\n{rows}A,x\n".encode())


@pytest.mark.parametrize(
    "cell",
    ["=1+1", "@SUM(A1)", "+cmd|' /C calc'!A0", "-2+3+cmd|x", "\uff1d1+1", "\u00a0=1", "-=1"],
)
def test_formulas_are_refused(cell: str):
    out = io.StringIO()
    csv.writer(out).writerows([["number", "name"], ["A", cell]])
    row = table.read(out.getvalue().encode()).rows[0]
    assert row.error
    assert row.error[:2] == ("name", "formula")


@pytest.mark.parametrize("cell", ["+49 30 1234-5", "-12.50", "-1e3", "a=b", "'quoted'", "+1", "-"])
def test_what_only_looks_like_a_formula(cell: str):
    row = table.read(f"number,name\nA,{cell}\n".encode()).rows[0]
    assert (row.error, row.cells["name"]) == (None, cell)


@given(
    st.lists(
        st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20),
        min_size=1,
        max_size=4,
    )
)
def test_our_own_export_is_read_as_it_was(texts: list[str]):
    clean = [" ".join(text.split()).strip("\u00a0 ") for text in texts]
    clean = [text for text in clean if not text.startswith("'")]
    lines = "".join(csvsafe.stream(("a", "b"), [(text, "x") for text in clean]))
    if not clean:
        return
    rows = table.read(lines.encode()).rows
    assert [(row.error, row.cells["a"]) for row in rows] == [(None, text) for text in clean]


def test_money_and_days():
    for text, value in {
        "12,50": "12.50",
        "1.234,50": "1234.50",
        "1,234.50": "1234.50",
        "7": "7",
        "": None,
    }.items():
        assert (str(amount({"p": text}, "p")) if text else amount({"p": text}, "p")) == value
    for text in ("1,234", "1.234", "x", "NaN", "1e999999999"):
        with pytest.raises(InvalidInputError):
            edited.money(amount({"p": text}, "p"), field="price")
    for text in ("2026-03-01", "20260301", "01.03.2026", "03/01/2026", "2026-03-01T10:00"):
        assert str(day({"d": text}, "d")) == "2026-03-01"
    for text in ("2026-02-30", "yesterday", "1.1", "99999999", "13/13/2026", "2026-03-01x"):
        refused("bad_day", day, {"d": text}, "d")


# --- fates


def fates_of(
    kind: Any, text: str, *, keep: bool = False, expected: str = "", actor: Any = None
) -> Any:
    return run(kind, table.read(text.encode()), actor=actor, keep=keep, expected=expected)


def everything() -> str:
    rows: list[Any] = [
        *Part.objects.order_by("pk"), *StockMovement.objects.order_by("pk"),
        *Device.objects.order_by("pk"), *MaintenancePlan.objects.order_by("pk"),
        *WorkOrder.objects.order_by("pk"), *Recall.objects.order_by("pk"), *Mds2Answer.objects.order_by("pk"),
    ]  # fmt: skip
    return serializers.serialize("json", rows)


_ROW = st.fixed_dictionaries({
    "number": st.sampled_from(["A-1", "A-2", "A-3", "A-4", "", "=A", "x" * 70]),
    "name": st.sampled_from(["Filter", "Tube", "", "=cmd", "y" * 200]),
    "price": st.sampled_from(["", "12.50", "12,50", "-1", "1,234", "x"]),
    "reorder_level": st.sampled_from(["", "0", "5", "-1", "x", "99999999999"]),
    "opening_stock": st.sampled_from(["", "0", "4", "x"]),
    "vendor": st.sampled_from(["", "Known", "nobody"]),
    "active": st.sampled_from(["yes", "no", "", "maybe"]),
})  # fmt: skip


class DryRun(DjangoCase):
    """Whatever the table, the dry run stores nothing and says what applying does."""

    @settings(max_examples=60)
    @given(st.lists(_ROW, min_size=1, max_size=6))
    def test_tells_exactly_what_applying_does(self, rows: list[dict[str, str]]):
        make_vendor(name="Known")
        make_part(number="A-1", name="Filter", in_stock=2)
        out = io.StringIO()
        writer = csv.DictWriter(out, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
        before = everything()
        dry, kept = fates_of(part_table.Parts(), out.getvalue())
        assert not kept
        assert everything() == before
        there = {part.number: part for part in Part.objects.all()}
        after, kept = fates_of(part_table.Parts(), out.getvalue(), keep=True, expected=digest(dry))
        assert after == dry
        if any(each.fate == "refused" for each in dry):
            assert not kept
            assert everything() == before
            return
        assert kept
        for each, row in zip(dry, rows, strict=True):
            now = Part.objects.get(number=row["number"])
            assert (each.fate == "added") is (row["number"] not in there)
            if each.fate == "unchanged":
                old = there[row["number"]]
                assert (now.name, now.price, now.active) == (old.name, old.price, old.active)
            for name, (_, to) in each.changes.items():
                value = stock_of(now) if name == "opening_stock" else getattr(now, name)
                assert str(value if value is not None else "None") == str(to)
        again, _ = fates_of(part_table.Parts(), drop(out.getvalue(), "opening_stock"))
        assert {each.fate for each in again} == {"unchanged"}


def stock_of(part: Part) -> int:
    return Part.objects.get(pk=part.pk).stock


def drop(text: str, column: str) -> str:
    rows = list(csv.DictReader(io.StringIO(text)))
    out = io.StringIO()
    names = [name for name in rows[0] if name != column]
    writer = csv.DictWriter(out, fieldnames=names, extrasaction="ignore")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


@pytest.mark.django_db
def test_each_refusal_names_its_column():
    make_part(number="A-1")
    text = (
        "number,name,price,fits,vendor,opening_stock,kind\n"
        "A-1,x,,,,3,\nB,x,-1,,,,\nC,x,,nothing,,,\nD,x,,,nobody,,\nE,x,,,,,wheel\nE2,x,,,,,\nE2,y,,,,,\n"
        ",x,,,,,\nF,=x,,,,,\nG,x,,,,,,,more\n"
    )
    found, _ = fates_of(part_table.Parts(), text)
    assert [(each.line, each.column, each.code) for each in found if each.fate == "refused"] == [
        (2, "opening_stock", "stock_by_movement"), (3, "price", "price_out_of_range"),
        (4, "fits", "unknown_model"), (5, "vendor", "unknown_vendor"), (6, "kind", "unknown_choice"),
        (8, "", "duplicate_row"), (9, "number", "number_missing"), (10, "name", "formula"),
        (11, "", "too_many_cells"),
    ]  # fmt: skip


@pytest.mark.django_db
def test_columns_that_are_missing_or_strange():
    refused("column_missing", fates_of, part_table.Parts(), "number\nA\n")
    assert refused(
        "unknown_column", fates_of, part_table.Parts(), "number,name,colour\nA,B,C\n"
    ).extra["columns"] == ["colour"]


def exported(module: Any, *args: Any) -> str:
    return "".join(csvsafe.stream(module.HEADER, module.rows(*args)))


@pytest.mark.django_db
def test_what_goes_out_comes_back_unchanged():
    who = admin()
    of = model(manufacturer="=Acme", name="-X")
    machine = device(of, name="+XR", location="@Room", ae_titles=["XR1", "XR_2"])
    device(of, name="retired")
    make_part(number="-P", name="=Filter", vendor=make_vendor(name="@V"), fits=[of])
    make_plan(
        machine,
        title="=Yearly",
        rrule="FREQ=YEARLY",
        checklist=[
            "clean [text]",
            {"step": "kV", "kind": "number", "unit": "kV", "low": 68, "high": 72},
        ],
    )
    kinds = [
        (machine_table, machine_table.Machines()),
        (part_table, part_table.Parts()),
        (plan_table, plan_table.Plans()),
    ]
    for module, kind in kinds:
        found, _ = fates_of(kind, exported(module), actor=who)
        assert [(each.fate, each.code) for each in found] == [("unchanged", "")] * len(found)
        assert found


@pytest.mark.django_db
def test_machines_are_added_changed_retired_and_never_deleted():
    who, of = admin(), model(manufacturer="Acme", name="X")
    one, two, stays = (device(of, serial=f"S-{n}", name=f"M{n}") for n in (1, 2, 3))
    text = (
        "serial,name,manufacturer,model,modality,room,criticality,lifecycle\n"
        "S-1,New name,Acme,X,DX,R1,high,in service\nS-2,M2,Acme,X,DX,,medium,retired\n"
        "S-9,Fresh,Other,Y,CR,R9,low,\n"
    )
    dry, _ = fates_of(machine_table.Machines(), text, actor=who)
    assert [(each.fate, each.key) for each in dry] == [
        ("changed", "S-1"),
        ("changed", "S-2"),
        ("added", "S-9"),
    ]
    assert dry[0].changes == {
        "name": ["M1", "New name"],
        "room": ["", "R1"],
        "criticality": ["medium", "high"],
    }
    assert dry[1].changes == {"lifecycle": ["in service", "retired"]}
    _, kept = fates_of(machine_table.Machines(), text, actor=who, keep=True, expected=digest(dry))
    assert kept
    one.refresh_from_db()
    two.refresh_from_db()
    assert (one.name, one.location, two.lifecycle) == ("New name", "R1", "retired")
    assert Device.objects.get(serial="S-9").model.name == "Y"
    assert Device.objects.filter(pk=stays.pk, lifecycle="in_service").exists()
    bad = "serial,name,manufacturer,model,lifecycle\nS-2,M2,Acme,X,in service\nS-1,n,Acme,Z,\nS-8,n,New,Make,\n"
    found, _ = fates_of(machine_table.Machines(), bad, actor=who)
    assert [(each.column, each.code) for each in found] == [
        ("", "device_retired"), ("model", "model_fixed"), ("modality", "model_incomplete"),
    ]  # fmt: skip


@pytest.mark.django_db
def test_plans_are_added_changed_and_paused():
    who = admin()
    machine = device(serial="S-1")
    plan = make_plan(machine, title="Quarterly")
    text = (
        "id,serial,title,rrule,starts_on,grace_days,checklist,active\n"
        f"{plan.pk},S-1,Quarterly,FREQ=MONTHLY;INTERVAL=6,{plan.starts_on},3,clean,no\n"
        ',S-1,Yearly,FREQ=YEARLY,2026-12-01,7,"look\nkV [number kV 68..72]",yes\n'
    )
    dry, _ = fates_of(plan_table.Plans(), text, actor=who)
    assert [each.fate for each in dry] == ["changed", "added"]
    _, kept = fates_of(plan_table.Plans(), text, actor=who, keep=True, expected=digest(dry))
    assert kept
    plan.refresh_from_db()
    assert (plan.rrule, plan.active, plan.grace_days) == ("FREQ=MONTHLY;INTERVAL=6", False, 3)
    assert MaintenancePlan.objects.get(title="Yearly").checklist[1]["high"] == 72
    bad = "id,serial,title,rrule,starts_on\n99999999,S-1,x,FREQ=YEARLY,2026-12-01\n,S-7,x,FREQ=YEARLY,2026-12-01\n,S-1,y,FREQ=SOMETIMES,2026-12-01\n,S-1,z,FREQ=YEARLY,\n"
    found, _ = fates_of(plan_table.Plans(), bad, actor=who)
    assert [each.code for each in found] == [
        "plan_not_found",
        "unknown_device",
        "rrule_invalid",
        "starts_on_missing",
    ]
    plans.create(
        actor=who, device=machine, title="Yearly", rrule="FREQ=YEARLY", starts_on=plan.starts_on
    )
    found, _ = fates_of(
        plan_table.Plans(),
        "serial,title,rrule,starts_on\nS-1,Yearly,FREQ=YEARLY,2026-12-01\n",
        actor=who,
    )
    assert found[0].code == "ambiguous_plan"


@pytest.mark.django_db
def test_the_fda_export_is_understood_and_sent_twice_changes_nothing():
    machine = device(model(manufacturer="Acme", name="XR-600"), serial="US915")
    text = (
        "Recall Number,Recalling Firm,Product Description,Code Info,Reason for Recall,Classification,"
        "Recall Initiation Date,Status\n"
        'Z-1-2026,"Acme Medical Solutions USA, Inc","XR 600 digital X-ray system","US914  US915",bolts,Class II,20260214,Ongoing\n'
    )
    kind = recall_table.Recalls
    dry, _ = fates_of(kind(), text)
    assert dry[0].changes["candidates"] == [None, 1]
    _, kept = fates_of(kind(), text, keep=True, expected=digest(dry))
    assert kept
    recall = Recall.objects.get()
    assert (recall.reference, recall.severity, str(recall.issued_on)) == (
        "Z-1-2026",
        "II",
        "2026-02-14",
    )
    assert recall.candidates.get().device == machine
    again, _ = fates_of(kind(), text)
    assert [each.fate for each in again] == ["unchanged"]
    found, _ = fates_of(kind(), exported(recall_table))
    assert [each.fate for each in found] == ["unchanged"]


@pytest.mark.django_db
def test_mds2_answers_come_and_go():
    of = model()
    text = "code,answer,note\nALOF-1,yes,\nAUDT-1,see note,page 4\nPAUT-1,maybe,\nXXXX-1,yes,\nSBOM-1,note,\n"
    found, _ = fates_of(mds2_table.Mds2(of), text)
    assert [each.code or each.fate for each in found] == [
        "added",
        "added",
        "unknown_choice",
        "unknown_question",
        "note_missing",
    ]
    good = "code,answer,note\nALOF-1,yes,\nAUDT-1,see note,page 4\n"
    dry, _ = fates_of(mds2_table.Mds2(of), good)
    fates_of(mds2_table.Mds2(of), good, keep=True, expected=digest(dry))
    found, _ = fates_of(mds2_table.Mds2(of), exported(mds2_table, of))
    assert {each.fate for each in found} == {"unchanged"}
    assert Mds2Answer.objects.count() == 2


# --- the job


def sent(text: str = PARTS, kind: str = "parts") -> InventoryImport:
    job = imports.receive(
        source=io.BytesIO(text.encode()), filename="p.csv", kind=kind, actor=user(Role.ADMIN)
    )
    import_work.work(import_id=job.pk)
    job.refresh_from_db()
    return job


@pytest.mark.django_db
def test_a_file_is_looked_through_then_applied_and_its_fates_stay(
    django_capture_on_commit_callbacks: Any,
):
    job = sent()
    assert (job.state, job.counts, Part.objects.count()) == ("checked", {"added": 2}, 0)
    imports.apply(job=job, actor=user(Role.ADMIN))
    with django_capture_on_commit_callbacks(execute=True):
        import_work.work(import_id=job.pk)
    job.refresh_from_db()
    assert (job.state, Part.objects.count(), job.fates.count()) == ("done", 2, 2)
    assert not import_work.file_of(job).exists()
    refused("bad_transition", imports.apply, job=job, actor=user(Role.ADMIN))
    same = sent()
    assert same.counts == {"unchanged": 2}
    refused("nothing_to_do", imports.apply, job=same, actor=user(Role.ADMIN))
    imports.discard(job=same, actor=user(Role.ADMIN))


@pytest.mark.django_db
def test_one_refused_row_refuses_all():
    job = sent(PARTS + "A-3;=cmd;;\n")
    assert job.counts == {"added": 2, "refused": 1}
    refused("rows_refused", imports.apply, job=job, actor=user(Role.ADMIN))
    assert not Part.objects.exists()


@pytest.mark.django_db
def test_a_file_that_changed_meanwhile_is_noticed():
    job = sent()
    imports.apply(job=job, actor=user(Role.ADMIN))
    import_work.file_of(job).write_bytes(PARTS.replace("12,50", "0,01").encode())
    import_work.work(import_id=job.pk)
    job.refresh_from_db()
    assert (job.state, job.code, Part.objects.count()) == ("failed", "file_changed", 0)


@pytest.mark.django_db
def test_a_hospital_that_changed_meanwhile_is_noticed():
    job = sent()
    make_part(number="A-1", name="somebody else's")
    imports.apply(job=job, actor=user(Role.ADMIN))
    import_work.work(import_id=job.pk)
    job.refresh_from_db()
    assert (job.state, job.code, job.counts) == (
        "checked",
        "fates_changed",
        {"changed": 1, "added": 1},
    )
    assert Part.objects.count() == 1
    imports.apply(job=job, actor=user(Role.ADMIN))
    import_work.work(import_id=job.pk)
    assert Part.objects.count() == 2


@pytest.mark.django_db
def test_what_isnt_kept(media: Any):
    refused(
        "unknown_kind",
        imports.receive,
        source=io.BytesIO(b"a\n1\n"),
        filename="x",
        kind="pets",
        actor=user(),
    )
    refused(
        "model_missing",
        imports.receive,
        source=io.BytesIO(b"code,answer\nA,b\n"),
        filename="x",
        kind="mds2",
        actor=user(),
    )
    refused(
        "column_missing",
        imports.receive,
        source=io.BytesIO(b"name\nx\n"),
        filename="x",
        kind="parts",
        actor=user(),
    )
    assert not InventoryImport.objects.exists()
    assert not [path for path in media.rglob("*") if path.is_file()]


@pytest.mark.django_db
def test_opening_stock_is_a_receipt():
    dry, _ = fates_of(part_table.Parts(), "number,name,opening_stock\nA,x,4\n")
    fates_of(
        part_table.Parts(), "number,name,opening_stock\nA,x,4\n", keep=True, expected=digest(dry)
    )
    part = Part.objects.get()
    assert (part.stock, part.movements.get().reason) == (4, "opening stock")
