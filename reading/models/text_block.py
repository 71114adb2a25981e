"""Phrases that readers use again and again."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from reading.report_text import SECTIONS


class TextBlock(models.Model):
    """A phrase of one reader, or of the house where it has no owner.

    Attributes:
        code: typed as `/code` in a report.
        text: may hold the placeholders of `reading.report_blocks`.
        archived: out of use; kept, since the audit names it.
    """

    section = models.CharField(max_length=16, choices=list(SECTIONS.items()))
    title = models.CharField(max_length=60)
    code = models.CharField(max_length=20)
    text = models.TextField(max_length=2000)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, null=True, blank=True, related_name="+"
    )
    archived = models.BooleanField(default=False)

    class Meta:
        ordering = ["section", "code", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["owner", "code"],
                condition=Q(archived=False, owner__isnull=False),
                name="text_block_own_code_once",
                violation_error_message="You have a block with this code.",
            ),
            models.UniqueConstraint(
                fields=["code"],
                condition=Q(archived=False, owner=None),
                name="text_block_shared_code_once",
                violation_error_message="There is a shared block with this code.",
            ),
            models.CheckConstraint(
                condition=~Q(title="") & ~Q(code="") & ~Q(text=""),
                name="text_block_says_something",
                violation_error_message="A block has a title, a code and a text.",
            ),
        ]

    def __str__(self) -> str:
        return f"/{self.code}"
