"""Pictures of a mail held against those of its sender's other tickets: ``files → files``, logos marked.

The rule is ``evidence/known_pictures.py``. The tickets that a mail's own one follows up do not count: replies
quote what stood in earlier mails of a conversation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from mailbot.domain.evidence import EvidenceReport
from mailbot.domain.mail import InboundMail
from mailbot.domain.ticket import Ticket
from mailbot.evidence.assess import FileToAssess
from mailbot.evidence.known_pictures import owner_of, picture_traces, with_known_logos, with_picture_traces
from mailbot.evidence.uses import Keyed
from mailbot.flows.uses_elsewhere import PastUses, line_of


def logos_marked(
    files: Sequence[FileToAssess], mail: InboundMail, ticket: Ticket | None, known: PastUses, keyed: Keyed
) -> tuple[FileToAssess, ...]:
    """The files of ``mail``, with those marked that are known as a logo; ``ticket`` is where the mail belongs."""
    owner = _owner(mail)
    wanted = [trace.digest for one in files for trace in picture_traces(one.attachment, owner, keyed)]
    if not wanted:
        return tuple(files)
    uses = known.other_uses(wanted, but=list(line_of(ticket, known)))
    return with_known_logos(files, uses, owner, keyed)


def with_pictures_noted(
    report: EvidenceReport, ticket: Ticket | None, files: Sequence[FileToAssess], mail: InboundMail, keyed: Keyed
) -> EvidenceReport:
    """``report`` with the traces by which the pictures of ``mail`` are known in other tickets. ``ticket`` is as it
    stood before."""
    held = ticket.documents if ticket else ()
    noted = with_picture_traces(report.findings, held, files, _owner(mail), keyed)
    return replace(report, findings=noted)


def _owner(mail: InboundMail) -> str:
    """Of whose mail program the pictures come: the agent's, where one opens a ticket in a customer's name."""
    written_by = mail.from_addresses[0] if mail.from_addresses else mail.sender
    return owner_of(written_by.address)
