"""Reads of text blocks, and what a film puts into their placeholders."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Q, QuerySet

from accounts.models import User
from accounts.permissions import Can, may
from detection import selectors
from imaging.models import Image
from reading.models import TextBlock
from reading.report_facts import day, machine, marked


@dataclass(frozen=True, slots=True)
class Filling:
    """What goes into the placeholders on one film; `findings` by their keys on the page.

    `hidden`: those of the model are left out, since the reader must not see them yet.
    """

    image: Image
    patient_id: int
    hidden: bool
    values: dict[str, str]
    findings: dict[str, dict[str, str]]


def blocks_of(user: User) -> QuerySet[TextBlock]:
    """Blocks in use that a person sees: one's own and the shared ones."""
    return TextBlock.objects.filter(Q(owner=user) | Q(owner=None), archived=False)


def keeps(user: User, block: TextBlock) -> bool:
    """Whether the person may change it."""
    if block.owner_id is None:
        return may(user, Can.TEXT_BLOCKS_SHARED)
    return block.owner_id == user.pk


def filling(image_id: int, user: User) -> Filling:
    """What a film says to this reader for each placeholder; what isn't known is left out.

    Raises:
        NotFoundError: `no_such_image`.
    """
    film = selectors.film(image_id=image_id, user=user)
    image = film.image
    known = {
        "date": "" if image.acquired_at_is_guess else day(image.acquired_at),
        "view": image.view_position,
        "machine": machine(film),
        "age": "" if film.age is None else str(film.age),
        "sex": film.patient.get_sex_display() if film.patient.sex else "",
    }
    return Filling(
        image=image,
        patient_id=film.patient.pk,
        hidden=film.hidden,
        values={name: value for name, value in known.items() if value},
        findings={m.key: {"class": m.fact.name, "side": m.fact.side} for m in marked(film)},
    )
