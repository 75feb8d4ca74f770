"""Intake end to end without servers: what mails do to tickets, and what letters come of it.

The first half goes through THREATS by row; the second through what requesters and agents do on ordinary days.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from unittest.mock import patch

import pytest

from mailbot.domain.events import (
    Audience,
    AuthorRole,
    EventKind,
    LetterKind,
    LetterStatus,
    OutboundLetter,
    TicketMessage,
    Visibility,
)
from mailbot.domain.handles import loop_mark
from mailbot.domain.ledger import MailOutcome
from mailbot.domain.outbox import LetterResult
from mailbot.domain.ticket import Resolution, Status, Ticket
from mailbot.domain.ticket_change import TicketChange
from mailbot.evidence.fields import extract_fields
from mailbot.flows import handle_mail, weighing
from mailbot.flows.bounced import LEAVES_AGAIN
from mailbot.flows.ports import UnitOfWork
from mailbot.flows.write_change import write_change
from tests.flows.house import (
    BOLETO,
    CUSTOMER,
    LICENCE,
    MAILBOX,
    RECEIPT,
    REPOSITORY,
    REQUEST,
    TestHouse,
    mail,
    reply_to,
)
from tests.pictures import png

ANA, BRUNO = "ana@example.com.br", "bruno@example.com.br"
STRANGER = "estranho@outro.example.com.br"
ALL_PAPERS = [BOLETO, RECEIPT, LICENCE]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[TestHouse]:
    """A mailbox that begins today."""
    with TestHouse(tmp_path) as opened:
        yield opened


def to(house: TestHouse, address: str) -> list[OutboundLetter]:
    """The letters to one address, oldest first."""
    return [letter for letter in house.letters() if letter.recipient.address == address]


def unchecked(raw: bytes) -> bytes:
    """The mail as if its sender's domain had no policy: neither verified nor failed."""
    return raw.replace(b"dmarc=pass", b"dmarc=none")


def failed(raw: bytes) -> bytes:
    """The mail as if our server had found its sender forged."""
    return raw.replace(b"dmarc=pass", b"dmarc=fail")


def kinds(letters: list[OutboundLetter]) -> list[LetterKind]:
    return [letter.letter for letter in letters]


def happened(house: TestHouse, number: str) -> list[EventKind]:
    with house.app.storage.read() as work:
        return [event.kind for event in work.tickets.events(number)]


def messages(house: TestHouse, number: str) -> list[TicketMessage]:
    with house.app.storage.read() as work:
        return work.tickets.messages(number)


def complete_ticket(house: TestHouse) -> tuple[Ticket, OutboundLetter]:
    """A complete request and the notice to the agent about it."""
    house.receive(mail(REQUEST, files=ALL_PAPERS))
    (ticket,) = house.tickets()
    (notice,) = to(house, ANA)
    return ticket, notice


def incomplete_ticket(house: TestHouse) -> tuple[Ticket, OutboundLetter]:
    """A request without the licence and the letter that asks for it."""
    house.receive(mail(REQUEST, files=[BOLETO, RECEIPT]))
    ticket = house.tickets()[-1]
    return ticket, to(house, CUSTOMER)[-1]


def resolved_ticket(house: TestHouse) -> OutboundLetter:
    """A ticket that Ana approved, and the decision."""
    _, notice = complete_ticket(house)
    house.agent_reply(notice, "#autorizar")
    return to(house, CUSTOMER)[-1]


# --- THREATS B.1: loops, bounces, backscatter ---------------------------------------------------------------


def test_threat_1_two_bots_with_all_headers_stripped_stop_after_few_letters(house: TestHouse) -> None:
    house.receive(mail("Recebemos seu contato.", subject="Chamado recebido - 1"))
    sent = 0
    for turn in range(200):
        new = [one for one in to(house, CUSTOMER) if one.status is LetterStatus.QUEUED][sent:]
        if not new:
            break
        sent += len(new)
        # The other system opens a ticket of its own for each letter of ours and says so under a new subject.
        subject = f"Chamado recebido - {turn} - {new[-1].subject}"[:200]
        house.receive(mail(f"Recebemos seu contato número {turn}.", subject=subject))
    assert sent <= 20


def test_threat_1_two_bots_that_answer_in_the_thread_stop_after_few_letters(house: TestHouse) -> None:
    house.receive(mail("Recebemos seu contato.", subject="Chamado recebido - 1"))
    letter = to(house, CUSTOMER)[0]
    for turn in range(50):
        house.receive(reply_to(letter, f"Recebemos seu contato e abrimos o protocolo {turn}."))
    assert len(to(house, CUSTOMER)) == 1
    assert len(house.tickets()) == 1


@pytest.mark.parametrize(
    "header",
    [
        ("Auto-Submitted", "auto-generated"),
        ("Precedence", "bulk"),
        ("List-Id", "<avisos.example.com.br>"),
        ("X-Auto-Response-Suppress", "All"),
        ("Return-Path", "<>"),
    ],
)
def test_threat_1_what_a_machine_may_have_written_opens_a_ticket_and_gets_no_letter(
    house: TestHouse, header: tuple[str, str]
) -> None:
    house.receive(mail(REQUEST, files=[BOLETO], headers=[header]))
    (ticket,) = house.tickets()
    assert ticket.status is Status.OPEN
    assert to(house, CUSTOMER) == []
    (notice,) = to(house, ANA)
    assert "nenhuma mensagem nossa foi enviada ao cliente" in notice.text
    assert EventKind.LETTER_SUPPRESSED in happened(house, ticket.number)


def test_threat_2_our_own_mail_that_comes_back_is_discarded(house: TestHouse) -> None:
    key = house.environment["MAILBOT_SECRET_KEY"].encode()
    own = ("X-Mailbot-Loop", loop_mark(key, "", MAILBOX, MAILBOX))
    assert house.receive(mail("Olá", sender=MAILBOX, headers=[own])) is MailOutcome.DISCARDED
    assert (house.tickets(), house.letters()) == ([], [])


def test_threat_2_a_stranger_who_copies_the_loop_mark_is_not_ignored(house: TestHouse) -> None:
    key = house.environment["MAILBOT_SECRET_KEY"].encode()
    copied = ("X-Mailbot-Loop", loop_mark(key, "", MAILBOX, CUSTOMER))
    assert house.receive(mail(REQUEST, headers=[copied])) is MailOutcome.TICKET


def test_threat_3_an_absence_note_without_headers_is_kept_and_not_answered(house: TestHouse) -> None:
    ticket, asked = incomplete_ticket(house)
    house.receive(
        mail(
            "Estou de férias até dia 30.",
            subject=f"Resposta automática: {asked.subject}",
            in_reply_to=asked.message_id,
        )
    )
    assert len(to(house, CUSTOMER)) == 1
    assert len(messages(house, ticket.number)) == 2
    assert house.tickets()[0].status is Status.AWAITING_REQUESTER


def test_threat_4_a_person_behind_an_outlook_gateway_is_answered(house: TestHouse) -> None:
    house.receive(mail(REQUEST, headers=[("X-Auto-Response-Suppress", "OOF, DR, RN, NRN")]))
    assert kinds(to(house, CUSTOMER)) == [LetterKind.EVIDENCE_REQUESTED]


