"""Curves as SVG text, for a page that needs nothing from elsewhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

Points = Sequence[Sequence[float]]

_WIDTH, _HEIGHT = 360, 300
_LEFT, _RIGHT, _TOP, _BOTTOM = 48, 12, 12, 44
# told apart by people who don't see red and green apart (Okabe and Ito), and in print by dashes
_STYLES: Final = (("#0072b2", "none"), ("#d55e00", "6 3"), ("#009e73", "2 3"))


@dataclass(frozen=True, slots=True)
class Axes:
    """What the two axes mean and how far they go from 0.

    Attributes:
        x: meaning of the horizontal one.
        y: meaning of the vertical one, which ends at 1.
        x_end: where the horizontal one ends.
        diagonal: draw the line from corner to corner (chance, or perfect calibration).
        dots: mark each point.
    """

    x: str
    y: str
    x_end: float = 1.0
    diagonal: bool = False
    dots: bool = False


def line_chart(title: str, series: Mapping[str, Points], axes: Axes) -> SafeString:
    """Lines over common axes with a legend; all text is escaped.

    Args:
        title: read out by a screen reader.
        series: name -> points (x, y), three at most.
        axes: their meaning.
    """
    lines = format_html_join(
        "",
        '<polyline points="{}" fill="none" stroke="{}" stroke-width="2" stroke-dasharray="{}"/>{}',
        (
            (
                " ".join(f"{_x(x, axes):.1f},{_y(y):.1f}" for x, y in points if x <= axes.x_end),
                *style,
                _dots(points, axes, style[0]) if axes.dots else "",
            )
            for points, style in zip(series.values(), _STYLES, strict=False)
        ),
    )
    return format_html(
        '<svg viewBox="0 0 {} {}" role="img" aria-label="{}">{}{}{}{}</svg>',
        _WIDTH,
        _HEIGHT,
        title,
        _grid(axes),
        _line((0, 0), (axes.x_end, 1), axes, "#999999") if axes.diagonal else "",
        lines,
        _legend(list(series)),
    )


def _grid(axes: Axes) -> SafeString:
    ticks = [i / 5 for i in range(6)]
    lines = format_html_join(
        "",
        "{}{}",
        (
            (
                _line((0, t), (axes.x_end, t), axes, "#e4e4e4"),
                _line((t * axes.x_end, 0), (t * axes.x_end, 1), axes, "#e4e4e4"),
            )
            for t in ticks
        ),
    )
    labels = format_html_join(
        "",
        '<text x="{}" y="{}" text-anchor="end">{}</text>'
        '<text x="{}" y="{}" text-anchor="middle">{}</text>',
        (
            (
                _LEFT - 6,
                f"{_y(t) + 4:.1f}",
                f"{t:.1f}",
                f"{_x(t * axes.x_end, axes):.1f}",
                _HEIGHT - _BOTTOM + 16,
                f"{t * axes.x_end:.1f}",
            )
            for t in ticks
        ),
    )
    return format_html(
        '{}{}<text x="{}" y="{}" text-anchor="middle">{}</text>'
        '<text transform="translate(13 {}) rotate(-90)" text-anchor="middle">{}</text>',
        lines,
        labels,
        (_LEFT + _WIDTH - _RIGHT) / 2,
        _HEIGHT - 8,
        axes.x,
        (_TOP + _HEIGHT - _BOTTOM) / 2,
        axes.y,
    )


def _legend(names: Sequence[str]) -> SafeString:
    top = _HEIGHT - _BOTTOM - 16 * len(names) + 4
    return format_html_join(
        "",
        '<line x1="{}" x2="{}" y1="{}" y2="{}" stroke="{}" stroke-width="2" '
        'stroke-dasharray="{}"/><text x="{}" y="{}" text-anchor="end">{}</text>',
        (
            (
                _WIDTH - _RIGHT - 34,
                _WIDTH - _RIGHT - 6,
                top + 16 * i - 4,
                top + 16 * i - 4,
                *style,
                _WIDTH - _RIGHT - 40,
                top + 16 * i,
                name,
            )
            for i, (name, style) in enumerate(zip(names, _STYLES, strict=False))
        ),
    )


def _dots(points: Points, axes: Axes, colour: str) -> SafeString:
    return format_html_join(
        "",
        '<circle cx="{}" cy="{}" r="3.5" fill="{}"/>',
        ((f"{_x(x, axes):.1f}", f"{_y(y):.1f}", colour) for x, y in points),
    )


def _line(
    start: tuple[float, float], end: tuple[float, float], axes: Axes, colour: str
) -> SafeString:
    return format_html(
        '<line x1="{}" y1="{}" x2="{}" y2="{}" stroke="{}"/>',
        f"{_x(start[0], axes):.1f}",
        f"{_y(start[1]):.1f}",
        f"{_x(end[0], axes):.1f}",
        f"{_y(end[1]):.1f}",
        colour,
    )


def _x(value: float, axes: Axes) -> float:
    return _LEFT + value / axes.x_end * (_WIDTH - _LEFT - _RIGHT)


def _y(value: float) -> float:
    return _HEIGHT - _BOTTOM - value * (_HEIGHT - _TOP - _BOTTOM)
