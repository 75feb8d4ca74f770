"""Situations for the tests of deciding and carrying out: one plain one, changed where a test needs it."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from mailbot.catalogue.business_time import business_calendar
from mailbot.catalogue.load import Catalogue, load_catalogue
from mailbot.domain.events import HandlePurpose, StoredFile
from mailbot.domain.evidence import EvidenceReport
from mailbot.domain.mail import (
    NO_THREAD,
    Accepted,
    Address,
    Attachment,
    Authenticity,
    Classification,
    InboundMail,
    Sender,
    SenderRole,
    ThreadKey,
    ThreadMatch,
)
from mailbot.domain.ticket import Status, Ticket
from mailbot.flows.order_desk import check_field, held_against, times_against
from mailbot.triage.change_log import Cause
from mailbot.triage.directives import DirectiveBlock, parse_directives
from mailbot.triage.gratitude import is_gratitude
from mailbot.triage.orders.desk import OrderDesk
from mailbot.triage.orders.plan import plan_orders
from mailbot.triage.situation import Situation

NOW = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
MARIA = Address(address="maria@cliente.example", name="Maria Souza")
ANA = Address(address="ana@example.com.br", name="Ana")
LOCATION = "inspection_location_change"
COMPLETE = EvidenceReport()
LACKING = EvidenceReport(missing=("driver_licence",))
OWN_HANDLE = ThreadMatch(
    ticket_number="2026-000001",
    key=ThreadKey.REPLY_TOKEN,
    handle_recipient=MARIA.address,
    handle_purpose=HandlePurpose.REQUESTER,
)
STAFF_HANDLE = replace(OWN_HANDLE, handle_recipient=ANA.address, handle_purpose=HandlePurpose.STAFF_PUBLIC)


@cache
def catalogue() -> Catalogue:
    """The sample catalogue of the repository."""
    return load_catalogue(Path(__file__).parents[2] / "config")


def attachment(name: str = "mapa.pdf", *, content: bytes = b"x", inline: bool = False) -> Attachment:
    """A file in a mail."""
    return Attachment(
        filename=name,
        declared_type="application/pdf",
        media_type="application/pdf",
        content=content,
        sha256=hashlib.sha256(content).hexdigest(),
        inline=inline,
    )


def ticket(status: Status = Status.OPEN, **changes: Any) -> Ticket:
    """Maria's request."""
    plain = Ticket(
        number="2026-000001",
        mailbox="default",
        request_type=LOCATION,
        requester=MARIA,
        subject="ALTERAÇÃO DE LOCAL",
        title="Alteração de Rio Verde para Jataí",
        status=status,
        queue="sau",
        opened_at=NOW,
        updated_at=NOW,
        version=3,
    )
    return replace(plain, **changes)


def requester_writes(text: str, on: Ticket | None = None, **changes: Any) -> Situation:
    """Maria writes; on a ticket she answers a letter of ours."""
    mail = InboundMail(
        message_id="m1@cliente.example", sender=MARIA, subject="RES: x", new_text=text, full_text=text
    )
    kind = catalogue().type(on.request_type if on else LOCATION)
    plain = Situation(
        mail=mail,
        screening=Accepted(may_answer=True),
        sender=Sender(address=MARIA, role=SenderRole.REQUESTER, authenticity=Authenticity.VERIFIED),
        thread=OWN_HANDLE if on else NO_THREAD,
        ticket=on,
        classification=Classification(request_type=kind.key, confidence=1.0, matched="subject"),
        request_type=kind,
        report=COMPLETE,
        directives=parse_directives(""),
        is_gratitude=is_gratitude(text),
        answers_need_verification=True,
        now=NOW,
    )
    return replace(plain, **changes)


def agent_writes(
    text: str, on: Ticket | None = None, *, files: tuple[Attachment, ...] = (), **changes: Any
) -> Situation:
    """Ana answers the notice that went to her."""
    on = on or ticket()
    plain = requester_writes(text, on)
    block = parse_directives(text, catalogue().staff.aliases)
    return replace(
        plain,
        mail=replace(plain.mail, sender=ANA, attachments=files),
        sender=Sender(address=ANA, role=SenderRole.AGENT, authenticity=Authenticity.VERIFIED, agent_key="ana"),
        thread=STAFF_HANDLE,
        directives=block,
        orders=plan_orders(block, on, order_desk(block, has_files=bool(files))),
        **changes,
    )


class NobodyKnown:
    """Customers, of whom there are none."""

    def customer(self, customer_id: int) -> None:
        return None


def order_desk(block: DirectiveBlock, *, has_files: bool = False, **changes: Any) -> OrderDesk:
    """What Ana's words are weighed with: nothing but the sample catalogue."""
    agent = catalogue().staff.agent("ana")
    assert agent is not None
    plain = OrderDesk(
        catalogue=catalogue(),
        calendar=business_calendar(catalogue().calendar),
        agent=agent,
        now=NOW,
        undo_time=timedelta(minutes=5),
        check_field=check_field(catalogue(), NOW),
        held_against=held_against(catalogue(), NobodyKnown(), NOW),
        times_against=times_against(catalogue(), business_calendar(catalogue().calendar).zone),
        mailbox_address="atendimento@example.com.br",
        says_more=bool(block.remaining_text) or has_files,
    )
    return replace(plain, **changes)


def cause(situation: Situation, **changes: Any) -> Cause:
    """The stored mail behind a situation."""
    files = tuple(
        StoredFile(
            digest=one.sha256,
            filename=one.filename,
            media_type=one.media_type,
            size_bytes=one.size_bytes,
            sha256=one.sha256,
        )
        for one in situation.mail.attachments
    )
    plain = Cause(
        mail_id=7,
        mailbox="default",
        language="pt-BR",
        files=files,
        calendar=business_calendar(catalogue().calendar),
        number="2026-000002",
        agent=ANA if situation.sender.role is SenderRole.AGENT else None,
    )
    return replace(plain, **changes)
