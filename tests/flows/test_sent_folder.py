"""What people write from the shared mailbox's webmail, past the bot, and what becomes of it."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.parser import BytesParser
from email.policy import SMTP
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from mailbot.domain.errors import StorageUnavailable
from mailbot.domain.events import (
    SHARED_MAILBOX,
    Audience,
    AuthorRole,
    EventKind,
    LetterKind,
    LetterStatus,
    OutboundLetter,
    TicketMessage,
    Visibility,
)
from mailbot.domain.exchange import FolderState
from mailbot.domain.ledger import FolderMemory, MailOutcome
from mailbot.domain.mailbox import SENT_FOLDER
from mailbot.domain.ticket import Resolution, Status
from mailbot.domain.troubles import Trouble
from mailbot.flows.compositor import Compositor
from mailbot.flows.examine import Examiner
from mailbot.flows.ports import UnitOfWork
from mailbot.flows.pulse import Pulse
from mailbot.flows.sent_folder import SentFolderKeeper
from tests.flows.house import (
    AUTHSERV_ID,
    BOLETO,
    CUSTOMER,
    LICENCE,
    MAILBOX,
    RECEIPT,
    REQUEST,
    TestHouse,
    mail,
    reply_to,
)
from tests.flows.sent import FakeSentFolder, keeper_of, written

FIRST = "primeiro"
FIRST_ID = f"{FIRST}@example.com.br"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[TestHouse]:
    with TestHouse(tmp_path) as opened:
        yield opened


@pytest.fixture
def folder() -> FakeSentFolder:
    return FakeSentFolder()


@pytest.fixture
def keeper(house: TestHouse, folder: FakeSentFolder) -> SentFolderKeeper:
    return keeper_of(house, folder)


def request(house: TestHouse) -> str:
    """Maria asks for a change and forgets two documents; the ticket's number."""
    house.receive(mail(REQUEST, files=[BOLETO], message_id=FIRST))
    return house.tickets()[-1].number


def look(house: TestHouse, keeper: SentFolderKeeper) -> list[MailOutcome]:
    """Look into the folder, then process what was taken."""
    taken = keeper.run_once(inbox_is_seen=True)
    return [house.process() for _ in range(taken)]


def history(house: TestHouse, number: str) -> list[TicketMessage]:
    with house.app.storage.read() as work:
        return work.tickets.messages(number)


def answers(house: TestHouse, number: str) -> list[str]:
    """The texts of people's direct answers."""
    with house.app.storage.read() as work:
        direct = {one.mail_id for one in work.tickets.events(number) if one.detail == SHARED_MAILBOX}
        return [one.text for one in work.tickets.messages(number) if one.mail_id in direct]


def letter_of(house: TestHouse, kind: LetterKind) -> OutboundLetter:
    [letter] = [one for one in house.letters() if one.letter is kind]
    return letter


def composed(house: TestHouse, letter: OutboundLetter) -> bytes:
    compositor = Compositor(blobs=house.app.blobs, secret_key=house.app.settings.require_secret_key())
    return compositor.compose(letter, house.app.mailboxes["default"], now=house.clock.now()).message


# --- an answer -----------------------------------------------------------------------------------------------


def test_a_persons_own_answer_stands_on_the_ticket_and_nobody_is_written_to(
    house: TestHouse, folder: FakeSentFolder, keeper: SentFolderKeeper
) -> None:
    number = request(house)
    _leave(house)
    before = house.letters()
    folder.add(written("Olá, Maria! A CNH pode ser foto.\n\n-- \nAna", replies_to=FIRST_ID, files=[LICENCE]))
    assert look(house, keeper) == [MailOutcome.MESSAGE]
    answer = history(house, number)[-1]
    assert (answer.role, answer.visibility) == (AuthorRole.AGENT, Visibility.PUBLIC)
    assert (answer.author.address, answer.author.name) == (MAILBOX, "Central")
    assert answer.text.startswith("Olá, Maria! A CNH pode ser foto.")
    assert [file.filename for file in answer.files] == ["cnh.pdf"]
    assert not answer.unverified
    [event] = [one for one in _events(house, number) if one.kind is EventKind.AGENT_ANSWERED]
    assert event.detail == SHARED_MAILBOX
    assert house.letters() == before
    ticket = house.tickets()[0]
    # As an agent's answer does: the ticket still waits for its requester. The files that went out are no evidence.
    assert (ticket.status, ticket.assignee) == (Status.AWAITING_REQUESTER, None)
    assert ticket.missing == ("payment_receipt", "driver_licence")


def _events(house: TestHouse, number: str) -> list:  # type: ignore[type-arg]
    with house.app.storage.read() as work:
        return work.tickets.events(number)


