"""Accounts of each role, and clients signed in as them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.core.cache import cache
from django.test import Client
from rest_framework.authtoken.models import Token

from accounts.models import User

PASSWORD = "a-good-Password-1"


@pytest.fixture(autouse=True)
def _fresh_counters() -> None:
    cache.clear()


@pytest.fixture
def make_user(db: None) -> Callable[..., User]:
    def make(username: str, role: str = "clinician", **fields: object) -> User:
        return User.objects.create_user(username, password=PASSWORD, role=role, **fields)

    return make


@pytest.fixture
def admin(make_user: Callable[..., User]) -> User:
    return make_user("boss", "admin")


@pytest.fixture
def admin_client(admin: User) -> Client:
    client = Client()
    client.force_login(admin)
    return client


@pytest.fixture
def admin_api(admin: User) -> Client:
    token = Token.objects.create(user=admin)
    return Client(headers={"Authorization": f"Token {token.key}"})
