"""How often one may try to sign in: with the in-process, the file-based and the Redis cache."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest
import redis
from django.core.cache import cache
from django.test import Client, override_settings

from accounts import ratelimit
from accounts.address import address_block
from accounts.models import User
from twinhealth.errors import TooManyRequestsError

from .conftest import PASSWORD

Make = Callable[..., User]
REDIS_URL = os.environ.get("TEST_REDIS_URL", "redis://127.0.0.1:6379/5")
FILES = "django.core.cache.backends.filebased.FileBasedCache"
REDIS = "django.core.cache.backends.redis.RedisCache"
LOCAL = "django.core.cache.backends.locmem.LocMemCache"


def redis_there() -> bool:
    try:
        return bool(redis.Redis.from_url(REDIS_URL, socket_connect_timeout=0.5).ping())
    except redis.RedisError:
        return False


@pytest.fixture(params=[LOCAL, FILES, REDIS], ids=["local", "files", "redis"])
def backend(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[dict[str, str]]:
    location = {LOCAL: "sign-in-test", FILES: str(tmp_path / "cache"), REDIS: REDIS_URL}
    if request.param == REDIS and not redis_there():
        pytest.skip("no Redis here")
    config = {"BACKEND": request.param, "LOCATION": location[request.param]}
    if request.param == REDIS:
        config["KEY_PREFIX"] = f"test-{uuid4()}"
    with override_settings(CACHES={"default": config}, DATA_DIR=tmp_path):
        yield config
        if request.param == LOCAL:
            cache.clear()


def take(username: str = "ward", address: str | None = "192.0.2.1") -> ratelimit.Attempt:
    return ratelimit.take(username=username, address=address)


def used_up(**who: str) -> TooManyRequestsError:
    with pytest.raises(TooManyRequestsError) as caught:
        take(**who)
    return caught.value


@override_settings(SIGN_IN_TRIES_PER_ACCOUNT=3)
def test_an_account_and_address_have_so_many_tries(backend: dict[str, str]):
    for _ in range(3):
        take()
    error = used_up()
    assert error.code == "too_many_attempts"
    assert 1 <= error.extra["retry_after"] <= 300
    take(address="192.0.2.2")  # the owner at another place is not locked out
    take(username="other")


@override_settings(SIGN_IN_TRIES_PER_ACCOUNT=100, SIGN_IN_TRIES_PER_ADDRESS=4)
def test_an_address_has_so_many_tries_for_all_names(backend: dict[str, str]):
    for name in "abcd":
        take(username=name)
    used_up(username="e")
    take(username="e", address="192.0.2.2")


@override_settings(SIGN_IN_TRIES_PER_ACCOUNT=3, SIGN_IN_TRIES_PER_ADDRESS=5)
def test_what_was_right_is_given_back(backend: dict[str, str]):
    for _ in range(20):
        take().give_back()
    take()
    take()
    take().give_back()  # the owner knew it at the third try: the account starts afresh
    for _ in range(3):
        take()
    used_up()  # the two wrong ones before stay counted for the address: 2 + 3 of 5


@override_settings(SIGN_IN_TRIES_PER_ACCOUNT=1)
def test_the_lock_ends_with_its_window_and_trying_does_not_prolong_it(
    backend: dict[str, str], monkeypatch: pytest.MonkeyPatch
):
    now = 1_000_000 * 300.0
    monkeypatch.setattr(ratelimit.time, "time", lambda: now)
    take()
    for second in range(0, 299, 30):
        now = 1_000_000 * 300.0 + second
        error = used_up()
        assert error.extra["retry_after"] == 300 - second
    now += 300
    take()


@override_settings(SIGN_IN_TRIES_PER_ACCOUNT=1)
def test_case_and_ipv6_neighbours_count_as_one(backend: dict[str, str]):
    take(username="Ward", address="2001:db8::1")
    used_up(username="wARD", address="2001:db8::ffff")
    take(username="ward", address="2001:db8:0:1::1")


@pytest.mark.parametrize(
    ("address", "block"),
    [
        (None, "unknown"),
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
    ],
)
def test_blocks(address: str | None, block: str):
    assert address_block(address) == block


PROGRAM = """
import json, sys
import django
from django.conf import settings
config = json.loads(sys.argv[1])
settings.configure(
    CACHES={"default": config}, DATA_DIR=__import__("pathlib").Path(sys.argv[2]),
    SIGN_IN_WINDOW_SECONDS=10_000_000, SIGN_IN_TRIES_PER_ACCOUNT=25,
    SIGN_IN_TRIES_PER_ADDRESS=1000, LOGGING_CONFIG=None, USE_TZ=True,
)
import structlog
structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
from accounts import ratelimit
from twinhealth.errors import TooManyRequestsError
passed = 0
for _ in range(20):
    try:
        ratelimit.take(username="ward", address="192.0.2.1")
        passed += 1
    except TooManyRequestsError:
        pass
print(passed)
"""


@pytest.mark.parametrize("kind", [FILES, REDIS], ids=["files", "redis"])
def test_processes_share_one_count(kind: str, tmp_path: Path):
    if kind == REDIS and not redis_there():
        pytest.skip("no Redis here")
    location = REDIS_URL if kind == REDIS else str(tmp_path / "cache")
    config = json.dumps({"BACKEND": kind, "LOCATION": location, "KEY_PREFIX": f"test-{uuid4()}"})
    command = [sys.executable, "-c", PROGRAM, config, str(tmp_path)]
    children = [
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2])
        for _ in range(3)
    ]
    passed = [int(child.communicate(timeout=120)[0]) for child in children]
    assert [child.returncode for child in children] == [0, 0, 0]
    assert sum(passed) == 25


def test_without_its_cache_people_still_sign_in(client: Client, make_user: Make):
    make_user("ward")
    away = {"BACKEND": REDIS, "LOCATION": "redis://127.0.0.1:1/0"}
    with override_settings(CACHES={"default": away}):
        response = client.post("/login/", {"username": "ward", "password": PASSWORD})
    assert response.status_code == 302


@override_settings(SIGN_IN_TRIES_PER_ACCOUNT=2)
def test_the_page_says_how_long_to_wait(client: Client, make_user: Make):
    make_user("ward")
    for _ in range(2):
        assert client.post("/login/", {"username": "ward", "password": "no"}).status_code == 401
    response = client.post("/login/", {"username": "ward", "password": PASSWORD})
    assert response.status_code == 429
    assert int(response["Retry-After"]) >= 1
    assert "Too many sign-in attempts" in response.content.decode()
    assert "_auth_user_id" not in client.session


@override_settings(SIGN_IN_TRIES_PER_ACCOUNT=2)
def test_page_and_token_share_the_limit(client: Client, make_user: Make):
    make_user("ward")
    client.post("/login/", {"username": "ward", "password": "no"})
    body = {"username": "ward", "password": "no"}
    assert client.post("/api/v1/auth/token/", body, "application/json").status_code == 401
    response = client.post("/api/v1/auth/token/", body, "application/json")
    assert response.status_code == 429
    assert response.json()["code"] == "too_many_attempts"
    assert response.json()["extra"]["retry_after"] == int(response["Retry-After"])
