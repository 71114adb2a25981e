"""A reader's named filters of the worklist."""

from __future__ import annotations

from collections.abc import Mapping

from django.db import transaction
from django.http import HttpRequest

from accounts.models import User
from accounts.services import audit
from reading.models import SavedView
from twinhealth.errors import ConflictError, InvalidInputError, NotFoundError

KEPT = ("show", "device", "trust", "label", "patient", "ordering")
MAX_NAME, MAX_VALUE, MAX_VIEWS = 40, 64, 30


def save(
    *, user: User, name: str, query: Mapping[str, str], request: HttpRequest | None = None
) -> SavedView:
    """Keep filters under a name; a view of that name is written over.

    Args:
        user: whose view.
        name: 1 to 40 characters.
        query: of the worklist's address; what it doesn't know isn't kept.
        request: for the audit.

    Raises:
        InvalidInputError: `bad_name`.
        ConflictError: `too_many_views`.
    """
    kept = {key: query[key][:MAX_VALUE] for key in KEPT if query.get(key)}
    called = _name(name)
    with transaction.atomic():
        _lock(user)
        mine = SavedView.objects.filter(user=user)
        if mine.exclude(name=called).count() >= MAX_VIEWS:
            raise ConflictError("too_many_views", f"You have {MAX_VIEWS} views; delete one first.")
        view, _ = SavedView.objects.update_or_create(
            user=user, name=called, defaults={"query": kept}
        )
        return _said(user, "saved_view", view, request)


def rename(*, user: User, view_id: int, name: str, request: HttpRequest | None = None) -> SavedView:
    """Give one's own view another name.

    Raises:
        NotFoundError: `no_such_view`.
        InvalidInputError: `bad_name`.
        ConflictError: `name_taken`.
    """
    called = _name(name)
    with transaction.atomic():
        view = _own(user, view_id)
        if SavedView.objects.filter(user=user, name=called).exclude(pk=view.pk).exists():
            raise ConflictError("name_taken", "You have a view of this name.")
        view.name = called
        view.save(update_fields=["name"])
        return _said(user, "renamed_view", view, request)


def delete(*, user: User, view_id: int, request: HttpRequest | None = None) -> None:
    """Forget one's own view.

    Raises:
        NotFoundError: `no_such_view`.
    """
    with transaction.atomic():
        view = _own(user, view_id)
        _said(user, "deleted_view", view, request)
        view.delete()


def make_default(
    *, user: User, view_id: int, on: bool, request: HttpRequest | None = None
) -> SavedView:
    """Have the worklist open with this view, or with none again.

    Raises:
        NotFoundError: `no_such_view`.
    """
    with transaction.atomic():
        view = _own(user, view_id)
        SavedView.objects.filter(user=user, is_default=True).update(is_default=False)
        view.is_default = on
        view.save(update_fields=["is_default"])
        return _said(user, "chose_view", view, request)


def _name(name: str) -> str:
    called = " ".join(name.split())
    if not 0 < len(called) <= MAX_NAME or "\0" in called:
        raise InvalidInputError("bad_name", f"A name has 1 to {MAX_NAME} characters.")
    return called


def _lock(user: User) -> None:
    """One change of a reader's views at a time: the constraints then never surprise."""
    User.objects.select_for_update().get(pk=user.pk)


def _own(user: User, view_id: int) -> SavedView:
    _lock(user)
    view = SavedView.objects.filter(user=user, pk=view_id).first()
    if view is None:
        raise NotFoundError("no_such_view", "You have no such view.", view=view_id)
    return view


def _said(user: User, verb: str, view: SavedView, request: HttpRequest | None) -> SavedView:
    audit.record(actor=user, verb=verb, obj=view, request=request)
    return view
