"""Reprocessing (INTERFACE *Reprocess*): mails without outcome as if they came now, tickets counted again."""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from sqlalchemy.engine.interfaces import ReflectedPrimaryKeyConstraint

from mailbot.domain.errors import UnreadableMail
from mailbot.domain.events import Audience, EventKind, LetterKind, LetterStatus, OutboundLetter, TicketEvent
from mailbot.domain.evidence import DocumentKind, DocumentReading
from mailbot.domain.ledger import MailOutcome
from mailbot.domain.ticket import Resolution, Status
from mailbot.evidence.isolation import IsolatedDocumentReader
from mailbot.evidence.reading import not_read, read_document
from mailbot.flows.reprocess import Reprocessed, tasks_for
from tests.flows.house import BOLETO, CUSTOMER, LICENCE, RECEIPT, REPOSITORY, REQUEST, TestHouse, mail

ALL_PAPERS = (BOLETO, RECEIPT, LICENCE)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[TestHouse]:
    with TestHouse(tmp_path) as made:
        yield made


def reprocess(house: TestHouse, *, quiet: bool = False, dry_run: bool = False) -> list[Reprocessed]:
    flow = house.app.reprocess()
    return [flow.do(task, quiet=quiet, dry_run=dry_run) for task in tasks_for(house.mails())]


def events(house: TestHouse, number: str = "2026-000001") -> list[TicketEvent]:
    with house.app.storage.read() as work:
        return work.tickets.events(number)


def snapshot(house: TestHouse) -> dict[str, list[Any]]:
    """Every row of the database, but for claims, which come and go."""
    from sqlalchemy import inspect, text

    passing = {"owner", "fence", "lease_until", "begun_at"}
    with house.app.database.read() as connection:
        inspected = inspect(connection)
        keys = {name: inspected.get_pk_constraint(name) for name in inspected.get_table_names()}
        return {
            name: [
                {column: value for column, value in row.items() if column not in passing}
                for row in connection.execute(text(f"select * from {name} order by {_columns_of(key)}")).mappings()
            ]
            for name, key in keys.items()
        }


def _columns_of(key: ReflectedPrimaryKeyConstraint) -> str:
    return ", ".join(key["constrained_columns"])


@contextmanager
def reader_that_sees(filename: str, kind: DocumentKind) -> Iterator[None]:
    """Another version of the reader, for which the file called ``filename`` is a ``kind``."""

    # A reading is kept under the version of its reader: another one reads again.
    version = 1000 + list(DocumentKind).index(kind)

    def other_reader(digest: str, content: bytes, media_type: str, name: str) -> DocumentReading:
        reading = replace(read_document(digest, content, media_type, name), reader_version=version)
        if name != filename:
            return reading
        confidence = 0.0 if kind is DocumentKind.UNKNOWN else 1.0
        return replace(reading, kind=kind, confidence=confidence, facts=())

    with (
        patch.object(IsolatedDocumentReader, "read", staticmethod(other_reader)),
        patch("mailbot.flows.remember.READER_VERSION", version),
    ):
        yield


def requester_letters(house: TestHouse) -> list[OutboundLetter]:
    return house.letters(Audience.REQUESTER)


# --- mails without outcome ------------------------------------------------------------------------------------


def test_a_failed_mail_goes_through_intake_as_if_it_came_now(house: TestHouse) -> None:
    house.collect(mail(REQUEST))
    with patch.object(type(house.app.reader), "read", side_effect=UnreadableMail("a bug")):
        for _ in range(3):
            house.process()
    assert house.mails()[0].outcome is MailOutcome.QUARANTINED
    (result,) = reprocess(house)
    assert (result.outcome, result.ticket_number, result.changed) == (MailOutcome.TICKET, "2026-000001", True)
    assert [letter.letter for letter in result.letters] == [LetterKind.EVIDENCE_REQUESTED]
    assert [letter.status for letter in house.letters()] == [LetterStatus.QUEUED]
    assert house.mails()[0].attempts == 0


