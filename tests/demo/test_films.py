"""The demo's films are honest DICOM: attributed, from the demo's machines, same grey values in every form."""

from __future__ import annotations

import io
from datetime import UTC, datetime

import numpy as np
import pydicom
import pytest
from PIL import Image as Picture

from demo.films import FILMS, IMAGES, attribution_text, attributions, film_bytes
from demo.fleet import MACHINES

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def test_every_shipped_picture_has_a_licence_and_is_used_once() -> None:
    shipped = {path.name for path in IMAGES.glob("*.jpg")}
    assert shipped == set(attributions()) == {film.file_name for film in FILMS}
    assert len(FILMS) == len(shipped) == 11
    for row in attributions().values():
        assert row["licence"].startswith(("CC BY 3.0", "NIH Clinical Center"))
        assert row["attribution"]
        assert row["licence_url"].startswith("https://")


@pytest.mark.parametrize("film", FILMS, ids=lambda film: film.file_name)
def test_film_is_a_dicom_file_that_shows_the_picture(film) -> None:
    ds = pydicom.dcmread(io.BytesIO(film_bytes(film, now=NOW)))
    assert ds.PatientID.startswith("DEMO-")
    assert ds.DeviceSerialNumber in {machine.serial for machine in MACHINES}
    assert attribution_text(film) in ds.ImageComments
    assert "Synthetic" in ds.ImageComments
    stored = ds.pixel_array.astype(int)
    if ds.PhotometricInterpretation == "MONOCHROME1":
        stored = 2**ds.BitsStored - 1 - stored
    grey = stored >> (ds.BitsStored - 8)
    picture = np.asarray(Picture.open(IMAGES / film.file_name).convert("L"))
    assert (grey == picture).all()


def test_forms_cover_what_senders_do() -> None:
    read = [pydicom.dcmread(io.BytesIO(film_bytes(film, now=NOW))) for film in FILMS]
    assert {ds.PhotometricInterpretation for ds in read} == {"MONOCHROME1", "MONOCHROME2"}
    assert {ds.BitsStored for ds in read} == {8, 12}
    assert len({ds.file_meta.TransferSyntaxUID for ds in read}) == 2
    assert {ds.Modality for ds in read} == {"CR", "DX"}


def test_identity_is_repeatable_and_changes_with_the_first_start() -> None:
    film = FILMS[0]
    one, same, later = (
        pydicom.dcmread(io.BytesIO(film_bytes(film, now=moment)))
        for moment in (NOW, NOW, NOW.replace(hour=13))
    )
    assert one.SOPInstanceUID == same.SOPInstanceUID != later.SOPInstanceUID
    assert pydicom.uid.UID(one.SOPInstanceUID).is_valid
