"""Pages and REST of quality: what they show, what they refuse, and hostile text."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from devices.models import Alert
from devices.services.order_making import create_from_alert
from quality.models import Instrument, Protocol, QASession
from quality.services import protocols
from tests.devices import factories as f
from tests.devices.maintenance_rows import make_plan
from tests.quality import rows

pytestmark = pytest.mark.django_db
HOSTILE = "<script>alert(1)</script>"


def page(user: Any) -> Client:
    client = Client()
    client.force_login(user)
    return client


def rest(user: Any) -> APIClient:
    client = APIClient()
    client.force_authenticate(user)
    return client


def test_a_protocol_by_the_editor_and_its_next_version() -> None:
    boss = rows.admin()
    client = page(boss)
    device = rows.machine()
    form = {
        "name": HOSTILE, "device_model": device.model_id, "instructions": "warm up",
        "name-0": "Tube voltage", "kind-0": "number", "unit-0": "kV", "reference-0": "70",
        "tolerance-0": "3", "action-0": "5", "mode-0": "percent", "side-0": "both",
        "name-2": "Artefacts", "kind-2": "choice", "choices-2": "none\nfaint !\nbad !!\n",
        "name-1": "", "kind-1": "number",
    }  # fmt: skip
    wrong = {**form, "tolerance-0": "9"}
    answer = client.post(reverse("quality:protocol-new"), wrong)
    assert answer.status_code == 400
    assert b'data-error-code="bands_crossed"' in answer.content
    assert b'value="9"' in answer.content  # nothing typed is lost
    assert b"faint !" in answer.content
    answer = client.post(reverse("quality:protocol-new"), form)
    protocol = Protocol.objects.get()
    assert answer.status_code == 302
    assert protocol.current is not None
    voltage, artefacts = protocol.current.tests
    assert (voltage["mode"], voltage["tolerance"]) == ("percent", 3.0)
    assert [c["verdict"] for c in artefacts["choices"]] == ["pass", "tolerance", "action"]
    edit = reverse("quality:protocol-edit", args=[protocol.pk])
    shown = client.get(edit).content.decode()
    assert HOSTILE not in shown
    assert f'value="{voltage["key"]}"' in shown
    again = {**form, "key-0": voltage["key"], "key-2": artefacts["key"], "tolerance-0": "4",
             "seen": "1", "reason": "as the new standard says"}  # fmt: skip
    assert client.post(edit, again).status_code == 302
    assert client.post(edit, again).status_code == 409  # seen: somebody was faster
    protocol.refresh_from_db()
    assert protocol.current.number == 2
    assert protocol.current.tests[0]["key"] == voltage["key"]
    shown = client.get(reverse("quality:protocol", args=[protocol.pk]) + "?version=1")
    assert "an earlier one" in shown.content.decode()


def test_a_session_is_typed_kept_and_signed_on_its_page() -> None:
    device = rows.machine()
    protocol = rows.protocol(device)
    who = f.user()
    client = page(who)
    start = {"device": device.pk, "protocol": protocol.pk}
    answer = client.post(reverse("quality:start"), start)
    session = QASession.objects.get()
    assert answer["Location"] == reverse("quality:session", args=[session.pk])
    keys = {row["name"]: row["key"] for row in session.version.tests}
    voltage, look, choice = keys["Tube voltage"], keys["Uniformity"], keys["Artefacts"]
    form: dict[str, Any] = {
        "revision": "0", f"value-{voltage}": ["72,5", "73.5", ""], f"note-{voltage}": HOSTILE,
    }  # fmt: skip
    save = reverse("quality:session-save", args=[session.pk])
    kept = client.post(save, form, headers={"HX-Request": "true"}).content.decode()
    assert "1 of 3 answered" in kept
    assert "beyond tolerance" in kept
    assert "mean 73" in kept
    assert 'id="revision" value="1"' in kept
    stale = client.post(save, form, headers={"HX-Request": "true"}).content.decode()
    assert "not kept" in stale
    form |= {"revision": "1", f"value-{voltage}": ["NaN"]}
    assert "can&#x27;t be read" in client.post(
        save, form, headers={"HX-Request": "true"}
    ).content.decode().replace("can't", "can&#x27;t")
    sign = reverse("quality:session-sign", args=[session.pk])
    form |= {"revision": "2", "signature": "E. Ngineer", f"passed-{look}": "yes",
             f"choice-{choice}": "none", "comment": HOSTILE}  # fmt: skip
    refused = client.post(sign, form)
    assert refused.status_code == 400
    assert b'data-error-code="not_a_number"' in refused.content
    form |= {"revision": "3", f"value-{voltage}": ["76"]}
    assert client.post(sign, form).status_code == 302
    shown = client.get(reverse("quality:session", args=[session.pk])).content.decode()
    assert "E. Ngineer" in shown
    assert HOSTILE not in shown
    assert reverse("devices:order-new") in shown
    assert client.post(sign, form).status_code == 409
    # the alert's order knows the protocol
    order = create_from_alert(actor=who, alert=Alert.objects.get())
    panel = client.get(reverse("devices:order", args=[order.pk])).content.decode()
    assert "A session that passes shows that the work held." in panel
    twin = client.get(reverse("devices:device-sections", args=[device.pk])).content.decode()
    assert "failing" in twin
    for name, args in (
        ("devices:alert", [Alert.objects.get().pk]),
        ("devices:check", [device.pk, protocol.rule_id]),
        ("devices:rule", [protocol.rule_id]),
        ("devices:rule-edit", [protocol.rule_id]),
    ):
        assert client.get(reverse(name, args=args)).status_code == 200, name


def test_a_rule_of_a_protocol_is_not_edited_as_a_rule() -> None:
    device = rows.machine()
    protocol = rows.protocol(device)
    client = rest(f.user())
    at = f"/api/v1/rules/{protocol.rule_id}/"
    assert client.get(at).status_code == 200
    given = {"name": "x", "severity": "watch", "reason": "why"}
    assert client.patch(at, given, format="json").status_code == 400
    assert client.post(f"{at}disable/", {"reason": "why"}, format="json").status_code == 409
    made = {"kind": "qa", "model": device.model_id, "name": "x", "severity": "act", "reason": "w"}
    assert client.post("/api/v1/rules/", made, format="json").status_code == 400


def test_the_list_filters_and_sorts() -> None:
    device = rows.machine(name="Alpha")
    other = f.device(device.model, name="Beta")
    protocol = rows.protocol(device)
    rows.signed(protocol, device, 1, kv=90)
    client = page(f.user())
    index = reverse("quality:index")

    def names(query: str = "") -> list[str]:
        found = client.get(index + query).context["page_obj"].object_list
        return [row.device.name for row in found]

    assert names() == ["Alpha", "Beta"]
    assert names("?ordering=-machine") == ["Beta", "Alpha"]
    assert names("?ordering=last") == ["Alpha", "Beta"]
    assert names("?state=never") == ["Beta"]
    assert names("?state=ok") == []
    assert names(f"?machine={other.pk}") == ["Beta"]
    assert names(f"?machine={2**63}") == ["Alpha", "Beta"]  # no row has it: no filter
    assert names("?machine_named=Alpha") == ["Alpha"]
    assert names("?protocol=999999") == []
    assert names("?state=<b>&ordering=drop") == ["Alpha", "Beta"]


def test_trend_and_csv() -> None:
    device = rows.machine(name="=cmd|' /C calc'!A0")
    protocol = rows.protocol(device)
    rows.signed(protocol, device, 30, kv=70)
    tests = [dict(row) for row in protocol.current.tests]  # type: ignore[union-attr]
    tests[0] |= {"tolerance": 1}
    protocols.revise(protocol=protocol, actor=rows.admin(), tests=tests[1:], reason="without")
    protocol.refresh_from_db()
    gap = rows.signed(protocol, device, 20)
    protocols.revise(protocol=protocol, actor=rows.admin(), tests=tests, reason="narrower")
    protocol.refresh_from_db()
    rows.signed(protocol, device, 10, kv=72)
    client = page(f.user())
    answer = client.get(reverse("quality:trend", args=[device.pk, protocol.pk]))
    data = answer.context["data"][0]
    assert data["v"] == [70.0, None, 72.0]  # a gap where the version had no such test
    assert data["tolerance_high"] == [72.0, None, 71.0]
    assert data["sessions"][1] == gap.pk
    assert data["verdicts"] == ["pass", "", "tolerance"]
    body = b"".join(client.get(reverse("quality:trend-csv", args=[device.pk, protocol.pk])))
    lines = list(csv.DictReader(io.StringIO(body.decode("utf-8-sig"))))
    assert len(lines) == 8
    assert {line["machine"] for line in lines} == {"'=cmd|' /C calc'!A0"}
    assert {line["verdict"] for line in lines if line["test"] == "Tube voltage"} == {
        "pass", "tolerance"
    }  # fmt: skip
    foreign = f.device()
    wrong = client.get(reverse("quality:trend", args=[foreign.pk, protocol.pk]))
    assert wrong.status_code == 400


def test_instruments_on_their_page() -> None:
    client = page(f.user())
    new = reverse("quality:instrument-new")
    form = {"name": "kV meter", "serial": "1", "calibrated_until": "2026-01-31"}
    assert client.post(new, form).status_code == 302
    assert client.post(new, form).status_code == 409
    assert client.post(new, {**form, "calibrated_until": "soon"}).status_code == 400
    at = reverse("quality:instrument-date", args=[Instrument.objects.get().pk])
    assert client.post(at, {"calibrated_until": "2027-01-31"}).status_code == 302
    assert Instrument.objects.get().calibrated_until.year == 2027


def test_rest_from_protocol_to_certificate() -> None:
    device = rows.machine()
    plan = make_plan(device, checklist=())
    boss, worker = rest(rows.admin()), rest(f.user())
    made = {"name": "Dose", "device_model": device.model_id, "tests": rows.TESTS}
    assert worker.post("/api/v1/qa-protocols/", made, format="json").status_code == 403
    answer = boss.post("/api/v1/qa-protocols/", made, format="json")
    assert answer.status_code == 201
    one = answer.json()
    at = f"/api/v1/qa-protocols/{one['id']}/"
    assert boss.post(f"{at}plans/", {"plan": plan.pk}, format="json").status_code == 201
    order = plan.orders.get()
    rows_ = worker.get(f"/api/v1/devices/{device.pk}/qa/").json()
    assert (rows_[0]["state"], rows_[0]["order"]) == ("due", order.pk)
    begun = {"device": device.pk, "protocol": one["id"], "order": order.pk}
    session = worker.post("/api/v1/qa-sessions/", begun, format="json").json()
    here = f"/api/v1/qa-sessions/{session['id']}/"
    assert worker.get(f"{here}certificate.pdf").json()["code"] == "not_signed"
    voltage, look, choice = (row["key"] for row in one["tests"])
    answers = {
        voltage: {"values": [70000], "unit": "V"}, look: {"passed": True},
        choice: {"choice": "none"},
    }  # fmt: skip
    kept = worker.patch(here, {"answers": answers, "seen": 0}, format="json")
    assert kept.json()["revision"] == 1
    assert worker.patch(here, {"comment": "x", "seen": 0}, format="json").status_code == 409
    complete = f"/api/v1/work-orders/{order.pk}/complete/"
    signature = {"signature": "W", "checklist": []}
    refused = worker.post(complete, signature, format="json")
    assert (refused.status_code, refused.json()["code"]) == (409, "qa_session_missing")
    signed = worker.post(f"{here}sign/", {"signature": "W", "seen": 1}, format="json").json()
    assert (signed["verdict"], signed["content"]["tests"][0]["value"]) == ("pass", "70")
    assert worker.post(f"{here}sign/", {"signature": "W"}, format="json").status_code == 409
    pdf = worker.get(f"{here}certificate.pdf")
    assert pdf["Content-Type"] == "application/pdf"
    assert pdf.content == worker.get(f"{here}certificate.pdf").content
    assert pdf["X-Content-SHA256"] == signed["sha256"]
    assert worker.post(complete, signature, format="json").status_code == 200
    other = worker.post(f"{here}supersede/", {"reason": "typed wrongly"}, format="json")
    assert other.status_code == 201
    assert worker.delete(f"/api/v1/qa-sessions/{other.json()['id']}/").status_code == 204
    assert worker.delete(here).status_code == 409
    listed = worker.get(f"/api/v1/qa-sessions/?device={device.pk}&verdict=pass").json()
    assert listed["count"] == 1
    link = boss.get(at).json()["plans"][0]["id"]
    assert boss.delete(f"{at}plans/{link}/").status_code == 204
    assert boss.post(f"{at}retire/").json()["retired_at"] is not None
    assert boss.get("/api/v1/qa-protocols/?retired=true").json()["count"] == 1
    assert boss.get("/api/v1/qa-protocols/?retired=false").json()["count"] == 0
    assert worker.get(f"/api/v1/devices/{device.pk}/qa/").json() == []


@pytest.mark.parametrize("value", [["NaN"], ["Infinity"], [1e300], ["<b>"], ["70"] * 21, [None]])
def test_rest_takes_no_odd_numbers(value: Any) -> None:
    device = rows.machine()
    protocol = rows.protocol(device)
    who = f.user()
    session = rows.draft(protocol, device, actor=who)
    client = rest(who)
    here = f"/api/v1/qa-sessions/{session.pk}/"
    key = session.version.tests[0]["key"]
    kept = client.patch(here, {"answers": {key: {"values": value}}}, format="json")
    if kept.status_code == 200:
        answer = client.post(f"{here}sign/", {"signature": "W"}, format="json")
        assert answer.status_code == 400
        assert answer.json()["code"] in {"not_a_number", "tests_unanswered"}
    else:
        assert kept.json()["code"] == "too_many_values"


def test_numbers_of_rows_that_no_database_holds() -> None:
    client = rest(f.user())
    for body in ({"device": 2**63, "protocol": 1}, {"device": "x", "protocol": None}):
        assert client.post("/api/v1/qa-sessions/", body, format="json").status_code == 400
    assert client.get(f"/api/v1/qa-sessions/?device={2**63}").status_code == 400
    assert page(f.user()).post(reverse("quality:start"), {"device": 2**70}).status_code == 400
