"""Who writes: requester, agent or machine, and how sure we are.

``(InboundMail, RosterView, Screening, AuthenticationProfile) → Sender``. Identity is the From address and
nothing else: display names, Reply-To and Sender never identify anybody (THREATS 7, 17).
"""

from __future__ import annotations

from typing import Protocol

from mailbot.domain.mail import Accepted, InboundMail, Screening, Sender, SenderRole
from mailbot.triage.authentication import AuthenticationProfile, authenticity_of
from mailbot.triage.screen import ScreeningReason


class RosterView(Protocol):
    """The list of staff, as far as triage needs it (R000-15)."""

    def agent_key_for(self, address: str) -> str | None:
        """Key of the agent with this address; ``None`` for everybody else."""
        ...


# A person's mail may carry these as well: a mailing list, an add-in that suppresses answers.
_MAY_BE_A_PERSON = frozenset(
    {
        ScreeningReason.MAILING_LIST,
        ScreeningReason.PRECEDENCE,
        ScreeningReason.AUTO_RESPONSE_SUPPRESS,
        ScreeningReason.FROM_OWN_ADDRESS,
        ScreeningReason.NO_SENDER,
        ScreeningReason.ABSENCE_SUBJECT,
        ScreeningReason.SPEAKS_OF_FAILURE,
    }
)


def identify(
    mail: InboundMail, *, roster: RosterView, screening: Screening, profile: AuthenticationProfile
) -> Sender:
    """Name the sender.

    A mail with several From addresses is nobody's on the roster (THREATS 11). What an answering machine sends in
    an agent's name is a machine's; where only the subject tells of an absence the role stays, and
    ``may_answer`` is false.
    """
    agent_key = roster.agent_key_for(mail.sender.address) if len(mail.from_addresses) == 1 else None
    role = SenderRole.REQUESTER if agent_key is None else SenderRole.AGENT
    if _is_machine(screening):
        role, agent_key = SenderRole.MACHINE, None
    return Sender(
        address=mail.sender,
        role=role,
        authenticity=authenticity_of(mail, profile),
        agent_key=agent_key,
    )


def _is_machine(screening: Screening) -> bool:
    if not isinstance(screening, Accepted):
        return True
    if screening.may_answer:
        return False
    return screening.automatic_reply or screening.reason not in _MAY_BE_A_PERSON
