"""The MIME tree of a mail within limits: raw bytes in, a tree of :class:`Part` out.

The standard library reads a mail line by line, which costs most of the time and nearly nine times the size of
an attachment in memory. So long runs of base64 are cut out first and one short line stands for each: such a
run comes after a blank line, and its characters can form neither a header field nor a boundary, so that the
tree is the same. The runs are put back, decoded at once, when a part's content is asked for.
"""

from __future__ import annotations

import quopri
import re
import secrets
from dataclasses import dataclass
from email.feedparser import FeedParser
from email.message import Message
from email.policy import compat32

from mailbot.mime.headers import decode_base64, decode_octets, decode_sound, decode_words, recovered

_MIN_RUN_BYTES = 4096
_RUN_OCTETS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=\r\n"
# Longer values of Content-* fields are cut: the standard library reads parameters in quadratic time.
_MAX_MIME_FIELD_CHARACTERS = 4096
_MAX_MIME_PARAMETERS = 100
_OPAQUE = "application/octet-stream"

_SPACE_BEFORE_COLON = re.compile(rb"^([!-9;-~]+)[ \t]+:", re.MULTILINE)
_BLANK_LINE = re.compile(rb"(?:\A|\n)\r?\n|\r\r")
# Searched for by its dashes, of which base64 has none: line ends are many.
_DASHES_THAT_BEGIN_A_LINE = re.compile(rb"--(?<=\n--)")
_MISSING_SEMICOLON = re.compile(r"\s*([\w.+-]+/[\w.+-]+)\s+(?=[\w*-]+\s*=)")
_BOUNDARY_LINE = re.compile(rb"^--([^\s-][^\r\n]{0,198}?)[ \t]*\r?$", re.MULTILINE)


@dataclass(slots=True)
class _Budget:
    """How much of a tree may still grow; shared by all its parts."""

    max_depth: int
    parts_left: int
    runs: Runs
    too_deep: bool = False
    too_many: bool = False
    field_too_long: bool = False


@dataclass(frozen=True, slots=True)
class Run:
    """Lines of base64 where they lie in a mail; ``padded_within``: a ``=`` stands before their end."""

    octets: memoryview
    padded_within: bool


@dataclass(frozen=True, slots=True)
class Runs:
    """What was cut out of a mail: ``mark`` starts each stand-in line, its number ends it."""

    mark: bytes
    cut: dict[int, Run]

    def whole(self, payload: str) -> Run | None:
        """The run that a payload is, but for line ends behind it."""
        before, mark, line = payload.partition(self.mark.decode()) if self.cut else ("", "", "")
        number, _, after = line.partition("=")
        return self.cut[int(number)] if mark and not before and not after.strip("\r\n") else None

    def put_back(self, payload: bytes) -> bytes:
        """``payload`` with every stand-in line replaced by what it stands for."""
        if not self.cut or self.mark not in payload:
            return payload
        before, *lines = payload.split(self.mark)
        pieces: list[bytes | memoryview] = [before]
        for line in lines:
            number, _, after = line.partition(b"=")
            pieces += [self.cut[int(number)].octets, after]
        return b"".join(pieces)


_NO_RUNS = Runs(b"", {})


@dataclass(frozen=True, slots=True)
class Skeleton:
    """A mail's ``octets`` without the ``runs``: what is read line by line. ``whole`` is the mail as it came."""

    whole: bytes
    octets: bytes
    runs: Runs


