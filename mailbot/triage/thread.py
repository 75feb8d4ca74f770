"""Which ticket: clues taken from the mail, and what they are worth against what the database knows.

``InboundMail → ThreadClues``; ``(Sender, ThreadClues, ThreadKnowledge) → ThreadMatch``. A ticket's number is
never the key to anything (REQUIREMENTS *Decided*): only a valid handle, a known Message-ID or a tag of a ticket
that the sender already takes part in ties a mail to a ticket (THREATS 9-16).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache
from itertools import chain

from mailbot.domain.addressing import AddressTag
from mailbot.domain.events import STAFF_PURPOSES, HandlePurpose
from mailbot.domain.handles import handle_in_address, handle_in_message_id, handles_in_text
from mailbot.domain.mail import (
    NO_THREAD,
    Authenticity,
    InboundMail,
    Sender,
    SenderRole,
    ThreadKey,
    ThreadMatch,
    normalised_message_id,
)
from mailbot.domain.threads import KnownHandle, KnownMessageId, KnownTicket, OpenRequest
from mailbot.triage.requester_answers import visit_reply


class ClueSource(StrEnum):
    """Where a handle was found, strongest first: what a program copies before what a person may paste.

    ``ADDRESS``: in an address that the mail was sent to, and in no other place.
    """

    MESSAGE_ID = "message_id"
    ADDRESS = "address"
    SUBJECT = "subject"
    TEXT = "text"


@dataclass(frozen=True, slots=True, kw_only=True)
class HandleClue:
    """A handle that stands in the mail; whether it was ever given out is for the database to say."""

    handle: str
    source: ClueSource


@dataclass(frozen=True, slots=True, kw_only=True)
class ThreadClues:
    """All that a mail says about where it belongs, each kind strongest first, each clue once."""

    handles: tuple[HandleClue, ...] = ()
    message_ids: tuple[str, ...] = ()
    ticket_tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ThreadKnowledge:
    """What the database said to the clues. ``tickets`` holds every ticket that an id or a tag leads to."""

    handles: tuple[KnownHandle, ...] = ()
    message_ids: tuple[KnownMessageId, ...] = ()
    tickets: tuple[KnownTicket, ...] = ()


class ThreadRefusal(StrEnum):
    """Why a clue that leads to a ticket does not open it."""

    STAFF_HANDLE_OF_ANOTHER = "staff_handle_of_another"
    HANDLE_REVOKED = "handle_revoked"
    ADDRESS_BOOK = "address_book"
    NOT_A_PARTICIPANT = "not_a_participant"
    AUTHENTICITY_FAILED = "authenticity_failed"


DEFAULT_TAG_FORMATS = ("[Chamado #{number}]",)
"""How a ticket's number stands in our subjects (``subject_tag`` of a mailbox)."""

_NUMBER = r"(\d{4}-\d{6,9})(?![\w-])"
_BARE = re.compile(r"(?<![\w#/-])#" + _NUMBER)
_BRACKETS = re.compile(r"\[[^\[\]]*\]")
_IDS_AT_MOST = 100
_TAGS_AT_MOST = 10
_LONGEST_TAG = 200


def thread_candidates(mail: InboundMail, *, tag_formats: tuple[str, ...] = DEFAULT_TAG_FORMATS) -> ThreadClues:
    """Take every clue from a mail; decides nothing.

    Message-IDs: In-Reply-To, then References from the last to the first. Handles: in those ids, in the
    addresses that the mail was sent to, in the subject, in the text. Tags: all in the subject, in one of
    ``tag_formats`` or bare, never another system's (THREATS 14).
    """
    message_ids = _unique(_thread_ids(mail), at_most=_IDS_AT_MOST)
    handles: dict[str, ClueSource] = {}
    for handle, source in _handles(mail, message_ids):
        handles.setdefault(handle, source)
    return ThreadClues(
        handles=tuple(HandleClue(handle=handle, source=source) for handle, source in handles.items()),
        message_ids=message_ids,
        ticket_tags=_unique(chain(_tags(mail.subject, tag_formats), _visits(mail)), at_most=_TAGS_AT_MOST),
    )


def _thread_ids(mail: InboundMail) -> Iterator[str]:
    for value in (*mail.in_reply_to, *reversed(mail.references)):
        # Empty and very short ids would join strangers (THREATS 15).
        message_id = normalised_message_id(value)
        if message_id:
            yield message_id