def test_a_mail_that_still_fails_is_quarantined_again(house: TestHouse) -> None:
    house.collect(mail(REQUEST))
    with patch.object(type(house.app.reader), "read", side_effect=UnreadableMail("a bug")):
        for _ in range(3):
            house.process()
        (result,) = reprocess(house)
    assert result.outcome is MailOutcome.QUARANTINED
    assert "a bug" in result.reason
    with house.app.storage.read() as work:
        assert [row.id for row in work.mails.untold_quarantines()] == [1]


def test_a_discarded_mail_gets_another_chance(house: TestHouse) -> None:
    automatic = mail(
        "Estou de férias", subject="Resposta automática", headers=[("Auto-Submitted", "auto-replied")]
    )
    assert house.receive(automatic) is MailOutcome.DISCARDED
    assert [result.changed for result in reprocess(house)] == [False]
    with patch("mailbot.flows.examine.screen", lambda *_, **__: _accepted()):
        (result,) = reprocess(house)
    assert result.outcome is MailOutcome.TICKET
    assert len(requester_letters(house)) == 1


def _accepted() -> object:
    from mailbot.domain.mail import Accepted

    return Accepted(may_answer=True)


def test_a_refusal_for_size_is_not_sent_twice(house: TestHouse) -> None:
    with patch.object(type(house.app.mailboxes["default"].spec), "max_wire_bytes", 1000):
        house.collect(mail(REQUEST))
        with house.app.database.write() as connection:
            from sqlalchemy import text

            connection.execute(text("update inbound_mails set oversize_bytes = 99000000"))
        house.process()
        assert [letter.letter for letter in house.letters()] == [LetterKind.MAIL_REFUSED]
        (result,) = reprocess(house)
    assert (result.outcome, result.reason, result.letters) == (MailOutcome.DISCARDED, "too_large", ())
    assert len(house.letters()) == 1


def test_what_is_suspect_is_not_let_in_by_reprocessing(house: TestHouse) -> None:
    house.receive(mail(REQUEST), suspect="junk_folder")
    (result,) = reprocess(house)
    assert (result.outcome, result.reason) == (MailOutcome.QUARANTINED, "junk_folder")
    assert house.tickets() == []


def test_a_quiet_reprocessing_of_a_failed_mail_writes_no_letter(house: TestHouse) -> None:
    house.collect(mail(REQUEST))
    with patch.object(type(house.app.reader), "read", side_effect=UnreadableMail("a bug")):
        for _ in range(3):
            house.process()
    (result,) = reprocess(house, quiet=True)
    assert result.outcome is MailOutcome.TICKET
    assert house.letters() == []
    assert house.tickets()[0].asked_at is None


def test_reprocessing_gives_back_what_it_claimed_ahead(house: TestHouse) -> None:
    house.collect(mail(REQUEST))
    with patch.object(type(house.app.reader), "read", side_effect=UnreadableMail("a bug")):
        for _ in range(3):
            house.process()
    house.collect(mail("Socorro", subject="Socorro", sender="joao@example.com.br"))
    reprocess(house)
    with house.open().storage.write() as work:
        now = datetime.now(UTC)
        assert work.mails.claim(owner="another", mailboxes=["default"], now=now, real_now=now) is not None


# --- tickets --------------------------------------------------------------------------------------------------


def test_nothing_changes_where_nothing_changed(house: TestHouse) -> None:
    """Several mails, thanks, an agent's answer: counting again from the raw bytes comes to the same."""
    house.receive(mail(REQUEST, files=[BOLETO]))
    (asked,) = requester_letters(house)
    house.requester_reply(asked, "Segue o comprovante.", files=[RECEIPT])
    house.requester_reply(asked, "Obrigada!")
    house.receive(mail("Bom dia, meu telefone mudou\nTelefone: (62) 98888-7777", in_reply_to=asked.message_id))
    house.requester_reply(asked, "E a CNH.", files=[LICENCE, BOLETO])
    notice = next(letter for letter in house.letters(Audience.STAFF) if letter.letter is LetterKind.TICKET_READY)
    house.agent_reply(notice, "Bom dia, estamos vendo.")
    house.receive(mail("Preciso de ajuda", subject="Socorro", sender="joao@example.com.br"))
    before = snapshot(house)
    house.clock.advance(timedelta(hours=1))
    results = reprocess(house)
    assert [(result.changed, result.problem) for result in results] == [(False, ""), (False, "")]
    assert snapshot(house) == before


