"""One-time codes: how agents confirm orders where no server vouches for who sent them (profile ``none``).

A code is made from the agent, the ticket and the very mail that ordered, so it fits no other; that it was used,
and how often a wrong one was tried, stands in the ticket's events. It is told to the registered address only.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from mailbot.domain.events import EventKind, HandlePurpose, StoredFile, TicketEvent

CODE_LIFE = timedelta(hours=4)
"""How long orders wait for their code."""

WRONG_CODES_AT_MOST = 5
"""Within :data:`CODE_LIFE`; then none is taken, not even the right one."""

_DIGITS = 8
_TYPED = re.compile(r"(?:#?[^\W\d_]{1,12}[\s:.,]*)?(\d{4})[\s.\-\u2010-\u2015]?(\d{4})[\s.!*_]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingOrders:
    """A mail's orders that wait for their code: its text, the files that were to go out, and what kind of thread
    it came in."""

    nonce: str
    text: str
    files: tuple[StoredFile, ...]
    purpose: HandlePurpose


def code_for(secret: bytes, *, agent: str, ticket_number: str, nonce: str) -> str:
    """The code, ``1234-5678``, of the orders in the mail ``nonce`` (its identity)."""
    parts = ("mailbot order code", agent.lower(), ticket_number, nonce)
    digest = hmac.new(secret, "\0".join(parts).encode(), hashlib.sha256).digest()
    digits = f"{int.from_bytes(digest) % 10**_DIGITS:0{_DIGITS}d}"
    return f"{digits[:4]}-{digits[4:]}"


def code_typed(text: str) -> str | None:
    """The code in the first line of a mail's new text, alone or after one word; ``None`` where there is none."""
    first = next((line.strip() for line in text.splitlines() if line.strip()), "")
    found = _TYPED.fullmatch(first[:100].lstrip("*_ \u200b\ufeff"))
    return f"{found[1]}-{found[2]}" if found else None


def codes_match(one: str, other: str) -> bool:
    """Compared in constant time."""
    return hmac.compare_digest(one.encode(), other.encode())


def orders_waiting(events: Iterable[TicketEvent], agent: str) -> list[TicketEvent]:
    """The events of an agent's orders for which no code was taken, newest first. A mail whose orders were
    confirmed once is never confirmed again, however often it comes."""
    own = [event for event in events if event.actor == agent]
    used = {event.detail for event in own if event.kind is EventKind.ORDERS_CONFIRMED}
    asked = [one for one in own if one.kind is EventKind.CONFIRMATION_ASKED and one.detail not in used]
    return asked[::-1]


def tried_too_often(events: Sequence[TicketEvent], agent: str, now: datetime) -> bool:
    """Whether so many wrong codes came in an agent's name that no further one is looked at."""
    wrong = [one for one in events if one.kind is EventKind.CODE_REFUSED and one.actor == agent]
    return sum(now - one.at < CODE_LIFE for one in wrong) >= WRONG_CODES_AT_MOST