def _handles(mail: InboundMail, message_ids: tuple[str, ...]) -> Iterator[tuple[str, ClueSource]]:
    for message_id in message_ids:
        handle = handle_in_message_id(message_id)
        if handle is not None:
            yield handle, ClueSource.MESSAGE_ID
    in_subject, in_text = handles_in_text(mail.subject), handles_in_text(mail.full_text)
    for address in (*(one.address for one in (*mail.to, *mail.cc)), *mail.delivered_to):
        handle = handle_in_address(address, AddressTag.REPLY)
        if handle is not None:
            written = ClueSource.SUBJECT if handle in in_subject else ClueSource.TEXT
            yield handle, written if handle in (*in_subject, *in_text) else ClueSource.ADDRESS
    for handle in in_subject:
        yield handle, ClueSource.SUBJECT
    for handle in in_text:
        yield handle, ClueSource.TEXT


def _tags(subject: str, formats: tuple[str, ...]) -> Iterator[str]:
    for bracketed in _BRACKETS.finditer(subject):
        tag = bracketed[0] if len(bracketed[0]) <= _LONGEST_TAG else ""
        found = next((match for one in formats if (match := _in_format(one).fullmatch(tag))), None)
        if found is not None:
            yield found[1]
    # What stands in other brackets is another system's tag.
    yield from (match.group(1) for match in _BARE.finditer(_BRACKETS.sub(" ", subject)))


@cache
def _in_format(tag_format: str) -> re.Pattern[str]:
    """What the format makes of a number; programs change blanks and case, and the words may be gone."""
    before, _, after = tag_format[1:-1].partition("{number}")
    if before.rstrip().endswith("#"):
        before = f"{before.rstrip()[:-1]}#"
    head, tail = (_with_any_blanks(part) for part in (before, after))
    return re.compile(rf"\[\s*(?:#|{head})\s*{_NUMBER}{tail}\s*\]", re.IGNORECASE)


def _with_any_blanks(text: str) -> str:
    words = [re.escape(word) for part in text.split() for word in re.split("(#)", part) if word]
    return r"\s*" + r"\s*".join(words)


def _visits(mail: InboundMail) -> Iterator[str]:
    """The ticket whose visit a calendar program answers: worth no more than a tag in the subject."""
    reply = visit_reply(mail)
    if reply is not None:
        yield reply.number


def _unique(values: Iterator[str], *, at_most: int) -> tuple[str, ...]:
    return tuple(dict.fromkeys(values))[:at_most]


# --- what the clues are worth ------------------------------------------------------------------------------


def match_thread(sender: Sender, clues: ThreadClues, known: ThreadKnowledge) -> ThreadMatch:
    """The ticket that the mail joins, or the refusal of the strongest clue that led to one, or ``NO_THREAD``.

    Handles come before known Message-IDs, those before tags; within a kind the first that is accepted counts.
    A refused clue never stops a good one: somebody may quote a colleague's notice in an own thread.
    """
    refused: ThreadMatch | None = None
    for match in _matches(sender, clues, known):
        if match.accepted:
            return replace(match, also_named=_also_named(match, sender, clues, known))
        refused = refused or match
    return refused or NO_THREAD


def _also_named(match: ThreadMatch, sender: Sender, clues: ThreadClues, known: ThreadKnowledge) -> str:
    """Another ticket that an answer to a notice names: a signature says nothing of the fields by which a mail is
    threaded, so that somebody may have put an agent's own mail into another thread."""
    if match.handle_purpose not in STAFF_PURPOSES:
        return ""
    notices = [
        one.ticket_number
        for one in known.handles
        if one.purpose in STAFF_PURPOSES and one.recipient.lower() == sender.address.address
    ]
    known_tags = {one.ticket_number for one in known.tickets}.intersection(clues.ticket_tags)
    tags = [] if match.ticket_number in clues.ticket_tags else sorted(known_tags)
    return next((number for number in (*notices, *tags) if number != match.ticket_number), "")


def _matches(sender: Sender, clues: ThreadClues, known: ThreadKnowledge) -> Iterator[ThreadMatch]:
    handles = {one.handle: one for one in known.handles}
    for clue in clues.handles:
        if clue.handle in handles:
            yield _by_handle(sender, handles[clue.handle], by_address_book=_is_fresh(sender, clue, handles, clues))
    tickets = {one.ticket_number: one.participants for one in known.tickets}
    message_ids: dict[str, list[KnownMessageId]] = {}
    for known_id in known.message_ids:
        message_ids.setdefault(known_id.message_id, []).append(known_id)
    for message_id in clues.message_ids:
        for known_id in message_ids.get(message_id, ()):
            yield _by_message_id(sender, known_id, tickets.get(known_id.ticket_number, frozenset()))
    for tag in clues.ticket_tags:
        if tag in tickets:
            yield _by_tag(sender, tag, tickets[tag])


