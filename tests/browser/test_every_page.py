"""Every page of every role in the demo hospital: nothing refused, nothing broken, usable by all."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.core.management import call_command
from django.db.models import Model
from django.test import Client
from django.urls import URLPattern, get_resolver

from accounts.models import User
from accounts.permissions import Role
from demo.services.seed import seed_demo
from detection.models import DatasetVersion, DetectorVersion, Finding, ReRead, ReReadList
from detection.services import sign
from detection.services.reread_work import work_lists
from devices.models import (
    Alert,
    Blackout,
    Component,
    DegradedSpan,
    Device,
    DeviceKey,
    DeviceModel,
    Downtime,
    InboxEntry,
    MaintenancePlan,
    Metric,
    ModelPlan,
    ModelPlanException,
    Notification,
    OrderFile,
    PersonSkill,
    ReadingImport,
    Rule,
    Supply,
    Webhook,
    WorkOrder,
)
from devices.services.degraded import mark
from imaging.models import Image, QuarantinedFile
from inventory.models import (
    AuditFile,
    Contract,
    InventoryImport,
    Part,
    Recall,
    RecallCandidate,
    StockMovement,
    Vendor,
    Warranty,
)
from maintenance.figures import DEFINITIONS
from maintenance.models import CalendarFeed
from notices.models import Notice
from patients.models import Observation, Patient
from planning.models import Scenario, Suggestion
from quality.models import Instrument, Protocol, ProtocolPlan, QASession
from reading.models import CriticalResult, HelpRequest, SavedView, TextBlock
from tests.browser.conftest import PASSWORD, PHONE, Visitor
from tests.detection.factories import make_run, make_version

Visit = Callable[..., Visitor]
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(600)]

# the last word of an address before a number -> whose number it is
ROWS: dict[str, type[Model]] = {
    "alerts": Alert,
    "audit-files": AuditFile,
    "beside": Image,
    "checks": Rule,
    "blackouts": Blackout,
    "calendar-feeds": CalendarFeed,
    "candidates": RecallCandidate,
    "components": Component,
    "contracts": Contract,
    "critical": CriticalResult,
    "datasets": DatasetVersion,
    "deliveries": Notification,
    "degraded": DegradedSpan,
    "device-inbox": InboxEntry,
    "downtimes": Downtime,
    "device-models": DeviceModel,
    "devices": Device,
    "films": Image,
    "files": OrderFile,
    "findings": Finding,
    "help": HelpRequest,
    "images": Image,
    "instruments": Instrument,
    "imports": InventoryImport,
    "items": ReRead,
    "keys": DeviceKey,
    "loss": Device,
    "makes": DeviceModel,
    "mds2": DeviceModel,
    "metrics": Metric,
    "model-plans": ModelPlan,
    "models": DetectorVersion,
    "movements": StockMovement,
    "observations": Observation,
    "notices": Notice,
    "orders": WorkOrder,
    "parts": Part,
    "patients": Patient,
    "plan-exceptions": ModelPlanException,
    "plans": MaintenancePlan,
    "protocols": Protocol,
    "quarantine": QuarantinedFile,
    "sessions": QASession,
    "recalls": Recall,
    "skills": PersonSkill,
    "supplies": Supply,
    "rules": Rule,
    "scenarios": Scenario,
    "suggestions": Suggestion,
    "re-reads": ReReadList,
    "reschedule": WorkOrder,
    "reading-imports": ReadingImport,
    "text-blocks": TextBlock,
    "untie": ProtocolPlan,
    "users": User,
    "vendors": Vendor,
    "views": SavedView,
    "warranties": Warranty,
    "webhooks": Webhook,
}
# addresses with other words in them than numbers of rows
NAMED = {
    "/maintenance/figures/<slug:figure>/": [f"/maintenance/figures/{key}/" for key in DEFINITIONS],
    "/calendar/<str:token>.ics": [],  # no page, and no token is kept
}
# pages that must be among those found, by role
MUST = {
    Role.CLINICIAN: {
        "/worklist/", "/worklist/?show=all", "/worklist/?show=signed", "/films/", "/upload/",
        "/patients/", "/devices/", "/quarantine/", "/account/", "/search/", "/critical/",
        "/agreement/", "/agreement/films/", "/worklist/?show=second_reading", "/images/", "/text-blocks/",
        "/re-reads/", "/re-reads/items/",
    },
    Role.ENGINEER: {
        "/re-reads/",
        "/devices/", "/alerts/", "/device-inbox/", "/maintenance/", "/account/", "/search/",
        "/maintenance/figures/", "/maintenance/covered-hours/", "/maintenance/week/",
        "/maintenance/calendar-feeds/", "/maintenance/skills/", "/notices/", "/notices/digest/", "/notices/settings/",
        "/quality/", "/quality/protocols/", "/quality/instruments/",
        "/inventory/parts/", "/inventory/parts/to-reorder/", "/inventory/vendors/",
        "/inventory/contracts/", "/inventory/recalls/", "/inventory/mds2/", "/inventory/audit-files/",
        "/alerts/figures/", "/alerts/policy/", "/alerts/deliveries/", "/notifications/", "/notifications/settings/",
        "/supplies/", "/supplies/new/",
        "/rules/",
        "/storage/",
        "/reading-imports/", "/device-models/",
        "/devices/wall/", "/devices/?view=tiles", "/devices/?view=table", "/devices/compare/",
        "/devices/compare/?a=1", "/devices/compare/?a=XR&against=earlier",
    },
    Role.ADMIN: {
        "/maintenance/model-plans/", "/maintenance/model-plans/new/", "/maintenance/blackouts/",
        "/quality/protocols/new/",
        "/inventory/parts/new/", "/inventory/vendors/new/", "/inventory/contracts/new/", "/inventory/imports/",
        "/maintenance/", "/maintenance/plans/new/", "/maintenance/orders/new/", "/devices/",
        "/alerts/", "/users/", "/users/new/", "/audit/", "/models/", "/datasets/", "/account/", "/search/",
        "/on-call/", "/reading-groups/", "/reading-policy/", "/text-blocks/", "/webhooks/",
        "/storage/", "/notices/who/", "/notices/policy/",
        "/planning/what-if/", "/planning/scenarios/", "/planning/suggestion/",
    },
}  # fmt: skip
EXTRA = {
    "/worklist/": [
        f"/worklist/?show={show}"
        for show in ("all", "signed", "mine", "second_reading", "adjudication")
    ],
    "/search/": ["/search/?q=1"],
    "/planning/what-if/": ["/planning/what-if/?run=1"],
    "/devices/": [
        "/devices/?view=tiles",
        "/devices/?view=tiles&group=room",
        "/devices/?view=table",
    ],
    "/devices/wall/": ["/devices/wall/?theme=light&rows=2"],
    "/devices/compare/": ["/devices/compare/?a=1", "/devices/compare/?a=XR&against=earlier"],
}


@pytest.fixture
def hospital(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> dict[str, User]:
    """The demo hospital with a film in every state of being read."""
    monkeypatch.setenv("DEMO_PASSWORD", PASSWORD)
    call_command("create_demo_users", verbosity=0)
    seed_demo()
    version = make_version("candidate", metrics={"test": {"AP50": 0.8}})
    films = list(Image.objects.order_by("pk"))
    states = ["done"] * 6 + ["queued", "running", "failed", "refused", "done"]
    for film, state in zip(films, states, strict=False):
        w, h = film.columns * 0.3, film.rows * 0.4
        boxes: tuple[Any, ...] = ()
        if state == "done":
            boxes = (("covid", 0.9, 50, 50, w, h), ("normal", 0.5, film.columns - w - 9, 50, w, h))
        make_run(film, version, state, boxes, reason="It can't be read." if boxes == () else "")
    version.state = "active"
    version.save()
    make_version("candidate")
    Image.objects.filter(pk=films[9].pk).update(
        display_problem="cannot_display", display_message="Nothing here decodes it."
    )
    users = {user.username: user for user in User.objects.all()}
    sign.sign(image_id=films[5].pk, user=users["clinician2"], conclusion="normal", text="Clear.")
    degraded(films[5], users["engineer"])
    return users


def degraded(film: Image, engineer: User) -> None:
    """The machine of a signed film is marked since before it: the film is to be re-read."""
    assert film.device is not None
    mark(
        device=film.device,
        since=film.acquired_at - timedelta(hours=1),
        reason="stripes in the detector",
        actor=engineer,
    )
    assert not work_lists(seconds=60)


def patterns(resolver: Any, prefix: str = "") -> Iterator[str]:
    for entry in resolver.url_patterns:
        route = prefix + str(entry.pattern)
        if isinstance(entry, URLPattern):
            yield "/" + route
        elif not route.startswith("api/"):
            yield from patterns(entry, route)


def filled(route: str) -> list[str]:
    """A route with the numbers of rows in place; films in each of their states."""
    if "<" not in route:
        return [route]
    if route in NAMED:
        return NAMED[route]
    words = re.findall(r"([\w-]+)/<int:\w+>", route)
    assert words, f"no known row for {route}"
    assert set(words) <= ROWS.keys(), f"add the rows of {route} to ROWS"
    last = ROWS[words[-1]].objects.order_by("pk")  # type: ignore[attr-defined]
    rows = [row.pk for row in last]
    # films: found something, signed, in the line, failed, not to be shown; else two are enough
    many = words[-1] in {"films", "images"} and rows
    rows = [rows[i] for i in (0, 5, 6, 8, 9)] if many else rows[:2]
    first = ROWS[words[0]].objects.order_by("pk").first()  # type: ignore[attr-defined]
    if first is None or not rows:
        return []
    if len(words) == 1:
        return [re.sub(r"<int:\w+>", str(pk), route) for pk in rows]
    route = re.sub(r"<int:\w+>", str(first.pk), route, count=1)
    return [re.sub(r"<int:\w+>", str(rows[0]), route)]


def pages_of(user: User) -> list[str]:
    """Addresses that answer this person's GET with a whole page."""
    client = Client()
    client.force_login(user)
    found = []
    for route in patterns(get_resolver()):
        for address in filled(route):
            for each in [address, *EXTRA.get(address, [])]:
                answer = client.get(each)
                assert answer.status_code < 500, each
                html = answer.get("Content-Type", "").startswith("text/html")
                if answer.status_code == 200 and html and b"<html" in answer.content:
                    found.append(each)
    return found


