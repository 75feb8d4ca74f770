"""Files and fields of a mail, with what was held before + request type → :class:`EvidenceReport`.

Certain kinds serve their requirement. A file that nobody can read here serves one only for a person: by its
telling name, or because there are at least as many such files as missing documents. Nothing is guessed
between two (R000-08, R000-20).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date

from mailbot.catalogue.limits import Limits
from mailbot.catalogue.request_types import RequestType
from mailbot.domain.evidence import (
    DocumentKind,
    DocumentReading,
    EvidenceReport,
    Fact,
    FieldValue,
    Finding,
    Mismatch,
    Readability,
    Verdict,
)
from mailbot.domain.mail import Attachment
from mailbot.evidence.agreement import held_together
from mailbot.evidence.documents import kind_by_filename
from mailbot.evidence.fields import check_places
from mailbot.evidence.file_content import PICTURE_TOO_LARGE
from mailbot.evidence.links import links_to_a_shared_file
from mailbot.evidence.pictures import picture_size
from mailbot.evidence.reading import NOT_READ
from mailbot.evidence.required import missing_fields

_SMALLEST_INLINE_BYTES = 10_000
_SMALLEST_PICTURE_PIXELS = 64
# Signatures have banners and logos; a photograph of a document in the text is larger both ways.
_SMALLEST_INLINE_PIXELS = 150

_LINK_INSTEAD_OF_FILE = Mismatch(key="link", reason="link_instead_of_file")

_NEVER_DOCUMENTS = frozenset(
    {
        "application/pgp-signature",
        "application/pgp-keys",
        "application/pkcs7-signature",
        "application/x-pkcs7-signature",
        "text/calendar",
        "text/vcard",
        "text/x-vcard",
        "message/rfc822",
        "message/delivery-status",
    }
)
_REFUSED = frozenset(
    {
        Verdict.MISMATCH,
        Verdict.SCHEDULED,
        Verdict.NOT_PAID,
        Verdict.OTHER_DOCUMENT,
        Verdict.UNREADABLE,
        Verdict.ENCRYPTED,
        Verdict.REFUSED_TYPE,
        Verdict.REFUSED_SIZE,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FileToAssess:
    """An attachment with the keyed digest it is stored under and what was read in it (``None``: not read).
    ``is_known_logo``: a picture that its sender's mails carry again and again, which never counts."""

    attachment: Attachment
    digest: str
    reading: DocumentReading | None = None
    is_known_logo: bool = False


def assess(
    request_type: RequestType,
    *,
    held: tuple[Finding, ...],
    new_files: tuple[FileToAssess, ...],
    fields: tuple[FieldValue, ...],
    limits: Limits,
    today: date,
    new_text: str = "",
) -> EvidenceReport:
    """Hold everything shown so far against the requirements.

    ``held`` are the findings of earlier mails, ``fields`` the merged fields. Refused findings of a requirement
    go when a good one comes; the same file counts once. ``missing`` names documents, then fields, in the
    catalogue's order; a field whose value is not valid is missing, and so is a destination that is the origin, but
    for one that was not understood so often that a person reads it.
    While documents are missing, a link to a shared file in ``new_text`` is a mismatch of its own: nobody opens it.
    What the documents say is held against each other, anew with every mail (``agreement.py``); ``today`` is the
    office's day, up to which a licence may be valid.
    """
    new = tuple(_findings(request_type, _countable(new_files, held), limits))
    together = held_together((*held, *new), today)
    held, new = together[: len(held)], together[len(held) :]
    findings = _for_a_person(request_type, _without_replaced(held, new))
    fields = check_places(request_type, fields)
    missing_documents = _missing_documents(request_type, findings)
    link_instead = bool(missing_documents) and links_to_a_shared_file(new_text)
    return EvidenceReport(
        findings=findings,
        fields=fields,
        missing=(*missing_documents, *missing_fields(request_type, fields)),
        mismatches=(*_mismatches(findings), *([_LINK_INSTEAD_OF_FILE] if link_instead else [])),
    )


def _mismatches(findings: Sequence[Finding]) -> Iterator[Mismatch]:
    """What does not fit, once each; whose document is wanted stands behind the reason's colon."""
    told = set()
    for finding in findings:
        if finding.verdict is Verdict.MISMATCH and finding.requirement is not None:
            reason, _, name = finding.reasons[0].partition(":")
            if (finding.requirement, reason) not in told:
                told.add((finding.requirement, reason))
                yield Mismatch(key=finding.requirement, reason=reason, name=name)


# --- which files count --------------------------------------------------------------------------------------


