"""The one way from a mail's bytes to an :class:`InboundMail`: ``bytes → InboundMail | UnreadableMail``.

The standard library builds the tree (``structure.py``); ``header_fields.py`` reads the header, ``contents.py``
walks the parts, once. No body is decoded twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from mailbot.domain.errors import UnreadableMail
from mailbot.domain.mail import NOBODY, Address, InboundMail
from mailbot.mime.contents import DEFAULT_LIMITS, Content, ParseLimits, body_of, tree_of
from mailbot.mime.header_fields import Fields, ReadHeader, further_senders, identity_of, made_up_id, message_id_of
from mailbot.mime.headers import (
    decoded_subject,
    message_ids,
    one_line,
)
from mailbot.mime.structure import Skeleton, parse_header, skeleton_of


@dataclass(frozen=True, slots=True, kw_only=True)
class HeaderSummary:
    """What a mail's header alone tells: enough for the conversation key and for a list."""

    message_id: str
    sender: Address = NOBODY
    subject: str = ""
    sent_at: datetime | None = None


def parse_mail(raw: bytes | Skeleton, limits: ParseLimits = DEFAULT_LIMITS) -> InboundMail:
    """Read a mail, of which the skeleton may be known.

    Raises :class:`UnreadableMail` for whatever goes wrong, with the cause attached (its ``__cause__`` is a
    ``MemoryError`` where memory ran out); the message names no content.
    """
    try:
        return _read(raw if isinstance(raw, Skeleton) else skeleton_of(raw), limits)
    except Exception as error:
        raise UnreadableMail(f"the mail cannot be read: {type(error).__name__}") from error


def header_summary(raw: bytes) -> HeaderSummary:
    """Message-ID, sender, subject and date from the header of ``raw`` alone; never raises."""
    try:
        fields = Fields(parse_header(raw, DEFAULT_LIMITS.max_header_bytes))
        header = ReadHeader({"from": fields.first("from"), "date": fields.first("date")})
        return HeaderSummary(
            message_id=message_id_of(fields, raw),
            sender=next(iter(header.addresses("from")), NOBODY),
            subject=decoded_subject(fields.first("subject")),
            sent_at=header.sent_at,
        )
    except Exception:
        # The full reading will meet the same trouble, and report it where it can be quarantined.
        return HeaderSummary(message_id=made_up_id(raw))


def _read(skeleton: Skeleton, limits: ParseLimits) -> InboundMail:
    tree = tree_of(skeleton, limits, limits.max_parts)
    fields = Fields(tree.root)
    content = Content(limits)
    texts = content.texts_of(tree.root)
    content.note_limits(tree)
    body = body_of(texts or content.named_texts[:1])
    header = ReadHeader(
        {
            "from": fields.first("from"),
            "date": fields.first("date"),
            "to": fields.joined("to"),
            "cc": fields.joined("cc"),
            "reply-to": fields.joined("reply-to"),
        }
    )
    senders = (*header.addresses("from"), *further_senders(fields))
    defects = [*content.defects, *header.defects(), *fields.defects()]
    subject = decoded_subject(fields.first("subject"))
    return InboundMail(
        message_id=message_id_of(fields, skeleton.whole),
        in_reply_to=message_ids(" ".join(fields.all("in-reply-to"))),
        references=message_ids(" ".join(fields.all("references"))),
        sent_at=header.sent_at,
        sender=senders[0] if senders else NOBODY,
        from_addresses=senders,
        reply_to=header.addresses("reply-to"),
        to=header.addresses("to"),
        cc=header.addresses("cc"),
        delivered_to=fields.delivered_to(),
        subject=subject,
        new_text=body.new_text,
        quoted_text=body.quoted_text,
        full_text=body.full_text,
        attachments=content.attachments(),
        attached_mails=tuple(content.attached_mails),
        headers=fields.decoded(),
        authentication_results=tuple(one_line(value) for value in fields.all("authentication-results")),
        return_path=fields.return_path(),
        delivery_statuses=tuple(content.delivery_statuses),
        returned_message_ids=tuple(dict.fromkeys(content.returned_message_ids)),
        content_type=tree.root.declared_type,
        report_type=tree.root.parameter("report-type").lower(),
        identity=identity_of(fields, subject, content.digests),
        defects=tuple(dict.fromkeys(defect.value for defect in defects)),
    )
