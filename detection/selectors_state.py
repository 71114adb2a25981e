"""What became of a film: its badge."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Q

from accounts.models import User
from detection import blinding
from detection.models import DetectionRun, Finding, RunState
from imaging.models import Image
from twinhealth.errors import NotFoundError

from .selectors_film import Film
from .worklist_row import flags_of

ENDED = frozenset({RunState.DONE, RunState.FAILED, RunState.REFUSED})


@dataclass(frozen=True, slots=True)
class FilmState:
    """What became of a film, for a badge that asks again until `ended`.

    Attributes:
        state: a run's state; `waiting` where no version was there to read it yet; `hidden` where
            the reader must not know yet.
        place: how many films stand before it in the line plus one; `None` unless queued.
        findings: number of findings; `None` unless done.
        flagged: the film needs a reader because of them.
        reason: why it was refused or failed, or what it waits for.
    """

    image_id: int
    run_id: int | None
    state: str
    text: str
    place: int | None
    findings: int | None
    flagged: bool
    reason_code: str
    reason: str
    ended: bool


def film_state(image_id: int, *, user: User) -> FilmState:
    """What became of one film, as far as this reader may know.

    Raises:
        NotFoundError: `no_such_image`.
    """
    return film_states([image_id], user=user)[0]


def film_states(image_ids: Sequence[int], *, user: User) -> list[FilmState]:
    """`film_state` of several films in a constant number of queries, in the given order.

    Raises:
        NotFoundError: `no_such_image`.
    """
    images = Image.objects.in_bulk(list(image_ids))
    missing = [pk for pk in image_ids if pk not in images]
    if missing:
        raise NotFoundError("no_such_image", "There is no such image.", image=missing[0])
    runs: dict[int, DetectionRun] = {}
    found = DetectionRun.objects.filter(image_id__in=images).order_by("queued_at", "id")
    for run in found.prefetch_related("findings").select_related("version"):
        runs[run.image_id] = run
    line = _places([r for r in runs.values() if r.state == RunState.QUEUED])
    hides = blinding.hidden_from(user, images)
    return [
        _hidden_state(images[pk], runs.get(pk))
        if pk in hides
        else _state(images[pk], runs.get(pk), line, _findings(runs.get(pk)))
        for pk in image_ids
    ]


def state_of(film: Film) -> FilmState:
    """`film_state` of a film that was read already, with a query only where it stands in the line.

    Of a hidden film it has no run's number, as the film has no runs.
    """
    if film.hidden:
        return _hidden_state(film.image, None)
    run = film.run
    line = _places([run]) if run and run.state == RunState.QUEUED else {}
    return _state(film.image, run, line, [view.finding for view in film.findings])


def _places(runs: list[DetectionRun]) -> dict[int, int]:
    """Each queued run's place in the line, from 1; one query, bounded by the last of them."""
    if not runs:
        return {}
    queued = DetectionRun.objects.filter(state=RunState.QUEUED)
    if len(runs) == 1:  # what a badge asks every two seconds: counted, not listed
        run = runs[0]
        before = Q(queued_at__lt=run.queued_at) | Q(queued_at=run.queued_at, pk__lt=run.pk)
        return {run.pk: queued.filter(before).count() + 1}
    line = queued.filter(queued_at__lte=max(r.queued_at for r in runs)).order_by("queued_at", "id")
    return {pk: place for place, pk in enumerate(line.values_list("pk", flat=True), start=1)}


def _hidden_state(image: Image, run: DetectionRun | None) -> FilmState:
    return FilmState(
        image_id=image.pk,
        run_id=run.pk if run else None,
        state="hidden",
        text=f"AI {blinding.HIDDEN}",
        place=None,
        findings=None,
        flagged=False,
        reason_code="",
        reason="",
        ended=True,
    )


def _findings(run: DetectionRun | None) -> list[Finding]:
    return list(run.findings.all()) if run else []


def _state(
    image: Image, run: DetectionRun | None, line: Mapping[int, int], found: Sequence[Finding]
) -> FilmState:
    state = run.state if run else "waiting"
    findings = found if run and run.state == RunState.DONE else None
    flags = flags_of(findings or [], run.counts_from) if run else ()
    reason = run.reason if run else image.display_message
    text = {
        RunState.QUEUED: "queued",
        RunState.RUNNING: "reading",
        RunState.FAILED: "could not be read",
        RunState.REFUSED: "not read",
        "waiting": "no detector is active",
    }.get(state, "")
    if findings is not None:
        abnormal = len(flags)
        text = f"{abnormal} finding{'' if abnormal == 1 else 's'}" if abnormal else "no finding"
    return FilmState(
        image_id=image.pk,
        run_id=run.pk if run else None,
        state=state,
        text=text,
        place=line.get(run.pk) if run else None,
        findings=len(findings) if findings is not None else None,
        flagged=bool(flags),
        reason_code=run.reason_code if run else image.display_problem,
        reason=reason,
        ended=state in ENDED or (run is None and bool(image.display_problem)),
    )
