"""The audit trail: only added to, found by every filter, safe to open in a spreadsheet."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import DatabaseError, connection, transaction
from django.test import Client, override_settings
from django.utils import timezone

from accounts import csvsafe, selectors
from accounts.models import AuditEntry, User
from accounts.selectors import AuditFilter
from accounts.services import audit
from accounts.views import audit as audit_views

Make = Callable[..., User]
NOON = datetime(2026, 11, 14, 12, tzinfo=UTC)


def entry(**fields: object) -> AuditEntry:
    row = {
        "at": NOON,
        "actor_name": "ward",
        "actor_role": "clinician",
        "verb": "viewed",
        "object_type": "patients.Patient",
        "object_id": "7",
        **fields,
    }
    return AuditEntry.objects.create(**row)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE accounts_auditentry SET actor_name = 'nobody'",
        "UPDATE accounts_auditentry SET detail = '{}'",
        "DELETE FROM accounts_auditentry",
    ],
)
def test_the_database_refuses_to_change_or_remove_rows(db: None, statement: str):
    row = entry(detail={"a": 1})
    with pytest.raises(DatabaseError, match="only ever added"), transaction.atomic():
        connection.cursor().execute(statement)
    assert AuditEntry.objects.values().get() == {
        **AuditEntry.objects.values().get(pk=row.pk),
        "actor_name": "ward",
        "detail": {"a": 1},
    }


def test_removing_an_account_keeps_its_rows(make_user: Make):
    user = make_user("leaver")
    audit.record(actor=user, verb="viewed", obj=user)
    number = user.pk
    user.delete()
    row = AuditEntry.objects.get()
    assert (row.actor_name, row.actor_id) == ("leaver", number)


def test_a_row_says_who_what_when_where_and_in_which_request(admin_client: Client, admin: User):
    before = timezone.now()
    admin_client.get("/audit/?patient=7", REMOTE_ADDR="192.0.2.9")
    row = AuditEntry.objects.get()
    assert (row.actor, row.actor_name, row.actor_role) == (admin, "boss", "admin")
    assert (row.verb, row.object_type, row.object_id) == ("viewed", "accounts.AuditEntry", "")
    assert (row.remote_addr, row.patient_ref, row.detail) == ("192.0.2.9", 7, {"patient": "7"})
    assert before <= row.at <= timezone.now()
    assert row.request_id
    admin_client.get("/audit/")
    assert AuditEntry.objects.latest("id").request_id != row.request_id


def test_the_system_writes_too(make_user: Make):
    row = audit.record(actor=None, verb="imported", obj=make_user("x"), patient_id=3)
    assert (row.actor, row.actor_name, row.actor_role, row.remote_addr) == (
        None,
        "system",
        "",
        None,
    )


@override_settings(TRUSTED_PROXY_COUNT=1)
def test_the_address_behind_our_proxy(admin_client: Client):
    admin_client.get("/audit/", headers={"X-Forwarded-For": "198.51.100.1, 203.0.113.5"})
    assert AuditEntry.objects.get().remote_addr == "203.0.113.5"


# --- filters and pages


@pytest.mark.parametrize(
    "chosen",
    [
        AuditFilter(actor="other"),
        AuditFilter(verb="signed"),
        AuditFilter(object_type="detection.Signature"),
        AuditFilter(object_id="99"),
        AuditFilter(patient=42),
        AuditFilter(request_id="r-1"),
        AuditFilter(since=date(2026, 11, 20)),
        AuditFilter(actor="other", patient=42, since=date(2026, 11, 20)),
    ],
)
def test_each_filter_finds_its_row(db: None, chosen: AuditFilter):
    entry()
    wanted = entry(
        at=NOON + timedelta(days=6),
        actor_name="other",
        verb="signed",
        object_type="detection.Signature",
        object_id="99",
        patient_ref=42,
        request_id="r-1",
    )
    assert list(selectors.audit_entries(chosen)) == [wanted]


@pytest.mark.parametrize(
    ("zone", "days"),
    [("UTC", ["13", "13", "14", "14"]), ("Asia/Tokyo", ["13", "14", "14", "15"])],
)
def test_days_are_the_hospitals_days(db: None, zone: str, days: list[str]):
    for day, hour in ((13, 14), (13, 16), (14, 14), (14, 16)):
        entry(at=datetime(2026, 11, day, hour, tzinfo=UTC))
    with timezone.override(zone):
        for day in ("13", "14", "15"):
            on = date(2026, 11, int(day))
            found = selectors.audit_entries(AuditFilter(since=on, until=on)).count()
            assert found == days.count(day), (zone, day)


def test_pages_meet_without_gap_or_overlap_even_at_the_same_instant(db: None):
    rows = [entry(at=NOON + timedelta(seconds=number // 4)) for number in range(23)]
    seen: list[int] = []
    cursor = ""
    for _ in range(10):
        page = selectors.audit_page(AuditFilter(), before=cursor, size=5)
        seen += [row.pk for row in page.rows]
        entry(at=NOON + timedelta(days=1))  # newer rows don't shift the pages below
        if not (cursor := page.next_cursor):
            break
    assert seen == [row.pk for row in reversed(rows)]


def test_counting_stops_at_the_cap(db: None, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(selectors, "COUNT_CAP", 3)
    for _ in range(3):
        entry()
    page = selectors.audit_page(AuditFilter())
    assert (page.count, page.more_than_count) == (3, False)
    entry()
    page = selectors.audit_page(AuditFilter())
    assert (page.count, page.more_than_count) == (3, True)


def test_a_page_of_a_filter_walks_an_index(db: None):
    if connection.vendor != "postgresql":
        pytest.skip("the plan is PostgreSQL's")
    AuditEntry.objects.bulk_create(
        AuditEntry(at=NOON + timedelta(seconds=n), actor_name=f"u{n % 50}", verb="viewed",
                   object_type="patients.Patient", object_id=str(n % 400), patient_ref=n % 400)
        for n in range(20_000)
    )  # fmt: skip
    connection.cursor().execute("ANALYZE accounts_auditentry")
    for chosen in (
        AuditFilter(),
        AuditFilter(actor="u7"),
        AuditFilter(patient=7),
        AuditFilter(object_type="patients.Patient", object_id="7"),
        AuditFilter(since=date(2026, 11, 14)),
        AuditFilter(request_id="nothing"),
    ):
        plan = selectors.audit_entries(chosen)[:51].explain()
        assert "Index" in plan, plan
        assert "Seq Scan" not in plan, plan


@pytest.mark.parametrize(
    "cursor",
    [
        "x",
        "2026-11-14",
        "2026-11-14T12:00:00_1",
        "_",
        "2026-11-14T12:00:00+00:00_x",
        "2026-11-14T12:00:00+00:00_-1",
    ],
)
def test_a_bad_cursor_is_400(admin_client: Client, admin_api: Client, cursor: str):
    assert admin_client.get("/audit/", {"before": cursor}).status_code == 400
    response = admin_api.get("/api/v1/audit/", {"before": cursor})
    assert (response.status_code, response.json()["code"]) == (400, "bad_cursor")


def test_the_page_shows_filters_and_hostile_text_as_text(admin_client: Client):
    entry(actor_name="<script>alert(1)</script>", detail={"<b>": "<img src=x>"})
    entry(verb="signed")
    text = admin_client.get("/audit/").content.decode()
    assert "<script>alert(1)" not in text
    assert "&lt;img src=x&gt;" in text
    text = admin_client.get("/audit/?verb=signed").content.decode()
    assert len(re.findall(r'<td class="nowrap"><time', text)) == 1
    assert "verb: signed" in text
    text = admin_client.get("/audit/?since=nonsense&verb=nothing-such").content.decode()
    assert "Enter a valid date" in text
    assert "No row matches" in text


def test_older_rows_have_a_link(admin_client: Client):
    AuditEntry.objects.bulk_create(
        AuditEntry(
            at=NOON + timedelta(seconds=n), actor_name="ward", verb="viewed", object_type="x"
        )
        for n in range(60)
    )
    text = admin_client.get("/audit/?actor=ward").content.decode()
    link = re.search(r'href="(\?[^"]*before=[^"]*)"', text)
    assert link
    older = admin_client.get("/audit/" + link[1].replace("&amp;", "&")).content.decode()
    assert len(re.findall(r'<td class="nowrap"><time', older)) == 10
    assert "newest rows" in older


def test_rest_pages_by_next(admin_api: Client):
    for _ in range(60):
        entry()
    first = admin_api.get("/api/v1/audit/?actor=ward").json()
    assert (first["count"], first["count_is_minimum"], len(first["results"])) == (60, False, 50)
    second = admin_api.get(first["next"]).json()
    assert (len(second["results"]), second["next"]) == (10, None)
    assert {row["id"] for row in first["results"]}.isdisjoint(
        row["id"] for row in second["results"]
    )
    bad = admin_api.get("/api/v1/audit/?since=nonsense")
    assert (bad.status_code, bad.json()["code"]) == (400, "invalid")
    assert AuditEntry.objects.filter(object_type="accounts.AuditEntry").count() == 2


# --- CSV


def lines(response: object) -> list[list[str]]:
    text = b"".join(response.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
    return list(csv.reader(io.StringIO(text, newline="")))


def test_csv_holds_the_filtered_rows_and_leaves_a_trace(admin_client: Client):
    entry(actor_name="=HYPERLINK(1)", detail={"a": 1})
    entry(verb="signed")
    response = admin_client.get("/audit/export.csv?verb=viewed")
    assert response["Content-Type"].startswith("text/csv")
    assert "attachment" in response["Content-Disposition"]
    header, *rows = lines(response)
    assert header[:4] == ["at", "actor", "role", "verb"]
    assert [row[1] for row in rows] == ["'=HYPERLINK(1)"]
    assert rows[0][-1] == '{"a": 1}'
    trace = AuditEntry.objects.get(verb="exported")
    assert trace.detail == {"verb": "viewed"}


def test_csv_is_capped_and_says_so(admin_client: Client, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(audit_views, "EXPORT_CAP", 2)
    for _ in range(2):
        entry()
    assert len(lines(admin_client.get("/audit/export.csv?actor=ward"))) == 3
    entry()
    rows = lines(admin_client.get("/audit/export.csv?actor=ward"))
    assert len(rows) == 4
    assert "cut after 2 rows" in rows[-1][0]


def test_csv_of_a_filter_that_is_not_understood_is_refused(admin_client: Client):
    assert admin_client.get("/audit/export.csv?since=nonsense").status_code == 400


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        ("=1+1", "'=1+1"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
        ("\r=1", "'\r=1"),
        ("  =1", "'  =1"),
        ("\uff1d1", "'\uff1d1"),
        ("a=1", "a=1"),
        ("", ""),
        (None, ""),
        (5, "5"),
        (-5, "-5"),
    ],
)
def test_cells_that_a_spreadsheet_would_compute(value: object, cell: str):
    assert csvsafe.safe_cell(value) == cell


def test_csv_keeps_separators_and_line_ends_inside_cells():
    text = "".join(csvsafe.stream(["a"], [['x,"y"\nz']])).removeprefix("\ufeff")
    assert list(csv.reader(io.StringIO(text, newline=""))) == [["a"], ['x,"y"\nz']]