def test_what_an_answering_machine_said_is_still_no_evidence(house: TestHouse) -> None:
    house.receive(mail(REQUEST, message_id="first", files=[BOLETO]))
    absent = mail(
        "Estou fora.\nTelefone: (62) 98888-7777",
        in_reply_to="first@example.com.br",
        headers=[("Auto-Submitted", "auto-replied"), ("X-Autoreply", "yes")],
    )
    assert house.receive(absent) is MailOutcome.MESSAGE
    before = snapshot(house)
    assert [one.changed for one in reprocess(house)] == [False]
    assert snapshot(house) == before


@pytest.mark.parametrize("seed", [*range(8), 25])
def test_nothing_changes_whatever_happened_before(house: TestHouse, seed: int) -> None:
    """Customers, agents and time in any order: what was found mail by mail is what a recount finds."""
    dice = random.Random(seed)
    texts = ("Segue.", "Obrigada!", "Novo local: Rio Verde", "Telefone: (62) 98888-7777", "E agora?", REQUEST)
    words = ["Estamos vendo.", "#autorizar", "#negar Falta a CNH.", "#nota Ligar amanhã.", "#resolver", ""]
    words += ["#campo Novo local: Goiânia", "#campo Telefone: (62) 97777-6666\n#os 12345", "#dispensar cnh"]

    def papers() -> list[tuple[str, bytes]]:
        return dice.sample(ALL_PAPERS, dice.randrange(3))

    def write() -> None:
        sender = dice.choice((CUSTOMER, "joao@example.com.br", "ana@example.com.br"))
        subject = dice.choice(("ALTERAÇÃO DE LOCAL", "Socorro"))
        house.receive(mail(dice.choice(texts), subject=subject, sender=sender, files=papers()))

    def answer() -> None:
        house.requester_reply(dice.choice(house.letters(Audience.REQUESTER)), dice.choice(texts), files=papers())

    def decide() -> None:
        house.agent_reply(dice.choice(house.letters(Audience.STAFF)), dice.choice(words))

    write()
    for _ in range(12):
        choices = [write, answer] if house.letters(Audience.REQUESTER) else [write]
        dice.choice([*choices, decide] if house.letters(Audience.STAFF) else choices)()
        house.clock.advance(timedelta(days=dice.choice((0, 0, 1, 4, 15))))
        house.app.upkeep.tick()
    before = snapshot(house)
    results = reprocess(house)
    assert [(one.ticket_number, one.changed, one.problem) for one in results if one.changed or one.problem] == []
    assert snapshot(house) == before


def test_a_better_reader_completes_a_ticket_and_says_so_once(house: TestHouse) -> None:
    with reader_that_sees("boleto.pdf", DocumentKind.OTHER):
        house.receive(mail(REQUEST, files=ALL_PAPERS))
    assert house.tickets()[0].missing == ("boleto",)
    house.clock.advance(timedelta(hours=1))
    (result,) = reprocess(house)
    (ticket,) = house.tickets()
    assert (ticket.status, ticket.missing, ticket.asked_at) == (Status.OPEN, (), None)
    assert ticket.due_at is not None
    assert result.before is not None
    assert result.before.missing == ("boleto",)
    assert [letter.letter for letter in requester_letters(house)] == [LetterKind.EVIDENCE_COMPLETE]
    assert "Revimos" in requester_letters(house)[0].text
    assert [letter.letter for letter in house.letters(Audience.STAFF)] == [LetterKind.TICKET_READY]
    told = [event for event in events(house) if event.kind is EventKind.REPROCESSED]
    assert {event.detail for event in told} == {"documents", "missing"}
    assert all(event.actor == "admin" for event in told)
    before = snapshot(house)
    house.clock.advance(timedelta(hours=1))
    assert [one.changed for one in reprocess(house)] == [False]
    assert snapshot(house) == before


def test_evidence_is_counted_over_all_mails_from_their_bytes(house: TestHouse) -> None:
    """The first mail's paper was misread: what later mails found does not hide it."""
    with reader_that_sees("boleto.pdf", DocumentKind.OTHER):
        house.receive(mail(REQUEST, files=[BOLETO]))
        (asked,) = requester_letters(house)
        house.requester_reply(asked, "Comprovante.", files=[RECEIPT])
        house.requester_reply(asked, "CNH.", files=[LICENCE])
    assert house.tickets()[0].missing == ("boleto",)
    reprocess(house)
    (ticket,) = house.tickets()
    assert ticket.status is Status.OPEN
    assert [finding.requirement for finding in ticket.documents] == ["boleto", "payment_receipt", "driver_licence"]


