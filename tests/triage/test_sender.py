"""Who writes: THREATS 7, 9, 11 and 17."""

from __future__ import annotations

import pytest

from mailbot.domain.mail import (
    Accepted,
    Address,
    Authenticity,
    Bounce,
    Discarded,
    InboundMail,
    Screening,
    Sender,
    SenderRole,
)
from mailbot.triage.authentication import AuthenticationKind, AuthenticationProfile
from mailbot.triage.screen import ScreeningReason
from mailbot.triage.sender import identify

ANA = Address(address="ana@example.com.br", name="Ana")
MARIA = Address(address="maria@example.com.br", name="Maria")
PROFILE = AuthenticationProfile(kind=AuthenticationKind.AUTHSERV_ID, authserv_id="mx.example.com.br")


class Roster:
    """One agent."""

    def agent_key_for(self, address: str) -> str | None:
        return "ana" if address == ANA.address else None


def identified(*senders: Address, screening: Screening | None = None, **rest: object) -> Sender:
    mail = InboundMail(message_id="um@x", sender=senders[0], from_addresses=senders, **rest)  # type: ignore[arg-type]
    return identify(mail, roster=Roster(), screening=screening or Accepted(may_answer=True), profile=PROFILE)


def test_it_knows_requesters_and_agents_by_their_address() -> None:
    assert identified(MARIA) == Sender(
        address=MARIA, role=SenderRole.REQUESTER, authenticity=Authenticity.UNVERIFIED
    )
    agent = identified(ANA)
    assert (agent.role, agent.agent_key) == (SenderRole.AGENT, "ana")


def test_threat_9_a_forged_agent_has_failed_authenticity() -> None:
    forged = identified(ANA, authentication_results=("mx.example.com.br; dmarc=fail header.from=example.com.br",))
    assert forged.authenticity is Authenticity.FAILED


def test_threat_11_one_of_two_senders_is_no_agent() -> None:
    assert identified(ANA, MARIA).role is SenderRole.REQUESTER


@pytest.mark.parametrize("name", ["ana@example.com.br", "Ana (SAU)", "ana"])
def test_threat_17_a_display_name_identifies_nobody(name: str) -> None:
    assert identified(Address(address="x@forger.example", name=name)).agent_key is None


def test_threat_7_reply_to_identifies_nobody() -> None:
    assert identified(MARIA, reply_to=(ANA,)).role is SenderRole.REQUESTER


@pytest.mark.parametrize(
    "screening",
    [
        Accepted(may_answer=False, reason=ScreeningReason.ANSWERING_MACHINE, automatic_reply=True),
        Accepted(may_answer=False, reason=ScreeningReason.AUTO_SUBMITTED),
        Accepted(may_answer=False, reason=ScreeningReason.MACHINE_SENDER),
        Accepted(may_answer=False, reason=ScreeningReason.NULL_RETURN_PATH),
        Bounce(recipient=MARIA.address, permanent=True),
        Discarded(reason=ScreeningReason.READ_RECEIPT),
    ],
)
def test_a_machine_is_a_machine_even_under_an_agents_name(screening: Screening) -> None:
    sender = identified(ANA, screening=screening)
    assert (sender.role, sender.agent_key) == (SenderRole.MACHINE, None)


@pytest.mark.parametrize(
    "reason",
    [ScreeningReason.MAILING_LIST, ScreeningReason.AUTO_RESPONSE_SUPPRESS, ScreeningReason.ABSENCE_SUBJECT],
)
def test_a_person_who_may_not_be_answered_stays_a_person(reason: ScreeningReason) -> None:
    screening = Accepted(may_answer=False, reason=reason)
    assert identified(MARIA, screening=screening).role is SenderRole.REQUESTER
    assert identified(ANA, screening=screening).role is SenderRole.AGENT
