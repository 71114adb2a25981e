"""The first rung of failure risk: right against scipy and brute force, and honest without data."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, stats

from benchmarks.risk import WORLDS, measure
from devices import gamma, risk
from devices.models import Alert, Device, DeviceModel, Downtime
from devices.selectors import risk as selectors
from devices.services import registry
from tests.devices import factories as f

SHAPES = st.floats(0.05, 500)


@given(SHAPES, st.floats(1e-4, 1 - 1e-4))
def test_quantiles_are_scipys(shape: float, p: float) -> None:
    assert gamma.quantile(p, shape) == pytest.approx(stats.gamma.ppf(p, shape), rel=1e-6)


@given(SHAPES, st.floats(0, 1000))
def test_the_distribution_function_is_scipys(shape: float, x: float) -> None:
    assert gamma.cdf(x, shape) == pytest.approx(stats.gamma.cdf(x, shape), abs=1e-10)


def test_the_chance_is_the_posteriors_mean() -> None:
    before, own = risk.Prior(2.0, 4.0), risk.Record(3, 730)
    got = risk.chance(before, own)
    ahead = 30 / 365.25
    # prior times Poisson likelihood, normalised by brute force

    def weight(rate: float) -> float:
        return float(
            stats.gamma.pdf(rate, 2.0, scale=1 / 4.0) * stats.poisson.pmf(3, rate * own.years)
        )

    whole = integrate.quad(weight, 0, 20)[0]
    mean = integrate.quad(lambda r: weight(r) * -math.expm1(-r * ahead), 0, 20)[0] / whole
    assert got.probability == pytest.approx(mean, rel=1e-6)
    for edge, share in ((got.low, 0.05), (got.high, 0.95)):
        rate = -math.log1p(-edge) / ahead
        assert integrate.quad(weight, 0, rate)[0] / whole == pytest.approx(share, abs=1e-6)


def test_the_prior_is_the_mixture_over_the_others() -> None:
    """Against scipy's negative binomial, cell by cell."""
    others = [risk.Record(2, 900), risk.Record(0, 400), risk.Record(1, 700)]
    own = risk.Record(4, 500)
    got = risk.of_class([own, *others])[0][0]
    cells = risk.grid([])
    weights, firsts, seconds = [], [], []
    for mean, shape, weight in cells:
        rate = shape / mean
        chances = [stats.nbinom.pmf(r.failures, shape, rate / (rate + r.years)) for r in others]
        weights.append(math.exp(weight) * math.prod(chances))
        firsts.append(mean)
        seconds.append(mean**2 * (1 + 1 / shape))
    total = sum(weights)
    first = sum(w * m for w, m in zip(weights, firsts, strict=True)) / total
    second = sum(w * m for w, m in zip(weights, seconds, strict=True)) / total
    assert got.mean == pytest.approx(first)
    assert got.shape / got.rate**2 == pytest.approx(second - first**2)


def test_more_failures_are_a_higher_chance_and_more_time_a_lower_one() -> None:
    rest = [risk.Record(1, 800)] * 8

    def chance(own: risk.Record) -> float:
        return risk.of_class([own, *rest])[0][1].probability

    assert chance(risk.Record(0, 800)) < chance(risk.Record(2, 800)) < chance(risk.Record(6, 800))
    assert chance(risk.Record(0, 2000)) < chance(risk.Record(0, 100))


@pytest.mark.parametrize("world", ["10 machines, gamma, 1 failure a year",
                                   "30 machines, log-normal, 1 failure a year"])  # fmt: skip
def test_nine_of_ten_intervals_hold_the_truth(world: str) -> None:
    machines, draw = WORLDS[world]
    got = measure(machines, draw, fleets=40, seed=7)
    assert 0.86 < got["coverage"] < 0.96
    assert got["said"] == pytest.approx(got["true"], rel=0.15)


def test_overlapping_rows_are_one_failure() -> None:
    t = datetime(2026, 1, 1, tzinfo=UTC)

    def span(a: int, b: int) -> tuple[datetime, datetime]:
        return t + timedelta(hours=a), t + timedelta(hours=b)

    assert risk.breakdowns([span(5, 9), span(0, 2), span(8, 12)]) == [span(0, 2), span(5, 12)]
    assert risk.breakdowns([]) == []


# --- with rows

NOW = timezone.now()


def aged(model: DeviceModel, years: float, **fields: Any) -> Device:
    device = f.device(model, **fields)
    Device.objects.filter(pk=device.pk).update(registered_at=NOW - timedelta(days=365.25 * years))
    device.refresh_from_db()
    return device


def down(device: Device, days_ago: float, hours: float = 2, **fields: Any) -> Downtime:
    start = NOW - timedelta(days=days_ago)
    return Downtime.objects.create(
        device=device,
        starts_at=start,
        ends_at=start + timedelta(hours=hours),
        reason="arcing",
        **fields,
    )


def repaired(device: Device, days_ago: float, reason: str = "repaired") -> Alert:
    rule = f.rule(f.metric(device.model, f"m{Alert.objects.count()}"))
    start = NOW - timedelta(days=days_ago)
    return Alert.objects.create(
        device=device, rule=rule, severity="act", message="too hot", since=start, opened_at=start,
        last_seen_at=start, value=1, state="resolved", resolve_reason=reason,
        resolved_at=start + timedelta(hours=3),
    )  # fmt: skip


