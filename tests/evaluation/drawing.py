"""A page of text, lines and bars that becomes a PDF: the paper on which the made-up documents stand."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field

_FONTS = {
    "sans": b"Helvetica",
    "sans-bold": b"Helvetica-Bold",
    "serif": b"Times-Roman",
    "serif-bold": b"Times-Bold",
    "mono": b"Courier",
    "mono-bold": b"Courier-Bold",
}
_WIDTHS = {"sans": 0.52, "serif": 0.46, "mono": 0.6}
_ITF = ("00110", "10001", "01001", "11000", "00101", "10100", "01100", "00011", "10010", "01010")


@dataclass(slots=True)
class Paper:
    """``width`` and ``height`` in points; ``y`` of all that is drawn counts from the top. On a dark paper everything
    is written as light as it would be dark."""

    width: float = 595.0
    height: float = 842.0
    shade: float = 1.0
    is_dark: bool = False
    _content: list[bytes] = field(default_factory=list)
    _pictures: list[tuple[bytes, int, int]] = field(default_factory=list)

    def text(
        self,
        x: float,
        y: float,
        words: str,
        *,
        size: float = 9.0,
        font: str = "sans",
        grey: float = 0.0,
        as_is: bool = False,
    ) -> None:
        """``words`` beginning at ``x`` on the base line ``y``; ``as_is`` in that very grey on a dark paper too."""
        if self.is_dark and not as_is:
            grey = 0.95 - 0.8 * grey
        shown = b"".join(
            bytes([b]) if 32 <= b < 127 and b not in b"()\\" else b"\\%03o" % b
            for b in words.encode("cp1252", "replace")
        )
        name = list(_FONTS).index(font)
        self._content.append(
            b"%.2f g BT /F%d %.2f Tf %.2f %.2f Td (%s) Tj ET" % (grey, name, size, x, self.height - y, shown)
        )

    def right(self, x: float, y: float, words: str, *, size: float = 9.0, font: str = "sans") -> None:
        """``words`` ending near ``x``."""
        width = _WIDTHS[font.partition("-")[0]] * size * len(words)
        self.text(x - width, y, words, size=size, font=font)

    def box(self, x: float, y: float, width: float, height: float, *, grey: float = 0.9) -> None:
        """A filled box."""
        self._content.append(
            b"%.2f g %.2f %.2f %.2f %.2f re f" % (grey, x, self.height - y - height, width, height)
        )

    def bar(self, x: float, y: float, width: float, height: float, colour: tuple[float, float, float]) -> None:
        """A filled box in a colour."""
        self._content.append(
            b"%.2f %.2f %.2f rg %.2f %.2f %.2f %.2f re f" % (*colour, x, self.height - y - height, width, height)
        )

    def rule(self, x: float, y: float, width: float, *, down: float = 0.0) -> None:
        """A thin line to the right, or down."""
        self._content.append(
            b"0.5 w 0 G %.2f %.2f m %.2f %.2f l S"
            % (x, self.height - y, x + (0 if down else width), self.height - y - down)
        )

    def bars(self, x: float, y: float, digits: str, *, width: float = 292.0, height: float = 37.0) -> None:
        """Interleaved two of five, as boletos have it: 103 by 13 mm."""
        widths = "0000"
        for one, two in zip(digits[::2], digits[1::2], strict=True):
            widths += "".join(a + b for a, b in zip(_ITF[int(one)], _ITF[int(two)], strict=True))
        widths += "100"
        unit = width / sum(2.5 if ch == "1" else 1.0 for ch in widths)
        for index, ch in enumerate(widths):
            step = unit * (2.5 if ch == "1" else 1.0)
            if index % 2 == 0:
                self.box(x, y, step, height, grey=0.0)
            x += step

    def put(self, other: Paper, x: float) -> None:
        """What is drawn on another paper of the same height, moved to the right."""
        self._content.append(b"q 1 0 0 1 %.2f 0 cm" % x)
        self._content.extend([*other._content, b"Q"])

    def jpeg(self, x: float, y: float, data: bytes, size: tuple[int, int], *, width: float, height: float) -> None:
        """A JPEG picture of ``size`` pixels."""
        self._pictures.append((data, *size))
        self._content.append(
            b"q %.2f 0 0 %.2f %.2f %.2f cm /P%d Do Q"
            % (width, height, x, self.height - y - height, len(self._pictures) - 1)
        )


def pdf(*papers: Paper) -> bytes:
    """The papers as one PDF with a text layer."""
    objects: list[bytes] = [b"<< /Type /Catalog /Pages 2 0 R >>", b""]
    objects += [
        b"<< /Type /Font /Subtype /Type1 /BaseFont /%s /Encoding /WinAnsiEncoding >>" % name
        for name in _FONTS.values()
    ]
    fonts = b" ".join(b"/F%d %d 0 R" % (index, index + 3) for index in range(len(_FONTS)))
    kids = []
    for paper in papers:
        pictures: list[bytes] = []
        for data, wide, high in paper._pictures:
            objects.append(
                b"<< /Type /XObject /Subtype /Image /Width %d /Height %d /ColorSpace /DeviceRGB /BitsPerComponent 8"
                b" /Filter /DCTDecode /Length %d >>\nstream\n%s\nendstream" % (wide, high, len(data), data)
            )
            pictures.append(b"/P%d %d 0 R" % (len(pictures), len(objects)))
        shade = b"%.2f g 0 0 %.2f %.2f re f\n" % (paper.shade, paper.width, paper.height)
        stream = zlib.compress(shade + b"\n".join(paper._content))
        objects.append(b"<< /Length %d /Filter /FlateDecode >>\nstream\n%s\nendstream" % (len(stream), stream))
        objects.append(
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 %.2f %.2f] /Contents %d 0 R /Resources << /Font << %s >>"
            b" /XObject << %s >> >> >>" % (paper.width, paper.height, len(objects), fonts, b" ".join(pictures))
        )
        kids.append(b"%d 0 R" % len(objects))
    objects[1] = b"<< /Type /Pages /Kids [%s] /Count %d >>" % (b" ".join(kids), len(kids))
    return _assembled(objects)


def _assembled(objects: list[bytes]) -> bytes:
    made = bytearray(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")
    offsets = []
    for number, body in enumerate(objects, start=1):
        offsets.append(len(made))
        made += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = len(made)
    made += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    made += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    made += b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, table)
    return bytes(made)
