"""`manage.py simulate_fleet`: synthetic by mark, twice is once, real machines are left alone."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from demo.services import simulated
from demo.simulator.fleet import Fleet
from demo.standard_rules import specs
from devices.models import Alert, Device, DeviceModel, Reading, Rule, TwinEvent
from devices.selectors.rules import SPEC_COLUMNS, spec_of
from devices.services.evaluation import evaluate_rules
from devices.services.registry import register_device

pytestmark = pytest.mark.django_db


def run(*args: str) -> None:
    call_command("simulate_fleet", "--devices", "2", "--days", "2", *args)


def test_machines_are_synthetic_and_twice_is_once(capsys) -> None:
    run("--fault", "config_change:2:1")
    assert set(Device.objects.values_list("is_synthetic", flat=True)) == {True}
    assert DeviceModel.objects.get().is_synthetic
    assert set(Reading.objects.values_list("source", flat=True)) == {"simulator"}
    readings, events = Reading.objects.count(), TwinEvent.objects.count()
    assert readings > 500  # the second day has only begun
    device = Device.objects.get(serial="SIM-1-0002")
    assert device.desired_config["software_versions"] == "5.2.1"
    assert device.twin.state["reported"]["software_versions"]["value"] == "5.3.0"
    other = Device.objects.get(serial="SIM-1-0001")
    reported = {k: v["value"] for k, v in other.twin.state["reported"].items()}
    assert reported == other.desired_config  # no drift where nothing changed
    assert "0 there before" in capsys.readouterr().out
    run("--fault", "config_change:2:1")
    assert Device.objects.count() == 2
    assert TwinEvent.objects.count() == events
    assert Reading.objects.filter(measured_at__lt=timezone.now()).count() >= readings
    assert f"{readings:,} there before" in capsys.readouterr().out


def test_the_rules_in_the_database_are_those_that_were_measured() -> None:
    run("--devices", "1")
    stored = {
        (row["metric__key"], row["kind"], row["severity"]): spec_of(row)
        for row in Rule.objects.filter(metric__isnull=False).values(*SPEC_COLUMNS)
    }
    measured = {(s.limit.metric, s.kind, s.limit.severity): s for s in specs("UTC")}
    assert stored.keys() == measured.keys()
    for key, spec in measured.items():
        same = replace(stored[key].limit, rule_id=spec.limit.rule_id)
        assert same == spec.limit, key
        assert (stored[key].params, stored[key].cadence) == (spec.params, spec.cadence), key
    of_machine = Rule.objects.filter(metric=None).values_list("kind", flat=True)
    assert set(of_machine) == {"config", "clock"}


def test_a_worker_finds_what_the_history_holds() -> None:
    run("--fault", "kv_miscalibration_step:1:1", "--fault", "config_change:2:1")
    one, two = Device.objects.order_by("serial")
    for device in (one, two):
        evaluate_rules(device=device, now=timezone.now())
    assert set(Alert.objects.filter(device=one).values_list("rule__kind", flat=True)) == {"limit"}
    assert set(Alert.objects.filter(device=two).values_list("rule__kind", flat=True)) == {"config"}


def test_a_clock_that_runs_ahead_is_found_once_and_when_it_did() -> None:
    faults = ("--fault", "clock_skew:1:0:1", "--devices", "2")
    run(*faults)
    one, two = Device.objects.order_by("serial")
    for device in (one, two):
        evaluate_rules(device=device, now=timezone.now())
    (alert,) = Alert.objects.all()
    assert (alert.device, alert.rule.kind) == (one, "clock")
    (note,) = TwinEvent.objects.filter(kind="clock")
    ahead = Reading.objects.filter(device=one).earliest("measured_at").measured_at
    assert ahead < note.at < ahead + timedelta(days=1)
    run(*faults)
    assert TwinEvent.objects.filter(kind="clock").count() == 1


def test_same_seed_with_other_faults_is_refused() -> None:
    run()
    before = Reading.objects.count()
    with pytest.raises(CommandError, match="another start or other faults"):
        run("--fault", "oil_leak:1:1")
    assert Reading.objects.count() == before
    run("--seed", "2", "--fault", "oil_leak:1:1")


def test_real_machines_and_models_are_left_alone() -> None:
    make = DeviceModel.objects.create(manufacturer="Acme", name="X", modality="DX")
    register_device(serial="SIM-1-0002", name="XR-1", model=make, actor=None)
    with pytest.raises(CommandError, match="real machine"):
        run()
    DeviceModel.objects.create(
        manufacturer=simulated.MANUFACTURER, name=simulated.MODEL, modality="DX"
    )
    with pytest.raises(CommandError, match="real model"):
        run("--seed", "2")
    assert not Reading.objects.exists()
    assert Device.objects.count() == 1


def test_dry_run_stores_nothing_and_writes_the_truth(tmp_path, capsys) -> None:
    path = tmp_path / "truth.csv"
    run("--fault", "oil_leak:1:1", "--fault", "hvac_failure:2:0.5", "--dry-run", "--truth", path)
    assert not Device.objects.exists()
    assert "nothing was stored" in capsys.readouterr().out
    rows = list(csv.DictReader(path.read_text().splitlines()))
    assert sorted(row["fault"] for row in rows) == ["hvac_failure", "hvac_failure", "oil_leak"]
    run("--faults", "random", "--dry-run", "--truth", str(tmp_path / "truth.json"))
    assert isinstance(json.loads((tmp_path / "truth.json").read_text()), list)


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("--devices", "0"), "devices must be 1 to 2,000, not 0"),
        (("--devices", "1000000"), "devices must be"),
        (("--days", "-1"), "days must be"),
        (("--seed", "-5"), "seed must be"),
        (("--fault", "fire:1:1"), "There is no fault 'fire'. Known: tube_arcing_rise"),
        (("--fault", "oil_leak:9:1"), "the machines are 1 to 2"),
        (("--speed", "nan"), "--speed must be"),
        (("--speed", "5"), "goes with --live"),
        (("--truth", "/nowhere/at/all.csv"), "can't be written"),
    ],
)
def test_hostile_arguments_get_a_sentence(args: tuple[str, ...], message: str) -> None:
    with pytest.raises(CommandError, match=message):
        run(*args)
    assert not Device.objects.exists()


def test_live_goes_on_where_the_history_ended() -> None:
    now = timezone.now().replace(minute=0, second=0, microsecond=0)
    start = now.replace(hour=0) - timedelta(days=3)
    fleet = Fleet(2, 2, 5, start)
    devices = simulated.ensure_fleet(fleet=fleet)
    until = fleet.end - timedelta(hours=2)
    for _ in simulated.send_history(fleet=fleet, devices=devices, until=until):
        pass
    early = Reading.objects.count()

    def hours() -> Iterator[datetime]:
        at = until
        while True:
            at += timedelta(hours=1)
            yield at

    clock = hours()
    lived = simulated.follow(
        fleet=fleet, devices=devices, after=until, clock=lambda: next(clock), wait=lambda: None
    )
    sent = [next(lived)[1] for _ in range(6)]  # over midnight, where the fleet is lengthened
    assert all(part.accepted > 0 and part.duplicates == 0 for part in sent)
    again = Fleet(2, 3, 5, start)
    total = simulated.Sent()
    for _, part in simulated.send_history(
        fleet=again, devices=devices, until=until + timedelta(hours=6)
    ):
        total.add(part)
    assert total.accepted == 0
    assert total.duplicates == Reading.objects.count() > early
