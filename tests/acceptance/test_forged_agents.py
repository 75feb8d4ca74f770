"""Whoever is no agent achieves nothing, on Dovecot, Postfix and rspamd with real DKIM signatures; the agent does.

The attackers hold what attackers come to hold: the ticket's number, a notice that was forwarded to them, a mail of
the agent's with its signature, an address from an old address book. (THREATS 9-16, 28)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.headerregistry import Address
from email.message import EmailMessage
from pathlib import Path

from mailbot.domain.events import AuthorRole, EventKind, LetterKind, Visibility
from mailbot.domain.ledger import InboundRow
from mailbot.domain.ticket import Resolution, Status, Ticket
from tests.acceptance.desk import Desk, answer, new_mail, recipients_of, text_of
from tests.peers.process import wait_until
from tests.peers.stack import MailStack

_COMPANY = "example.com.br"
_SIGNED_BY_NOBODY = ""


@dataclass(slots=True, kw_only=True)
class Siege:
    """One customer's ticket, its agent's notice, and how many mails have come so far."""

    desk: Desk
    helena: Address
    mallory: Address
    notice: EmailMessage
    mails: int

    @property
    def ticket(self) -> Ticket:
        """Helena's ticket as it stands."""
        return self.desk.tickets()[0]

    def comes(self, raw: bytes, *, signed_by: str) -> InboundRow:
        """A mail from a server that may send for nobody: only a signature can speak for it."""
        signed = self.desk.stack.rspamd.sign(raw, signed_by) if signed_by else raw
        return self.comes_as_it_is(signed)

    def comes_as_it_is(self, raw: bytes) -> InboundRow:
        """A mail, with what signatures it may have, from a server that may send for nobody."""
        self.desk.stack.deliver_forged("alguem@outro.example", recipients_of(raw), raw)
        self.mails += 1
        return self.desk.settled(self.mails)[-1]

    def newest_to(self, person: Address, kind: LetterKind) -> str:
        """The text of the newest letter to ``person``, which must be of this kind."""
        letters = [one for one in self.desk.outbox() if one.recipient.address == person.addr_spec]
        assert letters[-1].letter is kind, letters[-1].letter
        return letters[-1].text


def _besieged(mail_stack: MailStack, folder: Path) -> Siege:
    desk = Desk(mail_stack, folder, plus=True)
    return Siege(
        desk=desk,
        helena=desk.customer("Helena Prado"),
        mallory=desk.customer("Mallory"),
        notice=EmailMessage(),
        mails=0,
    )


def _opens(siege: Siege) -> None:
    desk = siege.desk
    first = new_mail(siege.helena, desk.mailbox, "Dúvida", "Vocês abrem aos sábados?\n")
    siege.comes(first, signed_by="cliente.example")
    desk.letter(siege.helena, 1, "the acknowledgement")
    siege.notice = desk.letter(desk.bruno, 1, "the notice")


# --- the attacks ------------------------------------------------------------------------------------------------


def _a_forged_agent_without_a_signature(siege: Siege) -> None:
    siege.comes(answer(siege.notice, siege.desk.bruno, "#autorizar"), signed_by=_SIGNED_BY_NOBODY)
    assert "não conseguimos confirmar" in siege.newest_to(siege.desk.bruno, LetterKind.REPLY_REFUSED).lower()


def _a_forged_agent_with_the_signature_of_another_domain(siege: Siege) -> None:
    siege.comes(answer(siege.notice, siege.desk.bruno, "#autorizar"), signed_by="outro.example")
    assert "não conseguimos confirmar" in siege.newest_to(siege.desk.bruno, LetterKind.REPLY_REFUSED).lower()


def _a_forged_agent_with_a_genuine_signature_over_other_words(siege: Siege) -> None:
    signed = siege.desk.stack.rspamd.sign(answer(siege.notice, siege.desk.bruno, "Abrimos, sim."), _COMPANY)
    siege.comes_as_it_is(signed.replace(b"Abrimos, sim.", b"#autorizar   "))
    assert "não conseguimos confirmar" in siege.newest_to(siege.desk.bruno, LetterKind.REPLY_REFUSED).lower()


def _a_stolen_ticket_number(siege: Siege) -> None:
    subject = f"Re: [Chamado #{siege.ticket.number}] Dúvida"
    row = siege.comes(
        new_mail(siege.mallory, siege.desk.mailbox, subject, "#autorizar\nMande o histórico.\n"),
        signed_by="cliente.example",
    )
    _is_a_linked_ticket(siege, row, "not_a_participant")


def _a_replayed_handle(siege: Siege) -> None:
    row = siege.comes(answer(siege.notice, siege.mallory, "#autorizar"), signed_by="cliente.example")
    _is_a_linked_ticket(siege, row, "staff_handle_of_another")


def _a_handle_in_a_forwarded_mail(siege: Siege) -> None:
    # Bruno forwarded his notice to her; her program starts a thread of its own below.
    quoted = "\n".join(f"> {line}" for line in text_of(siege.notice).splitlines())
    text = f"#autorizar\n\n---------- Forwarded message ---------\n{quoted}\n"
    row = siege.comes(new_mail(siege.mallory, siege.desk.mailbox, "Enc: aviso", text), signed_by="cliente.example")
    _is_a_linked_ticket(siege, row, "staff_handle_of_another")


def _another_agents_handle(siege: Siege) -> None:
    desk = siege.desk
    siege.comes(answer(siege.notice, desk.ana, "#autorizar"), signed_by=_COMPANY)
    assert "enviado a outra pessoa da equipe" in siege.newest_to(desk.ana, LetterKind.REPLY_REFUSED)


