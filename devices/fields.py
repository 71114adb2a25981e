"""Form fields that know what a database can hold."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

LARGEST_ID = 2**63 - 1  # SQLite has no larger number and raises where PostgreSQL finds nothing


def row_ids(texts: Iterable[str]) -> list[int]:
    """The numbers of rows that a form ticked; what no row can have is passed over."""
    return [int(text) for text in texts if text.isdecimal() and len(text) < len(str(LARGEST_ID))]


class RowsField(forms.ModelMultipleChoiceField):
    """Some of the rows; a number that no row can have is no choice."""

    def _check_values(self, value: Any) -> Any:
        for given in value or ():
            text = str(given)
            if text.isdecimal() and int(text[:20]) > LARGEST_ID:
                raise ValidationError(
                    self.error_messages["invalid_choice"],
                    code="invalid_choice",
                    params={"value": text[:20]},
                )
        return super()._check_values(value)  # type: ignore[misc]
