"""What a certificate says, and its PDF: made from the signed content alone, so always the same."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.conf import settings
from django.utils import timezone
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

from devices.checklist_steps import plain
from quality.models import QASession, Verdict
from quality.tests_of import ProtocolTest, Result
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
    NumberedCanvas,
    frame,
    paragraph,
)
from twinhealth.web.pdf_fonts import register
from twinhealth.web.ucum import unit_text

FORMAT = 1


def content(session: QASession, judged: Sequence[tuple[ProtocolTest, Result]]) -> dict[str, Any]:
    """All that is signed, JSON-safe. Numbers are texts: a database may write a float otherwise."""
    device, instrument = session.device, session.instrument
    return {
        "format": FORMAT,
        "hospital": settings.HOSPITAL_NAME,
        "session": session.pk,
        "machine": {
            "id": device.pk,
            "name": device.name,
            "serial": device.serial,
            "model": str(device.model),
            "location": device.location,
        },
        "protocol": {
            "id": session.protocol_id,
            "name": session.protocol.name,
            "version": session.version.number,
        },
        "order": session.order_id,
        "performed_by": str(session.performed_by),
        "performed_at": _moment(session.performed_at),
        "signed_by": str(session.signed_by),
        "signed_at": _moment(session.signed_at),
        "signature": session.signature,
        "verdict": session.verdict,
        "tests": [_test(test, found) for test, found in judged],
        "instrument": instrument
        and {
            "name": instrument.name,
            "serial": instrument.serial,
            "calibrated_until": instrument.calibrated_until.isoformat(),
            "reason": session.instrument_reason,
        },
        "comment": session.comment,
        "supersedes": session.supersedes_id,
        "supersede_reason": session.supersede_reason,
        "files": [
            {"filename": file.filename, "sha256": file.sha256} for file in session.files.all()
        ],
        "synthetic": session.is_synthetic,
    }


def _moment(at: datetime | None) -> str:
    """In the hospital's zone of then, with its offset."""
    return timezone.localtime(at).isoformat(timespec="seconds") if at else ""


def _test(test: ProtocolTest, found: Result) -> dict[str, Any]:
    bands = test.bands
    limits = bands.limits() if bands else {}
    return {
        "key": test.key,
        "name": test.name,
        "kind": test.kind,
        "unit": test.unit,
        "values": [plain(value) for value in found.values],
        "value": "" if found.number is None else plain(found.number),
        "text": found.text,
        "verdict": str(found.verdict),
        "note": found.note,
        "reference": plain(bands.reference) if bands else "",
        **{name: "" if limit is None else plain(limit) for name, limit in limits.items()},
    }


def band(row: Mapping[str, Any], name: str) -> str:
    """One band of a test in words: `68 to 72 kV`; empty where it has none."""
    low, high = row.get(f"{name}_low", ""), row.get(f"{name}_high", "")
    if not low and not high:
        return ""
    unit = f" {unit_text(row['unit'])}".rstrip()
    if low and high:
        return f"{low} to {high}{unit}"
    return f"at most {high}{unit}" if high else f"at least {low}{unit}"


def value(row: Mapping[str, Any]) -> str:
    """What was found, with its unit."""
    if row["kind"] != "number":
        return str(row["text"])
    said = f"{row['value']} {unit_text(row['unit'])}".rstrip()
    if len(row["values"]) > 1:
        said += f" (mean of {', '.join(row['values'])})"
    return said


def shown_moment(text: str) -> str:
    """As signed: the hospital's clock with its offset from UTC."""
    at = datetime.fromisoformat(text)
    return f"{at:%d %b %Y %H:%M} (UTC{at:%z})"


