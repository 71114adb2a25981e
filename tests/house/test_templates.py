"""Template tags, and rules that hold for every template and script of the house."""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.staticfiles import finders
from django.core.management import call_command
from django.core.paginator import Paginator
from django.template import Context, Template
from django.template.loader import get_template, render_to_string
from django.test import RequestFactory
from django.utils import timezone

from twinhealth.errors import ConflictError
from twinhealth.web.icons import SHAPES
from twinhealth.web.templatetags import house

ROOT = Path(settings.BASE_DIR)
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
SCRIPTS = sorted((ROOT / "static" / "js").glob("*.js"))
STYLES = sorted((ROOT / "static" / "css").glob("*.css"))


def ids(path: Path) -> str:
    return str(path.relative_to(ROOT))


def render(source: str, **context: object) -> str:
    request = context.pop("request", RequestFactory().get("/list/?a=1&page=3"))
    return Template("{% load house %}" + source).render(Context({"request": request, **context}))


# --- tags


def test_icon_is_hidden_from_screen_readers_unless_it_is_named() -> None:
    assert 'aria-hidden="true"' in render('{% icon "act" %}')
    named = render('{% icon "act" "flagged" %}')
    assert 'role="img"' in named
    assert 'aria-label="flagged"' in named
    assert "aria-hidden" not in named


def test_icon_name_and_title_cannot_break_out() -> None:
    html = render("{% icon name title %}", name="</svg><b>", title='"><script>')
    assert "<script>" not in html
    assert "<b>" not in html


@pytest.mark.parametrize(
    ("span", "text"),
    [
        (timedelta(seconds=42), "42 s"),
        (timedelta(minutes=12), "12 min"),
        (timedelta(minutes=89), "89 min"),
        (timedelta(hours=35), "35 h"),
        (timedelta(days=6), "6 d"),
        (timedelta(days=100), "3 months"),
        (timedelta(days=1000), "3 years"),
    ],
)
def test_span_is_one_number_with_unit(span: timedelta, text: str) -> None:
    assert house.span_text(span) == text
    assert house.span_text(-span) == text


def test_ago_past_future_and_just_now() -> None:
    now = timezone.now()
    assert ">3 h ago<" in house.ago(now - timedelta(hours=3))
    assert ">in 6 d<" in house.ago(now + timedelta(days=6, seconds=30))
    assert ">just now<" in house.ago(now)


def test_times_show_the_absolute_one_in_the_hospitals_zone(settings: object) -> None:
    settings.TIME_ZONE = "Europe/Berlin"  # type: ignore[attr-defined]
    timezone.get_default_timezone.cache_clear()
    try:
        html = house.moment(datetime(2026, 7, 1, 10, 0, tzinfo=UTC))
    finally:
        timezone.get_default_timezone.cache_clear()
    assert ">1 Jul 2026 12:00<" in html
    assert 'datetime="2026-07-01T12:00:00+02:00"' in html
    assert "12:00:00 CEST" in html


@pytest.mark.parametrize(
    "value", [None, "", "yesterday", "2026-13-40T00:00:00Z", "2026-01-01T00:00"]
)
def test_unusable_times_are_unknown(value: str | None) -> None:
    for tag in (house.ago, house.since, house.moment):
        assert "unknown" in tag(value)


def test_iso_text_is_a_time() -> None:
    assert "1 Jan 2026 00:00" in house.moment("2026-01-01T00:00:00+00:00")


def test_day_names_the_year_only_when_it_is_another_one() -> None:
    now = timezone.now()
    assert str(now.year) not in re.sub(r"<time[^>]*>", "", house.moment(now, "day"))
    assert "2001" in re.sub(r"<time[^>]*>", "", house.moment(now.replace(year=2001, day=1), "day"))