def test_threat_4_a_person_who_may_not_be_answered_is_still_heard_on_a_resolved_ticket(house: TestHouse) -> None:
    decision = resolved_ticket(house)
    before = len(to(house, ANA))
    house.receive(
        mail(
            "Cheguei lá e disseram que não há vaga. O que eu faço?",
            subject=f"RES: {decision.subject}",
            in_reply_to=decision.message_id,
            headers=[("X-Auto-Response-Suppress", "All")],
        )
    )
    assert kinds(to(house, ANA)[before:]) == [LetterKind.REQUESTER_REPLIED]


def _dsn(letter: OutboundLetter, *, status: str = "5.1.1", action: str = "failed", headers: str = "") -> bytes:
    return (
        f"From: MAILER-DAEMON@mx.example.com.br\r\nTo: {MAILBOX}\r\nReturn-Path: <>\r\n"
        f"Subject: Undelivered Mail Returned to Sender\r\n"
        f"Message-ID: <dsn.{status}.{action}{len(headers)}@mx.example.com.br>\r\n"
        f"{headers}Date: Mon, 23 Nov 2026 12:00:00 -0300\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
        "--b\r\nContent-Type: text/plain\r\n\r\nThis is the mail system.\r\n"
        "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example.com.br\r\n\r\n"
        f"Final-Recipient: rfc822; {letter.recipient.address}\r\nAction: {action}\r\nStatus: {status}\r\n"
        "Diagnostic-Code: smtp; 550 5.1.1 user unknown\r\n\r\n"
        "--b\r\nContent-Type: message/rfc822\r\n\r\n"
        f"From: {MAILBOX}\r\nTo: {letter.recipient.address}\r\nMessage-ID: <{letter.message_id}>\r\n"
        f"Subject: x\r\n\r\n{letter.text[:200]}\r\n--b--\r\n"
    ).encode()


def test_threat_5_a_bounce_is_told_to_staff_once_and_never_answered(house: TestHouse) -> None:
    ticket, notice = complete_ticket(house)
    (acknowledgement,) = to(house, CUSTOMER)
    assert house.receive(_dsn(acknowledgement)) is MailOutcome.BOUNCE
    assert house.receive(_dsn(acknowledgement, headers="X-Again: 1\r\n")) is MailOutcome.BOUNCE
    assert kinds(to(house, ANA)) == [notice.letter, LetterKind.DELIVERY_FAILED]
    assert len(to(house, CUSTOMER)) == 1
    assert happened(house, ticket.number).count(EventKind.DELIVERY_FAILED) == 1


_CPANEL = "Domain example.com.br has exceeded the max emails per hour (3/2 (150%)) allowed.  Message discarded."


def _exim_bounce(letter: OutboundLetter) -> bytes:
    return (
        f"From: Mail Delivery System <Mailer-Daemon@mx.example.com.br>\r\nTo: {MAILBOX}\r\nReturn-Path: <>\r\n"
        f"X-Failed-Recipients: {letter.recipient.address}\r\nAuto-Submitted: auto-replied\r\n"
        "Subject: Mail delivery failed: returning message to sender\r\nMessage-ID: <E1@mx.example.com.br>\r\n\r\n"
        "This message was created automatically by mail delivery software.\r\n\r\n"
        "A message that you sent could not be delivered to one or more of its\r\n"
        "recipients. This is a permanent error. The following address(es) failed:\r\n\r\n"
        f"  {letter.recipient.address}\r\n    {_CPANEL}\r\n\r\n"
        f"------ This is a copy of the message ------\r\n\r\nMessage-ID: <{letter.message_id}>\r\n\r\nx\r\n"
    ).encode()


def _leave(house: TestHouse) -> list[str]:
    """Every letter that is due leaves; their Message-IDs."""
    gone: list[str] = []
    sent = LetterResult(status=LetterStatus.SENT, sent_at=house.clock.now())
    with house.app.storage.write() as work:
        while claimed := work.outbox.claim(
            owner="me", now=house.clock.now(), real_now=datetime.now(UTC), early=False
        ):
            work.outbox.record(claimed, sent, owner="me")
            gone.append(claimed.letter.message_id)
    return gone


def _failures(house: TestHouse, number: str) -> list[str]:
    with house.app.storage.read() as work:
        events = work.tickets.events(number)
    return [event.detail for event in events if event.kind is EventKind.DELIVERY_FAILED]


def _for_limit(letter: OutboundLetter) -> bytes:
    return _dsn(letter).replace(b"550 5.1.1 user unknown", _CPANEL.encode())


@pytest.mark.parametrize(
    "returned",
    [
        _for_limit,
        lambda letter: (
            _dsn(letter, status="5.0.0")
            .replace(b"Diagnostic-Code: smtp; 550 5.1.1 user unknown\r\n", b"")
            .replace(b"This is the mail system.", _CPANEL.encode())
        ),
        _exim_bounce,
    ],
)
def test_a_letter_thrown_away_for_our_providers_hourly_limit_leaves_again_twice(
    house: TestHouse, returned: Callable[[OutboundLetter], bytes]
) -> None:
    """cPanel takes it and then returns it as failed for good: nothing is wrong with the customer's address."""
    ticket, notice = complete_ticket(house)
    (letter,) = to(house, CUSTOMER)
    house.clock.advance(timedelta(minutes=5))
    assert letter.message_id in _leave(house)
    again = f"{LEAVES_AGAIN} {CUSTOMER}"
    for time in (1, 2):
        report = returned(letter).replace(b"Message-ID: <", b"Message-ID: <%d." % time, 1)
        assert house.receive(report) is MailOutcome.BOUNCE
        # A second report of the same is no news.
        house.receive(report.replace(b"Message-ID: <", b"Message-ID: <copy.", 1))
        assert _leave(house) == []
        house.clock.advance(timedelta(minutes=61))
        assert _leave(house) == [letter.message_id]
        assert _failures(house, ticket.number) == [again] * time
    assert kinds(to(house, ANA)) == [notice.letter]
    # Not for ever: the report may be made up by somebody who wants the letter again and again.
    house.receive(returned(letter).replace(b"Message-ID: <", b"Message-ID: <third.", 1))
    house.clock.advance(timedelta(minutes=61))
    assert letter.message_id not in _leave(house)
    assert len(_failures(house, ticket.number)) == 3
    assert kinds(to(house, ANA)) == [notice.letter, LetterKind.DELIVERY_FAILED]


def test_a_letter_that_is_a_day_old_does_not_leave_again(house: TestHouse) -> None:
    ticket, _ = complete_ticket(house)
    (letter,) = to(house, CUSTOMER)
    house.clock.advance(timedelta(days=1))
    _leave(house)
    house.receive(_for_limit(letter))
    assert to(house, CUSTOMER)[0].status is LetterStatus.FAILED
    assert _failures(house, ticket.number) == [_CPANEL.replace("  ", " ")]


def _returned_by_another(letter: OutboundLetter) -> bytes:
    return _for_limit(letter).replace(b"Action:", b"Remote-MTA: dns; mx.cliente.example\r\nAction:")


@pytest.mark.parametrize(
    "returned",
    [
        _returned_by_another,
        lambda letter: _for_limit(letter).replace(
            _CPANEL.encode(), b"550 5.1.1 host mx.cliente.example said: " + _CPANEL.encode()
        ),
        lambda letter: _dsn(letter).replace(b"user unknown", b"<daily.limit@5.4.5.example> unknown"),
        lambda letter: _exim_bounce(letter).replace(
            _CPANEL.encode(), b"SMTP error from remote mail server after RCPT TO: 550 " + _CPANEL.encode()
        ),
    ],
)
def test_a_limit_of_the_recipients_server_does_not_make_a_letter_leave_again(
    house: TestHouse, returned: Callable[[OutboundLetter], bytes]
) -> None:
    complete_ticket(house)
    (letter,) = to(house, CUSTOMER)
    house.clock.advance(timedelta(minutes=5))
    _leave(house)
    house.receive(returned(letter))
    assert to(house, CUSTOMER)[0].status is LetterStatus.FAILED
    assert LetterKind.DELIVERY_FAILED in kinds(to(house, ANA))


