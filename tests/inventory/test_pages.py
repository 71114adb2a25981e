"""Pages and REST of the room, as people and programs use them; queries don't grow with rows."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.permissions import Role
from inventory import selectors
from inventory.mds2 import BY_CODE, QUESTIONS, SECTIONS
from inventory.models import Contract, Part, StockMovement, Warranty
from inventory.services import contracts, import_work, recall_matching, recalls
from tests.devices.factories import device, model
from tests.devices.maintenance_rows import admin, make_order, today
from twinhealth.errors import ConflictError, InvalidInputError

from .rows import api, browser, make_part, make_vendor

pytestmark = pytest.mark.django_db


def body(client: Client, name: str, *args: Any, query: str = "") -> str:
    answer = client.get(reverse(f"inventory:{name}", args=args) + query)
    assert answer.status_code == 200
    return answer.content.decode()


def test_an_engineer_issues_a_part_and_takes_it_back():
    order, part, client = make_order("in_progress"), make_part(5), browser(Role.ENGINEER)
    page = client.get(reverse("devices:order", args=[order.pk])).content.decode()
    assert f'<option value="{part.pk}">' in page
    client.post(reverse("inventory:order-issue", args=[order.pk]), {"part": part.pk, "amount": "2"})
    assert Part.objects.get().stock == 3
    taken = StockMovement.objects.get(kind="issue")
    page = client.get(reverse("devices:order", args=[order.pk])).content.decode()
    assert "Return 2" in page
    client.post(reverse("inventory:movement-return", args=[taken.pk]))
    assert Part.objects.get().stock == 5
    for amount in ("99", "", "-1", "x", "9" * 40):
        answer = client.post(
            reverse("inventory:order-issue", args=[order.pk]),
            {"part": part.pk, "amount": amount},
            follow=True,
        )
        assert "notice-act" in answer.content.decode()
    assert Part.objects.get().stock == 5


def test_before_somebody_buys_a_part_the_order_says_who_pays():
    machine = device()
    vendor = make_vendor(name="Fixers", phone="0800 1")
    order = make_order("planned", device=machine)
    contracts.save(
        actor=admin(), vendor=vendor, number="C-9", kind="full", device_models=[machine.model],
        starts_on=today(-9), ends_on=today(9), response_hours=4,
    )  # fmt: skip
    contracts.add_warranty(actor=admin(), device=machine, vendor=vendor, until=today(3))
    contracts.add_warranty(actor=admin(), device=machine, vendor=vendor, until=today(-1))
    for address in (
        reverse("devices:order", args=[order.pk]),
        reverse("devices:device-sections", args=[machine.pk]),
    ):
        page = browser(Role.ENGINEER).get(address).content.decode()
        assert "Under contract" in page
        assert "0800 1, comes within 4 h" in page
        assert page.count("is under warranty") == 1
    page = (
        browser(Role.CLINICIAN).get(reverse("devices:device", args=[machine.pk])).content.decode()
    )
    assert "C-9" not in page


def test_what_ends_in_ninety_days():
    machine, vendor = device(), make_vendor()
    for number, last in (("over", -1), ("today", 0), ("soon", 90), ("later", 91)):
        contracts.save(
            actor=admin(), vendor=vendor, number=number, kind="full", devices=[machine],
            starts_on=today(-99), ends_on=today(last),
        )  # fmt: skip
    ending, _ = selectors.ending(timezone.localdate())
    assert [row.number for row in ending] == ["today", "soon"]
    assert {row.number for row in selectors.contracts_of(machine, timezone.localdate())} == {
        "today",
        "soon",
        "later",
    }


def test_contracts_refuse():
    machine, vendor = device(), make_vendor()
    given: dict[str, Any] = {
        "actor": admin(), "vendor": vendor, "number": "C", "kind": "full", "devices": [machine],
        "starts_on": today(), "ends_on": today(9),
    }  # fmt: skip
    contracts.save(**given)
    for code, changes in {
        "contract_exists": {},
        "contract_covers_nothing": {"number": "D", "devices": []},
        "contract_ends_before": {"number": "D", "ends_on": today(-1)},
        "unknown_kind": {"number": "D", "kind": "best"},
        "number_missing": {"number": " "},
        "notice_days_out_of_range": {"number": "D", "notice_days": -1},
    }.items():
        with pytest.raises((InvalidInputError, ConflictError)) as caught:
            contracts.save(**given | changes)
        assert caught.value.code == code
    warranty = contracts.add_warranty(actor=admin(), device=machine, vendor=vendor, until=today())
    contracts.withdraw_warranty(warranty=warranty, actor=admin(), reason="another machine")
    with pytest.raises(ConflictError):
        contracts.withdraw_warranty(warranty=warranty, actor=admin(), reason="again")
    assert Warranty.objects.count() == 1
    assert not selectors.warranties().exists()


def test_the_list_to_reorder_and_its_csv():
    make_part(3, number="=LOW", reorder_level=3, reorder_amount=10)
    make_part(4, number="OK", reorder_level=3)
    make_part(0, number="NEVER", reorder_level=0)
    make_part(0, number="GONE", reorder_level=3, active=False)
    page = body(browser(Role.ENGINEER), "to-reorder")
    assert "=LOW" in page
    assert not {"OK", "NEVER", "GONE"} & set(page.split())
    answer = browser().get(reverse("inventory:to-reorder-csv"))
    lines = b"".join(answer.streaming_content).decode().splitlines()
    assert len(lines) == 2
    assert lines[1].startswith("'=LOW,")


def test_a_table_by_the_page(media: Any):
    client = browser()
    file = SimpleUploadedFile("p.csv", "number;name\nA;Größe\nB;=x\n".encode("cp1252"))
    answer = client.post(reverse("inventory:imports"), {"kind": "parts", "file": file})
    pk = int(answer["Location"].rstrip("/").rsplit("/", 1)[1])
    import_work.work(import_id=pk)
    page = body(client, "import", pk)
    assert "Rows are refused" in page
    assert "Windows-1252" in page
    assert "Apply all of it" not in page
    client.post(reverse("inventory:import-apply", args=[pk]))
    assert not Part.objects.exists()
    bad = SimpleUploadedFile("p.csv", b"number,name\nA,\x81\n")
    answer = client.post(reverse("inventory:imports"), {"kind": "parts", "file": bad})
    assert (answer.status_code, "neither UTF-8" in answer.content.decode()) == (400, True)


def test_hostile_text_stays_text():
    evil = "<script>alert(1)</script>"
    part = make_part(0, number="X", name=evil, location=evil, vendor=make_vendor(name=evil))
    of = model(name=evil)
    device(of, name=evil)
    recall, _ = recalls.save(
        actor=None, reference="R", manufacturer=of.manufacturer, model_text=evil
    )
    recall_matching.match_recall(recall)
    client = browser()
    pages = [
        body(client, "parts"), body(client, "part", part.pk), body(client, "vendors"),
        body(client, "recalls", query="?show=all"), body(client, "recall", recall.pk),
        body(client, "mds2", of.pk), body(client, "contracts"),
    ]  # fmt: skip
    assert not [page for page in pages if evil in page]


def test_mds2_shows_what_isnt_answered_and_takes_answers():
    assert len(BY_CODE) == len(QUESTIONS)
    assert {question.section for question in QUESTIONS} == set(SECTIONS)
    of, client = model(), api()
    address = f"/api/v1/device-models/{of.pk}/mds2/"
    assert len(client.get(address).json()["unanswered"]) == len(QUESTIONS)
    given = {"document": "D-1", "answers": [{"code": "ALOF-1", "answer": "note", "note": "page 3"}]}
    found = client.put(address, given, format="json").json()
    assert (found["document"], "ALOF-1" in found["unanswered"]) == ("D-1", False)
    bad = client.put(address, {"answers": [{"code": "ALOF-1", "answer": "note"}]}, format="json")
    assert (bad.status_code, bad.json()["code"]) == (400, "note_missing")
    page = browser()
    assert f"{len(QUESTIONS) - 1} of {len(QUESTIONS)} questions" in body(page, "mds2", of.pk)
    answer = page.post(
        reverse("inventory:mds2-edit", args=[of.pk]), {"document": "D-2", "ALOF-1": "yes"}
    )
    assert answer.status_code == 302
    assert client.get(address).json()["answers"][5]["code"]
    of.refresh_from_db()
    assert (of.mds2.document, of.mds2.answers.get().answer) == ("D-2", "yes")


def test_movements_by_rest():
    part, order = make_part(5), make_order("in_progress")
    address = f"/api/v1/parts/{part.pk}/movements/"
    engineer = api(Role.ENGINEER)
    made = engineer.post(address, {"kind": "issue", "amount": 2, "order": order.pk}, format="json")
    assert made.status_code == 201
    for given, status, code in (
        ({"kind": "issue", "amount": 4, "order": order.pk}, 409, "not_enough_stock"),
        ({"kind": "issue", "amount": 4}, 400, "order_missing"),
        ({"kind": "receipt", "amount": 4}, 403, "permission_denied"),
        ({"kind": "count", "amount": 4, "reason": "x"}, 403, "permission_denied"),
        ({"kind": "return"}, 400, "issue_missing"),
        ({"kind": "return", "issue": 2**63 - 1}, 404, "movement_not_found"),
    ):
        answer = engineer.post(address, given, format="json")
        assert (answer.status_code, answer.json()["code"]) == (status, code)
    back = engineer.post(
        address, {"kind": "return", "issue": made.json()["id"], "amount": 1}, format="json"
    )
    assert back.json()["amount"] == 1
    assert (
        api()
        .post(address, {"kind": "count", "amount": 9, "reason": "x"}, format="json")
        .status_code
        == 201
    )
    assert api().get(f"/api/v1/parts/{part.pk}/").json()["stock"] == 9
    assert api().get(address).json()["count"] == 4
    assert api(Role.CLINICIAN).get(address).status_code == 403


def test_recalls_by_rest():
    of = model(manufacturer="Acme", name="XR-600")
    machine = device(of)
    recall, _ = recalls.save(actor=None, reference="R", manufacturer="Acme", model_text="XR-600")
    recall_matching.match_recall(recall)
    client = api(Role.ENGINEER)
    (row,) = client.get(f"/api/v1/recall-candidates/?state=open&device={machine.pk}").json()[
        "results"
    ]
    address = f"/api/v1/recall-candidates/{row['id']}/"
    assert client.post(f"{address}reject/", {}, format="json").json()["code"] == "reason_missing"
    found = client.post(f"{address}confirm/", {}, format="json").json()
    assert (found["state"], found["done"]) == ("confirmed", False)
    assert client.post(f"{address}order/").status_code == 201
    assert client.get("/api/v1/recalls/").json()["results"][0]["confirmed"] == 1


def queries(client: Client, address: str) -> int:
    with CaptureQueriesContext(connection) as found:
        assert client.get(address).status_code == 200
    return len(found)


def test_queries_dont_grow_with_rows():
    of = model(manufacturer="Acme", name="XR-600")
    machine, vendor = device(of), make_vendor()
    order, client = make_order("in_progress", device=machine), browser()
    recall, _ = recalls.save(actor=None, reference="R", manufacturer="Acme", model_text="XR-600")

    def more() -> None:
        number = Contract.objects.count()
        part = make_part(5, vendor=vendor, fits=[of], reorder_level=9)
        StockMovement.objects.create(part=part, kind="issue", amount=-1, order=order)
        contracts.save(
            actor=None, vendor=vendor, number=f"C-{number}", kind="full", devices=[machine, device(of)],
            device_models=[of], starts_on=today(), ends_on=today(9),
        )  # fmt: skip
        contracts.add_warranty(actor=None, device=machine, vendor=vendor, until=today(9))
        other, _ = recalls.save(
            actor=None, reference=f"R-{number}", manufacturer="Acme", model_text="XR-600"
        )
        recall_matching.match_recall(other)
        model()

    more()
    recall_matching.match_recall(recall)
    addresses = [
        reverse(f"inventory:{name}")
        for name in (
            "parts",
            "to-reorder",
            "vendors",
            "contracts",
            "recalls",
            "mds2-list",
            "audit-files",
            "imports",
        )
    ]
    addresses += [
        reverse("inventory:recall", args=[recall.pk]),
        reverse("devices:order", args=[order.pk]),
    ]
    addresses += [reverse("devices:device-sections", args=[machine.pk])]
    for address in addresses:
        client.get(address)  # what is remembered for a while
    before = {address: queries(client, address) for address in addresses}
    for _ in range(4):
        more()
    after = {address: queries(client, address) for address in addresses}
    assert after == before
    assert max(before[address] for address in addresses[:8]) <= 20, before