def test_nobody_is_reminded_of_what_a_person_has_taken_up(
    house: TestHouse, folder: FakeSentFolder, keeper: SentFolderKeeper
) -> None:
    request(house)
    _leave(house)
    folder.add(written(replies_to=FIRST_ID))
    look(house, keeper)
    for _ in range(20):
        house.clock.advance(timedelta(days=1))
        _looked_into(house, SENT_FOLDER)
        house.app.upkeep.tick()
    assert house.tickets()[0].status is Status.AWAITING_REQUESTER
    assert {letter.letter for letter in house.letters(Audience.REQUESTER)} == {LetterKind.EVIDENCE_REQUESTED}


def test_without_such_an_answer_the_same_ticket_is_reminded_of(house: TestHouse) -> None:
    request(house)
    for _ in range(20):
        house.clock.advance(timedelta(days=1))
        house.app.upkeep.tick()
    assert house.tickets()[0].resolution is Resolution.EXPIRED


def test_a_checklist_that_waits_loses_its_point(
    house: TestHouse, folder: FakeSentFolder, keeper: SentFolderKeeper
) -> None:
    number = request(house)
    first = letter_of(house, LetterKind.EVIDENCE_REQUESTED)
    _leave(house)
    house.requester_reply(first, "segue o comprovante", files=[RECEIPT])
    assert [one.status for one in _checklists(house)] == [LetterStatus.SENT, LetterStatus.QUEUED]
    folder.add(written("Recebi, obrigada. Falta a CNH.", replies_to=first.message_id))
    look(house, keeper)
    assert [one.status for one in _checklists(house)] == [LetterStatus.SENT]
    assert answers(house, number) == ["Recebi, obrigada. Falta a CNH."]


def test_a_held_checklist_that_a_person_answered_instead_is_never_released(tmp_path: Path) -> None:
    folder = FakeSentFolder()
    with TestHouse(tmp_path, send="hold") as house:
        request(house)
        assert [one.status for one in _checklists(house)] == [LetterStatus.HELD]
        folder.add(written(replies_to=FIRST_ID))
        look(house, keeper_of(house, folder))
        assert _checklists(house) == []


def _checklists(house: TestHouse) -> list[OutboundLetter]:
    return [one for one in house.letters(Audience.REQUESTER) if one.letter is LetterKind.EVIDENCE_REQUESTED]


def _leave(house: TestHouse) -> None:
    from tests.flows.test_upkeep import all_letters_leave

    all_letters_leave(house)


def test_the_requesters_reply_to_it_joins_the_ticket(
    house: TestHouse, folder: FakeSentFolder, keeper: SentFolderKeeper
) -> None:
    number = request(house)
    folder.add(written(replies_to=FIRST_ID, message_id="webmail.x@example.com.br"))
    look(house, keeper)
    reply = mail("Pode ser verso e frente?", subject="Re: sobre o carro", in_reply_to="webmail.x@example.com.br")
    assert house.receive(reply) is MailOutcome.MESSAGE
    assert [message.role for message in history(house, number)] == [
        AuthorRole.REQUESTER,
        AuthorRole.AGENT,
        AuthorRole.REQUESTER,
    ]
    # A person reads it, for it brings nothing that was asked for.
    assert letter_of(house, LetterKind.REQUESTER_REPLIED).audience is Audience.STAFF


@pytest.mark.parametrize("names", ["letter", "tag", "handle in the text", "handle in a colleague's notice"])
def test_the_ticket_is_known_by_whatever_names_it(
    house: TestHouse, folder: FakeSentFolder, keeper: SentFolderKeeper, names: str
) -> None:
    house.receive(mail("Qual o prazo?", subject="Dúvida"))
    number = house.tickets()[0].number
    letter = house.letters(Audience.REQUESTER)[0]
    notice = house.letters(Audience.STAFF)[0]
    folder.add(
        {
            "letter": written("Hoje.", subject="prazo", replies_to=letter.message_id),
            "tag": written("Hoje.", subject=f"Re: [Chamado #{number}] Dúvida"),
            "handle in the text": written(f"Hoje.\n\n> [mb-{letter.handle}]\n", subject="prazo"),
            "handle in a colleague's notice": written(f"Hoje.\n\n> [mb-{notice.handle}]\n", subject="prazo"),
        }[names]
    )
    assert look(house, keeper) == [MailOutcome.MESSAGE]
    assert [text.split("\n")[0] for text in answers(house, number)] == ["Hoje."]


def test_of_two_tickets_it_is_that_which_the_mail_replies_to(
    house: TestHouse, folder: FakeSentFolder, keeper: SentFolderKeeper
) -> None:
    house.receive(mail("Qual o prazo?", subject="Dúvida"))
    older = house.letters(Audience.REQUESTER)[0]
    house.receive(mail("E o preço?", subject="Outra dúvida", message_id="outra"))
    first, second = (ticket.number for ticket in house.tickets())
    folder.add(written(f"108 reais.\n\n> [mb-{older.handle}]\n", replies_to="outra@example.com.br"))
    look(house, keeper)
    assert (len(answers(house, first)), len(answers(house, second))) == (0, 1)


