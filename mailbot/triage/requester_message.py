"""What a requester wrote, as it stands on a ticket, and whether we know that it is theirs. Pure."""

from __future__ import annotations

from mailbot.domain.events import HOUSE_PURPOSES, AuthorRole, TicketMessage, Visibility
from mailbot.domain.mail import Authenticity, SenderRole, ThreadKey
from mailbot.triage.change_log import Cause
from mailbot.triage.situation import Situation

_ROLE_OF_AUTHOR = {
    SenderRole.REQUESTER: AuthorRole.REQUESTER,
    # An agent's absence note, of which only the subject tells.
    SenderRole.AGENT: AuthorRole.AGENT,
    SenderRole.MACHINE: AuthorRole.MACHINE,
}


def requester_message(situation: Situation, cause: Cause) -> TicketMessage:
    """What the sender wrote, as it stands on the ticket."""
    role = _ROLE_OF_AUTHOR[situation.sender.role]
    thread = situation.thread
    is_of_the_house = thread.handle_purpose in HOUSE_PURPOSES or role is AuthorRole.AGENT
    not_theirs = is_of_the_house or thread.of_another_requester
    return TicketMessage(
        at=situation.now,
        author=situation.sender.address,
        role=AuthorRole.OTHER if situation.thread.from_another_address else role,
        visibility=Visibility.INTERNAL if not_theirs else Visibility.PUBLIC,
        text=situation.mail.new_text or situation.mail.full_text,
        message_id=situation.mail.message_id,
        mail_id=cause.mail_id,
        files=cause.files,
        unverified=situation.sender.authenticity is not Authenticity.VERIFIED,
        from_another_address=situation.thread.from_another_address,
    )


def is_trusted(situation: Situation) -> bool:
    """Our server vouches for the requester's address, or the mail carries the handle that went to it."""
    thread = situation.thread
    if thread.from_another_address:
        return False
    has_own_handle = thread.accepted and thread.key is ThreadKey.REPLY_TOKEN
    return situation.sender.authenticity is Authenticity.VERIFIED or has_own_handle
