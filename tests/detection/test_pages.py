"""Worklist, film page and fragments as HTML: who sees what, what an answer says, what is written."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import AuditEntry, User
from detection.figures import figures_of
from detection.models import Claim, DetectorVersion, Review, Signature
from detection.services import claims, reviews, sign, versions
from patients.models import Patient
from reading.selectors import signed_today
from tests.detection.factories import make_device, make_image, make_run, make_version

HTMX = {"HTTP_HX_REQUEST": "true"}


@pytest.fixture
def page(reader: User) -> Client:
    client = Client()
    client.force_login(reader)
    return client


def as_user(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def text(response: object) -> str:
    return re.sub(r"\s+", " ", response.content.decode())  # type: ignore[attr-defined]


# --- worklist


@pytest.mark.django_db
def test_worklist_shows_why_ai_machine_and_trust(page: Client, version: DetectorVersion) -> None:
    image = make_image(device=make_device(name="XR-9"), received_ago=timedelta(minutes=12))
    make_run(
        image,
        version,
        boxes=(("covid", 0.91),),
        device_trust="reduced",
        trust_reasons=[{"rule": "noise", "state": "act", "text": "noise 41", "since": None}],
    )
    html = text(page.get("/worklist/"))
    for part in (
        "covid 0.91",
        "XR-9",
        "trust reduced",
        "noise 41",
        "12 min",
        f"/films/{image.pk}/",
    ):
        assert part in html, part
    entry = AuditEntry.objects.get(verb="listed")
    assert entry.detail == {"films": [image.pk]}


@pytest.mark.django_db
def test_worklist_table_fragment_keeps_the_filters(page: Client, version: DetectorVersion) -> None:
    make_run(make_image(), version, boxes=(("covid", 0.9),))
    html = text(page.get("/worklist/?show=flagged&ordering=-score"))
    assert 'hx-get="/worklist/table/?show=flagged&amp;ordering=-score"' in html
    fragment = page.get("/worklist/table/?show=flagged&ordering=-score", **HTMX)
    assert b"<html" not in fragment.content
    assert b'id="worklist"' in fragment.content


@pytest.mark.django_db
def test_pages_ask_the_database_a_fixed_number_of_questions(
    page: Client, version: DetectorVersion, django_assert_max_num_queries: object
) -> None:
    patient = Patient.objects.create(identifier="MANY")
    for _ in range(30):
        image = make_image(patient, device=make_device())
        make_run(image, version, boxes=(("covid", 0.9), ("pneumonia", 0.8)))
    for address, budget in (
        ("/worklist/", 18),
        ("/worklist/table/", 14),
        (f"/films/{image.pk}/", 29),
        (f"/patients/{patient.pk}/films/", 12),
    ):
        page.get(address)  # sessions and content types are warm
        with django_assert_max_num_queries(budget):  # type: ignore[operator]
            assert page.get(address).status_code == 200


@pytest.mark.django_db
def test_empty_worklist_says_what_to_do(page: Client) -> None:
    assert "Nothing waits for a reader" in text(page.get("/worklist/"))
    assert "No film matches these filters" in text(page.get("/worklist/?show=mine"))


@pytest.mark.django_db
@pytest.mark.parametrize(
    "query", ["page=0", "page=x", "ordering=;drop", "show=nope", "device=x", "trust=%EF%BF%BD"]
)
def test_worklist_opens_with_any_old_bookmark(page: Client, query: str) -> None:
    assert page.get(f"/worklist/?{query}").status_code == 200


@pytest.mark.django_db
def test_signed_today(page: Client, reader: User, version: DetectorVersion) -> None:
    assert "No film has been signed today" in text(page.get("/worklist/?show=signed"))
    image = make_image()
    make_run(image, version)
    sign.sign(image_id=image.pk, user=reader, conclusion="normal")
    assert f"/films/{image.pk}/" in text(page.get("/worklist/?show=signed"))
    assert not signed_today(now=timezone.now() + timedelta(days=1)).exists()


@pytest.mark.django_db
def test_hostile_patient_text_is_text(page: Client, version: DetectorVersion) -> None:
    patient = Patient.objects.create(identifier='"><img src=x onerror=alert(1)>', name="<script>^x")
    image = make_image(patient)
    make_run(image, version, boxes=(("covid", 0.9),))
    for address in ("/worklist/", f"/films/{image.pk}/", f"/patients/{patient.pk}/films/"):
        html = text(page.get(address))
        assert "<script>^" not in html
        assert "<img src=x" not in html


# --- film


@pytest.mark.django_db
def test_opening_a_film_claims_it_and_is_audited(
    page: Client, reader: User, version: DetectorVersion
) -> None:
    image = make_image(device=make_device())
    run = make_run(image, version, boxes=(("covid", 0.9, 10, 20, 30, 40), ("normal", 0.5)))
    html = text(page.get(f"/films/{image.pk}/"))
    assert Claim.objects.get(image=image).by == reader
    assert AuditEntry.objects.filter(
        verb="viewed", actor=reader, patient_ref=image.series.study.patient_id
    ).exists()
    finding = run.findings.get(label="covid")
    assert 'data-box="10.00 20.00 30.00 40.00"' in html
    assert f'data-verdict-url="/films/{image.pk}/findings/{finding.pk}/verdict/"' in html
    assert version.name in html
    assert 'data-locked="no"' in html
    assert "data-sign" in html


@pytest.mark.django_db
def test_a_film_that_another_reads_can_be_looked_at(
    page: Client, other: User, version: DetectorVersion
) -> None:
    image = make_image()
    make_run(image, version, boxes=(("covid", 0.9),))
    claims.claim(image_id=image.pk, user=other)
    html = text(page.get(f"/films/{image.pk}/"))
    assert "Dr Other is reading this film until" in html
    assert 'data-locked="yes"' in html
    assert "data-sign" not in html
    assert Claim.objects.get(image=image).by == other


@pytest.mark.django_db
def test_a_signed_film_shows_its_signature_and_is_not_claimed(
    page: Client, other: User, version: DetectorVersion
) -> None:
    image = make_image()
    make_run(image, version)
    sign.sign(image_id=image.pk, user=other, conclusion="abnormal", text="Opacity <left>.")
    html = text(page.get(f"/films/{image.pk}/"))
    assert "Signed by Dr Other" in html
    assert "Opacity &lt;left&gt;." in html
    assert 'data-locked="yes"' in html
    assert not Claim.objects.filter(image=image).exists()


@pytest.mark.django_db
def test_a_film_that_cannot_be_shown_says_why_and_offers_the_file(
    page: Client, version: DetectorVersion
) -> None:
    image = make_image(
        display_problem="cannot_display", display_message="12-bit JPEG: not decoded."
    )
    make_run(image, version, "refused", reason="12-bit JPEG: not decoded.")
    html = text(page.get(f"/films/{image.pk}/"))
    assert "12-bit JPEG: not decoded." in html
    assert f'href="/api/v1/images/{image.pk}/original/"' in html
    assert 'id="stage"' not in html
    assert "data-sign" in html


@pytest.mark.django_db
def test_demo_films_show_their_source(page: Client, version: DetectorVersion) -> None:
    image = make_image(is_demo=True, attribution="Photo: A. Author, CC BY 3.0")
    make_run(image, version)
    html = text(page.get(f"/films/{image.pk}/"))
    assert "Photo: A. Author, CC BY 3.0" in html
    assert "demo film" in html


@pytest.mark.django_db
def test_no_such_film_is_a_page(page: Client) -> None:
    response = page.get("/films/999999/")
    assert response.status_code == 404
    assert "no_such_image" in text(response)


# --- verdicts


@pytest.mark.django_db
def test_verdicts_answer_with_the_panel(
    page: Client, reader: User, version: DetectorVersion
) -> None:
    image = make_image()
    finding = make_run(image, version, boxes=(("covid", 0.9),)).findings.get()
    address = reverse("reading:verdict", args=[image.pk, finding.pk])
    html = text(page.post(address, {"verdict": "accept"}, **HTMX))
    assert 'data-verdict="accept"' in html
    assert 'id="report"' not in html  # what the reader is writing stays
    html = text(page.post(address, {"verdict": "reject", "reason": "artefact"}, **HTMX))
    assert 'data-verdict="reject"' in html
    assert "artefact" in html
    refused = page.post(address, {"verdict": "reject"}, **HTMX)
    assert refused.status_code == 400
    assert "Say why the finding is rejected." in text(refused)
    html = text(page.post(f"/films/{image.pk}/undo/", **HTMX))
    assert 'data-verdict="accept"' in html
    box = {"x": 1, "y": 2, "w": 30, "h": 40}
    html = text(page.post(address, {"verdict": "edit", "label": "pneumonia", **box}, **HTMX))
    assert 'data-label="pneumonia"' in html
    assert 'data-box="1.00 2.00 30.00 40.00"' in html
    assert "(model: covid)" in html
    assert Review.objects.filter(image=image, by=reader).count() == 3


@pytest.mark.django_db
def test_a_finding_can_be_added_and_taken_back(page: Client, version: DetectorVersion) -> None:
    image = make_image()
    make_run(image, version)
    sent = {"verdict": "add", "label": "covid", "x": 1, "y": 2, "w": 30, "h": 40}
    html = text(page.post(f"/films/{image.pk}/findings/add/", sent, **HTMX))
    review = Review.objects.get(image=image)
    assert f'data-key="r{review.pk}"' in html
    html = text(page.post(f"/films/{image.pk}/undo/", {"review": review.pk}, **HTMX))
    assert "data-key" not in html
    answer = page.post(f"/films/{image.pk}/undo/", **HTMX)
    assert answer.status_code == 409
    assert "nothing_to_undo" in text(answer)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "sent",
    [
        {},
        {"verdict": "maybe"},
        {"verdict": "edit"},
        {"verdict": "edit", "x": "NaN", "y": 0, "w": 5, "h": 5},
        {"verdict": "edit", "x": 390, "y": 0, "w": 50, "h": 5},
        {"verdict": "accept", "reason": "x" * 301},
    ],
)
def test_a_bad_verdict_is_refused_in_the_panel(
    page: Client, version: DetectorVersion, sent: dict[str, object]
) -> None:
    image = make_image()
    finding = make_run(image, version, boxes=(("covid", 0.9),)).findings.get()
    answer = page.post(reverse("reading:verdict", args=[image.pk, finding.pk]), sent, **HTMX)
    assert answer.status_code == 400
    assert answer["X-Swap-Error"] == "yes"
    assert "data-error-message" in text(answer)
    assert not Review.objects.exists()


@pytest.mark.django_db
def test_a_verdict_after_anothers_signature_shows_the_newer_state(
    page: Client, other: User, version: DetectorVersion
) -> None:
    image = make_image()
    finding = make_run(image, version, boxes=(("covid", 0.9),)).findings.get()
    sign.sign(image_id=image.pk, user=other, conclusion="abnormal")
    answer = page.post(
        reverse("reading:verdict", args=[image.pk, finding.pk]), {"verdict": "accept"}, **HTMX
    )
    assert answer.status_code == 409
    assert answer["X-Swap-Error"] == "yes"
    html = text(answer)
    assert 'data-error-code="signed"' in html
    assert 'data-locked="yes"' in html
    assert re.search(r'id="report"[^>]*hx-swap-oob="outerHTML"', html)
    assert not Review.objects.exists()


@pytest.mark.django_db
def test_a_finding_of_another_film_is_not_found(page: Client, version: DetectorVersion) -> None:
    image, elsewhere = make_image(), make_image()
    finding = make_run(elsewhere, version, boxes=(("covid", 0.9),)).findings.get()
    answer = page.post(
        reverse("reading:verdict", args=[image.pk, finding.pk]), {"verdict": "accept"}, **HTMX
    )
    assert answer.status_code == 404
    assert not Review.objects.exists()


@pytest.mark.django_db
def test_without_htmx_a_verdict_goes_back_to_the_film(
    page: Client, version: DetectorVersion
) -> None:
    image = make_image()
    finding = make_run(image, version, boxes=(("covid", 0.9),)).findings.get()
    answer = page.post(
        reverse("reading:verdict", args=[image.pk, finding.pk]), {"verdict": "accept"}
    )
    assert answer.status_code == 302
    assert answer["Location"] == f"/films/{image.pk}/"


# --- signing


@pytest.mark.django_db
def test_sign_shows_the_signature_in_both_panels(page: Client, version: DetectorVersion) -> None:
    image = make_image()
    make_run(image, version, boxes=(("covid", 0.9),))
    sent = {"conclusion": "abnormal", "text": "Opacity.", "then": "stay"}
    html = text(page.post(f"/films/{image.pk}/sign/", sent, **HTMX))
    signature = Signature.objects.get(image=image)
    assert f"Signature {signature.pk}" in html
    assert re.search(r'id="findings"[^>]*hx-swap-oob="outerHTML"', html)


@pytest.mark.django_db
def test_sign_and_next_goes_to_the_next_film_nobody_holds(
    page: Client, other: User, version: DetectorVersion
) -> None:
    first, held, following = make_image(), make_image(), make_image()
    for image, score in ((first, 0.95), (held, 0.9), (following, 0.8)):
        make_run(image, version, boxes=(("covid", score),))
    claims.claim(image_id=held.pk, user=other)
    sent = {"conclusion": "abnormal", "then": "next"}
    answer = page.post(f"/films/{first.pk}/sign/", sent, **HTMX)
    assert answer["HX-Redirect"] == f"/films/{following.pk}/"
    assert page.post(f"/films/{following.pk}/sign/", sent)["Location"] == "/worklist/"


@pytest.mark.django_db
def test_sign_needs_a_conclusion_and_keeps_the_text(page: Client, version: DetectorVersion) -> None:
    image = make_image()
    make_run(image, version)
    answer = page.post(f"/films/{image.pk}/sign/", {"text": "half a report"}, **HTMX)
    assert answer.status_code == 400
    assert "Choose a conclusion." in text(answer)
    assert "half a report" in text(answer)
    assert not Signature.objects.exists()


@pytest.mark.django_db
def test_sign_after_another_reader_is_refused(
    page: Client, other: User, version: DetectorVersion
) -> None:
    image = make_image()
    make_run(image, version)
    sign.sign(image_id=image.pk, user=other, conclusion="normal")
    answer = page.post(f"/films/{image.pk}/sign/", {"conclusion": "abnormal"}, **HTMX)
    assert answer.status_code == 409
    assert Signature.objects.get(image=image).by == other


@pytest.mark.django_db
def test_claim_is_kept_alive_and_its_loss_is_told(
    page: Client, reader: User, other: User, version: DetectorVersion
) -> None:
    image = make_image()
    make_run(image, version)
    page.get(f"/films/{image.pk}/")
    Claim.objects.update(until=timezone.now() + timedelta(seconds=5))
    assert page.post(f"/films/{image.pk}/claim/", **HTMX).status_code == 200
    assert Claim.objects.get().until > timezone.now() + timedelta(minutes=5)
    Claim.objects.update(by=other)
    lost = page.post(f"/films/{image.pk}/claim/", **HTMX)
    assert lost.status_code == 409
    assert 'data-locked="yes"' in text(lost)


@pytest.mark.django_db
def test_release_gives_the_film_back(page: Client, version: DetectorVersion) -> None:
    image = make_image()
    make_run(image, version)
    page.get(f"/films/{image.pk}/")
    assert page.post(f"/films/{image.pk}/release/")["Location"] == "/worklist/"
    assert not Claim.objects.exists()


@pytest.mark.django_db
def test_changes_need_post_and_the_form_token(reader: User, version: DetectorVersion) -> None:
    image = make_image()
    make_run(image, version)
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(reader)
    for name in ("sign", "claim", "release", "undo", "add"):
        address = reverse(f"reading:{name}", args=[image.pk])
        assert strict.get(address).status_code == 405
        assert strict.post(address, {"conclusion": "normal"}).status_code == 403
    assert not Signature.objects.exists()


# --- fragments


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("state", "asks_again"),
    [("queued", True), ("running", True), ("done", False), ("failed", False), ("refused", False)],
)
def test_state_badge_asks_again_only_until_the_end(
    page: Client, version: DetectorVersion, state: str, asks_again: bool
) -> None:
    image = make_image()
    make_run(image, version, state, reason="why not" if state in {"failed", "refused"} else "")
    html = text(page.get(f"/films/{image.pk}/state/"))
    assert ("hx-trigger" in html) is asks_again
    if state == "queued":
        assert "place 1" in html
    if state in {"failed", "refused"}:
        assert "why not" in html


@pytest.mark.django_db
def test_patient_films_show_ai_and_verdicts(
    page: Client, reader: User, version: DetectorVersion
) -> None:
    image = make_image()
    finding = make_run(image, version, boxes=(("covid", 0.9),)).findings.get()
    reviews.record(finding_id=finding.pk, user=reader, verdict="accept")
    patient = image.series.study.patient
    html = text(page.get(f"/patients/{patient.pk}/films/"))
    assert "covid 0.90 (accepted)" in html
    assert f"/films/{image.pk}/" in html
    nobody = Patient.objects.create(identifier="EMPTY")
    assert "No films of this patient yet" in text(page.get(f"/patients/{nobody.pk}/films/"))


@pytest.mark.django_db
def test_engineers_see_images_of_a_machine_without_patient_or_pixels(
    engineer: User, version: DetectorVersion
) -> None:
    device = make_device()
    image = make_image(device=device)
    make_run(image, version, boxes=(("covid", 0.9),), device_trust="full")
    html = text(as_user(engineer).get(f"/devices/{device.pk}/images/"))
    patient = image.series.study.patient
    assert f"400 {chr(215)} 300" in html  # the multiplication sign
    assert "trust full" in html
    for secret in (
        patient.identifier,
        patient.name,
        "Secret",
        "rendered.png",
        f"/films/{image.pk}/",
        "covid",
    ):
        assert secret not in html


@pytest.mark.django_db
def test_device_images_are_paged(engineer: User, version: DetectorVersion) -> None:
    device = make_device()
    for _ in range(26):
        make_image(device=device)
    from detection.models import WorklistItem
    from detection.services.worklist import refresh_items
    from imaging.models import Image

    refresh_items(image_ids=Image.objects.values_list("pk", flat=True))
    assert WorklistItem.objects.count() == 26
    client = as_user(engineer)
    assert "page 1 of 2" in text(client.get(f"/devices/{device.pk}/images/"))
    assert "page 2 of 2" in text(client.get(f"/devices/{device.pk}/images/?page=9"))
    empty = make_device()
    assert "No image from this machine yet" in text(client.get(f"/devices/{empty.pk}/images/"))


# --- models


@pytest.mark.django_db
def test_models_page_shows_active_candidates_and_figures(
    admin: User, version: DetectorVersion
) -> None:
    make_version(
        "candidate",
        name="better",
        metrics={"test": {"images": 166, "ap": {"all": {"mean": {"ap50": 0.8087}}}}},
    )
    html = text(as_user(admin).get("/models/"))
    assert version.name in html
    assert "0.809" in html
    assert "166" in html
    assert "how good it is, is unknown" in html  # the active one came without a report


@pytest.mark.django_db
def test_who_decided_which_model_reads(
    admin: User, version: DetectorVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(versions, "weights_problem", lambda version: None)
    candidate = make_version("candidate")
    page = as_user(admin)
    assert "Which version read when" not in text(page.get("/models/"))
    why = "better <b>on val</b>"
    answer = page.post(f"/models/{candidate.pk}/promote/", {"reason": why}, follow=True)
    html = text(answer)
    assert f"{candidate.name} reads from now on" in html
    assert "better &lt;b&gt;on val&lt;/b&gt;" in html
    assert f"Roll back to {version.name}" in html
    html = text(page.post("/models/rollback/", {"reason": ""}, follow=True))
    assert f"Rolled back: {version.name} reads again" in html
    assert "nothing given" in html
    assert as_user(admin).post("/models/rollback/", {"reason": "x" * 501}).status_code == 400


@pytest.mark.django_db
def test_promoting_without_the_weights_is_refused(admin: User, version: DetectorVersion) -> None:
    candidate = make_version("candidate")
    answer = as_user(admin).post(f"/models/{candidate.pk}/promote/")
    assert answer.status_code == 409
    assert "weights_missing" in text(answer)
    version.refresh_from_db()
    assert version.state == "active"


def test_figures_come_from_the_report_and_gaps_stay_gaps() -> None:
    entry = {"ap": 0.1, "ap50": 0.8, "ap75": 0.2}
    report = {
        "images": 166,
        "boxes": 332,
        "ap": {
            "all": {"covid": {**entry, "ap50": 0.9}, "mean": entry},
            "classes_ignored": {"any": {"ap50": 0.99}},
        },
    }
    (row,) = figures_of({"test": report, "other": {}, "val": "nonsense"}, ["covid", "normal"])
    assert (row.films, row.boxes, row.mean, row.lungs) == (166, 332, 0.8, 0.99)
    assert row.classes == {"covid": 0.9, "normal": None}
    assert row.human is None
    assert figures_of({}, ["covid"]) == []


# --- who may

CLINICIAN_ONLY = ("worklist/", "worklist/table/", "films/1/", "patients/1/films/")


@pytest.mark.django_db
@pytest.mark.parametrize(
    "address", [*CLINICIAN_ONLY, "models/", "films/1/state/", "devices/1/images/"]
)
def test_strangers_are_sent_to_sign_in(address: str) -> None:
    answer = Client().get(f"/{address}")
    assert answer.status_code == 302
    assert answer["Location"].startswith("/login/")


@pytest.mark.django_db
@pytest.mark.parametrize("address", CLINICIAN_ONLY)
def test_engineers_and_admins_do_not_read_films(engineer: User, admin: User, address: str) -> None:
    for user in (engineer, admin):
        assert as_user(user).get(f"/{address}").status_code == 403


@pytest.mark.django_db
def test_models_are_for_admins(page: Client, engineer: User) -> None:
    assert page.get("/models/").status_code == 403
    assert as_user(engineer).get("/models/").status_code == 403
    assert as_user(engineer).post("/models/1/promote/").status_code == 403
