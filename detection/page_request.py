"""The request as a page behind `@requires` sees it."""

from __future__ import annotations

from django.http import HttpRequest
from django_htmx.middleware import HtmxDetails

from accounts.models import User


class PageRequest(HttpRequest):
    """For annotations only: the sign-in is checked and htmx's middleware has run."""

    user: User
    htmx: HtmxDetails