def test_unknown_is_a_word_and_zero_is_a_value() -> None:
    assert "unknown" in house.unknown(None)
    assert "unknown" in house.unknown("")
    assert house.unknown(0) == "0"
    assert house.unknown(3, "mm") == "3\N{NO-BREAK SPACE}mm"
    assert "<b>" not in house.unknown("<b>")


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Doe^Jane", "Doe, Jane"),
        ("Doe^Jane^Q^Dr^Jr", "Doe, Dr Jane Q, Jr"),
        ("Yamada^Tarou=山田^太郎", "Yamada, Tarou"),
        ("Plain Name", "Plain Name"),
        ("=山田^太郎", "山田, 太郎"),
        ("^^==やまだ^たろう", "やまだ, たろう"),
        ("^^^^", ""),
        ("", ""),
    ],
)
def test_person_name(name: str, shown: str) -> None:
    assert house.person_name(name) == shown


def test_person_name_is_escaped() -> None:
    html = render("{{ name|person_name }}", name="<script>alert(1)</script>^=cmd")
    assert "<script>" not in html


def test_url_with_keeps_filters_and_goes_to_page_one() -> None:
    assert render("{% url_with request page=2 %}") == "?a=1&amp;page=2"
    assert render("{% url_with request b='x y' %}") == "?a=1&amp;b=x+y"
    assert render("{% url_with request a=None %}") == "?"


def test_paginator_keeps_filters_and_is_silent_for_one_page() -> None:
    pages = Paginator(list(range(95)), 10)
    html = render("{% paginator page_obj %}", page_obj=pages.page(3))
    assert "?a=1&amp;page=4" in html
    assert html.count('aria-current="page"') == 1
    assert render("{% paginator page_obj %}", page_obj=Paginator([1], 10).page(1)).strip() == ""


def test_sort_head_turns_round() -> None:
    up = render("{% sort_head 'name' 'Name' %}", request=RequestFactory().get("/?ordering=name"))
    assert 'aria-sort="ascending"' in up
    assert "ordering=-name" in up
    down = render("{% sort_head 'name' 'Name' %}", request=RequestFactory().get("/?ordering=-name"))
    assert 'aria-sort="descending"' in down
    assert "ordering=name" in down
    assert "aria-sort" not in render("{% sort_head 'name' 'Name' %}")


# --- error pages


@pytest.mark.parametrize("name", ["400.html", "500.html"])
def test_pages_for_our_defects_need_no_context(name: str) -> None:
    assert "<h1>" in render_to_string(name)


@pytest.mark.django_db
def test_an_unknown_address_is_a_page_with_a_way_out(client: object) -> None:
    response = client.get("/no/such/page/")  # type: ignore[attr-defined]
    assert response.status_code == 404
    assert "Start page" in response.content.decode()


def test_error_fragment_says_code_and_sentence_escaped() -> None:
    html = render_to_string(
        "partials/error.html", {"error": ConflictError("taken", "No <b>way</b>.")}
    )
    assert 'data-error-code="taken"' in html
    assert "No &lt;b&gt;way&lt;/b&gt;." in html


# --- every template


@pytest.mark.parametrize("path", TEMPLATES, ids=ids)
def test_template_compiles(path: Path) -> None:
    get_template(str(path.relative_to(ROOT / "templates")))


@pytest.mark.parametrize("path", TEMPLATES, ids=ids)
def test_template_has_nothing_inline_that_the_content_policy_refuses(path: Path) -> None:
    source = path.read_text()
    assert not re.search(r"\sstyle\s*=", source), "style attribute"
    assert not re.search(r"<style\b", source), "style element"
    assert not re.search(r"\son[a-z]+\s*=\s*[\"']", source), "event attribute"
    assert "javascript:" not in source
    for tag in re.findall(r"<script\b[^>]*>", source):
        assert "src=" in tag or 'type="application/json"' in tag, tag


