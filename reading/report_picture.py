"""The film in a report: a small grey picture with the boxes of the findings that stand."""

from __future__ import annotations

import io
from typing import Any, Final

from PIL import Image as Picture
from reportlab.lib.colors import Color, HexColor
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable

from imaging import pixels
from imaging.models import Image
from twinhealth.web.pdf_fonts import BOLD, shown

SIDE: Final = 1000  # pixels of the longer side
# as on the film page: class by colour and dash; the number and the word say it too
_LINES: Final[dict[str, tuple[Color, tuple[int, ...]]]] = {
    "covid": (HexColor("#ffb000"), ()),
    "pneumonia": (HexColor("#64b5ff"), (6, 3)),
    "normal": (HexColor("#5fd3a0"), (1, 3)),
}


def jpeg(image: Image) -> bytes:
    """The film through the grey-scale chain, small.

    Raises:
        DomainError: as `imaging.pixels.rendered`.
    """
    png = pixels.rendered(image, window=None, invert=False, size=SIDE)
    out = io.BytesIO()
    Picture.open(io.BytesIO(png)).convert("L").save(out, format="JPEG", quality=88)
    return out.getvalue()


class FilmFlowable(Flowable):
    """The picture, as large as fits into `width` x `height` points."""

    def __init__(self, data: bytes, content: dict[str, Any], width: float, height: float) -> None:
        super().__init__()
        self.hAlign = "CENTER"
        self._reader = ImageReader(io.BytesIO(data))
        self._findings = content["findings"]
        columns, rows = content["film"]["columns"], content["film"]["rows"]
        self._scale = min(width / columns, height / rows)
        self.width, self.height = columns * self._scale, rows * self._scale

    def wrap(self, availWidth: float, availHeight: float) -> tuple[float, float]:  # noqa: N803
        """The size is known from the start."""
        return self.width, self.height

    def draw(self) -> None:
        """The film, then each box with its number and class."""
        canvas: Canvas = self.canv
        canvas.drawImage(self._reader, 0, 0, self.width, self.height)
        for finding in self._findings:
            self._box(canvas, finding)

    def _box(self, canvas: Canvas, finding: dict[str, Any]) -> None:
        x, y, w, h = (side * self._scale for side in finding["box"])
        bottom = self.height - y - h  # PDF counts from below
        color, dash = _LINES.get(finding["label"], (HexColor("#ffffff"), ()))
        canvas.saveState()
        for line, width, pattern in ((HexColor("#000000"), 2.6, ()), (color, 1.2, dash)):
            canvas.setStrokeColor(line)
            canvas.setLineWidth(width)
            canvas.setDash(*([list(pattern)] if pattern else []))
            canvas.rect(x, bottom, w, h)
        text = shown(f"{finding['number']} {finding['name']}")
        size = 7
        wide = canvas.stringWidth(text, BOLD, size) + 4
        left = max(0, min(x, self.width - wide))
        base = min(bottom + h + 1, self.height - size - 3)
        canvas.setFillColor(HexColor("#000000"))
        canvas.rect(left, base, wide, size + 3, stroke=0, fill=1)
        canvas.setFillColor(color)
        canvas.setFont(BOLD, size)
        canvas.drawString(left + 2, base + 2.5, text)
        canvas.restoreState()
