"""Pages: `@requires(Can.X)` on every view; the mark is what the address-walking test reads."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from twinhealth.errors import NotPermittedError

from .permissions import Can, may

View = Callable[..., HttpResponseBase]


def requires(permission: Can) -> Callable[[View], View]:
    """Let only roles in; others see a clear page (403), strangers the sign-in page."""

    def decorate(view: View) -> View:
        @wraps(view)
        def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if permission is not Can.ANYONE and not request.user.is_authenticated:
                return _to_sign_in(request)
            if not may(request.user, permission):
                raise NotPermittedError(
                    "permission_denied", "Your role has no access here. Ask an admin if it should."
                )
            return view(request, *args, **kwargs)

        wrapped.required = permission  # type: ignore[attr-defined]
        return wrapped

    return decorate


def _to_sign_in(request: HttpRequest) -> HttpResponse:
    """Redirect; a fragment sends the whole page, or the form would be swapped into it."""
    if getattr(request, "htmx", False):
        page = urlsplit(request.headers.get("HX-Current-URL", ""))
        back = f"{page.path}?{page.query}" if page.query else page.path or "/"
        target = redirect_to_login(back)
        return HttpResponse(
            status=HTTPStatus.UNAUTHORIZED, headers={"HX-Redirect": target["Location"]}
        )
    return redirect_to_login(request.get_full_path())
