"""Signing in: by page or for a token, with the same limit and the same traces."""

from __future__ import annotations

from django.contrib.auth import authenticate
from django.db import transaction
from django.http import HttpRequest
from rest_framework.authtoken.models import Token
from rest_framework.request import Request

from accounts import ratelimit
from accounts.address import remote_address
from accounts.models import User
from twinhealth.errors import NotPermittedError

from . import audit


def verify(*, username: str, password: str, request: HttpRequest | Request) -> User | None:
    """Who this is, or `None` where name and password don't match an active account.

    Unknown, inactive and known names take the same time (Django hashes once in each case), leave
    the same kind of trace, and get the same answer. A name that matches nobody is not kept: people
    type passwords into the wrong field.

    Raises:
        TooManyRequestsError: `too_many_attempts`.
    """
    attempt = ratelimit.take(username=username, address=remote_address(request))
    plain = request._request if isinstance(request, Request) else request  # noqa: SLF001
    user = authenticate(plain, username=username, password=password)
    if isinstance(user, User):
        attempt.give_back()
        return user
    known = User.objects.filter(username__iexact=username).first()
    audit.record(actor=None, verb="sign_in_refused", obj=known or User, request=request)
    return None


@transaction.atomic
def issue_token(*, user: User, request: HttpRequest | Request) -> str:
    """The account's token for the API; the same one until it is revoked.

    Raises:
        NotPermittedError: `password_change_required`, for a password set by somebody else.
    """
    if user.must_change_password:
        raise NotPermittedError(
            "password_change_required", "Sign in on the web page and choose an own password first."
        )
    token, _ = Token.objects.get_or_create(user=user)
    audit.record(actor=user, verb="token_issued", obj=user, request=request)
    return token.key


@transaction.atomic
def revoke_token(*, user: User, request: HttpRequest | Request) -> None:
    """The account's token stops working at once; without one nothing happens."""
    if Token.objects.filter(user=user).delete()[0]:
        audit.record(actor=user, verb="token_revoked", obj=user, request=request)