def test_an_imported_report_makes_no_letter_leave_again(house: TestHouse) -> None:
    complete_ticket(house)
    (letter,) = to(house, CUSTOMER)
    house.clock.advance(timedelta(minutes=5))
    _leave(house)
    house.receive(_for_limit(letter), answer=False)
    house.clock.advance(timedelta(hours=2))
    assert letter.message_id not in _leave(house)


def test_a_letter_does_not_leave_again_after_a_newer_one(house: TestHouse) -> None:
    """The customer would hear that a paper is missing after they heard that all is there."""
    incomplete_ticket(house)
    checklist = to(house, CUSTOMER)[-1]
    house.clock.advance(timedelta(minutes=5))
    _leave(house)
    house.requester_reply(checklist, "Segue a CNH", files=[LICENCE])
    house.clock.advance(timedelta(minutes=5))
    _leave(house)
    house.receive(_for_limit(checklist))
    house.clock.advance(timedelta(hours=2))
    assert checklist.message_id not in _leave(house)
    assert LetterKind.DELIVERY_FAILED in kinds(to(house, ANA))


def test_a_letter_does_not_leave_again_when_its_ticket_has_changed(house: TestHouse) -> None:
    decision = resolved_ticket(house)
    house.clock.advance(timedelta(minutes=15))
    assert decision.message_id in _leave(house)
    house.requester_reply(decision, "Cheguei lá e não me atenderam.")
    assert to(house, CUSTOMER)[-1].message_id == decision.message_id
    house.receive(_for_limit(decision))
    house.clock.advance(timedelta(hours=2))
    assert decision.message_id not in _leave(house)


def test_threat_5_a_bounce_never_reopens(house: TestHouse) -> None:
    decision = resolved_ticket(house)
    house.receive(_dsn(decision))
    assert house.tickets()[0].status is Status.RESOLVED


def test_threat_5_a_delay_is_no_failure(house: TestHouse) -> None:
    _, notice = complete_ticket(house)
    house.receive(_dsn(to(house, CUSTOMER)[0], status="4.4.1", action="delayed"))
    assert to(house, ANA) == [notice]


def test_threat_5_a_bounced_notice_is_told_to_the_others_of_the_queue_and_not_to_the_dead_address(
    house: TestHouse,
) -> None:
    ticket, notice = complete_ticket(house)
    house.receive(_dsn(notice))
    assert kinds(to(house, ANA)) == [LetterKind.TICKET_READY]
    assert kinds(to(house, BRUNO)) == [LetterKind.DELIVERY_FAILED]
    assert "Veja quem assume" in to(house, BRUNO)[0].text
    assert EventKind.DELIVERY_FAILED in happened(house, ticket.number)


def test_threat_5_two_dead_addresses_do_not_hear_of_each_other_for_ever(house: TestHouse) -> None:
    _, notice = complete_ticket(house)
    house.receive(_dsn(notice))
    before = len(house.letters())
    house.receive(_dsn(to(house, BRUNO)[0]))
    assert len(house.letters()) == before


def test_threat_6_forged_senders_get_no_more_acknowledgements_than_the_cap(house: TestHouse) -> None:
    for number in range(70):
        raw = mail("Compre já", subject="Oferta", sender=f"vitima{number}@alvo.example.com.br")
        house.receive(unchecked(raw))
    assert len(house.tickets()) == 70
    queued = [one for one in house.letters(Audience.REQUESTER) if one.status is LetterStatus.QUEUED]
    assert len(queued) == 60
    held = [one for one in house.letters(Audience.REQUESTER) if one.status is LetterStatus.HELD]
    assert len(held) == 10
    assert EventKind.LETTER_HELD in happened(house, held[0].ticket_number or "")


def test_threat_6_forged_senders_get_no_more_reminders_than_the_cap(house: TestHouse) -> None:
    for number in range(70):
        house.receive(unchecked(mail(REQUEST, sender=f"vitima{number}@alvo.example.com.br")))
    house.clock.advance(timedelta(days=1, hours=1))
    house.app.upkeep.tick()
    reminders = [one for one in house.letters(Audience.REQUESTER) if one.letter is LetterKind.REMINDER]
    assert 0 < len(reminders) <= 60
    assert {one.status for one in reminders} == {LetterStatus.QUEUED}


def test_threat_6_a_letter_to_an_unverified_sender_repeats_nothing_of_theirs_but_the_subject(
    house: TestHouse,
) -> None:
    body = REQUEST.replace("mudança de cidade", "compre em http://golpe.example agora").replace(
        "Nome: Maria", "Nome: Ganhe Dinheiro"
    )
    raw = mail(
        body,
        sender='"Clique em golpe.example" <vitima@alvo.example.com.br>',
        files=[("golpe.example.pdf", LICENCE[1]), BOLETO, RECEIPT],
    )
    house.receive(unchecked(raw))
    (letter,) = house.letters(Audience.REQUESTER)
    for part in (letter.text, letter.html, letter.subject):
        assert "golpe" not in part
        assert "Ganhe" not in part


def test_threat_6_an_address_that_our_server_calls_forged_gets_no_letter(house: TestHouse) -> None:
    house.receive(failed(mail(REQUEST)))
    assert to(house, CUSTOMER) == []
    assert len(to(house, ANA)) == 1


def test_threat_7_the_answer_goes_to_from_and_not_to_reply_to(house: TestHouse) -> None:
    house.receive(mail(REQUEST, headers=[("Reply-To", "vitima@alvo.example.com.br")]))
    assert {one.recipient.address for one in house.letters(Audience.REQUESTER)} == {CUSTOMER}


@pytest.mark.parametrize(
    ("header", "body"),
    [
        (("List-Unsubscribe", "<mailto:sair@lista.example.com.br>"), "Ofertas"),
        (("Content-Class", "urn:content-classes:calendarmessage"), "BEGIN:VCALENDAR"),
    ],
)
def test_threat_8_a_lists_mail_is_read_by_a_person_and_not_answered(
    house: TestHouse, header: tuple[str, str], body: str
) -> None:
    raw = mail(body, subject="Aceito: Reunião", headers=[header])
    if body.startswith("BEGIN"):
        raw = raw.replace(b"Content-Type: text/plain", b"Content-Type: text/calendar; method=REPLY")
    assert house.receive(raw) is MailOutcome.TICKET
    assert to(house, CUSTOMER) == []
    assert kinds(to(house, BRUNO)) == [LetterKind.TICKET_READY]


def test_threat_8_a_read_receipt_is_discarded(house: TestHouse) -> None:
    _, notice = complete_ticket(house)
    before = len(house.letters())
    receipt = mail("Lida.", subject=f"Lida: {notice.subject}").replace(
        b'Content-Type: text/plain; charset="utf-8"',
        b"Content-Type: multipart/report; report-type=disposition-notification; boundary=b",
    )
    assert house.receive(receipt) is MailOutcome.DISCARDED
    assert len(house.letters()) == before


# --- THREATS B.2: identity, threading, authority --------------------------------------------------------------


