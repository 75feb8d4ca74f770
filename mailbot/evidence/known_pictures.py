"""Pictures that are known as a sender's logo: ``(files, other uses) → files``, each with whether it is one.

A signature's logo comes with every mail of a sender or of a firm. It is known by keyed digests that tickets hold
as traces: of whose mail program it came, and whether it stood in the text. What may be a document stays one,
however often it is sent: what was certainly read, what is named as a document, and what is as large as a
photograph, unless it stood in the text of several requests and nothing at all could be read on it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from mailbot.domain.evidence import DocumentKind, DocumentReading, Finding, Readability
from mailbot.domain.mail import Attachment
from mailbot.domain.traces import PICTURE_ATTACHED, PICTURE_IN_TEXT, OtherUse, Trace
from mailbot.evidence.assess import FileToAssess, is_decoration
from mailbot.evidence.documents import kind_by_filename
from mailbot.evidence.file_content import NO_OCR, NO_TEXT_FOUND
from mailbot.evidence.pictures import picture_size
from mailbot.evidence.reading import NOT_READ
from mailbot.evidence.uses import Keyed

_SMALLEST_PHOTOGRAPH_PIXELS = 500
_OTHER_TICKETS = 2
# Their users have nothing in common. Of all other domains it is a firm that writes.
_PUBLIC_DOMAINS = frozenset(
    {
        "aol.com",
        "bol.com.br",
        "fastmail.com",
        "globo.com",
        "globomail.com",
        "gmail.com",
        "gmx.com",
        "googlemail.com",
        "hotmail.com",
        "hotmail.com.br",
        "icloud.com",
        "ig.com.br",
        "live.com",
        "mac.com",
        "mail.com",
        "me.com",
        "msn.com",
        "oi.com.br",
        "outlook.com",
        "outlook.com.br",
        "pm.me",
        "proton.me",
        "protonmail.com",
        "r7.com",
        "rocketmail.com",
        "superig.com.br",
        "terra.com.br",
        "uol.com.br",
        "yahoo.com",
        "yahoo.com.br",
        "ymail.com",
        "zipmail.com.br",
        "zoho.com",
    }
)


def owner_of(address: str) -> str:
    """Whose logos a mail from ``address`` carries: its domain's, or its own where anybody may have an address."""
    address = address.lower()
    domain = address.rpartition("@")[2]
    return address if domain in _PUBLIC_DOMAINS else domain


def picture_traces(attachment: Attachment, owner: str, keyed: Keyed) -> tuple[Trace, ...]:
    """The trace of a picture in the text and that of an attached one; none for what is no picture or never
    counts."""
    if not owner or not attachment.media_type.startswith("image/") or is_decoration(attachment):
        return ()
    return tuple(
        Trace(fact=fact, digest=keyed(f"{fact} {owner} {attachment.sha256}".encode()))
        for fact in (PICTURE_IN_TEXT, PICTURE_ATTACHED)
    )


def with_known_logos(
    files: Sequence[FileToAssess], uses: Sequence[OtherUse], owner: str, keyed: Keyed
) -> tuple[FileToAssess, ...]:
    """The files, with those marked that ``uses`` (in other tickets) tell to be a logo."""
    return tuple(replace(one, is_known_logo=_is_logo(one, uses, owner, keyed)) for one in files)


def with_picture_traces(
    findings: Sequence[Finding],
    held: Sequence[Finding],
    files: Sequence[FileToAssess],
    owner: str,
    keyed: Keyed,
) -> tuple[Finding, ...]:
    """The findings, fresh pictures among them with the trace by which they are known next time. Those ``held``
    stay as they are, so that a picture that is quoted with our letter is nothing new."""
    known = {finding.sha256 for finding in held}
    left = {file.attachment.sha256: tuple(_left(file.attachment, owner, keyed)) for file in files}
    return tuple(
        one if one.sha256 in known else replace(one, traces=(*one.traces, *left.get(one.sha256, ())))
        for one in findings
    )


def _left(attachment: Attachment, owner: str, keyed: Keyed) -> Iterator[Trace]:
    fact = PICTURE_IN_TEXT if attachment.inline else PICTURE_ATTACHED
    return (trace for trace in picture_traces(attachment, owner, keyed) if trace.fact == fact)


def _is_logo(file: FileToAssess, uses: Sequence[OtherUse], owner: str, keyed: Keyed) -> bool:
    digests = {trace.fact: trace.digest for trace in picture_traces(file.attachment, owner, keyed)}
    if not digests or _is_told_to_be_a_document(file):
        return False
    in_text = {use.ticket_number for use in uses if use.digest == digests[PICTURE_IN_TEXT]}
    attached = {use.ticket_number for use in uses if use.digest == digests[PICTURE_ATTACHED]}
    if _may_be_a_photograph(file.attachment):
        return len(in_text) >= _OTHER_TICKETS and _says_nothing(file.reading)
    return bool(in_text) or len(in_text | attached) >= _OTHER_TICKETS


def _is_told_to_be_a_document(file: FileToAssess) -> bool:
    if kind_by_filename(file.attachment.filename) is not DocumentKind.UNKNOWN:
        return True
    reading = file.reading
    return reading is not None and (bool(reading.parts) or reading.kind is not DocumentKind.UNKNOWN)


def _may_be_a_photograph(attachment: Attachment) -> bool:
    size = picture_size(attachment.content)
    return size is None or min(size) >= _SMALLEST_PHOTOGRAPH_PIXELS


def _says_nothing(reading: DocumentReading | None) -> bool:
    """Whether it was looked at with all means and nothing was found."""
    if reading is None or reading.candidates or {NO_OCR, NOT_READ} & set(reading.reasons):
        return False
    return NO_TEXT_FOUND in reading.reasons and reading.readability is Readability.NOT_CHECKED
