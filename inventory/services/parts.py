"""Parts of the catalogue: made and changed. What is in stock, `stock` alone changes."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from accounts.models import User
from devices.models.component import ComponentKind
from devices.plain_text import clean
from inventory.models import Part
from twinhealth.errors import InvalidInputError

from . import AnyRequest, edited

_TEXTS = {"number": 64, "name": 128, "unit": 16, "location": 64}


@transaction.atomic
def save(
    *, actor: User | None, part: Part | None = None, request: AnyRequest = None, **given: Any
) -> tuple[Part, edited.Changes]:
    """A new part, or changes of one; what isn't named stays.

    Args:
        actor: who.
        part: the one to change.
        request: for the audit trail.
        given: `number`, `name`, `unit`, `component_kind`, `fits` (models), `vendor`, `price`,
            `location`, `reorder_level`, `reorder_amount`, `active`, `is_synthetic`.

    Returns:
        The part, and what changed: column -> [before, after].

    Raises:
        InvalidInputError: `price_out_of_range`, `reorder_level_out_of_range`,
            `reorder_amount_out_of_range`, `unknown_kind`, and those of `clean`.
        ConflictError: `part_exists`.
    """
    row = Part() if part is None else Part.objects.select_for_update(no_key=True).get(pk=part.pk)
    if part is None:
        given = {"number": "", "name": "", "unit": "piece", **given}
    fits = given.pop("fits", None)
    wanted = dict(given)
    for name, limit in _TEXTS.items():
        if name in given:
            wanted[name] = clean(given[name], field=name, limit=limit, required=name != "location")
    if "price" in given:
        wanted["price"] = edited.money(given["price"], field="price")
    for name in ("reorder_level", "reorder_amount"):
        if name in given:
            wanted[name] = edited.whole(given[name], field=name)
    if wanted.get("component_kind", "") not in {"", *ComponentKind.values}:
        raise InvalidInputError("unknown_kind", "Choose a known kind.", field="component_kind")
    changes = edited.save(
        row,
        wanted,
        many={} if fits is None else {"fits": fits},
        actor=actor,
        taken="part_exists",
        request=request,
    )
    return row, changes
