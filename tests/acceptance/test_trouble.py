"""What goes wrong in the world, on real servers: forgeries, bounces, loops, pauses; and how fast a letter is."""

from __future__ import annotations

import statistics
import time
from datetime import UTC, datetime
from email.headerregistry import Address
from functools import partial
from pathlib import Path

import pytest

from mailbot.demo.daemon_process import DaemonProcess
from mailbot.domain.events import EventKind, LetterStatus, Visibility
from mailbot.domain.ledger import MailOutcome
from mailbot.domain.mailbox import LONGEST_WAIT_SECONDS
from mailbot.domain.ticket import Status
from tests.acceptance.desk import Desk, answer, new_mail, text_of
from tests.peers.process import wait_until
from tests.peers.stack import MailStack


@pytest.fixture
def desk(mail_stack: MailStack, tmp_path: Path) -> Desk:
    """A mailbox of its own on the shared servers."""
    return Desk(mail_stack, tmp_path)


def test_a_forged_mail_of_an_agent_is_an_unverified_note_and_she_is_told(desk: Desk) -> None:
    helena = desk.customer("Helena Prado")
    with desk.open_for_business():
        desk.receives(new_mail(helena, desk.mailbox, "Dúvida", "Vocês abrem aos sábados?\n"), helena)
        desk.letter(helena, 1, "the acknowledgement")
        notice = desk.letter(desk.bruno, 1, "the notice")
        # Whoever forges it has even seen the notice: handle, thread and words are right.
        forged = answer(notice, desk.bruno, "#resolver Está resolvido, pode fechar.")
        results = (
            f"Authentication-Results: {desk.stack.authserv_id}; auth=pass smtp.auth={desk.bruno.addr_spec}\r\n"
        )
        desk.receives(results.encode() + forged, desk.bruno, forged=True)
        told = desk.letter(desk.bruno, 2, "that it was not applied")
        assert "Não conseguimos confirmar que este e-mail saiu mesmo do seu endereço" in text_of(told)
    (ticket,) = desk.tickets()
    assert ticket.status is Status.OPEN
    note = desk.history(ticket.number)[-1]
    assert (note.visibility, note.unverified) == (Visibility.INTERNAL, True)
    assert len(desk.letters_of(helena)) == 1


@pytest.mark.parametrize("plus", [False, True], ids=["plain", "plus"])
def test_a_letter_to_nobody_comes_back_as_a_bounce_and_staff_are_told_once(
    mail_stack: MailStack, tmp_path: Path, plus: bool
) -> None:
    desk = Desk(mail_stack, tmp_path, plus=plus)
    # Postfix takes mail for this domain and finds out later that nobody is there.
    ghost = Address("Fantasma", addr_spec=f"ninguem.{time.time_ns()}@outro.example")
    with desk.open_for_business():
        desk.receives(new_mail(ghost, desk.mailbox, "Dúvida", "Alguém aí?\n"), ghost)
        # The first is the notice of the ticket.
        failed = desk.letter(desk.bruno, 2, "the notice of the bounce")
        assert "Não conseguimos entregar uma mensagem do chamado" in text_of(failed)
        assert ghost.addr_spec in text_of(failed)
        ledger = desk.settled(2)
    assert [row.outcome for row in ledger] == [MailOutcome.TICKET, MailOutcome.BOUNCE]
    (ticket,) = desk.tickets()
    assert [event.kind for event in desk.events(ticket.number)].count(EventKind.DELIVERY_FAILED) == 1
    assert ticket.status is Status.OPEN
    assert len(desk.letters_of(desk.bruno)) == 2


def test_a_letter_that_the_server_refuses_at_once_is_told_to_staff(desk: Desk) -> None:
    # No such user in a domain of this very server: 550 on RCPT.
    ghost = Address("Fantasma", addr_spec=f"ninguem.{time.time_ns()}@cliente.example")
    with desk.open_for_business():
        desk.receives(new_mail(ghost, desk.mailbox, "Dúvida", "Alguém aí?\n"), ghost)
        wait_until(lambda: len(desk.letters_of(desk.bruno)) >= 2, "two notices")
    (ticket,) = desk.tickets()
    assert EventKind.DELIVERY_FAILED in [event.kind for event in desk.events(ticket.number)]
    assert len(desk.ledger()) == 1


