"""Reads of this room, one function per page or list."""

from __future__ import annotations

from .selectors_film import (
    Film,
    FindingView,
    Prior,
    box_of,
    film,
    films_of_patient,
    images_of_device,
)
from .selectors_state import FilmState, film_state, film_states, state_of
from .selectors_worklist import (
    ORDERINGS,
    SHOW,
    WorklistPage,
    next_image,
    rows_of,
    worklist,
    worklist_items,
)
from .worklist_row import WorklistRow

__all__ = [
    "ORDERINGS",
    "SHOW",
    "Film",
    "FilmState",
    "FindingView",
    "Prior",
    "WorklistPage",
    "WorklistRow",
    "box_of",
    "film",
    "film_state",
    "film_states",
    "films_of_patient",
    "images_of_device",
    "next_image",
    "rows_of",
    "state_of",
    "worklist",
    "worklist_items",
]
