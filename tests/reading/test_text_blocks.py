"""Text blocks: whose they are, what may stand in them, what a film puts in."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client

from accounts.models import AuditEntry, User
from accounts.permissions import Can, Role, may
from detection.models import DetectorVersion
from detection.services import reviews
from reading.models import TextBlock
from reading.selectors_blocks import blocks_of, filling
from reading.services import text_blocks
from tests.detection.factories import make_device, make_image, make_run, make_user
from twinhealth.errors import ConflictError, InvalidInputError, NotFoundError, NotPermittedError

pytestmark = pytest.mark.django_db
JSON = "application/json"
BLOCK = {"section": "findings", "title": "Clear", "code": "clear", "text": "Clear lungs."}


@pytest.fixture
def admin(db: None) -> User:
    return make_user(Role.ADMIN)


def as_user(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_ones_own_are_seen_by_nobody_else_and_shared_ones_by_all(
    reader: User, other: User, admin: User
) -> None:
    mine = text_blocks.save(user=reader, **BLOCK)
    text_blocks.save(user=other, **BLOCK)
    shared = text_blocks.save(user=admin, shared=True, **BLOCK)
    assert set(blocks_of(reader)) == {mine, shared}
    assert [e.verb for e in AuditEntry.objects.all()] == ["made_text_block"] * 3


def test_shared_ones_are_kept_by_admins_and_reading_leads(reader: User, admin: User) -> None:
    with pytest.raises(NotPermittedError):
        text_blocks.save(user=reader, shared=True, **BLOCK)
    lead = make_user(is_reading_lead=True)
    assert may(lead, Can.TEXT_BLOCKS_SHARED)
    block = text_blocks.save(user=lead, shared=True, **BLOCK)
    for act in (
        lambda: text_blocks.save(user=reader, block_id=block.pk, **BLOCK),
        lambda: text_blocks.archive(user=reader, block_id=block.pk),
    ):
        with pytest.raises(NotFoundError):
            act()
    changed = text_blocks.save(user=admin, block_id=block.pk, **(BLOCK | {"text": "Both clear."}))
    assert (changed.pk, changed.owner, changed.text) == (block.pk, None, "Both clear.")


def test_a_code_is_used_once_and_free_again_after_archiving(reader: User) -> None:
    block = text_blocks.save(user=reader, **(BLOCK | {"code": " /Clear "}))
    assert block.code == "clear"
    with pytest.raises(ConflictError) as caught:
        text_blocks.save(user=reader, **BLOCK)
    assert caught.value.code == "code_taken"
    with pytest.raises(IntegrityError), transaction.atomic():
        TextBlock.objects.create(owner=reader, **BLOCK)
    text_blocks.archive(user=reader, block_id=block.pk)
    again = text_blocks.save(user=reader, **BLOCK)
    assert list(blocks_of(reader)) == [again]
    with pytest.raises(NotFoundError):  # out of use is out of use
        text_blocks.save(user=reader, block_id=block.pk, **BLOCK)


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"section": "nonsense"}, "bad_section"),
        ({"title": " "}, "bad_title"),
        ({"code": "a b"}, "bad_code"),
        ({"code": "x" * 21}, "bad_code"),
        ({"text": "\n"}, "text_required"),
        ({"text": "x" * 2001}, "text_too_long"),
        ({"text": "{class} of {patient}"}, "unknown_placeholder"),
    ],
)
def test_bad_blocks(reader: User, fields: dict[str, str], code: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        text_blocks.save(user=reader, **(BLOCK | fields))
    assert caught.value.code == code
    assert not TextBlock.objects.exists()


def test_there_is_a_bound(reader: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_blocks, "MAX_BLOCKS", 1)
    text_blocks.save(user=reader, **BLOCK)
    with pytest.raises(ConflictError) as caught:
        text_blocks.save(user=reader, **(BLOCK | {"code": "other"}))
    assert caught.value.code == "too_many_blocks"


def test_a_film_fills_what_it_knows(reader: User, version: DetectorVersion) -> None:
    image = make_image(device=make_device(name="XR-1", serial="SN-1"), acquired_at_is_guess=True)
    run = make_run(image, version, boxes=(("covid", 0.9, 300, 10, 50, 50), ("pneumonia", 0.8)))
    first, second = run.findings.all()
    reviews.record(finding_id=first.pk, user=reader, verdict="accept")
    reviews.record(finding_id=second.pk, user=reader, verdict="reject", reason_code="artefact")
    found = filling(image.pk, reader)
    assert found.values["view"] == "PA"
    assert found.values["machine"] == "XR-1 (Acme Ray, serial SN-1)"
    assert not {"date", "sex"} & found.values.keys()  # not known: left for the reader
    assert found.findings == {f"f{first.pk}": {"class": "COVID-19", "side": "right"}}


def test_the_page_keeps_them(reader: User, admin: User) -> None:
    client = as_user(reader)
    hostile = BLOCK | {"title": "<b>bold</b>", "text": "<script>x</script> {class}"}
    assert client.post("/text-blocks/", hostile).status_code == 302
    html = client.get("/text-blocks/").content.decode()
    assert "<script>x" not in html
    assert "<b>bold" not in html
    assert "&lt;script&gt;x" in html
    assert "Shared with every reader" not in html
    bad = client.post("/text-blocks/", BLOCK | {"code": "new", "text": "{nobody}"})
    assert bad.status_code == 400
    assert "{nobody} is no placeholder" in bad.content.decode()
    block = TextBlock.objects.get()
    address = f"/text-blocks/{block.pk}/"
    answer = client.post(address, BLOCK | {"act": "save"}, follow=True)
    assert "Saved." in answer.content.decode()
    assert "no such text block" in (
        as_user(make_user()).post(address, {"act": "archive"}, follow=True).content.decode()
    )
    client.post(address, {"act": "archive"})
    block.refresh_from_db()
    assert (block.archived, block.text) == (True, "Clear lungs.")
    admins = as_user(admin)
    admins.post("/text-blocks/", BLOCK | {"shared": "on"})
    assert TextBlock.objects.get(archived=False).owner is None
    assert "/clear" in client.get("/text-blocks/").content.decode()
    assert as_user(make_user(Role.ENGINEER)).get("/text-blocks/").status_code == 403


def test_rest_keeps_them_and_serves_a_film(reader: User, version: DetectorVersion) -> None:
    client = as_user(reader)
    made = client.post("/api/v1/text-blocks/", BLOCK, JSON)
    assert (made.status_code, made.json()["shared"]) == (201, False)
    address = f"/api/v1/text-blocks/{made.json()['id']}/"
    refused = client.post("/api/v1/text-blocks/", BLOCK | {"shared": True, "code": "all"}, JSON)
    assert (refused.status_code, refused.json()["code"]) == (403, "shared_kept_by_others")
    changed: Any = client.put(address, BLOCK | {"text": "{side} clear."}, JSON)
    assert changed.json()["text"] == "{side} clear."
    image = make_image()
    body = client.get(f"/api/v1/images/{image.pk}/text-blocks/").json()
    assert [b["code"] for b in body["blocks"]] == ["clear"]
    assert body["values"]["view"] == "PA"
    assert body["findings"] == {}
    assert client.delete(address).status_code == 204
    assert client.get("/api/v1/text-blocks/").json()["results"] == []
    assert client.delete(address).status_code == 404