def test_who_wrote_on_behalf_of_the_mailbox_is_named_and_gets_the_ticket(
    house: TestHouse, folder: FakeSentFolder, keeper: SentFolderKeeper
) -> None:
    number = request(house)
    folder.add(written(replies_to=FIRST_ID, headers=[("Sender", "Ana <ana@example.com.br>")]))
    look(house, keeper)
    assert history(house, number)[-1].author.address == "ana@example.com.br"
    assert house.tickets()[0].assignee == "ana@example.com.br"


def test_words_of_staff_are_mere_words_in_it(
    house: TestHouse, folder: FakeSentFolder, keeper: SentFolderKeeper
) -> None:
    number = request(house)
    folder.add(written("#autorizar\nPode vir.", replies_to=FIRST_ID))
    look(house, keeper)
    assert house.tickets()[0].status is Status.AWAITING_REQUESTER
    assert answers(house, number) == ["#autorizar\nPode vir."]
    assert [one for one in house.letters() if one.letter is LetterKind.DECISION] == []


def test_an_answer_on_a_resolved_ticket_reopens_nothing(
    house: TestHouse, folder: FakeSentFolder, keeper: SentFolderKeeper
) -> None:
    house.receive(mail("Qual o prazo?", subject="Dúvida", message_id=FIRST))
    house.agent_reply(house.letters(Audience.STAFF)[0], "#resolver Dois dias.")
    folder.add(written("Um dia, aliás.", replies_to=FIRST_ID))
    assert look(house, keeper) == [MailOutcome.MESSAGE]
    assert house.tickets()[0].status is Status.RESOLVED


def test_a_mail_too_large_to_be_taken_still_counts(tmp_path: Path) -> None:
    folder = FakeSentFolder()
    with TestHouse(tmp_path) as house:
        number = request(house)
        folder.add(written("veja o anexo", replies_to=FIRST_ID, files=[BOLETO]))
        folder.size_bytes = 60 * 1024 * 1024
        assert look(house, keeper_of(house, folder)) == [MailOutcome.MESSAGE]
        assert (answers(house, number), house.tickets()[0].asked_at) == ([""], None)
        assert {header_only for _, header_only in folder.fetched} == {True}


# --- what is no answer -----------------------------------------------------------------------------------------


def nothing_is_kept(house: TestHouse) -> bool:
    rows = [row for row in house.mails() if row.folder == SENT_FOLDER]
    return rows == []


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(written(to="chefe@example.com.br", replies_to=FIRST_ID), id="to somebody else"),
        pytest.param(written(to=MAILBOX, replies_to=FIRST_ID), id="to the mailbox itself"),
        pytest.param(written("Temos novidades!", subject="Novidades"), id="a first mail to a customer"),
        pytest.param(written(replies_to="nada@cliente.example"), id="a reply to what we do not know"),
        pytest.param(written(sender=CUSTOMER, to=CUSTOMER, replies_to=FIRST_ID), id="a customer's, dragged in"),
        pytest.param(written(sender="ana@example.com.br", replies_to=FIRST_ID), id="an agent's own mail"),
        pytest.param(written(sender=f"{MAILBOX}, {CUSTOMER}", replies_to=FIRST_ID), id="of two senders"),
        pytest.param(
            written(replies_to=FIRST_ID, headers=[("Auto-Submitted", "auto-replied")]), id="an absence note"
        ),
        pytest.param(written(replies_to=FIRST_ID, subject="Resposta automática: ferias"), id="by its subject"),
        pytest.param(written(replies_to="", subject="[Chamado #2026-999999] x"), id="a tag of no ticket"),
        pytest.param(b"", id="nothing at all"),
        pytest.param(b"From: \xff\xfe\r\n\r\n\x00", id="garbage"),
    ],
)
def test_what_answers_no_ticket_is_left_alone_and_not_kept(
    house: TestHouse, folder: FakeSentFolder, keeper: SentFolderKeeper, raw: bytes
) -> None:
    request(house)
    before = (house.tickets(), house.letters(), house.mails())
    folder.add(raw)
    kept = dict(folder.mails)
    assert look(house, keeper) == []
    assert nothing_is_kept(house)
    assert (house.tickets(), house.letters(), house.mails()) == before
    assert folder.mails == kept
    # Nor is it looked at again, by this process or the next.
    folder.fetched.clear()
    look(house, keeper)
    look(house, keeper_of(house, folder))
    assert folder.fetched == []


