"""Addresses of one film that the walk's numbers alone don't reach: real priors, lists by state."""

from __future__ import annotations

from datetime import timedelta

from django.test import Client

from imaging.models import Image
from tests.detection.factories import make_image
from tests.house.walking import Door, N, ask
from tests.reading.pdf_text import Pdf


def neighbours() -> tuple[Image, Image]:
    """An earlier and a later film of the walked film's patient, neither read by anybody."""
    film = Image.objects.get(pk=N)
    patient = film.series.study.patient
    return (
        make_image(patient, acquired_at=film.acquired_at - timedelta(days=9)),
        make_image(patient, acquired_at=film.acquired_at + timedelta(minutes=9)),
    )


def around(earlier: Image, later: Image) -> set[str]:
    """What can be asked of the walked film through its neighbours, its report and the lists."""
    paths = {f"/films/{N}/beside/{earlier.pk}/"}
    for pk in (earlier.pk, later.pk):
        paths |= {f"/films/{pk}/", f"/images/{pk}/report/", f"/api/v1/images/{pk}/"}
    paths |= {f"/films/{later.pk}/beside/{N}/", f"/images/{later.pk}/report.pdf"}
    paths |= {
        f"/api/v1/images/{N}/report/draft/?conclusion={word}" for word in ("abnormal", "normal")
    }
    paths |= {f"/images/{N}/report/?from=0&to={version}" for version in (0, 1)}
    paths |= {f"/api/v1/help/?state={state}" for state in ("open", "answered", "withdrawn")}
    paths |= {f"/api/v1/second-looks/?state={state}" for state in ("waiting", "looked")}
    paths |= {f"/agreement/?by={by}" for by in ("week", "version", "device", "reader")}
    paths |= {f"/agreement/films/?cell={cell}" for cell in ("hits", "alarms", "misses", "passes")}
    return paths


def said(client: Client, path: str, method: str = "get") -> str:
    """What the address answers; of a PDF its text, which is packed in the bytes."""
    answer = ask(client, Door(path, method, "", None, is_api=path.startswith("/api/")))
    if answer.get("Content-Type") == "application/pdf":
        return " ".join(Pdf(answer.content).pages)
    return str(answer.said)
