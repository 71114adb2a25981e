"""REST: everything known of a patient on one time axis.

It stands here because this is the lowest room that sees observations, films and findings alike.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar, cast

from django.db.models import Q
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import User
from accounts.permissions import Can
from accounts.services import audit
from detection import blinding
from detection.models import DetectionRun, Review, Signature, Verdict
from detection.selectors import films_of_patient
from imaging.models import Image
from patients.selectors import patient as get_patient
from patients.selectors import timeline_observations
from patients.serializers import ObservationSerializer
from twinhealth.errors import InvalidInputError

PAGE = 50
MAX_PAGE = 500


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where an entry stands; entries of the same time are ordered by kind and number."""

    at: datetime
    kind: str
    pk: int

    def text(self) -> str:
        """For `?before=`."""
        return f"{self.at.isoformat()}_{self.kind}_{self.pk}"


@dataclass(frozen=True, slots=True)
class Whose:
    """The patient, and who looks: what the model said may be hidden from a blinded reader."""

    patient_id: int
    user: User


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened."""

    place: Place
    body: dict[str, Any]


class TimelineSerializer(serializers.Serializer):
    """A page, newest first; entries have `kind`, `at` and what belongs to the kind."""

    next = serializers.CharField(allow_null=True)
    results = serializers.ListField(child=serializers.DictField())


class TimelineView(APIView):
    """Observations, films with their findings, verdicts and signatures of one patient."""

    required: ClassVar = {"get": Can.PATIENT_READ}

    @extend_schema(
        operation_id="patients_timeline",
        parameters=[
            OpenApiParameter("before", str, description="a time, or `next` of the page above"),
            OpenApiParameter("kind", str, many=True, enum=["film", "observation", "signature",
                                                           "verdict"]),
            OpenApiParameter("page_size", int),
        ],
        responses=TimelineSerializer,
    )  # fmt: skip
    def get(self, request: Request, pk: int) -> Response:
        """Newest first; follow `next`."""
        patient = get_patient(pk)
        who = Whose(patient.pk, cast("User", request.user))
        before = _before(request.query_params.get("before", ""))
        kinds = _kinds(request.query_params.getlist("kind"))
        size = _size(request.query_params.get("page_size", ""))
        entries = sorted(
            (entry for kind in kinds for entry in _SOURCES[kind](who, before, size + 1)),
            key=lambda entry: entry.place,
            reverse=True,
        )
        page = entries[:size]
        following = None
        if len(entries) > size:
            query = request.query_params.copy()
            query["before"] = page[-1].place.text()
            following = request.build_absolute_uri(f"?{query.urlencode()}")
        audit.record(
            actor=request.user if isinstance(request.user, User) else None,
            verb="viewed",
            obj=patient,
            patient_id=patient.pk,
            request=request,
            detail={"part": "timeline"},
        )
        results = [{"kind": entry.place.kind, "at": entry.place.at, **entry.body} for entry in page]
        return Response({"next": following, "results": results})


def _before(text: str) -> Place | None:
    """Nothing, a bare time, or a place between two entries."""
    if not text:
        return None
    at_text, *rest = text.rsplit("_", 2)
    try:
        # a + of the offset arrives as a space where the sender did not encode it
        at = datetime.fromisoformat(at_text.replace(" ", "+"))
        if at.tzinfo is None:
            raise _bad_time()
        at = at.astimezone(UTC)
        place = Place(at, rest[0], int(rest[1])) if rest else Place(at, "", 0)
    except (ValueError, IndexError, OverflowError) as error:
        raise _bad_time() from error
    if abs(place.pk) >= 2**63:
        raise _bad_time()
    return place


def _bad_time() -> InvalidInputError:
    return InvalidInputError("bad_before", "Give `before` as ISO 8601 with an offset.")


def _kinds(asked: list[str]) -> list[str]:
    unknown = sorted(set(asked) - set(_SOURCES))
    if unknown:
        raise InvalidInputError("unknown_kind", "`kind` is one of those listed.", kinds=[*_SOURCES])
    return sorted(set(asked)) or [*_SOURCES]


def _size(text: str) -> int:
    if not text:
        return PAGE
    if not (text.isascii() and text.isdigit() and len(text) < 7) or not 1 <= int(text) <= MAX_PAGE:
        raise InvalidInputError("bad_page_size", f"`page_size` lies between 1 and {MAX_PAGE}.")
    return int(text)


def _below(field: str, kind: str, before: Place | None) -> Q:
    """Rows of a kind that come after the place in the page's order (newest first)."""
    if before is None:
        return Q()
    older = Q(**{f"{field}__lt": before.at})
    same = Q(**{field: before.at})
    if kind < before.kind:
        return older | same
    return older | same & Q(id__lt=before.pk) if kind == before.kind else older