@pytest.mark.parametrize(
    ("name", "role"),
    [("clinician", Role.CLINICIAN), ("engineer", Role.ENGINEER), ("admin", Role.ADMIN)],
)
@pytest.mark.timeout(900)
def test_every_page(visit: Visit, hospital: dict[str, User], name: str, role: Role) -> None:
    user = hospital[name]
    addresses = pages_of(user)
    for must in MUST[role]:
        assert any(
            a == must
            or (must in {"/films/", "/images/", "/re-reads/items/"} and a.startswith(must))
            for a in addresses
        ), must
    problems: list[str] = []
    desk, phone = visit(user), visit(user, size=PHONE, has_touch=True)
    for address in addresses:
        problems += [f"{address}: {text}" for text in look(desk, address)]
        problems += [f"{address}: {text}" for text in unusable(desk)]
        problems += [f"{address} on a phone: {text}" for text in look(phone, address)]
        wide = phone.page.evaluate("document.documentElement.scrollWidth - innerWidth")
        if wide > 0:
            problems.append(f"{address} on a phone: {wide} px wider than the screen")
    assert problems == []


def test_pages_without_a_sign_in(visit: Visit) -> None:
    problems: list[str] = []
    for size in (None, PHONE):
        visitor = visit(None, size=size)
        problems += look(visitor, "/login/")
        problems += unusable(visitor)
        assert visitor.page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    assert problems == []


