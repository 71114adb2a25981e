"""Who may what: every address of the house, every method, as every role and as nobody.

The walk reads the resolver, so an address that somebody adds is walked without being named here.
"""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import Resolver404, resolve

from accounts.api_permissions import SignedIn
from accounts.models import AuditEntry
from accounts.permissions import Can, Role

from . import hospital
from .walking import (
    NO_DECLARATION,
    NOBODY,
    PROBES,
    ROLES,
    Door,
    N,
    ask,
    declared,
    doors,
    may,
    text_of,
)


def test_the_walk_finds_its_way():
    """Each filled address leads to the view it was made from; else the walk would prove nothing."""
    astray = []
    for door in doors():
        try:
            if resolve(door.path).func is not door.callback:
                astray.append(f"{door} is shadowed by an earlier address")
        except Resolver404:
            astray.append(f"{door} can't be filled")
    assert not astray
    assert len(doors()) > 40


def test_every_view_declares_who_may():
    silent = [str(door) for door in declared() if not isinstance(door.required, Can)]
    assert not silent, "add @requires(Can.X) or `required = Can.X`"


def test_the_undeclared_are_those_of_the_house():
    by_name = {door.name: door for door in doors() if door.name in NO_DECLARATION}
    assert set(by_name) == NO_DECLARATION
    for name in NO_DECLARATION:
        assert by_name[name].callback.cls.permission_classes == [SignedIn]


@pytest.mark.parametrize("role", [NOBODY, *ROLES])
def test_every_door(clients: dict[str, Client], role: str):
    wrong = []
    for door in declared():
        permission = door.required
        if permission is None:
            continue  # named by the test above
        response = ask(clients[role], door)
        status = response.status_code
        if may(role, permission):
            # a rule of the thing itself (another reader's verdict) may still say no
            refused = status == 401 or (status == 403 and "permission_denied" in response.said)
            if refused or (status >= 500 and status != 503):
                wrong.append(f"{door}: {status} though {role} holds {permission}")
        elif role == NOBODY:
            to_sign_in = status == 302 and response["Location"].startswith("/login/")
            if not (status == 401 if door.is_api else to_sign_in or status == 405):
                wrong.append(f"{door}: {status} for nobody")
        elif status not in {403, 404, 405}:
            wrong.append(f"{door}: {status} though {role} lacks {permission}")
        if not may(role, permission):
            wrong += [f"{door}: tells {c}" for c in hospital.CANARIES if c in response.said]
    assert not wrong, "\n".join(wrong)


def test_no_method_is_missed_on_pages(clients: dict[str, Client]):
    """A page checks who asks before it looks at the method, for methods nobody thought of too."""
    wrong = []
    for door in declared():
        if door.is_api or door.method != "get" or door.required is Can.ANYONE:
            continue
        for method in ("put", "patch", "delete"):
            odd = Door(door.path, method, door.name, door.callback, is_api=False)
            response = ask(clients[NOBODY], odd)
            if response.status_code not in {302, 403, 405}:
                wrong.append(f"{odd}: {response.status_code}")
    assert not wrong


def test_an_engineer_never_reads_who_the_patient_is(clients: dict[str, Client]):
    told, read = [], 0
    paths = {door.path for door in doors() if door.method == "get"}
    searches = {f"/search/?q={word}" for word in ("CANARY", "CanaryName", "CANARY-ID", "SN", "XR")}
    filters = {f"{path}?q=CANARY&search=CANARY&patient=CANARY-ID&ordering=name" for path in paths}
    for path in sorted(paths | searches | filters | set(PROBES)):
        response = ask(clients[Role.ENGINEER], Door(path, "get", "", None, is_api=False))
        read += response.status_code == 200
        typed = {word for word in hospital.CANARIES if word in path}
        told += [
            f"{path}: {canary}"
            for canary in hospital.CANARIES
            if canary in response.said and canary not in typed
        ]
    assert not told, "\n".join(told)
    assert read > 10, "an empty walk proves nothing"


def test_the_canary_sings(clients: dict[str, Client]):
    """The same walk as a clinician does read the patient: the canaries are in the right places."""
    heard: set[str] = set()
    for door in doors():
        if door.method == "get":
            text = ask(clients[Role.CLINICIAN], door).said
            heard |= {canary for canary in hospital.CANARIES if canary in text}
    assert {"CanaryName", "CANARY-ID", "1931-07-23", "23 Jul 1931"} <= heard


