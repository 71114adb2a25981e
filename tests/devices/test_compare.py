"""Two machines side by side, and one against its own time before."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from devices.models import Device
from devices.selectors.compare import compare, find
from devices.services.events import append
from devices.spans import Span
from tests.devices import factories as f
from tests.devices.fleet_rows import BACKWARDS, HOSTILE, LONG
from tests.devices.test_pages import client, page

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def pair() -> tuple[Device, Device]:
    """Two makes: `noise` on both, `temp` in another unit, `dose` on the second alone."""
    first, second = f.model(), f.model()
    now = timezone.now()
    a, b = f.device(first, name="XR-one"), f.device(second, name="XR-two", location="R9")
    for device, model, unit, add in ((a, first, "Cel", 0), (b, second, "K", 3)):
        noise, temp = f.metric(model, unit="kV"), f.metric(model, "temp", unit=unit)
        f.rule(noise)
        for hours in range(1, 6):
            f.reading(device, noise, hours + add, now - timedelta(hours=hours))
        f.reading(device, noise, 50, now - timedelta(hours=30))
        f.reading(device, temp, 300, now - timedelta(hours=1))
    f.metric(second, "dose", unit="mGy")
    for device, version in ((a, "1"), (b, "2")):
        config = {"software_versions": version, "detector_id": "D"}
        append(device=device, kind="config_reported", payload={"config": config}, at=now - 2 * DAY)
    append(device=a, kind="config_reported", payload={"config": {"ip": "10"}}, at=now)
    return a, b


def test_medians_latest_checks_and_configuration() -> None:
    a, b = pair()
    now = timezone.now()
    span = Span(now - DAY, now)
    made = compare(a, b, span_a=span, span_b=span, now=now)
    rows = {(row.key, row.unit): row for row in made.rows}
    noise = rows["noise", "kV"]
    assert noise.a is not None
    assert noise.b is not None
    assert (noise.a.middle, noise.a.latest, noise.a.n) == (3, 1, 5)
    assert (noise.difference, noise.difference_text) == (3, "+3 kV")
    # the same word in another unit is another quantity
    assert (rows["temp", "Cel"].lacks, rows["temp", "K"].lacks) == ("b", "a")
    assert rows["dose", "mGy"].difference_text == ""
    assert [(c.rule, c.a is None, c.b is None) for c in made.checks] == [
        ("noise act", False, False)
    ]
    assert [(c.key, c.differs) for c in made.config] == [
        ("software_versions", True),
        ("detector_id", False),
        ("ip", False),
    ]
    charts = {(chart["key"], chart["unit"]) for chart in made.data["charts"]}
    assert charts == {("noise", "kV"), ("temp", "°C"), ("temp", "K")}


def test_a_machine_against_its_own_time_before() -> None:
    a, _ = pair()
    now = timezone.now()
    span = Span(now - DAY, now)
    made = compare(a, a, span_a=span, span_b=span.earlier(), now=now)
    assert made.shift == DAY.total_seconds()
    noise = next(row for row in made.rows if row.key == "noise")
    assert noise.b is not None
    assert (noise.b.middle, noise.difference_text) == (50, "+47 kV")
    assert made.b.twin.at == span.start
    assert [pair.key for pair in made.config if pair.b is None] == ["ip"]


def test_machines_are_found_by_id_serial_or_part_of_a_name() -> None:
    a, b = pair()
    other = f.device(name="XR-one-more", serial=str(b.pk))
    for text in (str(a.pk), a.serial, f"XR-one · {a.serial}", f"anything · {a.serial}"):
        assert find(text) == [a], text
    assert find(str(b.pk)) == [b]  # an id before a serial of the same digits
    assert find("XR-one") == [a, other]
    assert find("R9") == [b]
    assert find("nothing") == find("") == []
    assert find("9" * 300) == []


def test_the_page(django_assert_num_queries: Any) -> None:
    a, b = pair()
    engineer = client()
    assert "Choose two machines" in page(engineer, "/devices/compare/")
    text = page(engineer, f"/devices/compare/?a={a.pk}&b={b.serial}&range=24h")
    assert "+3 kV" in text
    assert "its model has none" in text
    assert text.count("differs</span>") == 1
    data = json.loads(re.search(r'id="compare-data"[^>]*>(.*?)</script>', text).group(1))  # type: ignore[union-attr]
    assert data["shift"] == 0
    assert f"?a={b.pk}&amp;b={a.pk}&amp;range=24h" in text
    own = page(engineer, f"/devices/compare/?a={a.pk}&against=earlier&range=24h")
    assert "against itself before" in own
    asked = page(engineer, "/devices/compare/?a=XR&b=nothing")
    assert "Which one?" in asked
    assert "No machine has that name" in asked
    with django_assert_num_queries(22):
        engineer.get(f"/devices/compare/?a={a.pk}&b={b.pk}")


def test_hostile_names() -> None:
    a, b = pair()
    Device.objects.filter(pk=a.pk).update(name=HOSTILE, location=BACKWARDS)
    Device.objects.filter(pk=b.pk).update(name=LONG)
    for url in (f"a={a.pk}&b={b.pk}", "a=x&b=W", f"a={HOSTILE}&b={BACKWARDS}"):
        text = page(client(), f"/devices/compare/?{url}")
        assert "<img" not in text
        assert HOSTILE not in text


def test_rest() -> None:
    a, b = pair()
    engineer = client()
    body = engineer.get(f"/api/v1/devices/compare/?a={a.serial}&b={b.pk}&range=24h").json()
    assert (body["a"]["name"], body["b"]["serial"]) == ("XR-one", b.serial)
    noise = next(m for m in body["metrics"] if m["key"] == "noise")
    assert (noise["a"]["median"], noise["b"]["median"], noise["difference"]) == (3, 6, 3)
    assert body["configuration"][0] == {
        "key": "software_versions", "a": "1", "b": "2", "differs": True,
    }  # fmt: skip
    own = engineer.get(f"/api/v1/devices/compare/?a={a.pk}&range=24h").json()
    assert own["b"]["to"] == own["a"]["from"]
    for query in ("", "a=XR-", f"a={a.pk}&b=nothing"):
        answer = engineer.get(f"/api/v1/devices/compare/?{query}")
        assert (answer.status_code, answer.json()["code"]) == (404, "device_not_found")