def _observations(who: Whose, before: Place | None, limit: int) -> Iterator[Entry]:
    below = _below("effective_at", "observation", before)
    for row in timeline_observations(who.patient_id, below=below, limit=limit):
        body = dict(ObservationSerializer(row).data)
        yield Entry(Place(row.effective_at, "observation", row.pk), body)


def _films(who: Whose, before: Place | None, limit: int) -> Iterator[Entry]:
    below = _below("acquired_at", "film", before)
    for image in films_of_patient(who.patient_id, user=who.user, limit=limit, below=below):
        yield Entry(Place(image.acquired_at, "film", image.pk), _film(image))


def _film(image: Image) -> dict[str, Any]:
    runs: list[DetectionRun] = image.latest_runs  # type: ignore[attr-defined]
    run = runs[0] if runs else None
    return {
        "image": image.pk,
        "view": image.view_position,
        "acquired_at_is_guess": image.acquired_at_is_guess,
        "is_demo": image.is_demo,
        "model_hidden": image.model_hidden,  # type: ignore[attr-defined]
        "device": {"id": image.device.pk, "name": image.device.name} if image.device else None,
        "run": {"id": run.pk, "state": run.state, "device_trust": run.device_trust}
        if run
        else None,
        "findings": [
            {
                "id": finding.pk,
                "label": finding.label,
                "score": finding.score,
                "box": [finding.x, finding.y, finding.w, finding.h],
            }
            for finding in (run.findings.all() if run else ())
        ],
    }


def _verdicts(who: Whose, before: Place | None, limit: int) -> Iterator[Entry]:
    shown = blinding.sight(who.user).shown()
    if shown:  # a verdict tells what the model had said; one's own boxes don't
        shown |= Q(verdict=Verdict.ADD, by=who.user)
    found = (
        Review.objects.filter(image__series__study__patient_id=who.patient_id, withdrawn_at=None)
        .filter(_below("at", "verdict", before))
        .filter(shown)
        .select_related("by", "finding")
        .order_by("-at", "-id")
    )
    for row in found[:limit]:
        yield Entry(
            Place(row.at, "verdict", row.pk),
            {
                "image": row.image_id,
                "finding": row.finding_id,
                "verdict": row.verdict,
                "label": row.label or (row.finding.label if row.finding else ""),
                "reason_code": row.reason_code,
                "reason": row.reason,
                "by": str(row.by),
            },
        )


def _signatures(who: Whose, before: Place | None, limit: int) -> Iterator[Entry]:
    found = (
        Signature.objects.filter(image__series__study__patient_id=who.patient_id)
        .filter(_below("at", "signature", before))
        .order_by("-at", "-id")
    )
    for row in found[:limit]:
        yield Entry(
            Place(row.at, "signature", row.pk),
            {
                "image": row.image_id,
                "conclusion": row.conclusion,
                "text": row.text,
                "by": row.by_name,
            },
        )


_SOURCES: dict[str, Callable[[Whose, Place | None, int], Iterator[Entry]]] = {
    "film": _films,
    "observation": _observations,
    "signature": _signatures,
    "verdict": _verdicts,
}
