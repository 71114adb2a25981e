"""The hospital that walks go through: built once per file, for each test as if it were new."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.core.cache import cache
from django.db import transaction
from django.test import Client
from pytest_django import DjangoDbBlocker

from .walking import people


@pytest.fixture(scope="module")
def built(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[dict[str, str]]:
    """Rows of everything in a transaction that ends with the file; role to its cookies."""
    with django_db_blocker.unblock():
        around = transaction.atomic()
        # as Django's TestCase marks its own: a test inside may open a durable block
        around._from_testcase = True  # type: ignore[attr-defined]
        with around:
            yield {who: client.cookies.output(header="") for who, client in people().items()}
            transaction.set_rollback(True)


@pytest.fixture
def clients(built: dict[str, str], db: None) -> dict[str, Client]:
    """A browser for each role and for nobody; what a test does to the rows ends with it."""
    cache.clear()  # what was shown lately, in a test before
    made = {}
    for who, cookies in built.items():
        made[who] = Client(raise_request_exception=False)
        made[who].cookies.load(cookies)
    return made
