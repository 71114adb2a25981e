"""First impressions of blinded readers: rules, races, pages, REST; and reading groups."""

from __future__ import annotations

from functools import partial

import pytest
from django.db import DatabaseError, transaction
from django.test import Client

from accounts.models import AuditEntry, User
from accounts.permissions import Role
from detection.models import DetectorVersion, Finding, Review, Signature
from detection.services import claims, reviews, sign
from imaging.models import Image
from reading.models import FirstImpression, ReadingGroup, ReadingGroupMember
from reading.services import first_impressions, groups
from tests.detection.factories import make_image, make_run, make_user
from tests.detection.test_races import hammer
from twinhealth.errors import ConflictError, DomainError, NotFoundError

pytestmark = pytest.mark.django_db
JSON = "application/json"
HTMX = {"HTTP_HX_REQUEST": "true"}
BOX = {"x": 10, "y": 20, "w": 30, "h": 40}


@pytest.fixture
def group(reader: User) -> ReadingGroup:
    made = ReadingGroup.objects.create(name="blind readers", blinded=True)
    ReadingGroupMember.objects.create(group=made, user=reader)
    return made


@pytest.fixture
def film(group: ReadingGroup, version: DetectorVersion) -> Image:
    image = make_image()
    make_run(image, version, boxes=(("covid", 0.9),))
    return image