def _countable(files: Sequence[FileToAssess], held: Sequence[Finding]) -> Iterator[FileToAssess]:
    """Files that could be documents, each once; a file sent again that was refused before is refused anew."""
    known = {finding.sha256 for finding in held if finding.verdict not in _REFUSED}
    for file in files:
        attachment = file.attachment
        # All empty files are alike: only their names tell them apart.
        same = attachment.sha256 if attachment.content else attachment.filename
        if same in known or file.is_known_logo or is_decoration(attachment):
            continue
        known.add(same)
        yield file


def is_decoration(attachment: Attachment) -> bool:
    """Whether a file can not be a document: a logo of a signature, a tracking pixel, a calendar, a signature."""
    if attachment.media_type in _NEVER_DOCUMENTS:
        return True
    if attachment.size_bytes == 0:
        return not _was_chosen(attachment)
    if not attachment.media_type.startswith("image/"):
        return False
    size = picture_size(attachment.content)
    smallest = min(size) if size is not None else None
    if smallest is not None and smallest < _SMALLEST_PICTURE_PIXELS:
        return True
    too_small = smallest is not None and smallest < _SMALLEST_INLINE_PIXELS
    return attachment.inline and (attachment.size_bytes < _SMALLEST_INLINE_BYTES or too_small)


def _was_chosen(empty: Attachment) -> bool:
    """Whether somebody attached this file of no bytes: mail programs leave empty texts and pictures behind."""
    in_text = empty.inline or empty.content_id != "" or empty.declared_type.startswith("text/")
    return empty.filename != "" and not in_text and empty.declared_type not in _NEVER_DOCUMENTS


# --- one file -----------------------------------------------------------------------------------------------


def _findings(request_type: RequestType, files: Iterable[FileToAssess], limits: Limits) -> Iterator[Finding]:
    total_bytes = 0
    for count, file in enumerate(files, start=1):
        total_bytes += file.attachment.size_bytes
        refusal = _refusal(file, limits, count=count, total_bytes=total_bytes)
        if refusal is not None and refusal[0] is Verdict.REFUSED_SIZE:
            # What is refused for its size takes no room from the files after it.
            total_bytes -= file.attachment.size_bytes
        if refusal is not None:
            yield _refused(request_type, file, *refusal)
        else:
            yield from _judged(request_type, file)


def _refusal(file: FileToAssess, limits: Limits, *, count: int, total_bytes: int) -> tuple[Verdict, str] | None:
    """Why a file is not used whatever is in it: the verdict and a reason, with the limit after a colon."""
    attachment = file.attachment
    if attachment.size_bytes == 0:
        return Verdict.UNREADABLE, "empty_file"
    if not limits.allows(media_type=attachment.media_type, filename=attachment.filename):
        return Verdict.REFUSED_TYPE, "type_not_allowed"
    if attachment.size_bytes > limits.max_file_bytes:
        return Verdict.REFUSED_SIZE, f"file_too_large:{limits.max_file_mb:g} MB"
    if count > limits.max_files:
        return Verdict.REFUSED_SIZE, f"too_many_files:{limits.max_files}"
    if total_bytes > limits.max_mail_bytes:
        return Verdict.REFUSED_SIZE, f"mail_too_large:{limits.max_mail_mb:g} MB"
    return _not_openable(file.reading)


def _not_openable(reading: DocumentReading | None) -> tuple[Verdict, str] | None:
    readability = Readability.NOT_CHECKED if reading is None else reading.readability
    if reading is not None and PICTURE_TOO_LARGE in reading.reasons:
        return Verdict.REFUSED_SIZE, PICTURE_TOO_LARGE
    if readability is Readability.ENCRYPTED:
        return Verdict.ENCRYPTED, "encrypted"
    if readability is Readability.UNREADABLE:
        return Verdict.UNREADABLE, "unreadable"
    if readability is Readability.NOT_A_DOCUMENT:
        return Verdict.REFUSED_TYPE, "not_a_document"
    return None


def _refused(request_type: RequestType, file: FileToAssess, verdict: Verdict, reason: str) -> Finding:
    """A refused file still stands beside the requirement that its name tells, so that the letter can say which."""
    named = _asked_for(request_type, kind_by_filename(file.attachment.filename))
    return replace(_finding(file), verdict=verdict, requirement=named, reasons=(reason,))


def _judged(request_type: RequestType, file: FileToAssess) -> list[Finding]:
    """One finding, or one for each document that is asked for and stands by itself in the file."""
    finding = _finding(file)
    parts = () if file.reading is None else file.reading.parts
    # One that may be a document stands for what is missing, until a person has looked.
    asked = [
        part for part in parts if part.kind is DocumentKind.UNKNOWN or request_type.document(part.kind) is not None
    ]
    if all(part.kind is DocumentKind.UNKNOWN for part in asked):
        return [_of_kind(request_type, finding)]
    return [
        _of_kind(
            request_type,
            replace(
                finding,
                kind=part.kind,
                confidence=part.confidence,
                page=part.page,
                facts=part.facts,
                guesses=part.guesses,
                reasons=part.reasons,
            ),
        )
        for part in asked
    ]


