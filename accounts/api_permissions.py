"""REST: a view declares `required = Can.X`, or a dict from action or HTTP method to `Can`.

A view that declares nothing is refused to everyone: forgetting is safe, and a test walks all
addresses to find it.
"""

from __future__ import annotations

from typing import Any

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from twinhealth.errors import NotPermittedError

from .permissions import Can, may


def required_permission(view: Any, method: str) -> Can | None:
    """What the view asks for; `None` where it doesn't say."""
    required = getattr(view, "required", None)
    if isinstance(required, dict):
        action = getattr(view, "action", None)
        return required.get(action) or required.get(method.lower())
    return required


class DeclaredPermission(BasePermission):
    """Allows exactly the roles that hold the view's declared permission."""

    def has_permission(self, request: Request, view: Any) -> bool:
        """DRF answers 401 without a sign-in, 403 for the wrong role, 405 for a method it lacks."""
        if not hasattr(view, (request.method or "GET").lower()):
            return _may(request, Can.SIGNED_IN)
        permission = required_permission(view, request.method or "GET")
        return permission is not None and _may(request, permission)


class SignedIn(BasePermission):
    """Any role: the API's description and its browsable page."""

    def has_permission(self, request: Request, view: Any) -> bool:
        """DRF answers 401 without a sign-in."""
        return _may(request, Can.SIGNED_IN)


def _may(request: Request, permission: Can) -> bool:
    if permission is not Can.ANYONE and getattr(request.user, "must_change_password", False):
        raise NotPermittedError(
            "password_change_required", "Choose an own password on the account page first."
        )
    return may(request.user, permission)
