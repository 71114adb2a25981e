"""Films that the gate refused: the run, the worklist, overruling it, the machine's counts."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from accounts.models import AuditEntry, User
from detection import gate, selectors
from detection.gate import made
from detection.models import DetectionRun, DetectorVersion, RunState, WorklistItem
from detection.selectors_gate import gate_counts
from detection.services import execute, request
from detection.services.claims import claim
from detection.services.execute import execute_run
from detection.services.sign import sign
from tests.detection.factories import make_device, make_image, make_run, make_version
from tests.detection.fakes import FakeDetector, install
from tests.detection.gate_films import DEMO, frame, picture
from twinhealth.errors import ConflictError, NotFoundError

pytestmark = pytest.mark.django_db
COVID = ("covid", 0.9, 10.0, 20.0, 30.0, 40.0)


@pytest.fixture
def detector(monkeypatch: pytest.MonkeyPatch, settings: Any) -> FakeDetector:
    """A detector, and a film that is turned by 90° clockwise behind every image."""
    settings.IMAGE_GATE = True
    found = install(monkeypatch, FakeDetector(COVID))
    show(monkeypatch, made.turned(picture(DEMO[0]), "rotated_90"))
    return found


def show(monkeypatch: pytest.MonkeyPatch, pixels: Any) -> None:
    monkeypatch.setattr(execute.pixels, "load", lambda image: frame(pixels))


@pytest.fixture
def run(version: DetectorVersion) -> DetectionRun:
    return make_run(make_image(device=make_device()), version, RunState.QUEUED)


@pytest.fixture
def refused(run: DetectionRun, detector: FakeDetector) -> DetectionRun:
    assert execute_run(run_id=run.pk) is False
    run.refresh_from_db()
    return run


def test_the_gate_refuses_before_the_detector_reads(
    refused: DetectionRun, detector: FakeDetector, reader: User
) -> None:
    assert detector.calls == 0
    assert (refused.state, refused.reason_code) == (RunState.REFUSED, "gate_rotated")
    assert "90° clockwise" in refused.reason
    assert (refused.gate_code, refused.gate_reason) == (refused.reason_code, refused.reason)
    assert refused.gate_at == refused.finished_at
    # the film is a picture of its machine all the same
    assert refused.trust_device_id == refused.image.device_id
    assert refused.refused_by_gate
    assert WorklistItem.objects.get(image=refused.image_id).needs_reader
    (row,) = selectors.worklist(user=reader).rows
    assert row.why == "the detector was not asked: rotated"


def test_a_film_that_is_fine_is_read(
    run: DetectionRun, detector: FakeDetector, monkeypatch: pytest.MonkeyPatch
) -> None:
    show(monkeypatch, picture(DEMO[0]))
    assert execute_run(run_id=run.pk) is True
    run.refresh_from_db()
    assert (run.state, run.gate_code, run.gate_at) == (RunState.DONE, "", None)


def test_header_and_body_part_reach_the_gate(
    version: DetectorVersion, detector: FakeDetector, monkeypatch: pytest.MonkeyPatch
) -> None:
    show(monkeypatch, picture(DEMO[0]))
    lateral = make_run(make_image(view_position="LL"), version, RunState.QUEUED)
    image = make_image()
    image.series.body_part = "HAND"
    image.series.save()
    hand = make_run(image, version, RunState.QUEUED)
    for run, code in ((lateral, "gate_lateral"), (hand, "gate_body_part")):
        assert execute_run(run_id=run.pk) is False
        run.refresh_from_db()
        assert run.reason_code == code


def test_the_gate_can_be_switched_off(
    run: DetectionRun, detector: FakeDetector, settings: Any
) -> None:
    settings.IMAGE_GATE = False
    assert execute_run(run_id=run.pk) is True


def test_a_person_has_it_read_anyway(
    refused: DetectionRun,
    detector: FakeDetector,
    reader: User,
    django_capture_on_commit_callbacks: Any,
) -> None:
    said = refused.gate_reason
    with django_capture_on_commit_callbacks() as callbacks:
        run = request.read_anyway(run_id=refused.pk, user=reader)
    assert len(callbacks) == 1, "the message goes after the commit"
    assert (run.state, run.reason_code, run.reason, run.attempts) == (RunState.QUEUED, "", "", 0)
    assert (run.gate_code, run.gate_reason, run.read_anyway_by) == ("gate_rotated", said, reader)
    entry = AuditEntry.objects.get(verb="overruled_gate")
    assert (entry.actor, entry.object_id) == (reader, str(run.pk))
    assert entry.patient_ref == run.image.series.study.patient_id
    assert entry.detail == {"code": "gate_rotated"}
    assert execute_run(run_id=run.pk) is True
    assert detector.calls == 1
    run.refresh_from_db()
    assert (run.state, run.gate_code) == (RunState.DONE, "gate_rotated")
    with pytest.raises(ConflictError) as caught:
        request.read_anyway(run_id=run.pk, user=reader)
    assert caught.value.code == "bad_transition"


def test_a_later_version_reads_an_overruled_film_without_asking(
    refused: DetectionRun, detector: FakeDetector, reader: User
) -> None:
    request.read_anyway(run_id=refused.pk, user=reader)
    later = make_run(refused.image, make_version("candidate"), RunState.QUEUED)
    assert execute_run(run_id=later.pk) is True


def test_what_cannot_be_overruled(
    refused: DetectionRun, version: DetectorVersion, reader: User, other: User
) -> None:
    def conflict(run_id: int) -> str:
        with pytest.raises(ConflictError) as caught:
            request.read_anyway(run_id=run_id, user=reader)
        return caught.value.code

    undecodable = make_run(
        make_image(), version, RunState.REFUSED, reason_code="cannot_display", reason="No."
    )
    assert conflict(undecodable.pk) == "not_gated"
    with pytest.raises(NotFoundError):
        request.read_anyway(run_id=10**9, user=reader)
    claim(image_id=refused.image_id, user=other)
    assert conflict(refused.pk) == "claimed"
    sign(image_id=refused.image_id, user=other, conclusion="not_readable")
    assert conflict(refused.pk) == "signed"
    assert not AuditEntry.objects.filter(verb="overruled_gate").exists()
    refused.refresh_from_db()
    assert refused.state == RunState.REFUSED


def test_the_database_wants_code_and_time_together(version: DetectorVersion) -> None:
    for wrong in ({"gate_code": "gate_empty"}, {"gate_at": timezone.now()}):
        with pytest.raises(IntegrityError), transaction.atomic():
            make_run(make_image(), version, RunState.REFUSED, **wrong)


def gated(version: DetectorVersion, device: Any, code: str, at: Any, **fields: Any) -> DetectionRun:
    image = fields.pop("image", None) or make_image(device=device)
    image.received_at = at
    image.save(update_fields=["received_at"])
    return make_run(
        image, version, RunState.REFUSED, reason_code=code, reason="x", gate_code=code,
        gate_reason="x", gate_at=at, finished_at=at, **fields,
    )  # fmt: skip


def test_counts_of_a_machine_as_of_a_moment(version: DetectorVersion, reader: User) -> None:
    device, elsewhere = make_device(), make_device()
    now = timezone.now()
    long_ago, lately = now - timedelta(days=9), now - timedelta(hours=1)
    first = gated(version, device, "gate_rotated", long_ago)
    # another version's run of the same film is no other film
    gated(make_version("candidate"), device, "gate_rotated", long_ago, image=first.image)
    gated(version, device, "gate_inverted", lately)
    gated(version, device, "gate_rotated", lately, read_anyway_at=now, read_anyway_by=reader)
    gated(version, elsewhere, "gate_empty", lately)
    make_run(make_image(device=device), version, RunState.REFUSED, reason_code="cannot_display")

    found = gate_counts(device_id=device.pk)
    assert (found.films, found.refused, found.overruled) == (4, 3, 1)
    assert [(r.code, r.text, r.count) for r in found.reasons] == [
        ("gate_rotated", "rotated", 2),
        ("gate_inverted", "inverted", 1),
    ]
    assert found.share == 0.75
    assert found.last_refused_at == lately
    before = gate_counts(device_id=device.pk, at=now - timedelta(days=1))
    assert (before.films, before.refused, before.overruled) == (1, 1, 0)
    assert before.last_refused_at == long_ago
    never = gate_counts(device_id=device.pk, at=now - timedelta(days=99))
    assert (never.films, never.refused, never.share, list(never.reasons)) == (0, 0, 0.0, [])


def sign_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_rest(
    refused: DetectionRun, reader: User, engineer: User, version: DetectorVersion
) -> None:
    device = refused.image.device_id
    shown = sign_in(engineer).get(f"/api/v1/devices/{device}/gate/")
    assert shown.status_code == 200
    told = shown.json()
    assert (told["films"], told["refused"], told["overruled"], told["share"]) == (1, 1, 0, 1.0)
    assert told["reasons"] == [{"code": "gate_rotated", "text": "rotated", "count": 1}]
    assert "Secret" not in shown.content.decode()
    asked = sign_in(engineer).get(f"/api/v1/devices/{device}/gate/?at=2020-01-01T00:00:00Z").json()
    assert (asked["films"], asked["refused"]) == (0, 0)
    assert sign_in(engineer).get("/api/v1/devices/999999/gate/").status_code == 404
    assert sign_in(engineer).get(f"/api/v1/devices/{device}/gate/?at=soon").status_code == 400
    assert sign_in(reader).get(f"/api/v1/devices/{device}/gate/").status_code == 403

    address = f"/api/v1/runs/{refused.pk}/read-anyway/"
    assert sign_in(engineer).post(address).status_code == 403
    answer = sign_in(reader).post(address)
    assert answer.status_code == 202
    body = answer.json()
    assert (body["state"], body["gate_code"]) == ("queued", "gate_rotated")
    assert body["read_anyway_by"] == "reader"
    assert sign_in(reader).post(address).json()["code"] == "bad_transition"
    assert sign_in(reader).post("/api/v1/runs/999999/read-anyway/").status_code == 404


def test_the_film_page_offers_to_read_it_anyway(refused: DetectionRun, reader: User) -> None:
    client = sign_in(reader)
    page = f"/films/{refused.image_id}/"
    shown = client.get(page).content.decode()
    assert "The model was not asked to read this film." in shown
    assert "90° clockwise" in shown
    address = f"{page}read-anyway/"
    assert address in shown
    answer = client.post(address, headers={"HX-Request": "true"})
    assert (answer.status_code, answer["HX-Redirect"]) == (204, page)
    after = client.get(page).content.decode()
    assert "The image gate had refused this film" in after
    assert address not in after
    again = client.post(address, headers={"HX-Request": "true"})
    assert again.status_code == 409
    assert "bad_transition" in again.content.decode()


def test_without_htmx_the_film_page_comes_back(refused: DetectionRun, reader: User) -> None:
    answer = sign_in(reader).post(f"/films/{refused.image_id}/read-anyway/")
    assert (answer.status_code, answer["Location"]) == (302, f"/films/{refused.image_id}/")
    refused.refresh_from_db()
    assert refused.state == RunState.QUEUED


def test_a_film_without_a_run_has_nothing_to_overrule(reader: User, db: None) -> None:
    answer = sign_in(reader).post(f"/films/{make_image().pk}/read-anyway/")
    assert answer.status_code == 404


def test_the_twin_page_shows_the_counts(
    refused: DetectionRun, engineer: User, django_assert_max_num_queries: Any
) -> None:
    client = sign_in(engineer)
    address = f"/devices/{refused.image.device_id}/images/"
    with django_assert_max_num_queries(14):
        shown = " ".join(client.get(address).content.decode().split())
    assert "<strong>1 of 1</strong> film refused by the image gate: 1 rotated" in shown
    assert "refused: rotated" in shown
    assert "Secret" not in shown
    past = client.get(address, {"at": "2020-01-01T00:00"}).content.decode()
    assert "refused by the image gate" not in past


def test_every_code_has_words() -> None:
    assert all(text and code.startswith("gate_") for code, text in gate.REASONS.items())
