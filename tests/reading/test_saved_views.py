"""Named filters: one's own only, kept to what the worklist knows, one that opens by itself."""

from __future__ import annotations

import pytest
from django.test import Client

from accounts.models import User
from reading.models import SavedView
from reading.services import saved_views
from twinhealth.errors import ConflictError, InvalidInputError, NotFoundError

pytestmark = pytest.mark.django_db


@pytest.fixture
def page(reader: User) -> Client:
    client = Client()
    client.force_login(reader)
    return client


def test_a_view_by_the_page(page: Client, reader: User) -> None:
    query = "show=flagged&trust=reduced&page=3&evil=%3Cb%3E"
    sent = page.post("/worklist/views/", {"name": " <b>mine</b> ", "query": query})
    view = SavedView.objects.get(user=reader)
    assert (view.name, view.query) == ("<b>mine</b>", {"show": "flagged", "trust": "reduced"})
    assert sent["Location"] == "/worklist/?show=flagged&trust=reduced"
    html = page.get(sent["Location"]).content.decode()
    assert "&lt;b&gt;mine" in html
    assert "<b>mine" not in html
    assert page.get("/worklist/").status_code == 200
    at = f"/worklist/views/{view.pk}/"
    page.post(at, {"act": "default"})
    assert page.get("/worklist/")["Location"] == sent["Location"]
    assert page.get("/worklist/?show=now").status_code == 200
    page.post(at, {"act": "rename", "name": "night"})
    assert SavedView.objects.get().name == "night"
    page.post(at, {"act": "no_default"})
    assert page.get("/worklist/").status_code == 200
    page.post(at, {"act": "delete"})
    assert not SavedView.objects.exists()


def test_only_ones_own(reader: User, other: User) -> None:
    view = saved_views.save(user=other, name="a", query={})
    with pytest.raises(NotFoundError):
        saved_views.rename(user=reader, view_id=view.pk, name="b")
    with pytest.raises(NotFoundError):
        saved_views.delete(user=reader, view_id=view.pk)
    with pytest.raises(NotFoundError):
        saved_views.make_default(user=reader, view_id=view.pk, on=True)


def test_names_and_the_one_default(reader: User, monkeypatch: pytest.MonkeyPatch) -> None:
    a, b = (saved_views.save(user=reader, name=name, query={}) for name in "ab")
    assert saved_views.save(user=reader, name="a", query={"show": "all"}).pk == a.pk
    with pytest.raises(ConflictError):
        saved_views.rename(user=reader, view_id=b.pk, name="a")
    for bad in ("", "  ", "x" * 41, "a\0"):
        with pytest.raises(InvalidInputError):
            saved_views.save(user=reader, name=bad, query={})
    saved_views.make_default(user=reader, view_id=a.pk, on=True)
    saved_views.make_default(user=reader, view_id=b.pk, on=True)
    assert [v.name for v in SavedView.objects.filter(is_default=True)] == ["b"]
    monkeypatch.setattr(saved_views, "MAX_VIEWS", 2)
    with pytest.raises(ConflictError):
        saved_views.save(user=reader, name="c", query={})