@pytest.mark.parametrize("path", TEMPLATES, ids=ids)
def test_template_loads_nothing_from_elsewhere(path: Path) -> None:
    source = path.read_text()
    assert not re.search(r"(src|srcset|action)\s*=\s*[\"'](https?:)?//", source)
    assert not re.search(r"<link\b[^>]*href=[\"'](https?:)?//", source)


@pytest.mark.parametrize("path", TEMPLATES, ids=ids)
def test_template_marks_nothing_as_safe(path: Path) -> None:
    assert not re.search(r"\|\s*safe\b|autoescape\s+off|\|\s*safeseq\b", path.read_text())


@pytest.mark.parametrize("path", TEMPLATES, ids=ids)
def test_icons_and_static_files_of_a_template_exist(path: Path) -> None:
    source = path.read_text()
    icons = set(re.findall(r"{%\s*icon\s+[\"']([^\"']+)[\"']", source))
    assert icons <= SHAPES.keys(), icons - SHAPES.keys()
    for name in re.findall(r"{%\s*static\s+[\"']([^\"']+)[\"']", source):
        assert finders.find(name), name


def test_icons_of_the_rail_exist() -> None:
    from accounts.context import RAIL

    for doors in RAIL.values():
        assert len(doors) <= 6
        assert {door.icon for door in doors} <= SHAPES.keys()


# --- every script and style


@pytest.mark.parametrize("path", SCRIPTS, ids=ids)
def test_script_writes_no_markup_and_evaluates_no_text(path: Path) -> None:
    source = path.read_text()
    # rows rendered by the server, parsed in an inert template: as htmx does it
    source = source.replace("holder.innerHTML = request.responseText;", "", 1)
    for word in (
        "innerHTML",
        "outerHTML =",
        "insertAdjacentHTML",
        "document.write",
        "eval(",
        "new Function",
    ):
        assert word not in source, word
    for name in re.findall(r"from \"(\.[^\"]+)\"", source):
        assert (path.parent / name).resolve().is_file(), name


@pytest.mark.parametrize("path", STYLES, ids=ids)
def test_style_uses_only_tokens_that_exist(path: Path) -> None:
    defined: set[str] = set()
    for style in STYLES:
        defined |= set(re.findall(r"(--[a-z0-9-]+)\s*:", style.read_text()))
    used = set(re.findall(r"var\((--[a-z0-9-]+)", path.read_text()))
    assert used <= defined, used - defined


def test_vendored_files_are_the_published_ones() -> None:
    readme = (ROOT / "static" / "vendor" / "README.md").read_text()
    rows = re.findall(r"^\| `([^`]+)` \|.*`([0-9a-f]{64})` \|$", readme, re.MULTILINE)
    assert len(rows) >= 3
    for name, sha256 in rows:
        data = (ROOT / "static" / "vendor" / name).read_bytes()
        assert hashlib.sha256(data).hexdigest() == sha256, name
    listed = {name for name, _ in rows}
    found = {p.name for p in (ROOT / "static" / "vendor").iterdir()}
    assert found - listed <= {
        "README.md",
        "htmx.LICENSE",
        "uPlot.LICENSE",
        "cornerstone.LICENSES",
    }


def test_modules_import_each_other_by_their_hashed_names(tmp_path: Path, settings: Any) -> None:
    storages = dict(settings.STORAGES)
    settings.STATIC_ROOT = tmp_path
    settings.STORAGES = storages | {
        "staticfiles": {"BACKEND": "twinhealth.web.storage.HashedStorage"}
    }
    call_command("collectstatic", interactive=False, verbosity=0)
    hashed = [
        p for p in (tmp_path / "js").glob("*.js") if re.search(r"\.[0-9a-f]{12}\.js$", p.name)
    ]
    assert len(hashed) == len(SCRIPTS)
    imports = [
        name
        for p in hashed
        for name in re.findall(r"(?:from |import\()\"(\.[^\"]+)\"", p.read_text())
    ]
    assert imports
    for name in imports:
        assert re.search(r"\.[0-9a-f]{12}\.js$", name), name
