"""How a read mail travels between two processes: ``InboundMail ↔ bytes``.

An answer is one frame of JSON, then one frame for each attachment's content.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields
from datetime import UTC, datetime
from enum import StrEnum
from typing import IO

from mailbot.domain.mail import Address, AttachedMail, Attachment, DeliveryStatus, InboundMail
from mailbot.isolation.frames import (
    BrokenFrame,
    as_items,
    as_mapping,
    as_text,
    as_texts,
    as_type,
    expect_frame,
    parse_mapping,
    write_frame,
    write_json,
)

MAX_METADATA_BYTES = 64 * 1024 * 1024
MAX_ATTACHMENTS = 2000


class Outcome(StrEnum):
    """What the reading process did with a mail."""

    READ = "read"
    UNREADABLE = "unreadable"
    OUT_OF_MEMORY = "out_of_memory"


def write_mail(stream: IO[bytes], mail: InboundMail) -> None:
    """Send a mail: its values as JSON, its attachments as they are."""
    metadata = {name: _plain(getattr(mail, name)) for name in _MAIL_FIELDS}
    write_json(stream, {"outcome": Outcome.READ, "mail": metadata})
    for attachment in mail.attachments:
        write_frame(stream, attachment.content)


def write_failure(stream: IO[bytes], outcome: Outcome, reason: str) -> None:
    """Send that a mail could not be read."""
    write_json(stream, {"outcome": outcome, "reason": reason})


def read_answer(stream: IO[bytes], max_content_bytes: int) -> InboundMail | tuple[Outcome, str]:
    """Receive a mail, or why there is none.

    Raises :class:`BrokenFrame` if the other side ended or sends anything but an answer.
    ``max_content_bytes`` bounds all attachments together.
    """
    frame = expect_frame(stream, MAX_METADATA_BYTES)
    try:
        answer = parse_mapping(frame)
        outcome = Outcome(as_text(answer.get("outcome")))
        if outcome is not Outcome.READ:
            return outcome, as_text(answer.get("reason"))
        return _mail(as_mapping(answer.get("mail")), _contents(stream, max_content_bytes))
    except (TypeError, KeyError, ValueError, RecursionError) as error:
        raise BrokenFrame("the reader's answer is malformed") from error


# --- values to plain lists -------------------------------------------------------------------------------

_MAIL_FIELDS = tuple(field.name for field in fields(InboundMail))
_ATTACHMENT_FIELDS = tuple(field.name for field in fields(Attachment) if field.name != "content")


def _plain(value: object) -> object:
    match value:
        case None | str() | bool():
            return value
        case datetime():
            return value.isoformat()
        case tuple():
            return [_plain(one) for one in value]
        case Address() | DeliveryStatus() | AttachedMail():
            return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
        case Attachment():
            return {name: getattr(value, name) for name in _ATTACHMENT_FIELDS}
        case _:
            raise TypeError(f"no way to send a {type(value).__name__}")


# --- and back, trusting nothing --------------------------------------------------------------------------


def _contents(stream: IO[bytes], max_content_bytes: int) -> Iterator[bytes]:
    left = max_content_bytes
    while True:
        content = expect_frame(stream, left)
        left -= len(content)
        yield content


def _mail(values: Mapping[str, object], contents: Iterator[bytes]) -> InboundMail:
    attachments = as_items(values["attachments"])
    if len(attachments) > MAX_ATTACHMENTS:
        raise BrokenFrame("too many attachments")
    return InboundMail(
        message_id=as_text(values["message_id"]),
        in_reply_to=as_texts(values["in_reply_to"]),
        references=as_texts(values["references"]),
        sent_at=_moment(values["sent_at"]),
        sender=_address(values["sender"]),
        from_addresses=_addresses(values["from_addresses"]),
        reply_to=_addresses(values["reply_to"]),
        to=_addresses(values["to"]),
        cc=_addresses(values["cc"]),
        delivered_to=as_texts(values["delivered_to"]),
        subject=as_text(values["subject"]),
        new_text=as_text(values["new_text"]),
        quoted_text=as_text(values["quoted_text"]),
        full_text=as_text(values["full_text"]),
        attachments=tuple(_attachment(as_mapping(one), contents) for one in attachments),
        attached_mails=tuple(_attached_mail(as_mapping(one)) for one in as_items(values["attached_mails"])),
        headers=tuple(_header(one) for one in as_items(values["headers"])),
        authentication_results=as_texts(values["authentication_results"]),
        return_path=None if values["return_path"] is None else as_text(values["return_path"]),
        delivery_statuses=tuple(_status(as_mapping(one)) for one in as_items(values["delivery_statuses"])),
        returned_message_ids=as_texts(values["returned_message_ids"]),
        content_type=as_text(values["content_type"]),
        report_type=as_text(values["report_type"]),
        identity=as_text(values["identity"]),
        defects=as_texts(values["defects"]),
    )


def _attachment(values: Mapping[str, object], contents: Iterator[bytes]) -> Attachment:
    return Attachment(
        filename=as_text(values["filename"]),
        declared_type=as_text(values["declared_type"]),
        media_type=as_text(values["media_type"]),
        content=next(contents),
        sha256=as_text(values["sha256"]),
        inline=_flag(values["inline"]),
        content_id=as_text(values["content_id"]),
        in_forwarded_mail=_flag(values["in_forwarded_mail"]),
    )


def _attached_mail(values: Mapping[str, object]) -> AttachedMail:
    return AttachedMail(
        sender=_address(values["sender"]), subject=as_text(values["subject"]), text=as_text(values["text"])
    )


def _status(values: Mapping[str, object]) -> DeliveryStatus:
    return DeliveryStatus(
        recipient=as_text(values["recipient"]),
        permanent=_flag(values["permanent"]),
        status=as_text(values["status"]),
        diagnostic=as_text(values["diagnostic"]),
        from_remote=_flag(values["from_remote"]),
    )


def _address(value: object) -> Address:
    values = as_mapping(value)
    return Address(address=as_text(values["address"]), name=as_text(values["name"]))


def _addresses(value: object) -> tuple[Address, ...]:
    return tuple(_address(one) for one in as_items(value))


def _header(value: object) -> tuple[str, str]:
    name, text = as_texts(value)
    return name, text


def _moment(value: object) -> datetime | None:
    return None if value is None else datetime.fromisoformat(as_text(value)).astimezone(UTC)


def _flag(value: object) -> bool:
    return as_type(value, bool)
