"""What is read from a header, and what isn't believed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from imaging.facts import Header, Inspection
from imaging.frame import Window
from imaging.header import parse_date, parse_offset, read_header

from .factories import make_dataset

NOW = datetime(2025, 6, 1, 12, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")
PLUS_2 = timezone(timedelta(hours=2))


def header(data: Dataset, zone=BERLIN) -> Header:
    return read_header(data, transfer_syntax_uid="1.2.840.10008.1.2.1", zone=zone, now=NOW)


def dates(**elements: str) -> Dataset:
    data = Dataset()
    for keyword, value in elements.items():
        setattr(data, keyword, value)
    return data


def at(*parts: int, tz=BERLIN) -> datetime:
    return datetime(*parts, tzinfo=tz)


@pytest.mark.parametrize(
    ("elements", "expected", "guess"),
    [
        # the exposure's own time, in the hospital's zone
        (
            {"AcquisitionDate": "20250304", "AcquisitionTime": "102030.5"},
            at(2025, 3, 4, 10, 20, 30, 500_000),
            False,
        ),
        # in the zone that the file names
        (
            {
                "AcquisitionDate": "20250304",
                "AcquisitionTime": "1020",
                "TimezoneOffsetFromUTC": "+0200",
            },
            at(2025, 3, 4, 10, 20, tz=PLUS_2),
            False,
        ),
        (
            {"AcquisitionDateTime": "20250304102030.25+0200"},
            at(2025, 3, 4, 10, 20, 30, 250_000, tz=PLUS_2),
            False,
        ),
        ({"AcquisitionDateTime": "20250304102030"}, at(2025, 3, 4, 10, 20, 30), False),
        # DateTime wins over Date and Time, these over Content's, these over the study's
        (
            {
                "AcquisitionDateTime": "20250305080000",
                "AcquisitionDate": "20250304",
                "AcquisitionTime": "10",
            },
            at(2025, 3, 5, 8),
            False,
        ),
        (
            {
                "ContentDate": "20250304",
                "ContentTime": "10",
                "StudyDate": "20250301",
                "StudyTime": "09",
            },
            at(2025, 3, 4, 10),
            False,
        ),
        ({"StudyDate": "20250301", "StudyTime": "0900"}, at(2025, 3, 1, 9), True),
        (
            {"SeriesDate": "20250302", "SeriesTime": "0900", "StudyDate": "20250301"},
            at(2025, 3, 2, 9),
            True,
        ),
        # a day without a time is a guess
        ({"AcquisitionDate": "20250304"}, at(2025, 3, 4), True),
        ({"AcquisitionDate": "20250304", "AcquisitionTime": "nonsense"}, at(2025, 3, 4), True),
        ({"AcquisitionDate": "20250304", "AcquisitionTime": "2561"}, at(2025, 3, 4), True),
        ({"AcquisitionDateTime": "20250304"}, at(2025, 3, 4), True),
        # a leap second, ACR-NEMA's separators
        (
            {"AcquisitionDate": "2025.03.04", "AcquisitionTime": "10:20:60"},
            at(2025, 3, 4, 10, 20, 59),
            False,
        ),
        # the future and the time before X-rays aren't believed, nor is what follows them
        (
            {
                "AcquisitionDate": "20350304",
                "AcquisitionTime": "10",
                "ContentDate": "20250304",
                "ContentTime": "1000",
            },
            at(2025, 3, 4, 10),
            True,
        ),
        ({"AcquisitionDate": "18000101", "AcquisitionTime": "10"}, None, True),
        ({"StudyDate": "99991231", "StudyTime": "10"}, None, True),
        # a clock that runs a little ahead is
        ({"AcquisitionDate": "20250602", "AcquisitionTime": "10"}, at(2025, 6, 2, 10), False),
        ({}, None, True),
        ({"AcquisitionDate": "20251341", "AcquisitionTime": "10"}, None, True),
        ({"AcquisitionDate": "", "AcquisitionTime": ""}, None, True),
    ],
)
@pytest.mark.filterwarnings("ignore:.*[Ii]nvalid value:UserWarning")
@pytest.mark.filterwarnings("ignore:.*value length:UserWarning")
def test_when_the_film_was_taken(elements, expected, guess):
    found = header(dates(**elements))
    assert (found.acquired_at, found.acquired_at_is_guess) == (expected, guess)


@pytest.mark.parametrize(
    ("text", "hours"),
    [("+0100", 1), ("-0530", -5.5), ("+1400", 14), ("+1430", None), ("0100", None), ("", None)],
)
def test_offsets(text, hours):
    found = parse_offset(text)
    assert (found.utcoffset(None) if found else None) == (
        None if hours is None else timedelta(hours=hours)
    )


def test_dates():
    assert parse_date("20240229").isoformat() == "2024-02-29"
    assert parse_date("20230229") is None
    assert parse_date("2023") is None


def test_texts_are_decoded_by_their_character_set():
    data = Dataset()
    data.SpecificCharacterSet = "ISO_IR 100"
    data.PatientName = "Müller^Jörg"
    data.SoftwareVersions = ["1.2", "OS 3"]
    data.StationName = " RAUM 1 "
    found = header(data)
    assert found.patient_name == "Müller^Jörg"
    assert found.config["software_versions"] == "1.2\\OS 3"
    assert found.machine.serial == found.machine.station_name == "RAUM 1"


def test_readings_and_configuration():
    data = make_dataset(
        KVP="120.5",
        Exposure="4",
        ExposureInuAs="4321",
        ExposureTime="12",
        ExposureIndex="400",
        DeviationIndex="-1.5",
        DetectorTemperature="31.5",
        DetectorID="D-7",
        XRayTubeCurrent="250",
        ExposuresOnDetectorSinceManufactured=1234,
        DetectorType="SCINTILLATOR",
    )
    found = header(data)
    assert found.readings == {
        "kvp": (120.5, "kV"),
        "exposure_mas": (4.321, "mA.s"),
        "exposure_time": (12.0, "ms"),
        "exposure_index": (400.0, "1"),
        "deviation_index": (-1.5, "1"),
        "detector_temperature": (31.5, "Cel"),
        "detector_exposures": (1234.0, "1"),
        "tube_current": (250.0, "mA"),
    }
    assert found.config["detector_id"] == "D-7"
    assert found.config["detector_type"] == "SCINTILLATOR"
    assert "software_versions" not in found.config
    assert found.machine.serial == "XR-1"


def test_values_out_of_reason_are_left_out():
    data = make_dataset(KVP="0", ExposureIndex="-5", Exposure=None, DetectorTemperature="-300")
    assert header(data).readings == {}


def test_windows_only_the_usable_ones():
    data = make_dataset(
        WindowCenter=["100", "50", "7"], WindowWidth=["0", "20", "5"], VOILUTFunction="SIGMOID"
    )
    assert header(data).windows == (Window(50, 20, "SIGMOID"), Window(7, 5, "SIGMOID"))
    data.VOILUTFunction = "SOMETHING"
    assert header(data).windows[0].function == "LINEAR"
    item = Dataset()
    item.LUTDescriptor = [2, 0, 16]
    data.ModalityLUTSequence = Sequence([item])
    assert header(data).windows == ()


def test_padding():
    data = make_dataset(PixelPaddingValue=10, PixelPaddingRangeLimit=5)
    assert header(data).padding == (5, 10)
    data.PixelRepresentation = 1
    data.PixelPaddingValue = 63536
    data.PixelPaddingRangeLimit = 63536
    assert header(data).padding == (-2000, -2000)
    assert header(make_dataset()).padding is None


def test_an_empty_dataset_says_nothing_and_breaks_nothing():
    found = header(Dataset())
    assert (found.rows, found.frames, found.samples, found.slope) == (0, 1, 1, 1.0)
    assert (found.machine.serial, found.readings, found.config) == ("", {}, {})
    assert (found.patient_id, found.sex, found.birth_date, found.study_at) == ("", "", "", None)


def test_there_and_back_through_json():
    import json

    data = make_dataset(
        WindowCenter="50", WindowWidth="20", PixelPaddingValue=3, KVP="100", SoftwareVersions="1"
    )
    inspection = Inspection(header(data), None, "cannot_display", "why")
    assert Inspection.from_json(json.loads(json.dumps(inspection.to_json()))) == inspection


@pytest.mark.parametrize(
    ("said", "kept"), [("YES", "YES"), ("NO", "NO"), ("", ""), ("PERHAPS", "")]
)
def test_text_burnt_into_the_picture(said: str, kept: str):
    data = make_dataset()
    data.BurnedInAnnotation = said
    assert header(data).burned_in == kept


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("STAT", "stat"),
        ("high", "high"),
        ("ROUTINE ", "routine"),
        ("NOW!", ""),
        ("<b>", ""),
        ("", ""),
    ],
)
def test_how_soon_the_film_is_wanted(said: str, kept: str):
    data = make_dataset()
    data.RequestedProcedurePriority = said
    assert header(data).requested_urgency == kept
