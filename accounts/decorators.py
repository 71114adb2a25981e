"""Pages: `@requires(Can.X)` on every view; the mark is what the address-walking test reads."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse

from twinhealth.errors import NotPermittedError

from .permissions import Can, may

View = Callable[..., HttpResponse]


def requires(permission: Can) -> Callable[[View], View]:
    """Let only roles in; others see a clear page (403), strangers the sign-in page."""

    def decorate(view: View) -> View:
        @wraps(view)
        def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if permission is not Can.ANYONE and not request.user.is_authenticated:
                return redirect_to_login(request.get_full_path())
            if not may(request.user, permission):
                raise NotPermittedError(
                    "permission_denied", "Your role has no access here. Ask an admin if it should."
                )
            return view(request, *args, **kwargs)

        wrapped.required = permission  # type: ignore[attr-defined]
        return wrapped

    return decorate