def _of_kind(request_type: RequestType, finding: Finding) -> Finding:
    if not request_type.documents:
        return finding
    if finding.kind is not DocumentKind.UNKNOWN:
        requirement = _asked_for(request_type, finding.kind)
        verdict = Verdict.OTHER_DOCUMENT if requirement is None else Verdict.ACCEPTED
        return replace(finding, verdict=verdict, requirement=requirement)
    named = _asked_for(request_type, kind_by_filename(finding.filename))
    return finding if named is None else replace(finding, requirement=named, for_a_person=True)


def _asked_for(request_type: RequestType, kind: DocumentKind) -> str | None:
    return None if request_type.document(kind) is None else str(kind)


def _finding(file: FileToAssess) -> Finding:
    """The file as it is, not yet judged."""
    attachment, reading = file.attachment, file.reading
    return Finding(
        digest=file.digest,
        sha256=attachment.sha256,
        filename=attachment.filename,
        media_type=attachment.media_type,
        size_bytes=attachment.size_bytes,
        kind=DocumentKind.UNKNOWN if reading is None else reading.kind,
        confidence=0.0 if reading is None else reading.confidence,
        verdict=Verdict.NOT_CHECKED,
        page=None if reading is None else reading.page,
        reasons=_reasons(reading),
        facts=() if reading is None else reading.facts,
        guesses=_guesses(reading),
    )


def _guesses(reading: DocumentReading | None) -> tuple[Fact, ...]:
    """What was read and is not certain, the likeliest kind first where the kind itself is not."""
    if reading is None:
        return ()
    likely = [
        one.kind for one in reading.candidates if one.score >= _LIKELY and one.kind is not DocumentKind.OTHER
    ]
    if reading.kind is not DocumentKind.UNKNOWN or not likely:
        return reading.guesses
    return (Fact(name="kind", value=likely[0]), *reading.guesses)


_LIKELY = 0.4


def _reasons(reading: DocumentReading | None) -> tuple[str, ...]:
    """The reader's reasons, with the number of pages where it may be several papers in one file."""
    if reading is None:
        return ()
    return (*reading.reasons, f"{_PAGES}{reading.pages}") if reading.pages > 1 else reading.reasons


_PAGES = "pages:"


def _papers(finding: Finding) -> int:
    """How many documents a file could hold at most: its pages; all there are where it was not read."""
    if NOT_READ in finding.reasons:
        return len(DocumentKind)
    counts = (reason.removeprefix(_PAGES) for reason in finding.reasons if reason.startswith(_PAGES))
    return next((int(count) for count in counts if count.isdigit()), 1)


# --- all files ----------------------------------------------------------------------------------------------


def _is_good(finding: Finding) -> bool:
    return finding.requirement is not None and (finding.verdict is Verdict.ACCEPTED or finding.for_a_person)


def _without_replaced(held: Sequence[Finding], new: Sequence[Finding]) -> tuple[Finding, ...]:
    """Held and new findings without refused ones whose requirement is served now, or that were sent again."""
    everything = (*held, *new)
    served = {finding.requirement for finding in everything if _is_good(finding)}
    resent = {finding.sha256 for finding in new}
    return tuple(
        finding
        for index, finding in enumerate(everything)
        if not (finding.verdict in _REFUSED and finding.requirement is not None and finding.requirement in served)
        and not (index < len(held) and finding.sha256 in resent)
    )


def _missing_documents(request_type: RequestType, findings: Sequence[Finding]) -> tuple[str, ...]:
    served = {finding.requirement for finding in findings if _is_good(finding)}
    required = (str(document.key) for document in request_type.documents if document.required)
    return tuple(key for key in required if key not in served)


def _for_a_person(request_type: RequestType, findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """Let nameless files stand for the missing documents, if there are enough of them for all.

    A file of several pages may be several papers: it then appears once for each requirement it stands for.
    With fewer files than missing documents nobody can say which one lacks, so all of them stay missing.
    """
    missing = list(_missing_documents(request_type, findings))
    nameless = [finding for finding in findings if _is_nameless(finding)]
    if not missing or sum(_papers(finding) for finding in nameless) < len(missing):
        return findings
    assigned: list[Finding] = []
    for finding in findings:
        wanted = missing[: _papers(finding)] if _is_nameless(finding) else []
        del missing[: len(wanted)]
        standing_in = [replace(finding, requirement=key, for_a_person=True) for key in wanted]
        assigned.extend(standing_in or [finding])
    return tuple(assigned)


def _is_nameless(finding: Finding) -> bool:
    return finding.requirement is None and finding.verdict is Verdict.NOT_CHECKED