def pdf(session: QASession) -> bytes:
    """The certificate of a signed session, A4: the same bytes each time it is printed."""
    signed: dict[str, Any] = session.content or {}
    register()
    out = io.BytesIO()
    name = f"QA-{signed['session']}"
    template = BaseDocTemplate(
        out,
        pagesize=A4,
        title=f"Certificate {name}",
        author=signed["signed_by"],
        subject="Quality assurance of a machine",
        creator="TwinHealth",
        lang="en-GB",
        invariant=1,  # no time of printing, no random identity
    )
    machine = signed["machine"]
    line = f"{machine['name']} · {machine['model']} · serial {machine['serial']}"
    foot = f"{name} · SHA-256 {session.sha256}"

    def draw(canvas: Canvas, _: BaseDocTemplate) -> None:
        canvas.saveState()
        frame(canvas, head=signed["hospital"], line=line, foot=foot)
        canvas.restoreState()

    area = Frame(SIDE, BOTTOM, INNER, HEIGHT - TOP - BOTTOM, 0, 0, 0, 0)
    template.addPageTemplates(PageTemplate(frames=[area], onPage=draw))
    template.build(_story(signed, session.sha256), canvasmaker=NumberedCanvas)
    return out.getvalue()


def _story(signed: Mapping[str, Any], sha: str) -> list[Flowable]:
    said = str(Verdict(signed["verdict"]).label)
    found: list[Flowable] = [paragraph(f"Certificate: {signed['protocol']['name']}", TITLE)]
    if signed["synthetic"]:
        found.append(paragraph("SYNTHETIC DEMONSTRATION DATA", SMALL))
    found.append(paragraph(f"Verdict: {said}", HEAD))
    found.append(_grid([[paragraph(a, SMALL), paragraph(b)] for a, b in _facts(signed)], [38, 0]))
    found.append(paragraph("Results", HEAD))
    head = ("Test", "Found", "Reference", "Tolerance", "Action level", "Verdict")
    rows = [[paragraph(text, SMALL) for text in head]]
    for row in signed["tests"]:
        reference = f"{row['reference']} {unit_text(row['unit'])}".strip()
        cells = (
            row["name"] + (f"\n{row['note']}" if row["note"] else ""),
            value(row),
            reference if row["reference"] else "",
            band(row, "tolerance"),
            band(row, "action"),
            str(Verdict(row["verdict"]).label),
        )
        rows.append([paragraph(text, SMALL) for text in cells])
    found.append(_grid(rows, [42, 30, 20, 28, 28, 0], head=True))
    if signed["comment"]:
        found += [paragraph("Comment", HEAD), paragraph(signed["comment"])]
    for file in signed["files"]:
        found.append(paragraph(f"Attached: {file['filename']}, SHA-256 {file['sha256']}", SMALL))
    found.append(
        KeepTogether(
            [
                Spacer(1, 10),
                paragraph(
                    f"Signed: {signed['signature']} ({signed['signed_by']}), "
                    f"{shown_moment(signed['signed_at'])}",
                    HEAD,
                ),
                paragraph(f"SHA-256 of the signed content: {sha}", SMALL),
            ]
        )
    )
    return found


def _facts(signed: Mapping[str, Any]) -> list[tuple[str, str]]:
    machine, protocol, instrument = signed["machine"], signed["protocol"], signed["instrument"]
    facts = [
        ("Machine", f"{machine['name']}, {machine['model']}"),
        ("Serial number", machine["serial"]),
        ("Location", machine["location"] or "unknown"),
        ("Protocol", f"{protocol['name']}, version {protocol['version']}"),
        ("Measured", f"{shown_moment(signed['performed_at'])} by {signed['performed_by']}"),
    ]
    if signed["order"]:
        facts.append(("Work order", f"WO-{signed['order']}"))
    if instrument:
        said = f"{instrument['name']}, serial {instrument['serial']}, calibrated until "
        said += instrument["calibrated_until"]
        if instrument["reason"]:
            said += f" (used because: {instrument['reason']})"
        facts.append(("Instrument", said))
    if signed["supersedes"]:
        why = signed["supersede_reason"]
        facts.append(("Takes the place of", f"QA-{signed['supersedes']}: {why}"))
    return facts


def _grid(rows: list[list[Flowable]], widths: Sequence[float], *, head: bool = False) -> Flowable:
    """A table; the width 0 is what is left."""
    sizes = [each * mm for each in widths]
    sizes = [each or INNER - sum(sizes) for each in sizes]
    style = [
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("LEFTPADDING", (0, 0), (-1, -1), 0),
        ("TOPPADDING", (0, 0), (-1, -1), 1),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 1),
        ("LINEBELOW", (0, 0), (-1, -1), 0.25, LINE),
    ]
    return Table(
        rows, colWidths=sizes, style=TableStyle(style), repeatRows=1 if head else 0, spaceAfter=4
    )
