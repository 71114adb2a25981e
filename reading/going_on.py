"""Where a reader goes after an act on a film."""

from __future__ import annotations

from datetime import timedelta
from http import HTTPStatus

from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from detection import selectors
from detection.page_request import PageRequest
from imaging.models import Image
from reading.selectors_double import not_offered


def next_film(request: PageRequest, after: int) -> str:
    """Address of the most urgent free film that is this reader's to read; else the list."""
    following = _following(request, after)
    return (
        reverse("reading:film", args=[following.pk]) if following else reverse("reading:worklist")
    )


def next_pixels(request: PageRequest, after: int, *, ceiling: timedelta) -> str:
    """Address of that film's pixels, for the browser to have them early; empty where none fits."""
    following = _following(request, after, ceiling)
    if following is None or following.display_problem:
        return ""
    return reverse("image-pixels", args=[following.pk])


def _following(request: PageRequest, after: int, ceiling: timedelta | None = None) -> Image | None:
    left = not_offered(request.user)
    return selectors.next_image(user=request.user, after=after, leave_out=left, ceiling=ceiling)


def go(request: PageRequest, target: str) -> HttpResponse:
    """Another whole page, whoever asks: htmx would put a redirect's answer into its own place."""
    if request.htmx:
        return HttpResponse(status=HTTPStatus.NO_CONTENT, headers={"HX-Redirect": target})
    return redirect(target)
