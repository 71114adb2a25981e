"""How far the look-out for late readings has come."""

from __future__ import annotations

from django.db import models


class TrustCursor(models.Model):
    """One row: readings up to this number are known to every run's trust."""

    last_reading_id = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(id=1),
                name="trust_cursor_is_one_row",
                violation_error_message="There is one cursor.",
            ),
        ]

    def __str__(self) -> str:
        return f"readings up to {self.last_reading_id}"