def as_user(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def code_of(act: object) -> str:
    with pytest.raises(DomainError) as caught:
        act()  # type: ignore[operator]
    return caught.value.code


def test_no_door_signs_before_the_first_impression(film: Image, reader: User) -> None:
    client = as_user(reader)
    said = {"conclusion": "normal", "text": "typed before the group was blinded"}
    rest = client.post(f"/api/v1/images/{film.pk}/sign/", said, content_type=JSON)
    assert (rest.status_code, rest.json()["code"]) == (409, "first_impression_missing")
    page = client.post(f"/films/{film.pk}/sign/", said, **HTMX)
    assert page.status_code == 409
    assert "typed before the group was blinded" in page.content.decode()  # nothing is lost
    assert "Commit first impression" in page.content.decode()
    assert client.post(f"/films/{film.pk}/sign/", said).status_code == 409
    assert not Signature.objects.exists()
    first_impressions.commit(image_id=film.pk, user=reader, conclusion="normal")
    assert client.post(f"/films/{film.pk}/sign/", said).status_code == 302


def test_verdicts_runs_and_retries_wait_too(film: Image, reader: User) -> None:
    client, finding = as_user(reader), Finding.objects.get()
    run = finding.run
    accept = {"verdict": "accept"}
    page = client.post(f"/films/{film.pk}/findings/{finding.pk}/verdict/", accept, **HTMX)
    none = client.post(f"/films/{film.pk}/findings/{10**9}/verdict/", accept, **HTMX)
    assert (page.status_code, none.status_code) == (409, 409)  # there or not: the same answer
    for pk in (finding.pk, 10**9):
        rest = client.post(f"/api/v1/findings/{pk}/reviews/", accept, content_type=JSON)
        assert (rest.status_code, rest.json()["code"]) == (404, "no_such_finding")
    for path in (f"/api/v1/runs/{run.pk}/retry/", f"/api/v1/runs/{run.pk}/read-anyway/"):
        assert client.post(path).json()["code"] == "first_impression_missing"
    assert client.post(f"/films/{film.pk}/read-anyway/", **HTMX).status_code == 409
    assert not Review.objects.exists()


def test_boxes_drawn_before_are_kept_and_marked(film: Image, reader: User) -> None:
    client = as_user(reader)
    drawn = {"verdict": "add", "label": "pneumonia", **BOX}
    panel = client.post(f"/films/{film.pk}/findings/add/", drawn, **HTMX).content.decode()
    assert 'data-label="pneumonia"' in panel
    assert "covid" not in panel
    said = {"conclusion": "abnormal", "text": "<b>right base</b>"}
    done = client.post(f"/films/{film.pk}/first-impression/", said, **HTMX)
    assert done["HX-Redirect"] == f"/films/{film.pk}/"
    review = Review.objects.get()
    made = FirstImpression.objects.get()
    assert made.boxes == [
        {"review": review.pk, "label": "pneumonia", "box": [10.0, 20.0, 30.0, 40.0]}
    ]
    later = reviews.record(
        image_id=film.pk, user=reader, verdict="add", label="covid", box=[1, 2, 30, 40]
    )
    html = client.get(f"/films/{film.pk}/").content.decode()
    assert html.count("drawn blind") == 1
    assert f'data-key="r{later.pk}"' in html
    assert "&lt;b&gt;right base" in html
    assert '<input type="radio" name="conclusion" value="abnormal" required checked>' in html
    reviews.withdraw(review_id=review.pk, user=reader)
    made.refresh_from_db()
    assert len(made.boxes) == 1  # the snapshot stays


def test_both_words_are_kept_and_shown(film: Image, reader: User, other: User) -> None:
    client = as_user(reader)
    client.get(f"/films/{film.pk}/")
    said = {"conclusion": "normal", "text": "clear"}
    address = f"/api/v1/images/{film.pk}/first-impressions/"
    made = client.post(address, said, content_type=JSON)
    assert (made.status_code, made.json()["seen_before"]) == (201, False)
    assert client.post(address, said, content_type=JSON).status_code == 200
    other_word = client.post(address, {"conclusion": "abnormal"}, content_type=JSON)
    assert (other_word.status_code, other_word.json()["code"]) == (409, "first_impression_exists")
    # until the signature nobody else reads it
    assert as_user(other).get(address).json() == []
    assert [row["conclusion"] for row in client.get(address).json()] == ["normal"]
    sign.sign(image_id=film.pk, user=reader, conclusion="abnormal")
    assert [row["conclusion"] for row in as_user(other).get(address).json()] == ["normal"]
    for who in (client, as_user(other)):
        html = " ".join(who.get(f"/films/{film.pk}/").content.decode().split())
        assert "First impression before the model was shown: <strong>normal</strong>" in html
        assert "changed to <strong>abnormal</strong>" in html
    entry = AuditEntry.objects.get(verb="committed_first_impression")
    assert entry.patient_ref == film.series.study.patient_id
    assert "clear" not in str(entry.detail)


def test_what_can_not_be_committed(film: Image, reader: User, other: User) -> None:
    def give(user: User = reader, image_id: int = film.pk, **said: str) -> object:
        said = {"conclusion": "normal", **said}
        return partial(first_impressions.commit, image_id=image_id, user=user, **said)

    assert code_of(give(conclusion="maybe")) == "bad_conclusion"
    assert code_of(give(text="x" * 4001)) == "text_too_long"
    assert code_of(give(user=other)) == "not_blinded"
    assert code_of(give(image_id=10**9)) == "no_such_image"
    claims.claim(image_id=film.pk, user=other)
    assert code_of(give()) == "claimed"
    sign.sign(image_id=film.pk, user=other, conclusion="normal")
    assert code_of(give()) == "signed"
    assert not FirstImpression.objects.exists()
    empty = as_user(reader).post(f"/films/{film.pk}/first-impression/", {"text": "x"}, **HTMX)
    assert empty.status_code == 400


def test_no_row_of_it_can_be_changed_or_deleted(film: Image, reader: User) -> None:
    first_impressions.commit(image_id=film.pk, user=reader, conclusion="normal")
    rows = FirstImpression.objects.all()
    with pytest.raises(DatabaseError), transaction.atomic():
        rows.update(conclusion="abnormal")
    with pytest.raises(DatabaseError), transaction.atomic():
        rows.delete()


def test_a_group_that_changes_in_the_middle_loses_nothing(
    film: Image, group: ReadingGroup, reader: User, version: DetectorVersion
) -> None:
    client = as_user(reader)
    client.get(f"/films/{film.pk}/")  # blind
    ReadingGroup.objects.update(blinded=False)
    done = first_impressions.commit(image_id=film.pk, user=reader, conclusion="normal")
    assert not done.impression.seen_before
    # the other way: the film was open with the model on it, and a verdict stands
    second = make_image()
    finding = make_run(second, version, boxes=(("covid", 0.9),)).findings.get()
    client.get(f"/films/{second.pk}/")
    reviews.record(finding_id=finding.pk, user=reader, verdict="accept")
    ReadingGroup.objects.update(blinded=True)
    assert "accepted" not in client.get(f"/films/{second.pk}/").content.decode()
    client.post(f"/films/{second.pk}/undo/")  # takes back nothing that isn't shown
    assert Review.objects.get().withdrawn_at is None
    late = first_impressions.commit(image_id=second.pk, user=reader, conclusion="abnormal")
    assert late.impression.seen_before
    html = client.get(f"/films/{second.pk}/").content.decode()
    assert "accepted" in html
    assert "had been shown to this reader earlier" in html


@pytest.mark.django_db(transaction=True)
def test_two_commits_at_once_give_one_row() -> None:
    reader = make_user(username="anna")
    group = ReadingGroup.objects.create(name="blind", blinded=True)
    ReadingGroupMember.objects.create(group=group, user=reader)
    for _ in range(5):
        image = make_image()
        acts = [
            partial(first_impressions.commit, image_id=image.pk, user=reader, conclusion=said)
            for said in ["normal", "abnormal"] * 3
        ]
        assert hammer(acts) == {"ok": 3, "first_impression_exists": 3}
        assert FirstImpression.objects.filter(image=image).count() == 1


# --- groups


def test_an_admin_keeps_groups_and_a_reader_is_in_one(reader: User, other: User) -> None:
    admin = as_user(make_user(Role.ADMIN))
    made = {"name": " <b>Thorax</b> ", "people": "READER\n\nother", "blinded": "on"}
    assert admin.post("/reading-groups/", made).status_code == 302
    group = ReadingGroup.objects.get()
    assert (group.name, group.blinded) == ("<b>Thorax</b>", True)
    assert {row.user for row in group.rows.all()} == {reader, other}
    html = admin.get("/reading-groups/").content.decode()
    assert "&lt;b&gt;Thorax" in html
    for sent, status, words in (
        ({"name": "B", "people": "reader"}, 409, "is in &lt;b&gt;Thorax&lt;/b&gt; already"),
        ({"name": "<b>Thorax</b>", "people": ""}, 409, "There is a group of this name"),
        ({"name": "B", "people": "nobody"}, 400, "nobody is nobody who may read films"),
        ({"name": " ", "people": ""}, 400, "This field is required"),
        ({"name": "B", "people": "", "group": "123456"}, 404, "There is no such group"),
        ({"name": "B", "people": "", "group": "%s{}"}, 400, "Enter a whole number"),
    ):
        answer = admin.post("/reading-groups/", sent)
        assert answer.status_code == status, sent
        assert words in answer.content.decode()
    assert ReadingGroup.objects.count() == 1
    changed = {"group": group.pk, "name": "Chest", "people": "other"}
    assert admin.post("/reading-groups/", changed).status_code == 302
    group.refresh_from_db()
    assert (group.name, group.blinded) == ("Chest", False)
    entry = AuditEntry.objects.filter(verb="changed_reading_group").first()
    assert entry is not None
    assert (entry.detail["blinded"], entry.detail["left"]) == (False, [reader.pk])


def test_groups_by_rest_for_admins_only(reader: User) -> None:
    admin = as_user(make_user(Role.ADMIN))
    body = {"name": "Thorax", "blinded": True, "members": ["reader"]}
    made = admin.post("/api/v1/reading-groups/", body, content_type=JSON)
    assert made.status_code == 201
    address = f"/api/v1/reading-groups/{made.json()['id']}/"
    off = admin.put(address, body | {"blinded": False}, content_type=JSON)
    assert off.json() == made.json() | {"blinded": False}
    assert [g["members"] for g in admin.get("/api/v1/reading-groups/").json()["results"]] == [
        ["reader"]
    ]
    taken = admin.post("/api/v1/reading-groups/", body | {"name": "B"}, content_type=JSON)
    assert (taken.status_code, taken.json()["code"]) == (409, "in_another_group")
    for role in (Role.CLINICIAN, Role.ENGINEER):
        client = as_user(make_user(role))
        assert client.get("/api/v1/reading-groups/").status_code == 403
        assert client.get("/reading-groups/").status_code == 403


def test_an_engineer_has_no_first_impression(film: Image) -> None:
    for role in (Role.ENGINEER, Role.ADMIN):
        client = as_user(make_user(role))
        said = {"conclusion": "normal"}
        assert client.post(f"/films/{film.pk}/first-impression/", said).status_code == 403
        address = f"/api/v1/images/{film.pk}/first-impressions/"
        assert client.post(address, said, content_type=JSON).status_code == 403


def test_unknown_groups_and_names(reader: User) -> None:
    admin = make_user(Role.ADMIN)
    keep = partial(groups.save, user=admin, members=[], blinded=False)
    with pytest.raises(NotFoundError):
        keep(name="x", group_id=10**9)
    assert code_of(partial(keep, name=" \n")) == "name_required"
    assert code_of(partial(keep, name="x" * 65)) == "name_too_long"
    keep(name="x")
    with pytest.raises(ConflictError):
        keep(name="x")
