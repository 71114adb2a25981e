"""How far two readers who read the same films apart agree."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Q

from accounts.models import User
from accounts.permissions import Can, may
from detection.models import Conclusion
from reading.models import IndependentRead

from .agreement import Pair
from .selectors_agreement import Span


@dataclass(frozen=True, slots=True)
class ReaderPair:
    """Two readers, whoever of them read first; the sum has no names."""

    one_name: str
    other_name: str
    cells: Pair


@dataclass(frozen=True, slots=True)
class ReaderPairs:
    """All pairs that the one who asks may see, most films first, and their sum.

    Attributes:
        unreadable: films that one of the two called not readable; they don't count.
    """

    rows: tuple[ReaderPair, ...]
    total: ReaderPair
    unreadable: int


def reader_pairs(*, user: User, span: Span) -> ReaderPairs:
    """Count and reckon, in two queries. A film counts from its second reading on.

    Args:
        user: who asks; sees films of which he was a reader, the lead those of all.
        span: when the second reading was.
    """
    start, end = span.moments
    second = IndependentRead.objects.filter(position=2, at__gte=start, at__lt=end)
    if not may(user, Can.READERS_COMPARE):
        own = IndependentRead.objects.filter(reader=user).values("image_id")
        second = second.filter(Q(reader=user) | Q(image_id__in=own))
    reads = IndependentRead.objects.filter(image_id__in=second.order_by().values("image_id"))
    films: dict[int, dict[int, str]] = {}
    for image, reader, word in reads.values_list("image_id", "reader_id", "conclusion"):
        films.setdefault(image, {})[reader] = word
    counts: dict[tuple[int, ...], list[int]] = {}
    unreadable = 0
    for said in films.values():
        if Conclusion.NOT_READABLE in said.values():
            unreadable += 1
            continue
        pair = tuple(sorted(said))
        ill = [said[reader] == Conclusion.ABNORMAL for reader in pair]
        cell = {(True, True): 0, (True, False): 1, (False, True): 2, (False, False): 3}
        counts.setdefault(pair, [0, 0, 0, 0])[cell[ill[0], ill[1]]] += 1
    names = {
        reader.pk: str(reader)
        for reader in User.objects.filter(pk__in={pk for pair in counts for pk in pair})
    }
    rows = [
        ReaderPair(names[pair[0]], names[pair[1]], Pair(*cells)) for pair, cells in counts.items()
    ]
    rows.sort(key=lambda row: (-row.cells.films, row.one_name, row.other_name))
    total = Pair(*(sum(cells[n] for cells in counts.values()) for n in range(4)))
    return ReaderPairs(tuple(rows), ReaderPair("", "", total), unreadable)
