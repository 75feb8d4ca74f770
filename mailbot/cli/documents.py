"""``mailbot documents``: what files are and say, read outside any mail."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mailbot.cli.output import Exit, complain, print_json, say, visible

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mailbot.domain.evidence import DocumentKind, DocumentPart, DocumentReading, Fact
    from mailbot.evidence.content import Code, FileContent, PageContent
    from mailbot.evidence.isolation import IsolatedDocumentReader

app = typer.Typer(name="documents", help="What files are and say.", no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="JSON Lines on stdout: one object a file, in order.")]


@app.callback()
def _documents() -> None:
    """What files are and say."""


@app.command("read")
def read(
    files: Annotated[list[Path], typer.Argument(metavar="FILE…", help="PDFs, photographs, scans.")],
    json: Json = False,
) -> None:
    """What these files are and say, with their text, barcodes, candidates and scores; nothing is stored.

    They are read as the files of a mail are: in a process with limits, by content and not by name. Nothing has to
    be configured. Ends with 1 if a file is not there or could not be read.
    """
    from mailbot.bootstrap import document_reader
    from mailbot.cli.context import set_up_logging

    set_up_logging()
    reader = document_reader()
    unread = 0
    try:
        for number, path in enumerate(files):
            found = _read(reader, path)
            unread += found.was_not_read
            if json:
                print_json(found.as_json())
            elif found.is_there:
                _show(found, is_first=number == 0)
    finally:
        reader.close()
    raise typer.Exit(Exit.NEEDS_A_LOOK if unread else Exit.DONE)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """One file and what was read in it."""

    path: Path
    media_type: str
    size_bytes: int
    sha256: str
    reading: DocumentReading
    held: FileContent | None
    elapsed_ms: int

    @property
    def is_there(self) -> bool:
        return self.sha256 != ""

    @property
    def was_not_read(self) -> bool:
        from mailbot.evidence.reading import NOT_READ

        return NOT_READ in self.reading.reasons

    def as_json(self) -> dict[str, Any]:
        """INTERFACE *JSON*: all keys always present."""
        reading = self.reading
        return {
            "file": str(self.path),
            "media_type": self.media_type,
            "size_bytes": self.size_bytes,
            "sha256": self.sha256,
            "kind": reading.kind,
            "confidence": reading.confidence,
            "readability": reading.readability,
            "reasons": list(reading.reasons),
            "facts": _facts(reading.kind, reading.facts),
            "uncertain": {fact.name: fact.value for fact in reading.guesses},
            "documents": [_part_as_json(part) for part in reading.parts],
            "candidates": _candidates(self),
            "page_count": reading.pages,
            "pages": [_page_as_json(page) for page in self.held.pages] if self.held else [],
            "elapsed_ms": self.elapsed_ms,
        }


def _read(reader: IsolatedDocumentReader, path: Path) -> _Found:
    from mailbot.mime.attachments import sniffed_type

    try:
        content = path.read_bytes()
    except (OSError, ValueError) as error:
        complain(f"mailbot: {path}: {getattr(error, 'strerror', None) or error}")
        return _not_there(path)
    media_type = sniffed_type(content, "")
    sha256 = hashlib.sha256(content).hexdigest()
    began = time.perf_counter()
    reading, held = reader.read_thoroughly(sha256, content, media_type, path.name)
    return _Found(
        path=path,
        media_type=media_type,
        size_bytes=len(content),
        sha256=sha256,
        reading=reading,
        held=held,
        elapsed_ms=round((time.perf_counter() - began) * 1000),
    )


def _not_there(path: Path) -> _Found:
    from mailbot.evidence.reading import not_read

    return _Found(path=path, media_type="", size_bytes=0, sha256="", reading=not_read(""), held=None, elapsed_ms=0)


def _candidates(found: _Found) -> list[dict[str, Any]]:
    return [
        {"kind": one.kind, "score": one.score, "reasons": list(one.reasons)} for one in found.reading.candidates
    ]


def _facts(kind: DocumentKind, facts: Iterable[Fact]) -> dict[str, str | None]:
    """Every fact that the kind has, absent and uncertain ones null."""
    from mailbot.cli.explained import FACTS_OF

    known = {fact.name: fact.value for fact in facts}
    return {**dict.fromkeys(FACTS_OF.get(kind, ())), **known}


def _part_as_json(part: DocumentPart) -> dict[str, Any]:
    return {
        "kind": part.kind,
        "page": part.page,
        "confidence": part.confidence,
        "reasons": list(part.reasons),
        "facts": _facts(part.kind, part.facts),
        "uncertain": {fact.name: fact.value for fact in part.guesses},
    }


def _page_as_json(page: PageContent) -> dict[str, Any]:
    return {
        "number": page.number,
        "source": page.source,
        "confidence": round(page.confidence, 3),
        "text": page.text,
        "codes": [{"format": code.format, "text": code.text, "pix": _pix_as_json(code)} for code in page.codes],
    }


def _pix_as_json(code: Code) -> dict[str, str | None] | None:
    """What a code asks for by Pix; ``None`` where it does not, or where its checksum is wrong."""
    from mailbot.evidence.br_code import br_code

    charge = br_code(code.text)
    if charge is None:
        return None
    return {
        "key": charge.key or None,
        "url": charge.url or None,
        "amount": None if charge.amount is None else f"{charge.amount:.2f}",
        "payee_name": charge.payee_name,
        "payee_city": charge.payee_city,
        "txid": charge.txid,
    }


def _show(found: _Found, *, is_first: bool) -> None:
    reading = found.reading
    if not is_first:
        say("")
    say(visible(f"{found.path}: {reading.kind} ({reading.confidence:.2f}), {reading.readability}"))
    say(f"  {found.media_type}, {found.size_bytes} bytes, {reading.pages} pages, {found.elapsed_ms} ms")
    if reading.reasons:
        say(f"  because: {', '.join(reading.reasons)}")
    for fact in reading.facts:
        say(visible(f"  {fact.name}: {fact.value}"))
    for fact in reading.guesses:
        say(visible(f"  {fact.name}, not certain: {fact.value}"))
    for part in reading.parts:
        said = ", ".join(f"{fact.name} {fact.value}" for fact in part.facts)
        say(visible(f"  page {part.page}: {part.kind} ({part.confidence:.2f}): {said}"))
    for one in _candidates(found):
        say(f"  could be {one['kind']} ({one['score']:.2f}): {', '.join(one['reasons'])}")
    for page in found.held.pages if found.held else ():
        say(f"  page {page.number}, {page.source}, confidence {page.confidence:.2f}")
        for code in page.codes:
            say(visible(f"    {code.format}: {code.text}"))
            for name, value in (_pix_as_json(code) or {}).items():
                if value:
                    say(visible(f"      Pix {name}: {value}"))
        for line in page.text.splitlines():
            say(visible(f"    | {line}"))
