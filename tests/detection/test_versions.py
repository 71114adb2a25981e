from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, IntegrityError, transaction

from accounts.models import AuditEntry, User
from detection.manifest import Manifest
from detection.models import DetectorVersion, Promotion, VersionState
from detection.services import engine, versions
from tests.detection.factories import make_version
from twinhealth.errors import (
    ConflictError,
    InvalidInputError,
    NotFoundError,
    UnavailableError,
)

pytestmark = pytest.mark.django_db
WHY = "It reads the films of our new machine far better."


def manifest(**fields: Any) -> Manifest:
    return Manifest(
        **{
            "name": "light-1",
            "file": "light.pth",
            "sha256": "a" * 64,
            "config": "light",
            "classes": ("covid", "pneumonia", "normal"),
            "thresholds": {"covid": 0.5, "pneumonia": 0.5, "normal": 0.5},
            "image_size": 512,
            "metrics": {"AP50": 0.8},
            **fields,
        }
    )


def write_manifest(folder: Path, content: bytes = b"weights", **fields: Any) -> Path:
    """A weights file and its manifest."""
    digest = hashlib.sha256(content).hexdigest()
    made = manifest(sha256=digest, **fields)
    (folder / made.file).write_bytes(content)
    path = (folder / made.file).with_suffix(".json")
    path.write_text(json.dumps(made.as_json()))
    return path


@pytest.fixture
def weights(tmp_path: Path, settings: Any) -> Path:
    settings.DETECTOR_WEIGHTS = tmp_path / "active.pth"
    return tmp_path


def with_file(folder: Path, state: str = VersionState.CANDIDATE) -> DetectorVersion:
    version = make_version(state)
    content = version.name.encode()
    (folder / version.weights_path).write_bytes(content)
    version.weights_sha256 = hashlib.sha256(content).hexdigest()
    version.save()
    return version


def test_registering_twice_gives_one_row() -> None:
    first = versions.register_version(manifest())
    assert versions.register_version(manifest(name="another name")) == first
    assert (first.state, first.thresholds, first.classes) == (
        VersionState.CANDIDATE,
        {"covid": 0.5, "pneumonia": 0.5, "normal": 0.5},
        ["covid", "pneumonia", "normal"],
    )


def test_other_weights_need_another_name() -> None:
    versions.register_version(manifest())
    with pytest.raises(ConflictError) as caught:
        versions.register_version(manifest(sha256="b" * 64))
    assert caught.value.code == "version_name_taken"


def test_the_database_allows_one_active_version(version: DetectorVersion) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        make_version(VersionState.ACTIVE)


def test_promoting_retires_the_active_one(weights: Path, admin: User) -> None:
    old = with_file(weights, VersionState.ACTIVE)
    new = with_file(weights)
    assert versions.promote(version_id=new.pk, user=admin, reason=WHY).state == VersionState.ACTIVE
    assert versions.active_version() == new
    old.refresh_from_db()
    assert old.state == VersionState.RETIRED
    entry = AuditEntry.objects.get(verb="promoted")
    assert (entry.actor, entry.detail) == (
        admin,
        {"version": new.name, "instead_of": old.name, "reason": WHY, "worse": []},
    )
    versions.promote(version_id=new.pk, user=admin, reason=WHY)
    assert AuditEntry.objects.filter(verb="promoted").count() == 1
    assert (
        versions.promote(version_id=old.pk, user=admin, reason=WHY).state == VersionState.ACTIVE
    )  # back


def test_who_why_and_instead_of_what_is_kept(weights: Path, admin: User) -> None:
    old, new = with_file(weights, VersionState.ACTIVE), with_file(weights)
    versions.promote(version_id=new.pk, user=admin, reason=f"  {WHY}  ")
    change = Promotion.objects.get()
    assert (change.version, change.instead_of, change.by, change.by_name) == (
        new,
        old,
        admin,
        admin.get_full_name() or admin.username,
    )
    assert (change.reason, change.rolled_back) == (WHY, False)
    versions.promote(version_id=new.pk, user=admin, reason="again")  # it reads already
    assert Promotion.objects.count() == 1
    with pytest.raises(InvalidInputError) as caught:
        versions.promote(version_id=old.pk, user=admin, reason="x" * 501)
    assert caught.value.code == "reason_too_long"
    with pytest.raises(DatabaseError), transaction.atomic():
        Promotion.objects.update(reason="something nicer")
    with pytest.raises(DatabaseError), transaction.atomic():
        Promotion.objects.all().delete()


def test_rolling_back_and_back_again(weights: Path, admin: User) -> None:
    with pytest.raises(ConflictError) as caught:
        versions.roll_back(user=admin)
    assert caught.value.code == "nothing_to_roll_back"
    first, second, third = (with_file(weights) for _ in range(3))
    versions.promote(version_id=first.pk, user=None)
    with pytest.raises(ConflictError):  # nothing read before the first
        versions.roll_back(user=admin)
    versions.promote(version_id=second.pk, user=admin, reason=WHY)
    versions.promote(version_id=third.pk, user=admin, reason=WHY)
    assert versions.roll_back(user=admin, reason="misses effusions") == second
    assert versions.roll_back(user=admin) == third
    third.refresh_from_db()
    assert third.state == VersionState.ACTIVE
    rows = Promotion.objects.values_list("version", "instead_of", "reason", "rolled_back")
    assert list(rows[:2]) == [
        (third.pk, second.pk, "", True),
        (second.pk, third.pk, "misses effusions", True),
    ]
    assert AuditEntry.objects.filter(verb="rolled_back").count() == 2


