"""Days as people read them: dates without a time of day, in the hospital's zone."""

from __future__ import annotations

from datetime import date

from django import template
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()


def relative(value: date, today: date) -> str:
    """`today`, `tomorrow`, `in 6 d`, `3 d ago`."""
    days = (value - today).days
    near = {0: "today", 1: "tomorrow", -1: "yesterday"}
    if days in near:
        return near[days]
    return f"in {days} d" if days > 0 else f"{-days} d ago"


@register.simple_tag
def day(value: date | None, style: str = "absolute") -> SafeString:
    """A date, how far off it is on hover; style `relative` the other way round."""
    if value is None:
        return format_html('<span class="muted">{}</span>', "none")
    words = relative(value, timezone.localdate())
    full = date_format(value, "D j M Y")
    text, title = (words, full) if style == "relative" else (full, words)
    return format_html('<time datetime="{}" title="{}">{}</time>', value.isoformat(), title, text)
