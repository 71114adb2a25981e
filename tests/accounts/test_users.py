"""Accounts: made, changed, closed; the page, REST and the commands do the same."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from django.test import Client, override_settings
from rest_framework.authtoken.models import Token

from accounts.models import AuditEntry, User
from accounts.services import users
from twinhealth.errors import ConflictError, InvalidInputError, NotFoundError

from .conftest import PASSWORD

Make = Callable[..., User]


def verbs() -> list[str]:
    return list(AuditEntry.objects.order_by("id").values_list("verb", flat=True))


# --- the service


def test_a_new_account_gets_a_one_time_password(admin: User):
    user, password = users.create_user(username=" Ward ", role="clinician", actor=admin)
    assert user.username == "Ward"
    assert user.must_change_password
    assert user.check_password(password)
    assert re.fullmatch(r"(\w{4}-){3}\w{4}", password)
    assert password not in str(list(AuditEntry.objects.values()))
    assert verbs() == ["created"]


@pytest.mark.parametrize("name", ["ward", "WARD", "Ward"])
def test_a_name_is_taken_in_any_case(admin: User, make_user: Make, name: str):
    make_user("Ward")
    with pytest.raises(ConflictError) as caught:
        users.create_user(username=name, role="clinician", actor=admin)
    assert caught.value.code == "username_taken"


def test_the_database_knows_it_too(make_user: Make):
    make_user("Ward")
    with pytest.raises(IntegrityError), transaction.atomic():
        make_user("wARD")
    with pytest.raises(IntegrityError), transaction.atomic():
        make_user("other", role="director")


@pytest.mark.parametrize(
    ("username", "role"),
    [("", "clinician"), ("a b", "clinician"), ("w" * 151, "admin"), ("w", "x")],
)
def test_an_invalid_account_is_refused(admin: User, username: str, role: str):
    with pytest.raises(InvalidInputError) as caught:
        users.create_user(username=username, role=role, actor=admin)
    assert caught.value.code == "invalid_user"
    assert caught.value.extra["fields"]
    assert User.objects.count() == 1


@pytest.mark.parametrize("change", [{"role": "engineer"}, {"is_active": False}])
def test_a_new_role_or_closure_ends_sessions_and_token(admin: User, make_user: Make, change: dict):
    user = make_user("ward")
    client = Client()
    client.force_login(user)
    token = Token.objects.create(user=user)
    assert client.get("/account/").status_code == 200
    users.update_user(user_id=user.pk, actor=admin, **change)
    assert client.get("/account/").status_code == 302
    with_token = Client(headers={"Authorization": f"Token {token.key}"})
    assert with_token.get("/api/v1/users/").status_code == 401


def test_a_new_name_ends_nothing(admin: User, make_user: Make):
    user = make_user("ward")
    client = Client()
    client.force_login(user)
    users.update_user(user_id=user.pk, actor=admin, display_name="Ward Three")
    assert client.get("/account/").status_code == 200


def test_what_stays_the_same_is_not_a_change(admin: User, make_user: Make):
    user = make_user("ward")
    users.update_user(user_id=user.pk, actor=admin, role="clinician", is_active=True)
    assert verbs() == []


def test_the_trail_tells_from_what_to_what(admin: User, make_user: Make):
    user = make_user("ward")
    users.update_user(user_id=user.pk, actor=admin, role="engineer")
    users.update_user(user_id=user.pk, actor=admin, is_active=False)
    users.update_user(user_id=user.pk, actor=admin, is_active=True)
    assert verbs() == ["changed", "deactivated", "reactivated"]
    row = AuditEntry.objects.earliest("id")
    assert row.detail == {"changed": {"role": ["clinician", "engineer"]}}
    assert (row.actor_name, row.object_id) == ("boss", str(user.pk))


@pytest.mark.parametrize("change", [{"role": "engineer"}, {"is_active": False}])
def test_nobody_changes_his_own_rights(admin: User, make_user: Make, change: dict):
    make_user("second", "admin")
    with pytest.raises(ConflictError) as caught:
        users.update_user(user_id=admin.pk, actor=admin, **change)
    assert caught.value.code == "own_account"
    users.update_user(user_id=admin.pk, actor=admin, display_name="The boss")


@pytest.mark.parametrize("change", [{"role": "engineer"}, {"is_active": False}])
def test_the_last_active_admin_stays(admin: User, make_user: Make, change: dict):
    make_user("closed", "admin", is_active=False)
    with pytest.raises(ConflictError) as caught:
        users.update_user(user_id=admin.pk, actor=None, **change)
    assert caught.value.code == "last_admin"
    admin.refresh_from_db()
    assert (admin.role, admin.is_active) == ("admin", True)


@pytest.mark.django_db(transaction=True)
def test_two_admins_can_not_close_each_other_at_once():
    one = User.objects.create_user("one", role="admin")
    two = User.objects.create_user("two", role="admin")
    outcomes: list[str] = []
    barrier = threading.Barrier(2, timeout=30)

    def close(target: User, actor: User) -> None:
        barrier.wait()
        try:
            users.update_user(user_id=target.pk, actor=actor, is_active=False)
            outcomes.append("closed")
        except ConflictError as error:
            outcomes.append(error.code)
        finally:
            connection.close()

    threads = [threading.Thread(target=close, args=pair) for pair in ((one, two), (two, one))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(outcomes) == ["closed", "last_admin"]
    assert User.objects.filter(role="admin", is_active=True).count() == 1


def test_a_reset_ends_everything_and_is_not_for_oneself(admin: User, make_user: Make):
    user = make_user("ward")
    client = Client()
    client.force_login(user)
    Token.objects.create(user=user)
    _, password = users.reset_password(user_id=user.pk, actor=admin)
    user.refresh_from_db()
    assert user.check_password(password)
    assert user.must_change_password
    assert client.get("/account/").status_code == 302
    assert not Token.objects.exists()
    with pytest.raises(ConflictError) as caught:
        users.reset_password(user_id=admin.pk, actor=admin)
    assert caught.value.code == "own_account"


def test_who_does_not_exist_is_not_found(admin: User):
    with pytest.raises(NotFoundError):
        users.update_user(user_id=10**12, actor=admin, role="admin")
    with pytest.raises(NotFoundError):
        users.reset_password(user_id=10**12, actor=admin)


# --- the pages


def test_the_list_filters_sorts_and_finds(admin_client: Client, make_user: Make):
    make_user("anna", "clinician", display_name="Zoe Z")
    make_user("bert", "engineer", is_active=False, display_name="<b>Bert</b>")

    def names(query: str) -> list[str]:
        text = admin_client.get(f"/users/{query}").content.decode()
        return re.findall(r'<td><a href="/users/\d+/">([^<]*)</a>', text)

    assert names("") == ["anna", "bert", "boss"]
    assert names("?ordering=-username") == ["boss", "bert", "anna"]
    assert names("?role=engineer") == ["bert"]
    assert names("?active=no") == ["bert"]
    assert names("?q=zoe") == ["anna"]
    assert names("?role=nonsense&ordering=nonsense&page=nonsense") == ["anna", "bert", "boss"]
    text = admin_client.get("/users/").content.decode()
    assert "&lt;b&gt;Bert&lt;/b&gt;" in text
    assert "<b>Bert</b>" not in text
    assert "No account matches" in admin_client.get("/users/?q=nobody").content.decode()


def test_the_password_is_shown_once_and_not_stored(admin_client: Client):
    data = {"username": "new", "role": "engineer", "display_name": "New One"}
    response = admin_client.post("/users/new/", data)
    assert response.status_code == 200
    assert "no-store" in response["Cache-Control"]
    password = re.search(r"(\w{4}-){3}\w{4}", response.content.decode())
    assert password
    user = User.objects.get(username="new")
    assert user.check_password(password[0])
    assert password[0] not in admin_client.get(f"/users/{user.pk}/").content.decode()


@pytest.mark.parametrize(
    ("data", "status"),
    [({"username": "boss", "role": "admin"}, 409), ({"username": "x", "role": "king"}, 400)],
)
def test_a_bad_new_account_is_explained(admin_client: Client, data: dict, status: int):
    response = admin_client.post("/users/new/", data)
    assert response.status_code == status
    assert "field-error" in response.content.decode()


def test_edit_close_open_reset_by_page(admin_client: Client, make_user: Make):
    user = make_user("ward")
    page = f"/users/{user.pk}/"
    data = {"role": "engineer", "display_name": "W"}
    assert admin_client.post(page, data)["Location"] == page
    assert admin_client.post(f"{page}active/", {"active": "no"})["Location"] == page
    user.refresh_from_db()
    assert (user.role, user.is_active) == ("engineer", False)
    assert "Open account again" in admin_client.get(page).content.decode()
    admin_client.post(f"{page}active/", {"active": "yes"})
    user.refresh_from_db()
    assert user.is_active
    assert admin_client.post(f"{page}active/", {"active": "maybe"}).status_code == 400
    assert admin_client.post(f"{page}reset-password/").status_code == 200
    assert admin_client.get(f"{page}reset-password/").status_code == 405
    assert admin_client.get("/users/999999999999/").status_code == 404


def test_the_own_account_has_no_buttons(admin_client: Client, admin: User):
    text = admin_client.get(f"/users/{admin.pk}/").content.decode()
    assert "Close account" not in text
    assert "another admin" in text
    response = admin_client.post(f"/users/{admin.pk}/", {"role": "engineer", "display_name": ""})
    assert response.status_code == 409
    assert admin_client.post(f"/users/{admin.pk}/active/", {"active": "no"}).status_code == 409


# --- REST


def test_rest_makes_lists_and_changes(admin_api: Client, make_user: Make):
    made = admin_api.post(
        "/api/v1/users/", {"username": "new", "role": "clinician"}, "application/json"
    )
    assert made.status_code == 201
    body = made.json()
    assert User.objects.get(pk=body["id"]).check_password(body["one_time_password"])
    listed = admin_api.get("/api/v1/users/?ordering=-username").json()
    assert [row["username"] for row in listed["results"]] == ["new", "boss"]
    assert listed["count"] == 2
    assert "one_time_password" not in listed["results"][0]
    assert "password" not in listed["results"][0]
    address = f"/api/v1/users/{body['id']}/"
    changed = admin_api.patch(address, {"role": "engineer"}, "application/json")
    assert changed.json()["role"] == "engineer"
    assert admin_api.get(address).json()["role"] == "engineer"
    again = admin_api.post(f"{address}reset-password/")
    assert again.json()["one_time_password"] != body["one_time_password"]
    assert verbs() == ["created", "changed", "password_reset"]


@pytest.mark.parametrize(
    ("call", "body", "answer"),
    [
        ("post /api/v1/users/", {"username": "BOSS", "role": "admin"}, (409, "username_taken")),
        ("post /api/v1/users/", {"username": "x", "role": "king"}, (400, "invalid")),
        ("post /api/v1/users/", {"username": "a b", "role": "admin"}, (400, "invalid_user")),
        ("patch /api/v1/users/{me}/", {"is_active": False}, (409, "own_account")),
        ("patch /api/v1/users/999999/", {"is_active": False}, (404, "user_not_found")),
        ("get /api/v1/users/999999/", None, (404, "user_not_found")),
    ],
)
def test_rest_errors(
    admin_api: Client, admin: User, call: str, body: dict, answer: tuple[int, str]
):
    method, path = call.split()
    response = getattr(admin_api, method)(path.format(me=admin.pk), body, "application/json")
    assert (response.status_code, response.json()["code"]) == answer


# --- commands


def test_demo_accounts(db: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture):
    monkeypatch.setenv("DEMO_PASSWORD", "demo-Password-9")
    call_command("create_demo_users")
    rows = User.objects.order_by("username").values_list("username", "role", "is_demo")
    assert list(rows) == [
        ("admin", "admin", True),
        ("clinician", "clinician", True),
        ("clinician2", "clinician", True),
        ("engineer", "engineer", True),
    ]
    assert all(user.check_password("demo-Password-9") for user in User.objects.all())
    monkeypatch.setenv("DEMO_PASSWORD", "another-Password-9")
    call_command("create_demo_users")
    call_command("create_demo_users")
    assert User.objects.count() == 4
    assert User.objects.get(username="admin").check_password("another-Password-9")
    out = capsys.readouterr().out
    assert ["made" in out, "password set" in out, "there" in out] == [True, True, True]
    assert "Password-9" not in out


@override_settings(EMBEDDED=False)
def test_no_demo_accounts_in_production(db: None, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("DEMO_PASSWORD", "demo-Password-9")
    with pytest.raises(CommandError, match="only in the embedded mode"):
        call_command("create_demo_users")
    assert not User.objects.exists()


def test_demo_accounts_need_a_password_and_take_nobodys_place(
    make_user: Make, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delenv("DEMO_PASSWORD", raising=False)
    with pytest.raises(CommandError, match="DEMO_PASSWORD"):
        call_command("create_demo_users")
    monkeypatch.setenv("DEMO_PASSWORD", "demo-Password-9")
    person = make_user("engineer", "engineer")
    with pytest.raises(CommandError, match="not a demo account"):
        call_command("create_demo_users")
    person.refresh_from_db()
    assert person.check_password(PASSWORD)
    assert User.objects.count() == 1


def test_the_first_admin(db: None, capsys: pytest.CaptureFixture):
    call_command("create_admin", "chief", display_name="The Chief")
    user = User.objects.get()
    password = capsys.readouterr().out.split("one-time password: ")[1].split()[0]
    assert (user.role, user.must_change_password, user.is_demo) == ("admin", True, False)
    assert user.check_password(password)
    with pytest.raises(CommandError, match="taken"):
        call_command("create_admin", "CHIEF")
