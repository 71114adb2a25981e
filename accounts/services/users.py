"""Accounts: made, changed, closed and opened again by an admin; the password by its owner.

An account is never deleted, so that old reports keep their author.
"""

from __future__ import annotations

import secrets
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import F
from django.http import HttpRequest
from rest_framework.authtoken.models import Token
from rest_framework.request import Request

from accounts.models import User
from accounts.permissions import Role
from twinhealth.errors import ConflictError, InvalidInputError, NotFoundError

from . import audit

AnyRequest = HttpRequest | Request

# no 0 O 1 l I: a one-time password is read aloud or copied by hand
_ALPHABET = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"


def one_time_password() -> str:
    """Four groups of four, 92 bits."""
    return "-".join("".join(secrets.choice(_ALPHABET) for _ in range(4)) for _ in range(4))


@transaction.atomic
def create_user(
    *,
    username: str,
    role: str,
    actor: User | None,
    display_name: str = "",
    password: str | None = None,
    must_change_password: bool = True,
    is_demo: bool = False,
    request: AnyRequest | None = None,
) -> tuple[User, str]:
    """Make an account.

    Args:
        username: letters, digits and @.+-_; kept as written, compared whatever its case.
        role: a value of `accounts.permissions.Role`.
        actor: the admin; `None` for a management command.
        display_name: whole name as it stands under reports.
        password: a one-time password is made where none is given.
        must_change_password: the owner chooses an own one at the first sign-in.
        is_demo: an account of the embedded mode.
        request: for the audit trail.

    Returns:
        The account and its password, which is readable nowhere later.

    Raises:
        InvalidInputError: `invalid_user`, with `extra["fields"]`.
        ConflictError: `username_taken`.
    """
    password = password or one_time_password()
    user = User(
        username=username.strip(),
        role=role,
        display_name=display_name.strip(),
        is_demo=is_demo,
        must_change_password=must_change_password,
    )
    user.set_password(password)
    if User.objects.filter(username__iexact=user.username).exists():
        raise _taken()
    _check(user)
    try:
        with transaction.atomic():
            user.save()
    except IntegrityError as error:  # another admin was faster
        raise _taken() from error
    audit.record(
        actor=actor, verb="created", obj=user, request=request, detail={"role": str(user.role)}
    )
    return user, password


@transaction.atomic
def update_user(
    *,
    user_id: int,
    actor: User | None,
    role: str | None = None,
    display_name: str | None = None,
    email: str | None = None,
    is_active: bool | None = None,
    is_reading_lead: bool | None = None,
    request: AnyRequest | None = None,
) -> User:
    """Change what is given; a new role or a closed account ends its sessions and token.

    A clinician who gets another role leads the reading room no longer.

    Raises:
        NotFoundError: `user_not_found`.
        ConflictError: `own_account` for one's own role or closure, `last_admin`.
        InvalidInputError: `invalid_user`, `not_a_clinician` for a lead who doesn't read.
    """
    user = _locked(user_id)
    before = _facts(user)
    if email is not None:
        user.email = email.strip()
    _change(user, role, display_name, is_active, is_reading_lead)
    _check(user)
    after = _facts(user)
    changed = {key: [before[key], after[key]] for key in after if before[key] != after[key]}
    if not changed:
        return user
    if "role" in changed or "is_active" in changed:
        _guard_admins(user, was_admin=before["role"] == Role.ADMIN, actor=actor)
    user.save()
    if "role" in changed or changed.get("is_active") == [True, False]:
        _end_sessions(user)
    verb = "changed"
    if "is_active" in changed:
        verb = "reactivated" if user.is_active else "deactivated"
    audit.record(actor=actor, verb=verb, obj=user, request=request, detail={"changed": changed})
    return user


