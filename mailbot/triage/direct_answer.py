"""Which ticket does a mail answer that a person wrote to a requester straight from the shared mailbox?

``(InboundMail, ThreadClues, ThreadKnowledge) → tickets, the likeliest first``. Whose mail it is has been settled
before: it lies in the mailbox's own Sent folder, or our server vouches for it. So any clue may *name* a ticket, a
tag or a colleague's handle too; what makes the mail an answer is that it went to that ticket's requester.
"""

from __future__ import annotations

from collections.abc import Iterator

from mailbot.domain.handles import handle_in_message_id
from mailbot.domain.mail import InboundMail, ThreadKey
from mailbot.domain.ticket import Ticket
from mailbot.triage.thread import ThreadClues, ThreadKnowledge


def named_tickets(clues: ThreadClues, known: ThreadKnowledge) -> Iterator[tuple[str, ThreadKey]]:
    """The numbers of the tickets that a mail names: by what it replies to, by a handle elsewhere, by a tag.

    What the mail program wrote comes first: the text below may quote an older ticket of the same person.
    """
    handles = {one.handle: one.ticket_number for one in known.handles}
    by_id = {one.message_id: one.ticket_number for one in known.message_ids}
    for message_id in clues.message_ids:
        handle = handle_in_message_id(message_id)
        if handle in handles:
            yield handles[handle], ThreadKey.REPLY_TOKEN
        if message_id in by_id:
            yield by_id[message_id], ThreadKey.MESSAGE_ID
    for clue in clues.handles:
        if clue.handle in handles:
            yield handles[clue.handle], ThreadKey.REPLY_TOKEN
    there = {one.ticket_number for one in known.tickets}
    yield from ((tag, ThreadKey.SUBJECT_TAG) for tag in clues.ticket_tags if tag in there)


def went_to_requester(mail: InboundMail, ticket: Ticket) -> bool:
    """Whether the mail went to the ticket's requester, who is not the mailbox itself: what went to anybody else
    is no answer, and stays where it is."""
    requester = ticket.requester.address
    if requester == mail.sender.address:
        return False
    return requester in {one.address for one in (*mail.to, *mail.cc)}