def test_a_paper_that_was_taken_wrongly_is_asked_for_in_one_letter(house: TestHouse) -> None:
    house.receive(mail(REQUEST, files=ALL_PAPERS))
    assert house.tickets()[0].status is Status.OPEN
    house.clock.advance(timedelta(hours=1))
    with reader_that_sees("comprovante.pdf", DocumentKind.OTHER):
        reprocess(house)
        (ticket,) = house.tickets()
        assert (ticket.status, ticket.missing) == (Status.AWAITING_REQUESTER, ("payment_receipt",))
        assert ticket.asked_at == house.clock.now()
        *_, letter = requester_letters(house)
        assert letter.letter is LetterKind.EVIDENCE_REQUESTED
        assert "Revimos" in letter.text
        assert letter.auto_submitted == "auto-generated"
        before = snapshot(house)
        reprocess(house)
        assert snapshot(house) == before
    assert any(event.kind is EventKind.STATUS_CHANGED and event.actor == "bot" for event in events(house)[-3:])


def test_the_same_letter_for_the_same_mail_never_leaves_twice(house: TestHouse) -> None:
    house.receive(mail(REQUEST, files=ALL_PAPERS))
    for _ in range(3):
        with reader_that_sees("comprovante.pdf", DocumentKind.OTHER):
            reprocess(house)
        with reader_that_sees("comprovante.pdf", DocumentKind.PAYMENT_RECEIPT):
            reprocess(house)
    with house.app.storage.read() as work:
        letters = work.outbox.letters_for_mail(1)
    texts = [(one.letter, one.recipient.address, one.text.replace(one.handle, "")) for one in letters]
    alive = [text for text, one in zip(texts, letters, strict=True) if one.status is not LetterStatus.CANCELLED]
    assert len(alive) == len(set(alive))


def test_the_requester_is_not_told_of_what_changes_nothing_for_them(house: TestHouse) -> None:
    house.receive(mail(REQUEST, files=[BOLETO]))
    letters = house.letters()
    with patch("mailbot.flows.weighing.extract_fields", _with_another_reason):
        (result,) = reprocess(house)
    assert result.changed
    assert house.letters() == letters
    (told,) = [event for event in events(house) if event.kind is EventKind.REPROCESSED]
    assert (told.detail, told.new) == ("field reason", "outro motivo")


def _with_another_reason(*arguments: Any, **options: Any) -> Any:
    from mailbot.evidence.fields import extract_fields

    found = extract_fields(*arguments, **options)
    return tuple(replace(value, value="outro motivo") if value.key == "reason" else value for value in found)


def test_what_a_person_decided_stands(house: TestHouse) -> None:
    house.receive(mail(REQUEST, files=ALL_PAPERS))
    (notice,) = house.letters(Audience.STAFF)
    house.agent_reply(notice, "#autorizar")
    count = len(house.letters())
    with reader_that_sees("comprovante.pdf", DocumentKind.OTHER):
        (result,) = reprocess(house)
    (ticket,) = house.tickets()
    assert result.changed
    assert (ticket.status, ticket.resolution) == (Status.RESOLVED, Resolution.APPROVED)
    assert ticket.missing == ("payment_receipt",)
    assert len(house.letters()) == count


def test_what_an_agent_stated_stands_with_all_that_follows_of_it(house: TestHouse) -> None:
    house.receive(mail(REQUEST.replace("Novo local: Jataí\n", ""), files=ALL_PAPERS))
    (asked,) = requester_letters(house)
    house.requester_reply(asked, "Podem olhar, por favor?")
    house.agent_reply(house.letters(Audience.STAFF)[-1], "#campo Novo local: Goiânia")
    (ticket,) = house.tickets()
    assert (ticket.status, ticket.missing) == (Status.OPEN, ())
    assert ticket.title == "Alteração de Rio Verde para Goiânia"
    letters = house.letters()
    (result,) = reprocess(house)
    assert (result.changed, house.tickets(), house.letters()) == (False, [ticket], letters)


