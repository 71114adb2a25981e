"""Accounts, for admins."""

from __future__ import annotations

from http import HTTPStatus

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import selectors
from accounts.decorators import requires
from accounts.forms import ChangeUserForm, NewUserForm
from accounts.models import User
from accounts.permissions import Can, Role
from accounts.services import users as service
from twinhealth.errors import ConflictError, InvalidInputError
from twinhealth.web.errors import status_of

from .session import _user


@requires(Can.USER_ADMIN)
@require_safe
def user_list(request: HttpRequest) -> HttpResponse:
    """All accounts."""
    chosen = {key: request.GET.get(key, "") for key in ("q", "role", "active", "ordering")}
    pages = Paginator(selectors.users(**chosen), selectors.PAGE)
    context = {
        "page_obj": pages.get_page(request.GET.get("page")),
        "roles": Role.choices,
        "chosen": chosen,
        "now": timezone.now(),
    }
    return render(request, "accounts/users.html", context)


@requires(Can.USER_ADMIN)
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def user_new(request: HttpRequest) -> HttpResponse:
    """Make an account; its one-time password is shown on the answer and nowhere else."""
    form = NewUserForm(request.POST or None)
    status = HTTPStatus.OK
    if request.method == "POST":
        status = HTTPStatus.BAD_REQUEST
        if form.is_valid():
            try:
                user, password = service.create_user(
                    actor=_user(request), request=request, **form.cleaned_data
                )
            except (ConflictError, InvalidInputError) as error:
                form.add_error("username", error.message)
                status = status_of(error)
            else:
                return _show_password(request, user, password, fresh=True)
    return render(request, "accounts/user_new.html", {"form": form}, status=status)


@requires(Can.USER_ADMIN)
@require_http_methods(["GET", "HEAD", "POST"])
def user_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """One account: name and role here, the rest by its own buttons."""
    user = selectors.user(pk)
    initial = {
        "display_name": user.display_name,
        "role": user.role,
        "email": user.email,
        "is_reading_lead": user.is_reading_lead,
    }
    form = ChangeUserForm(request.POST or None, initial=initial)
    status = HTTPStatus.OK
    if request.method == "POST":
        status = HTTPStatus.BAD_REQUEST
        if form.is_valid():
            try:
                service.update_user(
                    user_id=pk, actor=_user(request), request=request, **form.cleaned_data
                )
            except (ConflictError, InvalidInputError) as error:
                form.add_error("role" if isinstance(error, ConflictError) else None, error.message)
                status = status_of(error)
            else:
                messages.success(request, "Saved.")
                return redirect("accounts:user-edit", pk=pk)
    context = {"form": form, "account": user, "is_self": user.pk == _user(request).pk}
    return render(request, "accounts/user_edit.html", context, status=status)


@requires(Can.USER_ADMIN)
@require_POST
def user_active(request: HttpRequest, pk: int) -> HttpResponse:
    """Close an account or open it again (`active` is `yes` or `no`)."""
    value = request.POST.get("active", "")
    if value not in {"yes", "no"}:
        raise InvalidInputError("invalid", "Say whether the account should be active.")
    user = service.update_user(
        user_id=pk, actor=_user(request), is_active=value == "yes", request=request
    )
    messages.success(
        request,
        f"{user} can sign in again."
        if user.is_active
        else f"{user} is closed and signed out everywhere. The account can be opened again here.",
    )
    return redirect("accounts:user-edit", pk=pk)


@requires(Can.USER_ADMIN)
@never_cache
@require_POST
def user_reset_password(request: HttpRequest, pk: int) -> HttpResponse:
    """Give a one-time password, shown on the answer and nowhere else."""
    user, password = service.reset_password(user_id=pk, actor=_user(request), request=request)
    return _show_password(request, user, password, fresh=False)


def _show_password(request: HttpRequest, user: User, password: str, *, fresh: bool) -> HttpResponse:
    context = {"account": user, "password": password, "fresh": fresh}
    response = render(request, "accounts/password_shown.html", context)
    response.headers["Cache-Control"] = "no-store"
    return response
