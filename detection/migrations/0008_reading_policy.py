"""The rank of a film no longer holds the ceiling, which is a setting now: hours alone."""

from __future__ import annotations

from typing import Any

from django.db import migrations
from django.db.models import Case, F, Value, When

LIFT = 10.0  # as it was in the rank of films that a person had asked for as HIGH

_MORE = F("head_start") + Case(When(urgency="high", then=Value(LIFT)), default=Value(0.0))


def take_out(apps: Any, schema_editor: Any) -> None:
    """Head start and lift go out of the rank."""
    apps.get_model("detection", "WorklistItem").objects.update(rank=F("rank") - _MORE)


def put_in(apps: Any, schema_editor: Any) -> None:
    """With a ceiling of one hour, which was the only one."""
    apps.get_model("detection", "WorklistItem").objects.update(rank=F("rank") + _MORE)


class Migration(migrations.Migration):
    dependencies = [("detection", "0007_review_reason_code")]

    operations = [migrations.RunPython(take_out, put_in)]