# An agent's answering machine answers notices too: that belongs to the ticket and has no authority.
_STAFF_SIDE = frozenset({SenderRole.AGENT, SenderRole.MACHINE})


def _is_fresh(sender: Sender, clue: HandleClue, known: dict[str, KnownHandle], clues: ThreadClues) -> bool:
    """Whether the mail answers nothing and only went to an address that a program had kept from an old letter:
    what people write there under a subject of their own is another matter."""
    answers = clues.message_ids or known[clue.handle].ticket_number in clues.ticket_tags
    return clue.source is ClueSource.ADDRESS and not answers and sender.role is not SenderRole.MACHINE


def _by_handle(sender: Sender, known: KnownHandle, *, by_address_book: bool) -> ThreadMatch:
    same_address = sender.address.address == known.recipient.lower()
    refused: ThreadRefusal | None = None
    if known.revoked:
        refused = ThreadRefusal.HANDLE_REVOKED
    elif known.purpose is HandlePurpose.SECTOR:
        genuine = same_address and sender.authenticity is not Authenticity.FAILED
        refused = None if genuine else ThreadRefusal.STAFF_HANDLE_OF_ANOTHER
    elif known.purpose is not HandlePurpose.REQUESTER and not (same_address and sender.role in _STAFF_SIDE):
        refused = ThreadRefusal.STAFF_HANDLE_OF_ANOTHER
    elif by_address_book:
        refused = ThreadRefusal.ADDRESS_BOOK
    return ThreadMatch(
        ticket_number=known.ticket_number,
        key=ThreadKey.REPLY_TOKEN,
        refused=refused,
        from_another_address=not same_address,
        handle_recipient=known.recipient,
        handle_purpose=known.purpose,
        handle_expired=known.expired,
    )


def _by_message_id(sender: Sender, known: KnownMessageId, participants: frozenset[str]) -> ThreadMatch:
    address = sender.address.address
    takes_part = address != "" and (address in participants or address == known.recipient.lower())
    return ThreadMatch(
        ticket_number=known.ticket_number,
        key=ThreadKey.MESSAGE_ID,
        refused=_refusal(sender, takes_part=takes_part),
    )


def _by_tag(sender: Sender, ticket_number: str, participants: frozenset[str]) -> ThreadMatch:
    takes_part = sender.address.address in participants
    return ThreadMatch(
        ticket_number=ticket_number, key=ThreadKey.SUBJECT_TAG, refused=_refusal(sender, takes_part=takes_part)
    )


def _refusal(sender: Sender, *, takes_part: bool) -> ThreadRefusal | None:
    """Ids and tags are known to many (whoever stood in Cc): they serve a participant who is not a forged one."""
    if not takes_part:
        return ThreadRefusal.NOT_A_PARTICIPANT
    return ThreadRefusal.AUTHENTICITY_FAILED if sender.authenticity is Authenticity.FAILED else None


# --- a fresh mail with the missing paper -------------------------------------------------------------------


def match_open_request(
    sender: Sender, open_requests: tuple[OpenRequest, ...], brings: frozenset[str], classified_type: str | None
) -> ThreadMatch:
    """A mail without thread that carries what an open request lacks (REQUIREMENTS *Decided*).

    ``open_requests`` are the ``awaiting_requester`` tickets whose requester has exactly the sender's From
    address; ``brings`` are the keys of documents and fields in the mail; ``classified_type`` is what the mail by
    itself asks for, ``None`` if nothing. One fitting request is joined; where several wait, all of them come
    back as ``candidates`` and the sender is asked which.
    """
    if sender.role is not SenderRole.REQUESTER or sender.authenticity is Authenticity.FAILED:
        return NO_THREAD
    waiting = [one for one in open_requests if classified_type in (None, one.request_type)]
    if not any(brings.intersection(one.missing) for one in waiting):
        return NO_THREAD
    if len(waiting) > 1:
        return ThreadMatch(key=ThreadKey.OPEN_REQUEST, candidates=tuple(one.ticket_number for one in waiting))
    return ThreadMatch(ticket_number=waiting[0].ticket_number, key=ThreadKey.OPEN_REQUEST)
