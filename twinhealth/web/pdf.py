"""What every PDF of the house is made of: A4, its styles, `page n of m`, text that is no markup."""

from __future__ import annotations

from typing import Any, Final
from xml.sax.saxutils import escape

from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable, Paragraph

from .pdf_fonts import BOLD, PLAIN, shown

WIDTH, HEIGHT = A4
SIDE: Final = 18 * mm
TOP, BOTTOM = 30 * mm, 20 * mm
INNER = WIDTH - 2 * SIDE
GREY, LINE = HexColor("#555555"), HexColor("#999999")
TEXT = ParagraphStyle("text", fontName=PLAIN, fontSize=9.5, leading=13)
SMALL = ParagraphStyle("small", parent=TEXT, fontSize=7.5, leading=10, textColor=GREY)
HEAD = ParagraphStyle(
    "head", parent=TEXT, fontName=BOLD, fontSize=10.5, spaceBefore=7, spaceAfter=2, keepWithNext=1
)
TITLE = ParagraphStyle("title", parent=TEXT, fontName=BOLD, fontSize=14, leading=18)


class NumberedCanvas(Canvas):
    """Writes `page n of m` when the number of pages is known: at the end."""

    side: float = SIDE  # margin on the right, in points

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._pages: list[dict[str, Any]] = []

    def showPage(self) -> None:  # noqa: N802 - reportlab's name
        """Keep the page instead of writing it."""
        self._pages.append(dict(self.__dict__))
        self._startPage()

    def save(self) -> None:
        """Write all pages with their numbers."""
        for page in self._pages:
            self.__dict__.update(page)
            self.setFont(PLAIN, 7.5)
            self.setFillColor(GREY)
            text = f"page {self._pageNumber} of {len(self._pages)}"
            self.drawRightString(self._pagesize[0] - self.side, 10 * mm, text)
            super().showPage()
        super().save()


def paragraph(text: str, style: ParagraphStyle = TEXT) -> Flowable:
    """A paragraph of plain text: what looks like markup is text."""
    return Paragraph(escape(shown(text)).replace("\n", "<br/>"), style)


def cut(canvas: Canvas, text: str) -> str:
    """As much of it as one line holds."""
    while canvas.stringWidth(text, PLAIN, 8.5) > INNER:
        text = text.removesuffix("…")[:-1] + "…"
    return text


def frame(canvas: Canvas, *, head: str, line: str, foot: str) -> None:
    """What stands on each page around its text: two lines above, a foot below.

    Args:
        canvas: of the page.
        head: whose it is.
        line: what it is of.
        foot: what it is, with its hash.
    """
    canvas.setFont(BOLD, 11)
    canvas.drawString(SIDE, HEIGHT - 15 * mm, shown(head))
    canvas.setFont(PLAIN, 8.5)
    canvas.drawString(SIDE, HEIGHT - 20 * mm, cut(canvas, shown(line)))
    canvas.setStrokeColor(LINE)
    canvas.line(SIDE, HEIGHT - 23 * mm, WIDTH - SIDE, HEIGHT - 23 * mm)
    canvas.line(SIDE, 16 * mm, WIDTH - SIDE, 16 * mm)
    canvas.setFont(PLAIN, 6.5)
    canvas.setFillColor(GREY)
    canvas.drawString(SIDE, 12.5 * mm, shown(foot))
    canvas.drawString(SIDE, 9.5 * mm, "Research use only. Not a medical device.")