def test_a_ticket_that_an_agent_answered_keeps_its_status(house: TestHouse) -> None:
    house.receive(mail(REQUEST, files=ALL_PAPERS))
    (notice,) = house.letters(Audience.STAFF)
    house.agent_reply(notice, "Estamos analisando.")
    count = len(house.letters())
    with reader_that_sees("comprovante.pdf", DocumentKind.OTHER):
        reprocess(house)
    assert house.tickets()[0].status is Status.OPEN
    assert len(house.letters()) == count


def test_a_ticket_that_is_a_persons_although_something_lacks_is_not_taken_back(house: TestHouse) -> None:
    """Its first sender could not be asked, so it went to its queue as it was."""
    house.receive(mail(REQUEST, message_id="bulk", files=[BOLETO], headers=[("Precedence", "bulk")]))
    house.receive(mail("Comprovante.", in_reply_to="bulk@example.com.br", files=[RECEIPT]))
    (ticket,) = house.tickets()
    assert (ticket.status, ticket.missing) == (Status.OPEN, ("driver_licence",))
    with reader_that_sees("boleto.pdf", DocumentKind.OTHER):
        (result,) = reprocess(house)
    assert result.changed
    assert house.tickets()[0].status is Status.OPEN
    assert requester_letters(house) == []


def test_a_waiting_ticket_in_an_agents_hands_is_reminded_of_nothing_once_all_is_there(house: TestHouse) -> None:
    with reader_that_sees("boleto.pdf", DocumentKind.OTHER):
        house.receive(mail(REQUEST, files=ALL_PAPERS))
        (asked,) = requester_letters(house)
        house.requester_reply(asked, "Vocês receberam?")
        (notice,) = house.letters(Audience.STAFF)
        house.agent_reply(notice, "Recebemos, obrigada.")
    reprocess(house)
    (ticket,) = house.tickets()
    assert (ticket.status, ticket.missing, ticket.asked_at) == (Status.AWAITING_REQUESTER, (), None)


def test_a_quiet_recount_changes_the_ticket_and_tells_nobody(house: TestHouse) -> None:
    house.receive(mail(REQUEST, files=ALL_PAPERS))
    count = len(house.letters())
    with reader_that_sees("comprovante.pdf", DocumentKind.OTHER):
        (result,) = reprocess(house, quiet=True)
    assert result.changed
    (ticket,) = house.tickets()
    assert (ticket.status, ticket.asked_at) == (Status.AWAITING_REQUESTER, None)
    assert len(house.letters()) == count


def test_a_quiet_recount_that_completes_a_ticket_tells_nobody_either(house: TestHouse) -> None:
    with reader_that_sees("boleto.pdf", DocumentKind.OTHER):
        house.receive(mail(REQUEST, files=ALL_PAPERS))
    letters = house.letters()
    reprocess(house, quiet=True)
    assert house.tickets()[0].status is Status.OPEN
    assert house.letters() == letters


def test_a_trial_writes_nothing_and_says_what_would_be(house: TestHouse) -> None:
    with reader_that_sees("boleto.pdf", DocumentKind.OTHER):
        house.receive(mail(REQUEST, files=ALL_PAPERS))
    house.receive(mail("Estou fora", subject="Fora", headers=[("Auto-Submitted", "auto-replied")]))
    house.collect(mail("Socorro", subject="Pergunta", sender="joao@example.com.br"))
    with patch.object(type(house.app.reader), "read", side_effect=UnreadableMail("a bug")):
        for _ in range(3):
            house.process()
    before, files = snapshot(house), sorted((house.folder / "var").rglob("*"))
    tried = reprocess(house, dry_run=True)
    assert snapshot(house) == before
    assert sorted((house.folder / "var").rglob("*")) == files
    done = reprocess(house)
    for trial, real in zip(tried, done, strict=True):
        assert (trial.outcome, trial.changed) == (real.outcome, real.changed)
        assert [(one.letter, one.recipient) for one in trial.letters] == [
            (one.letter, one.recipient) for one in real.letters
        ]
        if trial.after is not None and real.after is not None:
            assert replace(trial.after, number="") == replace(real.after, number="", version=trial.after.version)
    assert [len(one.letters) for one in tried] == [2, 0, 2]


