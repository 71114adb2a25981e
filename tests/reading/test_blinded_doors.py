"""Every address of the house as a blinded reader: nothing in the bytes tells what the model said."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from django.test import Client

from accounts.models import User
from accounts.permissions import Role
from detection.models import DetectionRun, DetectorVersion, Finding, Review
from detection.services.worklist import refresh_items
from imaging.models import Image
from reading.models import ReadingGroup, ReadingGroupMember
from reading.services import first_impressions
from tests.detection import factories
from tests.detection.factories import make_image, make_run
from tests.house import hospital
from tests.house.walking import NO_DECLARATION, doors
from tests.reading.film_doors import around, neighbours, said

pytestmark = pytest.mark.django_db
N = hospital.NUMBER
BOX = {"x": 1731.25, "y": 2843.75, "w": 1957.5, "h": 1369.5}
# of the finding, its box and threshold; of the run's end; of another reader's word on the finding
TELLING = re.compile(
    r"1731|2843|2844|1957|1958|1369|1370|0\.73|0\.74|\.739|0\.31|\.3137|covid|COVID"
    r"|\b1 finding\b|no finding|REASON-CANARY|VERDICT-CANARY",
)
# a reader chooses a class for a box of his own, and narrows lists by classes
CHOICES = re.compile(r"<select.*?</select>|<details class=\"wl-views\">.*?</details>", re.DOTALL)
# what is drawn by chance (CSRF tokens, nonces, hashes, fractions of a second) says anything one day
CHANCE = re.compile(r"\b[A-Za-z0-9_-]{20,}\b|(?<=:\d\d)\.\d{3,6}")
FILM_DOORS = (
    f"/films/{N}/",
    f"/films/{N}/state/",
    f"/patients/{N}/films/",
    "/worklist/?show=all",
    "/worklist/table/?show=all",
    f"/api/v1/images/{N}/",
    f"/api/v1/runs/{N}/",
    f"/api/v1/patients/{N}/timeline/",
    "/api/v1/worklist/?show=all",
)
# the drawn box of another reader stands in the draft
REPORT_DOORS = (
    f"/images/{N}/report/",
    f"/images/{N}/report.pdf",
    f"/api/v1/images/{N}/report/",
    f"/api/v1/images/{N}/report.pdf",
    f"/api/v1/images/{N}/report/draft/",
    f"/api/v1/images/{N}/text-blocks/",
)


@pytest.fixture
def reader(db: None) -> User:
    """A hospital whose one film has unmistakable numbers, and a reader of it."""
    hospital.build()
    for _ in range(9):  # past the UIDs of the hospital's film
        next(factories._numbers)
    Image.objects.filter(pk=N).update(rows=5000, columns=5000)
    DetectorVersion.objects.filter(pk=N).update(
        thresholds={"covid": 0.3137, "pneumonia": 0.3137, "normal": 0.3137}
    )
    # findings and verdicts are only ever added: new ones, on a run of their own
    Finding.objects.create(run_id=N, label="covid", score=0.7391, **BOX)
    finding = Finding.objects.get(run_id=N, score=0.7391)
    other = User.objects.get(pk=N)
    Review.objects.create(
        image_id=N, finding=finding, verdict="reject", reason_code="other",
        reason="VERDICT-CANARY", by=other,
    )  # fmt: skip
    Review.objects.create(image_id=N, verdict="add", label="covid", by=other, **BOX)
    DetectionRun.objects.filter(pk=N).update(reason="REASON-CANARY")
    refresh_items(image_ids=[N])
    return User.objects.create_user("blind", role=Role.CLINICIAN)


@pytest.fixture
def blinded(reader: User) -> User:
    group = ReadingGroup.objects.create(name="blind readers", blinded=True)
    ReadingGroupMember.objects.create(group=group, user=reader)
    return reader


def client_of(user: User) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(user)
    return client


def every_door(near: tuple[Image, Image]) -> Iterator[tuple[str, str]]:
    """Method and address."""
    for door in doors():
        if door.name not in NO_DECLARATION:
            yield door.method, door.path
    for path in (
        *FILM_DOORS,
        *sorted(around(*near)),
        "/worklist/?show=flagged",
        "/worklist/?show=unread",
        "/worklist/?label=covid",
        "/worklist/?ordering=-score",
        "/api/v1/worklist/?label=covid",
        "/label-next/?why=uncertain",
        "/search/?q=CANARY",
        f"/api/v1/images/?patient={N}",
    ):
        yield "get", path


def telling(client: Client, near: tuple[Image, Image]) -> set[str]:
    found = set()
    for method, path in every_door(near):
        answer = CHANCE.sub("", CHOICES.sub("", said(client, path, method)))
        # the address itself may be typed with a class in it, and be repeated by the page
        answer = answer.replace("label=covid", "").replace("label%3Dcovid", "")
        if match := TELLING.search(answer):
            found.add(f"{method} {path}: {match[0]}")
    return found


def test_no_door_tells_a_blinded_reader(blinded: User) -> None:
    client, near = client_of(blinded), neighbours()
    assert telling(client, near) == set()
    _, later = near
    # what the page beside says of the walked film comes from the film, not from an error
    beside = client.get(f"/films/{later.pk}/beside/{N}/").content.decode()
    assert "findings are hidden until your first read" in beside
    assert client.get(f"/films/{N}/").status_code == 200
    for path in FILM_DOORS[:5]:
        assert "hidden until your first read" in client.get(path).content.decode(), path


def test_the_same_walk_with_the_model_shown_hears_it_everywhere(reader: User) -> None:
    near = neighbours()
    heard = {entry.split(": ")[0] for entry in telling(client_of(reader), near)}
    assert {f"get {path}" for path in FILM_DOORS} <= heard
    assert {f"get {path}" for path in REPORT_DOORS} <= heard
    assert f"get /films/{near[1].pk}/beside/{N}/" in heard


def test_after_the_first_impression_the_model_is_shown(blinded: User) -> None:
    client = client_of(blinded)
    json = client.get(f"/api/v1/images/{N}/").json()
    assert (json["model_hidden"], json["runs"], json["findings"], json["added"]) == (
        True,
        [],
        None,
        [],
    )
    first_impressions.commit(image_id=N, user=blinded, conclusion="normal")
    heard = {entry.split(": ")[0] for entry in telling(client, neighbours())}
    assert {f"get {path}" for path in FILM_DOORS} <= heard
    assert client.get(f"/api/v1/images/{N}/").json()["model_hidden"] is False


@pytest.mark.parametrize("state", ["queued", "running", "failed", "refused"])
def test_whether_the_model_has_read_it_is_not_told_either(blinded: User, state: str) -> None:
    version = DetectorVersion.objects.get(pk=N)
    client = client_of(blinded)

    def answers(image: Image) -> list[str]:
        address = f"/films/{image.pk}/"
        pages = [client.get(f"{address}state/"), client.get(f"/api/v1/images/{image.pk}/")]
        rows = client.get("/api/v1/worklist/").json()["results"]
        row = next(row for row in rows if row["image"] == image.pk)
        told = {key: row[key] for key in ("priority", "why", "run", "score", "label", "flagged")}
        said = [CHOICES.sub("", page.content.decode()) for page in (*pages, client.get(address))]
        assert not [s for s in said if "GATE-CANARY" in s]
        return [said[0], str(told)]

    done = make_image()
    make_run(done, version, boxes=(("covid", 0.9),))
    there = make_image()
    fields = {"reason": "GATE-CANARY", "reason_code": "lateral"} if state == "refused" else {}
    make_run(there, version, state, **fields)
    assert answers(there) == answers(done)


def test_orders_filters_and_counts_sort_nothing_out(blinded: User) -> None:
    """Neither a chip, nor a filter, nor a column tells which film the model flagged."""
    version = DetectorVersion.objects.get(pk=N)
    quiet, loud = make_image(), make_image()
    make_run(quiet, version)
    make_run(loud, version, boxes=(("covid", 0.99),))
    client = client_of(blinded)

    def listed(query: str) -> list[int]:
        return [r["image"] for r in client.get(f"/api/v1/worklist/?{query}").json()["results"]]

    assert {quiet.pk, loud.pk} <= set(listed(""))
    for query in ("show=flagged", "show=unread", "show=gate", "show=second_look", "label=covid"):
        assert listed(query) == [], query
    assert listed("ordering=score") == listed("ordering=-score") == listed("ordering=priority")
    assert all(row["priority"] is None for row in client.get("/api/v1/worklist/").json()["results"])
    html = client.get("/worklist/").content.decode()
    counted = re.search(r'flagged <span class="count">(\d+)', html)
    assert counted is not None
    assert counted[1] == "0"
    first_impressions.commit(image_id=loud.pk, user=blinded, conclusion="abnormal")
    assert listed("show=flagged") == [loud.pk]
