"""Reads of double reading: where a film stands between its readers, and what each may see of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from accounts.models import User
from accounts.permissions import Can, may
from detection import blinding
from detection.models import Signature, WorklistItem
from imaging.models import Image
from reading.double import read_twice
from reading.models import Adjudication, IndependentRead, ReadingPolicy, Twice
from reading.selectors import skipped_by
from reading.selectors_policy import policy_now
from twinhealth.errors import ConflictError, NotFoundError

# where a film stands that two readers read; empty for one that a single reader reads
FIRST, SECOND, ADJUDICATION, SIGNED = "first", "second", "adjudication", "signed"


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a film stands between its readers, as far as the one who asks may know.

    Attributes:
        phase: one of the words above; `first` where nobody has read it and two are to.
        own: what the one who asks has read.
        reads: what he may see, the first reading first: his own; both for the lead who decides,
            a blinded one after his first impression; all of a signed film.
        locked: he may not change the film, since his part is done or a lead decides.
        decides: he is the lead who may settle the difference.
        leads: who else than the two readers may; told only while a difference waits.
        adjudication: how a difference was settled.
        since: of the newest reading, while the film isn't signed; what readers asked each other
            before is out of sight until then.
    """

    phase: str
    own: IndependentRead | None
    reads: tuple[IndependentRead, ...]
    locked: bool
    decides: bool
    leads: tuple[User, ...]
    adjudication: Adjudication | None = None
    since: datetime | None = None


def standing(
    *,
    image: Image,
    user: User,
    signature: Signature | None,
    policy: ReadingPolicy | None = None,
) -> Standing:
    """Where a film stands; one query for most films, and one of the policy unless it is given."""
    reads = tuple(IndependentRead.objects.filter(image=image))
    own = next((read for read in reads if read.reader_id == user.pk), None)
    if signature is not None:
        settled = Adjudication.objects.filter(signature=signature).first() if reads else None
        phase = SIGNED if reads else ""
        return Standing(phase, own, reads, False, False, (), settled)
    if not reads:
        return Standing(
            FIRST if wants_two(image, policy or policy_now()) else "", None, (), False, False, ()
        )
    since = reads[-1].at
    if len(reads) == 1:
        return Standing(SECOND, own, reads if own else (), bool(own), False, (), since=since)
    leads = deciders(reads)
    decides = any(lead.pk == user.pk for lead in leads)
    # the readings tell what the model said, and what others did
    sees = decides and not blinding.hidden_from(user, [image.pk])
    shown = reads if sees else tuple(read for read in reads if read is own)
    return Standing(ADJUDICATION, own, shown, not decides, decides, leads, since=since)


def standing_of(*, image_id: int, user: User) -> tuple[Image, Standing]:
    """A film and where it stands.

    Raises:
        NotFoundError: `no_such_image`.
    """
    related = ("series__study", "signature")
    image = Image.objects.select_related(*related).filter(pk=image_id).first()
    if image is None:
        raise NotFoundError("no_such_image", "There is no such image.", image=image_id)
    signature = getattr(image, "signature", None)
    return image, standing(image=image, user=user, signature=signature)


def wants_two(image: Image, policy: ReadingPolicy) -> bool:
    """Whether the policy has two readers read a film that nobody has read."""
    flagged = WorklistItem.objects.filter(image=image, flagged=True)
    return read_twice(
        rule=policy.twice,
        percent=policy.twice_percent,
        sha256=image.sha256,
        flagged=policy.twice == Twice.FLAGGED and flagged.exists(),
    )


def deciders(reads: tuple[IndependentRead, ...]) -> tuple[User, ...]:
    """Reading leads who could settle a difference between these readings: none of the readers."""
    readers = {read.reader_id for read in reads}
    return tuple(lead for lead in _leads() if lead.pk not in readers)


def refuse_reader(*, image: Image, user: User) -> None:
    """Raise if this reader may only look at a film without a signature.

    Raises:
        ConflictError: `already_read`, or `adjudication`.
    """
    reads = refuse_own_read(image=image, user=user)
    if len(reads) > 1 and user not in deciders(reads):
        raise ConflictError(
            "adjudication", "Two readers have read this film; a reading lead decides."
        )


def refuse_own_read(*, image: Image, user: User) -> tuple[IndependentRead, ...]:
    """Raise if this reader has read a film without a signature; else who else has.

    Raises:
        ConflictError: `already_read`.
    """
    reads = tuple(IndependentRead.objects.filter(image=image))
    if any(read.reader_id == user.pk for read in reads):
        raise ConflictError(
            "already_read",
            "You have read this film; it can't be changed any more. It waits for "
            + ("a reading lead." if len(reads) > 1 else "its second reader."),
        )
    return reads


def not_for(user: User) -> QuerySet[Any]:
    """Numbers of films that are not this reader's to read now: read by him, or for a lead."""
    theirs = IndependentRead.objects.filter(Q(reader=user) | Q(position=2))
    return theirs.order_by().values("image_id")


def not_offered(user: User) -> QuerySet[Any]:
    """Numbers of films that aren't offered to this reader: not his to read, or skipped by him."""
    # a union: with an OR PostgreSQL goes through the whole archive
    return not_for(user).union(skipped_by(user))


def second_readings() -> QuerySet[Any]:
    """Numbers of films that wait for their second reader."""
    return _waiting().exclude(Exists(_SECOND)).values("image_id")


def adjudications() -> QuerySet[Any]:
    """Numbers of films whose two readings differ, and that wait for a reading lead."""
    return _waiting().filter(Exists(_SECOND)).values("image_id")


@dataclass(frozen=True, slots=True)
class Marks:
    """Films on the way between their readers, for a list: number to who has read them."""

    second: dict[int, set[int]]
    adjudication: dict[int, set[int]]

    def of(self, image_id: int, user: User) -> str:
        """Where a film stands for this reader: `own`, `second`, `adjudication`, or empty."""
        if image_id in self.adjudication:
            return ADJUDICATION
        readers = self.second.get(image_id)
        if readers is None:
            return ""
        return "own" if user.pk in readers else SECOND


def marks() -> Marks:
    """All films without a signature that one or two readers have read; one query."""
    found: dict[int, set[int]] = {}
    rows = IndependentRead.objects.filter(image__signature=None).order_by()
    for image_id, reader_id in rows.values_list("image_id", "reader_id"):
        found.setdefault(image_id, set()).add(reader_id)
    return Marks(
        {pk: readers for pk, readers in found.items() if len(readers) == 1},
        {pk: readers for pk, readers in found.items() if len(readers) == 2},
    )


def undecidable(films: dict[int, set[int]]) -> int:
    """How many films wait for a lead though every lead is one of their two readers."""
    leads = {lead.pk for lead in _leads()}
    return sum(not leads - readers for readers in films.values())


def _leads() -> list[User]:
    marked = User.objects.filter(is_reading_lead=True).order_by("username")
    return [user for user in marked if may(user, Can.READERS_COMPARE)]


_SECOND = IndependentRead.objects.filter(image=OuterRef("image"), position=2)


def _waiting() -> QuerySet[IndependentRead]:
    return IndependentRead.objects.filter(position=1, image__signature=None).order_by()