@pytest.mark.django_db
def test_too_little_says_what_is_missing() -> None:
    model = f.model()
    device = aged(model, 1)
    down(device, 30)
    found = selectors.risk_of(device, at=NOW)
    assert (found.rung, found.chance) == ("none", None)
    assert found.text == (
        "not enough data: 1 of 3 failures and 1.0 of 5 machine-years of all DX machines"
    )


@pytest.mark.django_db
def test_what_counts_as_a_failure() -> None:
    model = f.model()
    bad, good = aged(model, 3), aged(model, 3)
    down(bad, 100)
    repaired(bad, 100)  # the same breakdown
    repaired(bad, 50)
    repaired(bad, 40, "false_alarm")
    down(bad, 30, planned=True)
    down(bad, 2000)  # before it was noted here
    down(bad, 20, hours=48)
    found = selectors.risk_of(bad, at=NOW)
    assert found.own.failures == 3
    assert found.own.days == pytest.approx(365.25 * 3 - 2, abs=1.5)
    assert (found.pool, found.rung) == ("model", "class_prior")
    assert found.chance is not None
    assert found.chance.low < found.chance.probability < found.chance.high
    other = selectors.risk_of(good, at=NOW)
    assert other.chance is not None
    assert other.chance.probability < found.chance.probability
    # as of a moment before the last two
    then = selectors.risk_of(bad, at=NOW - timedelta(days=60))
    assert (then.own.failures, then.rung) == (1, "none")


@pytest.mark.django_db
def test_the_class_widens_to_the_modality_and_keeps_synthetic_ones_apart() -> None:
    rare, common = f.model(), f.model()
    device, many = aged(rare, 1), aged(common, 6)
    for days in (500, 400, 300):
        down(many, days)
    made_up = aged(f.model(), 9, is_synthetic=True)
    for days in (50, 40, 30):
        down(made_up, days)
    found = selectors.risks([device, many], at=NOW)
    assert found[device.pk].pool == "modality"
    assert found[device.pk].evidence.failures == 3
    assert found[many.pk].pool == "model"
    film_reader = aged(f.model(modality="CR"), 1)
    assert selectors.risk_of(film_reader, at=NOW).evidence.failures == 0


@pytest.mark.django_db
def test_a_retired_machine_still_tells_of_its_class() -> None:
    model = f.model()
    gone, here = aged(model, 6), aged(model, 1)
    for days in (500, 400, 300):
        down(gone, days)
    registry.set_lifecycle(device=gone, lifecycle="retired", actor=None)
    found = selectors.risk_of(here, at=NOW + timedelta(days=3652))
    assert found.evidence.failures == 3
    assert found.evidence.years == pytest.approx(6 + 11, abs=0.1)


@pytest.mark.django_db
def test_pages_and_rest() -> None:
    model = f.model()
    device = aged(model, 6, name="XR-bad")
    quiet = f.device(f.model(modality="CR"), name="CR-quiet")
    for days in (500, 400, 300):
        down(device, days)
    alert = repaired(device, 50)
    client = Client()
    client.force_login(f.user())
    fleet = client.get("/devices/?ordering=-risk").content.decode()
    assert fleet.index("XR-bad") < fleet.index("CR-quiet")
    found = selectors.risk_of(device, at=timezone.now())
    assert found.short in fleet
    assert "not enough data" in fleet
    twin = client.get(f"/devices/{device.pk}/sections/").content.decode()
    assert found.text in twin
    assert "First rung, class prior: 4 failures" in twin
    page = client.get(f"/devices/{device.pk}/risk/").content.decode()
    assert f'href="/alerts/{alert.pk}/"' in page
    assert page.count("unplanned downtime</span>") == 3
    body = client.get(f"/api/v1/devices/{device.pk}/").json()["risk"]
    assert (body["rung"], body["failures"], body["interval"]) == ("class_prior", 4, 0.9)
    assert body["low"] < body["probability"] < body["high"]
    rows = client.get(f"/api/v1/devices/{device.pk}/risk/").json()["machines"][0]["rows"]
    assert [row["kind"] for row in rows] == ["downtime"] * 3 + ["alert"]
    none = client.get(f"/api/v1/devices/{quiet.pk}/").json()["risk"]
    assert (none["rung"], none["probability"]) == ("none", None)
    before = {"at": (NOW - timedelta(days=9000)).isoformat()}
    early = client.get(f"/api/v1/devices/{device.pk}/risk/", before)
    assert early.json()["rung"] == "none"
    assert client.get(f"/devices/{device.pk}/risk/", before).status_code == 200


@pytest.mark.django_db
def test_five_queries_for_a_fleet(django_assert_max_num_queries: Any) -> None:
    model = f.model()
    devices = [aged(model, 4) for _ in range(12)]
    for device in devices:
        down(device, 40)
    registry.set_lifecycle(device=devices[0], lifecycle="retired", actor=None)
    listed = list(Device.objects.select_related("model"))
    with django_assert_max_num_queries(5):
        assert len(selectors.risks(listed, at=NOW)) == 12
