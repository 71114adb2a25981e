"""Critical results by page and REST."""

from __future__ import annotations

import pytest
from django.test import Client

from accounts.permissions import Role
from reading.models import CriticalResult, OnCallList
from tests.detection.factories import make_image, make_user

pytestmark = pytest.mark.django_db


def client_of(role: str, **fields: str) -> Client:
    client = Client()
    client.force_login(make_user(role, **fields))
    return client


def test_from_the_admins_list_to_the_read_back() -> None:
    author, first = client_of(Role.CLINICIAN), client_of(Role.CLINICIAN, username="first")
    admin = client_of(Role.ADMIN)
    assert author.get("/on-call/").status_code == 403
    bad = admin.post("/on-call/", {"name": "Thorax", "people": "nobody 5"})
    assert (bad.status_code, OnCallList.objects.count()) == (400, 0)
    assert 'role="alert"' in bad.content.decode()  # which of the lines is wrong
    assert admin.post("/on-call/", {"name": "Thorax", "people": "first 5"}).status_code == 302
    image, on_call = make_image(), OnCallList.objects.get()
    assert "first 5" in admin.get(f"/on-call/?list={on_call.pk}").content.decode()  # to be changed
    assert "first 5" not in admin.get("/on-call/?list=x").content.decode()
    assert "Thorax" in author.get(f"/films/{image.pk}/").content.decode()
    sent = {"text": "<b>free air</b>", "on_call_id": on_call.pk}
    assert author.post(f"/films/{image.pk}/critical/", sent).status_code == 302
    html = first.get("/critical/").content.decode()
    assert "&lt;b&gt;free air" in html
    assert "1 critical result waits for you" in html
    assert "waits for you" not in author.get("/critical/").content.decode()
    pk = CriticalResult.objects.get().pk
    short = first.post(f"/critical/{pk}/acknowledge/", {"read_back": "<i>free"})
    assert short.status_code == 400
    assert 'value="&lt;i&gt;free"' in short.content.decode()  # to be completed, not typed anew
    assert "does not repeat the result" in short.content.decode()
    assert CriticalResult.objects.get().state == "open"
    first.post(f"/critical/{pk}/acknowledge/", {"read_back": "b free air b"})
    assert CriticalResult.objects.get().state == "acknowledged"
    assert "waits for you" not in first.get("/critical/").content.decode()


def test_rest_reports_lists_and_cancels() -> None:
    client = client_of(Role.CLINICIAN)
    on_call = OnCallList.objects.create(name="Thorax")
    on_call.steps.create(position=1, user=make_user(), minutes=5)
    body = {"image": make_image().pk, "on_call": on_call.pk, "text": "free air"}
    json = "application/json"
    made = client.post("/api/v1/critical-results/", body, content_type=json)
    assert made.status_code == 201
    assert [a["step"] for a in made.json()["attempts"]] == [1]
    address = f"/api/v1/critical-results/{made.json()['id']}"
    own = client.post(f"{address}/acknowledge/", {"read_back": "free air"}, content_type=json)
    assert (own.status_code, own.json()["code"]) == (409, "own_result")
    gone = client.post(f"{address}/cancel/", {"reason": "wrong film"}, content_type=json)
    assert gone.json()["state"] == "cancelled"
    listed = client.get("/api/v1/critical-results/").json()["results"]
    assert [row["state"] for row in listed] == ["cancelled"]
    for state, count in (("open", 0), ("cancelled", 1), ("acknowledged", 0)):
        found = client.get(f"/api/v1/critical-results/?state={state}&page_size=1").json()
        assert (found["count"], len(found["results"])) == (count, count)
    bad = client.get("/api/v1/critical-results/?state=closed")
    assert (bad.status_code, bad.json()["code"]) == (400, "bad_filter")
    assert client_of(Role.ENGINEER).get("/api/v1/critical-results/").status_code == 403
