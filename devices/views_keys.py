"""Pages of a machine's own keys: its text is shown on one answer and nowhere else."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from accounts.decorators import requires
from accounts.permissions import Can
from devices.forms_keys import NewKeyForm, RotateKeyForm
from devices.models import DeviceKey
from devices.selectors import twin as twin_selectors
from devices.services import keys
from twinhealth.errors import DomainError

from .views import actor


def _shown(request: HttpRequest, key: DeviceKey, text: str, old: DeviceKey | None) -> HttpResponse:
    context = {"key": key, "text": text, "old": old, "device": key.device}
    response = render(request, "devices/key_shown.html", context)
    response.headers["Cache-Control"] = "no-store"
    return response


def _back(request: HttpRequest, pk: int, why: str) -> HttpResponse:
    messages.error(request, f"Nothing was changed. {why}")
    return redirect("devices:device", pk=pk)


@require_POST
@requires(Can.DEVICE_WRITE)
def key_new(request: HttpRequest, pk: int) -> HttpResponse:
    """Make a key."""
    machine, form = twin_selectors.get(pk), NewKeyForm(request.POST)
    if not form.is_valid():
        return _back(request, pk, "Give the key a name of at most 64 characters.")
    try:
        key, text = keys.make(
            device=machine,
            name=form.cleaned_data["name"],
            expires_at=form.expires_at(),
            actor=actor(request),
            request=request,
        )
    except DomainError as error:
        return _back(request, pk, error.message)
    return _shown(request, key, text, None)


@require_POST
@requires(Can.DEVICE_WRITE)
def key_rotate(request: HttpRequest, pk: int, key_id: int) -> HttpResponse:
    """Make a key's successor."""
    old = keys.get(device=twin_selectors.get(pk), key_id=key_id)
    form = RotateKeyForm(request.POST)
    if not form.is_valid():
        return _back(request, pk, "Choose for how long the old key goes on.")
    try:
        key, text = keys.rotate(
            key=old, actor=actor(request), overlap=form.overlap(), request=request
        )
    except DomainError as error:
        return _back(request, pk, error.message)
    old.refresh_from_db()
    return _shown(request, key, text, old)


@require_POST
@requires(Can.DEVICE_WRITE)
def key_revoke(request: HttpRequest, pk: int, key_id: int) -> HttpResponse:
    """End a key at once."""
    key = keys.get(device=twin_selectors.get(pk), key_id=key_id)
    keys.revoke(key=key, actor=actor(request), request=request)
    messages.success(request, f"The key {key} opens nothing any more.")
    return redirect("devices:device", pk=pk)
