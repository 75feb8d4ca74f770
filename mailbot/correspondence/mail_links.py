"""``mailto:`` links (RFC 6068) that open the reader's mail program with something filled in.

A link changes nothing: only the mail counts that its reader sends.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final
from urllib.parse import quote

from mailbot.domain.handles import order_mark

MAX_MAILTO_OCTETS: Final = 1_800
_MAX_SUBJECT_OCTETS: Final = 600


def mailto(address: str, subject: str = "", labels: Iterable[str] = (), last_line: str = "") -> str:
    """A ``mailto:`` link of at most 1,800 octets: a form of ``labels`` to fill in as the body.

    ``last_line`` (our reference) always stays; labels that do not fit are left out, a long subject is cut.
    """
    to = "mailto:" + quote(address, safe="@+.-_")
    if len(to) > MAX_MAILTO_OCTETS // 3:
        # No address is that long (RFC 5321 §4.5.3.1: 254 octets).
        return "mailto:"
    ending = _encoded(f"\r\n\r\n{last_line[:80]}") if last_line else ""
    room = MAX_MAILTO_OCTETS - len(to) - len("?subject=&body=") - len(ending)
    head = _subject(subject, room)
    room -= len(head)
    body = ""
    for label in labels:
        line = _encoded(f"{label}: \r\n")
        if len(body) + len(line) > room:
            break
        body += line
    parts = [f"subject={head}"] if head else []
    if body or ending:
        parts.append(f"body={body}{ending}")
    return to + ("?" + "&".join(parts) if parts else "")


def mailto_order(address: str, subject: str, words: str, reference: str) -> str:
    """A link to a mail that orders ``words``, of at most 1,800 octets.

    Such a mail answers no other (a ``mailto:`` carries no In-Reply-To), so ``reference`` (``[mb-HANDLE]``) stands
    in the subject and, marked as the link's own, below the words. Of words that do not fit only the first stays.
    """
    to = "mailto:" + quote(address, safe="@+.-_")
    if len(to) > MAX_MAILTO_OCTETS // 3:
        return "mailto:"
    tail = _encoded(f" {reference[:80]}")
    ending = _encoded(f"\r\n\r\n{order_mark(reference[:80])}\r\n")
    room = MAX_MAILTO_OCTETS - len(to) - len("?subject=&body=") - len(tail) - len(ending)
    head = _subject(subject, room // 2)
    # Whoever goes on typing behind the word needs the blank.
    body = _encoded(f"{words} ")
    if len(head) + len(body) > room:
        body = _encoded(words.split(" ", 1)[0][:100] + " ")
    return f"{to}?subject={head}{tail}&body={body}{ending}"


def _subject(subject: str, room: int) -> str:
    head = _encoded(subject)
    while len(head) > min(room, _MAX_SUBJECT_OCTETS):
        subject = subject[: len(subject) * 3 // 4]
        head = _encoded(subject)
    return head


def _encoded(text: str) -> str:
    return quote(text, safe="", errors="replace")