def test_a_mail_to_the_requester_of_another_ticket_reveals_and_changes_nothing(
    house: TestHouse, folder: FakeSentFolder, keeper: SentFolderKeeper
) -> None:
    """A customer can put the tag and the handle of their own ticket into a mail, and the reply quotes both."""
    number = request(house)
    letter = letter_of(house, LetterKind.EVIDENCE_REQUESTED)
    other = "jose@cliente.example"
    text = f"Segue.\n\n> [mb-{letter.handle}]\n"
    folder.add(written(text, to=other, subject=f"[Chamado #{number}]", replies_to=letter.message_id))
    assert look(house, keeper) == []
    assert answers(house, number) == []


def test_our_own_letters_are_known_by_their_mark(
    house: TestHouse, folder: FakeSentFolder, keeper: SentFolderKeeper
) -> None:
    number = request(house)
    folder.add(composed(house, letter_of(house, LetterKind.EVIDENCE_REQUESTED)))
    assert look(house, keeper) == []
    assert nothing_is_kept(house)
    assert len(history(house, number)) == 1
    assert [header_only for _, header_only in folder.fetched] == [True]


def test_a_mark_that_was_copied_into_another_mail_hides_nothing(
    house: TestHouse, folder: FakeSentFolder, keeper: SentFolderKeeper
) -> None:
    number = request(house)
    raw = composed(house, letter_of(house, LetterKind.EVIDENCE_REQUESTED))
    mark = re.search(rb"X-Mailbot-Loop: (\S+)", raw)
    assert mark is not None
    forged = mark[1].decode()[:-1] + ("0" if mark[1][-1:] != b"0" else "1")
    folder.add(written("Sou eu.", replies_to=FIRST_ID, headers=[("X-Mailbot-Loop", forged)]))
    look(house, keeper)
    assert answers(house, number) == ["Sou eu."]


def test_the_message_id_that_a_provider_gave_our_letter_is_learnt_and_threads(
    house: TestHouse, folder: FakeSentFolder, keeper: SentFolderKeeper
) -> None:
    number = request(house)
    letter = letter_of(house, LetterKind.EVIDENCE_REQUESTED)
    raw = composed(house, letter).replace(letter.message_id.encode(), b"CP2PR80MB.0001@prod.outlook.example")
    folder.add(raw)
    look(house, keeper)
    reply = mail("Qual foto?", subject="Re: outro", in_reply_to="CP2PR80MB.0001@prod.outlook.example")
    assert house.receive(reply) is MailOutcome.MESSAGE
    assert len(history(house, number)) == 2
    # A stranger's reply to it opens nothing of Maria's.
    stranger = mail(
        "oi", subject="Re: outro", in_reply_to="CP2PR80MB.0001@prod.outlook.example", sender="x@y.example"
    )
    assert house.receive(stranger) is MailOutcome.TICKET


def test_older_mail_is_left_alone_at_first_contact(house: TestHouse, folder: FakeSentFolder) -> None:
    number = request(house)
    folder.add(written("antes", replies_to=FIRST_ID))
    keeper = keeper_of(house, folder)
    keeper._plan = replace(keeper._plan, since="now")
    assert look(house, keeper) == []
    folder.add(written("depois", replies_to=FIRST_ID))
    assert look(house, keeper) == [MailOutcome.MESSAGE]
    assert answers(house, number) == ["depois"]


def test_after_a_renumbering_nothing_is_taken_twice_and_what_is_new_is(
    house: TestHouse, folder: FakeSentFolder, keeper: SentFolderKeeper
) -> None:
    number = request(house)
    folder.add(written("um", replies_to=FIRST_ID), at=datetime.now(UTC) - timedelta(hours=2))
    last = datetime.now(UTC) - timedelta(hours=1)
    folder.add(written("dois", replies_to=FIRST_ID), at=last)
    look(house, keeper)
    folder.uid_validity = 8
    folder.add(written("três", replies_to=FIRST_ID))
    # The one that came in the very second of the last look is seen again and is a duplicate.
    assert look(house, keeper) == [MailOutcome.DUPLICATE, MailOutcome.MESSAGE]
    assert answers(house, number) == ["um", "dois", "três"]


# --- the same mail in the inbox -------------------------------------------------------------------------------


def in_inbox(raw: bytes, *, verdict: str = "none") -> bytes:
    """The copy that the mailbox got for standing in Cc."""
    return f"Authentication-Results: {AUTHSERV_ID}; dmarc={verdict} header.from=example.com.br\r\n".encode() + raw