def test_rolling_back_to_a_file_that_is_gone(weights: Path, admin: User) -> None:
    old, new = with_file(weights, VersionState.ACTIVE), with_file(weights)
    versions.promote(version_id=new.pk, user=admin, reason=WHY)
    (weights / old.weights_path).unlink()
    with pytest.raises(ConflictError) as caught:
        versions.roll_back(user=admin)
    assert caught.value.code == "weights_missing"
    assert versions.active_version() == new


@pytest.mark.parametrize("damage", ["missing", "changed"])
def test_weights_that_are_not_what_they_were_are_not_promoted(
    weights: Path, admin: User, damage: str
) -> None:
    old = with_file(weights, VersionState.ACTIVE)
    new = with_file(weights)
    path = weights / new.weights_path
    if damage == "missing":
        path.unlink()
    else:
        path.write_bytes(b"other")
    with pytest.raises(ConflictError) as caught:
        versions.promote(version_id=new.pk, user=admin)
    assert caught.value.code == f"weights_{damage}"
    assert versions.active_version() == old
    assert not AuditEntry.objects.filter(verb="promoted").exists()


def test_no_such_version(admin: User) -> None:
    with pytest.raises(NotFoundError):
        versions.promote(version_id=10**9, user=admin)


def test_an_absolute_path_is_taken_as_it_is(weights: Path) -> None:
    version = make_version(weights_path="/elsewhere/x.pth")
    assert engine.weights_path(version) == Path("/elsewhere/x.pth")
    version.weights_path = "x.pth"
    assert engine.weights_path(version) == weights / "x.pth"


def test_a_detector_is_loaded_once_and_another_version_takes_its_place(
    weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = []

    def load(*, weights: Path, expected_sha256: str) -> str:
        loaded.append(expected_sha256)
        return f"detector {expected_sha256}"

    monkeypatch.setattr(engine, "load_detector", load)
    engine.forget()
    old, new = make_version(), make_version(VersionState.CANDIDATE)
    for version in (old, old, new, new, old):
        assert engine.detector_for(version) == f"detector {version.weights_sha256}"
    assert loaded == [old.weights_sha256, new.weights_sha256, old.weights_sha256]
    engine.forget()


@pytest.mark.model
@pytest.mark.parametrize("damage", ["missing", "changed", "garbage"])
def test_broken_weights_are_told_and_a_repaired_file_is_picked_up(
    weights: Path, damage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.forget()
    version = with_file(weights)  # its bytes are no weights at all
    path = weights / version.weights_path
    if damage == "missing":
        path.unlink()
    elif damage == "changed":
        path.write_bytes(b"other")
    with pytest.raises(UnavailableError) as caught:
        engine.detector_for(version)
    assert caught.value.code == "weights_unusable"
    monkeypatch.setattr(engine, "load_detector", lambda **_: "repaired")
    assert engine.detector_for(version) == "repaired"
    engine.forget()


def test_the_release_registers_its_own_weights_at_each_start(weights: Path) -> None:
    write_manifest(weights, file="active.pth")
    call_command("register_detector")
    first = versions.active_version()
    assert first is not None
    assert (first.name, first.weights_path) == ("light-1", "active.pth")
    call_command("register_detector")
    assert DetectorVersion.objects.get() == first
    entry = AuditEntry.objects.get(verb="promoted")
    assert (entry.actor, entry.actor_name) == (None, "system")


def test_a_start_does_not_undo_an_admins_choice_but_a_new_release_is_taken(
    weights: Path, admin: User, tmp_path_factory: pytest.TempPathFactory
) -> None:
    write_manifest(weights, file="active.pth")
    call_command("register_detector")
    elsewhere = tmp_path_factory.mktemp("other")
    other = write_manifest(elsewhere, b"other weights", name="other")
    call_command("register_detector", "--manifest", str(other))
    assert getattr(versions.active_version(), "name", "") == "light-1"  # it is a candidate
    call_command("register_detector", "--manifest", str(other), "--activate")
    chosen = versions.active_version()
    assert chosen is not None
    assert (chosen.name, chosen.weights_path) == ("other", str(elsewhere / "light.pth"))
    call_command("register_detector")
    assert versions.active_version() == chosen
    call_command("register_detector", "--activate")
    assert getattr(versions.active_version(), "name", "") == "light-1"


def test_weights_beside_those_that_read_are_registered_for_an_admin_to_choose(
    weights: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_manifest(weights, file="active.pth")
    write_manifest(weights, b"open weights", name="light-open", file="open.pth")
    (weights / "broken.json").write_text("[]")
    call_command("register_detector")
    call_command("register_detector")
    states = dict(DetectorVersion.objects.values_list("name", "state"))
    assert states == {"light-1": "active", "light-open": "candidate"}
    assert "broken.json: manifest_invalid" in capsys.readouterr().err


def test_a_release_without_weights_says_so(weights: Path) -> None:
    with pytest.raises(CommandError, match="manifest_missing"):
        call_command("register_detector")
    write_manifest(weights, file="active.pth").with_suffix(".pth").unlink()
    with pytest.raises(CommandError, match="weights_missing"):
        call_command("register_detector")
    assert versions.active_version() is None
