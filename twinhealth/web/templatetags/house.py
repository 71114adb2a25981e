"""Template tags of the house: icons, times, unknowns, addresses that keep their filters."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django import template
from django.core.paginator import Page
from django.http import HttpRequest, QueryDict
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from twinhealth.web import panels as panels_of
from twinhealth.web.icons import SHAPES
from twinhealth.web.ucum import unit_text

register = template.Library()

_STEPS = (  # below this many seconds, in units of so many seconds
    (90, 1, "s"),
    (90 * 60, 60, "min"),
    (36 * 3600, 3600, "h"),
    (60 * 86400, 86400, "d"),
    (2 * 365 * 86400, 30.44 * 86400, "months"),
    (float("inf"), 365.25 * 86400, "years"),
)


@register.simple_tag
def icon(name: str, title: str = "") -> SafeString:
    """One icon of the house as inline SVG.

    Args:
        name: a key of `twinhealth.web.icons.SHAPES`; an unknown one becomes a dot (a test
            walks the templates for those).
        title: spoken name, only where no word stands beside the icon.
    """
    shape = mark_safe(SHAPES.get(name, SHAPES["dot"]))  # noqa: S308 - our own constants
    if title:
        return format_html(
            '<svg class="icon" viewBox="0 0 24 24" role="img" aria-label="{}">{}</svg>',
            title,
            shape,
        )
    return format_html('<svg class="icon" viewBox="0 0 24 24" aria-hidden="true">{}</svg>', shape)


@register.simple_tag
def shapes(*names: str) -> SafeString:
    """Icons that a page shows hundreds of, drawn once; `{% shape %}` points at them."""
    symbols = "".join(
        f'<symbol id="shape-{name}" viewBox="0 0 24 24">{SHAPES[name]}</symbol>' for name in names
    )
    return mark_safe(f'<svg class="shapes" aria-hidden="true">{symbols}</svg>')  # noqa: S308 - ours


@register.simple_tag
def shape(name: str) -> SafeString:
    """An icon that `{% shapes %}` drew on the same page; the word stands beside it."""
    return format_html('<svg class="icon" aria-hidden="true"><use href="#shape-{}"/></svg>', name)


def span_text(span: timedelta) -> str:
    """A length of time in one number and unit: `12 min`, `3 h`, `6 d`."""
    seconds = abs(span.total_seconds())
    for below, unit, word in _STEPS:
        if seconds < below:
            return f"{round(seconds / unit)} {word}"
    raise AssertionError("the last step is open")  # pragma: no cover


def _moment_of(value: datetime | str | None) -> datetime | None:
    if isinstance(value, str):
        try:
            value = parse_datetime(value)
        except ValueError:
            return None
        return value if value is not None and timezone.is_aware(value) else None
    return value


def _time_element(moment: datetime, text: str) -> SafeString:
    local = timezone.localtime(moment)
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        local.isoformat(timespec="seconds"),
        date_format(local, "D j M Y, H:i:s T"),
        text,
    )


@register.simple_tag
def ago(moment: datetime | str | None) -> SafeString:
    """Relative time (`12 min ago`, `in 6 d`), the absolute one in the hospital's zone on hover.

    Args:
        moment: aware, or ISO 8601 with offset as stored in JSON; unusable text is `unknown`.
    """
    moment = _moment_of(moment)
    if moment is None:
        return unknown(None)
    span = timezone.now() - moment
    text = span_text(span)
    if abs(span) < timedelta(seconds=10):
        text = "just now"
    else:
        text = f"{text} ago" if span > timedelta(0) else f"in {text}"
    return _time_element(moment, text)


@register.simple_tag
def since(moment: datetime | str | None) -> SafeString:
    """How long it has lasted (`12 min`), the absolute time on hover; takes what `ago` takes."""
    moment = _moment_of(moment)
    if moment is None:
        return unknown(None)
    return _time_element(moment, span_text(timezone.now() - moment))


@register.simple_tag
def moment(value: datetime | str | None, style: str = "minute") -> SafeString:
    """Absolute time in the hospital's zone; styles: `minute` (`14 Nov 2026 09:31`), `date`, `day`.

    `day` is for dense tables: the year only where it isn't the present one.
    """
    value = _moment_of(value)
    if value is None:
        return unknown(None)
    local = timezone.localtime(value)
    pattern = {"date": "j M Y", "day": "j M Y"}.get(style, "j M Y H:i")
    if style == "day" and local.year == timezone.localtime().year:
        pattern = "j M"
    return _time_element(value, date_format(local, pattern))


@register.simple_tag
def unknown(value: Any, unit: str = "") -> SafeString:
    """The value with its unit; the word `unknown` where there is none (0 is a value)."""
    if value is None or value == "":
        return format_html('<span class="muted">{}</span>', "unknown")
    return format_html("{}\N{NO-BREAK SPACE}{}", value, unit) if unit else format_html("{}", value)


register.filter("unit_text", unit_text)


@register.filter
def person_name(value: str) -> str:
    """A DICOM person name (PS3.5 6.2.1.2) for a page: `Family, Prefix Given Middle, Suffix`.

    Takes the first of its groups that says something (alphabetic, ideographic, phonetic); a name
    without carets stays as it is.
    """
    group = next((g for g in value.split("=") if g.strip(" ^")), "")
    parts = [part.strip() for part in group.split("^")] + [""] * 4
    family, given, middle, prefix, suffix = parts[:5]
    called = " ".join(part for part in (prefix, given, middle) if part)
    return ", ".join(part for part in (family, called, suffix) if part)


@register.simple_tag
def url_with(request: HttpRequest, **changes: Any) -> str:
    """The present address's query string with some keys changed; `None` or `""` drops a key.

    A change of anything but the page goes back to page 1.
    """
    query: QueryDict = request.GET.copy()
    if "page" not in changes:
        query.pop("page", None)
    for key, value in changes.items():
        if value is None or value == "":
            query.pop(key, None)
        else:
            query[key] = str(value)
    return f"?{query.urlencode()}"


@register.simple_tag(takes_context=True)
def panels(context: template.Context, place: str, subject: object) -> SafeString:
    """The sections that other rooms add to this page."""
    drawn = panels_of.drawn(place, context["request"], subject)
    return format_html_join("", "{}", ((each,) for each in drawn))


@register.simple_tag(takes_context=True)
def room_links(context: template.Context, place: str) -> list[panels_of.Link]:
    """The pages of other rooms that this one names, of those that the person may see."""
    return panels_of.links(place, context["request"].user)


@register.inclusion_tag("partials/paginator.html", takes_context=True)
def paginator(context: template.Context, page_obj: Page) -> dict[str, Any]:
    """Page numbers that keep the filters; nothing where one page holds all."""
    return {
        "page_obj": page_obj,
        "numbers": page_obj.paginator.get_elided_page_range(
            page_obj.number, on_each_side=2, on_ends=1
        ),
        "ellipsis": page_obj.paginator.ELLIPSIS,
        "request": context["request"],
    }


@register.inclusion_tag("partials/sort_head.html", takes_context=True)
def sort_head(
    context: template.Context, key: str, label: str, *, num: bool = False
) -> dict[str, Any]:
    """A column head that sorts by `?ordering=`: first ascending, then descending.

    Args:
        context: needs `request`.
        key: the ordering's name.
        label: what stands in the head.
        num: numbers in the column (right-aligned).
    """
    request = context["request"]
    present = request.GET.get("ordering", "")
    state = {key: "ascending", f"-{key}": "descending"}.get(present, "")
    target = f"-{key}" if state == "ascending" else key
    return {"label": label, "state": state, "url": url_with(request, ordering=target), "num": num}