def test_a_new_request_type_takes_over_what_was_general(house: TestHouse, tmp_path: Path) -> None:
    house.receive(mail("Segue em anexo.", subject="Pedido do formulário 7", files=[("scan.pdf", BOLETO[1])]))
    (ticket,) = house.tickets()
    assert (ticket.request_type, ticket.status) == ("general", Status.OPEN)
    config = tmp_path / "config"
    shutil.copytree(REPOSITORY / "config", config)
    catalogue = config / "catalogue" / "inspection_location_change.yaml"
    text = catalogue.read_text(encoding="utf-8").replace("aliases:\n", "aliases:\n  - Pedido do formulário 7\n")
    catalogue.write_text(text, encoding="utf-8")
    house.reopen(config_dir=config)
    assert house.tickets() == [ticket]
    reprocess(house)
    (ticket,) = house.tickets()
    assert (ticket.request_type, ticket.queue) == ("inspection_location_change", "sau")
    assert ticket.status is Status.AWAITING_REQUESTER
    assert "boleto" not in ticket.missing
    assert "driver_licence" in ticket.missing
    # The acknowledgement had not left yet: the checklist takes its place.
    assert [one.letter for one in requester_letters(house)] == [LetterKind.EVIDENCE_REQUESTED]


def test_the_messages_stay_as_they_were(house: TestHouse) -> None:
    house.receive(mail(REQUEST, files=ALL_PAPERS))
    before = snapshot(house)
    with reader_that_sees("comprovante.pdf", DocumentKind.OTHER):
        reprocess(house)
    after = snapshot(house)
    assert after["ticket_messages"] == before["ticket_messages"]
    assert after["inbound_mails"] == before["inbound_mails"]
    assert after["ticket_events"][: len(before["ticket_events"])] == before["ticket_events"]


def test_no_letter_follows_a_mail_that_was_imported_without_answers(house: TestHouse) -> None:
    house.receive(mail(REQUEST, files=ALL_PAPERS), answer=False)
    with reader_that_sees("comprovante.pdf", DocumentKind.OTHER):
        (result,) = reprocess(house)
    assert result.changed
    assert requester_letters(house) == []


def test_a_lost_file_is_a_problem_of_its_own_ticket_only(house: TestHouse) -> None:
    house.receive(mail(REQUEST))
    house.receive(mail(REQUEST, sender="joao@example.com.br"))
    house.app.blobs.path_of(house.mails()[0].raw_digest).unlink()
    lost, fine = reprocess(house)
    assert lost.problem
    assert not fine.problem


def test_a_file_that_cannot_be_read_this_time_is_not_asked_for(house: TestHouse) -> None:
    house.receive(mail(REQUEST, files=ALL_PAPERS))
    before = snapshot(house)
    with (
        patch.object(IsolatedDocumentReader, "read", lambda _self, digest, *_: not_read(digest)),
        patch("mailbot.flows.remember.READER_VERSION", 5000),
    ):
        (result,) = reprocess(house)
    assert "try again" in result.problem
    assert not result.changed
    assert snapshot(house) == before


def test_a_ticket_that_changes_meanwhile_is_counted_anew(house: TestHouse) -> None:
    # One reads for the recount, the other for the mail that comes meanwhile, however few processors there are.
    house.app.readers = 2
    with reader_that_sees("boleto.pdf", DocumentKind.OTHER):
        house.receive(mail(REQUEST, files=[BOLETO, RECEIPT]))
    (asked,) = requester_letters(house)
    comes = iter([True])

    def meanwhile(*arguments: Any) -> DocumentReading:
        # Both readers may be here at once.
        if next(comes, False):
            house.requester_reply(asked, "CNH.", files=[LICENCE])
        return read_document(*arguments)

    with (
        patch.object(IsolatedDocumentReader, "read", staticmethod(meanwhile)),
        patch("mailbot.flows.remember.READER_VERSION", 5000),
    ):
        reprocess(house)
    (ticket,) = house.tickets()
    assert (ticket.missing, ticket.status) == ((), Status.OPEN)
    assert ticket.requester.address == CUSTOMER
