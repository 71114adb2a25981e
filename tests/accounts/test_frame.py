"""The left rail: at most six doors by role, each leading somewhere that the role may enter."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import resolve, reverse

from accounts.context import RAIL, Door
from accounts.models import User
from accounts.permissions import Role, may

DOORS = [(role, door) for role, doors in RAIL.items() for door in doors]


@pytest.mark.parametrize(("role", "door"), DOORS, ids=[f"{r} {d.label}" for r, d in DOORS])
def test_each_door_leads_into_a_room_of_the_role(role: str, door: Door):
    path = reverse(door.url_name)
    assert path.startswith(door.prefix)
    view = resolve(path).func
    user = User(role=role, is_active=True)
    assert may(user, door.permission)
    assert may(user, view.required)


def test_six_doors_at_most():
    assert set(RAIL) == set(Role.values)
    assert all(len(doors) <= 6 for doors in RAIL.values())


def test_the_frame_says_where_one_is_and_who(make_user: Callable[..., User]):
    client = Client()
    client.force_login(make_user("ward", display_name="Ward <Three>"))
    html = client.get("/patients/").content.decode()
    assert html.count('aria-current="page"') == 1
    assert "Ward &lt;Three&gt;" in html
    assert "Quarantine" in html
    assert "Audit" not in html