def test_threat_9_a_forged_staff_mail_in_the_thread_is_a_note_and_the_agent_is_told(house: TestHouse) -> None:
    ticket, notice = complete_ticket(house)
    house.receive(
        failed(mail("#autorizar", subject=f"RES: {notice.subject}", sender=ANA, in_reply_to=notice.message_id))
    )
    assert house.tickets()[0].status is Status.OPEN
    assert kinds(to(house, ANA)) == [LetterKind.TICKET_READY, LetterKind.REPLY_REFUSED]
    assert len(to(house, CUSTOMER)) == 1
    note = messages(house, ticket.number)[-1]
    assert (note.visibility, note.unverified) == (Visibility.INTERNAL, True)


def test_threat_9_a_staff_mail_that_only_names_the_ticket_is_a_note_and_the_agent_is_told(
    house: TestHouse,
) -> None:
    ticket, notice = complete_ticket(house)
    for verdict in (unchecked, failed):
        house.receive(verdict(mail("#autorizar", subject=f"RES: {notice.subject}", sender=ANA)))
    (after,) = house.tickets()
    assert after.status is Status.OPEN
    # Once a day: who forges a hundred mails does not have her told a hundred times.
    assert kinds(to(house, ANA))[1:] == [LetterKind.REPLY_REFUSED]
    assert len(to(house, CUSTOMER)) == 1
    assert [one.visibility for one in messages(house, ticket.number)[1:]] == [Visibility.INTERNAL] * 2


def test_threat_9_a_notice_to_one_agent_gives_another_no_authority(house: TestHouse) -> None:
    _, notice = complete_ticket(house)
    house.receive(
        mail("#autorizar", subject=f"RES: {notice.subject}", sender=BRUNO, in_reply_to=notice.message_id)
    )
    (ticket,) = house.tickets()
    assert ticket.status is Status.OPEN
    assert kinds(to(house, BRUNO)) == [LetterKind.REPLY_REFUSED]
    assert "outra pessoa da equipe" in to(house, BRUNO)[0].text


def test_threat_9_a_requester_who_writes_a_staff_word_decides_nothing(house: TestHouse) -> None:
    _, asked = incomplete_ticket(house)
    house.requester_reply(asked, "#autorizar\nPode liberar.")
    assert house.tickets()[0].resolution is None


def test_threat_10_forged_results_of_our_own_server_below_ours_do_not_count(house: TestHouse) -> None:
    _, notice = complete_ticket(house)
    forged = ("Authentication-Results", "mx.example.com.br; dmarc=pass header.from=example.com.br")
    house.receive(
        failed(
            mail(
                "#autorizar",
                subject=f"RES: {notice.subject}",
                sender=ANA,
                in_reply_to=notice.message_id,
                headers=[forged],
            )
        )
    )
    assert house.tickets()[0].status is Status.OPEN


def test_threat_11_two_senders_in_from_are_nobody_on_the_roster(house: TestHouse) -> None:
    _, notice = complete_ticket(house)
    raw = mail("#autorizar", subject=f"RES: {notice.subject}", sender=ANA, in_reply_to=notice.message_id)
    house.receive(raw.replace(b"From: ana@example.com.br", b"From: ana@example.com.br, x@outro.example.com.br"))
    assert EventKind.DECIDED not in happened(house, house.tickets()[0].number)
    assert len(to(house, CUSTOMER)) == 1


def test_threat_12_the_right_tag_from_a_stranger_opens_a_ticket_of_their_own(house: TestHouse) -> None:
    ticket, _ = complete_ticket(house)
    house.receive(mail("E aí?", subject=f"RES: [Chamado #{ticket.number}] ALTERAÇÃO DE LOCAL", sender=STRANGER))
    mine, theirs = house.tickets()
    assert theirs.requester.address == STRANGER
    assert EventKind.THREAD_REFUSED in happened(house, theirs.number)
    assert len(messages(house, mine.number)) == 1
    for letter in to(house, STRANGER):
        assert "Rio Verde" not in letter.text + letter.html
        assert "boleto.pdf" not in letter.text + letter.html


def test_threat_12_the_right_tag_from_the_requester_joins_unless_the_address_is_forged(house: TestHouse) -> None:
    ticket, _ = complete_ticket(house)
    tagged = f"[Chamado #{ticket.number}] outra coisa"
    house.receive(mail("Alguma novidade?", subject=tagged))
    assert len(house.tickets()) == 1
    house.receive(failed(mail("Cancelem tudo", subject=tagged)))
    assert len(house.tickets()) == 2


def test_threat_12_a_reply_to_a_closed_ticket_from_another_address_shows_it_nothing(house: TestHouse) -> None:
    decision = resolved_ticket(house)
    house.clock.advance(timedelta(days=20))
    house.app.upkeep.tick()
    house.receive(
        mail("Mande tudo para mim", subject=decision.subject, sender=STRANGER, in_reply_to=decision.message_id)
    )
    follow_up = house.tickets()[-1]
    assert follow_up.follow_up_of is not None
    assert to(house, STRANGER) == []
    assert follow_up.requester.address == CUSTOMER


def test_threat_13_a_guessed_message_id_threads_nothing(house: TestHouse) -> None:
    ticket, _ = complete_ticket(house)
    house.receive(mail("Oi", subject="Oi", sender=STRANGER, in_reply_to=f"chamado.{ticket.number}@example.com.br"))
    assert len(house.tickets()) == 2


def test_threat_13_the_message_id_of_the_customers_mail_lets_no_stranger_in(house: TestHouse) -> None:
    house.receive(mail(REQUEST, message_id="conhecido.1"))
    house.receive(mail("Oi", subject="Oi", sender=STRANGER, in_reply_to="conhecido.1@example.com.br"))
    assert len(house.tickets()) == 2
    assert EventKind.THREAD_REFUSED in happened(house, house.tickets()[-1].number)


def test_threat_14_a_foreign_tag_threads_nothing(house: TestHouse) -> None:
    ticket, _ = complete_ticket(house)
    house.receive(mail("Segue", subject=f"[Ticket#{ticket.number}] [B45 #0000054] Oi"))
    assert len(house.tickets()) == 2


def test_threat_15_empty_message_ids_join_nobody(house: TestHouse) -> None:
    for sender in (CUSTOMER, STRANGER):
        raw = mail("Oi", subject="Oi", sender=sender)
        head, _, rest = raw.partition(b"Message-ID:")
        house.receive(head + b"Message-ID: <>\nIn-Reply-To: <>\n" + rest.partition(b"\n")[2])
    assert len(house.tickets()) == 2


def test_threat_16_who_stands_in_cc_never_gets_a_byte(house: TestHouse) -> None:
    house.receive(mail(REQUEST, files=[BOLETO, RECEIPT], headers=[("Cc", STRANGER)]))
    asked = to(house, CUSTOMER)[0]
    house.requester_reply(asked, "Segue", files=[LICENCE])
    house.agent_reply(to(house, ANA)[0], "#autorizar")
    assert to(house, STRANGER) == []
    house.receive(mail("E o meu?", subject=asked.subject, sender=STRANGER))
    assert all("Rio Verde" not in one.text + one.html for one in to(house, STRANGER))


def test_threat_17_a_display_name_makes_nobody_an_agent(house: TestHouse) -> None:
    _, notice = complete_ticket(house)
    house.receive(
        mail(
            "#autorizar",
            subject=notice.subject,
            sender='"ana@example.com.br" <x@outro.example.com.br>',
            in_reply_to=notice.message_id,
        )
    )
    assert EventKind.DECIDED not in happened(house, house.tickets()[0].number)


