"""A film's report as PDF, A4."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Final
from xml.sax.saxutils import escape

from django.conf import settings
from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import (
    BaseDocTemplate,
    Flowable,
    Frame,
    KeepTogether,
    PageTemplate,
    Paragraph,
    Spacer,
    Table,
    TableStyle,
)

from reading import report_picture
from reading.report_facts import moment
from reading.report_rows import Rows, badges, patient_rows, study_rows, told
from reading.selectors_report import Document, Version
from twinhealth.errors import DomainError
from twinhealth.web.pdf import GREY, LINE, numbered_canvas
from twinhealth.web.pdf_fonts import BOLD, INSTEAD, PLAIN, register, shown

_WIDTH, _HEIGHT = A4
_SIDE: Final = 18 * mm
_TOP, _BOTTOM = 30 * mm, 20 * mm
_INNER = _WIDTH - 2 * _SIDE
_TEXT = ParagraphStyle("text", fontName=PLAIN, fontSize=9.5, leading=13)
_SMALL = ParagraphStyle("small", parent=_TEXT, fontSize=7.5, leading=10, textColor=GREY)
_HEAD = ParagraphStyle(
    "head", parent=_TEXT, fontName=BOLD, fontSize=10.5, spaceBefore=7, spaceAfter=2, keepWithNext=1
)
_TITLE = ParagraphStyle("title", parent=_TEXT, fontName=BOLD, fontSize=14, leading=18)


def pdf(document: Document) -> bytes:
    """The document as it reads now; a draft has `draft, not signed` across each page."""
    register()
    out = io.BytesIO()
    content = document.content
    number = content["patient"]["identifier"]
    state = f"version {document.current.number}" if document.signature else "draft"
    template = BaseDocTemplate(
        out,
        pagesize=A4,
        title=f"Report of film {document.film.image.pk}, {state}, patient {number}",
        author=document.signature.by_name if document.signature else "",
        subject="Radiology report",
        creator="TwinHealth",
        lang="en-GB",
    )
    frame = Frame(_SIDE, _BOTTOM, _INNER, _HEIGHT - _TOP - _BOTTOM, 0, 0, 0, 0)
    page = _Page(document)
    template.addPageTemplates(PageTemplate(frames=[frame], onPage=page.draw))
    template.build(_story(document), canvasmaker=numbered_canvas(_SIDE))
    return out.getvalue()


class _Page:
    """What stands on each page: hospital, identity, foot, and the draft's mark."""

    def __init__(self, document: Document) -> None:
        rows = dict(patient_rows(document.content))
        self._who = f"{rows['Patient']} · {rows['Number']} · born {rows['Born']}"
        self._signed = document.signature is not None
        sha = document.current.sha256
        self._foot = f"Film {document.film.image.pk} · " + (
            f"version {document.current.number}" + (f" · SHA-256 {sha}" if sha else "")
            if self._signed
            else "draft, not signed"
        )

    def draw(self, canvas: Canvas, template: BaseDocTemplate) -> None:
        """Called by reportlab before a page is filled."""
        canvas.saveState()
        if not self._signed:
            self._draft(canvas)
        canvas.setFont(BOLD, 11)
        canvas.drawString(_SIDE, _HEIGHT - 15 * mm, shown(settings.HOSPITAL_NAME))
        canvas.setFont(PLAIN, 8.5)
        canvas.drawString(_SIDE, _HEIGHT - 20 * mm, _cut(canvas, shown(self._who)))
        canvas.setStrokeColor(LINE)
        canvas.line(_SIDE, _HEIGHT - 23 * mm, _WIDTH - _SIDE, _HEIGHT - 23 * mm)
        canvas.line(_SIDE, 16 * mm, _WIDTH - _SIDE, 16 * mm)
        canvas.setFont(PLAIN, 6.5)
        canvas.setFillColor(GREY)
        canvas.drawString(_SIDE, 12.5 * mm, shown(self._foot))
        canvas.drawString(_SIDE, 9.5 * mm, "Research use only. Not a medical device.")
        canvas.restoreState()

    def _draft(self, canvas: Canvas) -> None:
        canvas.saveState()
        canvas.setFillColor(HexColor("#dddddd"))
        canvas.setFont(BOLD, 54)
        canvas.translate(_WIDTH / 2, _HEIGHT / 2)
        canvas.rotate(52)
        canvas.drawCentredString(0, 0, "draft, not signed")
        canvas.restoreState()