class Part(Message):
    """A node of the tree. Attached mails and parts beyond the limits are leaves, their bytes untouched."""

    _payload: object

    def __init__(self, budget: _Budget) -> None:
        super().__init__(compat32)
        self.budget = budget
        self.depth = 0

    def attach(self, payload: Part) -> None:  # type: ignore[override]
        """Called by the standard library's parser for every new child, before its headers are read."""
        payload.depth = self.depth + 1
        self.budget.parts_left -= 1
        if self.budget.parts_left < 0:
            # It is read, for the parser has to find its end, and forgotten.
            self.budget.too_many = True
            return
        super().attach(payload)

    def set_raw(self, name: str, value: str) -> None:
        """Called by the parser for every header field: raw octets are read here, before anything looks."""
        text = recovered(value)
        if name[:8].lower() == "content-":
            if len(text) > _MAX_MIME_FIELD_CHARACTERS or text.count(";") > _MAX_MIME_PARAMETERS:
                self.budget.field_too_long = True
                text = ";".join(text[:_MAX_MIME_FIELD_CHARACTERS].split(";")[:_MAX_MIME_PARAMETERS])
            if name.lower() == "content-type":
                text = _MISSING_SEMICOLON.sub(r"\1; ", text, count=1) if "=" in text else text
        super().set_raw(name, text)

    def get_content_type(self) -> str:
        """The type by which the parser descends: attached mails and what is beyond the limits is opaque."""
        declared = self.declared_type
        if declared.startswith("message/"):
            return _OPAQUE
        if declared.startswith("multipart/") and not self._may_descend():
            return _OPAQUE
        return declared

    def _may_descend(self) -> bool:
        if self.depth >= self.budget.max_depth:
            self.budget.too_deep = True
            return False
        return True

    @property
    def is_broken_multipart(self) -> bool:
        """Whether it says that it has parts, may have them, and has none: its boundary is of no use."""
        return self.declared_type.startswith("multipart/") and self._may_descend() and not self.children

    @property
    def declared_type(self) -> str:
        """What the Content-Type field says, in lower case; ``text/plain`` if it says nothing sensible."""
        return super().get_content_type()

    @property
    def children(self) -> list[Part]:
        """The parts of a multipart, or an empty list."""
        return self._payload if isinstance(self._payload, list) else []

    @property
    def octets(self) -> bytes:
        """A leaf's bytes as they were transferred."""
        if not isinstance(self._payload, str):
            return b""
        return self.budget.runs.put_back(self._payload.encode("ascii", "surrogateescape"))

    def content(self) -> tuple[bytes, bool]:
        """A leaf's decoded bytes, and whether its transfer encoding was sound."""
        encoding = self.text_of("content-transfer-encoding").strip().lower()
        if encoding == "base64":
            return self._decoded_run() or decode_base64(self.octets)
        if encoding == "quoted-printable":
            return quopri.decodestring(self.octets), True
        if encoding in {"x-uuencode", "uuencode", "uue", "x-uue"}:
            decoded = self.get_payload(decode=True)
            return (decoded if isinstance(decoded, bytes) else self.octets), True
        return self.octets, True

    def _decoded_run(self) -> tuple[bytes, bool] | None:
        """What one sound run of base64 and nothing else comes to: it was looked through when it was cut out."""
        run = self.budget.runs.whole(self._payload) if isinstance(self._payload, str) else None
        return decode_sound(run.octets) if run and not run.padded_within else None

    def text_of(self, name: str) -> str:
        """The first value of a header field as text."""
        value = self.get(name, "")
        return value if isinstance(value, str) else str(value)

    def parameter(self, name: str, header: str = "content-type") -> str:
        """A parameter of a structured field, decoded by RFC 2231 or, as many do, RFC 2047."""
        value = self.get_param(name, "", header)
        if isinstance(value, tuple):
            charset, _, text = value
            return decode_octets(text.encode("latin-1", "replace"), charset or "")[0]
        return decode_words(value) if isinstance(value, str) else ""

    @property
    def given_name(self) -> str:
        """The file name that the sender gives, as it stands; a Content-ID is never a name (THREATS 24)."""
        return self.parameter("filename", "content-disposition") or self.parameter("name")

    @property
    def disposition(self) -> str:
        """``attachment``, ``inline``, something else, or empty."""
        return self.text_of("content-disposition").partition(";")[0].strip().lower()


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """A parsed mail and what had to be left out of it."""

    root: Part
    header_too_long: bool

    @property
    def budget(self) -> _Budget:
        """What the limits did."""
        return self.root.budget


def parse_tree(skeleton: Skeleton, *, max_depth: int, max_parts: int, max_header_bytes: int) -> Tree:
    """Read a mail into a tree, in time and memory linear in its size."""
    octets, header_too_long = _bounded_header(skeleton.octets, max_header_bytes)
    budget = _Budget(max_depth=max_depth, parts_left=max_parts, runs=skeleton.runs)

    def new_part() -> Part:
        return Part(budget)

    parser: FeedParser[Part] = FeedParser(new_part)
    parser.feed(octets.decode("ascii", "surrogateescape"))
    return Tree(root=parser.close(), header_too_long=header_too_long)


def parse_header(raw: bytes, max_header_bytes: int) -> Part:
    """The header fields alone: a part without a body."""
    end = header_end(raw, max_header_bytes)
    header = skeleton_of(raw[:end])
    return parse_tree(header, max_depth=0, max_parts=1, max_header_bytes=max_header_bytes).root