def test_our_own_letter_that_comes_back_is_discarded(desk: Desk) -> None:
    helena = desk.customer("Helena Prado")
    with desk.open_for_business():
        desk.receives(new_mail(helena, desk.mailbox, "Dúvida", "Vocês abrem aos sábados?\n"), helena)
        letter = desk.letter(helena, 1, "the acknowledgement")
        # A rule in her mailbox sends everything back to where it came from.
        desk.stack.deliver_genuine(helena.addr_spec, [desk.mailbox], bytes(letter))
        ledger = desk.settled(2)
    assert [(row.outcome, row.reason) for row in ledger] == [
        (MailOutcome.TICKET, ""),
        (MailOutcome.DISCARDED, "own_mail"),
    ]
    assert len(desk.letters_of(helena)) == 1


_LONGEST_LOOP = 13


def test_two_bots_wired_to_each_other_with_all_headers_stripped_fall_silent(
    mail_stack: MailStack, tmp_path: Path
) -> None:
    folders = tmp_path / "a", tmp_path / "b"
    for folder in folders:
        folder.mkdir()
    one, other = Desk(mail_stack, folders[0]), Desk(mail_stack, folders[1])
    wire = one.customer("Fio")
    passed = 0
    # The hourly cap is set low for a quick test; that of 20 letters to one address is tried without servers.
    cap = {"max_letters_per_hour": "6"}
    with one.open_for_business(**cap), other.open_for_business(**cap):
        one.receives(new_mail(wire, one.mailbox, "Oi 0", "Oi.\n"), wire)
        while passed <= 2 * _LONGEST_LOOP:
            quiet = partial(_nothing_is_under_way, (one, other), wire, mails=passed + 1)
            wait_until(quiet, "nothing to be under way")
            arrived = one.letters_of(wire)[passed:]
            if not arrived:
                break
            for letter in arrived:
                passed += 1
                from_one = letter["From"].addresses[0].addr_spec == one.mailbox
                to = other if from_one else one
                # Nothing is left but words: no header, no tag, no reference.
                words = text_of(letter).partition("——")[0]
                to.receives(new_mail(wire, to.mailbox, f"Oi {passed}", words), wire)
    assert 2 <= passed <= _LONGEST_LOOP
    held = [letter for desk in (one, other) for letter in desk.outbox() if letter.status is LetterStatus.HELD]
    assert held, "what was not sent is held, not lost"
    # Every mail is a ticket all the same.
    assert len(one.tickets()) + len(other.tickets()) == passed + 1


_UNDER_WAY = {LetterStatus.QUEUED, LetterStatus.SENDING, LetterStatus.TRANSMITTING, LetterStatus.RETRY}


def _nothing_is_under_way(desks: tuple[Desk, Desk], wire: Address, *, mails: int) -> bool:
    """Whether each mail that was handed over is a ticket, and each letter of these lies there or stays here."""
    if sum(len(desk.tickets()) for desk in desks) < mails:
        return False
    letters = [letter for desk in desks for letter in desk.outbox()]
    sent = [one for one in letters if one.recipient.address == wire.addr_spec and one.status is LetterStatus.SENT]
    under_way = any(letter.status in _UNDER_WAY for letter in letters)
    return not under_way and len(desks[0].letters_of(wire)) == len(sent)


