"""What letters of the house itself are written with: ``(ServedMailbox, Address) -> AlertDesk``."""

from __future__ import annotations

from datetime import tzinfo

from mailbot.correspondence.alerts import AlertDesk
from mailbot.correspondence.render import LetterRenderer
from mailbot.domain.mail import Address
from mailbot.flows.mailboxes import ServedMailbox


def alert_desk(mailbox: ServedMailbox, recipient: Address, *, renderer: LetterRenderer, zone: tzinfo) -> AlertDesk:
    """For a letter of ``mailbox`` to the administrator, an agent or a manager, in the mailbox's language."""
    language = mailbox.spec.language
    return AlertDesk(
        admin=recipient,
        brand_name=mailbox.spec.name,
        mailbox_address=mailbox.address,
        language=language,
        words=renderer.words(language),
        zone=zone,
    )
