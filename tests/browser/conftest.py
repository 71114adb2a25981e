"""A real Chromium before a live server; what it refuses or complains of is collected."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings as django_settings
from django.core.signals import request_finished, request_started
from django.test import Client
from playwright.sync_api import (
    Browser,
    BrowserContext,
    FloatRect,
    Locator,
    Page,
    sync_playwright,
)
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from accounts.models import User
from detection.models import DetectorVersion
from imaging.decoding import client as decoders
from tests.detection.factories import make_user, make_version

ARGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PASSWORD = "correct horse battery"
DESK = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}
_LISTEN = """
window.refusals = [];
document.addEventListener("securitypolicyviolation", (event) => {
  window.refusals.push(`${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}`);
});
"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in Path(str(item.fspath)).parents:
            item.add_marker(pytest.mark.browser)


def chromium() -> str | None:
    return os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")


@pytest.fixture(scope="session", autouse=True)
def _rows_beside_playwright() -> Iterator[None]:
    # Playwright's loop runs in the test's own thread, where Django would refuse the database
    before = os.environ.get("DJANGO_ALLOW_ASYNC_UNSAFE")
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    yield
    if before is None:
        del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]
    else:
        os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = before


@pytest.fixture(scope="session", autouse=True)
def _decoders() -> Iterator[None]:
    yield
    decoders.close_pool()


@pytest.fixture(autouse=True)
def archive(tmp_path: Path, settings: Settings) -> Path:
    """MEDIA_ROOT and the pixel cache of this test alone."""
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.PIXEL_CACHE_ROOT = tmp_path / "cache"
    return settings.MEDIA_ROOT


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    program = chromium()
    if program is None:
        pytest.skip("Chromium is not installed")
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=program, args=ARGS)
        yield found
        found.close()


class Answering:
    """Requests that the live server is at: a page asks on leaving (its draft), and the database
    must not be emptied under it."""

    def __init__(self) -> None:
        self.count = 0
        request_started.connect(self._began, weak=False)
        request_finished.connect(self._ended, weak=False)

    def _began(self, **_: object) -> None:
        self.count += 1

    def _ended(self, **_: object) -> None:
        self.count -= 1

    def wait(self, seconds: float = 3.0) -> None:
        """Until nothing has been asked for a tenth of a second."""
        calm, end = 0, time.monotonic() + seconds
        while calm < 3 and time.monotonic() < end:
            calm = calm + 1 if self.count <= 0 else 0
            time.sleep(0.035)
        self.count = 0  # one that was broken off is not waited for again


_ANSWERING = Answering()


def place(locator: Locator) -> FloatRect:
    """Where something visible lies on the page, in CSS pixels."""
    found = locator.bounding_box()
    assert found is not None, "not visible"
    return found


@dataclass
class Visitor:
    """One person before one screen."""

    page: Page
    base: str
    complaints: list[str] = field(default_factory=list)
    asked: int = 0

    def __post_init__(self) -> None:
        self.page.on("request", lambda _: self._count(1))
        self.page.on("requestfinished", lambda _: self._count(-1))
        self.page.on("requestfailed", lambda _: self._count(-1))

    def _count(self, change: int) -> None:
        self.asked += change

    def go(self, path: str) -> int:
        """Open an address of the house; the answer's status."""
        response = self.page.goto(self.base + path)
        assert response is not None
        return response.status

    def settle(self) -> None:
        """Wait until nothing has been fetched for a tenth of a second.

        What a page asks for by itself it asks for as it loads, or in answer to what has come;
        Playwright's own `networkidle` would wait half a second, at each of hundreds of pages.
        """
        self.page.wait_for_load_state("load")
        calm, end = 0, time.monotonic() + 15
        while calm < 4:
            assert time.monotonic() < end, f"{self.page.url} is still fetching"
            self.page.wait_for_timeout(25)
            calm = 0 if self.asked > 0 else calm + 1

    def refusals(self) -> list[str]:
        """What the content security policy refused on this page."""
        found: list[str] = self.page.evaluate("window.refusals")
        return found


@pytest.fixture
def reader() -> User:
    return make_user(username="reader")


@pytest.fixture
def version() -> DetectorVersion:
    # not active while films come in: what was found is written by the test, not by a worker
    return make_version("candidate")


def clean(visitor: Visitor) -> None:
    """Nothing went wrong on the way, and axe finds nothing serious on the page."""
    assert visitor.complaints == []
    assert visitor.refusals() == []
    found = Axe().run(visitor.page).response["violations"]
    serious = [v for v in found if v["impact"] in {"serious", "critical"}]
    assert [(v["id"], [n["html"] for n in v["nodes"]]) for v in serious] == []


@pytest.fixture
def visit(browser: Browser, live_server: LiveServer) -> Iterator[Callable[..., Visitor]]:
    """`visit(user, size=..., dpr=...)`: a fresh browser profile, signed in unless `user` is None."""
    contexts: list[BrowserContext] = []

    def open_for(user: User | None, *, size: Any = None, dpr: float = 1, **more: Any) -> Visitor:
        context = browser.new_context(
            viewport=size or DESK, device_scale_factor=dpr, reduced_motion="reduce", **more
        )
        contexts.append(context)
        context.add_init_script(_LISTEN)
        if user is not None:
            client = Client()
            client.force_login(user)
            name = django_settings.SESSION_COOKIE_NAME
            value = client.cookies[name].value
            context.add_cookies([{"name": name, "value": value, "url": live_server.url}])
        visitor = Visitor(context.new_page(), live_server.url)
        visitor.page.set_default_timeout(15_000)
        visitor.page.on("pageerror", lambda error: visitor.complaints.append(f"error: {error}"))
        visitor.page.on(
            "console",
            lambda message: (
                message.type in {"error", "warning"}
                and visitor.complaints.append(f"{message.type}: {message.text} {message.location}")
            ),
        )
        return visitor

    yield open_for
    for context in contexts:
        context.close()
    _ANSWERING.wait()