def _an_agent_who_has_only_the_number(siege: Siege) -> None:
    desk = siege.desk
    subject = f"Re: [Chamado #{siege.ticket.number}] Dúvida"
    siege.comes(new_mail(desk.bruno, desk.mailbox, subject, "#autorizar\n"), signed_by=_COMPANY)
    siege.newest_to(desk.bruno, LetterKind.REPLY_REFUSED)


def _an_old_handle_from_the_address_book_with_a_word(siege: Siege) -> None:
    kept = str(siege.notice["Reply-To"])
    siege.comes(new_mail(siege.desk.bruno, kept, "Autorização", "#autorizar\n"), signed_by=_COMPANY)
    assert "#autorizar" in siege.newest_to(siege.desk.bruno, LetterKind.REPLY_REFUSED)


def _an_old_handle_from_the_address_book_under_a_new_subject(siege: Siege) -> None:
    kept = str(siege.desk.letters_of(siege.helena)[0]["Reply-To"])
    row = siege.comes(new_mail(siege.helena, kept, "Estacionamento", "Há vagas?\n"), signed_by="cliente.example")
    _is_a_linked_ticket(siege, row, "address_book")


def _a_customer_who_writes_a_staff_word(siege: Siege) -> None:
    letter = siege.desk.letters_of(siege.helena)[0]
    siege.comes(answer(letter, siege.helena, "#autorizar"), signed_by="cliente.example")
    written = siege.desk.history(siege.ticket.number)[-1]
    assert (written.role, written.text, written.visibility) == (
        AuthorRole.REQUESTER,
        "#autorizar",
        Visibility.PUBLIC,
    )


def _is_a_linked_ticket(siege: Siege, row: InboundRow, reason: str) -> None:
    number = row.ticket_number
    assert number is not None
    assert number != siege.ticket.number
    [linked] = [one for one in siege.desk.events(number) if one.kind is EventKind.THREAD_REFUSED]
    assert (linked.new, linked.detail) == (siege.ticket.number, reason)


ATTACKS: tuple[Callable[[Siege], None], ...] = (
    _a_forged_agent_without_a_signature,
    _a_forged_agent_with_the_signature_of_another_domain,
    _a_forged_agent_with_a_genuine_signature_over_other_words,
    _a_stolen_ticket_number,
    _a_replayed_handle,
    _a_handle_in_a_forwarded_mail,
    _another_agents_handle,
    _an_agent_who_has_only_the_number,
    _an_old_handle_from_the_address_book_with_a_word,
    _an_old_handle_from_the_address_book_under_a_new_subject,
    _a_customer_who_writes_a_staff_word,
)


def test_nobody_but_the_true_agent_achieves_anything(mail_stack: MailStack, tmp_path: Path) -> None:
    siege = _besieged(mail_stack, tmp_path)
    desk = siege.desk
    with desk.open_for_business():
        _opens(siege)
        for attack in ATTACKS:
            attack(siege)
            _nothing_was_achieved(siege, attack.__name__)
    # Half a year later: the handle has expired, and the refusal brings a fresh one.
    later = (datetime.now(UTC) + timedelta(days=181)).isoformat(timespec="seconds")
    with desk.open_for_business(now=later):
        siege.comes(answer(siege.notice, desk.bruno, "#autorizar"), signed_by=_COMPANY)
        _nothing_was_achieved(siege, "an expired handle")
        assert "já venceu" in siege.newest_to(desk.bruno, LetterKind.TICKET_READY)
        fresh = _newest_in_mailbox(desk, desk.bruno)
        true = desk.stack.rspamd.sign(answer(fresh, desk.bruno, "#autorizar"), _COMPANY)
        siege.comes_as_it_is(true)
        assert (siege.ticket.status, siege.ticket.resolution) == (Status.RESOLVED, Resolution.APPROVED)
        siege.comes(answer(fresh, desk.bruno, "#reabrir"), signed_by=_COMPANY)
        assert siege.ticket.status is Status.OPEN
        # Whoever caught the decision sends it again: as it is, and under a date that nobody signed.
        assert siege.comes_as_it_is(true).outcome == "duplicate"
        siege.comes_as_it_is(b"Date: Mon, 30 Nov 2026 09:00:00 -0300\r\n" + true)
        assert siege.ticket.status is Status.OPEN
    decided = [one for one in desk.events(siege.ticket.number) if one.kind is EventKind.DECIDED]
    assert len(decided) == 1
    assert len(_about(siege)) == 3, "the acknowledgement, the decision, the reopening"


def _nothing_was_achieved(siege: Siege, what: str) -> None:
    ticket = siege.ticket
    assert (ticket.status, ticket.resolution) == (Status.OPEN, None), what
    assert not [one for one in siege.desk.events(ticket.number) if one.kind is EventKind.DECIDED], what
    assert len(_about(siege)) == 1, f"{what}: {_about(siege)}"
    told = [one for one in siege.desk.outbox() if one.recipient.address == siege.mallory.addr_spec]
    assert not any(siege.helena.addr_spec in one.text or "sábados" in one.text for one in told), what


def _about(siege: Siege) -> list[str]:
    """Subjects of what Helena was told of her ticket."""
    return [
        one.subject
        for one in siege.desk.outbox()
        if one.recipient.address == siege.helena.addr_spec and one.ticket_number == siege.ticket.number
    ]


def _newest_in_mailbox(desk: Desk, person: Address) -> EmailMessage:
    sent = [one.message_id for one in desk.outbox() if one.recipient.address == person.addr_spec]
    wait_until(
        lambda: any(str(one["Message-ID"]) == f"<{sent[-1]}>" for one in desk.letters_of(person)),
        "the newest letter",
    )
    return next(one for one in desk.letters_of(person) if str(one["Message-ID"]) == f"<{sent[-1]}>")
