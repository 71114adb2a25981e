"""A patient's films are never in two parts of a set, over any history of exports."""

from __future__ import annotations

import secrets

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from detection import pseudonyms
from detection.models import DatasetItem, DatasetKey, DatasetSplit
from detection.pseudonyms import SHARES, pseudonym, split_of
from detection.services import dataset_splits, datasets
from detection.services.dataset_splits import dataset_key, splits
from patients.models import Patient
from tests.detection.factories import make_image, make_user
from tests.detection.fakes import frame


class EveryHistory(TestCase):
    """Rows of each example are rolled back before the next."""

    @settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
    @given(
        rounds=st.lists(
            st.tuples(
                st.lists(st.integers(0, 12), min_size=1, max_size=6),  # whose films are signed
                st.floats(0.05, 0.9),  # share of train, as somebody may change it later
            ),
            min_size=2,
            max_size=4,
        )
    )
    def test_exports_of_growing_data(self, rounds: list[tuple[list[int], float]]) -> None:
        import tempfile
        from pathlib import Path
        from unittest import mock

        from detection.models import Signature
        from detection.services import reviews, sign

        reader = make_user()
        people = [Patient.objects.create(identifier=f"H{n}") for n in range(13)]
        seen: dict[int, str] = {}
        with (
            tempfile.TemporaryDirectory() as folder,
            mock.patch.object(datasets.pixels, "load", return_value=frame()),
        ):
            for number, (signed, share) in enumerate(rounds):
                for person in signed:
                    image = make_image(people[person])
                    reviews.record(
                        image_id=image.pk, user=reader, verdict="add", label="covid",
                        box=(5, 5, 100, 200),
                    )  # fmt: skip
                    sign.sign(image_id=image.pk, user=reader, conclusion="abnormal")
                shares = (("train", share), ("val", 0.05), ("test", 0.95 - share))
                with mock.patch.object(pseudonyms, "SHARES", shares):
                    version = datasets.export_dataset(out=Path(folder) / str(number)).version
                assert version is not None
                rows = version.items.values_list("image__series__study__patient_id", "split")
                for patient, split in rows:
                    assert seen.setdefault(patient, split) == split
                assert version.items.count() == Signature.objects.count()
        everywhere = DatasetItem.objects.values_list(
            "image__series__study__patient_id", "split"
        ).distinct()
        assert len(everywhere) == len(seen)
        assert dict(DatasetSplit.objects.values_list("patient_id", "split")) == seen


@pytest.mark.django_db
def test_the_key_is_made_once_and_kept():
    assert dataset_key() == dataset_key()
    assert len(dataset_key()) == 32
    assert DatasetKey.objects.count() == 1


@pytest.mark.django_db
def test_a_dry_look_freezes_nothing():
    people = [Patient.objects.create(identifier=f"D{n}").pk for n in range(20)]
    looked = splits(people, key=dataset_key(), freeze=False)
    assert not DatasetSplit.objects.exists()
    assert splits(people, key=dataset_key(), freeze=True) == looked


@pytest.mark.django_db
def test_what_another_export_froze_meanwhile_counts(monkeypatch):
    """Two exports at once: the row that is there wins, not the one that came second."""
    person = Patient.objects.create(identifier="R1").pk
    key = dataset_key()
    mine = split_of(key, person)
    theirs = next(split for split, _ in SHARES if split != mine)
    real = dataset_splits._stored
    calls = []

    def stored(patients: list[int]) -> dict[int, str]:
        found = real(patients)
        if not calls:  # between our look and our write
            DatasetSplit.objects.create(patient_id=person, split=theirs)
        calls.append(1)
        return found

    monkeypatch.setattr(dataset_splits, "_stored", stored)
    assert splits([person], key=key, freeze=True) == {person: theirs}


def test_shares_over_many_patients():
    key = secrets.token_bytes(32)
    found = [split_of(key, number) for number in range(20_000)]
    for split, share in SHARES:
        assert found.count(split) / len(found) == pytest.approx(share, abs=0.02)
    assert sum(share for _, share in SHARES) == pytest.approx(1)


def test_pseudonyms():
    key, other = b"a" * 32, b"b" * 32
    assert pseudonym(key, "patient", 7) == pseudonym(key, "patient", 7)
    assert pseudonym(key, "patient", 7) != pseudonym(other, "patient", 7)
    kinds = {pseudonym(key, kind, 7).split("-")[1] for kind in ("patient", "film", "reader")}
    assert len(kinds) == 3
    assert len({pseudonym(key, "film", n) for n in range(5000)}) == 5000
