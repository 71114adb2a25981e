"""The simulated machines: their physics add up, a seed is a fleet, the truth stays apart."""

from __future__ import annotations

import ast
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from dateutil.easter import easter as known_easter
from hypothesis import given, settings
from hypothesis import strategies as st

import devices
from demo.simulator import hospital, physics, truth
from demo.simulator.faults import KINDS, Fault, make, parse, scatter, spread
from demo.simulator.fleet import Fleet
from demo.simulator.quantities import QUANTITIES, STEP, STEPS_PER_DAY
from twinhealth.errors import InvalidInputError

START = datetime(2026, 1, 5, tzinfo=UTC)  # a Monday


def fleet(count: int = 3, days: int = 3, seed: int = 1, faults: tuple[Fault, ...] = ()) -> Fleet:
    return Fleet(count, days, seed, START, faults, "Europe/Berlin")


def of(made: Fleet):
    return made.block(range(made.count))


def test_heat_that_goes_into_the_tube_is_there_or_has_left() -> None:
    energy = np.array([[0.0, 4000.0, 0.0, 1500.0, 0.0, 0.0] + [0.0] * 40])
    heat, passed = physics._anode(energy)
    assert np.allclose(np.cumsum(energy - passed, axis=1), heat)
    assert heat[0, -1] < 1e-6 * energy.sum()  # in the end all of it went on
    block = of(fleet())
    state, m = block.state, block.machines
    heat, passed = physics._anode(state.energy)
    before = np.concatenate(
        [(state.air[:, 0] + m.idle / m.housing_loss)[:, None], state.housing[:, :-1]], axis=1
    )
    power = passed / STEP + m.idle[:, None] + m.ready[:, None] * physics._ready(state.exposures)
    # mean temperature over a step in which it relaxes: exact for a first-order equation
    stored = m.housing_mass[:, None] * (state.housing - before)
    steady = state.air + power / m.housing_loss[:, None]
    kept = np.exp(-STEP * m.housing_loss / m.housing_mass)[:, None]
    mean = steady + (before - steady) * (1 - kept) / -np.log(kept)
    lost = m.housing_loss[:, None] * (mean - state.air) * STEP
    assert np.allclose(power * STEP, stored + lost)


