"""The fleet as tiles, as a table of pages, on the wall and as CSV."""

from __future__ import annotations

import csv
import io
import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from devices.models import Alert, Device
from devices.selectors.board import ROOMY, sections
from devices.selectors.fleet import fleet
from devices.selectors.wall import wall
from devices.services.evaluation import evaluate_rules
from tests.devices import factories as f
from tests.devices import fleet_rows
from tests.devices.fleet_rows import BACKWARDS, HOSTILE, LONG
from tests.devices.test_pages import client, page

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


@pytest.fixture
def engineer() -> Client:
    return client()


def small() -> list[Device]:
    return fleet_rows.machines(
        timezone.now(),
        names={
            "ok": ["XR-good", "XR-fine"],
            "act": ["XR-bad"],
            "watch": ["XR-odd"],
            "unknown": ["XR-mute"],
        },
    )


def tile_ids(text: str) -> list[int]:
    return [int(pk) for pk in re.findall(r'class="tile [^>]*id="machine-(\d+)"', text)]


def test_the_view_is_kept_for_each_person(engineer: Client) -> None:
    small()
    assert tile_ids(page(engineer, "/devices/")) == []  # few machines: a table
    assert len(tile_ids(page(engineer, "/devices/?view=tiles"))) == 5
    assert len(tile_ids(page(engineer, "/devices/?q=XR"))) == 5
    colleague = client("engineer")
    colleague.cookies.update(engineer.cookies)  # the same browser, somebody else
    colleague.force_login(f.user())
    assert tile_ids(page(colleague, "/devices/")) == []
    assert "<tr id=" in page(engineer, "/devices/?view=table")
    assert tile_ids(page(engineer, "/devices/?view=nonsense")) == []


def test_a_large_fleet_is_shown_as_tiles_unless_somebody_chose(engineer: Client) -> None:
    fleet_rows.many(timezone.now(), ok=26)
    assert len(tile_ids(page(engineer, "/devices/"))) == 26
    assert tile_ids(page(engineer, "/devices/?view=table")) == []
    assert tile_ids(page(engineer, "/devices/")) == []


def test_tiles_stand_by_what_needs_somebody_first(engineer: Client) -> None:
    made = {d.name: d.pk for d in small()}
    text = page(engineer, "/devices/?view=tiles")
    order = ["XR-bad", "XR-odd", "XR-mute", "XR-fine", "XR-good"]
    assert tile_ids(text) == [made[name] for name in order]
    heads = re.findall(r'class="tiles-head tiles-(\w+)"', text)
    assert heads == ["act", "watch", "unknown", "ok"]
    bad = text[text.index(f'id="machine-{made["XR-bad"]}"') :].partition("</a>")[0]
    assert "noise act: 20 kV, allowed at most 10 kV" in bad
    assert ">act</span>" in bad  # a word, not colour alone
    rooms = page(engineer, "/devices/?view=tiles&group=room")
    assert re.findall(r"<bdi>(R\d)</bdi> <span", rooms)[0] == "R2"  # that of XR-bad
    assert page(engineer, "/devices/?view=tiles&state=watch").count('class="tile tile-') == 1


def test_reasons_step_aside_where_many_need_somebody() -> None:
    now = timezone.now()
    fleet_rows.many(now, act=ROOMY + 1, ok=2)
    rows = fleet(at=now).rows
    assert [(s.title, s.roomy) for s in sections(rows, "state")] == [("act", False), ("ok", False)]
    assert sections(rows[:ROOMY], "state")[0].roomy
    assert not any(s.roomy for s in sections(rows[:3], "room"))


def test_a_part_that_says_the_same_is_not_sent_again(engineer: Client) -> None:
    small()
    url = "/devices/?view=tiles"
    first = engineer.get(url, headers=HTMX)
    assert first.headers["Cache-Control"] == "no-store"
    again = engineer.get(url, headers={**HTMX, "If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    Device.objects.filter(name="XR-good").update(name="XR-new")
    changed = engineer.get(url, headers={**HTMX, "If-None-Match": first.headers["ETag"]})
    assert changed.status_code == 200
    assert b"XR-new" in changed.content
    assert "HX-Request" in changed.headers["Vary"]


def test_the_table_has_pages_that_keep_the_filters(engineer: Client) -> None:
    fleet_rows.many(timezone.now(), ok=60)
    first = page(engineer, "/devices/?view=table&ordering=-name&state=ok")
    assert first.count('<tr id="machine-') == 50
    assert "60 of 60 machines" in first
    assert "page=2" in first
    last = page(engineer, "/devices/?view=table&ordering=-name&state=ok&page=2")
    assert last.count('<tr id="machine-') == 10
    assert page(engineer, "/devices/?view=table&page=99").count('<tr id="machine-') == 10


def test_clinicians_have_tiles_without_what_is_not_theirs() -> None:
    small()
    text = page(client("clinician"), "/devices/?view=tiles")
    assert len(tile_ids(text)) == 5
    for word in ("Compare", "Wall board", "export.csv", "alerts open"):
        assert word not in text


def test_hostile_names_stay_text(engineer: Client) -> None:
    names = {"act": [HOSTILE, BACKWARDS, LONG]}
    fleet_rows.machines(timezone.now(), names=names)
    for url in ("/devices/?view=tiles", "/devices/?view=tiles&group=room", "/devices/wall/"):
        text = page(engineer, url)
        assert HOSTILE not in text
        assert "<img" not in text
        # the override ends with its own element and turns nothing else around
        assert re.search(f"<bdi[^>]*>{BACKWARDS}</bdi>", text), url


def lines(answer: Any) -> list[list[str]]:
    assert answer.status_code == 200
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text)))


