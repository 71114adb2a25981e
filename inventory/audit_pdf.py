"""An audit file as PDF: A4 across, a head and page numbers on each page, tables that go on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from xml.sax.saxutils import escape

from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4, landscape
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import (
    BaseDocTemplate,
    Flowable,
    Frame,
    LongTable,
    PageBreak,
    PageTemplate,
    Paragraph,
    TableStyle,
)

from devices.dossier import Section
from twinhealth.web.pdf import GREY, LINE, NumberedCanvas
from twinhealth.web.pdf_fonts import BOLD, PLAIN, register, shown

from .audit_content import Content

_WIDTH, _HEIGHT = landscape(A4)
_SIDE: Final = 12 * mm
_TOP, _BOTTOM = 24 * mm, 18 * mm
_INNER = _WIDTH - 2 * _SIDE
_TEXT = ParagraphStyle("text", fontName=PLAIN, fontSize=9, leading=12)
_CELL = ParagraphStyle("cell", parent=_TEXT, fontSize=6.5, leading=8, splitLongWords=1)
_LABEL = ParagraphStyle("label", parent=_CELL, fontName=BOLD)
_SMALL = ParagraphStyle("small", parent=_TEXT, fontSize=7.5, leading=10, textColor=GREY)
_HEAD = ParagraphStyle("head", parent=_TEXT, fontName=BOLD, spaceBefore=6, spaceAfter=2)
_MACHINE = ParagraphStyle("machine", parent=_HEAD, fontSize=12, leading=15)
_TITLE = ParagraphStyle("title", parent=_TEXT, fontName=BOLD, fontSize=15, leading=19)
_ROWS = 150  # of one table: a longer one is laid out too slowly
_CUT = 1_500  # characters of a cell: no cell is higher than a page
_STYLE = TableStyle([
    ("VALIGN", (0, 0), (-1, -1), "TOP"),
    ("LINEBELOW", (0, 0), (-1, -1), 0.25, LINE),
    ("BACKGROUND", (0, 0), (-1, 0), HexColor("#eeeeee")),
    ("LEFTPADDING", (0, 0), (-1, -1), 2), ("RIGHTPADDING", (0, 0), (-1, -1), 2),
    ("TOPPADDING", (0, 0), (-1, -1), 1), ("BOTTOMPADDING", (0, 0), (-1, -1), 2),
])  # fmt: skip


class _Canvas(NumberedCanvas):
    side = _SIDE


@dataclass(frozen=True, slots=True)
class About:
    """What stands around the content: of whom, by whom, when; it isn't hashed."""

    hospital: str
    what: str
    made_by: str
    made_at: str
    sha256: str


def write(
    path: Path, content: Content, about: About, *, alive: Callable[[], None] = lambda: None
) -> None:
    """Write the file.

    Args:
        path: where.
        content: what it says.
        about: what stands around it.
        alive: called at each page.
    """
    register()
    template = BaseDocTemplate(
        str(path),
        pagesize=landscape(A4),
        title=f"Audit file: {about.what}",
        author=about.made_by,
        subject=f"SHA-256 of the content {about.sha256}",
        creator="TwinHealth",
        lang="en-GB",
    )
    frame = Frame(_SIDE, _BOTTOM, _INNER, _HEIGHT - _TOP - _BOTTOM, 0, 0, 0, 0)

    def page(canvas: Canvas, document: BaseDocTemplate) -> None:
        _draw(canvas, about)
        alive()

    template.addPageTemplates(PageTemplate(frames=[frame], onPage=page))
    template.build(list(_story(content, about)), canvasmaker=_Canvas)


def _draw(canvas: Canvas, about: About) -> None:
    canvas.saveState()
    canvas.setFont(BOLD, 10)
    canvas.drawString(_SIDE, _HEIGHT - 13 * mm, shown(about.hospital))
    canvas.setFont(PLAIN, 8)
    canvas.drawString(_SIDE, _HEIGHT - 17.5 * mm, shown(f"Audit file: {about.what}"))
    canvas.setStrokeColor(LINE)
    canvas.line(_SIDE, _HEIGHT - 20 * mm, _WIDTH - _SIDE, _HEIGHT - 20 * mm)
    canvas.line(_SIDE, 15 * mm, _WIDTH - _SIDE, 15 * mm)
    canvas.setFont(PLAIN, 6.5)
    canvas.setFillColor(GREY)
    made = f"Made by {about.made_by}, {about.made_at}"
    canvas.drawString(_SIDE, 11.5 * mm, shown(made))
    canvas.drawString(_SIDE, 8.5 * mm, f"SHA-256 of the content: {about.sha256}")
    canvas.restoreState()


def _story(content: Content, about: About) -> Iterator[Flowable]:
    yield _p("Audit file", _TITLE)
    yield _p(about.what)
    machines = len(content.machines)
    yield _p(
        f"{machines} machine{'s' if machines != 1 else ''}, {content.count} rows. Times are of the "
        "hospital's clock, with their offset. The hash is of the content, not of this PDF: the "
        "same data give the same hash.",
        _SMALL,
    )
    for number, machine in enumerate(content.machines):
        if number:
            yield PageBreak()
        yield _p(f"{machine.name}, serial {machine.serial}", _MACHINE)
        empty = []
        for section, rows in zip(content.sections, machine.rows, strict=True):
            if not rows:
                empty.append(section.title.lower())
                continue
            yield _p(f"{section.title} ({len(rows)})", _HEAD)
            for i in range(0, len(rows), _ROWS):
                yield _table(section, rows[i : i + _ROWS])
        if empty:
            yield _p(f"Nothing in this period: {', '.join(empty)}.", _SMALL)


def _table(section: Section, rows: tuple[tuple[str, ...], ...]) -> Flowable:
    """One table; its columns are as wide as their longest words ask for."""
    cells: list[list[Any]] = [[_p(column, _LABEL) for column in section.columns]]
    cells += [[_p(_short(text), _CELL) for text in row] for row in rows]
    return LongTable(cells, colWidths=_widths(section.columns, rows), style=_STYLE, repeatRows=1)


def _widths(columns: tuple[str, ...], rows: tuple[tuple[str, ...], ...]) -> list[float]:
    """Each column has room for its longest word, as far as the page allows; long texts share."""
    least, wanted = [], []
    for place, column in enumerate(columns):
        texts = [column, *(row[place] for row in rows[:100])]
        word = max(len(word) for text in texts for word in text.split() or [""])
        least.append(6 + 3.9 * min(word, 24))
        wanted.append(min(max(len(text) for text in texts), 80) ** 0.8)
    rest = _INNER - sum(least)
    if rest <= 0:
        return [_INNER * each / sum(least) for each in least]
    return [low + rest * each / sum(wanted) for low, each in zip(least, wanted, strict=True)]


def _short(text: str) -> str:
    if len(text) <= _CUT:
        return text
    return f"{text[:_CUT]}… ({len(text)} characters; the CSV file has all)"


def _p(text: str, style: ParagraphStyle = _TEXT) -> Flowable:
    """A paragraph of plain text: what looks like markup is text."""
    return Paragraph(escape(shown(text)).replace("\n", "<br/>"), style)
