"""How often somebody may try to come in: counters in the cache, for any backend of ours.

A try is counted before the password is looked at, so that parallel guesses can't slip through,
and given back when it was right. Counters belong to a window of time and end with it: nobody is
ever locked out for longer than one window, and trying while locked out doesn't prolong it.
"""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import structlog
from django.conf import settings
from django.core.cache import cache, caches
from django.core.cache.backends.filebased import FileBasedCache
from django.core.files import locks
from redis.exceptions import RedisError

from twinhealth.errors import TooManyRequestsError

from .address import address_block

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One counted try."""

    address_key: str
    account_key: str

    def give_back(self) -> None:
        """The password was right: forget the account's tries from here, uncount this one."""
        with _survives_cache_loss(), _exclusive():
            cache.delete(self.account_key)
            if (count := cache.get(self.address_key)) and count > 0:
                _add(self.address_key, -1)


def take(*, username: str, address: str | None, what: str = "sign-in") -> Attempt:
    """Count one try of this account from this address.

    Args:
        username: of the account; for a machine's key the key's open part.
        address: from where.
        what: is tried; each kind has counters of its own, so that a machine with an old key can't
            lock out the people behind the same address.

    Raises:
        TooManyRequestsError: `too_many_attempts`; `extra["retry_after"]` in seconds.
    """
    window = settings.SIGN_IN_WINDOW_SECONDS
    now = time.time()
    number = int(now // window)
    block = address_block(address)
    attempt = Attempt(
        address_key=_key(what, "address", block, number),
        account_key=_key(what, "account", f"{username.casefold()}\0{block}", number),
    )
    with _survives_cache_loss():
        with _exclusive():
            by_address = _add(attempt.address_key, 1)
            by_account = _add(attempt.account_key, 1)
        if (
            by_address > settings.SIGN_IN_TRIES_PER_ADDRESS
            or by_account > settings.SIGN_IN_TRIES_PER_ACCOUNT
        ):
            seconds = max(1, math.ceil((number + 1) * window - now))
            log.warning("sign_in_limited", what=what, by_address=by_address, by_account=by_account)
            raise TooManyRequestsError(
                "too_many_attempts",
                f"Too many {what} attempts. Wait {_spoken(seconds)} and try again.",
                retry_after=seconds,
            )
    return attempt


def _spoken(seconds: int) -> str:
    minutes = -(-seconds // 60)
    if seconds < 60:
        return f"{seconds} seconds"
    return "1 minute" if minutes == 1 else f"{minutes} minutes"


def _key(what: str, kind: str, value: str, number: int) -> str:
    digest = hashlib.sha256(value.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{what.replace(' ', '-')}:{kind}:{number}:{digest}"


def _add(key: str, delta: int) -> int:
    """Count; the key holds the window's number, so a longer life in the cache does no harm."""
    life = 2 * settings.SIGN_IN_WINDOW_SECONDS
    if not _counts_atomically():
        count = int(cache.get(key, 0)) + delta
        cache.set(key, count, timeout=life)
        return count
    cache.add(key, 0, timeout=life)
    try:
        return int(cache.incr(key, delta))
    except ValueError:  # gone between the two calls: the cache was cleared
        cache.set(key, max(delta, 0), timeout=life)
        return max(delta, 0)


def _counts_atomically() -> bool:
    return not isinstance(caches["default"], FileBasedCache)


@contextmanager
def _exclusive() -> Iterator[None]:
    """Let one process count at a time where the cache can't count by itself.

    Redis counts atomically; Django's file-based cache reads and writes back.
    """
    if _counts_atomically():
        yield
        return
    settings.DATA_DIR.mkdir(parents=True, exist_ok=True)
    with (settings.DATA_DIR / "sign-in.lock").open("a") as file:
        locks.lock(file, locks.LOCK_EX)
        try:
            yield
        finally:
            locks.unlock(file)


@contextmanager
def _survives_cache_loss() -> Iterator[None]:
    """A hospital must be able to sign in while Redis is away; the log says so loudly."""
    try:
        yield
    except (RedisError, OSError):
        log.exception("sign_in_limit_unavailable")