def test_the_fleet_as_csv(engineer: Client) -> None:
    fleet_rows.machines(timezone.now(), names={"act": ["=1+1", LONG], "ok": ["XR"]})
    answer = engineer.get("/devices/export.csv?state=act&view=tiles&page=7")
    assert "attachment" in answer.headers["Content-Disposition"]
    header, *rows = lines(answer)
    found = [dict(zip(header, row, strict=True)) for row in rows]
    assert {row["name"] for row in found} == {"'=1+1", f"'{LONG}"}
    assert {row["health"] for row in found} == {"act"}
    assert all(re.search(r"[+-]\d\d:\d\d$", row["as_of"]) for row in found)
    rest = lines(engineer.get("/api/v1/devices/export.csv"))
    assert len(rest) == 4
    assert rest[0] == header


def test_the_wall_says_who_needs_somebody_why_and_since_when(engineer: Client) -> None:
    made = {d.name: d for d in small()}
    Device.objects.filter(name="XR-fine").update(lifecycle="out_of_service")
    text = page(engineer, "/devices/wall/")
    assert 'class="topbar"' not in text
    assert "data-keep" in text
    assert "needs action" in text
    assert "out of service" in text
    rows = text[text.index("wall-rows") :]
    assert rows.index("XR-bad") < rows.index("XR-odd")
    assert "noise act: 20 kV, allowed at most 10 kV" in rows
    assert "30 min" in rows
    assert "XR-good" not in rows
    part = engineer.get("/devices/wall/", headers=HTMX)
    assert b"<html" not in part.content
    again = engineer.get("/devices/wall/", headers={**HTMX, "If-None-Match": part["ETag"]})
    assert again.status_code == 304
    other = page(engineer, f"/devices/wall/?room={made['XR-odd'].location}")
    assert "XR-bad" not in other
    assert "XR-odd" in other


def test_a_new_alert_is_marked_for_a_minute_and_taken_ones_come_later(engineer: Client) -> None:
    now = timezone.now()
    old, new = fleet_rows.machines(now, names={"act": ["XR-a-old", "XR-b-new"]})
    for device in (old, new):
        evaluate_rules(device=device, now=now)
    Alert.objects.filter(device=old).update(opened_at=now - timedelta(hours=2))
    text = page(engineer, "/devices/wall/")
    rows = re.findall(r'<li class="wall-row ([^"]*)".*?</li>', text, re.DOTALL)
    assert rows == ["wall-act is-new", "wall-act"]
    assert text.index("XR-b-new") < text.index("XR-a-old")
    later = wall(at=now + timedelta(seconds=61))
    assert [(row.device.name, row.is_new) for row in later.rows] == [
        ("XR-a-old", False),
        ("XR-b-new", False),
    ]
    Alert.objects.filter(device=old).update(state="acknowledged")
    later = wall(at=now + timedelta(seconds=61))
    assert [(row.device.name, row.acknowledged) for row in later.rows] == [
        ("XR-b-new", False),
        ("XR-a-old", True),
    ]


def test_a_wall_with_more_than_it_can_hold(engineer: Client) -> None:
    fleet_rows.many(timezone.now(), act=9, watch=3)
    text = page(engineer, "/devices/wall/?rows=4")
    assert text.count('class="wall-row ') == 12
    assert text.count(" hidden>") == 8
    assert "and 8 more, 5 of them need action" in text
    assert 'data-rotate="0"' in text
    assert 'data-rotate="5"' in page(engineer, "/devices/wall/?rotate=1")
    for odd in ("rows=x&rotate=-1&theme=", "rows=0", "room=nowhere"):
        page(engineer, f"/devices/wall/?{odd}")


def test_a_calm_wall_and_an_empty_one(engineer: Client) -> None:
    assert "No machine is in service" in page(engineer, "/devices/wall/")
    fleet_rows.machines(timezone.now(), names={"ok": ["XR"], "unknown": ["XR-mute"]})
    text = page(engineer, "/devices/wall/")
    assert "No machine needs action; of 1 it isn&#x27;t known" in text.replace("'", "&#x27;")


@pytest.mark.parametrize("count", [2, 40])
def test_queries_are_as_many_for_any_fleet(
    count: int, engineer: Client, django_assert_num_queries: Any
) -> None:
    fleet_rows.many(timezone.now(), act=count, watch=count, ok=count)
    for url, queries in (
        ("/devices/?view=tiles", 21),
        ("/devices/?view=table", 21),
        ("/devices/?view=tiles&group=room", 21),
        ("/devices/wall/", 8),
        ("/devices/export.csv", 17),
    ):
        with django_assert_num_queries(queries):
            engineer.get(url)


def test_a_tile_weighs_little(engineer: Client) -> None:
    fleet_rows.many(timezone.now(), act=9, watch=18, unknown=9, ok=264)
    answer = engineer.get("/devices/?view=tiles", headers=HTMX)
    assert len(tile_ids(answer.content.decode())) == 300
    assert len(answer.content) < 120_000
