"""How a read mail travels between two processes: ``InboundMail ↔ bytes``.

A frame is an eight-byte length and so many bytes. An answer is one frame of JSON, then one frame for each
attachment's content. No pickle: the process that reads hostile bytes may be taken over, and what it sends
must not be able to do more than be wrong.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from datetime import UTC, datetime
from enum import StrEnum
from typing import IO, TypeVar

from mailbot.domain.mail import Address, Attachment, DeliveryStatus, InboundMail

_LENGTH_BYTES = 8
MAX_METADATA_BYTES = 64 * 1024 * 1024
MAX_ATTACHMENTS = 2000

_Value = TypeVar("_Value")


class Outcome(StrEnum):
    """What the reading process did with a mail."""

    READ = "read"
    UNREADABLE = "unreadable"
    OUT_OF_MEMORY = "out_of_memory"


class BrokenFrame(ValueError):
    """The other side ended early, or sent what no reader sends."""


def write_frame(stream: IO[bytes], payload: bytes) -> None:
    """Send one frame."""
    stream.write(len(payload).to_bytes(_LENGTH_BYTES, "big"))
    stream.write(payload)


def read_frame(stream: IO[bytes], max_bytes: int) -> bytes | None:
    """Receive one frame; ``None`` at the end of the stream. Raises :class:`BrokenFrame`."""
    head = stream.read(_LENGTH_BYTES)
    if not head:
        return None
    length = int.from_bytes(head, "big")
    if len(head) < _LENGTH_BYTES or length > max_bytes:
        raise BrokenFrame("no frame, or one longer than allowed")
    payload = stream.read(length)
    if len(payload) < length:
        raise BrokenFrame("the frame ends early")
    return payload


def write_mail(stream: IO[bytes], mail: InboundMail) -> None:
    """Send a mail: its values as JSON, its attachments as they are."""
    metadata = {name: _plain(getattr(mail, name)) for name in _MAIL_FIELDS}
    write_frame(stream, _json({"outcome": Outcome.READ, "mail": metadata}))
    for attachment in mail.attachments:
        write_frame(stream, attachment.content)


def write_failure(stream: IO[bytes], outcome: Outcome, reason: str) -> None:
    """Send that a mail could not be read."""
    write_frame(stream, _json({"outcome": outcome, "reason": reason}))


def read_answer(stream: IO[bytes], max_content_bytes: int) -> InboundMail | tuple[Outcome, str]:
    """Receive a mail, or why there is none.

    Raises :class:`BrokenFrame` if the other side ended or sends anything but an answer.
    ``max_content_bytes`` bounds all attachments together.
    """
    frame = read_frame(stream, MAX_METADATA_BYTES)
    if frame is None:
        raise BrokenFrame("the reader ended")
    try:
        answer = _mapping(json.loads(frame))
        outcome = Outcome(_text(answer.get("outcome")))
        if outcome is not Outcome.READ:
            return outcome, _text(answer.get("reason"))
        return _mail(_mapping(answer.get("mail")), _contents(stream, max_content_bytes))
    except (TypeError, KeyError, ValueError, RecursionError) as error:
        raise BrokenFrame("the reader's answer is malformed") from error


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=True, separators=(",", ":")).encode("ascii")


# --- values to plain lists -------------------------------------------------------------------------------

_MAIL_FIELDS = tuple(field.name for field in fields(InboundMail))
_ADDRESS_FIELDS = tuple(field.name for field in fields(Address))
_STATUS_FIELDS = tuple(field.name for field in fields(DeliveryStatus))
_ATTACHMENT_FIELDS = tuple(field.name for field in fields(Attachment) if field.name != "content")


def _plain(value: object) -> object:
    match value:
        case None | str() | bool():
            return value
        case datetime():
            return value.isoformat()
        case tuple():
            return [_plain(one) for one in value]
        case Address():
            return {name: getattr(value, name) for name in _ADDRESS_FIELDS}
        case DeliveryStatus():
            return {name: getattr(value, name) for name in _STATUS_FIELDS}
        case Attachment():
            return {name: getattr(value, name) for name in _ATTACHMENT_FIELDS}
        case _:
            raise TypeError(f"no way to send a {type(value).__name__}")


# --- and back, trusting nothing --------------------------------------------------------------------------


def _contents(stream: IO[bytes], max_content_bytes: int) -> Iterator[bytes]:
    left = max_content_bytes
    while True:
        content = read_frame(stream, left)
        if content is None:
            raise BrokenFrame("the reader ended")
        left -= len(content)
        yield content


def _mail(values: Mapping[str, object], contents: Iterator[bytes]) -> InboundMail:
    attachments = _items(values["attachments"])
    if len(attachments) > MAX_ATTACHMENTS:
        raise BrokenFrame("too many attachments")
    return InboundMail(
        message_id=_text(values["message_id"]),
        in_reply_to=_texts(values["in_reply_to"]),
        references=_texts(values["references"]),
        sent_at=_moment(values["sent_at"]),
        sender=_address(values["sender"]),
        from_addresses=_addresses(values["from_addresses"]),
        reply_to=_addresses(values["reply_to"]),
        to=_addresses(values["to"]),
        cc=_addresses(values["cc"]),
        delivered_to=_texts(values["delivered_to"]),
        subject=_text(values["subject"]),
        new_text=_text(values["new_text"]),
        quoted_text=_text(values["quoted_text"]),
        full_text=_text(values["full_text"]),
        attachments=tuple(_attachment(_mapping(one), contents) for one in attachments),
        headers=tuple(_header(one) for one in _items(values["headers"])),
        authentication_results=_texts(values["authentication_results"]),
        return_path=None if values["return_path"] is None else _text(values["return_path"]),
        delivery_statuses=tuple(_status(_mapping(one)) for one in _items(values["delivery_statuses"])),
        returned_message_ids=_texts(values["returned_message_ids"]),
        content_type=_text(values["content_type"]),
        report_type=_text(values["report_type"]),
        identity=_text(values["identity"]),
        defects=_texts(values["defects"]),
    )


def _attachment(values: Mapping[str, object], contents: Iterator[bytes]) -> Attachment:
    return Attachment(
        filename=_text(values["filename"]),
        declared_type=_text(values["declared_type"]),
        media_type=_text(values["media_type"]),
        content=next(contents),
        sha256=_text(values["sha256"]),
        inline=_flag(values["inline"]),
        content_id=_text(values["content_id"]),
        in_forwarded_mail=_flag(values["in_forwarded_mail"]),
    )


def _status(values: Mapping[str, object]) -> DeliveryStatus:
    return DeliveryStatus(
        recipient=_text(values["recipient"]),
        permanent=_flag(values["permanent"]),
        status=_text(values["status"]),
        diagnostic=_text(values["diagnostic"]),
    )


def _address(value: object) -> Address:
    values = _mapping(value)
    return Address(address=_text(values["address"]), name=_text(values["name"]))


def _addresses(value: object) -> tuple[Address, ...]:
    return tuple(_address(one) for one in _items(value))


def _header(value: object) -> tuple[str, str]:
    name, text = _texts(value)
    return name, text


def _moment(value: object) -> datetime | None:
    return None if value is None else datetime.fromisoformat(_text(value)).astimezone(UTC)


def _text(value: object) -> str:
    return _of_type(value, str)


def _texts(value: object) -> tuple[str, ...]:
    return tuple(_text(one) for one in _items(value))


def _flag(value: object) -> bool:
    return _of_type(value, bool)


def _items(value: object) -> Sequence[object]:
    return _of_type(value, list)


def _mapping(value: object) -> Mapping[str, object]:
    return _of_type(value, dict)


def _of_type(value: object, wanted: type[_Value]) -> _Value:
    if not isinstance(value, wanted):
        raise BrokenFrame(f"{type(value).__name__} where {wanted.__name__} belongs")
    return value
