"""The upload page with its script: what a person sees, and the rows it ends on."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from imaging.models import Image, Intake
from tests.detection.factories import make_user, make_version
from tests.imaging.factories import make_dicom, make_picture
from tests.imaging.test_zips import make_zip

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def upload(visit):
    make_version()
    visitor = visit(make_user())
    visitor.go("/upload/")
    visitor.page.wait_for_selector("#upload-form[data-ready]")
    yield visitor
    assert visitor.refusals() == []
    assert visitor.complaints == []


def files(**named: bytes) -> list[dict]:
    return [
        {"name": name.replace("_", "."), "mimeType": "application/octet-stream", "buffer": data}
        for name, data in named.items()
    ]


def outcomes(page) -> dict[str, str]:
    rows = page.locator("#intake-rows tr[data-outcome]").all()
    return {
        row.locator("td").first.inner_text(): row.get_attribute("data-outcome") or ""
        for row in rows
    }


def test_several_files_each_with_its_row(upload):
    page, film = upload.page, make_dicom()
    page.set_input_files("#files", files(a_dcm=film, b_txt=b"hello", c_dcm=make_dicom()))
    expect(page.locator("#summary")).to_contain_text("3 of 3 done · 2 stored · 1 refused")
    assert outcomes(page) == {"a.dcm": "stored", "b.txt": "refused", "c.dcm": "stored"}
    page.set_input_files("#files", files(again_dcm=film))
    expect(page.locator("#summary")).to_contain_text("1 duplicate")
    assert Image.objects.count() == 2
    assert Intake.objects.values("batch").distinct().count() == 1
    # the run's state comes by itself, and leaving the page loses nothing
    expect(page.locator("tr[data-outcome=stored] [hx-get]").first).to_be_visible()
    upload.go("/upload/")
    assert len(outcomes(page)) == 4


def test_pictures_wait_for_the_form(upload):
    page = upload.page
    expect(page.locator("#picture-form")).to_be_hidden()
    page.set_input_files("#files", files(a_png=make_picture(), b_dcm=make_dicom()))
    expect(page.locator("#summary")).to_contain_text("1 wait for the form")
    expect(page.locator("#picture-form")).to_be_visible()
    page.click("#picture-send")
    assert page.locator("#patient_id").get_attribute("aria-invalid") == "true"
    page.fill("#patient_id", "P7")
    page.fill("#device", "XR-7")
    page.click("#picture-send")
    expect(page.locator("#summary")).to_contain_text("2 of 2 done · 2 stored")
    expect(page.locator("#picture-form")).to_be_hidden()
    assert Image.objects.filter(series__study__patient__identifier="P7").count() == 1


def test_a_folder_and_a_zip(upload, tmp_path: Path):
    page, folder = upload.page, tmp_path / "films"
    (folder / "sub").mkdir(parents=True)
    (folder / "a.dcm").write_bytes(make_dicom())
    (folder / "sub" / "b.dcm").write_bytes(make_dicom())
    (folder / ".hidden").write_bytes(b"x")
    page.set_input_files("#folder", str(folder))
    expect(page.locator("#summary")).to_contain_text("2 of 2 done · 2 stored")
    assert set(outcomes(page)) == {"films_a.dcm", "films_sub_b.dcm"}
    page.set_input_files("#files", files(all_zip=make_zip({"c.dcm": make_dicom(), "d.txt": b"x"})))
    expect(page.locator("#summary")).to_contain_text("4 of 4 done · 3 stored · 1 refused")
    for name, count in (("all", "4"), ("stored", "3"), ("refused", "1"), ("duplicate", "0")):
        expect(page.locator(f"[data-count={name}]")).to_have_text(count)
    assert Image.objects.count() == 3


def test_dropping_files(upload):
    page = upload.page
    data = list(make_dicom())
    page.evaluate(
        """(data) => {
          const drop = new DataTransfer();
          drop.items.add(new File([new Uint8Array(data)], "dropped.dcm"));
          document.getElementById("drop").dispatchEvent(
            new DragEvent("drop", { bubbles: true, cancelable: true, dataTransfer: drop }));
        }""",
        data,
    )
    expect(page.locator("#summary")).to_contain_text("1 of 1 done · 1 stored")
    assert outcomes(page) == {"dropped.dcm": "stored"}


def test_names_are_text(upload):
    page = upload.page
    name = "<img src=x onerror=alert(1)>.txt"
    page.set_input_files("#files", [{"name": name, "mimeType": "text/plain", "buffer": b"no"}])
    expect(page.locator("#summary")).to_contain_text("1 refused")
    assert outcomes(page) == {name: "refused"}
    assert page.locator("#intakes img").count() == 0


def test_a_broken_connection_can_be_tried_again(upload):
    page = upload.page
    page.route("**/upload/", lambda route: route.abort())
    page.set_input_files("#files", files(a_dcm=make_dicom()))
    expect(page.locator("#summary")).to_contain_text("1 not sent")
    page.unroute("**/upload/")
    page.click("[data-retry]")
    expect(page.locator("#summary")).to_contain_text("1 of 1 done · 1 stored")
    upload.complaints.clear()  # the broken connection, which was ours


def test_signed_out_in_between(upload):
    page = upload.page
    page.context.clear_cookies()
    page.set_input_files("#files", files(a_dcm=make_dicom()))
    expect(page.locator("[data-note]")).not_to_be_empty()
    expect(page.locator("#summary")).to_contain_text("1 not sent")
    assert not Image.objects.exists()
    upload.complaints.clear()