def test_a_machine_that_takes_no_pictures_cools_down_to_its_room() -> None:
    broken = Fault("tube_arcing_rise", 0, 0.5, 0.5)
    block = of(fleet(1, 4, faults=(broken,)))
    state, m = block.state, block.machines
    assert state.exposures[:, :STEPS_PER_DAY].sum() > 0
    assert state.exposures[:, STEPS_PER_DAY:].sum() == 0
    above = state.housing - state.air
    assert above[0, STEPS_PER_DAY // 2] > 10
    assert above[0, -1] == pytest.approx(m.idle[0] / m.housing_loss[0], abs=0.5)
    assert state.anode[0, -1] == pytest.approx(0, abs=1e-6)


def test_the_day_has_a_rhythm_and_holidays_are_quiet() -> None:
    count = of(fleet(40, 7)).tracks["exposures_per_day"].values
    state = of(fleet(40, 7)).state
    rooms = of(fleet(40, 7)).machines.role == 0
    by_day = state.exposures[rooms].reshape(rooms.sum(), 7, STEPS_PER_DAY).sum(axis=2)
    assert by_day[:, :5].mean() > 3 * by_day[:, 6].mean()
    hour = state.exposures[rooms].reshape(rooms.sum(), 7 * 24, 12).sum(axis=2)[:, :24].mean(axis=0)
    assert hour[9] > 20 * hour[2]  # 10 and 3 o'clock in Berlin
    assert np.isnan(count[:, :22]).all()  # a day isn't over yet
    assert hospital.is_holiday(date(2026, 12, 25))
    assert not hospital.is_holiday(date(2026, 12, 28))


@given(st.integers(1900, 2200))
def test_easter_is_when_the_calendar_says(year: int) -> None:
    assert hospital.easter(year) == known_easter(year)


def test_winter_is_busier_and_drier_than_summer() -> None:
    def calendar(month: int) -> hospital.Calendar:
        return hospital.Calendar(
            datetime(2026, month, 12, tzinfo=UTC), 3 * STEPS_PER_DAY, ZoneInfo("Europe/Berlin")
        )

    january, july = calendar(1), calendar(7)
    assert january.rates.sum() > 1.1 * july.rates.sum()
    assert january.outdoor.mean() < 3
    assert july.outdoor.mean() > 15
    assert january.vapour.mean() < july.vapour.mean()


def test_air_holds_as_much_water_as_tables_say() -> None:
    # 17.3 g/m3 at 20 Cel, 4.85 at 0 Cel
    assert hospital.saturation(np.array([20.0, 0.0])) == pytest.approx([17.3, 4.85], rel=0.005)


@settings(deadline=None, max_examples=10)
@given(st.integers(0, 2**31 - 1), st.integers(0, 6))
def test_a_machine_is_the_same_in_any_fleet(seed: int, number: int) -> None:
    alone = fleet(7, 2, seed).block(range(number, number + 1))
    among = fleet(7, 3, seed).block(range(7))
    for key, track in alone.tracks.items():
        other = among.tracks[key].values[number, : track.values.shape[1]]
        assert np.array_equal(track.values[0], other, equal_nan=True), key
    assert alone.values(number) == fleet(7, 2, seed).block(range(7)).values(number)


def test_seeds_and_machines_differ() -> None:
    one, other = of(fleet(2, 1, 1)).tracks, of(fleet(2, 1, 2)).tracks
    key = "detector_temperature"
    assert not np.allclose(one[key].values, other[key].values, equal_nan=True)
    assert not np.allclose(one[key].values[0], one[key].values[1], equal_nan=True)


def test_reports_are_steps_of_their_sensor_and_can_be_real() -> None:
    for key, track in of(fleet(10, 10)).tracks.items():
        quantity, values = track.quantity, track.values[np.isfinite(track.values)]
        ratio = values / quantity.resolution
        assert np.allclose(ratio, np.round(ratio), atol=1e-3), key
        assert values.min() >= quantity.plausible[0]
        assert quantity.plausible[1] is None or values.max() <= quantity.plausible[1]
        if key == "room_humidity":
            share = np.isfinite(track.values).mean()
            assert 0.95 < share < 1  # the network was away at times


SHOWS = {
    "tube_arcing_rise": ("tube_arcs", 2),
    "oil_leak": ("oil_pressure", -30),
    "kv_miscalibration_step": ("kv_error", 3.5),
    "kv_miscalibration_drift": ("kv_error", 4),
    "detector_cooling_failure": ("detector_temperature", 10),
    "detector_ageing": ("detector_noise", 0.5),
    "filament_wear": ("ma_error", -8),
    "hvac_failure": ("room_temperature", 2),
}


@pytest.mark.parametrize("kind", SHOWS)
def test_a_fault_shows_where_it_should_and_nowhere_before_its_onset(kind: str) -> None:
    metric, change = SHOWS[kind]
    fault = make(kind, 0, 4, seed=1, lasts=8)
    well, ill = of(fleet(1, 12)), of(fleet(1, 12, faults=(fault,)))
    for key, track in ill.tracks.items():
        early = track.steps < 4 * STEPS_PER_DAY
        same = well.tracks[key].values[:, early]
        assert np.array_equal(track.values[:, early], same, equal_nan=True), key
    at = (ill.tracks[metric].steps > 11 * STEPS_PER_DAY) & (
        ill.tracks[metric].steps < 12 * STEPS_PER_DAY - 1
    )
    moved = np.nanmean((ill.tracks[metric].values - well.tracks[metric].values)[0, at])
    if kind.startswith("kv_"):
        moved, change = moved * np.sign(fault.size), abs(change)
    assert moved > change if change > 0 else moved < change


def test_sensors_clocks_and_settings_that_fail() -> None:
    faults = (
        Fault("silent_sensor", 0, 1, 1, "oil_pressure"),
        Fault("stuck_sensor", 0, 1, 1, "room_humidity"),
        Fault("clock_skew", 1, 1, 1),
        Fault("config_change", 1, 1, 1),
        *spread(Fault("power_cut", 2, 1, 0.5), 3),
    )
    block = of(fleet(3, 3, faults=faults))
    values = {key: track.values for key, track in block.tracks.items()}
    assert np.isfinite(values["oil_pressure"][0, :20]).any()
    assert np.isnan(values["oil_pressure"][0, 24:]).all()
    stuck = values["room_humidity"][0, 40:]
    assert len(set(stuck[np.isfinite(stuck)])) == 1
    assert np.isnan(values["room_temperature"][:, 25:35]).all()  # all hang on one supply
    assert block.ahead[1, -1] > 3000
    assert abs(block.ahead[0]).max() <= 60
    told = block.values(1)
    assert (told[-1].measured_at - told[-1].received_at).total_seconds() > 3000
    assert [c["software_versions"] for _, c in block.configs(1)] == ["5.2.1", "5.3.0"]
    assert len(block.configs(0)) == 1


def test_truth_table_says_onset_failure_and_size() -> None:
    faults = [
        *parse("oil_leak:2:1.5:4", seed=1, count=3, days=3),
        *parse("hvac_failure:1:0", seed=1, count=3, days=3),
        *parse("stuck_sensor:3:2:kv_error", seed=1, count=3, days=3),
    ]
    made = fleet(faults=tuple(faults))
    table = made.truth()
    assert [row["device"] for row in table].count("SIM-1-0002") == 2  # the zone's, and its own
    leak = next(row for row in table if row["fault"] == "oil_leak")
    assert leak["onset"] == "2026-01-06T12:00:00+00:00"
    assert leak["failure"] == "2026-01-10T12:00:00+00:00"
    assert leak["over"] == ""
    assert truth.text(table, as_json=False).splitlines()[0] == ",".join(truth.COLUMNS)
    assert truth.text(table, as_json=True).count('"fault"') == len(table)


def test_the_rules_know_nothing_of_the_simulator() -> None:
    """No module of the devices' room imports the room above it, nor names its faults."""
    for path in Path(devices.__file__).parent.rglob("*.py"):
        text = path.read_text()
        names = {
            node.module or ""
            for node in ast.walk(ast.parse(text))
            if isinstance(node, ast.ImportFrom)
        }
        assert not any(name.startswith("demo") for name in names), path
        assert not any(kind in text for kind in KINDS if kind != "power_cut"), path


def test_random_faults_are_repeatable_and_one_a_machine() -> None:
    one = scatter(seed=3, count=100, days=24)
    assert one == scatter(seed=3, count=100, days=24) != scatter(seed=4, count=100, days=24)
    hit = [f.device for f in one]
    assert len(hit) == len(set(hit))
    assert 20 < len(hit) < 80
    assert all(0 < f.onset < 24 for f in one)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("fire:1:1", "unknown_fault"),
        ("oil_leak", "bad_fault"),
        ("oil_leak:x:1", "bad_fault"),
        ("oil_leak:0:1", "bad_fault"),
        ("oil_leak:4:1", "bad_fault"),
        ("oil_leak:1:-1", "bad_fault"),
        ("oil_leak:1:nan", "bad_fault"),
        ("oil_leak:1:3", "bad_fault"),
        ("oil_leak:1:1:0", "bad_fault"),
        ("oil_leak:1:1:inf", "bad_fault"),
        ("oil_leak:1:1:oil_pressure", "unknown_metric"),
        ("stuck_sensor:1:1:password", "unknown_metric"),
        ("stuck_sensor:1:1:kv_error:7", "unknown_metric"),
    ],
)
def test_a_fault_that_makes_no_sense_is_refused(text: str, code: str) -> None:
    with pytest.raises(InvalidInputError) as error:
        parse(text, seed=1, count=3, days=3)
    assert error.value.code == code


@pytest.mark.parametrize(
    "given", [{"count": 0}, {"count": 1_000_000}, {"days": -1}, {"days": 401}, {"seed": -1}]
)
def test_a_fleet_that_is_none_is_refused(given: dict[str, int]) -> None:
    with pytest.raises(InvalidInputError, match="must be"):
        fleet(**given)


def test_every_metric_has_a_unit_that_the_door_knows() -> None:
    from devices import units

    for quantity in QUANTITIES:
        assert units.convert(1.0, quantity.unit, quantity.unit) == 1.0