def test_the_audit_trail_names_no_patient_and_misses_no_patient_page(clients: dict[str, Client]):
    client = clients[Role.CLINICIAN]
    untold = []
    for door in declared():
        if door.method != "get":
            continue
        before = AuditEntry.objects.count()
        response = client.get(door.path)
        text = text_of(response)
        showed = response.status_code == 200 and "CANARY-ID" in text
        if showed and AuditEntry.objects.count() == before:
            untold.append(f"{door} shows a patient and writes no audit row")
    assert not untold, "\n".join(untold)
    written = str(list(AuditEntry.objects.values()))
    assert not [canary for canary in hospital.CANARIES if canary in written]


# --- the table of docs: who may what, by address

EVERY = set(ROLES)
CLINICIAN, ENGINEER, ADMIN = {Role.CLINICIAN}, {Role.ENGINEER}, {Role.ADMIN}
WORKS = ENGINEER | ADMIN
WHO_MAY_WHAT: list[tuple[str, str, set[Any]]] = [
    ("post", "/api/v1/images/", CLINICIAN),
    ("get", f"/api/v1/images/{N}/", CLINICIAN | ADMIN),
    ("get", f"/api/v1/images/{N}/rendered.png", CLINICIAN),
    ("get", f"/api/v1/runs/{N}/", CLINICIAN | ADMIN),
    ("get", "/api/v1/worklist/", CLINICIAN),
    ("post", f"/api/v1/findings/{N}/reviews/", CLINICIAN),
    ("post", f"/api/v1/images/{N}/reviews/", CLINICIAN),
    ("post", f"/api/v1/images/{N}/claim/", CLINICIAN),
    ("post", f"/api/v1/images/{N}/release/", CLINICIAN),
    ("post", f"/api/v1/images/{N}/sign/", CLINICIAN),
    ("get", f"/api/v1/images/{N}/reads/", CLINICIAN),
    ("post", f"/api/v1/images/{N}/adjudicate/", CLINICIAN),
    ("get", f"/api/v1/images/{N}/report/", CLINICIAN),
    ("get", f"/api/v1/images/{N}/report.pdf", CLINICIAN),
    ("get", f"/api/v1/images/{N}/report/draft/", CLINICIAN),
    ("put", f"/api/v1/images/{N}/report/draft/", CLINICIAN),
    ("get", f"/api/v1/images/{N}/text-blocks/", CLINICIAN),
    ("get", "/api/v1/text-blocks/", CLINICIAN | ADMIN),
    ("post", "/api/v1/text-blocks/", CLINICIAN | ADMIN),
    ("put", f"/api/v1/text-blocks/{N}/", CLINICIAN | ADMIN),
    ("get", "/api/v1/devices/", EVERY),
    ("get", f"/api/v1/devices/{N}/", EVERY),
    ("post", "/api/v1/devices/", WORKS),
    ("get", "/api/v1/device-inbox/", WORKS),
    ("post", f"/api/v1/device-inbox/{N}/register/", WORKS),
    ("post", f"/api/v1/device-inbox/{N}/alias/", WORKS),
    ("post", f"/api/v1/device-inbox/{N}/dismiss/", WORKS),
    ("post", f"/api/v1/devices/{N}/readings/", WORKS),
    ("get", f"/api/v1/devices/{N}/readings/", WORKS),
    ("get", f"/api/v1/devices/{N}/checks/{N}/", WORKS),
    ("get", "/api/v1/rules/", WORKS),
    ("post", "/api/v1/rules/", WORKS),
    ("get", f"/api/v1/rules/{N}/", WORKS),
    ("patch", f"/api/v1/rules/{N}/", WORKS),
    ("post", f"/api/v1/rules/{N}/disable/", WORKS),
    ("post", "/api/v1/rules/replay/", WORKS),
    ("get", f"/api/v1/devices/{N}/readings.csv", WORKS),
    ("get", f"/api/v1/devices/{N}/timeline/", WORKS),
    ("get", f"/api/v1/devices/{N}/baseline/", WORKS),
    ("get", f"/api/v1/devices/compare/?a={N}", WORKS),
    ("get", "/api/v1/devices/export.csv", WORKS),
    ("get", f"/api/v1/devices/{N}/keys/", WORKS),
    ("post", f"/api/v1/devices/{N}/keys/", WORKS),
    ("delete", f"/api/v1/devices/{N}/keys/{N}/", WORKS),
    ("post", f"/api/v1/devices/{N}/keys/{N}/rotate/", WORKS),
    ("get", f"/api/v1/devices/{N}/degraded/", EVERY),
    ("post", f"/api/v1/devices/{N}/degraded/", WORKS),
    ("post", f"/api/v1/devices/{N}/degraded/{N}/end/", WORKS),
    ("post", f"/api/v1/devices/{N}/degraded/{N}/withdraw/", WORKS),
    ("get", f"/api/v1/devices/{N}/re-read-list/", EVERY),
    ("get", "/api/v1/re-read-lists/", EVERY),
    ("get", f"/api/v1/re-read-lists/{N}/", EVERY),
    ("post", f"/api/v1/re-read-lists/{N}/assign/", CLINICIAN),
    ("post", f"/api/v1/re-read-lists/{N}/done/", CLINICIAN),
    ("get", f"/api/v1/re-reads/{N}/", CLINICIAN),
    ("post", f"/api/v1/re-reads/{N}/record/", CLINICIAN),
    ("post", f"/api/v1/re-reads/{N}/reopen/", CLINICIAN),
    ("get", f"/devices/{N}/degraded/", EVERY),
    ("post", f"/devices/{N}/degraded/mark/", WORKS),
    ("post", f"/devices/{N}/degraded/{N}/end/", WORKS),
    ("post", f"/devices/{N}/degraded/{N}/withdraw/", WORKS),
    ("get", f"/devices/{N}/degraded/preview/", EVERY),
    ("get", f"/devices/{N}/re-reads/", EVERY),
    ("get", "/re-reads/", EVERY),
    ("get", f"/re-reads/{N}/", EVERY),
    ("get", f"/re-reads/{N}/export.csv", EVERY),
    ("post", f"/re-reads/{N}/assign/", CLINICIAN),
    ("post", f"/re-reads/{N}/done/", CLINICIAN),
    ("get", f"/re-reads/items/{N}/", CLINICIAN),
    ("post", f"/re-reads/items/{N}/record/", CLINICIAN),
    ("post", f"/re-reads/items/{N}/reopen/", CLINICIAN),
    ("get", f"/api/v1/devices/{N}/components/", WORKS),
    ("post", f"/api/v1/devices/{N}/components/", WORKS),
    ("post", f"/api/v1/devices/{N}/components/{N}/replace/", WORKS),
    ("post", f"/api/v1/devices/{N}/components/{N}/remove/", WORKS),
    ("post", f"/api/v1/devices/{N}/components/{N}/correct/", WORKS),
    ("get", f"/api/v1/devices/{N}/risk/", WORKS),
    ("get", "/api/v1/reading-imports/", WORKS),
    ("post", "/api/v1/reading-imports/", WORKS),
    ("get", f"/api/v1/reading-imports/{N}/", WORKS),
    ("post", f"/api/v1/reading-imports/{N}/store/", WORKS),
    ("post", f"/api/v1/reading-imports/{N}/discard/", WORKS),
    ("get", f"/api/v1/reading-imports/{N}/refused/", WORKS),
    ("get", "/api/v1/device-models/", WORKS),
    ("get", f"/api/v1/device-models/{N}/", WORKS),
    ("patch", f"/api/v1/device-models/{N}/", WORKS),
    ("post", f"/api/v1/device-models/{N}/metrics/", WORKS),
    ("patch", f"/api/v1/device-models/{N}/metrics/{N}/", WORKS),
    ("get", "/api/v1/alerts/", WORKS),
    ("post", f"/api/v1/alerts/{N}/acknowledge/", WORKS),
    ("post", f"/api/v1/alerts/{N}/resolve/", WORKS),
    ("post", "/api/v1/alerts/acknowledge/", WORKS),
    ("get", "/api/v1/alert-policy/", WORKS),
    ("post", "/api/v1/alert-policy/", ADMIN),
    ("get", "/api/v1/alerts/figures/", WORKS),
    ("get", "/api/v1/alert-subscription/", WORKS),
    ("put", "/api/v1/alert-subscription/", WORKS),
    ("get", "/api/v1/alert-deliveries/", WORKS),
    ("get", f"/api/v1/alert-deliveries/{N}/", WORKS),
    ("post", f"/api/v1/alert-deliveries/{N}/send-again/", WORKS),
    ("get", "/api/v1/notifications/", WORKS),
    ("post", "/api/v1/notifications/read/", WORKS),
    ("get", "/api/v1/supplies/", WORKS),
    ("post", "/api/v1/supplies/", WORKS),
    ("put", f"/api/v1/supplies/{N}/", WORKS),
    ("delete", f"/api/v1/supplies/{N}/", WORKS),
    ("get", f"/api/v1/devices/{N}/relations/", WORKS),
    ("put", f"/api/v1/devices/{N}/relations/", WORKS),
    ("get", "/api/v1/webhooks/", ADMIN),
    ("post", "/api/v1/webhooks/", ADMIN),
    ("put", f"/api/v1/webhooks/{N}/", ADMIN),
    ("post", f"/api/v1/webhooks/{N}/rotate/", ADMIN),
    ("post", f"/api/v1/webhooks/{N}/test/", ADMIN),
    ("get", "/api/v1/maintenance-plans/", WORKS),
    ("post", "/api/v1/maintenance-plans/", ADMIN),
    ("get", "/api/v1/work-orders/", WORKS),
    ("get", "/api/v1/person-skills/", WORKS),
    ("post", "/api/v1/person-skills/", ADMIN),
    ("delete", f"/api/v1/person-skills/{N}/", ADMIN),
    ("post", f"/api/v1/work-orders/{N}/start/", WORKS),
    ("post", f"/api/v1/work-orders/{N}/complete/", WORKS),
    ("post", f"/api/v1/work-orders/{N}/files/", WORKS),
    ("post", f"/api/v1/work-orders/{N}/answers/", WORKS),
    ("get", f"/api/v1/work-orders/{N}/files/{N}/", WORKS),
    ("post", f"/api/v1/work-orders/{N}/labour/", WORKS),
    ("post", f"/api/v1/work-orders/{N}/costs/", WORKS),
    ("get", "/api/v1/model-plans/", WORKS),
    ("post", "/api/v1/model-plans/", ADMIN),
    ("patch", f"/api/v1/model-plans/{N}/", ADMIN),
    ("post", f"/api/v1/model-plans/{N}/exceptions/", ADMIN),
    ("delete", f"/api/v1/model-plans/{N}/exceptions/{N}/", ADMIN),
    ("get", "/api/v1/blackouts/", WORKS),
    ("post", "/api/v1/blackouts/", ADMIN),
    ("delete", f"/api/v1/blackouts/{N}/", ADMIN),
    ("get", "/api/v1/downtimes/", WORKS),
    ("patch", f"/api/v1/downtimes/{N}/", WORKS),
    ("post", f"/api/v1/downtimes/{N}/remove/", WORKS),
    ("get", "/api/v1/maintenance-figures/", WORKS),
    ("post", "/api/v1/what-ifs/", ADMIN),
    ("get", "/api/v1/schedule-suggestions/", ADMIN),
    ("post", "/api/v1/schedule-suggestions/", ADMIN),
    ("get", f"/api/v1/devices/{N}/loss/", WORKS),
    ("get", "/api/v1/covered-hours/", WORKS),
    ("put", "/api/v1/covered-hours/", ADMIN),
    ("put", f"/api/v1/devices/{N}/covered-hours/", ADMIN),
    ("delete", f"/api/v1/devices/{N}/covered-hours/", ADMIN),
    ("post", f"/api/v1/work-orders/{N}/reschedule/", WORKS),
    ("get", "/quality/", WORKS),
    ("get", f"/quality/protocols/{N}/", WORKS),
    ("get", "/quality/protocols/new/", ADMIN),
    ("post", f"/quality/protocols/{N}/edit/", ADMIN),
    ("post", f"/quality/protocols/{N}/tie/", ADMIN),
    ("post", f"/quality/protocols/{N}/untie/{N}/", ADMIN),
    ("get", f"/quality/devices/{N}/protocols/{N}/", WORKS),
    ("get", f"/quality/devices/{N}/protocols/{N}.csv", WORKS),
    ("get", f"/quality/sessions/{N}/", WORKS),
    ("post", f"/quality/sessions/{N}/sign/", WORKS),
    ("get", f"/quality/sessions/{N}/certificate.pdf", WORKS),
    ("get", f"/quality/sessions/{N}/files/{N}/", WORKS),
    ("get", "/quality/instruments/", WORKS),
    ("get", "/api/v1/qa-protocols/", WORKS),
    ("post", "/api/v1/qa-protocols/", ADMIN),
    ("put", f"/api/v1/qa-protocols/{N}/", ADMIN),
    ("post", f"/api/v1/qa-protocols/{N}/plans/", ADMIN),
    ("get", "/api/v1/qa-sessions/", WORKS),
    ("post", "/api/v1/qa-sessions/", WORKS),
    ("post", f"/api/v1/qa-sessions/{N}/sign/", WORKS),
    ("post", f"/api/v1/qa-sessions/{N}/supersede/", WORKS),
    ("get", f"/api/v1/qa-sessions/{N}/certificate.pdf", WORKS),
    ("get", "/api/v1/qa-instruments/", WORKS),
    ("get", f"/api/v1/devices/{N}/qa/", WORKS),
    ("get", "/api/v1/calendar-feeds/", WORKS),
    ("delete", f"/api/v1/calendar-feeds/{N}/", WORKS),
    ("get", "/api/v1/notices/", WORKS),
    ("post", "/api/v1/notices/read/", WORKS),
    ("post", f"/api/v1/notices/{N}/read/", WORKS),
    ("get", "/api/v1/notice-settings/", WORKS),
    ("put", "/api/v1/notice-settings/", WORKS),
    ("get", "/api/v1/notice-policy/", WORKS),
    ("post", "/api/v1/notice-policy/", ADMIN),
    ("get", "/api/v1/patients/", CLINICIAN),
    ("get", f"/api/v1/patients/{N}/timeline/", CLINICIAN),
    ("post", f"/api/v1/patients/{N}/observations/", CLINICIAN),
    ("get", "/api/v1/detector-versions/", ADMIN),
    ("post", f"/api/v1/detector-versions/{N}/promote/", ADMIN),
    ("get", f"/api/v1/detector-versions/{N}/", ADMIN),
    ("get", f"/api/v1/detector-versions/{N}/compare/", ADMIN),
    ("post", f"/api/v1/detector-versions/{N}/shadow/", ADMIN),
    ("delete", f"/api/v1/detector-versions/{N}/shadow/", ADMIN),
    ("post", f"/api/v1/detector-versions/{N}/retire/", ADMIN),
    ("post", f"/api/v1/detector-versions/{N}/score/", ADMIN),
    ("get", "/api/v1/detector-versions/uploads/", ADMIN),
    ("post", "/api/v1/detector-versions/uploads/", ADMIN),
    ("get", f"/api/v1/detector-versions/uploads/{N}/", ADMIN),
    ("post", "/models/upload/", ADMIN),
    ("get", "/models/uploads/", ADMIN),
    ("get", "/api/v1/datasets/", ADMIN),
    ("post", "/api/v1/datasets/", ADMIN),
    ("get", f"/api/v1/datasets/{N}/", ADMIN),
    ("get", f"/api/v1/datasets/{N}/download/", ADMIN),
    ("get", "/api/v1/dataset-exports/", ADMIN),
    ("get", f"/api/v1/dataset-exports/{N}/", ADMIN),
    ("get", "/api/v1/label-next/", CLINICIAN),
    ("get", "/api/v1/agreement/", CLINICIAN),
    ("get", f"/api/v1/images/{N}/first-impressions/", CLINICIAN),
    ("post", f"/api/v1/images/{N}/first-impressions/", CLINICIAN),
    ("get", "/api/v1/reading-groups/", ADMIN),
    ("post", "/api/v1/reading-groups/", ADMIN),
    ("put", f"/api/v1/reading-groups/{N}/", ADMIN),
    ("get", "/api/v1/critical-results/", CLINICIAN),
    ("get", "/api/v1/help/", CLINICIAN),
    ("get", "/api/v1/second-looks/", CLINICIAN),
    ("get", "/api/v1/saved-views/", CLINICIAN),
    ("post", "/api/v1/saved-views/", CLINICIAN),
    ("delete", f"/api/v1/saved-views/{N}/", CLINICIAN),
    ("get", "/api/v1/users/", ADMIN),
    ("get", "/api/v1/audit/", ADMIN),
    ("get", "/", EVERY),
    ("get", "/account/", EVERY),
    ("get", "/search/?q=1", EVERY),
    ("get", "/worklist/", CLINICIAN),
    ("get", "/label-next/", CLINICIAN),
    ("get", "/agreement/", CLINICIAN),
    ("get", "/agreement/films/", CLINICIAN),
    ("get", f"/films/{N}/", CLINICIAN),
    ("get", f"/films/{N}/beside/{N}/", CLINICIAN),
    ("get", f"/images/{N}/report/", CLINICIAN),
    ("get", f"/images/{N}/report.pdf", CLINICIAN),
    ("get", "/text-blocks/", CLINICIAN | ADMIN),
    ("post", f"/text-blocks/{N}/", CLINICIAN | ADMIN),
    ("get", "/upload/", CLINICIAN),
    ("get", "/patients/", CLINICIAN),
    ("get", f"/patients/{N}/", CLINICIAN),
    ("get", "/devices/", EVERY),
    ("get", f"/devices/{N}/", EVERY),
    ("get", "/devices/wall/", WORKS),
    ("get", f"/devices/compare/?a={N}&against=earlier", WORKS),
    ("get", "/devices/export.csv", WORKS),
    ("get", f"/devices/{N}/readings.csv", WORKS),
    ("post", f"/devices/{N}/keys/new/", WORKS),
    ("post", f"/devices/{N}/keys/{N}/rotate/", WORKS),
    ("post", f"/devices/{N}/keys/{N}/revoke/", WORKS),
    ("get", f"/devices/{N}/checks/{N}/", WORKS),
    ("get", "/rules/", WORKS),
    ("get", f"/rules/{N}/", WORKS),
    ("get", f"/rules/{N}/edit/", WORKS),
    ("post", f"/rules/{N}/switch/", WORKS),
    ("get", f"/makes/{N}/rules/new/", WORKS),
    ("post", f"/makes/{N}/rules/replay/", WORKS),
    ("get", f"/devices/{N}/components/new/", WORKS),
    ("post", f"/devices/{N}/components/{N}/replace/", WORKS),
    ("post", f"/devices/{N}/components/{N}/remove/", WORKS),
    ("post", f"/devices/{N}/components/{N}/correct/", WORKS),
    ("get", f"/devices/{N}/risk/", WORKS),
    ("get", f"/devices/{N}/sections/", WORKS),
    ("post", f"/devices/{N}/details/", WORKS),
    ("get", "/reading-imports/", WORKS),
    ("get", f"/reading-imports/{N}/", WORKS),
    ("post", f"/reading-imports/{N}/store/", WORKS),
    ("post", f"/reading-imports/{N}/discard/", WORKS),
    ("get", f"/reading-imports/{N}/refused.csv", WORKS),
    ("get", "/device-models/", WORKS),
    ("post", f"/device-models/{N}/", WORKS),
    ("post", f"/device-models/{N}/metrics/new/", WORKS),
    ("post", f"/device-models/{N}/metrics/{N}/", WORKS),
    ("get", "/alerts/", WORKS),
    ("post", "/alerts/acknowledge/", WORKS),
    ("get", "/alerts/policy/", WORKS),
    ("post", "/alerts/policy/", ADMIN),
    ("get", "/alerts/figures/", WORKS),
    ("get", "/alerts/figures/export/", WORKS),
    ("get", "/alerts/deliveries/", WORKS),
    ("get", f"/alerts/deliveries/{N}/", WORKS),
    ("post", f"/alerts/deliveries/{N}/send-again/", WORKS),
    ("get", "/notifications/", WORKS),
    ("post", "/notifications/read/", WORKS),
    ("get", "/notifications/settings/", WORKS),
    ("get", "/supplies/", WORKS),
    ("get", f"/supplies/{N}/", WORKS),
    ("post", f"/supplies/{N}/delete/", WORKS),
    ("get", f"/devices/{N}/relations/", WORKS),
    ("get", "/webhooks/", ADMIN),
    ("get", f"/webhooks/{N}/", ADMIN),
    ("post", f"/webhooks/{N}/rotate/", ADMIN),
    ("post", f"/webhooks/{N}/test/", ADMIN),
    ("get", "/device-inbox/", WORKS),
    ("get", "/maintenance/", WORKS),
    ("get", f"/maintenance/downtimes/{N}/", WORKS),
    ("post", f"/maintenance/downtimes/{N}/remove/", WORKS),
    ("get", "/maintenance/figures/", WORKS),
    ("get", "/maintenance/figures.csv", WORKS),
    ("get", "/maintenance/figures/uptime/", WORKS),
    ("get", "/maintenance/covered-hours/", WORKS),
    ("post", "/maintenance/covered-hours/set/", ADMIN),
    ("get", "/maintenance/calendar-feeds/", WORKS),
    ("get", "/notices/", WORKS),
    ("post", "/notices/read/", WORKS),
    ("post", "/notices/undo/", WORKS),
    ("post", f"/notices/{N}/read/", WORKS),
    ("get", "/notices/digest/", WORKS),
    ("get", "/notices/settings/", WORKS),
    ("get", "/notices/who/", ADMIN),
    ("get", "/notices/policy/", ADMIN),
    ("get", "/maintenance/week/", WORKS),
    ("post", f"/maintenance/reschedule/{N}/", WORKS),
    ("post", "/maintenance/week/undo/", WORKS),
    ("get", "/planning/what-if/", ADMIN),
    ("post", "/planning/what-if/keep/", ADMIN),
    ("post", "/planning/what-if/apply/", ADMIN),
    ("post", "/planning/undo/", ADMIN),
    ("get", "/planning/scenarios/", ADMIN),
    ("post", f"/planning/scenarios/{N}/delete/", ADMIN),
    ("get", "/planning/suggestion/", ADMIN),
    ("post", "/planning/suggestion/", ADMIN),
    ("post", f"/planning/suggestions/{N}/accept/", ADMIN),
    ("get", f"/planning/loss/{N}/", WORKS),
    ("get", "/maintenance/plans/new/", ADMIN),
    ("get", f"/maintenance/orders/{N}/", WORKS),
    ("get", f"/maintenance/orders/{N}/files/{N}/", WORKS),
    ("post", f"/maintenance/orders/{N}/files/", WORKS),
    ("post", f"/maintenance/orders/{N}/labour/", WORKS),
    ("post", f"/maintenance/orders/{N}/costs/", WORKS),
    ("get", "/maintenance/model-plans/", WORKS),
    ("get", "/maintenance/model-plans/new/", ADMIN),
    ("get", f"/maintenance/model-plans/{N}/", WORKS),
    ("get", f"/maintenance/model-plans/{N}/edit/", ADMIN),
    ("post", f"/maintenance/model-plans/{N}/except/", ADMIN),
    ("post", f"/maintenance/plan-exceptions/{N}/end/", ADMIN),
    ("get", "/maintenance/blackouts/", WORKS),
    ("get", f"/maintenance/plans/{N}/blackouts/", WORKS),
    ("post", f"/maintenance/plans/{N}/blackouts/new/", ADMIN),
    ("get", "/maintenance/skills/", WORKS),
    ("post", "/maintenance/skills/give/", ADMIN),
    ("post", f"/maintenance/skills/{N}/take/", ADMIN),
    ("post", "/maintenance/blackouts/new/", ADMIN),
    ("post", f"/maintenance/blackouts/{N}/delete/", ADMIN),
    ("get", "/inventory/parts/", WORKS),
    ("get", "/inventory/parts.csv", WORKS),
    ("get", "/inventory/parts/new/", ADMIN),
    ("get", "/inventory/parts/to-reorder/", WORKS),
    ("get", "/inventory/parts/to-reorder.csv", WORKS),
    ("get", f"/inventory/parts/{N}/", WORKS),
    ("get", f"/inventory/parts/{N}/edit/", ADMIN),
    ("post", f"/inventory/parts/{N}/receive/", ADMIN),
    ("post", f"/inventory/parts/{N}/count/", ADMIN),
    ("post", f"/inventory/orders/{N}/issue/", WORKS),
    ("post", f"/inventory/plans/{N}/parts/", ADMIN),
    ("post", f"/inventory/model-plans/{N}/parts/", ADMIN),
    ("post", f"/inventory/movements/{N}/return/", WORKS),
    ("get", "/inventory/vendors/", WORKS),
    ("get", "/inventory/vendors/new/", ADMIN),
    ("post", f"/inventory/vendors/{N}/", ADMIN),
    ("get", "/inventory/contracts/", WORKS),
    ("get", "/inventory/contracts/new/", ADMIN),
    ("get", f"/inventory/contracts/{N}/", WORKS),
    ("post", f"/inventory/contracts/{N}/edit/", ADMIN),
    ("get", f"/inventory/devices/{N}/warranty/", ADMIN),
    ("post", f"/inventory/warranties/{N}/withdraw/", ADMIN),
    ("get", "/inventory/recalls/", WORKS),
    ("get", "/inventory/recalls.csv", WORKS),
    ("get", f"/inventory/recalls/{N}/", WORKS),
    ("post", f"/inventory/candidates/{N}/confirm/", WORKS),
    ("post", f"/inventory/candidates/{N}/reject/", WORKS),
    ("post", f"/inventory/candidates/{N}/reopen/", WORKS),
    ("post", f"/inventory/candidates/{N}/order/", WORKS),
    ("get", "/inventory/mds2/", WORKS),
    ("get", f"/inventory/mds2/{N}/", WORKS),
    ("get", f"/inventory/mds2/{N}/edit/", ADMIN),
    ("get", f"/inventory/mds2/{N}/answers.csv", WORKS),
    ("get", "/inventory/audit-files/", WORKS),
    ("post", "/inventory/audit-files/", WORKS),
    ("get", f"/inventory/audit-files/{N}/", WORKS),
    ("get", f"/inventory/audit-files/{N}/file.pdf", WORKS),
    ("get", "/inventory/imports/", ADMIN),
    ("get", f"/inventory/imports/{N}/", ADMIN),
    ("post", f"/inventory/imports/{N}/apply/", ADMIN),
    ("post", f"/inventory/imports/{N}/discard/", ADMIN),
    ("get", f"/inventory/imports/{N}/fates.csv", ADMIN),
    ("get", "/inventory/machines.csv", WORKS),
    ("get", "/inventory/plans.csv", WORKS),
    ("get", "/api/v1/parts/", WORKS),
    ("post", "/api/v1/parts/", ADMIN),
    ("post", f"/api/v1/parts/{N}/movements/", WORKS),
    ("patch", f"/api/v1/vendors/{N}/", ADMIN),
    ("get", "/api/v1/contracts/", WORKS),
    ("post", "/api/v1/contracts/", ADMIN),
    ("post", f"/api/v1/warranties/{N}/withdraw/", ADMIN),
    ("get", "/api/v1/recalls/", WORKS),
    ("post", f"/api/v1/recall-candidates/{N}/confirm/", WORKS),
    ("get", f"/api/v1/device-models/{N}/mds2/", WORKS),
    ("get", f"/api/v1/maintenance-plans/{N}/parts/", WORKS),
    ("post", f"/api/v1/maintenance-plans/{N}/parts/", ADMIN),
    ("get", f"/api/v1/model-plans/{N}/parts/", WORKS),
    ("post", f"/api/v1/model-plans/{N}/parts/", ADMIN),
    ("put", f"/api/v1/device-models/{N}/mds2/", ADMIN),
    ("get", "/api/v1/audit-files/", WORKS),
    ("get", "/api/v1/inventory-imports/", ADMIN),
    ("post", f"/api/v1/inventory-imports/{N}/apply/", ADMIN),
    ("get", "/models/", ADMIN),
    ("get", f"/models/{N}/report/", ADMIN),
    ("get", "/datasets/", ADMIN),
    ("get", "/datasets/body/", ADMIN),
    ("post", "/datasets/export/", ADMIN),
    ("get", f"/datasets/{N}/", ADMIN),
    ("get", f"/datasets/{N}/download/", ADMIN),
    ("post", f"/films/{N}/first-impression/", CLINICIAN),
    ("get", "/reading-groups/", ADMIN),
    ("post", "/reading-groups/", ADMIN),
    ("get", "/storage/", WORKS),
    ("post", "/storage/settle/", ADMIN),
    ("post", "/storage/apply/", ADMIN),
    ("get", "/api/v1/storage/", WORKS),
    ("get", "/api/v1/retention-policy/", WORKS),
    ("post", "/api/v1/retention-policy/", ADMIN),
    ("get", "/api/v1/retention-plan/", WORKS),
    ("get", "/api/v1/retention-runs/", WORKS),
    ("post", "/api/v1/retention-runs/", ADMIN),
    ("get", "/reading-policy/", ADMIN),
    ("post", "/reading-policy/", ADMIN),
    ("get", "/api/v1/reading-policy/", ADMIN),
    ("post", "/api/v1/reading-policy/", ADMIN),
    ("get", "/users/", ADMIN),
    ("get", "/audit/", ADMIN),
]


@pytest.mark.parametrize(
    ("method", "path", "roles"), WHO_MAY_WHAT, ids=[f"{m} {p}" for m, p, _ in WHO_MAY_WHAT]
)
def test_who_may_what(clients: dict[str, Client], method: str, path: str, roles: set[str]):
    found = resolve(path.partition("?")[0])
    door = Door(path, method, "", found.func, is_api=hasattr(found.func, "cls"))
    for role in ROLES:
        status = ask(clients[role], door).status_code
        if role in roles:
            assert status not in {401, 403, 405}, (role, status)
            assert status < 500 or status == 503, (role, status)
        else:
            assert status in {403, 404}, (role, status)
    nobody = ask(clients[NOBODY], door)
    if door.is_api:
        assert nobody.status_code == 401
    else:
        assert nobody["Location"].startswith("/login/")
