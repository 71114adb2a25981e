"""Films whose reading by the model a reader must not see yet.

Who reads blind is a rule of the room above (`detection.room`); every selector and service of this
room that could tell what the model said asks here first. A signed film hides nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from django.db.models import Q, QuerySet

from accounts.models import User
from detection import room
from imaging.models import Image
from twinhealth.errors import ConflictError

HIDDEN: Final = "hidden until your first read"


@dataclass(frozen=True, slots=True)
class Sight:
    """What a reader may see of the model.

    Attributes:
        read: numbers of the films whose model is shown; `None` if nothing is hidden.
    """

    read: QuerySet[Any] | None

    @property
    def blinded(self) -> bool:
        """Whether the model is hidden until the reader's first read."""
        return self.read is not None

    def shown(self, *, of: str = "image__") -> Q:
        """The rows whose film hides nothing; `of` leads from the row to its film."""
        if self.read is None:
            return Q()
        return Q(**{f"{of}pk__in": self.read}) | Q(**{f"{of}signature__isnull": False})

    def hidden(self, image_ids: Iterable[int]) -> frozenset[int]:
        """Those of the films whose model is hidden."""
        if self.read is None:
            return frozenset()
        films = Image.objects.filter(pk__in=set(image_ids), signature=None)
        return frozenset(films.exclude(pk__in=self.read).values_list("pk", flat=True))


def sight(user: User) -> Sight:
    """Ask the rule; one query."""
    return Sight(room.read_first(user))


def hidden_from(user: User, image_ids: Iterable[int]) -> frozenset[int]:
    """Those of the films whose model this reader must not see yet."""
    return sight(user).hidden(image_ids)


def refuse_hidden(image_id: int, user: User) -> None:
    """Raise unless the reader may see what the model said of the film.

    Raises:
        ConflictError: `first_impression_missing`.
    """
    if hidden_from(user, [image_id]):
        raise ConflictError(
            "first_impression_missing",
            "What the model says is hidden until your first read. Commit a first impression of "
            "this film, then go on.",
            image=image_id,
        )


def seen(*, hidden: bool) -> dict[str, Any]:
    """Detail of the audit row of a look at a film: whether the model's word was hidden then."""
    return {"blind": True} if hidden else {}