def test_threat_28_a_command_in_the_quote_does_nothing(house: TestHouse) -> None:
    ticket, notice = complete_ticket(house)
    quote = "Em seg., 23 de nov. de 2026 às 12:00, X <x@example.com.br> escreveu:\n\n> #autorizar\n"
    body = f"Vou ver e te falo.\n\n{quote}"
    house.receive(mail(body, subject=notice.subject, sender=ANA, in_reply_to=notice.message_id))
    assert house.tickets()[0].status is Status.OPEN
    answer = to(house, CUSTOMER)[-1]
    assert answer.letter is LetterKind.AGENT_ANSWER
    assert "autorizar" not in answer.text
    assert messages(house, ticket.number)[-1].text == "Vou ver e te falo."


def test_threat_32_the_same_mail_twice_is_one_ticket(house: TestHouse) -> None:
    raw = mail(REQUEST)
    assert [house.receive(raw), house.receive(raw)] == [MailOutcome.TICKET, MailOutcome.DUPLICATE]
    assert len(house.letters()) == 1


def test_threat_32_the_same_id_with_other_content_suppresses_nothing(house: TestHouse) -> None:
    house.receive(mail("Primeiro", subject="Oi", sender=STRANGER, message_id="igual"))
    assert house.receive(mail(REQUEST, message_id="igual")) is not MailOutcome.DUPLICATE
    assert {ticket.requester.address for ticket in house.tickets()} == {CUSTOMER, STRANGER}
    assert [row.reason for row in house.mails()] == ["", "message_id_reused"]


# --- requesters on ordinary days ------------------------------------------------------------------------------


def test_the_first_answer_never_waits_and_a_later_checklist_does(house: TestHouse) -> None:
    house.receive(mail(REQUEST))
    (first,) = to(house, CUSTOMER)
    assert first.not_before == house.clock.now()
    _mark_sent(house, first)
    house.requester_reply(first, "Segue o boleto", files=[BOLETO])
    later = to(house, CUSTOMER)[-1]
    assert later.not_before == house.clock.now() + timedelta(seconds=60)


def test_a_later_checklist_is_replaced_by_a_newer_one_within_the_quiet_time(house: TestHouse) -> None:
    house.receive(mail(REQUEST))
    (first,) = to(house, CUSTOMER)
    _mark_sent(house, first)
    house.requester_reply(first, "Segue o boleto", files=[BOLETO])
    first_wait = to(house, CUSTOMER)[-1].not_before
    house.clock.advance(timedelta(seconds=30))
    house.requester_reply(first, "e o comprovante", files=[RECEIPT])
    letters = to(house, CUSTOMER)
    assert kinds(letters) == [LetterKind.EVIDENCE_REQUESTED] * 2
    assert letters[-1].not_before == first_wait
    house.requester_reply(first, "e a CNH", files=[LICENCE])
    assert kinds(to(house, CUSTOMER)) == [LetterKind.EVIDENCE_REQUESTED, LetterKind.EVIDENCE_COMPLETE]


def _mark_sent(house: TestHouse, letter: OutboundLetter) -> None:
    now = house.clock.now()
    with house.app.storage.write() as work:
        claimed = work.outbox.claim(owner="test", now=now, real_now=datetime.now(UTC), early=True)
        assert claimed is not None and claimed.letter.message_id == letter.message_id
        work.outbox.record(claimed, LetterResult(status=LetterStatus.SENT, sent_at=now), owner="test")


def test_a_fresh_mail_with_the_missing_paper_completes_the_one_open_request(house: TestHouse) -> None:
    ticket, _ = incomplete_ticket(house)
    house.receive(mail("segue a CNH", subject="CNH", files=[LICENCE]))
    (after,) = house.tickets()
    assert (after.number, after.status, after.missing) == (ticket.number, Status.OPEN, ())
    assert kinds(to(house, CUSTOMER))[-1] is LetterKind.EVIDENCE_COMPLETE
    assert kinds(to(house, ANA)) == [LetterKind.TICKET_READY]
    assert "não verificado" not in to(house, ANA)[0].text


def test_a_fresh_mail_with_the_missing_paper_from_an_unverified_address_is_marked_for_the_agent(
    house: TestHouse,
) -> None:
    house.app.close()
    del house.environment["MAILBOT_AUTHSERV_ID"]
    house.app = house.open()
    incomplete_ticket(house)
    house.receive(mail("segue a CNH", subject="CNH", files=[LICENCE]))
    (after,) = house.tickets()
    assert after.status is Status.OPEN
    assert "não verificado" in to(house, ANA)[0].text
    told = to(house, CUSTOMER)[-1]
    assert (told.letter, told.status) == (LetterKind.EVIDENCE_COMPLETE, LetterStatus.QUEUED)


def test_a_fresh_mail_with_the_missing_paper_from_a_forged_address_joins_nothing(house: TestHouse) -> None:
    ticket, _ = incomplete_ticket(house)
    house.receive(failed(mail("segue a CNH", subject="CNH", files=[LICENCE])))
    assert len(house.tickets()) == 2
    assert house.tickets()[0].missing == ticket.missing


def test_a_mail_is_read_for_its_fields_once_however_many_requests_of_its_sender_are_open(house: TestHouse) -> None:
    ticket, _ = incomplete_ticket(house)
    with house.app.storage.write() as work:
        for number in range(10):
            work.tickets.add(replace(ticket, number=f"2026-0001{number:02d}", version=0))
    with patch.object(weighing, "extract_fields", wraps=extract_fields) as extract:
        house.receive(mail("bom dia, tudo certo com o pedido?", subject="Dúvida"))
    # For the type with and without prose, for the general one, and for each other that has fields.
    assert extract.call_count <= len(house.app.catalogue.request_types) + 2


def test_a_fresh_mail_with_a_missing_paper_of_several_requests_asks_which_one(house: TestHouse) -> None:
    ticket, _ = incomplete_ticket(house)
    with house.app.storage.write() as work:
        work.tickets.add(replace(ticket, number="2026-000099", version=0))
    house.receive(mail("segue a CNH", subject="CNH", files=[LICENCE]))
    letter = to(house, CUSTOMER)[-1]
    assert letter.letter is LetterKind.WHICH_TICKET
    waiting = [one.number for one in house.tickets() if one.status is Status.AWAITING_REQUESTER]
    assert len(waiting) == 2
    assert all(number in letter.text for number in waiting)


def test_a_fresh_mail_about_something_else_is_not_swallowed_by_an_open_request(house: TestHouse) -> None:
    house.receive(mail("Local atual: Rio Verde\nNovo local: Jataí\nFone: 64 99999-1234\n"))
    (ticket,) = house.tickets()
    assert "reason" in ticket.missing
    house.receive(
        mail("Vocês atendem aos sábados? Qual é o horário de funcionamento?", subject="Dúvida de horário")
    )
    assert [one.request_type for one in house.tickets()] == [ticket.request_type, "general"]
    assert kinds(to(house, BRUNO)) == [LetterKind.TICKET_READY]


def test_a_second_full_request_is_appended_while_the_first_waits(house: TestHouse) -> None:
    ticket, _ = incomplete_ticket(house)
    house.receive(mail(REQUEST, files=ALL_PAPERS))
    (after,) = house.tickets()
    assert (after.number, after.status) == (ticket.number, Status.OPEN)


def test_a_request_of_another_sender_is_a_ticket_of_its_own(house: TestHouse) -> None:
    incomplete_ticket(house)
    house.receive(mail("segue a CNH", subject="CNH", files=[LICENCE], sender=STRANGER))
    assert len(house.tickets()) == 2
    assert house.tickets()[0].status is Status.AWAITING_REQUESTER


