"""The demo hospital's machines: what they are and report, how each one is doing. Pure data."""

from __future__ import annotations

from dataclasses import dataclass, field

DAY = 86_400
HOUR = 3_600


@dataclass(frozen=True, slots=True)
class Limit:
    """One limit rule of a metric (`devices.models.Rule`)."""

    severity: str
    low: float | None = None
    high: float | None = None
    hysteresis: float = 0.0
    for_seconds: int = 0
    min_samples: int = 1
    affects_image: bool = True


@dataclass(frozen=True, slots=True)
class Other:
    """A rule of another kind (`devices.rule_kinds`), on a quantity or on the whole machine."""

    kind: str
    name: str
    high: float | None = None
    params: dict[str, float | str] = field(default_factory=dict)
    affects_image: bool = True


@dataclass(frozen=True, slots=True)
class Quantity:
    """One metric of a model; `base` and `spread` describe a healthy machine's telemetry."""

    key: str
    label: str
    unit: str
    base: float | None = None  # None: comes from images only
    spread: float = 0.0
    daily_swing: float = 0.0  # amplitude of the working day's rhythm
    max_age: int = 3 * DAY
    plausible: tuple[float | None, float | None] = (None, None)
    limits: tuple[Limit, ...] = ()
    others: tuple[Other, ...] = ()


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that goes wrong: `metric` ramps to `base + rise` from `since_days` ago on."""

    metric: str
    rise: float
    since_days: float
    until_days: float = 0.0  # ended so many days ago


@dataclass(frozen=True, slots=True)
class Machine:
    """One synthetic machine."""

    serial: str
    name: str
    model: str
    location: str
    ae_title: str
    criticality: int
    config: dict[str, str]
    desired: dict[str, str] = field(default_factory=dict)  # where it differs from `config`
    faults: tuple[Fault, ...] = ()
    silent_days: float = 0.0  # no telemetry since
    registered: bool = True


QUANTITIES: tuple[Quantity, ...] = (
    Quantity(
        "detector_temperature",
        "Detector temperature",
        "Cel",
        base=31.0,
        spread=0.4,
        daily_swing=2.0,
        plausible=(-20, 120),
        limits=(
            Limit("watch", high=37, hysteresis=1, for_seconds=2 * HOUR, min_samples=3),
            Limit("act", high=42, hysteresis=1, for_seconds=HOUR, min_samples=2),
        ),
        others=(
            Other("silence", "Detector's silence", params={"cadences": 72}),
            Other(
                "drift",
                "Detector temperature drifts",
                params={"baseline_days": 14, "lag_days": 7, "least_spread": 0.2},
            ),
        ),
    ),
    Quantity(
        "detector_noise",
        "Flat-field noise, relative to acceptance",
        "1",
        base=1.0,
        spread=0.03,
        plausible=(0, 100),
        limits=(
            Limit("watch", high=1.25, hysteresis=0.05, for_seconds=6 * HOUR, min_samples=4),
            Limit("act", high=1.5, hysteresis=0.1, for_seconds=6 * HOUR, min_samples=4),
        ),
    ),
    Quantity(
        "tube_housing_temperature",
        "Tube housing temperature",
        "Cel",
        base=38.0,
        spread=1.2,
        daily_swing=9.0,
        plausible=(-20, 200),
        limits=(
            Limit(
                "watch", high=60, hysteresis=3, for_seconds=HOUR, min_samples=2, affects_image=False
            ),
            Limit("act", high=70, hysteresis=3, min_samples=2, affects_image=False),
        ),
        others=(
            Other(
                "rate", "Tube heats up fast", 8, {"window_seconds": 6 * HOUR}, affects_image=False
            ),
        ),
    ),
    Quantity(
        "kv_error",
        "Tube voltage error",
        "%",
        base=0.2,
        spread=0.5,
        plausible=(-100, 100),
        limits=(
            Limit("watch", low=-3, high=3, hysteresis=0.5, for_seconds=3 * HOUR, min_samples=3),
            Limit("act", low=-5, high=5, hysteresis=0.5, for_seconds=3 * HOUR, min_samples=3),
        ),
    ),
    Quantity(
        "room_humidity",
        "Room humidity",
        "%",
        base=45,
        spread=1.5,
        daily_swing=4,
        plausible=(0, 100),
        limits=(
            Limit(
                "watch",
                low=25,
                high=70,
                hysteresis=3,
                for_seconds=6 * HOUR,
                min_samples=4,
                affects_image=False,
            ),
        ),
    ),
    # IEC 62494-1: the deviation index is 0 on target, +-3 is twice or half the exposure
    Quantity(
        "deviation_index",
        "Deviation index of exposures",
        "1",
        max_age=30 * DAY,
        plausible=(-30, 30),
        limits=(Limit("watch", low=-3, high=3, hysteresis=0.5, min_samples=3),),
    ),
    Quantity("kvp", "Tube voltage set", "kV", max_age=30 * DAY, plausible=(20, 200)),
    Quantity("exposure_mas", "Exposure", "mA.s", max_age=30 * DAY, plausible=(0, 1000)),
    Quantity("exposure_time", "Exposure time", "ms", max_age=30 * DAY, plausible=(0, 10_000)),
    Quantity("pixel_noise", "Noise in the picture", "1", max_age=30 * DAY),
    Quantity("pixel_mean", "Mean grey level", "%", max_age=30 * DAY, plausible=(0, 100)),
    Quantity(
        "pixel_saturated",
        "Saturated pixels",
        "%",
        max_age=30 * DAY,
        plausible=(0, 100),
        others=(Other("image_quality", "Saturated images", 20, {"n": 10}),),
    ),
    Quantity(
        "reject_rate",
        "Rejected films",
        "%",
        plausible=(0, 100),
        others=(Other("reject_rate", "Rejected films", 15),),
    ),
)

# of every model as a whole
OF_MACHINES: tuple[Other, ...] = (
    Other("config", "Configuration", affects_image=False),
    Other("clock", "Clock", affects_image=False),
)

MANUFACTURER = "Demo Radiography"
MODELS: dict[str, str] = {"DX-100": "DX", "CR-20": "CR", "MX-5 mobile": "DX"}  # name -> modality

MACHINES: tuple[Machine, ...] = (
    Machine(
        "DX100-0417",
        "XR-1",
        "DX-100",
        "Room R11",
        "XR1",
        3,
        {"software_versions": "5.2.1", "detector_id": "FPD-88121", "detector_type": "DIRECT"},
    ),
    Machine(
        "DX100-0422",
        "XR-2",
        "DX-100",
        "Room R12",
        "XR2",
        3,
        {"software_versions": "5.2.1", "detector_id": "FPD-90444", "detector_type": "DIRECT"},
        faults=(Fault("detector_noise", rise=0.9, since_days=9),),
    ),
    Machine(
        "DX100-0431",
        "XR-3",
        "DX-100",
        "Emergency",
        "XR3",
        3,
        {"software_versions": "5.2.1", "detector_id": "FPD-90871", "detector_type": "DIRECT"},
        faults=(Fault("detector_temperature", rise=8.5, since_days=3),),
    ),
    Machine(
        "CR20-1093",
        "CR-1",
        "CR-20",
        "Ward B2",
        "CR1",
        1,
        {"software_versions": "7.1.0"},
        desired={"software_versions": "7.2.0"},
        faults=(Fault("tube_housing_temperature", rise=36, since_days=14, until_days=12),),
    ),
    Machine(
        "MX5-2207",
        "MX-1",
        "MX-5 mobile",
        "Intensive care",
        "MX1",
        2,
        {"software_versions": "2.0.4", "detector_id": "WL-3301", "detector_type": "DIRECT"},
        silent_days=6,
    ),
    # sends images, nobody registered it: waits in the engineers' inbox
    Machine(
        "DX100-0999",
        "XR-9",
        "DX-100",
        "",
        "XR9",
        2,
        {"software_versions": "5.3.0", "detector_id": "FPD-91552", "detector_type": "DIRECT"},
        registered=False,
    ),
)
