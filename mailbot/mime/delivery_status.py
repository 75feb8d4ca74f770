"""Reports of mail servers: ``message/delivery-status`` (RFC 3464) and returned headers in, values out."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mailbot.domain.handles import LOOP_MARK_HEADER, handle_in_loop_mark, message_id_for
from mailbot.domain.mail import DeliveryStatus
from mailbot.mime.headers import decode_octets, decoded, single_message_id

STATUS_TYPES = frozenset({"message/delivery-status", "message/global-delivery-status"})
RETURNED_HEADER_TYPES = frozenset({"text/rfc822-headers", "message/global-headers"})
MAX_RECIPIENTS = 500
MAX_REPORT_BYTES = 256 * 1024

# All but the first are where servers that give a letter another id note ours.
_ID_FIELDS = (
    *("message-id", "x-original-message-id", "x-ms-exchange-message-id"),
    *("x-google-original-message-id", "x-microsoft-original-message-id"),
)
# Of an id that is made from a handle only the handle counts.
_WHATEVER_DOMAIN = "mailbot.invalid"
_STATUS = re.compile(r"[245]\.\d{1,3}\.\d{1,3}")
_STATUS_OF_ACTION = {
    "failed": "5.0.0",
    "delayed": "4.0.0",
    "delivered": "2.0.0",
    "relayed": "2.0.0",
    "expanded": "2.0.0",
}
_BLANK_LINES = re.compile(r"\n(?:[ \t]*\n)+")


def read_delivery_status(report: bytes) -> tuple[DeliveryStatus, ...]:
    """What a delivery-status part says, one value per recipient.

    A recipient is the address that we wrote to (Original-Recipient) where it is told. ``permanent`` follows
    Action, then Status; a missing Status is filled in from Action (RFC 3464 §2.3.3, §2.3.4).
    """
    text = decode_octets(report[:MAX_REPORT_BYTES])[0].replace("\r\n", "\n").replace("\r", "\n")
    found: list[DeliveryStatus] = []
    for block in _BLANK_LINES.split(text):
        fields = dict(reversed(list(header_fields(block))))
        recipient = _address_in(fields.get("original-recipient", "")) or _address_in(
            fields.get("final-recipient", "")
        )
        if recipient and len(found) < MAX_RECIPIENTS:
            found.append(_status_of(recipient, fields))
    return tuple(found)


def _status_of(recipient: str, fields: dict[str, str]) -> DeliveryStatus:
    action = fields.get("action", "").split(" ")[0].strip("();,").lower()
    match = _STATUS.search(fields.get("status", ""))
    status = match[0] if match else _STATUS_OF_ACTION.get(action, "")
    diagnostic = fields.get("diagnostic-code", "")
    return DeliveryStatus(
        recipient=recipient,
        permanent=action == "failed" or (action not in _STATUS_OF_ACTION and status.startswith("5")),
        status=status,
        diagnostic=diagnostic.partition(";")[2].strip() or diagnostic,
        from_remote="remote-mta" in fields,
    )


def _address_in(value: str) -> str:
    """The address of ``rfc822; name@example.com``, in lower case; empty if there is none."""
    address = value.rpartition(";")[2].strip().strip("<>").strip().lower()
    return address if "@" in address and " " not in address else ""


def header_fields(text: str) -> Iterator[tuple[str, str]]:
    """The fields of a block of header lines: names in lower case, values decoded and on one line."""
    name, lines = "", [""]
    for line in text.split("\n"):
        if line[:1] in (" ", "\t"):
            lines.append(line)
            continue
        if name:
            yield name, decoded("".join(lines))
        head, colon, value = line.partition(":")
        name, lines = (head.strip().lower() if colon else ""), [value]
    if name:
        yield name, decoded("".join(lines))


def returned_ids(header: bytes) -> tuple[str, ...]:
    """The ids under which a returned mail, or its header alone, was known: its own, those that relays kept when
    they gave it another one, and last ours by its loop mark, which nobody rewrites. Ids of the mails that it
    answers are not among them."""
    head = header[:MAX_REPORT_BYTES].replace(b"\r\n", b"\n").lstrip(b"\n").partition(b"\n\n")[0]
    fields = list(header_fields(decode_octets(head)[0]))
    found = [single_message_id(value) for wanted in _ID_FIELDS for name, value in fields if name == wanted]
    marks = (handle_in_loop_mark(value) for name, value in fields if name == LOOP_MARK_HEADER.lower())
    found += [message_id_for(handle, _WHATEVER_DOMAIN) for handle in marks if handle is not None]
    return tuple(dict.fromkeys(filter(None, found)))
