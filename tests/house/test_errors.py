"""Errors leave in one shape: JSON `{code, message, extra}` under /api/, else a page."""

from __future__ import annotations

import json
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.core.exceptions import ValidationError as DjangoValidationError
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import path
from django.views.decorators.http import require_POST
from rest_framework import exceptions, parsers
from rest_framework.permissions import AllowAny
from rest_framework.response import Response
from rest_framework.views import APIView

from twinhealth import errors
from twinhealth.urls import handler400, handler403, handler404, handler500, urlpatterns
from twinhealth.web.errors import status_of

RAISED: dict[str, Callable[[], Exception]] = {
    "invalid": lambda: errors.InvalidInputError("bad_unit", "No such unit.", unit="x"),
    "too-large": lambda: errors.TooLargeError("too_large", "Too large.", limit=5),
    "conflict": lambda: errors.ConflictError("signed", "Signed already.", by="A"),
    "not-permitted": lambda: errors.NotPermittedError("permission_denied", "Not you."),
    "not-found": lambda: errors.NotFoundError("no_such_film", "No such film."),
    "unavailable": lambda: errors.UnavailableError("disk_full", "The disk is full."),
    "too-many": lambda: errors.TooManyRequestsError("slow", "Slowly.", retry_after=7),
    "of-no-kind": lambda: errors.DomainError("odd", "Odd."),
    "defect": lambda: RuntimeError("secret detail"),
    "django-denied": lambda: PermissionDenied("why"),
    "django-suspicious": lambda: SuspiciousOperation("what"),
    "django-too-big": lambda: RequestDataTooBig("big"),
    "django-invalid": lambda: DjangoValidationError(["one", "two"]),
    "drf-invalid": lambda: exceptions.ValidationError({"unit": ["No."]}),
    "drf-throttled": lambda: exceptions.Throttled(wait=2.2),
    "drf-unsigned": exceptions.NotAuthenticated,
    "drf-denied": exceptions.PermissionDenied,
    "drf-missing": exceptions.NotFound,
}


class Raise(APIView):
    permission_classes = (AllowAny,)
    parser_classes = (parsers.JSONParser,)

    def post(self, request: Any, kind: str) -> Response:
        len(request.data)
        error = RAISED[kind]()
        raise error


def page(request: HttpRequest, kind: str) -> HttpResponse:
    error = RAISED[kind]()
    raise error


@require_POST
def post_only(request: HttpRequest) -> HttpResponse:
    return HttpResponse("posted")


@pytest.fixture(autouse=True)
def _addresses(settings: Any) -> None:
    module: Any = ModuleType("addresses_for_errors")
    module.urlpatterns = [
        path("api/v1/raise/<kind>/", Raise.as_view()),
        path("api/v1/plain/<kind>/", page),  # not DRF's: what goes past its hook
        path("raise/<kind>/", page),
        path("post-only/", post_only),
        *urlpatterns,
    ]
    for name, value in (
        ("handler400", handler400),
        ("handler403", handler403),
        ("handler404", handler404),
        ("handler500", handler500),
    ):
        setattr(module, name, value)
    settings.ROOT_URLCONF = module


@pytest.fixture
def client() -> Client:
    return Client(raise_request_exception=False)


def shape(response: Any) -> dict[str, Any]:
    assert response.headers["Content-Type"] == "application/json"
    body = json.loads(response.content)
    assert set(body) == {"code", "message", "extra"}
    assert isinstance(body["extra"], dict)
    assert body["message"]
    return body


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("kind", "status", "code", "extra"),
    [
        ("invalid", 400, "bad_unit", {"unit": "x"}),
        ("too-large", 413, "too_large", {"limit": 5}),
        ("conflict", 409, "signed", {"by": "A"}),
        ("not-permitted", 403, "permission_denied", {}),
        ("not-found", 404, "no_such_film", {}),
        ("unavailable", 503, "disk_full", {}),
        ("too-many", 429, "slow", {"retry_after": 7}),
        ("of-no-kind", 400, "odd", {}),
        ("defect", 500, "server_error", {}),
        ("django-denied", 403, "permission_denied", {}),
        ("django-suspicious", 400, "bad_request", {}),
        ("django-too-big", 413, "too_large", {}),
        ("django-invalid", 400, "invalid", {"errors": ["one", "two"]}),
        ("drf-invalid", 400, "invalid", {"unit": ["No."]}),
        ("drf-throttled", 429, "throttled", {"retry_after": 3}),
        ("drf-unsigned", 401, "not_authenticated", {}),
        ("drf-denied", 403, "permission_denied", {}),
        ("drf-missing", 404, "not_found", {}),
    ],
)
def test_the_api(client: Client, kind: str, status: int, code: str, extra: dict[str, Any]) -> None:
    response = client.post(f"/api/v1/raise/{kind}/", {}, content_type="application/json")
    assert response.status_code == status
    body = shape(response)
    assert (body["code"], body["extra"]) == (code, extra)
    assert "secret detail" not in response.content.decode()


