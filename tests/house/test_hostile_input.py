"""No address answers 500, whatever stands in its path and its query: every role, every GET."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import quote

import pytest
from django.conf import settings
from django.db import transaction
from django.test import Client
from drf_spectacular.generators import SchemaGenerator

from accounts.permissions import Role

from .walking import NOBODY, ROLES, Door, N, ask, declared, may

HUGE = str(10**30)
_PARTS = 12
# percent-encoded, as a browser or a script of an attacker would send them
VALUES = [
    HUGE,
    str(2**63),
    "-1",
    "-9223372036854775809",
    "%00",
    "a%00b",
    "%ED%A0%80",  # half of a surrogate pair
    "%C3%28",  # no UTF-8 at all
    quote("\u202e\ufeff\U0001f4a9'\";--<b>"),
    "nan",
    "1e999",
    quote("0001-01-01T00:00:00+23:59"),
    quote("9999-12-31T23:59:59-23:59"),
    quote("0001-01-01T00:00:00+23:59_5"),
    quote("0001-01-01T00:00:00+23:59_film_5"),
    "2026-13-45",
    quote("[{()}]%_*\\"),
    "x" * 5_000,
]
_NAMED = re.compile(r"""(?:GET|query_params|query)\b(?:\.get(?:list)?\(|\[)\s*["'](\w+)["']""")
_EVERYWHERE = {"page", "page_size", "ordering", "q", "search", "format"}


def names_in_code() -> set[str]:
    """Names of query parameters that any room asks for."""
    found = set(_EVERYWHERE)
    for room in (
        *(
            "accounts",
            "devices",
            "patients",
            "imaging",
            "detection",
            "reading",
            "maintenance",
            "notices",
        ),
    ):
        for path in (Path(settings.BASE_DIR) / room).rglob("*.py"):
            found |= set(_NAMED.findall(path.read_text()))
    return found


def names_in_schema() -> dict[str, set[str]]:
    """Address -> names of its query parameters, as the API's description tells them."""
    schema = SchemaGenerator().get_schema(request=None, public=True)
    return {
        path: {p["name"] for p in operations["get"].get("parameters", []) if p["in"] == "query"}
        for path, operations in schema["paths"].items()
        if "get" in operations
    }


def schema_path(door: Door) -> str:
    return re.sub(rf"/{N}(?=/)", "/{}", door.path)


def broken(client: Client, address: str, method: str = "get") -> str | None:
    """What to report of an address that fell over; 503 is an answer."""
    response = ask(client, Door(address, method, "", None, is_api="/api/" in address))
    if response.status_code >= 500 and response.status_code != 503:
        return f"{response.status_code} {address[:300]}"
    return None


def pages() -> list[Door]:
    return [door for door in declared() if door.method == "get"]


def who(door: Door) -> str:
    """Somebody who is let in."""
    return next(role for role in (*ROLES, NOBODY) if may(role, door.required))


@pytest.mark.parametrize("role", [NOBODY, *ROLES])
def test_every_parameter_at_once(clients: dict[str, Client], role: str):
    names = sorted(names_in_code())
    assert len(names) > 20
    wrong = [
        broken(clients[role], door.path + "?" + "&".join(f"{name}={value}" for name in names))
        for door in pages()
        if may(role, door.required)
        for value in VALUES
    ]
    assert not any(wrong), "\n".join(filter(None, wrong))


def test_each_parameter_alone(clients: dict[str, Client]):
    """What one filter refuses must not hide what the next one can't stand."""
    described = {re.sub(r"\{\w+\}", "{}", path): names for path, names in names_in_schema().items()}
    assert len(described) > 20
    wrong, asked = [], 0
    for door in pages():
        for name in sorted(described.get(schema_path(door), set())):
            for value in VALUES:
                asked += 1
                wrong.append(broken(clients[who(door)], f"{door.path}?{name}={value}"))
    assert asked > 500
    assert not any(wrong), "\n".join(filter(None, wrong))


def names_in_forms() -> set[str]:
    """Names of fields that any page sends."""
    fields = re.compile(
        r"""POST\.get(?:list)?\(\s*["'](\w+)["']|^    (\w+) = forms\.""", re.MULTILINE
    )
    found = {"csrfmiddlewaretoken"}
    for room in (
        *(
            "accounts",
            "devices",
            "patients",
            "imaging",
            "detection",
            "reading",
            "maintenance",
            "notices",
        ),
    ):
        for path in (Path(settings.BASE_DIR) / room).rglob("*.py"):
            found |= {name for pair in fields.findall(path.read_text()) for name in pair if name}
    for path in (Path(settings.BASE_DIR) / "templates").rglob("*.html"):
        found |= set(re.findall(r'\bname="(\w+)"', path.read_text()))
    return found


def test_forms_with_hostile_fields(clients: dict[str, Client]):
    """All fields hostile, then a few at a time in a form that is otherwise filled in."""
    names = sorted(names_in_forms())
    assert len(names) > 30
    wrong = []
    for door in declared():
        if door.method != "post" or door.is_api:
            continue
        sent = [dict.fromkeys(names, value) for value in VALUES]
        sent += [
            {**dict.fromkeys(names, "1"), **dict.fromkeys(names[part::_PARTS], "%00")}
            for part in range(_PARTS)
        ]
        for fields in sent:
            body = "&".join(f"{name}={value}" for name, value in fields.items())
            with transaction.atomic():
                response = clients[who(door)].generic(
                    "POST", door.path, body, content_type="application/x-www-form-urlencoded"
                )
                transaction.set_rollback(True)
            if response.status_code == 405:
                break  # it takes no form, whatever stands in it
            if response.status_code >= 500 and response.status_code != 503:
                wrong.append(f"{response.status_code} {door} {body[:200]}")
                break
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("number", ["0", str(2**31), str(2**63), HUGE])
def test_numbers_that_no_row_can_have(clients: dict[str, Client], number: str):
    wrong = [
        broken(clients[who(door)], door.path.replace(str(N), number), door.method)
        for door in declared()
        if str(N) in door.path
    ]
    assert len(wrong) > 60
    assert not any(wrong), "\n".join(filter(None, wrong))


@pytest.mark.parametrize("value", VALUES)
def test_addresses_that_lead_nowhere(clients: dict[str, Client], value: str):
    wrong = [
        broken(clients[role], address)
        for role in (NOBODY, Role.ADMIN)
        for address in (
            f"/{value}",
            f"/devices/{value}/",
            f"/api/v1/images/{value}/",
            f"/login/?next={value}",
        )
    ]
    assert not any(wrong), "\n".join(filter(None, wrong))
