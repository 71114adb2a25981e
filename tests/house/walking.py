"""The walk through every address that the resolver knows, for the tests that take it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from types import SimpleNamespace
from typing import Any

from django.db import transaction
from django.test import Client
from django.urls import URLPattern, get_resolver

from accounts.api_permissions import required_permission
from accounts.models import User
from accounts.permissions import TABLE, Can, Role

from . import hospital

N = hospital.NUMBER
# the API's description has views of its own, which `SignedIn` guards (tested below)
NO_DECLARATION = {"schema", "docs"}
# probes of the machine room, open by nature
PROBES = ("/healthz", "/readyz", "/metrics")
NOBODY = "nobody"
ROLES = [*Role.values]

_CONVERTED = re.compile(r"<(?:(?P<kind>\w+):)?(?P<name>\w+)>")
_GROUP = re.compile(r"\(\?P<(?P<name>\w+)>(?:[^()\\]|\\.|\[[^]]*\])*\)")
_SAMPLES = {"int": str(N), "str": "walk", "slug": "walk", "path": "walk/x",
            "uuid": "00000000-0000-4000-8000-000000000001"}  # fmt: skip


@dataclass(frozen=True)
class Door:
    """One address with one method."""

    path: str
    method: str
    name: str
    callback: Any
    is_api: bool

    def __str__(self) -> str:
        return f"{self.method.upper()} {self.path}"

    @property
    def required(self) -> Can | None:
        if not self.is_api:
            return getattr(self.callback, "required", None)
        actions = getattr(self.callback, "actions", None) or {}
        view = SimpleNamespace(required=getattr(self.callback.cls, "required", None))
        if self.method in actions:
            view.action = actions[self.method]
        return required_permission(view, self.method)


def _patterns(resolver: Any, prefix: str = "") -> Iterator[tuple[str, URLPattern]]:
    for entry in resolver.url_patterns:
        route = prefix + str(entry.pattern)
        if isinstance(entry, URLPattern):
            yield route, entry
        else:
            yield from _patterns(entry, route)


def _fill(route: str) -> str:
    """An address that matches: every number is that of the rows in `hospital`."""
    path = _GROUP.sub(lambda m: str(N) if r"\d" in m[0] else "walk", route)
    path = _CONVERTED.sub(lambda m: _SAMPLES[m["kind"] or "str"], path)
    return "/" + path.replace("^", "").removesuffix("$").replace(r"\Z", "").replace(r"\.", ".")


def _methods(callback: Any) -> list[str]:
    if (actions := getattr(callback, "actions", None)) is not None:
        return [m for m in actions if m in {"get", "post", "put", "patch", "delete"}]
    if (cls := getattr(callback, "cls", None)) is not None:
        return [m for m in ("get", "post", "put", "patch", "delete") if hasattr(cls, m)]
    return ["get", "post"]


@lru_cache
def doors() -> tuple[Door, ...]:
    return tuple(
        Door(_fill(route), method, entry.name or "", entry.callback, hasattr(entry.callback, "cls"))
        for route, entry in _patterns(get_resolver())
        for method in _methods(entry.callback)
    )


def declared() -> list[Door]:
    return [door for door in doors() if door.name not in NO_DECLARATION]


def may(role: str, permission: Can) -> bool:
    return permission is Can.ANYONE or (role != NOBODY and permission in TABLE[role])


def people() -> dict[str, Client]:
    """A hospital with one row of everything, and a browser for each role and for nobody."""
    hospital.build()
    made = {NOBODY: Client(raise_request_exception=False)}
    for role in ROLES:
        made[role] = Client(raise_request_exception=False)
        made[role].force_login(User.objects.create_user(f"walking-{role}", role=role))
    return made


def ask(client: Client, door: Door) -> Any:
    """The answer; whatever the view changed is undone, sessions and cookies too."""
    cookies = client.cookies.output()
    jar = {key: morsel.value for key, morsel in client.cookies.items()}
    kwargs = {"content_type": "application/json"} if door.is_api and door.method != "get" else {}
    with transaction.atomic():
        response = getattr(client, door.method)(door.path, {}, **kwargs)
        response.said = text_of(response)
        transaction.set_rollback(True)
    if client.cookies.output() != cookies:
        client.cookies.clear()
        client.cookies.load(jar)
    return response


def text_of(response: Any) -> str:
    chunks = response.streaming_content if response.streaming else [response.content]
    read = b""
    for chunk in chunks:
        read += chunk
        if len(read) > 2_000_000:
            break
    return read.decode("utf-8", "replace")
