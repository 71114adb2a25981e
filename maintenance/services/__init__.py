"""Writes of `maintenance`."""

from __future__ import annotations

from django.http import HttpRequest
from rest_framework.request import Request

# for the audit row: a page's request or the API's
AnyRequest = HttpRequest | Request | None
