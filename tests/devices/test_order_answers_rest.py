"""Answers that were kept on a phone, at both doors: keys, revisions, photos, signing."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from accounts.permissions import Role
from devices.checklist_merge import Change
from devices.models import OrderFile, WorkOrder
from devices.services import orders
from tests.devices.answer_rows import JSON, change, client, picture, running, seen
from tests.devices.factories import user
from tests.devices.maintenance_rows import make_order

pytestmark = pytest.mark.django_db


def body(order: WorkOrder, *changes: Change, **more: Any) -> dict[str, Any]:
    now = seen(order)
    told = [
        {
            "place": c.place,
            "step": c.step,
            "kind": c.kind,
            "name": c.name,
            "base": c.base,
            "mine": c.mine,
        }
        for c in changes
    ]
    return {
        "key": str(uuid4()), "state": now.state, "assigned_to": now.assigned_to, "changes": told, **more,
    }  # fmt: skip


def test_rest_of_answers() -> None:
    actor, order = user(), running()
    door, url = client(actor), f"/api/v1/work-orders/{order.pk}/answers/"
    given = body(order, change(1, "value", "80", ""), person=actor.pk)
    kept = door.post(url, given, **JSON)
    order.refresh_from_db()
    assert kept.status_code == 200
    assert kept.json()["out_of_limits"] == ["Tube voltage"]
    assert kept["ETag"] == f'"{order.revision}"'
    assert door.post(url, given, **JSON).json()["again"] is True
    bad = door.post(url, body(order, change(1, "value", "x", "80")), **JSON)
    assert (bad.status_code, bad.json()["refused"][0]["outcome"]) == (200, "refused")
    other = door.post(url, body(order, person=user().pk), **JSON)
    assert (other.status_code, other.json()["code"]) == (409, "other_person")
    stale = body(order, change(1, "value", "70", ""))
    told = door.post(url, stale, **JSON)
    assert (told.status_code, told.json()["extra"]["fields"][0]["theirs"]) == (409, 80.0)
    told = door.post(url, stale, HTTP_IF_MATCH='"1"', **JSON)
    assert (told.status_code, told.json()["code"]) == (412, "order_changed")
    many = body(order)
    many["changes"] = [given["changes"][0]] * 301
    assert door.post(url, many, **JSON).json()["code"] == "too_many_changes"
    for wrong in ({"key": "x"}, {"changes": "x"}, {"state": "else"}, {"revision": 2**63}):
        assert door.post(url, {**stale, **wrong}, **JSON).status_code == 400
    assert client(user(Role.CLINICIAN)).post(url, stale, **JSON).status_code == 403


def test_an_order_that_changed_is_refused_by_etag_or_revision() -> None:
    actor, order = user(), running()
    door, url = client(actor), f"/api/v1/work-orders/{order.pk}/"
    tag = door.get(url)["ETag"]
    assert tag == f'"{order.revision}"'
    answers = {"checklist": [{"step": "clean", "done": True}]}
    first = door.put(f"{url}checklist/", answers, HTTP_IF_MATCH=tag, **JSON)
    assert (first.status_code, first["ETag"] != tag) == (200, True)
    second = door.put(f"{url}checklist/", answers, HTTP_IF_MATCH=tag, **JSON)
    assert (second.status_code, second.json()["code"]) == (412, "order_changed")
    assert second.json()["extra"]["checklist"][0]["done"] is True
    assert second.json()["extra"]["mine"] == answers["checklist"]
    old = {**answers, "revision": order.revision}
    assert door.put(f"{url}checklist/", old, **JSON).status_code == 409
    signed = {
        "checklist": [True, {"value": 70}, {"note": "none"}, {"note": "none"}],
        "signature": "E",
    }
    for sent in ({"HTTP_IF_MATCH": tag}, {}):
        refused = door.post(f"{url}complete/", {**signed, "revision": 1}, **sent, **JSON)
        assert refused.status_code == (412 if sent else 409)
    assert door.post(f"{url}complete/", signed, HTTP_IF_MATCH="7", **JSON).json()["code"] == (
        "if_match_invalid"
    )
    done = door.post(f"{url}complete/", signed, HTTP_IF_MATCH=first["ETag"], **JSON)
    assert (done.status_code, done.json()["state"]) == (200, "done")


def test_a_photo_comes_once_and_over_nobodys_own(tmp_path: Path, settings: Settings) -> None:
    settings.MEDIA_ROOT = tmp_path
    actor, order = user(), running()
    door, url = client(actor), f"/api/v1/work-orders/{order.pk}/files/"

    def post(colour: str, key: Any, **more: Any) -> Any:
        file = SimpleUploadedFile("l.png", picture(colour), "image/png")
        asked = {"file": file, "step": 2, "key": str(key), "text": "Label", "seen": "", **more}
        return door.post(url, asked)

    key = uuid4()
    first, again = post("red", key), post("red", key, person=actor.pk)
    assert (first.status_code, again.json()["id"]) == (201, first.json()["id"])
    assert post("blue", key).json()["code"] == "key_used"
    theirs = post("blue", uuid4())
    assert (theirs.status_code, theirs.json()["extra"]["fields"][0]["theirs"]) == (
        409, first.json()["id"],
    )  # fmt: skip
    assert post("blue", uuid4(), seen=first.json()["id"]).status_code == 201
    gone = post("blue", uuid4(), text="Another step")
    assert gone.json()["extra"]["reasons"][0]["code"] == "steps_changed"
    assert post("blue", uuid4(), person=user().pk).json()["code"] == "other_person"
    orders.cancel(order=order, actor=actor, reason="not needed")
    late = uuid4()
    assert post("green", late).json()["extra"]["reasons"][0]["code"] == "closed"
    assert OrderFile.objects.filter(order=order).count() == 2
    assert len(list((tmp_path / "orders").iterdir())) == 2  # what was refused left nothing


def test_a_photo_that_came_too_late_is_kept_as_a_document(
    tmp_path: Path, settings: Settings
) -> None:
    settings.MEDIA_ROOT = tmp_path
    order, actor = make_order("done"), user()
    asked = {"file": SimpleUploadedFile("l.png", picture(), "image/png"), "key": str(uuid4())}
    kept = client(actor).post(f"/api/v1/work-orders/{order.pk}/files/", asked)
    assert (kept.status_code, kept.json()["step"]) == (201, None)


def test_signing_over_what_somebody_else_answered_shows_both_sides() -> None:
    actor, order = user(), running()
    door, url = client(actor), reverse("devices:order-step", args=[order.pk, "complete"])
    page = door.get(reverse("devices:order", args=[order.pk]))
    assert page["X-Order-Person"] == str(actor.pk)
    was = order.revision
    orders.save_checklist(
        order=order, actor=user(), checklist=[{"step": "Tube voltage", "value": 71}]
    )
    answers = {
        "done-0": "on", "value-1": "70", "note-2": "none", "value-3": "", "note-3": "none",
        "signature": "E", "revision": was,
    }  # fmt: skip
    refused = door.post(url, answers)
    text = refused.content.decode()
    assert refused.status_code == 409
    assert 'data-label="Mine">70<' in text
    assert 'data-label="Theirs">71<' in text
    assert 'name="value-1" value="70"' in text
    order.refresh_from_db()
    assert (order.state, order.checklist[1]["value"]) == ("in_progress", 71.0)
    assert f'name="revision" value="{order.revision}"' in text
    assert door.post(url, {**answers, "revision": order.revision}).status_code == 302
    order.refresh_from_db()
    assert (order.state, order.checklist[1]["value"]) == ("done", 70.0)


def test_the_workers_script_is_in_the_folder_of_orders_and_for_anybody() -> None:
    found = Client().get(reverse("devices:order-worker"))
    assert (found.status_code, found["Content-Type"]) == (200, "text/javascript")
    assert reverse("devices:order-worker").startswith("/maintenance/orders/")
    assert "Content-Security-Policy" in found
