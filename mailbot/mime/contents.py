"""The parts of a mail: its texts, its files, the mails attached to it, and what reports say."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from mailbot.domain.mail import NOBODY, AttachedMail, Attachment, DeliveryStatus
from mailbot.mime.attachments import (
    OCTET_STREAM,
    binary_type,
    is_inline_picture,
    linked_content_ids,
    name_for,
    sniffed_type,
)
from mailbot.mime.body import BodyText, split_html, split_text
from mailbot.mime.defects import Defect
from mailbot.mime.delivery_status import RETURNED_HEADER_TYPES, STATUS_TYPES, read_delivery_status, returned_ids
from mailbot.mime.header_fields import Fields, ReadHeader
from mailbot.mime.headers import decode_base64, decode_octets, decoded_subject, one_line
from mailbot.mime.structure import Part, Skeleton, Tree, parse_tree, skeleton_of, with_guessed_boundary
from mailbot.mime.winmail import WINMAIL_SIGNATURE, BrokenWinmail, files_in_winmail

_MAX_REBUILT = 3
# An HTML text is mostly markup: so many characters of it are read for one of text.
_HTML_CHARACTERS_PER_CHARACTER = 5
_MOST_ATTACHED_MAILS = 3
_MAIL_TYPES = frozenset({"message/rfc822", "message/global"})
_BRACKETED = re.compile(r"\[[^\[\]]{0,300}\]|<[^<>]{0,300}>")
_WRITTEN = re.compile(r"\w")
# In a photo a pattern finds the few that there are in a third of the time that ``bytes.replace`` takes.
_CRLF = re.compile(rb"\r\n")
_SAYS_HTML = re.compile(r"\bhtml\b", re.IGNORECASE)
_EMBEDDED_PICTURE = re.compile(
    r"\bdata:(image/[a-z0-9.+-]{1,40});base64,([A-Za-z0-9+/=\s]{64,})", re.IGNORECASE | re.ASCII
)
_STUB_CHARACTERS = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class ParseLimits:
    """Bounds of what is read of one mail; what lies beyond is left out or kept as one opaque attachment, and
    noted among the defects. ``max_nested_mails`` counts mails attached to mails."""

    max_depth: int = 50
    max_parts: int = 1000
    max_nested_mails: int = 10
    max_header_bytes: int = 256 * 1024
    max_body_characters: int = 200_000


DEFAULT_LIMITS = ParseLimits()


def tree_of(skeleton: Skeleton, limits: ParseLimits, max_parts: int) -> Tree:
    """The parts of a mail, within the bounds."""
    return parse_tree(
        skeleton, max_depth=limits.max_depth, max_parts=max_parts, max_header_bytes=limits.max_header_bytes
    )


class _Kind(StrEnum):
    PLAIN = "plain"
    HTML = "html"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Text:
    kind: _Kind
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _File:
    content: bytes
    declared_type: str
    given_name: str
    content_id: str = ""
    inline_in_related: bool = False
    in_forwarded_mail: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """Where in the tree a part stands."""

    nested_mails: int = 0
    rebuilt: int = 0
    in_related: bool = False

    @property
    def in_forwarded_mail(self) -> bool:
        return self.nested_mails > 0


_TOP = _Place()
_TEXT_KINDS = {"text/plain": _Kind.PLAIN, "text/html": _Kind.HTML}


class Content:
    """What a walk through the parts finds. Texts are handed up, for a multipart chooses among its children's;
    everything else is gathered here."""

    def __init__(self, limits: ParseLimits) -> None:
        self._limits = limits
        self._parts_left = limits.max_parts
        self._files: list[_File] = []
        self._content_ids: set[str] = set()
        self.digests: list[bytes] = []
        self.named_texts: list[_Text] = []
        self.attached_mails: list[AttachedMail] = []
        self.delivery_statuses: list[DeliveryStatus] = []
        self.returned_message_ids: list[str] = []
        self.defects: list[Defect] = []

    def texts_of(self, part: Part, place: _Place = _TOP) -> list[_Text]:
        """The texts of a part and everything below it, in reading order."""
        if part.children:
            return self._texts_of_multipart(part, place)
        if self._parts_left <= 0:
            self.defects.append(Defect.TOO_MANY_PARTS)
            return []
        self._parts_left -= 1
        content, is_sound = part.content()
        if not is_sound:
            self.defects.append(Defect.TRANSFER_ENCODING_BROKEN)
        if not place.in_forwarded_mail:
            self.digests.append(_canonical_digest(content))
        if part.is_broken_multipart:
            return self._texts_of_unbounded(part, content, place)
        return self._texts_of_leaf(part, content, place)

    def _texts_of_multipart(self, part: Part, place: _Place) -> list[_Text]:
        subtype = part.declared_type.partition("/")[2]
        below = replace(place, in_related=subtype == "related" or (place.in_related and subtype != "mixed"))
        found = [self.texts_of(child, below) for child in part.children]
        return _preferred(found) if subtype == "alternative" else [text for one in found for text in one]

    def _texts_of_unbounded(self, part: Part, content: bytes, place: _Place) -> list[_Text]:
        """A multipart whose boundary is missing or never comes."""
        self.defects.append(Defect.BOUNDARY_MISSING)
        rebuilt = with_guessed_boundary(content) if place.rebuilt < _MAX_REBUILT else None
        if rebuilt is None:
            return self._texts_of_leaf(part, content, place, declared_type="text/plain")
        tree = tree_of(skeleton_of(rebuilt), self._limits, self._parts_left)
        self.note_limits(tree)
        return self.texts_of(tree.root, replace(place, rebuilt=place.rebuilt + 1))

    def _texts_of_leaf(self, part: Part, content: bytes, place: _Place, declared_type: str = "") -> list[_Text]:
        declared_type = declared_type or part.declared_type
        if not place.in_forwarded_mail:
            self._read_report(declared_type, content)
        kind = _TEXT_KINDS.get(declared_type)
        if kind is not None and part.disposition != "attachment" and not binary_type(content):
            # What stands in an attached mail, nobody wrote to us.
            is_read = place.nested_mails == 0 or self._reads_attached_mail(place)
            text = self._text(part, content, kind, place) if is_read else None
            if not part.given_name:
                return [text] if text else []
            self.named_texts += [text] if text and not place.in_forwarded_mail else []
        elif not content and not part.given_name:
            return []
        self._keep_file(part, content, declared_type, place)
        return []

    def _reads_attached_mail(self, place: _Place) -> bool:
        """Whether the text of the attached mail at hand is kept, apart from what its bearer wrote."""
        return place.nested_mails == 1 and len(self.attached_mails) < _MOST_ATTACHED_MAILS

    def _text(self, part: Part, content: bytes, kind: _Kind, place: _Place) -> _Text:
        text, is_as_declared = decode_octets(content, part.parameter("charset"))
        if not is_as_declared and not content.isascii():
            self.defects.append(Defect.CHARSET_WRONG)
        longest = self._limits.max_body_characters
        if kind is _Kind.HTML:
            text = self._without_embedded_pictures(text, place)
            self._content_ids |= linked_content_ids(text)
            longest *= _HTML_CHARACTERS_PER_CHARACTER
        if len(text) > longest:
            self.defects.append(Defect.BODY_TOO_LONG)
        return _Text(kind=kind, text=text[:longest].replace("\0", ""))

    def _without_embedded_pictures(self, html: str, place: _Place) -> str:
        """``html`` with the pictures that stand in it as ``data:`` links (RFC 2397) made files like others."""

        def keep(match: re.Match[str]) -> str:
            if self._parts_left <= 0:
                self.defects.append(Defect.TOO_MANY_PARTS)
                return ""
            self._parts_left -= 1
            content = decode_base64(match[2].encode("ascii"))[0]
            content_id = f"data-{len(self._files)}"
            self._content_ids.add(content_id)
            self._files.append(
                _File(
                    content=content,
                    declared_type=match[1].lower(),
                    given_name="",
                    content_id=content_id,
                    in_forwarded_mail=place.in_forwarded_mail,
                )
            )
            return f"cid:{content_id}"

        return _EMBEDDED_PICTURE.sub(keep, html) if "base64," in html else html

    def _read_report(self, declared_type: str, content: bytes) -> None:
        if declared_type in STATUS_TYPES:
            self.delivery_statuses += read_delivery_status(content)
        elif declared_type in RETURNED_HEADER_TYPES or declared_type in _MAIL_TYPES:
            self.returned_message_ids += returned_ids(content)

    def _keep_file(self, part: Part, content: bytes, declared_type: str, place: _Place) -> None:
        if content.startswith(WINMAIL_SIGNATURE) and self._unpack_winmail(content, place):
            return
        self._files.append(
            _File(
                content=content,
                declared_type=declared_type,
                given_name=part.given_name,
                content_id=one_line(part.text_of("content-id")).strip("<> "),
                inline_in_related=place.in_related and part.disposition == "inline",
                in_forwarded_mail=place.in_forwarded_mail,
            )
        )
        if declared_type in _MAIL_TYPES:
            self._look_into_mail(content, place)

    def _unpack_winmail(self, content: bytes, place: _Place) -> bool:
        """Gather the files in a ``winmail.dat`` in its stead; whether that could be done."""
        try:
            found = [one for one in files_in_winmail(content) if one.content or one.name]
        except BrokenWinmail:
            return False
        if len(found) > self._parts_left:
            self.defects.append(Defect.TOO_MANY_PARTS)
            return False
        self._parts_left -= len(found)
        for one in found:
            is_forwarded = place.in_forwarded_mail or one.nested > 0
            self._files.append(
                _File(
                    content=one.content,
                    declared_type=one.media_type or OCTET_STREAM,
                    given_name=one.name,
                    content_id=one_line(one.content_id),
                    # Only what stands in the text has one: Outlook gives none to what is attached.
                    inline_in_related=one.content_id != "",
                    in_forwarded_mail=is_forwarded,
                )
            )
            if one.media_type in _MAIL_TYPES:
                self._look_into_mail(one.content, place)
        return True

    def _look_into_mail(self, content: bytes, place: _Place) -> None:
        """Gather the attachments of an attached mail; its text, which is not what the sender of this mail wrote,
        is kept apart."""
        if place.nested_mails >= self._limits.max_nested_mails:
            self.defects.append(Defect.TOO_DEEP)
            return
        tree = tree_of(skeleton_of(content.lstrip(b"\r\n")), self._limits, self._parts_left)
        self.note_limits(tree)
        inside = _Place(nested_mails=place.nested_mails + 1)
        texts = self.texts_of(tree.root, inside)
        if self._reads_attached_mail(inside):
            self.attached_mails.append(_attached_mail(Fields(tree.root), texts))

    def note_limits(self, tree: Tree) -> None:
        """Turn what a tree's limits did into defects."""
        if tree.header_too_long or tree.budget.field_too_long:
            self.defects.append(Defect.HEADER_TOO_LONG)
        if tree.budget.too_deep:
            self.defects.append(Defect.TOO_DEEP)
        if tree.budget.too_many:
            self.defects.append(Defect.TOO_MANY_PARTS)

    def attachments(self) -> tuple[Attachment, ...]:
        """Every file that was found, named, typed and told from the pictures of the text."""
        linked = frozenset(self._content_ids)
        return tuple(_attachment(file, number, linked) for number, file in enumerate(self._files, start=1))


