"""What the embedded servers know: accounts, what was delivered, and how a receiving server marks a mail.

``stamp(raw, …) → raw`` does what a receiving server owes its users: results of others under its own name go
(RFC 8601 §5), its own results, Received (RFC 5321 §4.4), Return-Path and Delivered-To stand on top.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime, parseaddr
from typing import Literal

AUTHSERV_ID = "mx.demo.example.com.br"
"""The authserv-id under which our receiving server writes its results."""

Dmarc = Literal["pass", "fail"]

# Conditions are looked at again after this time even if nothing was delivered: mail also moves by IMAP.
_LOOK_AGAIN_SECONDS = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One mail laid into one mailbox: ``raw`` as it lies there. ``number`` counts from 1."""

    number: int
    at: datetime
    envelope_from: str
    mailbox: str
    authenticated_as: str | None
    raw: bytes = field(repr=False)


class PostOffice:
    """Accounts and the journal of deliveries, shared by the threads of servers and players."""

    def __init__(self) -> None:
        self._passwords: dict[str, str] = {}
        self._journal: list[Delivery] = []
        self._changed = threading.Condition()

    def open_account(self, address: str, password: str) -> None:
        """From now on ``address`` exists; its domain is one of ours."""
        self._passwords[address.lower()] = password

    def password_of(self, address: str) -> str:
        """The account's password; raises ``KeyError`` where there is no such account."""
        return self._passwords[address.lower()]

    def knows(self, login: str, password: str) -> bool:
        """Whether these are an account's credentials."""
        return self._passwords.get(login.lower()) == password

    def is_local(self, address: str) -> bool:
        """Whether the address's domain is ours. Everything else is never accepted: nothing leaves the machine."""
        domain = address.lower().rpartition("@")[2]
        return any(known.rpartition("@")[2] == domain for known in self._passwords)

    def mailbox_for(self, address: str) -> str | None:
        """The account that ``address`` belongs to, ``name+anything@`` included (RFC 5233)."""
        local, _, domain = address.lower().rpartition("@")
        for candidate in (f"{local}@{domain}", f"{local.partition('+')[0]}@{domain}"):
            if candidate in self._passwords:
                return candidate
        return None

    def record(self, *, mailbox: str, envelope_from: str, authenticated_as: str | None, raw: bytes) -> None:
        """Note a delivery and wake everybody who waits for one."""
        with self._changed:
            self._journal.append(
                Delivery(
                    number=len(self._journal) + 1,
                    at=datetime.now(UTC),
                    envelope_from=envelope_from,
                    mailbox=mailbox,
                    authenticated_as=authenticated_as,
                    raw=raw,
                )
            )
            self._changed.notify_all()

    def deliveries(self, *, after: int = 0) -> tuple[Delivery, ...]:
        """The journal from number ``after`` + 1 on."""
        with self._changed:
            return tuple(self._journal[after:])

    def wait_until(self, condition: Callable[[], bool], timeout_seconds: float) -> bool:
        """Wait until ``condition`` holds, looking whenever something was delivered; ``False`` if it never did."""
        until = time.monotonic() + timeout_seconds
        while True:
            seen = len(self._journal)
            if condition():
                return True
            left = until - time.monotonic()
            if left <= 0:
                return False
            with self._changed:
                if len(self._journal) == seen:
                    self._changed.wait(min(left, _LOOK_AGAIN_SECONDS))


# --- the receiving server's marks --------------------------------------------------------------------------


def stamp(
    raw: bytes, *, recipient: str, envelope_from: str, client: str, protocol: str, results: Sequence[str]
) -> bytes:
    """The mail as our server lays it into a mailbox. Bytes that are no ASCII stay as they are.

    ``client`` is the name by which the sending machine introduced itself, ``protocol`` a registered transmission
    type such as ``ESMTPA`` (RFC 3848), ``results`` the methods' results, e.g. ``dmarc=none``.
    """
    head, blank, body = _split(raw)
    kept = b"".join(field for field in _fields(head) if not _is_ours_to_write(field))
    now = format_datetime(datetime.now(UTC))
    marks = (
        f"Return-Path: <{envelope_from}>\r\n"
        f"Delivered-To: {recipient}\r\n"
        f"Authentication-Results: {AUTHSERV_ID};\r\n\t" + ";\r\n\t".join(results) + "\r\n"
        f"Received: from {client} (localhost [127.0.0.1])\r\n\tby {AUTHSERV_ID} with {protocol}\r\n"
        f"\tfor <{recipient}>; {now}\r\n"
    )
    return marks.encode("ascii", "replace") + kept + blank + body


def domain_of_sender(raw: bytes) -> str:
    """The domain of the first From field; empty where none can be read."""
    for field_bytes in _fields(_split(raw)[0]):
        name, _, value = field_bytes.partition(b":")
        if name.strip().lower() == b"from":
            text = " ".join(value.decode("latin-1").split())
            return parseaddr(text)[1].rpartition("@")[2].lower()
    return ""


_FIELD = re.compile(rb"[^\n]*\n(?:[ \t][^\n]*\n)*")


def _split(raw: bytes) -> tuple[bytes, bytes, bytes]:
    """Header with its last line end, the blank line, body."""
    match = re.search(rb"\r?\n(?=\r?\n)", raw)
    if match is None:
        return (raw if raw.endswith(b"\n") else raw + b"\r\n"), b"", b""
    rest = raw[match.end() :]
    blank = b"\r\n" if rest.startswith(b"\r\n") else b"\n"
    return raw[: match.end()], blank, rest[len(blank) :]


def _fields(head: bytes) -> Iterator[bytes]:
    for match in _FIELD.finditer(head):
        yield match.group()


def _is_ours_to_write(field_bytes: bytes) -> bool:
    """Return-Path and Delivered-To of others, and results that claim to be ours (RFC 8601 §5)."""
    name, _, value = field_bytes.partition(b":")
    name = name.strip().lower()
    if name in (b"return-path", b"delivered-to"):
        return True
    authserv_id = value.partition(b";")[0].lower()
    return name == b"authentication-results" and AUTHSERV_ID.encode() in authserv_id