def test_on_hold_nothing_leaves_and_on_sends_none_of_what_was_held(desk: Desk) -> None:
    helena = desk.customer("Helena Prado")
    with desk.open_for_business(send="hold"):
        desk.receives(new_mail(helena, desk.mailbox, "Dúvida", "Vocês abrem aos sábados?\n"), helena)
        desk.settled(1)
    assert [letter.status for letter in desk.outbox()] == [LetterStatus.HELD] * 2
    with desk.open_for_business() as daemon:
        desk.receives(new_mail(helena, desk.mailbox, "Outra", "E aos domingos?\n"), helena)
        second = desk.letter(helena, 1, "the second acknowledgement only")
        assert "Outra" in str(second["Subject"])
        number = desk.tickets()[0].number
        daemon.ask("outbox", "release", "--ticket", number)
        desk.all_arrived()
    assert [len(desk.letters_of(one)) for one in (helena, desk.bruno)] == [2, 2]


def test_with_an_allowlist_only_listed_addresses_get_letters(desk: Desk) -> None:
    helena, maria = desk.customer("Helena Prado"), desk.customer("Maria Souza")
    with desk.open_for_business(send="allowlist", send_allowlist=f"{maria.addr_spec}, @example.com.br"):
        for customer in (helena, maria):
            desk.receives(new_mail(customer, desk.mailbox, "Dúvida", "Vocês abrem aos sábados?\n"), customer)
        desk.settled(2)
        desk.all_arrived()
    statuses = {letter.recipient.address: letter.status for letter in desk.outbox()}
    assert statuses[helena.addr_spec] is LetterStatus.HELD
    assert statuses[maria.addr_spec] is statuses[desk.bruno.addr_spec] is LetterStatus.SENT
    assert [len(desk.letters_of(one)) for one in (helena, maria, desk.bruno)] == [0, 1, 2]


def test_a_decision_waits_for_the_undo_time(desk: Desk) -> None:
    helena = desk.customer("Helena Prado")
    with desk.open_for_business(undo_minutes="10"):
        desk.receives(new_mail(helena, desk.mailbox, "Dúvida", "Vocês abrem aos sábados?\n"), helena)
        desk.letter(helena, 1, "the acknowledgement")
        notice = desk.letter(desk.bruno, 1, "the notice")
        desk.agent_sends(answer(notice, desk.bruno, "#resolver Não abrimos."), desk.bruno)
        desk.settled(2)
        decision = [one for one in desk.outbox() if one.recipient.address == helena.addr_spec][-1]
        assert decision.status is LetterStatus.QUEUED
        assert 595 <= (decision.not_before - decision.created_at).total_seconds() <= 605
    # A round by hand counts the undo time as over.
    assert len(desk.letters_of(helena)) == 1
    _run_once(desk)
    assert "Não abrimos." in text_of(desk.letter(helena, 2, "the answer"))


def _run_once(desk: Desk) -> None:
    environment = {**desk.environment, "MAILBOT_UNDO_MINUTES": "10"}
    DaemonProcess(environment, folder=desk.folder, log=desk.folder / "once.log").ask("run", "--once")


def test_the_first_letter_leaves_at_once_after_arrival(desk: Desk) -> None:
    seconds = []
    customers = [desk.customer(f"Cliente {number}") for number in range(20)]
    with desk.open_for_business():
        for customer in customers:
            arrived = datetime.now(UTC)
            desk.receives(new_mail(customer, desk.mailbox, "Dúvida", "Vocês abrem aos sábados?\n"), customer)
            desk.letter(customer, 1, "the acknowledgement")
            sent_at = _sent_at(desk, customer)
            seconds.append((sent_at - arrived).total_seconds())
    p95 = statistics.quantiles(seconds, n=20)[-1]
    median = statistics.median(seconds)
    print(f"arrival to first letter: median {median:.3f} s, p95 {p95:.3f} s")  # noqa: T201
    # The figure itself belongs to the benchmarks; here only that nobody waits for a poll.
    assert median < LONGEST_WAIT_SECONDS / 20


def _sent_at(desk: Desk, customer: Address) -> datetime:
    found: list[datetime] = []

    def sent() -> bool:
        found[:] = [
            letter.sent_at
            for letter in desk.outbox()
            if letter.recipient.address == customer.addr_spec and letter.sent_at is not None
        ]
        return bool(found)

    wait_until(sent, "the letter marked as sent")
    return found[0]