def _story(document: Document) -> list[Flowable]:
    content = document.content
    found: list[Flowable] = [_p("Radiology report", _TITLE)]
    if marks := badges(content):
        found.append(_p(" · ".join(marks).upper(), _SMALL))
    found.append(_facts(patient_rows(content), study_rows(content)))
    found.append(_p(f"Conclusion: {document.conclusion or 'none yet'}", _HEAD))
    for section in content["sections"]:
        found += _section(section["title"], section["text"] or "none yet")
    found.append(_picture(document))
    for number, addendum in enumerate(document.addenda, start=1):
        by = f"{addendum.by_name}, {moment(addendum.at)}"
        found += _section(f"Addendum {number}", addendum.text, by)
    if document.critical:
        found.append(_p("Critical results", _HEAD))
    for result in document.critical:
        found += [_p(line) for line in told(result)]
    found.append(KeepTogether(_end(document)))
    if INSTEAD in "".join(shown(text) for text in _texts(document)):
        note = f"{INSTEAD}: a character that this PDF can't show; the report's page shows it."
        found.append(_p(note, _SMALL))
    return found


def _section(title: str, text: str, by: str = "") -> list[Flowable]:
    found: list[Flowable] = [_p(title, _HEAD)]
    found += [_p(line) for line in text.split("\n")]
    return [*found, _p(by, _SMALL)] if by else found


def _facts(left: Rows, right: Rows) -> Flowable:
    """Two columns of terms and values."""
    rows = []
    for i in range(max(len(left), len(right))):
        cells: list[Flowable] = []
        for side in (left, right):
            term, value = side[i] if i < len(side) else ("", "")
            cells += [_p(term, _SMALL), _p(value)]
        rows.append(cells)
    widths = [18 * mm, _INNER / 2 - 18 * mm] * 2
    lines = [
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("LEFTPADDING", (0, 0), (-1, -1), 0),
        ("TOPPADDING", (0, 0), (-1, -1), 1),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 1),
        ("LINEABOVE", (0, 0), (-1, 0), 0.5, LINE),
        ("LINEBELOW", (0, -1), (-1, -1), 0.5, LINE),
    ]
    return Table(rows, colWidths=widths, style=TableStyle(lines), spaceBefore=4, spaceAfter=4)


def _picture(document: Document) -> Flowable:
    try:
        data = report_picture.jpeg(document.film.image)
    except DomainError as error:
        return _p(f"The film can't be shown here: {error.message}", _SMALL)
    picture = report_picture.FilmFlowable(data, dict(document.content), _INNER, 85 * mm)
    text = "As the film is stored, sides are the picture's; boxes of the findings above."
    return KeepTogether([Spacer(1, 8), picture, _p(text, _SMALL)])


def _end(document: Document) -> list[Flowable]:
    """Signature line, versions, hash."""
    signature = document.signature
    if signature is None:
        return [Spacer(1, 10), _p("Draft, not signed.", _HEAD)]
    found: list[Flowable] = [
        Spacer(1, 10),
        _p(
            f"Signed by {signature.by_name}, {moment(signature.at)} (signature {signature.pk})",
            _HEAD,
        ),
    ]
    found += [_p(version_line(version), _SMALL) for version in document.versions if version.number]
    if not document.kept:
        found.append(_p("Signed before reports were kept: no hash.", _SMALL))
    elif not document.intact:
        found.append(_p("The kept report differs from its hash. Tell an admin.", _HEAD))
    return found


def version_line(version: Version) -> str:
    """One version in one line."""
    at = f", {moment(version.at)}" if version.at else ""
    sha = f", SHA-256 {version.sha256}" if version.sha256 else ""
    return f"Version {version.number}: {version.what}, {version.by_name}{at}{sha}"


def _texts(document: Document) -> Sequence[str]:
    rows: list[tuple[str, str]] = [
        *patient_rows(document.content),
        *study_rows(document.content),
        *document.current.sections,
    ]
    critical = [line for result in document.critical for line in told(result)]
    names = [version.by_name for version in document.versions]
    return [*(text for _, text in rows), *critical, *names, settings.HOSPITAL_NAME]


def _p(text: str, style: ParagraphStyle = _TEXT) -> Flowable:
    """A paragraph of plain text: what looks like markup is text."""
    return Paragraph(escape(shown(text)).replace("\n", "<br/>"), style)


def _cut(canvas: Canvas, text: str) -> str:
    """As much of it as one line holds."""
    while canvas.stringWidth(text, PLAIN, 8.5) > _INNER:
        text = text.removesuffix("…")[:-1] + "…"
    return text