def header_end(raw: bytes, max_header_bytes: int) -> int:
    """Where the first header's blank line stands, or the last line end within the limit."""
    match = _BLANK_LINE.search(raw, 0, max_header_bytes)
    if match:
        return match.start() + 1 if raw[match.start() : match.start() + 1] == b"\n" else match.start()
    if len(raw) <= max_header_bytes:
        return len(raw)
    return raw.rfind(b"\n", 0, max_header_bytes) + 1


def header_only(raw: bytes) -> bytes:
    """A mail of ``raw``'s header alone (256 KiB at most), for one whose body is too large to be read."""
    end = min((at for at in (raw.find(b"\r\n\r\n"), raw.find(b"\n\n")) if at >= 0), default=len(raw))
    return raw[: min(end, 256 * 1024)] + b"\r\n\r\n"


def _bounded_header(raw: bytes, max_header_bytes: int) -> tuple[bytes, bool]:
    """``raw`` with a header within the limit and without the obsolete space before colons (RFC 5322 §4.5)."""
    end = header_end(raw, max_header_bytes)
    header = raw[:end]
    repaired = _SPACE_BEFORE_COLON.sub(rb"\1:", header)
    match = _BLANK_LINE.match(raw, end - 1 if end else 0)
    if match or end == len(raw):
        return (raw if repaired is header or repaired == header else repaired + raw[end:]), False
    blank = _BLANK_LINE.search(raw, end)
    return repaired + (b"\r\n" + raw[blank.end() :] if blank else b"\r\n"), True


def skeleton_of(raw: bytes) -> Skeleton:
    """``raw`` with every long run of base64 replaced by one line, and the runs; in time linear in its size."""
    if len(raw) < _MIN_RUN_BYTES:
        return Skeleton(raw, raw, _NO_RUNS)
    mark = b"=run" + secrets.token_hex(12).encode() + b"="
    view = memoryview(raw)
    cut: dict[int, Run] = {}
    pieces: list[bytes] = []
    kept_to = 0
    start = 0
    while start < len(raw):
        dashes = _DASHES_THAT_BEGIN_A_LINE.search(raw, start + 2)
        end = dashes.start() - 1 if dashes else len(raw)
        run = _run_in(raw, start, end) if end - start > _MIN_RUN_BYTES else None
        if run:
            pieces += [raw[kept_to : run[0]], mark + str(len(cut)).encode() + b"="]
            cut[len(cut)] = Run(view[run[0] : run[1]], _is_padded_within(raw, *run))
            kept_to = run[1]
        start = end
    if not cut:
        return Skeleton(raw, raw, _NO_RUNS)
    return Skeleton(raw, b"".join([*pieces, raw[kept_to:]]), Runs(mark, cut))


def _run_in(raw: bytes, start: int, end: int) -> tuple[int, int] | None:
    """The lines after a blank line between two positions, if they are nothing but base64: after the first one,
    which ends the header of most parts that are files, else after the last."""
    while end > start and raw[end - 1] in b"\r\n":
        end -= 1
    blank = _BLANK_LINE.search(raw, start, end)
    if blank is None:
        return None
    if _is_run(raw, blank.end(), end):
        return blank.end(), end
    last = max(raw.rfind(b"\n\n", start, end) + 2, raw.rfind(b"\n\r\n", start, end) + 3)
    return (last, end) if last > max(start, 3) and _is_run(raw, last, end) else None


def _is_run(raw: bytes, first: int, end: int) -> bool:
    if end - first < _MIN_RUN_BYTES or raw[first] in b"\r\n":
        return False
    return not raw[first:end].translate(None, _RUN_OCTETS)


def _is_padded_within(raw: bytes, first: int, end: int) -> bool:
    padding = raw.find(b"=", first, end)
    return padding >= 0 and raw[padding:end].strip(b"=\r\n") != b""


def with_guessed_boundary(payload: bytes) -> bytes | None:
    """A multipart without a usable boundary as a mail that has one, or ``None``.

    The first line that starts with ``--`` and comes again is taken as the boundary.
    """
    match = _BOUNDARY_LINE.search(payload)
    if match is None or b'"' in match[1] or b"\\" in match[1]:
        return None
    if payload.count(b"\n--" + match[1]) + payload.startswith(b"--" + match[1]) < 2:
        return None
    return b'Content-Type: multipart/mixed; boundary="' + match[1] + b'"\r\n\r\n' + payload