def test_a_reply_from_another_address_is_appended_marked_and_answered_to_the_requester_only(
    house: TestHouse,
) -> None:
    ticket, asked = incomplete_ticket(house)
    house.receive(
        mail(
            "Segue a CNH dela",
            subject=asked.subject,
            sender=STRANGER,
            in_reply_to=asked.message_id,
            files=[LICENCE],
        )
    )
    (after,) = house.tickets()
    assert after.status is Status.OPEN
    assert to(house, STRANGER) == []
    assert kinds(to(house, CUSTOMER))[-1] is LetterKind.EVIDENCE_COMPLETE
    assert f"veio de outro endereço ({STRANGER})" in to(house, ANA)[0].text
    message = messages(house, ticket.number)[-1]
    assert (message.role, message.from_another_address) == (AuthorRole.OTHER, True)


def test_a_question_on_a_waiting_ticket_reaches_staff(house: TestHouse) -> None:
    _, asked = incomplete_ticket(house)
    house.requester_reply(asked, "Não entendi: qual CNH vocês querem, a minha ou a do dono?")
    assert kinds(to(house, ANA)) == [LetterKind.REQUESTER_REPLIED]


def test_a_question_from_a_telephone_with_another_display_name_reaches_staff(house: TestHouse) -> None:
    _, asked = incomplete_ticket(house)
    house.receive(
        mail(
            "Qual CNH vocês querem, a minha ou a do dono?",
            subject=asked.subject,
            sender=f"Maria do Celular <{CUSTOMER}>",
            in_reply_to=asked.message_id,
        )
    )
    assert kinds(to(house, ANA)) == [LetterKind.REQUESTER_REPLIED]


def test_thanks_do_not_reopen_and_nobody_is_told(house: TestHouse) -> None:
    decision = resolved_ticket(house)
    before = len(house.letters())
    house.requester_reply(decision, "Muito obrigada!")
    (ticket,) = house.tickets()
    assert (ticket.status, len(house.letters())) == (Status.RESOLVED, before)
    assert len(messages(house, ticket.number)) == 3


def test_thanks_with_a_file_are_more_than_thanks(house: TestHouse) -> None:
    decision = resolved_ticket(house)
    house.requester_reply(decision, "Obrigada!", files=[("outro.pdf", LICENCE[1] + b"\n%")])
    assert house.tickets()[0].status is Status.OPEN


def test_a_real_message_reopens_and_the_agent_is_told(house: TestHouse) -> None:
    decision = resolved_ticket(house)
    house.clock.advance(timedelta(days=13))
    house.requester_reply(decision, "Cheguei lá e não me atenderam.")
    (ticket,) = house.tickets()
    assert (ticket.status, ticket.resolution, ticket.resolved_at) == (Status.OPEN, None, None)
    assert kinds(to(house, ANA))[-1] is LetterKind.REQUESTER_REPLIED
    assert "foi reaberto por esta mensagem" in to(house, ANA)[-1].text
    assert ticket.due_at is not None and ticket.due_at > house.clock.now()


def test_a_reply_to_a_closed_ticket_opens_a_linked_one(house: TestHouse) -> None:
    decision = resolved_ticket(house)
    house.clock.advance(timedelta(days=15))
    house.app.upkeep.tick()
    assert house.tickets()[0].status is Status.CLOSED
    house.requester_reply(decision, "Preciso de novo, o carro quebrou.")
    closed, follow_up = house.tickets()
    assert (closed.status, follow_up.follow_up_of) == (Status.CLOSED, closed.number)
    assert EventKind.LINKED in happened(house, follow_up.number)


def test_reminders_come_on_days_1_3_and_7_and_the_end_on_day_10(house: TestHouse) -> None:
    incomplete_ticket(house)
    begun = house.clock.now()
    told: list[tuple[int, LetterKind]] = []
    seen = to(house, CUSTOMER)[-1]
    for hours in range(0, 24 * 12, 6):
        house.clock.advance(begun + timedelta(hours=hours, minutes=1) - house.clock.now())
        house.app.upkeep.tick()
        # A newer one replaces an unsent one: there is one at a time.
        newest = to(house, CUSTOMER)[-1]
        if newest != seen:
            told.append(((house.clock.now() - begun).days, newest.letter))
            seen = newest
    (ticket,) = house.tickets()
    assert (ticket.status, ticket.resolution) == (Status.RESOLVED, Resolution.EXPIRED)
    assert told == [
        (1, LetterKind.REMINDER),
        (3, LetterKind.REMINDER),
        (7, LetterKind.REMINDER),
        (10, LetterKind.TICKET_EXPIRED),
    ]


def test_reminders_leave_between_8_and_18_local_time(house: TestHouse) -> None:
    incomplete_ticket(house)
    # 15:00 UTC is noon in São Paulo; 25 hours and 9 more make 22:00.
    house.clock.advance(timedelta(days=1, hours=10))
    house.app.upkeep.tick()
    assert LetterKind.REMINDER not in kinds(to(house, CUSTOMER))
    house.clock.advance(timedelta(hours=11))
    house.app.upkeep.tick()
    assert LetterKind.REMINDER in kinds(to(house, CUSTOMER))


def test_a_reply_to_an_expired_ticket_that_completes_it_is_told_to_both(house: TestHouse) -> None:
    _, asked = incomplete_ticket(house)
    house.clock.advance(timedelta(days=10, hours=1))
    house.app.upkeep.tick()
    assert house.tickets()[0].resolution is Resolution.EXPIRED
    house.requester_reply(asked, "Desculpem a demora, segue.", files=[LICENCE])
    (ticket,) = house.tickets()
    assert (ticket.status, ticket.resolution, ticket.missing) == (Status.OPEN, None, ())
    assert kinds(to(house, CUSTOMER))[-1] is LetterKind.EVIDENCE_COMPLETE
    assert kinds(to(house, ANA)) == [LetterKind.TICKET_READY]
    assert ticket.due_at is not None


def test_a_reply_to_an_expired_ticket_that_brings_only_a_part_asks_for_the_rest(house: TestHouse) -> None:
    house.receive(mail(REQUEST, files=[BOLETO]))
    (asked,) = to(house, CUSTOMER)
    house.clock.advance(timedelta(days=10, hours=1))
    house.app.upkeep.tick()
    house.requester_reply(asked, "Segue uma parte.", files=[LICENCE])
    (ticket,) = house.tickets()
    assert (ticket.status, ticket.missing, ticket.reminders_sent) == (
        Status.AWAITING_REQUESTER,
        ("payment_receipt",),
        0,
    )
    assert kinds(to(house, CUSTOMER))[-1] is LetterKind.EVIDENCE_REQUESTED


@pytest.mark.parametrize("tag", ["[Ticket #{number}]", "[Caso nº {number}]"])
def test_an_answer_that_keeps_only_the_subject_joins_its_ticket_whatever_the_mailboxs_tag_is(
    tmp_path: Path, tag: str
) -> None:
    """With any other word than *Chamado* it opened a second ticket."""
    config = tmp_path / "config"
    shutil.copytree(REPOSITORY / "config", config)
    path = config / "mailboxes.yaml"
    path.write_text(path.read_text("utf-8").replace("[Chamado #{number}]", tag), "utf-8")
    with TestHouse(tmp_path, config_dir=config) as house:
        house.receive(mail(REQUEST))
        (asked,) = to(house, CUSTOMER)
        assert asked.subject.startswith(tag.format(number=asked.ticket_number))
        assert house.receive(mail("Qual é o prazo?", subject=f"Re: {asked.subject}")) is MailOutcome.MESSAGE
        assert len(house.tickets()) == 1


