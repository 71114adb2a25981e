"""What the rules find of the truth: the matching by hand, the intervals by tables, one small run."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from benchmarks import fleet_section, fleet_truth
from benchmarks.fleet_match import (
    Outcome,
    Raised,
    may_fail,
    opened,
    outcomes,
    raised,
    speaks_of,
    without_cause,
)
from demo.simulator.faults import KINDS, Fault, spread
from demo.simulator.fleet import Fleet
from demo.standard_rules import STANDARD_RULES, specs
from devices.rule_kinds.spec import KINDS as RULE_KINDS
from devices.rules import Sample

START = datetime(2026, 1, 5, tzinfo=UTC)
LEAK = Fault("oil_leak", 0, 10, 8)
CUT = Fault("power_cut", 1, 10, 0.5)


def test_an_alert_speaks_of_a_fault_of_its_machine_metric_and_time() -> None:
    assert speaks_of(Raised(0, "oil_pressure", "drift", 12), LEAK)
    assert not speaks_of(Raised(1, "oil_pressure", "drift", 12), LEAK)
    assert not speaks_of(Raised(0, "kv_error", "drift", 12), LEAK)
    assert not speaks_of(Raised(0, "oil_pressure", "drift", 9.9), LEAK)
    assert speaks_of(Raised(1, "kv_error", "silence", 11), CUT)
    assert not speaks_of(Raised(1, "kv_error", "limit", 10.2), CUT)
    assert not speaks_of(Raised(1, "kv_error", "silence", 11.6), CUT)
    skew = Fault("clock_skew", 0, 10, 10)
    assert speaks_of(Raised(0, "", "clock", 11), skew)
    assert not speaks_of(Raised(0, "", "config", 11), skew)


def test_delay_lead_and_false_alerts() -> None:
    fleet = Fleet(3, 30, 1, START, (LEAK, CUT))
    alerts = [
        Raised(0, "oil_pressure", "limit", 4),  # before the onset: without a cause
        Raised(0, "oil_pressure", "limit", 16),
        Raised(0, "oil_pressure", "drift", 13),
        Raised(2, "kv_error", "limit", 20),  # never had a fault
    ]
    assert outcomes(alerts, fleet) == [
        Outcome("oil_leak", 3, 5, "drift"),
        Outcome("power_cut", None, None, ""),
    ]
    assert without_cause(alerts, fleet) == [alerts[0], alerts[3]]


def test_intervals_are_those_of_tables() -> None:
    # Newcombe 1998, table I: 81 of 263, 0 of 20, 1 of 29
    assert fleet_truth.wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert fleet_truth.wilson(0, 20) == pytest.approx((0, 0.1611), abs=5e-5)
    assert fleet_truth.wilson(1, 29) == pytest.approx((0.0061, 0.1718), abs=5e-5)
    # Garwood 1936: 0 and 10 events
    assert fleet_truth.poisson(0, 1) == pytest.approx((0, 3.689), abs=5e-4)
    assert fleet_truth.poisson(10, 2) == pytest.approx((4.795 / 2, 18.390 / 2), abs=5e-4)
    assert fleet_truth.bootstrap([[], []]) is None
    assert fleet_truth.bootstrap([[2.0, 2.0], [2.0]]) == (2.0, 2.0)
    assert fleet_truth.runs_of([0, 1, 2, 7]) == [range(3), range(7, 8)]
    assert fleet_truth.seeds_of("100-102") == [100, 101, 102]
    assert fleet_truth.seeds_of("7") == [7]


def test_standard_rules_are_complete_and_named_once() -> None:
    found = specs("UTC")
    assert {spec.kind for spec in found} <= set(RULE_KINDS)
    names = [(rule.metric, rule.kind, rule.severity, rule.name) for rule in STANDARD_RULES]
    assert len(set(names)) == len(names)
    shown = {metric for kind in KINDS.values() for metric in kind.metrics}
    assert shown <= {rule.metric for rule in STANDARD_RULES}


def test_a_healthy_fleet_is_quiet() -> None:
    block = fleet_truth.healthy(0, count=8).block(range(8))
    assert raised(block, specs(fleet_truth.ZONE)) == []


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_fault_is_found(kind: str) -> None:
    fleet = fleet_truth.faulted(0, kinds=(kind,), each=1)
    device = fleet.faults[0].device
    alerts = raised(fleet.block(range(device, device + 1)), specs(fleet_truth.ZONE))
    found = outcomes(alerts, fleet)[0]
    assert found.delay is not None, kind
    if KINDS[kind].ends == "failure":
        assert found.lead > 0
    assert not without_cause(alerts, fleet)


def test_what_is_not_stepped_through_could_not_have_failed() -> None:
    """The look at the whole array spares steps and changes no alert."""
    fleet = fleet_truth.faulted(3, kinds=("stuck_sensor", "silent_sensor", "oil_leak"), each=2)
    block, rules = fleet.block(range(6)), specs(fleet_truth.ZONE)
    spared = 0
    for device in range(6):
        for spec in rules:
            if spec.kind not in {"limit", "silence", "stuck"} or may_fail(block, device, spec):
                continue
            spared += 1
            told = block.series(device, spec.limit.metric)
            assert opened(block, spec, [Sample(at, value) for at, value, _ in told]) == []
    assert spared > 100


def test_a_group_is_hit_together_and_kinds_stay_apart() -> None:
    fleet = fleet_truth.faulted(0)
    hit = [fault.device for fault in fleet.faults]
    assert len(set(hit)) == len(hit)
    cuts = [f for f in fleet.faults if f.kind == "power_cut"]
    assert len(cuts) == KINDS["power_cut"].group
    assert len({f.onset for f in cuts}) == 1
    assert spread(cuts[0], fleet.count) == cuts


def test_the_page_says_what_was_run() -> None:
    runs = [
        {
            "seed": seed,
            "healthy_alerts": [],
            "before_onset": [],
            "machine_days": [7200, 1000.0],
            "outcomes": [
                {"kind": "oil_leak", "delay": 2.0, "lead": 5.0, "by": "drift"},
                {"kind": "oil_leak", "delay": None, "lead": None, "by": ""},
            ],
        }
        for seed in (100, 101)
    ]
    text = fleet_section.section(fleet_truth.summary(runs))
    assert "seeds 100 to 101" in text
    assert "| oil_leak | 2 of 4, 15 to 85 % |" in text
    assert "0 in 39 machine years" in text