def _attached_mail(fields: Fields, texts: Sequence[_Text]) -> AttachedMail:
    senders = ReadHeader({"from": fields.first("from")}).addresses("from")
    is_ones = len(senders) == len(fields.all("from")) == 1
    return AttachedMail(
        sender=senders[0] if is_ones else NOBODY,
        subject=decoded_subject(fields.first("subject")),
        text=body_of(texts).full_text,
    )


def _canonical_digest(content: bytes) -> bytes:
    """The digest by which content is compared: a mail that came by IMAP has CRLF, in a Maildir it has LF."""
    return hashlib.sha256(_CRLF.sub(b"\n", content).rstrip(b"\n")).digest()


def _attachment(file: _File, number: int, linked: frozenset[str]) -> Attachment:
    media_type = sniffed_type(file.content, file.declared_type)
    return Attachment(
        filename=name_for(file.given_name, media_type, number),
        declared_type=file.declared_type,
        media_type=media_type,
        content=file.content,
        sha256=hashlib.sha256(file.content).hexdigest(),
        inline=is_inline_picture(
            media_type, file.content_id, linked=linked, inline_in_related=file.inline_in_related
        ),
        content_id=file.content_id,
        in_forwarded_mail=file.in_forwarded_mail,
    )


def _preferred(alternatives: Sequence[list[_Text]]) -> list[_Text]:
    """One of the texts of a ``multipart/alternative``: the plain one, unless it only stands for the HTML."""
    written = [texts for texts in alternatives if texts]
    plain = next((texts for texts in written if all(text.kind is _Kind.PLAIN for text in texts)), [])
    html = next((texts for texts in reversed(written) if any(text.kind is _Kind.HTML for text in texts)), [])
    if plain and not (html and _is_stub("\n".join(text.text for text in plain))):
        return plain
    return html or plain


def _is_stub(text: str) -> bool:
    """Whether a plain alternative says nothing: blank, nothing but placeholders of pictures, or a sentence
    that this mail needs a program for HTML."""
    if len(text) > _STUB_CHARACTERS:
        return False
    return not _WRITTEN.search(_BRACKETED.sub("", text)) or bool(_SAYS_HTML.search(text))


def body_of(texts: Sequence[_Text]) -> BodyText:
    """New, quoted and full text. Texts of one kind are read as one, for programs cut a letter where a picture
    stands in it and a quote may go over the cut."""
    kinds = {text.kind for text in texts}
    if kinds == {_Kind.HTML}:
        return split_html("\n".join(text.text for text in texts))
    if len(kinds) < 2:
        return split_text("\n".join(text.text for text in texts))
    bodies = [split_html(text.text) if text.kind is _Kind.HTML else split_text(text.text) for text in texts]
    return BodyText(
        new_text=_joined(body.new_text for body in bodies),
        quoted_text=_joined(body.quoted_text for body in bodies),
        full_text=_joined(body.full_text for body in bodies),
    )


def _joined(texts: Iterable[str]) -> str:
    return "\n\n".join(text for text in texts if text.strip())
