"""Spans of time in many rows at once: merged, cut, counted where two are open. Pure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .inputs import Flags, Floats, Ints


@dataclass(frozen=True, slots=True)
class Spans:
    """`[start, end)` in hours; `row` says whose."""

    row: Ints
    start: Floats
    end: Floats

    def where(self, chosen: Flags) -> Spans:
        """Some of them."""
        return Spans(self.row[chosen], self.start[chosen], self.end[chosen])

    def and_(self, other: Spans) -> Spans:
        """Both together."""
        return Spans(
            np.concatenate([self.row, other.row]),
            np.concatenate([self.start, other.start]),
            np.concatenate([self.end, other.end]),
        )


def merged(spans: Spans, horizon: float) -> Spans:
    """Spans of a row that overlap or touch become one; sorted by row and start.

    Args:
        spans: in any order, within 0 and the horizon.
        horizon: longer than any end.
    """
    spans = spans.where(spans.end > spans.start)
    if not len(spans.row):
        return spans
    # rows lie one after the other on one line, apart by more than the horizon
    offset = spans.row * (horizon + 1.0)
    start, end = spans.start + offset, spans.end + offset
    order = np.argsort(start, kind="stable")
    start, end = start[order], end[order]
    reach = np.maximum.accumulate(end)
    new = np.concatenate([[True], start[1:] > reach[:-1]])
    first = np.flatnonzero(new)
    # the row's own numbers, not those moved and moved back, so that nothing is rounded twice
    ends = np.maximum.reduceat(spans.end[order], first)
    return Spans(spans.row[order][first], spans.start[order][first], ends)


def without(spans: Spans, row_of: Ints, cuts: tuple[tuple[int, float, float], ...]) -> Spans:
    """Take spans of time out of some rows.

    Args:
        spans: any.
        row_of: what each span's row is called in `cuts`.
        cuts: (name, start, end).
    """
    for name, start, end in cuts:
        hit = (row_of == name) & (spans.start < end) & (spans.end > start)
        if not hit.any():
            continue
        cut, names = spans.where(hit), row_of[hit]
        head = Spans(cut.row, cut.start, np.minimum(cut.end, start))
        tail = Spans(cut.row, np.maximum(cut.start, end), cut.end)
        rest = spans.where(~hit).and_(head).and_(tail)
        row_of = np.concatenate([row_of[~hit], names, names])
        real = rest.end > rest.start
        spans, row_of = rest.where(real), row_of[real]
    return spans


def together(spans: Spans, rows: int, horizon: float) -> Floats:
    """Hours of each row in which two spans or more are open.

    Sorted by start, two are open where a span lies within the furthest end before it.
    """
    if not len(spans.row):
        return np.zeros(rows)
    offset = spans.row * (horizon + 1.0)
    order = np.argsort(spans.start + offset, kind="stable")
    row, offset = spans.row[order], offset[order]
    start, end = spans.start[order] + offset, spans.end[order] + offset
    reach = np.maximum.accumulate(end)
    both = np.flatnonzero(start[1:] < reach[:-1]) + 1
    if not len(both):
        return np.zeros(rows)
    begin, until = start[both], np.minimum(end[both], reach[both - 1])
    # what several pairs share counts once
    before = np.concatenate([[0.0], np.maximum.accumulate(until)[:-1]])
    lasting = np.maximum(0.0, until - np.maximum(begin, before))
    return np.bincount(row[both], weights=lasting, minlength=rows).astype(float)
