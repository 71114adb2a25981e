"""Pictures and lists over REST."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from PIL import Image as Picture
from rest_framework.test import APIRequestFactory, force_authenticate

from accounts.models import AuditEntry
from imaging import pixels
from imaging.api import ImageListView
from imaging.frame import Window
from imaging.grayscale import render8
from imaging.serializers import IngestResultSerializer
from twinhealth.errors import UnavailableError

from .factories import make_dicom, make_pixels
from .test_grayscale_chain import lut_item

pytestmark = pytest.mark.django_db


def address(image, what: str) -> str:
    return f"/api/v1/images/{image.pk}/{what}"


@pytest.fixture
def reader(client, clinician):
    client.force_login(clinician)
    return client


@pytest.fixture
def image(send):
    return send(make_dicom(rows=60, columns=40, WindowCenter="2048", WindowWidth="4096")).image


def png(answer) -> np.ndarray:
    return np.asarray(Picture.open(io.BytesIO(answer.content)))


def test_the_8_bit_view(reader, image):
    answer = reader.get(address(image, "rendered.png"))
    assert (answer.status_code, answer["Content-Type"]) == (200, "image/png")
    assert np.array_equal(png(answer), render8(pixels.load(image)))
    assert answer["Cache-Control"] == "private, no-cache"
    entry = AuditEntry.objects.get(verb="viewed")
    assert (entry.object_id, entry.patient_ref) == (
        str(image.pk),
        image.series.study.patient_id,
    )


@pytest.mark.parametrize(
    ("query", "window", "invert"),
    [
        ("center=1000&width=500", Window(1000, 500), False),
        ("center=1000&width=500&function=sigmoid", Window(1000, 500, "SIGMOID"), False),
        ("center=1000&width=0.5&function=LINEAR_EXACT", Window(1000, 0.5, "LINEAR_EXACT"), False),
        ("invert=1", None, True),
        ("invert=true&center=1000&width=500", Window(1000, 500), True),
        ("invert=false", None, False),
    ],
)
def test_the_view_as_asked_for(reader, image, query, window, invert):
    answer = reader.get(address(image, f"rendered.png?{query}"))
    assert np.array_equal(png(answer), render8(pixels.load(image), window=window, invert=invert))


@pytest.mark.parametrize(("size", "shape"), [(30, (30, 20)), (16, (16, 11)), (4096, (60, 40))])
def test_smaller_views(reader, image, size, shape):
    assert png(reader.get(address(image, f"rendered.png?size={size}"))).shape == shape


@pytest.mark.parametrize(
    "query",
    [
        "center=1",
        "width=1",
        "center=x&width=1",
        "center=nan&width=10",
        "center=1&width=inf",
        "center=1&width=0",
        "center=1&width=10&function=CUBIC",
        "invert=perhaps",
        "size=15",
        "size=4097",
        "size=big",
    ],
)
def test_a_view_that_makes_no_sense(reader, image, query):
    answer = reader.get(address(image, f"rendered.png?{query}"))
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_view")


def test_the_browser_keeps_what_did_not_change(reader, image):
    first = reader.get(address(image, "rendered.png?size=32"))
    count = AuditEntry.objects.count()
    again = reader.get(
        address(image, "rendered.png?size=32"), headers={"If-None-Match": first["ETag"]}
    )
    assert (again.status_code, again.content) == (304, b"")
    assert AuditEntry.objects.count() == count
    other = reader.get(
        address(image, "rendered.png?size=33"), headers={"If-None-Match": first["ETag"]}
    )
    assert other.status_code == 200
    raw = reader.get(address(image, "pixels/"))
    assert raw["ETag"] == f'"{image.sha256}"'
    again = reader.get(address(image, "pixels/"), headers={"If-None-Match": raw["ETag"]})
    assert again.status_code == 304


@pytest.mark.parametrize("accept", ["image/png", "image/avif,image/webp", "*/*", "nonsense"])
def test_any_accept_header_gets_the_picture(reader, image, accept):
    answer = reader.get(address(image, "rendered.png"), headers={"Accept": accept})
    assert answer["Content-Type"] == "image/png"


@pytest.mark.parametrize(("bits", "signed"), [(8, False), (12, False), (16, False), (12, True)])
def test_the_stored_values(reader, send, bits, signed):
    stored = make_pixels(bits=bits, signed=signed, rows=300, columns=41)
    image = send(
        make_dicom(
            pixels=stored,
            bits=bits,
            photometric="MONOCHROME1",
            RescaleSlope="2",
            RescaleIntercept="-1",
            WindowCenter=["10", "20"],
            WindowWidth=["30", "40"],
            PixelPaddingValue=3,
        )
    ).image
    answer = reader.get(address(image, "pixels/"))
    body = b"".join(answer.streaming_content)
    values = np.frombuffer(body, "<i2" if signed else "<u2").reshape(300, 41)
    assert np.array_equal(values, stored)
    assert answer["Content-Length"] == str(len(body))
    assert "Content-Encoding" not in answer
    assert json.loads(answer["X-Film"]) == {
        "rows": 300,
        "columns": 41,
        "bits_stored": bits,
        "signed": signed,
        "photometric": "MONOCHROME1",
        "slope": 2.0,
        "intercept": -1.0,
        "padding": [3, 3],
        "windows": [
            {"center": 10.0, "width": 30.0, "function": "LINEAR", "name": ""},
            {"center": 20.0, "width": 40.0, "function": "LINEAR", "name": ""},
        ],
        "inverse": True,
        "spacing": None,
        "tables": False,
    }
    assert (answer["X-Rows"], answer["X-Columns"]) == ("300", "41")
    assert (answer["X-Bits-Stored"], answer["X-Photometric"]) == (str(bits), "MONOCHROME1")
    assert (answer["X-Slope"], answer["X-Intercept"]) == ("2.0", "-1.0")
    assert json.loads(answer["X-Windows"])[0]["center"] == 10.0
    assert AuditEntry.objects.filter(verb="viewed").count() == 1


def test_a_film_without_a_window_gets_the_servers(reader, send):
    image = send().image
    facts = json.loads(reader.get(address(image, "pixels/"))["X-Film"])
    assert [w["function"] for w in facts["windows"]] == ["LINEAR_EXACT"]


def test_the_tables_of_a_film(reader, send):
    item = lut_item([0, 4000, 65535], first=1000, name="CHEST")
    image = send(make_dicom(VOILUTSequence=[item], PixelSpacing=["0.2", "0.1"])).image
    facts = json.loads(reader.get(address(image, "pixels/"))["X-Film"])
    assert facts["tables"] is True
    assert facts["spacing"]["kind"] == "unspecified"
    answer = reader.get(address(image, "tables/"))
    assert answer.json() == {
        "modality": None,
        "voi": [{"first": 1000, "bits": 16, "name": "CHEST", "entries": [0, 4000, 65535]}],
        "default": "voi",
    }
    assert answer["Cache-Control"] == "private, no-cache"


def test_the_original(reader, send):
    data = make_dicom()
    image = send(data).image
    answer = reader.get(address(image, "original/"))
    assert b"".join(answer.streaming_content) == data
    assert answer["Content-Type"] == "application/dicom"
    assert f'filename="{image.sop_instance_uid}.dcm"' in answer["Content-Disposition"]
    assert AuditEntry.objects.filter(verb="downloaded").count() == 1


def test_a_film_that_cannot_be_shown(reader, send):
    data = make_dicom(HighBit=15)
    image = send(data).image
    for what in ("rendered.png", "pixels/"):
        answer = reader.get(address(image, what))
        assert (answer.status_code, answer.json()["code"]) == (400, "cannot_display")
    answer = reader.get(address(image, "original/"))
    assert b"".join(answer.streaming_content) == data


def test_a_lost_file(reader, send, archive):
    image = send().image
    (archive / image.path).unlink()
    for what in ("rendered.png", "pixels/", "original/"):
        answer = reader.get(address(image, what))
        assert (answer.status_code, answer.json()["code"]) == (503, "file_missing")


@pytest.mark.parametrize("what", ["rendered.png", "pixels/", "original/"])
def test_who_sees_pictures(client, image, admin, engineer, what):
    assert client.get(address(image, what)).status_code == 401
    for user in (admin, engineer):
        client.force_login(user)
        answer = client.get(address(image, what))
        assert answer.status_code == 403
        assert answer["Content-Type"] == "application/json"
    assert not AuditEntry.objects.filter(verb="viewed").exists()


def test_no_such_image(reader):
    answer = reader.get("/api/v1/images/999/rendered.png")
    assert (answer.status_code, answer.json()["code"]) == (404, "image_not_found")


# --- the list; `detection` routes it


def listing(user, query: str = ""):
    request = APIRequestFactory().get(f"/api/v1/images/?{query}")
    if user:
        force_authenticate(request, user)
    answer = ImageListView.as_view()(request)
    answer.render()
    return answer


def test_the_list(send, clinician, device, django_assert_max_num_queries):
    image = send().image
    send(make_dicom(serial="OTHER"))
    with django_assert_max_num_queries(4):
        answer = listing(clinician)
    assert answer.data["count"] == 2
    row = next(r for r in answer.data["results"] if r["id"] == image.pk)
    assert row["device"] == {"id": device.pk, "serial": "XR-1", "name": "Room 1"}
    assert row["patient"]["identifier"] == "P1"
    assert row["sha256"] == image.sha256
    assert row["study_instance_uid"] == image.series.study.study_instance_uid
    assert row["rendered"].endswith(f"/images/{image.pk}/rendered.png")
    other = next(r for r in answer.data["results"] if r["id"] != image.pk)
    assert (other["device"], other["device_serial"]) == (None, "OTHER")
    assert AuditEntry.objects.get(verb="listed").detail["images"] == [
        r["id"] for r in answer.data["results"]
    ]


def test_an_admin_reads_metadata_without_identity(send, admin):
    image = send().image
    row = listing(admin).data["results"][0]
    assert row["patient"] == {"id": image.series.study.patient_id}
    assert b"Doe" not in listing(admin).content


def test_the_list_is_not_for_all(engineer):
    assert listing(engineer).status_code == 403
    assert listing(None).status_code == 401


def test_a_form_beyond_the_cap_is_refused_unread(client, clinician, settings):
    settings.MAX_UPLOAD_BYTES = 1000
    client.force_login(clinician)
    answer = client.post("/api/v1/images/", {"file": io.BytesIO(b"x" * 2_000_000)})
    assert (answer.status_code, answer.json()["code"]) == (413, "request_too_large")


def test_over_the_rest_door(client, clinician):
    client.force_login(clinician)
    data = make_dicom()
    answers = [client.post("/api/v1/images/", {"file": io.BytesIO(data)}) for _ in range(2)]
    assert [a.status_code for a in answers] == [201, 200]
    assert [a.json()["duplicate"] for a in answers] == [False, True]
    assert client.get("/api/v1/images/").json()["count"] == 1
    answer = client.post("/api/v1/images/", {"file": io.BytesIO(b"hello")})
    assert (answer.status_code, answer.json()["code"]) == (400, "unknown_format")


def test_filters_and_order(send, clinician, device):
    day = datetime(2025, 3, 4, 10, tzinfo=UTC)
    first, second, third = (
        send(
            make_dicom(
                acquired_at=day + timedelta(days=n),
                patient_id=f"P{n}",
                serial="XR-1" if n else "OTHER",
                ViewPosition="AP" if n else "PA",
            )
        ).image.pk
        for n in range(3)
    )

    def ids(query):
        return [r["id"] for r in listing(clinician, query).data["results"]]

    assert ids("") == [third, second, first]
    assert ids("ordering=acquired_at") == [first, second, third]
    assert ids(f"device={device.pk}") == [third, second]
    assert ids("device_serial=OTHER") == [first]
    assert ids("acquired_from=2025-03-05T10:00:00Z") == [third, second]
    assert ids("acquired_to=2025-03-05T10:00:00Z") == [first]
    assert ids("view_position=PA") == [first]
    from imaging.models import Image

    patient = Image.objects.get(pk=second).series.study.patient_id
    assert ids(f"patient={patient}") == [second]
    assert ids("page_size=1&page=2") == [second]
    assert listing(clinician, "acquired_from=yesterday").status_code == 400


def test_the_answer_to_a_delivery(send):
    result = send()
    assert IngestResultSerializer(result).data == {
        "id": result.image.pk,
        "sop_instance_uid": result.image.sop_instance_uid,
        "study_instance_uid": result.image.series.study.study_instance_uid,
        "sha256": result.image.sha256,
        "duplicate": False,
    }


def test_a_large_film_is_rendered_elsewhere_with_the_same_greys(
    reader, image, archive, settings, monkeypatch
):
    small = pixels.rendered(image, window=None, invert=True, size=32)
    monkeypatch.setattr(pixels, "_RENDERED_APART", 0)
    monkeypatch.setattr(pixels, "load", None)  # this process never holds the film
    for _ in ("from the cache", "decoded"):
        assert bytes(pixels.rendered(image, window=None, invert=True, size=32)) == small
        for path in settings.PIXEL_CACHE_ROOT.rglob("*.frame"):
            path.unlink()
    window = Window(900, 400, "SIGMOID")
    assert bytes(pixels.rendered(image, window=window, invert=False, size=None)) != small
    assert list(settings.PIXEL_CACHE_ROOT.rglob("*.frame"))
    assert png(reader.get(f"/api/v1/images/{image.pk}/rendered.png")).shape == (60, 40)
    (archive / image.path).unlink()
    with pytest.raises(UnavailableError):
        pixels.rendered(image, window=None, invert=False, size=None)
