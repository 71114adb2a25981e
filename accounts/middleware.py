"""Somebody whose password was set by another person chooses an own one before anything else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from .permissions import Can

# the pages that remain: the form itself and the way out
_OPEN = {"accounts:account", "accounts:logout"}


class PasswordChangeMiddleware:
    """Sends pages to /account/ until the password is changed.

    The API is left to `accounts.api_permissions`, which answers in the API's error shape and also
    sees tokens.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Pass the request on; the check needs the resolved view."""
        return self.get_response(request)

    def process_view(
        self,
        request: HttpRequest,
        view: Callable[..., HttpResponse],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> HttpResponse | None:
        """Redirect, tell htmx to, or let pass."""
        name = request.resolver_match.view_name if request.resolver_match else ""
        if hasattr(view, "cls") or name in _OPEN or getattr(view, "required", None) is Can.ANYONE:
            return None
        if not getattr(request.user, "must_change_password", False):
            return None
        if getattr(request, "htmx", False):
            return HttpResponse(status=204, headers={"HX-Redirect": reverse("accounts:account")})
        return redirect("accounts:account")