def _change(
    user: User,
    role: str | None,
    display_name: str | None,
    is_active: bool | None,  # noqa: FBT001 - private
    leads: bool | None,  # noqa: FBT001 - private
) -> None:
    if role is not None:
        user.role = role
    if display_name is not None:
        user.display_name = display_name.strip()
    if is_active is not None:
        user.is_active = is_active
    if user.role != Role.CLINICIAN:
        if leads and role is None:
            raise InvalidInputError("not_a_clinician", "Only a clinician leads the reading room.")
        user.is_reading_lead = False
    elif leads is not None:
        user.is_reading_lead = leads


@transaction.atomic
def reset_password(
    *, user_id: int, actor: User | None, request: AnyRequest | None = None
) -> tuple[User, str]:
    """Give a one-time password; every session and token of the account ends.

    Raises:
        NotFoundError: `user_not_found`.
        ConflictError: `own_account`; one's own password is changed on the account page.
    """
    user = _locked(user_id)
    if actor is not None and actor.pk == user.pk:
        raise ConflictError("own_account", "Change your own password on the account page.")
    password = one_time_password()
    user.set_password(password)
    user.must_change_password = True
    user.save(update_fields=["password", "must_change_password"])
    _end_sessions(user)
    audit.record(actor=actor, verb="password_reset", obj=user, request=request)
    return user, password


@transaction.atomic
def change_own_password(
    *, user: User, old_password: str, new_password: str, request: AnyRequest | None = None
) -> User:
    """The owner chooses a new password; other sessions and the token end.

    Raises:
        InvalidInputError: `wrong_password`, `same_password`, `weak_password`.
    """
    user = _locked(user.pk)
    if not user.check_password(old_password):
        raise InvalidInputError("wrong_password", "The present password is not right.")
    if old_password == new_password:
        raise InvalidInputError("same_password", "The new password must differ from the present.")
    try:
        validate_password(new_password, user)
    except ValidationError as error:
        raise InvalidInputError("weak_password", " ".join(error.messages)) from error
    user.set_password(new_password)
    user.must_change_password = False
    user.save(update_fields=["password", "must_change_password"])
    _end_sessions(user)
    audit.record(actor=user, verb="password_changed", obj=user, request=request)
    return user


def _locked(user_id: int) -> User:
    """The account, with all active admins locked, so that two can't remove each other at once."""
    list(
        User.objects.select_for_update()
        .filter(role=Role.ADMIN, is_active=True)
        .order_by("pk")
        .values_list("pk", flat=True)
    )
    user = User.objects.select_for_update().filter(pk=user_id).first()
    if user is None:
        raise NotFoundError("user_not_found", "There is no such account.")
    return user


def _guard_admins(user: User, *, was_admin: bool, actor: User | None) -> None:
    """Nobody locks himself out, and one admin stays."""
    if actor is not None and actor.pk == user.pk:
        raise ConflictError(
            "own_account", "Another admin must change your own role or close your account."
        )
    others = User.objects.filter(role=Role.ADMIN, is_active=True).exclude(pk=user.pk)
    if was_admin and not (user.role == Role.ADMIN and user.is_active) and not others.exists():
        raise ConflictError("last_admin", "This is the last active admin. Make another one first.")


def _end_sessions(user: User) -> None:
    """Every session and the token stop working; call inside the change's transaction."""
    User.objects.filter(pk=user.pk).update(session_epoch=F("session_epoch") + 1)
    user.refresh_from_db(fields=["session_epoch"])
    Token.objects.filter(user=user).delete()


def _facts(user: User) -> dict[str, Any]:
    return {
        "role": str(user.role),
        "display_name": user.display_name,
        "email": user.email,
        "is_active": user.is_active,
        "is_reading_lead": user.is_reading_lead,
    }


def _check(user: User) -> None:
    try:
        user.clean_fields()
    except ValidationError as error:
        raise InvalidInputError(
            "invalid_user",
            " ".join(error.messages),
            fields={key: list(texts) for key, texts in error.message_dict.items()},
        ) from error


def _taken() -> ConflictError:
    return ConflictError("username_taken", "This user name is taken; choose another one.")