def test_after_the_last_reminder_a_ticket_may_go_to_its_queue_instead(tmp_path: Path) -> None:
    config = tmp_path / "config"
    shutil.copytree(REPOSITORY / "config", config)
    path = config / "catalogue" / "inspection_location_change.yaml"
    path.write_text(
        path.read_text(encoding="utf-8").replace("after_reminders: expire", "after_reminders: to_queue")
    )
    with TestHouse(tmp_path, config_dir=config) as house:
        incomplete_ticket(house)
        house.clock.advance(timedelta(days=10, hours=1))
        house.app.upkeep.tick()
        (ticket,) = house.tickets()
        assert (ticket.status, ticket.resolution) == (Status.OPEN, None)
        assert ticket.due_at is not None
        assert kinds(to(house, ANA)) == [LetterKind.TICKET_READY]
        assert LetterKind.TICKET_EXPIRED not in kinds(to(house, CUSTOMER))


# --- agents on ordinary days ----------------------------------------------------------------------------------


def test_an_agents_plain_reply_reaches_the_requester_with_its_files_and_nothing_internal(house: TestHouse) -> None:
    _, notice = complete_ticket(house)
    house.agent_reply(
        notice, "Olá! O carro já está em Jataí?\n\n--\nAna Ribeiro\nramal 1234", files=[("mapa.pdf", LICENCE[1])]
    )
    answer = to(house, CUSTOMER)[-1]
    assert (answer.letter, answer.automatic) == (LetterKind.AGENT_ANSWER, False)
    assert "O carro já está em Jataí?" in answer.text
    assert [file.filename for file in answer.files] == ["mapa.pdf"]
    for inner in ("ramal 1234", "COMO RESPONDER", "#autorizar", "Quem lê", notice.handle, ANA):
        assert inner not in answer.text + answer.html
    assert answer.in_reply_to in answer.references
    assert answer.subject == to(house, CUSTOMER)[0].subject
    assert house.tickets()[0].assignee == ANA


def test_a_logo_in_an_agents_signature_is_not_passed_on(house: TestHouse) -> None:
    _, notice = complete_ticket(house)
    raw = mail("", subject=notice.subject, sender=ANA, in_reply_to=notice.message_id)
    message = message_from_bytes(raw, policy=default)
    assert isinstance(message, EmailMessage)
    message.set_content("Pode vir na terça?")
    message.add_alternative("<p>Pode vir na terça?</p><img src='cid:logo'>", subtype="html")
    html = list(message.iter_parts())[1]
    assert isinstance(html, EmailMessage)
    html.add_related(png(200, 60, size_bytes=4000), "image", "png", cid="<logo>")
    house.receive(message.as_bytes())
    answer = to(house, CUSTOMER)[-1]
    assert answer.letter is LetterKind.AGENT_ANSWER
    assert answer.files == ()


def test_an_agents_empty_reply_never_shows_the_notice_to_the_requester(house: TestHouse) -> None:
    ticket, notice = complete_ticket(house)
    house.agent_reply(notice, "")
    assert kinds(to(house, CUSTOMER)) == [LetterKind.TICKET_OPENED]
    assert kinds(to(house, ANA)) == [LetterKind.TICKET_READY, LetterKind.REPLY_REFUSED]
    # The notice itself, whole and without any mark of a quotation.
    house.receive(mail(notice.text, subject=notice.subject, sender=ANA, in_reply_to=notice.message_id))
    assert kinds(to(house, CUSTOMER)) == [LetterKind.TICKET_OPENED]
    assert messages(house, ticket.number)[-1].visibility is Visibility.INTERNAL


def test_an_agents_bottom_posted_reply_under_an_unmarked_notice_is_refused(house: TestHouse) -> None:
    _, notice = complete_ticket(house)
    house.receive(
        mail(
            f"{notice.text}\n\nPode vir na terça.",
            subject=notice.subject,
            sender=ANA,
            in_reply_to=notice.message_id,
        )
    )
    assert kinds(to(house, CUSTOMER)) == [LetterKind.TICKET_OPENED]
    assert "traz junto o texto do nosso aviso" in to(house, ANA)[-1].text


@pytest.mark.parametrize(
    ("text", "status", "resolution", "letter"),
    [
        ("#autorizar", Status.RESOLVED, Resolution.APPROVED, LetterKind.DECISION),
        ("#AUTORIZAR pode ir", Status.RESOLVED, Resolution.APPROVED, LetterKind.DECISION),
        ("#aprovado\nPode ir", Status.RESOLVED, Resolution.APPROVED, LetterKind.DECISION),
        ("#negar O boleto venceu.", Status.RESOLVED, Resolution.DENIED, LetterKind.DECISION),
        ("#negar\nO boleto venceu.", Status.RESOLVED, Resolution.DENIED, LetterKind.DECISION),
        ("#resolver Feito.", Status.RESOLVED, Resolution.DONE, LetterKind.AGENT_ANSWER),
        ("#resolver", Status.RESOLVED, Resolution.DONE, LetterKind.AGENT_ANSWER),
        ("#nota o cliente ligou", Status.OPEN, None, None),
        ("#nota\no cliente ligou", Status.OPEN, None, None),
    ],
)
def test_staff_words_do_what_they_say(
    house: TestHouse, text: str, status: Status, resolution: Resolution | None, letter: LetterKind | None
) -> None:
    _, notice = complete_ticket(house)
    house.agent_reply(notice, text)
    (ticket,) = house.tickets()
    assert (ticket.status, ticket.resolution) == (status, resolution)
    told = kinds(to(house, CUSTOMER))
    # A decision takes the place of an acknowledgement that has not left.
    assert (told[-1], len(told)) == (
        letter or LetterKind.TICKET_OPENED,
        2 if letter is LetterKind.AGENT_ANSWER else 1,
    )
    for one in to(house, CUSTOMER):
        assert "#" + text.split()[0].strip("#") not in one.text
        assert "ligou" not in one.text


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("#negar", "Escreva o motivo depois de #negar."),
        ("#autorizr", "Você quis dizer #autorizar?"),
        ("#fechar", "Só um chamado concluído pode ser encerrado"),
        ("#autorizar\n#negar não", "Não combina com #autorizar no mesmo e-mail."),
        ("#nota\n#autorizar", "Não combina com "),
    ],
)
def test_words_that_cannot_be_carried_out_do_nothing_and_the_agent_is_told_why(
    house: TestHouse, text: str, sentence: str
) -> None:
    ticket, notice = complete_ticket(house)
    house.agent_reply(notice, text)
    assert house.tickets()[0].status is Status.OPEN
    assert kinds(to(house, CUSTOMER)) == [LetterKind.TICKET_OPENED]
    refused = to(house, ANA)[-1]
    assert refused.letter is LetterKind.TRANSCRIPT
    assert "NADA FOI FEITO" in refused.text
    assert sentence in refused.text
    assert messages(house, ticket.number)[-1].visibility is Visibility.INTERNAL


