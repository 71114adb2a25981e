"""Pages and REST of the models: who sees what, what a refusal says, how many questions it costs."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.db.migrations.executor import MigrationExecutor
from django.test import Client
from django.utils import timezone

from accounts.models import AuditEntry, User
from detection.figures import training_lines
from detection.models import (
    DetectionRun,
    DetectorVersion,
    Promotion,
    Purpose,
    ReadingState,
    VersionReading,
    VersionState,
)
from detection.services import shadow as shadows
from detection.services import versions
from detection.services.sign import sign
from tests.detection.evidence_rows import give_evidence
from tests.detection.factories import make_image, make_run, make_version

pytestmark = pytest.mark.django_db
API = "/api/v1/detector-versions/"
REASON = "It reads the films of our new machine far better."
LUNG = (20.0, 30.0, 100.0, 120.0)


@pytest.fixture(autouse=True)
def _whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shadows, "weights_problem", lambda version: None)
    monkeypatch.setattr(versions, "weights_problem", lambda version: None)


@pytest.fixture
def page(admin: User) -> Client:
    client = Client()
    client.force_login(admin)
    return client


@pytest.fixture
def candidate(version: DetectorVersion) -> DetectorVersion:
    return make_version(VersionState.CANDIDATE, name="newcomer", licence="CC BY 4.0 only")


def text(answer: Any) -> str:
    return re.sub(r"\s+", " ", answer.content.decode())


def read_apart(version: DetectorVersion, image: Any, covid: float) -> VersionReading:
    return VersionReading.objects.create(
        version=version,
        image=image,
        purpose=Purpose.SHADOW,
        state=ReadingState.DONE,
        queued_at=timezone.now(),
        finished_at=timezone.now(),
        scores={"covid": covid, "pneumonia": 0.0, "normal": 0.1},
        boxes=[["covid", covid, *LUNG]],
    )


def test_comparing_shows_figures_with_intervals_side_by_side(
    page: Client, version: DetectorVersion, candidate: DetectorVersion
) -> None:
    address = f"/models/{candidate.pk}/compare/"
    html = text(page.get(address))
    assert "has no evidence on val: how good it is, is unknown" in html
    assert "No evidence on val is stored for newcomer and" in html
    first, second = give_evidence(version, 0.3), give_evidence(candidate, 0.5)
    html = text(page.get(address))
    for stored in (first, second):
        row = stored.figures["auc_covid"]
        assert f"{row['value']:.3f}" in html
        assert f"{row['low']:.3f} to {row['high']:.3f}" in html
    assert "CC BY 4.0 only" in html
    assert "is the version that reads" in text(page.get(f"/models/{version.pk}/compare/"))
    assert page.get("/models/999999/compare/").status_code == 404


def test_comparing_says_what_is_worse_and_asks_for_a_reason(
    page: Client, version: DetectorVersion, candidate: DetectorVersion
) -> None:
    give_evidence(version, 0.9)
    give_evidence(candidate, 0.1)
    address = f"/models/{candidate.pk}/"
    html = text(page.get(f"{address}compare/"))
    assert "On val it is worse than" in html
    assert "No evidence on test is stored" in html
    assert "required" in html
    refused = page.post(f"{address}promote/", {"reason": "short", "instead_of": version.pk})
    assert refused.status_code == 409
    assert "reason_needed" in text(refused)
    assert ">short</textarea>" in text(refused)  # what was typed is still there
    done = page.post(f"{address}promote/", {"reason": REASON, "instead_of": version.pk})
    assert (done.status_code, done["Location"]) == (302, "/models/")
    html = text(page.get("/models/"))
    assert REASON in html
    assert f"Roll back to {version.name}" in html
    assert page.post("/models/rollback/").status_code == 302
    version.refresh_from_db()
    assert version.state == VersionState.ACTIVE
    assert "rolled back" in text(page.get("/models/"))


def test_an_outdated_page_does_not_promote(
    page: Client, version: DetectorVersion, candidate: DetectorVersion
) -> None:
    answer = page.post(
        f"/models/{candidate.pk}/promote/", {"reason": REASON, "instead_of": candidate.pk}
    )
    assert (answer.status_code, "active_changed" in text(answer)) == (409, True)
    assert not Promotion.objects.exists()


def test_a_versions_steps_have_buttons(
    page: Client, version: DetectorVersion, candidate: DetectorVersion
) -> None:
    address = f"/models/{candidate.pk}/"
    assert "Read along" in text(page.get(f"{address}compare/"))
    assert page.post(f"{address}shadow/", {"on": "yes"}).status_code == 302
    assert "Stop reading along" in text(page.get(f"{address}compare/"))
    assert page.post(f"{address}shadow/", {"on": "no"}).status_code == 302
    assert page.post(f"{address}retire/").status_code == 302
    html = text(page.get(f"{address}compare/"))
    assert "Read along" not in html
    assert "retired" in html
    again = page.post(f"{address}retire/")
    assert (again.status_code, "bad_transition" in text(again)) == (409, True)
    assert "Compare and promote" in text(page.get("/models/"))


def test_agreement_of_the_shadow_is_shown_and_films_open_for_readers_only(
    page: Client, version: DetectorVersion
) -> None:
    shadow = make_version(VersionState.SHADOW, name="newcomer")
    differs = None
    for covid in (0.9, 0.9, 0.2):
        image = make_image()
        make_run(image, version, boxes=(("covid", 0.8, *LUNG),))
        read_apart(shadow, image, covid)
        differs = image
    assert differs is not None
    html = text(page.get(f"/models/{shadow.pk}/compare/"))
    assert "67 % (1 differ)" in html
    assert f"film {differs.pk}" in html
    assert f'href="/films/{differs.pk}/"' not in html  # admins don't read films
    listed = AuditEntry.objects.filter(verb="listed").latest("id")
    assert listed.detail == {"films": [differs.pk]}


def test_signed_films_say_what_can_be_said_of_them(
    page: Client, version: DetectorVersion, candidate: DetectorVersion, reader: User
) -> None:
    assert "No film is signed" in text(page.get(f"/models/{candidate.pk}/compare/"))
    for conclusion, new, old in (
        ("abnormal", 0.9, 0.6),
        ("abnormal", 0.8, 0.2),
        ("normal", 0.1, 0.7),
        ("normal", 0.2, 0.1),
    ):
        image = make_image()
        sign(image_id=image.pk, user=reader, conclusion=conclusion)
        read_apart(candidate, image, new)
        read_apart(version, image, old)
    answer = page.get(f"/api/v1/detector-versions/{candidate.pk}/compare/")
    body = answer.json()
    assert (body["signed"]["both"], body["signed"]["abnormal"]) == (4, 2)
    figures = {row["key"]: row for row in body["signed"]["figures"]}
    assert set(figures) == {"auc_abnormal", "sensitivity", "specificity", "agreement"}
    assert figures["auc_abnormal"]["version"]["value"] == 1.0
    assert figures["auc_abnormal"]["other"]["value"] == 0.5
    assert figures["sensitivity"]["difference"]["difference"] == 0.5
    html = text(page.get(f"/models/{candidate.pk}/compare/"))
    assert "4 of the 4 newest films" in html
    assert "draws no box" in html
    assert page.post(f"/models/{candidate.pk}/score/", {"last": "4"}).status_code == 302


def test_the_pages_ask_the_database_a_fixed_number_of_questions(
    page: Client, version: DetectorVersion, django_assert_max_num_queries: Any
) -> None:
    shadow = make_version(VersionState.SHADOW)
    give_evidence(version, 0.4)
    give_evidence(shadow, 0.5)
    addresses = ["/models/", f"/models/{shadow.pk}/compare/"]
    addresses += [API, f"{API}{shadow.pk}/compare/"]
    for round_ in range(2):
        for _ in range(6 * round_):
            more = make_version(VersionState.CANDIDATE)
            give_evidence(more, 0.5)
            image = make_image()
            make_run(image, version, boxes=(("covid", 0.8),))
            read_apart(shadow, image, 0.9)
            Promotion.objects.create(version=more, by_name="x", at=timezone.now())
        for address in addresses:
            with django_assert_max_num_queries(32):
                assert page.get(address).status_code == 200, address


# --- REST


def test_rest_has_each_step(
    page: Client, version: DetectorVersion, candidate: DetectorVersion
) -> None:
    address = f"{API}{candidate.pk}/"
    assert page.get(address).json()["evidence"] == []
    assert page.post(f"{address}shadow/").json()["state"] == "shadow"
    assert page.delete(f"{address}shadow/").json()["state"] == "candidate"
    give_evidence(version, 0.4)
    give_evidence(candidate, 0.8)
    body = page.get(f"{address}compare/?other={version.pk}").json()
    assert (body["version"], body["other"], body["reason_needed"], body["worse"]) == (
        candidate.pk,
        version.pk,
        "",
        [],
    )
    (val, test) = body["sets"]
    assert (val["name"], val["problem"], test["name"]) == ("val", "", "test")
    assert {row["word"] for row in val["figures"]} <= {"better", "worse", "not worse", ""}
    assert page.post(f"{address}promote/").json()["state"] == "active"
    assert page.post(f"{address}retire/").json()["code"] == "bad_transition"
    (change,) = page.get(f"{API}promotions/").json()["results"]
    assert change["chosen_on"] == "val"
    assert change["comparison"]["auc_covid"]["difference"] > 0
    nothing = page.post(f"{address}score/")
    assert (nothing.status_code, nothing.json()["code"]) == (409, "no_signed_films")
    assert page.get(f"{API}999999/compare/").status_code == 404
    assert page.get(f"{address}compare/?other=999999").status_code == 404
    assert page.get(f"{address}compare/?other=x").status_code == 400


def test_without_an_active_version_there_is_nothing_to_compare_with(
    page: Client, admin: User
) -> None:
    only = make_version(VersionState.CANDIDATE)
    answer = page.get(f"{API}{only.pk}/compare/")
    assert (answer.status_code, answer.json()["code"]) == (409, "no_active_version")
    assert page.get(f"/models/{only.pk}/compare/").status_code == 200


# --- rows from before


@pytest.mark.django_db(transaction=True)
def test_rows_from_before_survive_the_migration() -> None:
    image = make_image()
    now = timezone.now()
    MigrationExecutor(connection).migrate([("detection", "0002_append_only")])
    try:
        executor = MigrationExecutor(connection)
        old = executor.loader.project_state([("detection", "0002_append_only")]).apps
        before = old.get_model("detection", "DetectorVersion").objects.create(
            name="before",
            weights_sha256="a" * 64,
            weights_path="x.pth",
            config="light",
            classes=[],
            thresholds={"covid": 0.31},
            state="active",
        )
        old.get_model("detection", "DetectionRun").objects.create(
            image_id=image.pk,
            version=before,
            state="done",
            queued_at=now,
            sent_at=now,
            finished_at=now,
        )
        promotions = old.get_model("detection", "Promotion").objects
        promotions.create(version=before, by_name="x", at=now, reason="the first")
        with pytest.raises(DatabaseError), transaction.atomic():
            promotions.update(reason="another story")
    finally:
        executor = MigrationExecutor(connection)
        executor.migrate(executor.loader.graph.leaf_nodes())
    assert DetectionRun.objects.get().thresholds == {"covid": 0.31}
    assert Promotion.objects.get().reason == "the first"
    for change in ({"reason": "another story"}, {"comparison": {"x": 1}}):
        with pytest.raises(DatabaseError), transaction.atomic():
            Promotion.objects.update(**change)


def test_how_a_version_was_made_in_words():
    lines = training_lines(
        {"data_sha256": "ab", "environment": {"python": "3.11", "right": {"films": 0.83}}, "x": [1]}
    )
    assert lines == [
        ("data sha256", "ab"),
        ("environment", "python 3.11, right films 0.83"),
        ("x", "1"),
    ]
