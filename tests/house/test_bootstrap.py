"""The environment: which Python, what is installed, and when again."""

from __future__ import annotations

import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from scripts import bootstrap, lock
from scripts.bootstrap import SetupError

ROOT = Path(__file__).resolve().parents[2]
FILES = ("requirements.txt", "requirements-dev.txt")
CARD = {
    "django",
    "djangorestframework",
    "torch",
    "torchvision",
    "mmdet",
    "mmcv-lite",
    "celery",
    "redis",
    "pydicom",
    "psycopg2-binary",
}


def pins(name: str) -> dict[str, Requirement]:
    return {canonicalize_name(r.name): r for r in lock.read_in(ROOT / name)}


@pytest.mark.parametrize("version", [(3, 11, 0), (3, 11, 2), (3, 12, 9), (3, 13, 1)])
def test_accepted_pythons(version: tuple[int, ...]) -> None:
    bootstrap.check_python(version)


@pytest.mark.parametrize("version", [(2, 7, 18), (3, 10, 14), (3, 14, 0), (4, 0, 0)])
def test_other_pythons_get_a_sentence(version: tuple[int, ...]) -> None:
    with pytest.raises(SetupError, match=r"3\.11 to 3\.13 \(tested on 3\.11\)"):
        bootstrap.check_python(version)


def test_the_lock_names_the_cards_packages_first() -> None:
    assert set(list(pins("requirements.txt"))[: len(CARD)]) == CARD


@pytest.mark.parametrize("name", FILES)
def test_everything_is_pinned(name: str) -> None:
    for requirement in pins(name).values():
        assert [s.operator for s in requirement.specifier] == ["=="], requirement


def test_the_lock_is_what_is_installed_here() -> None:
    here: dict[str, str] = {}
    for found in metadata.distributions():
        # the first is what is imported: setuptools puts its own copies behind
        here.setdefault(canonicalize_name(found.name), found.version.split("+")[0])
    for name in FILES:
        for package, requirement in pins(name).items():
            if requirement.marker is None or requirement.marker.evaluate():
                assert requirement.specifier.contains(here[package]), package


def test_the_lock_is_the_closure_of_what_is_asked_for() -> None:
    known: set[str] = set()
    for source in ("requirements.in", "requirements-dev.in"):
        assert lock.render(source, known) == (ROOT / source.replace(".in", ".txt")).read_text()
        known |= set(lock.closure(lock.read_in(ROOT / source)))


def test_a_missing_package_is_named() -> None:
    with pytest.raises(lock.MissingPackageError, match="no-such-package-here"):
        lock.closure([Requirement("no-such-package-here")])


def test_debian_12s_python_gets_what_redis_asks_for() -> None:
    marker = pins("requirements.txt")["async-timeout"].marker
    assert marker is not None
    assert marker.evaluate({"python_full_version": "3.11.2"})
    assert not marker.evaluate({"python_full_version": "3.11.4"})


def test_no_strong_copyleft() -> None:
    """LGPL is fine for a library that is used as one (psycopg2); GPL and AGPL are not."""
    for name in FILES:
        for package, requirement in pins(name).items():
            if requirement.marker is not None and not requirement.marker.evaluate():
                continue
            about = metadata.distribution(package).metadata
            said = [
                about.get("License-Expression") or "",
                (about.get("License") or "").partition("\n")[0],
                *(c for c in about.get_all("Classifier") or [] if c.startswith("License")),
            ]
            for text in said:
                clean = text.replace("LGPL", "").replace("Lesser General Public", "")
                assert "GPL" not in clean, (package, text)
                assert "General Public" not in clean, (package, text)


def test_pip_misses_only_the_graphical_opencv() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pip", "check"], capture_output=True, text=True, check=False
    )
    complaints = [
        line for line in done.stdout.splitlines() if "requires" in line or "has requirement" in line
    ]
    assert all("opencv-python, which is not installed" in line for line in complaints), complaints


def test_commands_of_the_default_index() -> None:
    first, second = bootstrap.install_commands(Path("py"), ROOT / "requirements.txt", "")
    assert first[-3:-1] == ["-c", str(ROOT / "requirements.txt")]
    assert first[-1].startswith("torch==")
    assert second[-3:] == ["--no-deps", "-r", str(ROOT / "requirements.txt")]


def test_commands_of_another_index() -> None:
    index = "https://mirror.example/cpu"
    first, _ = bootstrap.install_commands(Path("py"), ROOT / "requirements.txt", index)
    assert first[first.index("--index-url") + 1] == index
    assert [part.split("==")[0] for part in first[-2:]] == ["torch", "torchvision"]
    (only,) = bootstrap.install_commands(Path("py"), ROOT / "requirements-dev.txt", index)
    assert index not in only


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """A virtual environment that is there, and a pip that is only written down."""
    ran: list[list[str]] = []

    class Done:
        returncode = 0

    def note(command: list[str], **_: object) -> Done:
        ran.append(command)
        return Done()

    (tmp_path / "venv").mkdir()
    for name in FILES:
        (tmp_path / name).write_text("torch==1\ntorchvision==1\n")
    monkeypatch.setattr(bootstrap, "make_venv", lambda venv, say: venv / "bin" / "python")
    monkeypatch.setattr(bootstrap, "venv_version", lambda python: "3.11")
    monkeypatch.setattr(bootstrap.subprocess, "run", note)
    monkeypatch.delenv("TORCH_INDEX_URL", raising=False)
    return ran


def test_installed_once_until_the_lock_changes(
    fake: list[list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ensure(*, dev: bool = False) -> int:
        fake.clear()
        bootstrap.ensure(venv=tmp_path / "venv", dev=dev, say=lambda _: None, root=tmp_path)
        return len(fake)

    assert ensure() == 2
    assert ensure() == 0
    assert ensure(dev=True) == 1  # the tools only
    assert ensure(dev=True) == 0
    (tmp_path / "requirements.txt").write_text("torch==2\ntorchvision==2\n")
    assert ensure() == 2
    monkeypatch.setenv("TORCH_INDEX_URL", "https://mirror.example/cpu")
    assert ensure() == 2


def test_a_failed_install_is_tried_again(
    fake: list[list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed = type("Failed", (), {"returncode": 1})
    monkeypatch.setattr(bootstrap.subprocess, "run", lambda *_, **__: failed)
    with pytest.raises(SetupError, match="PIP_INDEX_URL"):
        bootstrap.ensure(venv=tmp_path / "venv", say=lambda _: None, root=tmp_path)
    assert not list((tmp_path / "venv").glob(".installed-*"))


@pytest.mark.processes
def test_a_broken_venv_is_made_anew_and_a_whole_one_kept(tmp_path: Path) -> None:
    broken = tmp_path / "venv" / "bin" / "python"
    broken.parent.mkdir(parents=True)
    broken.write_text("#!/bin/sh\nexit 1\n")
    broken.chmod(0o755)
    assert bootstrap.venv_version(broken) == ""
    said: list[str] = []
    assert bootstrap.make_venv(tmp_path / "venv", said.append) == broken
    here = ".".join(str(part) for part in sys.version_info[:2])
    assert bootstrap.venv_version(broken) == here
    (tmp_path / "venv" / "kept").touch()
    bootstrap.make_venv(tmp_path / "venv", said.append)
    assert (tmp_path / "venv" / "kept").exists()
    assert len(said) == 1


def test_no_venv_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()  # stands for a Python without its venv: the command fails
    with pytest.raises(SetupError, match="apt-get install python3-venv"):
        bootstrap.make_venv(tmp_path / "file" / "venv", lambda _: None)
