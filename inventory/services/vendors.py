"""Vendors: made and changed."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction

from accounts.models import User
from devices.plain_text import clean
from inventory.models import Vendor
from twinhealth.errors import InvalidInputError

from . import AnyRequest, edited

_TEXTS = {"name": 128, "contact": 128, "phone": 32, "email": 254, "note": 300}


@transaction.atomic
def save(
    *, actor: User | None, vendor: Vendor | None = None, request: AnyRequest = None, **given: Any
) -> Vendor:
    """A new vendor, or changes of one; what isn't named stays.

    Args:
        actor: who.
        vendor: the one to change.
        request: for the audit trail.
        given: `name`, `contact`, `phone`, `email`, `note`, `active`, `is_synthetic`.

    Raises:
        InvalidInputError: `email_invalid`, and those of `clean`.
        ConflictError: `vendor_exists`.
    """
    row = Vendor() if vendor is None else Vendor.objects.select_for_update().get(pk=vendor.pk)
    if vendor is None:
        given.setdefault("name", "")
    wanted = dict(given)
    for name, limit in _TEXTS.items():
        if name in given:
            wanted[name] = clean(given[name], field=name, limit=limit, required=name == "name")
    if wanted.get("email"):
        try:
            validate_email(wanted["email"])
        except ValidationError:
            raise InvalidInputError(
                "email_invalid", "This is no e-mail address.", field="email"
            ) from None
    edited.save(row, wanted, actor=actor, taken="vendor_exists", request=request)
    return row
