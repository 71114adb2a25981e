"""docker-compose.yml and Dockerfile, as far as parsers go: no container engine is asked."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
OURS = ("migrate", "web", "worker", "worker-shadow", "worker-default", "beat", "mqtt")
REACHED = {"web": ("WEB_BIND", "PORT"), "mosquitto": ("MQTT_BIND", "MQTT_PORT")}
SECRETS = ("SECRET_KEY", "POSTGRES_PASSWORD", "REDIS_PASSWORD")


@pytest.fixture(scope="module")
def text() -> str:
    return (ROOT / "docker-compose.yml").read_text()


@pytest.fixture(scope="module")
def compose(text: str) -> dict[str, Any]:
    return yaml.safe_load(text)


@pytest.fixture(scope="module")
def services(compose: dict[str, Any]) -> dict[str, Any]:
    return compose["services"]


def instructions() -> list[tuple[str, str]]:
    text = (ROOT / "Dockerfile").read_text()
    lines = re.sub(r"^\s*#.*\n", "", text, flags=re.MULTILINE).replace("\\\n", " ").splitlines()
    return [(line.split()[0].upper(), line.split(None, 1)[1]) for line in lines if line.strip()]


def test_the_processes_are_all_there(services: dict[str, Any]) -> None:
    assert set(services) == {*OURS, "postgres", "redis", "mosquitto"}
    assert services["postgres"]["image"] == "postgres:16"
    assert services["redis"]["image"] == "redis:7"
    assert services["mosquitto"]["image"] == "eclipse-mosquitto:2"
    with_profile = {name: s["profiles"] for name, s in services.items() if "profiles" in s}
    assert with_profile == {"mqtt": ["mqtt"], "mosquitto": ["mqtt"]}


def test_nothing_runs_as_root_or_may_become_it(services: dict[str, Any]) -> None:
    for name, service in services.items():
        assert str(service["user"]).split(":")[0] not in {"", "0", "root"}, name
        assert service["cap_drop"] == ["ALL"], name
        assert "no-new-privileges:true" in service["security_opt"], name
        assert service["read_only"] is True, name
        assert not service.get("privileged"), name


def test_secrets_have_no_default_and_stop_the_start(text: str) -> None:
    for name in (*SECRETS, "ALLOWED_HOSTS"):
        uses = re.findall(r"\$\{" + name + r"\b([^}]*)\}", text)
        assert uses, name
        assert all(use.startswith(":?") for use in uses), name


def test_no_secret_is_written_down(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        for key, value in service.get("environment", {}).items():
            if re.search("PASSWORD|SECRET_KEY$|AUTH|_URL", key):
                assert "${" in str(value), (name, key)


def test_every_variable_is_explained(text: str) -> None:
    example = (ROOT / ".env.example").read_text()
    for name in set(re.findall(r"\$\{([A-Z_]+)", text)):
        assert re.search(rf"^{name}=", example, re.MULTILINE), name


def test_all_of_ours_share_one_image_and_environment(services: dict[str, Any]) -> None:
    web = services["web"]
    for name in OURS:
        assert services[name]["image"] == web["image"]
        assert services[name]["environment"] == web["environment"]
        assert "data:/data" in services[name]["volumes"]
    assert web["environment"]["DJANGO_SETTINGS_MODULE"] == "twinhealth.settings.production"


def test_the_environment_is_enough_for_the_production_settings(services: dict[str, Any]) -> None:
    settings = (ROOT / "twinhealth/settings/production.py").read_text()
    needed = set(re.findall(r"_required\(\s*\"([A-Z_]+)\"", settings))
    assert len(needed) == 4
    assert needed <= set(services["web"]["environment"])


def test_only_web_and_broker_are_reached_from_outside_and_only_by_this_machine(
    compose: dict[str, Any],
) -> None:
    assert compose["networks"]["inside"]["internal"] is True
    for name, service in compose["services"].items():
        if name in REACHED:
            bind, _ = REACHED[name]
            assert set(service["networks"]) == {"inside", "front"}
            (port,) = service["ports"]
            assert port.startswith(f"${{{bind}:-127.0.0.1}}:")
        else:
            assert service["networks"] == ["inside"], name
            assert "ports" not in service, name


def test_migrations_come_before_everything_and_once(services: dict[str, Any]) -> None:
    assert services["migrate"]["restart"] == "no"
    for name in OURS[1:]:
        after = services[name]["depends_on"]
        assert after["migrate"]["condition"] == "service_completed_successfully"
        assert after["postgres"]["condition"] == "service_healthy"
        assert after["redis"]["condition"] == "service_healthy"


def test_every_service_that_stays_has_a_health_check_and_comes_back(
    services: dict[str, Any],
) -> None:
    for name, service in services.items():
        if name == "migrate":
            continue
        assert service["healthcheck"]["test"][0] in {"CMD", "CMD-SHELL"}, name
        assert service["restart"] == "unless-stopped", name
        assert service["logging"]["options"]["max-size"], name


def test_each_queue_is_worked_and_beat_is_one(services: dict[str, Any]) -> None:
    queues = {
        command[command.index("--queues") + 1]
        for command in (service["command"] for service in services.values() if "command" in service)
        if "--queues" in command
    }
    assert queues == {"detect", "shadow", "default"}
    assert "deploy" not in services["beat"]


def test_the_broker_has_a_password_for_who_reads_and_a_list_of_who_may(
    services: dict[str, Any],
) -> None:
    assert "MQTT_PASSWORD:?" in " ".join(services["mosquitto"]["command"])
    acl = (ROOT / "scripts/mosquitto/acl").read_text()
    acl = re.sub(r"(?m)^#.*$", "", acl)
    before, _, listener = acl.partition("user listener")
    assert "topic read " not in before
    assert "topic write twinhealth/+/readings" in before
    assert "topic read twinhealth/+/readings" in listener
    conf = (ROOT / "scripts/mosquitto/mosquitto.conf").read_text()
    assert "max_queued_messages 0" in conf
    assert "persistence true" in conf


def test_what_is_mounted_is_declared(compose: dict[str, Any]) -> None:
    used = {
        volume.split(":")[0]
        for s in compose["services"].values()
        for volume in s.get("volumes", [])
    }
    ours = {name for name in used if name.startswith("./")}
    assert ours == {"./scripts/mosquitto"}
    assert all((ROOT / name).is_dir() for name in ours)
    assert used - ours == set(compose["volumes"]) == {"data", "postgres", "mosquitto"}
    used = {network for s in compose["services"].values() for network in s["networks"]}
    assert used == set(compose["networks"])


def test_the_image_runs_unprivileged_with_the_production_settings() -> None:
    steps = instructions()
    last = max(i for i, (name, _) in enumerate(steps) if name == "FROM")
    final = steps[last:]
    (user,) = [value for name, value in final if name == "USER"]
    assert user.split(":")[0] == "10001"
    env = " ".join(value for name, value in final if name == "ENV")
    assert "DJANGO_SETTINGS_MODULE=twinhealth.settings.production" in env
    assert [name for name, _ in final].count("HEALTHCHECK") == 1
    command = next(value for name, value in final if name == "CMD")
    assert yaml.safe_load(command)[0] == "gunicorn"


def test_the_final_image_has_no_compiler_and_no_secret() -> None:
    steps = instructions()
    text = " ".join(value for _, value in steps)
    assert not re.search(r"apt-get|gcc|build-essential", text)
    assert not [
        v for name, v in steps if name in {"ARG", "ENV"} and re.search("SECRET|PASSWORD", v)
    ]
    bases = [value.split()[0] for name, value in steps if name == "FROM"]
    assert len(bases) == 2
    assert all(base.endswith("-slim-bookworm") for base in bases)


def test_the_image_installs_the_lock_in_the_documented_order() -> None:
    (install,) = [v for name, v in instructions() if name == "RUN" and "pip install" in v]
    first = install.index('pip install -c requirements.txt "$torch"')
    assert install.index("pip install --no-deps -r requirements.txt") > first
    assert '--index-url "$TORCH_INDEX_URL"' in install


def test_the_build_context_leaves_out_what_must_not_be_in_an_image() -> None:
    ignored = set((ROOT / ".dockerignore").read_text().split())
    assert {".git", ".env", ".env.*", ".venv", "var", "**/__pycache__"} <= ignored
    assert "requirements.txt" not in ignored
    assert "detection" not in ignored