def test_a_decision_waits_for_the_undo_time_and_a_second_one_is_refused(house: TestHouse) -> None:
    _, notice = complete_ticket(house)
    house.agent_reply(notice, "#autorizar")
    decision = to(house, CUSTOMER)[-1]
    assert decision.not_before == house.clock.now() + timedelta(minutes=5)
    house.agent_reply(notice, "#negar mudei de ideia")
    assert house.tickets()[0].resolution is Resolution.APPROVED
    assert "NADA FOI FEITO" in to(house, ANA)[-1].text
    assert "já está concluído" in to(house, ANA)[-1].text


def test_two_notes_in_one_mail_are_both_kept(house: TestHouse) -> None:
    ticket, notice = complete_ticket(house)
    house.agent_reply(notice, "#nota ligou de manhã\n#nota ligou à tarde")
    text = messages(house, ticket.number)[-1].text
    assert "ligou de manhã" in text and "ligou à tarde" in text


def test_an_agents_absence_note_is_nobodys_message_and_nobody_is_told(house: TestHouse) -> None:
    ticket, notice = complete_ticket(house)
    before = len(house.letters())
    for headers in ([("Auto-Submitted", "auto-replied")], [("Auto-Submitted", "auto-generated")], []):
        house.receive(
            mail(
                "Estou fora até sexta.",
                subject=f"Resposta automática: {notice.subject}",
                sender=ANA,
                in_reply_to=notice.message_id,
                headers=headers,
            )
        )
    assert len(house.letters()) == before
    assert AuthorRole.REQUESTER not in [one.role for one in messages(house, ticket.number)[1:]]


def test_a_ticket_that_changed_meanwhile_is_examined_again(
    house: TestHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticket, asked = incomplete_ticket(house)
    meddled: list[int] = []

    def meddling(work: UnitOfWork, change: TicketChange) -> None:
        if not meddled:
            meddled.append(1)
            now = work.tickets.get(ticket.number)
            assert now is not None
            work.tickets.change(replace(now, assignee=BRUNO), expected_version=now.version)
        write_change(work, change)

    monkeypatch.setattr(handle_mail, "write_change", meddling)
    assert house.requester_reply(asked, "Segue", files=[LICENCE]) is MailOutcome.MESSAGE
    (after,) = house.tickets()
    assert after.status is Status.OPEN
    assert len(messages(house, ticket.number)) == 2


def test_more_notices_than_an_agent_can_read_become_one_summary(house: TestHouse) -> None:
    for number in range(65):
        house.receive(
            mail("Oi", subject=f"Assunto {number}", sender=f"cliente{number}@varios{number}.example.com.br")
        )
    held = [one for one in to(house, BRUNO) if one.status is LetterStatus.HELD]
    assert len(held) == 5
    house.clock.advance(timedelta(minutes=20))
    house.app.alarms.tick()
    assert kinds(to(house, BRUNO)).count(LetterKind.NOTICES_SUMMARY) == 1
    assert len([one for one in to(house, BRUNO) if one.status is LetterStatus.HELD]) == 4


# --- what may leave ---------------------------------------------------------------------------------------------


def test_in_hold_mode_every_letter_is_held_and_nobody_is_told_of_it(tmp_path: Path) -> None:
    with TestHouse(tmp_path, send="hold", admin_address="admin@example.com.br") as house:
        house.receive(mail(REQUEST))
        house.app.alarms.tick()
        assert [one.status for one in house.letters()] == [LetterStatus.HELD]


def test_with_an_allowlist_only_listed_addresses_get_letters(tmp_path: Path) -> None:
    with TestHouse(tmp_path, send="allowlist", send_allowlist=f"{ANA}, @outro.example.com.br") as house:
        house.receive(mail(REQUEST, files=ALL_PAPERS))
        house.receive(mail(REQUEST, files=ALL_PAPERS, sender=STRANGER))
        statuses = {one.recipient.address: one.status for one in house.letters()}
        assert statuses == {
            CUSTOMER: LetterStatus.HELD,
            ANA: LetterStatus.QUEUED,
            STRANGER: LetterStatus.QUEUED,
        }


def test_an_alarm_that_is_held_itself_raises_no_further_alarm(tmp_path: Path) -> None:
    admin = "admin@example.com.br"
    with TestHouse(tmp_path, send="allowlist", send_allowlist=ANA, admin_address=admin) as house:
        house.receive(mail(REQUEST))
        for _ in range(5):
            house.app.alarms.tick()
            house.clock.advance(timedelta(seconds=30))
        assert len(to(house, admin)) == 1


def test_an_imported_bounce_sends_nothing(house: TestHouse) -> None:
    complete_ticket(house)
    before = len(house.letters())
    house.receive(_dsn(to(house, CUSTOMER)[0]), answer=False)
    assert len(house.letters()) == before


def test_a_newer_checklist_takes_the_place_of_an_unsent_one_whatever_the_caps_say(house: TestHouse) -> None:
    house.receive(unchecked(mail(REQUEST)))
    (first,) = house.letters(Audience.REQUESTER)
    other = mail("segue", subject=first.subject, sender=STRANGER, in_reply_to=first.message_id, files=[BOLETO])
    house.receive(unchecked(other))
    (newer,) = house.letters(Audience.REQUESTER)
    assert newer.status is LetterStatus.QUEUED
    assert newer.message_id != first.message_id


# --- caps -------------------------------------------------------------------------------------------------------


def _statuses(house: TestHouse, address: str) -> list[LetterStatus]:
    return [one.status for one in to(house, address)]


def test_a_verified_address_gets_20_letters_an_hour_and_the_rest_is_held(house: TestHouse) -> None:
    for number in range(22):
        house.receive(mail("Oi", subject=f"Assunto {number}"))
    assert _statuses(house, CUSTOMER) == [LetterStatus.QUEUED] * 20 + [LetterStatus.HELD] * 2
    assert len(house.tickets()) == 22
    house.clock.advance(timedelta(hours=1, minutes=1))
    house.receive(mail("Oi", subject="Assunto novo"))
    assert _statuses(house, CUSTOMER)[-1] is LetterStatus.QUEUED


def test_an_unverified_address_gets_5_letters_a_day(house: TestHouse) -> None:
    for number in range(7):
        house.receive(unchecked(mail("Oi", subject=f"Assunto {number}")))
    assert _statuses(house, CUSTOMER) == [LetterStatus.QUEUED] * 5 + [LetterStatus.HELD] * 2


def test_the_overall_cap_holds_automatic_letters_and_never_an_agents_words(tmp_path: Path) -> None:
    with TestHouse(tmp_path, max_letters_per_hour="1", admin_address="admin@example.com.br") as house:
        house.receive(mail(REQUEST, files=ALL_PAPERS))
        house.receive(mail("Oi", subject="Oi", sender=STRANGER))
        assert _statuses(house, STRANGER) == [LetterStatus.HELD]
        house.agent_reply(to(house, ANA)[0], "Pode vir.")
        assert (to(house, CUSTOMER)[-1].letter, to(house, CUSTOMER)[-1].status) == (
            LetterKind.AGENT_ANSWER,
            LetterStatus.QUEUED,
        )
        assert _statuses(house, BRUNO) == [LetterStatus.QUEUED]
        house.app.alarms.tick()
        (alarm,) = to(house, "admin@example.com.br")
        assert (alarm.letter, alarm.status) == (LetterKind.ALERT_LETTERS_HELD, LetterStatus.QUEUED)


def test_a_held_letter_stands_among_the_tickets_events(tmp_path: Path) -> None:
    with TestHouse(tmp_path, send="hold") as house:
        house.receive(mail("Oi", subject="Oi"))
        (ticket,) = house.tickets()
        assert EventKind.LETTER_HELD in happened(house, ticket.number)
