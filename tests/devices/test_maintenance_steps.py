"""Typed steps of a checklist: numbers with limits, photos, texts; files of orders."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from rest_framework.test import APIClient

from accounts.models import AuditEntry
from accounts.permissions import Role
from devices import checklist, checklist_steps
from devices.models import MaintenancePlan, OrderFile, WorkOrder
from devices.services import order_files, orders, plans
from tests.devices.factories import user
from tests.devices.maintenance_rows import admin, make_device, make_order, make_plan
from twinhealth.errors import ConflictError, InvalidInputError, TooLargeError

VOLTAGE = {"step": "Tube voltage", "kind": "number", "unit": "kV", "low": 68.0, "high": 72.0}
TYPED: list[Any] = [
    "clean the grid",
    VOLTAGE,
    {"step": "Label", "kind": "photo"},
    {"step": "Remarks", "kind": "text"},
]


def picture(kind: str = "JPEG") -> bytes:
    found = io.BytesIO()
    Image.new("L", (8, 8), 90).save(found, kind)
    return found.getvalue()


def running(steps: list[Any] | None = None) -> WorkOrder:
    return make_order("in_progress", checklist=TYPED if steps is None else steps)


def attach(order: WorkOrder, data: bytes, **fields: Any) -> OrderFile:
    return order_files.attach(
        order=order, actor=user(), source=io.BytesIO(data), filename="label.jpg", **fields
    )


# --- what a checklist asks for


@pytest.mark.parametrize(
    ("line", "step"),
    [
        ("clean", "clean"),
        ("check [A] and [B]", "check [A] and [B]"),
        ("Label [photo]", {"step": "Label", "kind": "photo"}),
        ("Remarks [TEXT]", {"step": "Remarks", "kind": "text"}),
        ("Tube voltage [number kV 68..72]", VOLTAGE),
        ("Gap [number mm ..0.5]",
         {"step": "Gap", "kind": "number", "unit": "mm", "low": None, "high": 0.5}),
        ("Offset [number -5..]",
         {"step": "Offset", "kind": "number", "unit": "1", "low": -5.0, "high": None}),
        ("Count [number]", {"step": "Count", "kind": "number", "unit": "1", "low": None, "high": None}),
    ],
)  # fmt: skip
def test_a_line_says_how_it_is_answered(line: str, step: Any) -> None:
    found = checklist_steps.steps([checklist_steps.from_line(line)])
    assert found == [step]
    again = checklist_steps.steps([checklist_steps.from_line(checklist_steps.as_line(found[0]))])
    assert again == found


def test_a_text_that_looks_like_a_kind_stays_a_text() -> None:
    assert checklist_steps.as_line("see [photo]") == "see [photo] [check]"
    assert checklist_steps.from_line("see [photo] [check]") == "see [photo]"


finite = st.floats(-1e6, 1e6, allow_nan=False)


@given(st.text(st.characters(codec="ascii", exclude_characters="\x00"), min_size=1).map(str.strip)
       .filter(lambda t: t and len(t.splitlines()) == 1),
       st.sampled_from(["kV", "mm", "1"]), st.none() | finite, st.none() | finite)  # fmt: skip
def test_every_number_comes_back_from_its_line(
    text: str, unit: str, low: float | None, high: float | None
) -> None:
    if low is not None and high is not None:
        low, high = min(low, high), max(low, high)
    step = {"step": text, "kind": "number", "unit": unit, "low": low, "high": high}
    kept = checklist_steps.steps([step])
    line = checklist_steps.as_line(kept[0])
    assert checklist_steps.steps([checklist_steps.from_line(line)]) == kept


@pytest.mark.parametrize(
    ("step", "code"),
    [
        ({"step": "", "kind": "photo"}, "step_missing"),
        ({"kind": "photo"}, "step_invalid"),
        (5, "step_invalid"),
        ({"step": "x", "kind": "film"}, "step_kind_unknown"),
        ({"step": "x", "kind": "photo", "colour": 1}, "step_kind_unknown"),
        ({"step": "x", "kind": "number", "unit": "furlong"}, "step_unit_unknown"),
        ({"step": "x", "kind": "number", "unit": 5}, "step_unit_unknown"),
        ({"step": "x", "kind": "number", "low": 3, "high": 2}, "step_limits_invalid"),
        ({"step": "x", "kind": "number", "low": "3"}, "step_limits_invalid"),
        ({"step": "x", "kind": "number", "low": True}, "step_limits_invalid"),
        ({"step": "x", "kind": "number", "low": float("nan")}, "step_limits_invalid"),
        ({"step": "x" * 301, "kind": "text"}, "step_too_long"),
    ],
)
def test_a_bad_step_is_refused(step: Any, code: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        checklist_steps.steps([step])
    assert caught.value.code == code


def test_bad_limits_in_a_line_are_refused() -> None:
    for line in ("x [number kV 1..2..3]", "x [number kV a..b]", "x [number 1.2.3..4]"):
        with pytest.raises(InvalidInputError):
            checklist_steps.steps([checklist_steps.from_line(line)])


# --- answers


@pytest.mark.django_db
def test_each_kind_is_answered_in_its_own_way() -> None:
    order = running()
    attach(order, picture(), step=2)
    done = orders.complete(
        order=order, actor=user(), signature="A",
        checklist=[True, {"value": "70,5"}, {"note": ""}, {"value": " fine "}],
    )  # fmt: skip
    assert [item.get("value") for item in done.checklist] == [
        None, 70.5, OrderFile.objects.get().pk, "fine",
    ]  # fmt: skip
    assert all(item["done"] for item in done.checklist)
    assert not done.out_of_limits


@pytest.mark.django_db
def test_a_number_beyond_its_limits_needs_a_note_and_marks_the_order() -> None:
    order = running([VOLTAGE])
    with pytest.raises(InvalidInputError) as caught:
        orders.complete(order=order, actor=user(), signature="A", checklist=[{"value": 72.1}])
    assert caught.value.code == "checklist_incomplete"
    assert caught.value.extra["steps"] == ["Tube voltage"]
    done = orders.complete(
        order=order, actor=user(), signature="A",
        checklist=[{"value": 72.1, "note": "readjusted, see the next order"}],
    )  # fmt: skip
    assert done.out_of_limits


@pytest.mark.django_db
@pytest.mark.parametrize("value", [68, 72, 70.0])
def test_the_limit_itself_is_allowed(value: float) -> None:
    order = running([VOLTAGE])
    done = orders.complete(order=order, actor=user(), signature="A", checklist=[{"value": value}])
    assert not done.out_of_limits


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("steps", "answer", "code"),
    [
        ([VOLTAGE], True, "checklist_mismatch"),
        ([VOLTAGE], {"value": "high"}, "number_invalid"),
        ([VOLTAGE], {"value": "nan"}, "number_invalid"),
        ([VOLTAGE], {"value": "1e999"}, "number_invalid"),
        ([VOLTAGE], {"value": True}, "number_invalid"),
        ([VOLTAGE], {"value": [1]}, "number_invalid"),
        ([VOLTAGE], {"value": None}, "checklist_incomplete"),
        ([TYPED[3]], {"value": 5}, "checklist_mismatch"),
        ([TYPED[3]], {"value": "x" * 2001}, "value_too_long"),
        ([TYPED[3]], {"value": " "}, "checklist_incomplete"),
        ([TYPED[2]], True, "checklist_mismatch"),
        ([TYPED[2]], {"value": 1}, "checklist_mismatch"),
        ([TYPED[2]], {"note": ""}, "checklist_incomplete"),
    ],
)
def test_a_wrong_answer_is_refused(steps: list[Any], answer: Any, code: str) -> None:
    order = running(steps)
    with pytest.raises(InvalidInputError) as caught:
        orders.complete(order=order, actor=user(), signature="A", checklist=[answer])
    assert caught.value.code == code


def test_a_note_says_why_a_typed_step_was_not_done() -> None:
    items = checklist.answer(
        checklist.blank(checklist_steps.steps(TYPED[1:])), [{"note": "broken"}] * 3
    )
    assert checklist.unanswered(items) == []
    assert checklist.templates(items) == TYPED[1:]
    assert all(not item["note"] for item in checklist.unticked(items))


@pytest.mark.django_db
def test_a_plans_orders_take_over_its_kinds() -> None:
    plan = make_plan(checklist=["clean"])
    plans.update(plan=plan, actor=admin(), checklist=TYPED)
    order = WorkOrder.objects.get(plan=plan)
    assert checklist.templates(order.checklist) == TYPED
    events = order.events.count()
    plans.update(plan=plan, actor=admin(), checklist=TYPED)
    assert order.events.count() == events  # nothing changed, nothing told


# --- files


@pytest.mark.django_db
@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_a_photo_is_kept_with_its_hash(kind: str) -> None:
    order, data = running(), picture(kind)
    file = attach(order, data, step=2)
    assert file.kind == f"image/{kind.lower()}"
    assert (file.size, file.sha256) == (len(data), hashlib.sha256(data).hexdigest())
    assert (Path(settings.MEDIA_ROOT) / file.path).read_bytes() == data
    assert "label" not in file.path
    order.refresh_from_db()
    assert order.checklist[2]["value"] == file.pk
    assert AuditEntry.objects.filter(verb="attached", object_type="devices.OrderFile").exists()
    again = attach(order, data, step=2)
    order.refresh_from_db()
    assert order.checklist[2]["value"] == again.pk
    assert order.files.count() == 2  # nothing is thrown away


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("data", "step", "code"),
    [
        (b"", 2, "empty_file"),
        (b"<html>", 2, "file_type"),
        (b"%PDF-1.7", 2, "file_type"),
        (b"MZ\x90\x00 a program", None, "file_type"),
        (b"\x89PNG\r\n\x1a\n and then nonsense", 2, "file_broken"),
        (b"\xff\xd8\xff and then nonsense", None, "file_broken"),
        (picture(), 0, "not_a_photo_step"),
        (picture(), 99, "not_a_photo_step"),
    ],
)
def test_what_is_no_photo_or_document_leaves_nothing(
    data: bytes, step: int | None, code: str
) -> None:
    order = running()
    before = set(Path(settings.MEDIA_ROOT).rglob("*"))
    with pytest.raises(InvalidInputError) as caught:
        attach(order, data, step=step)
    assert caught.value.code == code
    assert not OrderFile.objects.exists()
    left = set(Path(settings.MEDIA_ROOT).rglob("*")) - before
    assert [path for path in left if path.is_file()] == []


@pytest.mark.django_db
def test_a_file_has_a_cap_and_an_order_too(settings: Any, monkeypatch: Any) -> None:
    order = running()
    settings.MAX_ORDER_FILE_BYTES = 10
    with pytest.raises(TooLargeError):
        attach(order, b"%PDF-" + b"x" * 10)
    settings.MAX_ORDER_FILE_BYTES = 1000
    monkeypatch.setattr(order_files, "MAX_FILES", 1)
    attach(order, b"%PDF-1.7")
    with pytest.raises(ConflictError) as caught:
        attach(order, b"%PDF-1.7")
    assert caught.value.code == "too_many_files"


@pytest.mark.django_db
def test_photos_only_while_work_goes_on_documents_always() -> None:
    order = make_order("planned", checklist=TYPED)
    with pytest.raises(ConflictError) as caught:
        attach(order, picture(), step=2)
    assert caught.value.code == "not_in_progress"
    assert attach(make_order("verified"), b"%PDF-1.7 certificate").kind == "application/pdf"


# --- in the browser and by REST


@pytest.mark.django_db
def test_a_plan_with_kinds_from_the_form_to_the_signature() -> None:
    boss, engineer = Client(), Client()
    boss.force_login(admin())
    engineer.force_login(user())
    lines = "clean\nTube voltage [number kV 68..72]\nLabel [photo]\nRemarks [text]"
    fields = {
        "title": "Service", "mode": "month_day", "every": 3, "month_day": 0, "grace_days": 7,
        "starts_on": "2026-01-01", "lead_days": 14, "device": make_device().pk,
    }  # fmt: skip
    url = reverse("devices:plan-new")
    refused = boss.post(url, {**fields, "checklist": "x [number furlong]"})
    assert refused.status_code == 400
    assert "UCUM" in refused.content.decode()
    assert boss.post(url, {**fields, "checklist": lines}).status_code == 302
    plan = MaintenancePlan.objects.get()
    assert plan.checklist[1:] == TYPED[1:]
    body = boss.get(reverse("devices:plan-edit", args=[plan.pk])).content.decode()
    assert "Tube voltage [number kV 68..72]" in body
    order = WorkOrder.objects.filter(plan=plan).latest("due_on")
    page = reverse("devices:order", args=[order.pk])
    engineer.post(reverse("devices:order-step", args=[order.pk, "start"]))
    body = engineer.get(page).content.decode()
    assert 'name="value-1"' in body
    assert "68 to 72 kV" in body
    photo = SimpleUploadedFile("l.jpg", picture(), "image/jpeg")
    kept = engineer.post(f"/api/v1/work-orders/{order.pk}/files/", {"file": photo, "step": 2})
    file = OrderFile.objects.get()
    assert kept.json()["id"] == file.pk
    body = engineer.get(page).content.decode()
    assert reverse("devices:order-file", args=[order.pk, file.pk]) in body
    answers = {"done-0": "on", "value-1": "80", "note-1": "", "value-3": "fine", "signature": "E"}
    complete = reverse("devices:order-step", args=[order.pk, "complete"])
    body = engineer.post(complete, answers).content.decode()
    assert 'data-error-code="checklist_incomplete"' in body
    assert "beyond its limits: say why" in body
    assert 'value="80"' in body
    body = engineer.post(complete, {**answers, "value-1": "eighty"}).content.decode()
    assert 'data-error-code="number_invalid"' in body
    assert 'value="eighty"' in body
    assert engineer.post(complete, {**answers, "note-1": "readjusted"}).status_code == 302
    body = engineer.get(page).content.decode()
    assert "beyond limits" in body
    assert "<strong>80 kV" in body
    assert file.sha256 in body


@pytest.mark.django_db
def test_the_photo_comes_with_the_form_where_no_script_runs() -> None:
    order, engineer = running([TYPED[2]]), Client()
    engineer.force_login(user())
    answer = engineer.post(
        reverse("devices:order-step", args=[order.pk, "complete"]),
        {"photo-0": SimpleUploadedFile("l.png", picture("PNG")), "note-0": "", "signature": "E"},
    )
    assert answer.status_code == 302
    order.refresh_from_db()
    assert order.state == "done"


@pytest.mark.django_db
def test_files_by_form_and_rest_and_who_may_read_them() -> None:
    order = running()
    person, api = Client(), APIClient()
    worker = user()
    person.force_login(worker)
    api.force_authenticate(worker)
    pdf = SimpleUploadedFile("<b>report.pdf", b"%PDF-1.7 x")
    person.post(reverse("devices:order-attach", args=[order.pk]), {"file": pdf})
    body = person.get(reverse("devices:order", args=[order.pk])).content.decode()
    assert "&lt;b&gt;report.pdf" in body
    person.post(reverse("devices:order-attach", args=[order.pk]))
    assert OrderFile.objects.count() == 1
    base = f"/api/v1/work-orders/{order.pk}/files/"
    sent = api.post(base, {"file": SimpleUploadedFile("a.jpg", picture()), "step": 2})
    assert sent.status_code == 201, sent.content
    assert sent.json()["step"] == 2
    assert (
        api.post(base, {"file": SimpleUploadedFile("a.txt", b"text")}).json()["code"] == "file_type"
    )
    listed = api.get(f"/api/v1/work-orders/{order.pk}/").json()["files"]
    assert [entry["kind"] for entry in listed] == ["application/pdf", "image/jpeg"]
    got = api.get(f"{base}{sent.json()['id']}/")
    assert b"".join(got.streaming_content) == picture()  # type: ignore[attr-defined]
    assert got["X-Content-Type-Options"] == "nosniff"
    other = running()
    assert api.get(f"/api/v1/work-orders/{other.pk}/files/{listed[0]['id']}/").status_code == 404
    saved = person.get(reverse("devices:order-file", args=[order.pk, listed[0]["id"]]))
    assert saved["Content-Disposition"].startswith("attachment")
    assert b"".join(saved.streaming_content) == b"%PDF-1.7 x"  # type: ignore[attr-defined]
    clinician = Client()
    clinician.force_login(user(Role.CLINICIAN))
    assert (
        clinician.get(reverse("devices:order-file", args=[order.pk, listed[0]["id"]])).status_code
        == 403
    )


@pytest.mark.django_db
def test_plain_texts_go_in_and_out_by_rest_as_before() -> None:
    api = APIClient()
    api.force_authenticate(admin())
    plan = api.post(
        "/api/v1/maintenance-plans/",
        {"device": make_device().pk, "title": "T", "rrule": "FREQ=YEARLY", "starts_on": "2026-01-01",
         "checklist": ["one", "see [photo]", VOLTAGE]},
        format="json",
    ).json()  # fmt: skip
    assert plan["checklist"] == ["one", "see [photo]", VOLTAGE]
    order = api.get(f"/api/v1/work-orders/?plan={plan['id']}").json()["results"][0]
    assert order["checklist"][0] == {"step": "one", "kind": "check", "done": False, "note": ""}
    assert order["checklist"][2]["unit"] == "kV"
    bad = api.patch(
        f"/api/v1/maintenance-plans/{plan['id']}/",
        {"checklist": [{"step": 5, "kind": "text"}]},
        format="json",
    )
    assert bad.json()["code"] == "step_invalid"