@pytest.mark.parametrize("verdict", ["none", "pass"])
@pytest.mark.parametrize("first", ["inbox", "sent"])
def test_a_mail_with_the_mailbox_in_cc_stands_on_the_ticket_once(
    house: TestHouse, folder: FakeSentFolder, keeper: SentFolderKeeper, verdict: str, first: str
) -> None:
    number = request(house)
    look(house, keeper)
    _leave(house)
    before = house.letters()
    raw = written("Com cópia.", cc=MAILBOX, replies_to=FIRST_ID)
    if first == "inbox":
        house.receive(in_inbox(raw, verdict=verdict))
    folder.add(raw)
    look(house, keeper)
    if first == "sent":
        assert house.receive(in_inbox(raw, verdict=verdict)) is MailOutcome.DUPLICATE
    assert answers(house, number) == ["Com cópia."]
    assert [message.text.strip() for message in history(house, number)].count("Com cópia.") == 1
    assert len(house.tickets()) == 1
    assert house.letters() == before


def test_a_copy_in_the_inbox_is_an_unverified_note_as_long_as_the_sent_folder_has_none(
    house: TestHouse, folder: FakeSentFolder, keeper: SentFolderKeeper
) -> None:
    """On Microsoft 365 what a colleague sends as the mailbox may lie in her own folder for ever."""
    number = request(house)
    look(house, keeper)
    _leave(house)
    ticket, before = house.tickets()[0], house.letters()
    raw = written("#resolver Só no Cc.", cc=MAILBOX, replies_to=FIRST_ID, files=[LICENCE])
    assert house.receive(in_inbox(raw)) is MailOutcome.MESSAGE
    assert house.receive(in_inbox(raw)) is MailOutcome.DUPLICATE
    note = history(house, number)[-1]
    assert (note.role, note.visibility, note.unverified) == (AuthorRole.AGENT, Visibility.INTERNAL, True)
    assert (note.text.strip(), [file.filename for file in note.files]) == ("#resolver Só no Cc.", ["cnh.pdf"])
    [after] = house.tickets()
    assert (after.status, after.asked_at, after.missing, after.assignee) == (
        ticket.status, ticket.asked_at, ticket.missing, ticket.assignee,
    )  # fmt: skip
    assert house.letters() == before


