"""Signing in and out, the own account, and the way to the first page of one's role."""

from __future__ import annotations

from http import HTTPStatus

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login, logout, update_session_auth_hash
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.decorators import requires
from accounts.forms import PasswordForm, SignInForm
from accounts.models import User
from accounts.permissions import Can, Role
from accounts.services import audit, sign_in, users
from twinhealth.errors import InvalidInputError, TooManyRequestsError
from twinhealth.web.errors import headers_of, status_of

FIRST_PAGE = {
    Role.CLINICIAN: "reading:worklist",
    Role.ENGINEER: "devices:fleet",
    Role.ADMIN: "devices:maintenance",
}


@requires(Can.SIGNED_IN)
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """To the page where the role's day starts."""
    return redirect(FIRST_PAGE[Role(request.user.role)])  # type: ignore[union-attr]


@requires(Can.ANYONE)
@sensitive_post_parameters("password")
@csrf_protect
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def login_page(request: HttpRequest) -> HttpResponse:
    """The sign-in form."""
    target = _safe_target(request)
    if request.user.is_authenticated and request.method != "POST":
        return HttpResponseRedirect(target or reverse("home"))
    form = SignInForm(request.POST or None)
    if request.method != "POST":
        return _login_form(request, form, target)
    if not form.is_valid():
        return _login_form(request, form, target, status=HTTPStatus.BAD_REQUEST)
    try:
        user = sign_in.verify(request=request, **form.cleaned_data)
    except TooManyRequestsError as error:
        form.add_error(None, error.message)
        response = _login_form(request, form, target, status=status_of(error))
        for name, value in headers_of(error).items():
            response.headers[name] = value
        return response
    if user is None:
        form.add_error(
            None,
            "User name and password don't match an active account. Check the Caps Lock key, or "
            "ask an admin to give you a new password.",
        )
        return _login_form(request, form, target, status=HTTPStatus.UNAUTHORIZED)
    login(request, user)  # a new session key: one planted before is worth nothing
    audit.record(actor=user, verb="signed_in", obj=user, request=request)
    return HttpResponseRedirect(target or reverse("home"))


def _safe_target(request: HttpRequest) -> str:
    """`next`, where it is a page of ours."""
    target = request.POST.get("next") or request.GET.get("next") or ""
    allowed = url_has_allowed_host_and_scheme(
        target, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    # a path only: a bare word would be taken for a page beside this one
    return target if allowed and target.startswith("/") else ""


def _login_form(
    request: HttpRequest, form: SignInForm, target: str, status: int = HTTPStatus.OK
) -> HttpResponse:
    demo: list[User] = []
    if settings.EMBEDDED:
        demo = list(User.objects.filter(is_demo=True, is_active=True).order_by("role", "username"))
    context = {"form": form, "next": target, "demo_accounts": demo}
    return render(request, "accounts/login.html", context, status=status)


@requires(Can.SIGNED_IN)
@require_POST
def logout_page(request: HttpRequest) -> HttpResponse:
    """End the session."""
    audit.record(actor=_user(request), verb="signed_out", obj=_user(request), request=request)
    logout(request)
    return redirect("accounts:login")


@requires(Can.SIGNED_IN)
@sensitive_post_parameters()
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def account(request: HttpRequest) -> HttpResponse:
    """Who I am; my password."""
    form = PasswordForm(request.POST or None)
    status = HTTPStatus.OK
    if request.method == "POST":
        status = HTTPStatus.BAD_REQUEST
        if form.is_valid():
            try:
                user = users.change_own_password(
                    user=_user(request),
                    old_password=form.cleaned_data["old_password"],
                    new_password=form.cleaned_data["new_password"],
                    request=request,
                )
            except InvalidInputError as error:
                field = "old_password" if error.code == "wrong_password" else "new_password"
                form.add_error(field, error.message)
            else:
                update_session_auth_hash(request, user)  # this session stays, the others end
                messages.success(request, "Password changed. Other sessions are signed out.")
                return redirect("accounts:account")
    return render(request, "accounts/account.html", {"form": form}, status=status)


def _user(request: HttpRequest) -> User:
    if not isinstance(request.user, User):
        raise TypeError("behind `requires`, which lets nobody else in")
    return request.user
