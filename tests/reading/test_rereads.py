"""The re-read list of a degraded machine: what is on it, who does what with it, what is told."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from accounts.models import AuditEntry, User
from accounts.permissions import Role
from detection import selectors_rereads as selectors
from detection.models import (
    DetectorVersion,
    ReRead,
    ReReadEvent,
    ReReadList,
    Signature,
    WorklistItem,
)
from detection.services import rereads, sign
from detection.services.reread_work import work_lists
from devices.models import DegradedSpan, Device
from devices.services import degraded
from imaging.models import Image
from patients.models import Patient
from reading.models import Addendum, ReadingGroup, ReadingGroupMember
from reading.services import re_reads
from tests.detection.factories import make_device, make_image, make_run, make_user, make_version
from twinhealth.errors import ConflictError, InvalidInputError, NotFoundError
from twinhealth.web import badges

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


@pytest.fixture
def engineer(db: None) -> User:
    return make_user(Role.ENGINEER, username="eng")


@pytest.fixture
def reader(db: None) -> User:
    return make_user(username="reader")


@pytest.fixture
def version(db: None) -> DetectorVersion:
    return make_version()


@pytest.fixture
def device(db: None) -> Device:
    made = make_device(name="XR-9")
    Device.objects.filter(pk=made.pk).update(registered_at=timezone.now() - 99 * HOUR)
    made.refresh_from_db()
    return made


def film(
    device: Device,
    version: DetectorVersion,
    ago: float,
    *,
    score: float | None = None,
    signed: str = "",
    by: User | None = None,
    patient: Patient | None = None,
) -> Image:
    image = make_image(
        patient, device=device, device_serial=device.serial,
        acquired_at=timezone.now() - ago * HOUR,
    )  # fmt: skip
    make_run(image, version, boxes=(("covid", score),) if score else ())
    if signed:
        sign.sign(image_id=image.pk, user=by or make_user(), conclusion=signed)
    return image


def mark(device: Device, engineer: User, ago: float, until: float | None = None) -> DegradedSpan:
    now = timezone.now()
    return degraded.mark(
        device=device, since=now - ago * HOUR, reason="stripes", actor=engineer,
        until=None if until is None else now - until * HOUR,
    )[0]  # fmt: skip


@pytest.fixture
def filled(device: Device, version: DetectorVersion, engineer: User, reader: User) -> ReReadList:
    """Three signed films to re-read: two negatives, one of them flagged, and one abnormal."""
    film(device, version, 30, signed="normal")  # before
    film(device, version, 5, signed="normal")
    film(device, version, 4, score=0.9, signed="normal")
    film(device, version, 3, signed="abnormal")
    film(device, version, 2, signed="not_readable")  # nothing is at stake
    film(device, version, 1, score=0.8)  # in the worklist anyway
    film(make_device(), version, 2, signed="normal")  # another machine
    mark(device, engineer, 10)
    assert not work_lists(seconds=60)
    return ReReadList.objects.get()


def whys(found: ReReadList) -> list[str]:
    return [item.why for item in found.items.order_by("exposed_at")]


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_signed_films_with_a_finding_or_a_negative_are_listed_once(filled: ReReadList) -> None:
    assert whys(filled) == ["negative", "negative", "finding"]
    assert filled.filled_at is not None
    work_lists(seconds=60)
    assert ReRead.objects.count() == 3
    twin = ReRead.objects.first()
    assert twin is not None
    twin.pk = None
    with pytest.raises(IntegrityError), transaction.atomic():
        twin.save(force_insert=True)
    assert selectors.unsigned(filled.span) == 1


def test_films_signed_later_are_added_while_it_lasts(
    filled: ReReadList, device: Device, version: DetectorVersion
) -> None:
    film(device, version, 0, score=0.9, signed="abnormal")
    work_lists(seconds=60)
    assert ReRead.objects.count() == 4


def test_an_end_takes_off_what_lies_behind_it_and_a_withdrawal_closes_the_list(
    filled: ReReadList, engineer: User, reader: User
) -> None:
    last = ReRead.objects.order_by("exposed_at").last()
    assert last is not None
    until = timezone.now() - 3.5 * HOUR
    degraded.end(span=filled.span, reason="repaired", actor=engineer, until=until)
    work_lists(seconds=60)
    last.refresh_from_db()
    assert last.state == "dropped"
    assert last.events.get().verb == "dropped"
    assert selectors.progress([filled])[filled.pk].total == 2
    with pytest.raises(ConflictError) as caught:
        rereads.finish(list_id=filled.pk, item_ids=[last.pk], result="unchanged", user=reader)
    assert caught.value.code == "re_read_dropped"
    assert badges.badge("reading:re-reads", reader).number == 2  # type: ignore[union-attr]
    degraded.withdraw(span=filled.span, reason="wrong machine", actor=engineer)
    assert badges.badge("reading:re-reads", reader) is None
    first = ReRead.objects.order_by("exposed_at")[0]
    with pytest.raises(ConflictError) as caught:
        rereads.finish(list_id=filled.pk, item_ids=[first.pk], result="unchanged", user=reader)
    assert caught.value.code == "degraded_withdrawn"


def test_working_it_off(filled: ReReadList, reader: User) -> None:
    first, second, third = filled.items.order_by("exposed_at")
    other = make_user(username="second")
    rereads.assign(list_id=filled.pk, item_ids=[first.pk, second.pk], assignee=other, user=reader)
    assert badges.badge("reading:re-reads", reader).number == 1  # type: ignore[union-attr]
    assert [i.pk for i in selectors.items(filled, user=other, show="mine")] == [first.pk, second.pk]
    re_reads.record(item_id=first.pk, user=other, result="unchanged")
    re_reads.record(item_id=second.pk, user=other, result="changed", text="A nodule on the left.")
    addendum = Addendum.objects.get()
    assert (addendum.signature.image_id, addendum.text) == (
        second.image_id,
        "A nodule on the left.",
    )
    assert Signature.objects.get(image=second.image_id).conclusion == "normal"  # as it was
    rereads.finish(
        list_id=filled.pk, item_ids=[third.pk], result="not_re_read", note="CT since", user=reader
    )
    assert selectors.progress([filled])[filled.pk].text == (
        "2 of 3 re-read, 1 changed, 1 done without"
    )
    rereads.reopen(item_id=first.pk, user=reader, reason="wrong film")
    first.refresh_from_db()
    assert (first.state, first.result, first.assigned_to) == ("assigned", "", other)
    verbs = list(first.events.values_list("verb", flat=True))
    assert verbs == ["assigned", "unchanged", "reopened"]
    assert AuditEntry.objects.filter(verb="re_read").count() == 3
    with pytest.raises(Exception, match="only"), transaction.atomic():
        ReReadEvent.objects.update(text="nothing")


def test_of_two_who_press_at_once_one_is_told(filled: ReReadList, reader: User) -> None:
    item = filled.items.first()
    assert item is not None
    re_reads.record(item_id=item.pk, user=reader, result="changed", text="Worse.")
    with pytest.raises(ConflictError) as caught:
        re_reads.record(item_id=item.pk, user=make_user(), result="changed", text="Worse!")
    assert caught.value.code == "re_read_done"
    assert caught.value.extra["by"] == str(reader)
    assert Addendum.objects.count() == 1


@pytest.mark.parametrize(
    ("result", "note", "count", "code"),
    [
        ("changed", " ", 1, "note_missing"),
        ("not_re_read", "", 1, "note_missing"),
        ("unchanged", "x" * 1001, 1, "note_too_long"),
        ("perhaps", "", 1, "bad_result"),
        ("changed", "x", 2, "one_by_one"),
        ("unchanged", "", 0, "nothing_chosen"),
    ],
)
def test_what_is_refused(
    filled: ReReadList, reader: User, result: str, note: str, count: int, code: str
) -> None:
    keys = list(filled.items.values_list("pk", flat=True))[:count]
    with pytest.raises(InvalidInputError) as caught:
        rereads.finish(list_id=filled.pk, item_ids=keys, result=result, note=note, user=reader)
    assert caught.value.code == code
    assert not ReReadEvent.objects.exists()


def test_a_film_of_another_list_and_an_engineer_as_reader(
    filled: ReReadList, reader: User, engineer: User
) -> None:
    keys = list(filled.items.values_list("pk", flat=True))
    with pytest.raises(NotFoundError):
        rereads.assign(list_id=filled.pk + 1, item_ids=keys, assignee=reader, user=reader)
    with pytest.raises(InvalidInputError) as caught:
        rereads.assign(list_id=filled.pk, item_ids=keys, assignee=engineer, user=reader)
    assert caught.value.code == "not_a_reader"


def test_the_page_works_the_list_off(filled: ReReadList, reader: User) -> None:
    client, address = client_of(reader), f"/re-reads/{filled.pk}/"
    html = client.get(address).content.decode()
    assert "0 of 3 re-read, 0 changed" in html
    assert "1 film of this machine not signed yet" in html
    keys = [str(pk) for pk in filled.items.order_by("exposed_at").values_list("pk", flat=True)]
    answer = client.post(
        f"{address}assign/?why=negative", {"scope": "all", "assignee": reader.pk, "items": []}
    )
    assert answer["Location"] == f"{address}?why=negative"
    assert ReRead.objects.filter(assigned_to=reader).count() == 2
    client.post(f"{address}done/", {"scope": "ticked", "items": keys[:1], "result": "unchanged"})
    answer = client.post(f"/re-reads/items/{keys[1]}/record/", {"result": "changed", "text": ""})
    assert answer.status_code == 400
    assert "Say what changed." in answer.content.decode()
    answer = client.post(
        f"/re-reads/items/{keys[1]}/record/",
        {"result": "changed", "text": "Worse.", "then": "next"},
    )
    assert answer["Location"] == f"/re-reads/items/{keys[2]}/"
    assert "2 of 3 re-read, 1 changed" in client.get(address).content.decode()
    assert (
        "Worse."
        in client.get(f"/films/{ReRead.objects.get(pk=keys[1]).image_id}/").content.decode()
    )
    client.post(f"/re-reads/items/{keys[0]}/reopen/", {"reason": "wrong one"})
    assert ReRead.objects.get(pk=keys[0]).state == "assigned"
    shown = client.get(f"{address}?show=changed&ordering=-exposed").content.decode()
    assert f"/re-reads/items/{keys[1]}/" in shown
    assert f"/re-reads/items/{keys[2]}/" not in shown
    assert client.get(f"{address}?show=nonsense").status_code == 400


def test_the_film_says_that_trust_changed_after_signing(filled: ReReadList, reader: User) -> None:
    work_lists(seconds=60, now=timezone.now() + timedelta(minutes=1))
    item = filled.items.first()
    assert item is not None
    html = client_of(reader).get(f"/films/{item.image_id}/").content.decode()
    assert "Trust in the machine changed after this was signed" in html
    assert f"/re-reads/items/{item.pk}/" in html
    json = client_of(reader).get(f"/api/v1/images/{item.image_id}/").json()
    assert json["device_trust"] == "reduced"
    (told,) = json["trust_history"]
    assert (told["level"], told["because"], told["after_signing"]) == ("reduced", "degraded", True)
    assert "was marked as degraded since" in told["text"]


def test_rest_works_the_list_off(filled: ReReadList, reader: User) -> None:
    client = client_of(reader)
    (row,) = client.get("/api/v1/re-read-lists/").json()["results"]
    assert (row["progress"]["total"], row["span"]["reason"]) == (3, "stripes")
    films = client.get(f"/api/v1/re-read-lists/{filled.pk}/?why=finding").json()["results"]
    assert [f["conclusion"] for f in films] == ["abnormal"]
    pk = films[0]["id"]

    def post(path: str, **body: Any) -> Any:
        return client.post(f"/api/v1/{path}", body, content_type="application/json")

    answer = post(f"re-read-lists/{filled.pk}/assign/", items=[pk], assignee="reader")
    assert answer.json() == {"changed": 1, "skipped": 0}
    answer = post(f"re-reads/{pk}/record/", result="changed", text="Worse.")
    assert [e["verb"] for e in answer.json()["events"]] == ["assigned", "changed"]
    answer = post(f"re-reads/{pk}/record/", result="unchanged")
    assert (answer.status_code, answer.json()["code"]) == (409, "re_read_done")
    assert post(f"re-reads/{pk}/reopen/", reason="wrong").json()["state"] == "assigned"
    answer = post(f"re-read-lists/{filled.pk}/done/", items=[pk], result="changed", note="x")
    assert answer.json()["code"] == "one_by_one"
    answer = post(f"re-read-lists/{filled.pk}/done/", items=[pk], result="unchanged")
    assert answer.json() == {"changed": 1, "skipped": 0}
    assert client.get(f"/api/v1/re-reads/{pk}/").json()["result"] == "unchanged"


def test_what_came_from_the_machine_since(
    filled: ReReadList, device: Device, reader: User, engineer: User
) -> None:
    path = f"/api/v1/devices/{device.pk}/re-read-list/"
    found = client_of(reader).get(path).json()["results"]
    assert [(f["why"], f["signed"], f["state"]) for f in found] == [
        ("negative", True, "open"),
        ("negative", True, "open"),
        ("finding", True, "open"),
        ("finding", False, ""),
    ]
    assert found[1]["score"] == 0.9
    since = (timezone.now() - 40 * HOUR).isoformat()
    assert client_of(reader).get(path, {"since": since}).json()["count"] == 5
    for row in client_of(engineer).get(path).json()["results"]:
        assert {row[k] for k in ("patient", "conclusion", "label", "score")} == {None}
    other = f"/api/v1/devices/{make_device().pk}/re-read-list/"
    assert client_of(reader).get(other).json()["code"] == "since_missing"
    assert client_of(reader).get(path, {"since": "1969"}).status_code == 400


def test_a_blinded_reader_learns_nothing_of_an_unsigned_film(
    filled: ReReadList, device: Device, reader: User
) -> None:
    group = ReadingGroup.objects.create(name="blind", blinded=True)
    ReadingGroupMember.objects.create(group=group, user=reader)
    found = client_of(reader).get(f"/api/v1/devices/{device.pk}/re-read-list/").json()["results"]
    assert [f["signed"] for f in found] == [True, True, True]


def test_the_csv_has_patients_for_readers_alone_and_no_formula(
    device: Device, version: DetectorVersion, engineer: User, reader: User
) -> None:
    patient = Patient.objects.create(identifier="=1+1", name="<b>Hostile^Name")
    film(device, version, 2, signed="normal", patient=patient)
    mark(device, engineer, 10)
    work_lists(seconds=60)
    path = f"/re-reads/{ReReadList.objects.get().pk}/export.csv"

    def lines(user: User) -> list[dict[str, str]]:
        answer = client_of(user).get(path)
        assert answer["Content-Type"].startswith("text/csv")
        text = answer.getvalue().decode("utf-8-sig")  # type: ignore[attr-defined]
        return list(csv.DictReader(io.StringIO(text)))

    (row,) = lines(reader)
    assert (row["patient_id"], row["patient_name"]) == ("'=1+1", "<b>Hostile^Name")
    (row,) = lines(engineer)
    assert "patient_id" not in row
    assert row["listed_because"] == "signed as normal"
    html = client_of(reader).get(path.removesuffix("export.csv")).content.decode()
    assert "<b>Hostile" not in html
    assert AuditEntry.objects.filter(verb="exported").count() == 2


def test_queries_do_not_grow_with_the_list(
    filled: ReReadList, device: Device, version: DetectorVersion, reader: User,
    django_assert_max_num_queries: Any,
) -> None:  # fmt: skip
    for n in range(12):
        film(device, version, 1 + n / 10, signed="normal")
    work_lists(seconds=60)
    client = client_of(reader)
    with django_assert_max_num_queries(14):
        client.get(f"/re-reads/{filled.pk}/")
    with django_assert_max_num_queries(10):
        client.get("/re-reads/")


def test_marking_on_the_machines_page(
    device: Device, version: DetectorVersion, engineer: User, reader: User
) -> None:
    film(device, version, 3, score=0.9, signed="normal")
    client, address = client_of(engineer), f"/devices/{device.pk}/degraded/"
    since = timezone.localtime(timezone.now() - 5 * HOUR).strftime("%Y-%m-%dT%H:%M:%S")
    preview = client.get(f"{address}preview/", {"since": since}).content.decode()
    assert "1 film</strong> of this machine: 1 signed" in preview
    assert "ISO 8601" in client.get(f"{address}preview/?since=junk").content.decode()
    bad = client.post(f"{address}mark/", {"since": "junk", "reason": "stripes"})
    assert bad.status_code == 400
    client.post(f"{address}mark/", {"since": since, "reason": "<i>stripes</i>"})
    client.post(f"{address}mark/", {"since": since, "reason": "<i>stripes</i>"})  # pressed twice
    span = DegradedSpan.objects.get()
    earlier = timezone.localtime(timezone.now() - 9 * HOUR).strftime("%Y-%m-%dT%H:%M:%S")
    clash = client.post(f"{address}mark/", {"since": earlier, "reason": "earlier"})
    assert clash.status_code == 409
    html = clash.content.decode()
    assert "mark the time before it with that moment as its end" in html
    assert f'value="{since}"' in html  # the end is filled in
    page = client.get(f"/devices/{device.pk}/").content.decode()
    assert "Marked as degraded since" in page
    assert "<i>stripes" not in page
    assert "&lt;i&gt;stripes" in client_of(reader).get(f"/devices/{device.pk}/").content.decode()
    client.post(f"{address}{span.pk}/end/", {"reason": "replaced", "until": ""})
    client.post(f"{address}{span.pk}/withdraw/", {"reason": "mistake"})
    html = client.get(address).content.decode()
    assert "replaced" in html
    assert "mistake" in html
    assert "Mark as degraded" not in client_of(reader).get(address).content.decode()


def test_marks_by_rest(device: Device, engineer: User) -> None:
    client, path = client_of(engineer), f"/api/v1/devices/{device.pk}/degraded/"

    def post(path: str, **body: Any) -> Any:
        return client.post(path, body, content_type="application/json")

    since = (timezone.now() - 5 * HOUR).isoformat()
    made = post(path, since=since, reason="stripes")
    assert made.status_code == 201
    assert post(path, since=since, reason="stripes").status_code == 200
    clash = post(path, since=since, reason="other")
    assert (clash.status_code, clash.json()["code"]) == (409, "degraded_overlap")
    for wrong, code in (
        ("2100-01-01T00:00:00Z", "in_future"),
        ("1970-01-02T00:00:00Z", "before_known"),
    ):
        assert post(path, since=wrong, reason="x").json()["code"] == code
    assert post(path, since=since, reason=" ").json()["code"] == "reason_missing"
    assert post(path, since=since, reason="x", alert=99).json()["code"] == "no_such_alert"
    step = f"{path}{made.json()['id']}/"
    assert post(f"{step}end/", reason="replaced").json()["until"] is not None
    assert post(f"{step}end/", reason="replaced").json()["code"] == "degraded_ended"
    assert post(f"{step}withdraw/", reason="mistake").json()["withdrawn_by"] == "eng"
    assert post(f"{path}99/end/", reason="x").status_code == 404
    assert client.get(path).json()["count"] == 1


def test_an_alert_fills_the_form(device: Device, engineer: User) -> None:
    from devices.models import Alert, Metric, Rule

    metric = Metric.objects.create(device_model=device.model, key="noise", label="n", unit="1")
    rule = Rule.objects.create(metric=metric, name="noise rule", severity="act", high=1.0)
    now = timezone.now()
    alert = Alert.objects.create(
        device=device, rule=rule, severity="act", message="noise is 9", since=now - HOUR,
        opened_at=now, last_seen_at=now, value=9,
    )  # fmt: skip
    client = client_of(engineer)
    address = f"/devices/{device.pk}/degraded/?alert={alert.pk}"
    assert address in client.get(f"/alerts/{alert.pk}/").content.decode()
    html = client.get(address).content.decode()
    assert 'value="noise rule: noise is 9"' in html
    assert timezone.localtime(alert.since).strftime("%Y-%m-%dT%H:%M:%S") in html
    assert WorklistItem.objects.count() == 0
