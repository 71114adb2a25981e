"""A film's report as PDF, A4."""

from __future__ import annotations

import io
from collections.abc import Sequence

from django.conf import settings
from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import (
    BaseDocTemplate,
    Flowable,
    Frame,
    KeepTogether,
    PageTemplate,
    Spacer,
    Table,
    TableStyle,
)

from reading import report_picture
from reading.report_facts import moment
from reading.report_rows import Rows, badges, patient_rows, study_rows, told
from reading.selectors_report import Document, Version
from twinhealth.errors import DomainError
from twinhealth.web.pdf import (
    BOTTOM,
    HEAD,
    HEIGHT,
    INNER,
    LINE,
    SIDE,
    SMALL,
    TITLE,
    TOP,
    WIDTH,
    NumberedCanvas,
    frame,
    paragraph,
)
from twinhealth.web.pdf_fonts import BOLD, INSTEAD, register, shown


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
    area = Frame(SIDE, BOTTOM, INNER, HEIGHT - TOP - BOTTOM, 0, 0, 0, 0)
    page = _Page(document)
    template.addPageTemplates(PageTemplate(frames=[area], onPage=page.draw))
    template.build(_story(document), canvasmaker=NumberedCanvas)
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
        frame(canvas, head=settings.HOSPITAL_NAME, line=self._who, foot=self._foot)
        canvas.restoreState()

    def _draft(self, canvas: Canvas) -> None:
        canvas.saveState()
        canvas.setFillColor(HexColor("#dddddd"))
        canvas.setFont(BOLD, 54)
        canvas.translate(WIDTH / 2, HEIGHT / 2)
        canvas.rotate(52)
        canvas.drawCentredString(0, 0, "draft, not signed")
        canvas.restoreState()


def _story(document: Document) -> list[Flowable]:
    content = document.content
    found: list[Flowable] = [paragraph("Radiology report", TITLE)]
    if marks := badges(content):
        found.append(paragraph(" · ".join(marks).upper(), SMALL))
    found.append(_facts(patient_rows(content), study_rows(content)))
    found.append(paragraph(f"Conclusion: {document.conclusion or 'none yet'}", HEAD))
    for section in content["sections"]:
        found += _section(section["title"], section["text"] or "none yet")
    found.append(_picture(document))
    for number, addendum in enumerate(document.addenda, start=1):
        by = f"{addendum.by_name}, {moment(addendum.at)}"
        found += _section(f"Addendum {number}", addendum.text, by)
    if document.critical:
        found.append(paragraph("Critical results", HEAD))
    for result in document.critical:
        found += [paragraph(line) for line in told(result)]
    found.append(KeepTogether(_end(document)))
    if INSTEAD in "".join(shown(text) for text in _texts(document)):
        note = f"{INSTEAD}: a character that this PDF can't show; the report's page shows it."
        found.append(paragraph(note, SMALL))
    return found


def _section(title: str, text: str, by: str = "") -> list[Flowable]:
    found: list[Flowable] = [paragraph(title, HEAD)]
    found += [paragraph(line) for line in text.split("\n")]
    return [*found, paragraph(by, SMALL)] if by else found


def _facts(left: Rows, right: Rows) -> Flowable:
    """Two columns of terms and values."""
    rows = []
    for i in range(max(len(left), len(right))):
        cells: list[Flowable] = []
        for side in (left, right):
            term, value = side[i] if i < len(side) else ("", "")
            cells += [paragraph(term, SMALL), paragraph(value)]
        rows.append(cells)
    widths = [18 * mm, INNER / 2 - 18 * mm] * 2
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
        return paragraph(f"The film can't be shown here: {error.message}", SMALL)
    picture = report_picture.FilmFlowable(data, dict(document.content), INNER, 85 * mm)
    text = "As the film is stored, sides are the picture's; boxes of the findings above."
    return KeepTogether([Spacer(1, 8), picture, paragraph(text, SMALL)])


def _end(document: Document) -> list[Flowable]:
    """Signature line, versions, hash."""
    signature = document.signature
    if signature is None:
        return [Spacer(1, 10), paragraph("Draft, not signed.", HEAD)]
    found: list[Flowable] = [
        Spacer(1, 10),
        paragraph(
            f"Signed by {signature.by_name}, {moment(signature.at)} (signature {signature.pk})",
            HEAD,
        ),
    ]
    found += [
        paragraph(version_line(version), SMALL) for version in document.versions if version.number
    ]
    if not document.kept:
        found.append(paragraph("Signed before reports were kept: no hash.", SMALL))
    elif not document.intact:
        found.append(paragraph("The kept report differs from its hash. Tell an admin.", HEAD))
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