def test_two_copies_in_the_hands_of_two_processes_at_once_stand_once_on_the_ticket(
    house: TestHouse, folder: FakeSentFolder, keeper: SentFolderKeeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = request(house)
    answer = written("Só uma vez.", cc=MAILBOX, replies_to=FIRST_ID)
    folder.add(answer)
    keeper.run_once(inbox_is_seen=True)
    house.collect(in_inbox(answer, verdict="pass"))
    waiting = [house.open().intake]
    examine = Examiner.examine
    others: list[MailOutcome | None] = []

    def slow(*args: Any, **kwargs: Any) -> Any:
        found = examine(*args, **kwargs)
        if waiting:
            others.append(waiting.pop().process_next())
        return found

    monkeypatch.setattr(Examiner, "examine", slow)
    outcomes = {house.process(), *others}
    assert outcomes == {MailOutcome.MESSAGE, MailOutcome.DUPLICATE}
    assert answers(house, number) == ["Só uma vez."]


def test_where_no_sent_folder_is_watched_a_verified_copy_in_the_inbox_is_the_answer(house: TestHouse) -> None:
    number = request(house)
    raw = in_inbox(written("Só no Cc.", cc=MAILBOX, replies_to=FIRST_ID), verdict="pass")
    assert house.receive(raw) is MailOutcome.MESSAGE
    assert answers(house, number) == ["Só no Cc."]


@pytest.mark.parametrize("verdict", ["none", "fail"])
def test_a_forged_answer_from_outside_never_becomes_the_houses_word(
    house: TestHouse, folder: FakeSentFolder, keeper: SentFolderKeeper, verdict: str
) -> None:
    number = request(house)
    look(house, keeper)
    letters = house.letters(Audience.REQUESTER)
    house.receive(in_inbox(written("Pague aqui.", cc=MAILBOX, replies_to=FIRST_ID), verdict=verdict))
    assert answers(house, number) == []
    assert house.tickets()[0].asked_at is not None
    assert house.letters(Audience.REQUESTER) == letters


def test_an_answer_to_the_agents_notice_with_the_requester_in_cc_brings_no_second_letter(
    house: TestHouse, folder: FakeSentFolder, keeper: SentFolderKeeper
) -> None:
    house.receive(mail("Qual o prazo?", subject="Dúvida"))
    number = house.tickets()[0].number
    notice = house.letters(Audience.STAFF)[0]
    look(house, keeper)
    before = house.letters()
    raw = written(f"Dois dias.\n\n> [mb-{notice.handle}]\n", to=MAILBOX, cc=CUSTOMER, replies_to=notice.message_id)
    folder.add(raw)
    house.receive(in_inbox(raw))
    look(house, keeper)
    assert [text.split("\n")[0] for text in answers(house, number)] == ["Dois dias."]
    assert (len(house.tickets()), house.letters()) == (1, before)


# --- in which order ----------------------------------------------------------------------------------------------


def _looked_into(house: TestHouse, name: str) -> None:
    memory = FolderMemory(
        mailbox="default",
        folder=name,
        uid_validity=7,
        first_uid=1,
        floor_at=None,
        last_collect_at=datetime.now(UTC),
    )
    with house.app.storage.write() as work:
        known = work.house.folder("default", name) or memory
        work.house.remember_folder(replace(known, last_collect_at=memory.last_collect_at))


def test_an_answer_to_a_mail_that_still_lies_in_the_inbox_waits_for_it(
    house: TestHouse, folder: FakeSentFolder, keeper: SentFolderKeeper
) -> None:
    _looked_into(house, "INBOX")
    folder.add(written("Já respondi.", replies_to=FIRST_ID))
    later = folder.add(written("Bom dia!", subject="Outra coisa"))
    assert keeper.look_after() == 0
    # The inbox is looked into, the customer's mail comes, and is not processed yet.
    house.collect(mail(REQUEST, files=[BOLETO], message_id=FIRST))
    _looked_into(house, "INBOX")
    assert keeper.look_after() == 0
    house.process()
    # Another process knows nothing of what this one remembers.
    keeper = keeper_of(house, folder)
    assert keeper.look_after() == 1
    house.process()
    assert answers(house, house.tickets()[0].number) == ["Já respondi."]
    folder.fetched.clear()
    keeper.look_after()
    assert folder.fetched == []
    assert later == "2"


def test_what_answers_nothing_even_when_the_inbox_has_been_seen_waits_no_longer(
    house: TestHouse, folder: FakeSentFolder, keeper: SentFolderKeeper
) -> None:
    _looked_into(house, "INBOX")
    folder.add(written(replies_to="colega@example.com.br"))
    rung: list[bool] = []
    keeper.on_doubt = lambda: rung.append(True)
    keeper.look_after()
    keeper.look_after()
    assert len(folder.fetched) == 4
    _looked_into(house, "INBOX")
    keeper.look_after()
    folder.fetched.clear()
    keeper.look_after()
    assert folder.fetched == []


def test_nobody_is_reminded_while_an_answer_waits_to_be_processed(
    house: TestHouse, folder: FakeSentFolder, keeper: SentFolderKeeper
) -> None:
    request(house)
    folder.add(written(replies_to=FIRST_ID))
    keeper.run_once(inbox_is_seen=True)
    house.clock.advance(timedelta(days=11))
    house.app.upkeep.tick()
    assert house.tickets()[0].status is Status.AWAITING_REQUESTER


def test_nobody_is_reminded_while_the_sent_folder_cannot_be_looked_into(
    house: TestHouse, folder: FakeSentFolder, keeper: SentFolderKeeper
) -> None:
    request(house)
    look(house, keeper)
    with house.app.storage.write() as work:
        memory = work.house.folder("default", SENT_FOLDER)
        assert memory is not None
        work.house.remember_folder(replace(memory, last_collect_at=datetime.now(UTC) - timedelta(hours=1)))
    house.clock.advance(timedelta(days=11))
    house.app.upkeep.tick()
    assert house.tickets()[0].status is Status.AWAITING_REQUESTER
    # Once there is no such folder any more, nothing is awaited from it.
    folder.missing = True
    assert look(house, keeper) == []
    house.app.upkeep.tick()
    assert house.tickets()[0].resolution is Resolution.EXPIRED


def test_one_mail_that_nobody_foresaw_hides_no_other(
    house: TestHouse, folder: FakeSentFolder, keeper: SentFolderKeeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = request(house)
    folder.add(written("ruim", replies_to=FIRST_ID))
    folder.add(written("bom", replies_to=FIRST_ID))
    examine = house.app.shared_mailbox.answered_ticket

    def stumble(read, *rest):  # type: ignore[no-untyped-def]
        if "ruim" in read.new_text:
            raise RuntimeError("maria@example.com.br")
        return examine(read, *rest)

    monkeypatch.setattr(house.app.shared_mailbox, "answered_ticket", stumble)
    with capture_logs() as logs:
        keeper.run_once(inbox_is_seen=True)
    monkeypatch.undo()
    house.process()
    assert answers(house, number) == ["bom"]
    assert "sent.error" in {line["action"] for line in logs}
    assert CUSTOMER not in str(logs)


def test_logs_hold_no_address_and_no_words(
    house: TestHouse, folder: FakeSentFolder, keeper: SentFolderKeeper
) -> None:
    request(house)
    folder.add(written("segredo", replies_to=FIRST_ID))
    folder.add(written("segredo", to="chefe@example.com.br"))
    with capture_logs() as logs:
        look(house, keeper)
    assert {line["action"] for line in logs} == {"sent.taken", "sent.first_contact", "intake.message"}
    assert not re.search(r"@|segredo", str(logs))


def test_an_answer_that_was_quarantined_can_be_read_again_later(
    house: TestHouse, folder: FakeSentFolder, keeper: SentFolderKeeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mailbot.flows.reprocess import tasks_for

    number = request(house)
    folder.add(written("Enfim.", replies_to=FIRST_ID))
    with monkeypatch.context() as patch:
        patch.setattr(Examiner, "examine", lambda *_a, **_k: 1 / 0)
        keeper.run_once(inbox_is_seen=True)
        assert [house.process() for _ in range(3)][-1] is MailOutcome.QUARANTINED
    row = house.mails()[-1]
    [task] = tasks_for([row])
    would = house.app.reprocess().do(task, dry_run=True)
    assert (would.outcome, would.ticket_number, would.letters) == (MailOutcome.MESSAGE, number, ())
    house.app.reprocess().do(task)
    assert answers(house, number) == ["Enfim."]
    assert len(house.tickets()) == 1


def test_a_reply_to_a_letter_of_ours_reads_as_people_wrote_it(
    house: TestHouse, folder: FakeSentFolder, keeper: SentFolderKeeper
) -> None:
    """Through the same reader as any mail: the quote of our letter is cut."""
    number = request(house)
    letter = letter_of(house, LetterKind.EVIDENCE_REQUESTED)
    raw = reply_to(letter, "Pode desconsiderar, Maria.")
    message = BytesParser(policy=SMTP).parsebytes(raw)
    del message["Authentication-Results"]
    message.replace_header("From", MAILBOX)
    message.replace_header("To", CUSTOMER)
    folder.add(message.as_bytes())
    look(house, keeper)
    assert answers(house, number) == ["Pode desconsiderar, Maria."]


# --- the loop -------------------------------------------------------------------------------------------------


class _Stop(threading.Event):
    """Stops the loop after so many waits."""

    def __init__(self, waits: int) -> None:
        super().__init__()
        self.waited: list[float] = []
        self._waits = waits

    def wait(self, timeout: float | None = None) -> bool:
        self.waited.append(timeout or 0.0)
        if len(self.waited) >= self._waits:
            self.set()
        return self.is_set()


def test_a_locked_database_ends_no_loop_whatever_it_was_about_to_write(
    house: TestHouse, folder: FakeSentFolder, keeper: SentFolderKeeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.missing = True
    monkeypatch.setattr(keeper, "hold_lease", lambda: True)
    monkeypatch.setattr(house.app.storage, "write", _locked)
    stop = _Stop(3)
    keeper.run(stop)
    assert len(stop.waited) == 3
    assert max(stop.waited) < 60


@contextmanager
def _locked() -> Iterator[UnitOfWork]:
    raise StorageUnavailable("database is locked")
    yield


def test_a_server_that_is_away_is_noted_tried_with_growing_pauses_and_struck_out_again(
    house: TestHouse, folder: FakeSentFolder, keeper: SentFolderKeeper
) -> None:
    folder.away = True
    stop = _Stop(3)
    keeper.run(stop)
    assert stop.waited == sorted(stop.waited)
    assert [str(trouble.key) for trouble in _troubles(house)] == ["sent:default"]
    folder.away = False
    folder.missing = True
    keeper.run(_Stop(1))
    assert _troubles(house) == []


def _troubles(house: TestHouse) -> list[Trouble]:
    with house.app.storage.read() as work:
        return work.house.troubles()


def test_of_two_processes_one_looks_after_the_folder(house: TestHouse, folder: FakeSentFolder) -> None:
    request(house)
    folder.add(written(replies_to=FIRST_ID))
    mine, other = keeper_of(house, folder), keeper_of(house, folder, owner="another")
    assert (mine.hold_lease(), other.hold_lease()) == (True, False)
    other.run(_Stop(1))
    assert folder.fetched == []
    mine.drop_lease()
    assert other.hold_lease()


def test_only_its_owner_notes_that_the_folder_cannot_be_looked_into_and_who_follows_strikes_it_out(
    house: TestHouse, folder: FakeSentFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine, other = keeper_of(house, folder), keeper_of(house, folder, owner="another")
    assert mine.hold_lease()
    other.note_trouble(StorageUnavailable("server closed the connection"))
    assert _troubles(house) == []
    looks: list[str] = []

    def lose(_stop: threading.Event) -> None:
        looks.append("mine")
        mine.drop_lease()
        if len(looks) == 1:
            assert other.hold_lease()
            other.note_trouble(StorageUnavailable("server closed the connection"))
            assert len(_troubles(house)) == 1
        else:
            stop.set()

    class Dying(_Stop):
        def wait(self, timeout: float | None = None) -> bool:
            other.drop_lease()
            return super().wait(timeout)

    monkeypatch.setattr(mine, "wait", lose)
    stop = Dying(9)
    mine.run(stop)
    assert len(looks) == 2
    assert _troubles(house) == []


def test_while_it_waits_it_saves_what_leaves_and_comes_back_when_the_inbox_was_seen(
    house: TestHouse, folder: FakeSentFolder, keeper: SentFolderKeeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    _looked_into(house, "INBOX")
    folder.add(written(replies_to="colega@example.com.br"))
    keeper.look_after()
    rung: list[bool] = []
    keeper.on_doubt = lambda: rung.append(True)
    waits: list[float] = []

    def wait(seconds: float) -> bool:
        waits.append(seconds)
        if len(waits) == 2:
            _looked_into(house, "INBOX")
        return False

    saves: list[bool] = []
    monkeypatch.setattr(folder, "wait", wait)
    monkeypatch.setattr(keeper, "save_due", lambda: saves.append(True))
    keeper.wait(threading.Event())
    assert (waits, rung, saves) == ([10.0, 10.0], [True], [True])


def test_a_watch_that_was_switched_off_holds_no_reminder_up(
    house: TestHouse, folder: FakeSentFolder, keeper: SentFolderKeeper
) -> None:
    request(house)
    look(house, keeper)
    with house.app.storage.write() as work:
        memory = work.house.folder("default", SENT_FOLDER)
        assert memory is not None
        work.house.remember_folder(replace(memory, last_collect_at=datetime.now(UTC) - timedelta(days=9)))
    house.clock.advance(timedelta(days=11))
    mailbox = house.app.mailboxes["default"]
    spec = mailbox.spec.model_copy(update={"sent_folder": None})
    house.app.mailboxes = {"default": replace(mailbox, spec=spec)}
    house.app.upkeep.tick()
    assert house.tickets()[0].resolution is Resolution.EXPIRED


def test_another_process_goes_on_where_this_one_was_left_in_doubt(
    house: TestHouse, folder: FakeSentFolder, keeper: SentFolderKeeper
) -> None:
    number = request(house)
    _looked_into(house, "INBOX")
    folder.add(written(replies_to="colega@example.com.br"))
    folder.add(written("Já respondi.", replies_to=FIRST_ID))
    assert keeper.look_after() == 1
    house.process()
    again = keeper_of(house, folder)
    assert again.run_once(inbox_is_seen=True) == 0
    assert answers(house, number) == ["Já respondi."]
    with house.app.storage.read() as work:
        memory = work.house.folder("default", SENT_FOLDER)
    assert memory is not None
    assert memory.first_uid == 3


@pytest.mark.parametrize("sender", ["joao@cliente.example", CUSTOMER])
def test_what_somebody_else_writes_to_mailbox_and_requester_is_not_the_houses_word(
    house: TestHouse, folder: FakeSentFolder, keeper: SentFolderKeeper, sender: str
) -> None:
    """However well their server vouches for them."""
    number = request(house)
    look(house, keeper)
    raw = written("Pague aqui.", to=MAILBOX, cc=CUSTOMER, sender=sender, replies_to=FIRST_ID)
    verdict = f"Authentication-Results: {AUTHSERV_ID}; dmarc=pass header.from={sender.rpartition('@')[2]}\r\n"
    house.receive(verdict.encode() + raw)
    assert answers(house, number) == []


GOLDEN = sorted((Path(__file__).parents[1] / "mails").glob("06*.eml"))


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_an_answer_is_understood_as_each_webmail_keeps_it(
    house: TestHouse, folder: FakeSentFolder, keeper: SentFolderKeeper, path: Path
) -> None:
    customer = "maria@cliente.example"
    raw = mail(REQUEST, sender=customer).replace(b"Message-ID: <", b"Message-ID: <um.mail@cliente.example> <", 1)
    house.receive(re.sub(rb"(um\.mail@cliente\.example>) <[^>]*>", rb"\1", raw))
    folder.add(path.read_bytes())
    assert look(house, keeper) == [MailOutcome.MESSAGE]
    assert answers(house, house.tickets()[0].number) == ["Maria, a CNH pode ser uma foto."]
    by = "ana@example.com.br" if "on-behalf" in path.stem else MAILBOX
    assert history(house, house.tickets()[0].number)[-1].author.address == by


def test_there_are_golden_mails_of_webmails() -> None:
    assert len(GOLDEN) == 3


def test_a_sent_folder_that_hangs_is_seen_by_the_watchdog(
    house: TestHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mailbot.flows.pulse.STEP_SECONDS", 0.0)
    pulse, stop = Pulse(), threading.Event()
    late: list[list[str]] = []

    class Hanging(FakeSentFolder):
        def open(self) -> FolderState:
            late.append(pulse.overdue())
            stop.set()
            return super().open()

    keeper_of(house, Hanging(), pulse=pulse).run(stop)
    assert late == [["sent default"]]
    assert pulse.overdue() == [], "one that came to its end promises nothing"
