"""The text of a PDF, read by its own font tables: as a person who selects and copies it gets it."""

from __future__ import annotations

import base64
import re
import zlib

_OBJECT = re.compile(rb"(\d+) 0 obj(.*?)endobj", re.DOTALL)
_STREAM = re.compile(rb"stream\r?\n(.*?)\s*endstream", re.DOTALL)
_SHOWN = re.compile(rb"/(F\d+\+\d+) [\d.]+ Tf|\(((?:[^()\\]|\\.)*)\) Tj|(T\*)", re.DOTALL)
_ESCAPE = re.compile(rb"\\([0-7]{1,3}|.)", re.DOTALL)
_NAMED = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}


class Pdf:
    """The objects of a file as reportlab writes it."""

    def __init__(self, data: bytes) -> None:
        assert data.startswith(b"%PDF-")
        self.data = data
        self.objects = {int(number): body for number, body in _OBJECT.findall(data)}

    @property
    def pages(self) -> list[str]:
        """The text of each page, in the order in which it is drawn."""
        kids = next(b for b in self.objects.values() if b"/Kids" in b and b"/Pages" in b)
        listed = re.search(rb"/Kids \[(.*?)\]", kids, re.DOTALL)
        assert listed
        numbers = [int(n) for n in re.findall(rb"(\d+) 0 R", listed[1])]
        return [self._text(self._stream(self._ref(self.objects[n], b"Contents"))) for n in numbers]

    def _ref(self, body: bytes, key: bytes) -> int:
        found = re.search(rb"/" + key + rb" (\d+) 0 R", body)
        assert found, (key, body[:200])
        return int(found[1])

    def _stream(self, number: int) -> bytes:
        body = self.objects[number]
        found = _STREAM.search(body)
        assert found
        data = found[1]
        if b"/ASCII85Decode" in body:
            data = base64.a85decode(data.strip().removesuffix(b"~>"))
        return zlib.decompress(data) if b"/FlateDecode" in body else data

    def _tables(self) -> dict[bytes, dict[int, str]]:
        names = {}
        for body in self.objects.values():
            for name, number in re.findall(rb"/(F\d+\+\d+) (\d+) 0 R", body):
                names[name] = int(number)
        found = {}
        for name, number in names.items():
            cmap = self._stream(self._ref(self.objects[number], b"ToUnicode")).decode("ascii")
            table: dict[int, str] = {}
            for code, text in re.findall(r"^<(\w\w)> <(\w{4,})>$", cmap, re.MULTILINE):
                table[int(code, 16)] = bytes.fromhex(text).decode("utf-16-be")
            found[name] = table
        return found

    def _text(self, content: bytes) -> str:
        tables, table, said = self._tables(), {}, []
        for font, string, line_end in _SHOWN.findall(content):
            if font:
                table = tables[font]
                continue
            if line_end:
                said.append(" ")
                continue
            codes = _ESCAPE.sub(
                lambda m: _NAMED.get(m[1]) or (bytes([int(m[1], 8)]) if m[1].isdigit() else m[1]),
                string,
            )
            said.append("".join(table.get(code, f"[{code}]") for code in codes))
        return "".join(said)
