"""Signing in, staying in, getting out."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.contrib.auth.hashers import MD5PasswordHasher
from django.test import Client, override_settings
from rest_framework.authtoken.models import Token

from accounts.models import AuditEntry, User
from accounts.services import users

from .conftest import PASSWORD

Make = Callable[..., User]


def sign_in(client: Client, username: str, password: str, **kwargs: object):
    return client.post("/login/", {"username": username, "password": password}, **kwargs)


def test_the_page_names_the_hospital_and_the_demo_accounts(client: Client, make_user: Make):
    make_user("engineer", "engineer", is_demo=True)
    make_user("someone-else")
    text = client.get("/login/").content.decode()
    assert "TwinHealth Hospital" in text
    assert "engineer" in text
    assert "someone-else" not in text
    assert PASSWORD not in text


@override_settings(EMBEDDED=False)
def test_production_lists_nobody(client: Client, make_user: Make):
    make_user("engineer", "engineer", is_demo=True)
    text = client.get("/login/").content.decode()
    assert "engineer" not in text
    assert "gives you a new one" in text


@pytest.mark.parametrize("typed", ["ward3", "WARD3", "Ward3"])
def test_right_password_leads_home_whatever_the_case_of_the_name(
    client: Client, make_user: Make, typed: str
):
    make_user("Ward3")
    response = sign_in(client, typed, PASSWORD)
    assert (response.status_code, response["Location"]) == (302, "/")
    assert AuditEntry.objects.filter(verb="signed_in", actor_name="Ward3").count() == 1


@pytest.mark.parametrize("path", ["/", "/account/", "/patients/?q=1"])
def test_strangers_are_sent_to_the_form_and_back(client: Client, make_user: Make, path: str):
    make_user("ward")
    page = client.get(path)
    assert page.status_code == 302
    assert page["Location"].startswith("/login/?next=")
    response = client.post("/login/", {"username": "ward", "password": PASSWORD, "next": path})
    assert response["Location"] == path


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example/", "javascript:alert(1)"]
)
def test_the_way_back_stays_in_the_house(client: Client, make_user: Make, target: str):
    make_user("ward")
    data = {"username": "ward", "password": PASSWORD, "next": target}
    assert client.post("/login/", data)["Location"] == "/"
    client.get("/login/", {"next": target})
    assert client.get("/login/", {"next": target})["Location"] == "/"


def test_a_fragment_asks_for_the_whole_sign_in_page(client: Client, db: None):
    response = client.get(
        "/users/",
        headers={"HX-Request": "true", "HX-Current-URL": "http://testserver/users/?role=admin"},
    )
    assert response.status_code == 401
    assert response["HX-Redirect"] == "/login/?next=/users/%3Frole%3Dadmin"


@pytest.mark.parametrize(
    ("username", "password", "status"),
    [
        ("ward", "wrong", 401),
        ("nobody", PASSWORD, 401),
        ("closed", PASSWORD, 401),
        ("ward", "", 400),
        ("", PASSWORD, 400),
        ("wa\0rd", PASSWORD, 400),
        ("ward", "x" * 300, 400),
        ("w" * 151, PASSWORD, 400),
    ],
)
def test_refused(client: Client, make_user: Make, username: str, password: str, status: int):
    make_user("ward")
    make_user("closed", is_active=False)
    response = sign_in(client, username, password)
    assert response.status_code == status
    assert "_auth_user_id" not in client.session
    if status == 401:
        assert "Check the Caps Lock key" in response.content.decode()


def test_a_refusal_is_kept_without_what_was_typed(client: Client, make_user: Make):
    known = make_user("ward")
    sign_in(client, "ward", "wrong-one")
    sign_in(client, "my-secret-password", "wrong-two")
    rows = list(AuditEntry.objects.filter(verb="sign_in_refused").order_by("id"))
    assert [row.object_id for row in rows] == [str(known.pk), ""]
    everything = str(list(AuditEntry.objects.values()))
    assert not re.search("my-secret-password|wrong-one|wrong-two", everything)


@pytest.mark.parametrize("name", ["ward", "nobody", "closed"])
def test_known_unknown_and_closed_accounts_cost_one_hash(
    client: Client, make_user: Make, monkeypatch: pytest.MonkeyPatch, name: str
):
    make_user("ward")
    make_user("closed", is_active=False)
    hashed = []
    original = MD5PasswordHasher.encode
    monkeypatch.setattr(
        MD5PasswordHasher,
        "encode",
        lambda self, *args: (hashed.append(1), original(self, *args))[1],
    )
    sign_in(client, name, "wrong")
    assert len(hashed) == 1


def test_the_session_key_changes_at_sign_in(client: Client, make_user: Make):
    make_user("ward")
    session = client.session
    session["planted"] = "yes"
    session.save()
    before = session.session_key
    sign_in(client, "ward", PASSWORD)
    assert client.session.session_key != before


def test_without_csrf_token_nobody_signs_in(make_user: Make):
    make_user("ward")
    client = Client(enforce_csrf_checks=True)
    assert sign_in(client, "ward", PASSWORD).status_code == 403


def test_signing_out_needs_a_post_and_ends_the_session(client: Client, make_user: Make):
    client.force_login(make_user("ward"))
    assert client.get("/logout/").status_code == 405
    response = client.post("/logout/")
    assert response["Location"] == "/login/"
    assert client.get("/account/").status_code == 302
    assert AuditEntry.objects.filter(verb="signed_out").count() == 1


@pytest.mark.parametrize("role", ["clinician", "engineer", "admin"])
def test_home_is_where_the_day_starts(client: Client, make_user: Make, role: str):
    client.force_login(make_user("someone", role))
    target = {"clinician": "/worklist/", "engineer": "/devices/", "admin": "/maintenance/"}[role]
    assert client.get("/")["Location"] == target


# --- own password


def change(client: Client, old: str = PASSWORD, new: str = "Another-Good-1", again: str = ""):
    data = {"old_password": old, "new_password": new, "repeated": again or new}
    return client.post("/account/", data)


def test_changing_the_password_ends_other_sessions_and_the_token(make_user: Make):
    user = make_user("ward")
    here, there = Client(), Client()
    here.force_login(user)
    there.force_login(user)
    Token.objects.create(user=user)
    assert change(here).status_code == 302
    assert here.get("/account/").status_code == 200
    assert there.get("/account/").status_code == 302
    assert not Token.objects.exists()
    user.refresh_from_db()
    assert user.check_password("Another-Good-1")
    assert AuditEntry.objects.filter(verb="password_changed").count() == 1


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"old": "wrong"}, "present password is not right"),
        ({"new": PASSWORD}, "must differ"),
        ({"new": "short"}, "too short"),
        ({"new": "password123"}, "too common"),
        ({"new": "1234598761237"}, "entirely numeric"),
        ({"new": "ward-three-east"}, "too similar"),
        ({"again": "Something-Else-1"}, "not the same"),
    ],
)
def test_a_bad_new_password_is_explained(client: Client, make_user: Make, fields: dict, says: str):
    user = make_user("ward-three-east")
    client.force_login(user)
    response = change(client, **fields)
    assert response.status_code == 400
    assert says in response.content.decode()
    user.refresh_from_db()
    assert user.check_password(PASSWORD)


def test_a_one_time_password_opens_nothing_but_the_account_page(client: Client, admin: User):
    user, password = users.create_user(username="new", role="clinician", actor=admin)
    sign_in(client, "new", password)
    assert client.get("/worklist/")["Location"] == "/account/"
    assert client.get("/")["Location"] == "/account/"
    fragment = client.get("/patients/", headers={"HX-Request": "true"})
    assert (fragment.status_code, fragment["HX-Redirect"]) == (204, "/account/")
    api = client.get("/api/v1/patients/")
    assert (api.status_code, api.json()["code"]) == (403, "password_change_required")
    assert "Choose your own one" in client.get("/account/").content.decode()
    assert change(client, old=password).status_code == 302
    assert client.get("/")["Location"] == "/worklist/"
    user.refresh_from_db()
    assert not user.must_change_password


# --- tokens


def ask(client: Client, username: str, password: str):
    data = {"username": username, "password": password}
    return client.post("/api/v1/auth/token/", data, content_type="application/json")


def test_a_token_opens_the_api_until_it_is_revoked(client: Client, make_user: Make):
    make_user("program", "admin")
    token = ask(client, "program", PASSWORD).json()["token"]
    assert ask(client, "program", PASSWORD).json()["token"] == token
    with_token = Client(headers={"Authorization": f"Token {token}"})
    assert with_token.get("/api/v1/users/").status_code == 200
    assert with_token.delete("/api/v1/auth/token/").status_code == 204
    gone = with_token.get("/api/v1/users/")
    assert (gone.status_code, gone.json()["code"]) == (401, "authentication_failed")
    verbs = list(AuditEntry.objects.order_by("id").values_list("verb", flat=True))
    assert verbs == ["token_issued", "token_issued", "token_revoked"]


@pytest.mark.parametrize(("name", "password"), [("ward", "wrong"), ("nobody", PASSWORD)])
def test_wrong_credentials_get_401_in_the_one_shape(
    client: Client, make_user: Make, name: str, password: str
):
    make_user("ward")
    response = ask(client, name, password)
    assert response.status_code == 401
    assert response.json()["code"] == "invalid_credentials"
    assert set(response.json()) == {"code", "message", "extra"}
    assert response["WWW-Authenticate"] == "Token"


@pytest.mark.parametrize(
    "body", [{}, {"username": "ward"}, [], "text", {"username": {}, "password": 1}]
)
def test_a_body_without_credentials_is_400(client: Client, db: None, body: object):
    response = client.post("/api/v1/auth/token/", body, content_type="application/json")
    assert response.status_code == 400
    assert set(response.json()) == {"code", "message", "extra"}


def test_an_old_bad_token_sent_along_does_no_harm(client: Client, make_user: Make):
    make_user("ward")
    response = client.post(
        "/api/v1/auth/token/",
        {"username": "ward", "password": PASSWORD},
        content_type="application/json",
        headers={"Authorization": "Token gone"},
    )
    assert response.status_code == 200


def test_no_token_for_a_one_time_password(client: Client, admin: User):
    _, password = users.create_user(username="new", role="clinician", actor=admin)
    response = ask(client, "new", password)
    assert (response.status_code, response.json()["code"]) == (403, "password_change_required")


def test_revoking_needs_a_sign_in(client: Client, db: None):
    assert client.delete("/api/v1/auth/token/").status_code == 401


def test_schema_and_docs_are_for_the_signed_in(client: Client, make_user: Make):
    for path in ("/api/v1/schema/", "/api/v1/docs/"):
        assert client.get(path).status_code == 401
    client.force_login(make_user("ward"))
    for path in ("/api/v1/schema/", "/api/v1/docs/"):
        assert client.get(path).status_code == 200


def test_a_closed_account_loses_its_open_session_at_once(client: Client, make_user: Make):
    user = make_user("ward")
    client.force_login(user)
    User.objects.filter(pk=user.pk).update(is_active=False)
    assert client.get("/account/").status_code == 302