@pytest.mark.django_db
def test_wait_is_a_header_too(client: Client) -> None:
    response = client.post("/api/v1/raise/too-many/", {}, content_type="application/json")
    assert response.headers["Retry-After"] == "7"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("method", "address", "body", "content_type", "status", "code"),
    [
        ("POST", "/api/v1/raise/invalid/", "{", "application/json", 400, "parse_error"),
        ("GET", "/api/v1/raise/invalid/", "", "", 405, "method_not_allowed"),
        ("POST", "/api/v1/raise/invalid/", "a", "text/csv", 415, "unsupported_media_type"),
        ("GET", "/api/v1/no/such/thing/", "", "", 404, "not_found"),
        ("GET", "/api/v1/images/1/", "", "", 401, "not_authenticated"),
        ("GET", "/api/v1/plain/defect/", "", "", 500, "server_error"),
        ("GET", "/api/v1/plain/conflict/", "", "", 409, "signed"),
        ("GET", "/api/v1/plain/django-denied/", "", "", 403, "permission_denied"),
        ("GET", "/api/v1/plain/django-suspicious/", "", "", 400, "bad_request"),
        ("GET", "/api/v1/plain/django-too-big/", "", "", 413, "too_large"),
    ],
)
def test_what_django_itself_refuses(
    client: Client,
    method: str,
    address: str,
    body: str,
    content_type: str,
    status: int,
    code: str,
) -> None:
    response = client.generic(method, address, body, content_type=content_type or "text/plain")
    assert response.status_code == status
    assert shape(response)["code"] == code


@pytest.mark.django_db
def test_a_wrong_token_is_401(client: Client) -> None:
    response = client.get("/api/v1/images/1/", headers={"authorization": "Token nonsense"})
    assert response.status_code == 401
    assert shape(response)["code"] == "authentication_failed"


@pytest.mark.django_db
def test_no_csrf_token(django_user_model: Any) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(django_user_model.objects.create_user(username="e", role="engineer"))
    response = client.post("/api/v1/devices/", {}, content_type="application/json")
    assert response.status_code == 403
    assert "CSRF" in shape(response)["message"]
    response = client.post("/login/", {"username": "e"})
    assert response.status_code == 403
    assert "csrf_failed" in response.content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("kind", "status", "words"),
    [
        ("invalid", 400, "No such unit."),
        ("too-large", 413, "Too large."),
        ("conflict", 409, "Signed already."),
        ("not-permitted", 403, "Not you."),
        ("not-found", 404, "No such film."),
        ("unavailable", 503, "The disk is full."),
        ("too-many", 429, "Slowly."),
        ("django-denied", 403, "No access"),
        ("django-suspicious", 400, "be understood"),
        ("django-too-big", 413, "too large"),
        ("defect", 500, "Something broke on our side"),
    ],
)
def test_a_page_says_it(client: Client, kind: str, status: int, words: str) -> None:
    response = client.get(f"/raise/{kind}/", headers={"accept": "text/html"})
    assert response.status_code == status
    assert response.headers["Content-Type"].startswith("text/html")
    text = response.content.decode()
    assert words in text
    assert "secret detail" not in text


@pytest.mark.django_db
def test_an_unknown_address_is_a_page(client: Client) -> None:
    response = client.get("/no-such-page/")
    assert response.status_code == 404
    assert "<html" in response.content.decode()


@pytest.mark.django_db
def test_the_wrong_method_says_what_the_address_takes(client: Client) -> None:
    response = client.get("/post-only/")
    assert (response.status_code, response.headers["Allow"]) == (405, "POST")
    assert "takes POST only" in response.content.decode()
    response = client.get("/post-only/", headers={"accept": "application/json"})
    assert response.headers["Allow"] == "POST"
    assert shape(response)["code"] == "method_not_allowed"


@pytest.mark.django_db
def test_a_fragment_gets_a_fragment(client: Client) -> None:
    response = client.get("/raise/conflict/", headers={"hx-request": "true"})
    assert response.status_code == 409
    assert "Signed already." in response.content.decode()
    assert "<html" not in response.content.decode()


@pytest.mark.django_db
def test_a_wrong_host_name_is_a_page_that_stands_alone(client: Client) -> None:
    response = client.get("/login/", headers={"host": "evil.example"})
    assert response.status_code == 400
    assert "be understood" in response.content.decode()


@pytest.mark.django_db
def test_our_defect_needs_no_database_to_be_said(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page for a defect asks no context processor: they may be what broke."""

    def broken(request: HttpRequest) -> dict[str, Any]:
        raise RuntimeError("the frame is broken")

    monkeypatch.setattr("accounts.context.house", broken)
    response = client.get("/raise/defect/", headers={"accept": "text/html"})
    assert response.status_code == 500
    assert "Something broke on our side" in response.content.decode()


def test_a_kind_of_a_kind_has_its_parents_status() -> None:
    class OwnConflictError(errors.ConflictError):
        pass

    assert status_of(OwnConflictError("a", "b")) == 409
