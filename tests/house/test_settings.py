"""Settings: production fails closed, every name is explained, values come from files too."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
GOOD = {
    "SECRET_KEY": "k7" * 32,
    "ALLOWED_HOSTS": "twin.hospital.example",
    "DATABASE_URL": "postgres://u:p@127.0.0.1:1/none",
    "REDIS_URL": "redis://127.0.0.1:1/0",
}
# read by programs around Django, each named in .env.example too
AROUND = {
    "DEMO",
    "DEMO_PASSWORD",
    "DICOM_PORT",
    "DJANGO_SETTINGS_MODULE",
    "FORWARDED_ALLOW_IPS",
    "HOST",
    "MQTT_BIND",
    "MQTT_PASSWORD",
    "MQTT_PORT",
    "PORT",
    "POSTGRES_PASSWORD",
    "REDIS_PASSWORD",
    "TEST_JOBS",
    "TEST_SEED",
    "TORCH_INDEX_URL",
    "TWINHEALTH_TAG",
    "WEB_BIND",
    "WEB_THREADS",
    "WEB_WORKERS",
}


def settings(
    module: str, env: dict[str, str], folder: Path, code: str = "pass"
) -> subprocess.CompletedProcess[str]:
    """Load a settings module in a process of its own with exactly this environment."""
    return subprocess.run(
        [sys.executable, "-c", f"from django.conf import settings as s; s.DEBUG; {code}"],
        cwd=ROOT,
        env={
            "PATH": os.environ["PATH"],
            "DATA_DIR": str(folder),
            "DJANGO_SETTINGS_MODULE": f"twinhealth.settings.{module}",
            **env,
        },
        capture_output=True,
        text=True,
        check=False,
    )


def test_production_with_all_it_needs(tmp_path: Path) -> None:
    code = "print(s.EMBEDDED, s.DEBUG, s.SESSION_COOKIE_SECURE, s.SECURE_SSL_REDIRECT)"
    done = settings("production", GOOD, tmp_path, code)
    assert done.stdout.split() == ["False", "False", "True", "True"], done.stderr


@pytest.mark.parametrize("missing", sorted(GOOD))
@pytest.mark.parametrize("how", ["unset", "empty", "blank"])
def test_production_starts_without_none_of_them(missing: str, how: str, tmp_path: Path) -> None:
    env = dict(GOOD)
    if how == "unset":
        del env[missing]
    else:
        env[missing] = "" if how == "empty" else "  "
    done = settings("production", env, tmp_path)
    assert done.returncode != 0
    assert f"ImproperlyConfigured: {missing} is not set" in done.stderr


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("SECRET_KEY", "short", "at least 32"),
        ("DATABASE_URL", "sqlite:////tmp/x.sqlite3", "must name a PostgreSQL"),
        ("REDIS_URL", "filesystem://", "must be redis"),
    ],
)
def test_production_refuses_what_is_not_for_it(
    name: str, value: str, words: str, tmp_path: Path
) -> None:
    done = settings("production", {**GOOD, name: value}, tmp_path)
    assert done.returncode != 0
    assert words in done.stderr


def test_a_secret_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(GOOD["SECRET_KEY"] + "\n")
    env = {k: v for k, v in GOOD.items() if k != "SECRET_KEY"}
    env["SECRET_KEY_FILE"] = str(tmp_path / "key")
    done = settings("production", env, tmp_path, "print(repr(s.SECRET_KEY))")
    assert done.stdout.strip() == repr(GOOD["SECRET_KEY"]), done.stderr


def test_an_empty_value_is_as_good_as_none(tmp_path: Path) -> None:
    env = {"DETECTOR_THREADS": "", "MEDIA_ROOT": "", "DATABASE_URL": "", "REDIS_URL": ""}
    code = "print(s.DETECTOR_THREADS, s.MEDIA_ROOT, s.CELERY_BROKER_URL[:13])"
    done = settings("embedded", env, tmp_path, code)
    assert done.stdout.split() == ["2", str(tmp_path / "media"), "filesystem://"], done.stderr


def test_the_embedded_secret_is_made_once_per_data_folder(tmp_path: Path) -> None:
    first, again, other = (
        settings("embedded", {}, folder, "print(s.SECRET_KEY)").stdout.strip()
        for folder in (tmp_path / "a", tmp_path / "a", tmp_path / "b")
    )
    assert len(first) >= 64
    assert first == again != other
    assert (tmp_path / "a" / "secret.key").stat().st_mode & 0o777 == 0o600


def test_embedded_takes_other_databases_and_stays_embedded(tmp_path: Path) -> None:
    env = {"DATABASE_URL": GOOD["DATABASE_URL"], "REDIS_URL": GOOD["REDIS_URL"]}
    code = "print(s.EMBEDDED, s.DATABASES['default']['ENGINE'], s.CELERY_BROKER_URL)"
    done = settings("embedded", env, tmp_path, code)
    assert done.stdout.split() == ["True", "django.db.backends.postgresql", GOOD["REDIS_URL"]]


@pytest.mark.parametrize(
    ("query", "options"),
    [("", "-c jit=off"), ("?options=-c%20statement_timeout%3D1s", "-c statement_timeout=1s")],
)
def test_postgresql_compiles_no_query_unless_told(query: str, options: str, tmp_path: Path) -> None:
    code = "print(repr(s.DATABASES['default']['OPTIONS']['options']))"
    env = {**GOOD, "DATABASE_URL": GOOD["DATABASE_URL"] + query}
    done = settings("production", env, tmp_path, code)
    assert done.stdout.strip() == repr(options), done.stderr


def listed() -> dict[str, str]:
    """Names in .env.example, each with the comment above it."""
    names, why = {}, ""
    for line in (ROOT / ".env.example").read_text().splitlines():
        if line.startswith("# ---") or not line:
            why = ""
        elif line.startswith("#"):
            why = line.lstrip("# ")
        else:
            names[line.partition("=")[0]] = why
            why = ""
    return names


def read_by_settings() -> set[str]:
    texts = [path.read_text() for path in (ROOT / "twinhealth" / "settings").glob("*.py")]
    pattern = re.compile(r"(?:\benv\.\w+|\b_required)\(\s*\"([A-Z_]+)\"")
    return {name for text in texts for name in pattern.findall(text)}


def test_every_setting_is_listed_with_its_why() -> None:
    names = listed()
    assert read_by_settings() | AROUND == set(names)
    assert [name for name, why in names.items() if len(why) < 4] == []


def test_the_example_holds_no_secret_and_starts_nothing(tmp_path: Path) -> None:
    """Copied as it is, production still refuses: there is no default password anywhere."""
    lines = (ROOT / ".env.example").read_text().splitlines()
    env = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
    secret = [name for name in env if "PASSWORD" in name or "SECRET" in name]
    assert len(secret) >= 4
    assert [name for name in secret if env[name]] == []
    del env["DJANGO_SETTINGS_MODULE"], env["DATA_DIR"]
    done = settings("production", env, tmp_path)
    assert "SECRET_KEY is not set" in done.stderr


def test_the_example_gives_the_defaults(tmp_path: Path) -> None:
    """A number that the example shows is the number that is used without it."""
    lines = (ROOT / ".env.example").read_text().splitlines()
    env = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
    numbers = [n for n in sorted(read_by_settings()) if env[n].isdigit() and "SECURE" not in n]
    assert len(numbers) > 15
    code = f"print({{n: int(getattr(s, n, -1)) for n in {numbers!r}}})"
    done = settings("embedded", {}, tmp_path, code)
    used = {k: v for k, v in eval(done.stdout).items() if v != -1}
    assert used == {name: int(env[name]) for name in used}