def look(visitor: Visitor, address: str) -> list[str]:
    """Open a page and wait for what it fetches; what the browser refused or complained of."""
    visitor.complaints.clear()
    status = visitor.go(address)
    visitor.settle()
    found = [f"refused {text}" for text in visitor.refusals()] + list(visitor.complaints)
    return found if status == 200 else [f"status {status}", *found]


def unusable(visitor: Visitor) -> list[str]:
    """What axe-core calls serious or critical."""
    report = Axe().run(visitor.page)
    return [
        f"{rule['id']} ({rule['impact']}): {node['html'][:160]} {node['failureSummary'][:200]}"
        for rule in report.response["violations"]
        if rule["impact"] in {"serious", "critical"}
        for node in rule["nodes"][:3]
    ]


def test_help_search_and_sign_out_by_key(visit: Visit, hospital: dict[str, User]) -> None:
    visitor = visit(hospital["clinician"])
    page = visitor.page
    visitor.go("/worklist/")
    page.keyboard.press("?")
    assert page.locator("#shortcuts").is_visible()
    assert page.evaluate("document.activeElement.closest('dialog')?.id") == "shortcuts"
    page.keyboard.press("Escape")
    assert not page.locator("#shortcuts").is_visible()
    page.keyboard.press("/")
    patient = Patient.objects.order_by("pk").first()
    assert patient is not None
    page.keyboard.type(patient.identifier)
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/patients/{patient.pk}/")  # one hit: straight to it
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/login/**")
    assert visitor.complaints == []
