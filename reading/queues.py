"""Queues of the worklist that only this room knows of: each a set of films without a signature."""

from __future__ import annotations

from typing import Any, Final

from django.db.models import QuerySet

from accounts.models import User
from reading.selectors import open_help
from reading.selectors_double import adjudications, not_for, second_readings

QUEUES: Final = {
    "help": "a reader asks the others about them",
    "second_reading": "read once, for another reader who doesn't see what the first one said",
    "adjudication": "two readers differ; a reading lead decides",
}


def queues(user: User) -> dict[str, QuerySet[Any]]:
    """Queue to the numbers of its films, as subqueries; calls for help as far as he may answer."""
    return {
        "help": open_help().exclude(image_id__in=not_for(user)).values("image_id"),
        "second_reading": second_readings(),
        "adjudication": adjudications(),
    }
