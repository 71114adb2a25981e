"""Programs that follow the API's description, and some that don't: no answer is our defect.

schemathesis makes requests from the OpenAPI description, half of them broken on purpose; every
operation is asked by somebody who may. Few examples each: the walk is wide, not deep.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any
from urllib.parse import urlencode

import pytest
import schemathesis
from django.core.files.base import ContentFile
from django.db import transaction
from django.test import Client
from django.urls import resolve
from drf_spectacular.generators import SchemaGenerator
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode

from accounts.permissions import Can
from tests.conftest import SEED

from .walking import ROLES, Door, N, may

EXAMPLES = 5
# it takes no sign-in, and a password is hashed each time
LEFT_OUT = {"/api/v1/auth/token/"}
STRANGE = [
    "a\0b",
    "\ud800",
    10**30,
    -(2**63) - 1,
    float("nan"),
    {"a\0": "b"},
    [[[[]]]],
    None,
    "x" * 10_000,
    "0001-01-01T00:00:00+23:59",
]


@lru_cache
def operations() -> dict[str, Any]:
    raw = SchemaGenerator().get_schema(request=None, public=True)
    found = schemathesis.openapi.from_dict(raw).get_all_operations()
    known = [result.ok() for result in found]
    return {op.label: op for op in known if op.path not in LEFT_OUT}


def ask(client: Client, method: str, address: str, body: Any, media_type: str | None) -> Any:
    """The answer; nothing of it stays."""
    with transaction.atomic():
        if media_type == "multipart/form-data" and isinstance(body, dict):
            fields = {
                key: ContentFile(value, "film.dcm") if isinstance(value, bytes) else str(value)
                for key, value in body.items()
            }
            response = client.post(address, fields)
        else:
            data = json.dumps(body, default=repr) if media_type else ""
            response = client.generic(method, address, data, content_type="application/json")
        transaction.set_rollback(True)
    return response


def who(clients: dict[str, Client], method: str, path: str) -> Client:
    door = Door(path, method.lower(), "", resolve(path).func, is_api=True)
    return clients[next(role for role in ROLES if may(role, door.required or Can.SIGNED_IN))]


def resolved(schema: dict[str, Any], description: dict[str, Any]) -> dict[str, Any]:
    """Without `$ref`."""
    while "$ref" in schema or len(schema.get("allOf", [])) == 1:
        ref = schema.get("$ref") or schema["allOf"][0]["$ref"]
        schema = description["components"]["schemas"][ref.rpartition("/")[2]]
    return schema


def sample(schema: dict[str, Any], description: dict[str, Any]) -> Any:
    """A value that fits."""
    schema = resolved(schema, description)
    if "oneOf" in schema:
        return sample(schema["oneOf"][0], description)
    if schema.get("enum"):
        return schema["enum"][0]
    if schema.get("type") == "object":
        parts = schema.get("properties", {})
        return {name: sample(part, description) for name, part in parts.items()}
    if schema.get("type") == "array":
        return [sample(schema["items"], description)]
    formats = {"date-time": "2026-01-01T00:00:00Z", "date": "2026-01-01"}
    text = formats.get(schema.get("format", ""), "text")
    kinds = {"integer": N, "number": 1.0, "boolean": True, "string": text}
    return kinds.get(schema.get("type", ""), text)


def bodies() -> dict[str, Any]:
    """Operation -> a JSON body that fits its description."""
    description = SchemaGenerator().get_schema(request=None, public=True)
    found = {}
    for path, methods in description["paths"].items():
        for method, operation in methods.items():
            content = operation.get("requestBody", {}).get("content", {}).get("application/json")
            if content and path not in LEFT_OUT:
                found[f"{method.upper()} {path}"] = sample(content["schema"], description)
    return found


def bent(body: Any, value: Any) -> Iterator[Any]:
    """The body with one part after another replaced."""
    yield value
    if isinstance(body, list):
        yield [value]
        yield from ([part] for part in bent(body[0], value))
    if isinstance(body, dict):
        for name in body:
            yield from ({**body, name: part} for part in bent(body[name], value))


@pytest.mark.parametrize("label", sorted(operations()))
@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
def test_generated_requests(clients: dict[str, Client], label: str, mode: GenerationMode):
    operation = operations()[label]
    numbers = {parameter.name: N for parameter in operation.path_parameters}

    @seed(SEED)
    @settings(
        max_examples=EXAMPLES,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode, path_parameters=numbers))
    def send(case: Any) -> None:
        query = urlencode(case.query or {}, doseq=True, errors="replace")
        client = who(clients, case.method, case.formatted_path)
        address = f"{case.formatted_path}?{query}"
        response = ask(client, case.method, address, case.body, case.media_type)
        assert response.status_code < 500 or response.status_code == 503, response.content[:300]

    try:
        send()
    except Unsatisfiable:
        assert mode is GenerationMode.NEGATIVE  # nothing of it can be wrong


@pytest.mark.parametrize("value", STRANGE, ids=lambda value: ascii(value)[:20])
def test_strange_values_in_every_place(clients: dict[str, Client], value: Any):
    wrong, asked = [], 0
    for label, body in bodies().items():
        method, _, path = label.partition(" ")
        path = re.sub(r"\{\w+\}", str(N), path)
        for strange in bent(body, value):
            asked += 1
            client = who(clients, method, path)
            response = ask(client, method, path, strange, "application/json")
            if response.status_code >= 500 and response.status_code != 503:
                wrong.append(f"{label} {str(strange)[:200]!a}")
    assert asked > 50
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("body", [b"[" * 200_000, b'{"a":' * 100_000, b"\xff\xfe", b"1" * 5_000])
def test_bodies_that_are_no_json(clients: dict[str, Client], body: bytes):
    path = f"/api/v1/devices/{N}/readings/"
    answer = clients["engineer"].generic("POST", path, body, content_type="application/json")
    assert answer.status_code == 400, answer.content
    assert set(answer.json()) == {"code", "message", "extra"}


def test_a_body_has_a_cap(clients: dict[str, Client], settings: Any):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    path = f"/api/v1/devices/{N}/readings/"
    for size, status in ((900, 200), (1100, 413)):
        body = "[" + " " * (size - 2) + "]"
        answer = clients["engineer"].generic("POST", path, body, content_type="application/json")
        assert answer.status_code == status
    assert answer.json()["code"] == "too_large"
