"""Start checks: who runs them, and what stops a process from starting."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import structlog
from django.core import checks as django_checks
from django.core.management import CommandError, call_command

from twinhealth import celery, checks, probes
from twinhealth.checks import StartRefusedError


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> dict[str, str | None]:
    """What the probes say; all is well unless a test changes it."""
    said: dict[str, str | None] = {"storage": None, "queue": None, "weights": None}
    for probe in tuple(said):
        monkeypatch.setattr(probes, probe, lambda probe=probe: said[probe])
    return said


def test_all_is_well(answers: dict[str, str | None]) -> None:
    checks.refuse_on_errors(checks.START, checks.DETECTOR)


@pytest.mark.parametrize(
    ("name", "tags"), [("storage", [checks.START]), ("weights", [checks.DETECTOR])]
)
def test_an_error_stops_the_start_with_its_reason(
    answers: dict[str, str | None], name: str, tags: list[str]
) -> None:
    answers[name] = "the sentence"
    with structlog.testing.capture_logs() as logs, pytest.raises(StartRefusedError) as error:
        checks.refuse_on_errors(*tags)
    assert error.value.code == 78
    assert error.value.reasons == ("the sentence",)
    assert [(line["event"], line["problem"]) for line in logs] == [
        ("start_refused", "the sentence")
    ]


def test_a_queue_that_is_away_stops_nothing(answers: dict[str, str | None]) -> None:
    """Redis may come later; the row waits. The check says so all the same."""
    answers["queue"] = "away"
    checks.refuse_on_errors(checks.START)
    found = django_checks.run_checks(tags=[checks.START], include_deployment_checks=True)
    assert [(m.id, m.msg) for m in found] == [("twinhealth.W002", "away")]


def test_other_commands_work_without_weights(answers: dict[str, str | None]) -> None:
    """`migrate`, `train_detector`: what repairs a machine must not ask for it to be whole."""
    answers["weights"] = "gone"
    answers["storage"] = "full"
    assert [m for m in django_checks.run_checks() if (m.id or "").startswith("twinhealth")] == []


def worker(*queues: str) -> Any:
    return SimpleNamespace(
        app=SimpleNamespace(amqp=SimpleNamespace(queues=SimpleNamespace(consume_from=queues)))
    )


def test_only_the_worker_that_reads_films_needs_weights(answers: dict[str, str | None]) -> None:
    answers["weights"] = "gone"
    celery._check_before_work(sender=worker("default"))
    with pytest.raises(StartRefusedError):
        celery._check_before_work(sender=worker("detect"))


def test_no_worker_starts_without_storage(answers: dict[str, str | None]) -> None:
    answers["storage"] = "full"
    with pytest.raises(StartRefusedError):
        celery._check_before_work(sender=worker("default"))


@pytest.mark.parametrize(
    ("changes", "ids"),
    [
        ({}, []),
        ({"DEBUG": True}, ["twinhealth.E010"]),
        ({"SECRET_KEY": "please-CHANGE-me-" * 3}, ["twinhealth.E011"]),
        ({"ALLOWED_HOSTS": ["*"]}, ["twinhealth.E012"]),
        ({"SECURE_SSL_REDIRECT": False}, ["twinhealth.W013"]),
        ({"EMBEDDED": True, "DEBUG": True, "ALLOWED_HOSTS": ["*"]}, []),
    ],
)
def test_production_settings_are_sane(
    settings: Any, changes: dict[str, Any], ids: list[str]
) -> None:
    good = {
        "EMBEDDED": False,
        "DEBUG": False,
        "SECRET_KEY": "k7" * 32,
        "ALLOWED_HOSTS": ["a.example"],
        "SECURE_SSL_REDIRECT": True,
    }
    for name, value in {**good, **changes}.items():
        setattr(settings, name, value)
    assert [message.id for message in checks.production_is_sane(None)] == ids


# --- manage.py prepare


def test_prepare_is_for_the_embedded_mode_only(
    answers: dict[str, str | None], settings: Any
) -> None:
    settings.EMBEDDED = False
    with pytest.raises(CommandError, match="embedded"):
        call_command("prepare")


def test_prepare_refuses_broken_weights(answers: dict[str, str | None]) -> None:
    answers["weights"] = "the weights file is damaged"
    with pytest.raises(django_checks_error(), match="the weights file is damaged"):
        call_command("prepare", skip_checks=False)


def django_checks_error() -> type[Exception]:
    from django.core.management.base import SystemCheckError

    return SystemCheckError


@pytest.mark.django_db
def test_no_demo_beside_real_accounts(
    answers: dict[str, str | None], django_user_model: Any
) -> None:
    django_user_model.objects.create_user(username="real", role="admin")
    with pytest.raises(CommandError, match="not put beside them"):
        call_command("prepare", demo=True)


@pytest.mark.django_db
def test_prepare_does_what_changed_only(
    answers: dict[str, str | None],
    settings: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings.STATIC_ROOT = tmp_path / "static"
    settings.DATA_DIR = tmp_path
    ran: list[str] = []
    monkeypatch.setattr(
        "twinhealth.web.management.commands.prepare.call_command",
        lambda name, **_: ran.append(name) or (tmp_path / "static").mkdir(exist_ok=True),
    )
    always = ["migrate", "register_detector", "create_demo_users"]

    def prepare() -> set[str]:
        ran.clear()
        call_command("prepare", demo=True)
        return set(ran) - set(always)

    assert prepare() == {"collectstatic", "seed_demo"}
    assert prepare() == set()
    (tmp_path / "demo-seeded").write_text("another database")
    assert prepare() == {"seed_demo"}
    new = tmp_path / "more"
    new.mkdir()
    (new / "new.css").write_text("a")
    settings.STATICFILES_DIRS = [*settings.STATICFILES_DIRS, new]
    from django.contrib.staticfiles import finders

    finders.get_finder.cache_clear()
    try:
        assert prepare() == {"collectstatic"}
    finally:
        finders.get_finder.cache_clear()


def test_the_manifest_in_the_repository_is_whole(settings: Any) -> None:
    """The file that `git clone` brings is the one that the manifest names."""
    path = Path(settings.DETECTOR_WEIGHTS)
    assert probes.weights() is None
    assert path.stat().st_size < 40 * 1024**2
    assert len(json.loads(path.with_suffix(".json").read_text())["sha256"]) == 64
