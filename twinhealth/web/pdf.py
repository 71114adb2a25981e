"""What all PDFs of the house share: grey and line, and pages that know how many there are."""

from __future__ import annotations

from typing import Any, Final

from reportlab.lib.colors import HexColor
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas

from .pdf_fonts import PLAIN

GREY: Final = HexColor("#555555")
LINE: Final = HexColor("#999999")


def numbered_canvas(side: float) -> type[Canvas]:
    """A canvas that writes `page n of m` when the number of pages is known: at the end.

    Args:
        side: margin on the right, in points.
    """

    class Numbered(Canvas):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self._pages: list[dict[str, Any]] = []

        def showPage(self) -> None:  # noqa: N802 - reportlab's name
            self._pages.append(dict(self.__dict__))
            self._startPage()

        def save(self) -> None:
            for page in self._pages:
                self.__dict__.update(page)
                self.setFont(PLAIN, 7.5)
                self.setFillColor(GREY)
                text = f"page {self._pageNumber} of {len(self._pages)}"
                self.drawRightString(self._pagesize[0] - side, 10 * mm, text)
                super().showPage()
            super().save()

    return Numbered
