"""People move, flag and delete mails in the inbox while the bot works: nothing is lost, doubled or confused.

The collector on a real Dovecot, where a second session does what a person's mail program does, at the moment where
it could hurt.
"""

from __future__ import annotations

import imaplib
import ssl
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from mailbot.adapters.imap import ImapSource
from mailbot.domain.ledger import MailOutcome
from mailbot.domain.mail import FetchedMail
from mailbot.domain.mailbox import Security, ServerAddress, Settle
from mailbot.flows.collect import Collector, CollectPlan
from tests.adapters.scripted_imap import ScriptedImap
from tests.flows.house import TestHouse, mail
from tests.peers.dovecot import Dovecot

_QUESTIONS = [
    mail("Qual o prazo?", subject="Dúvida", sender=f"cliente{n}@example.com.br").replace(b"\n", b"\r\n")
    for n in range(5)
]


class Watched(ImapSource):
    """The source, with a person who acts between two of its steps."""

    between: Callable[[], object] = staticmethod(lambda: None)
    before_settling: Callable[[], object] = staticmethod(lambda: None)

    def fetch(self, uids: Sequence[str], *, header_only: bool = False) -> list[FetchedMail]:
        self.between()
        return super().fetch(uids, header_only=header_only)

    def settle(self, uids: Sequence[str]) -> None:
        self.before_settling()
        super().settle(uids)


class Desk:
    """A user's inbox on Dovecot, the bot's collector for it, and a person's own session."""

    def __init__(self, dovecot: Dovecot, house: TestHouse, settle: Settle) -> None:
        self.dovecot = dovecot
        self.house = house
        self.user = dovecot.new_user()
        address = ServerAddress(
            security=Security.TLS,
            host="localhost",
            port=dovecot.imaps_port,
            username=self.user,
            password=dovecot.users[self.user],
        )
        self.source = Watched(
            mailbox="default",
            server=address,
            folder="INBOX",
            settle=settle,
            ssl_context=ssl.create_default_context(cafile=dovecot.ca_file),
        )
        self.collector = Collector(
            plan=CollectPlan(mailbox="default", folder="INBOX", max_wire_bytes=50_000_000, since="all"),
            source=self.source,
            storage=house.app.storage,
            blobs=house.app.blobs,
            owner="me",
        )

    def close(self) -> None:
        self.source.close()

    def put(self, *mails: bytes) -> None:
        self.dovecot.append_all(self.user, mails)

    def person(self, act: Callable[[imaplib.IMAP4_SSL], object], folder: str = "INBOX") -> None:
        with self.dovecot.imap(self.user) as session:
            session.select(folder)
            act(session)

    def round(self) -> list[MailOutcome]:
        """Collect what is there and process it."""
        self.collector.collect_once()
        outcomes = []
        while (outcome := self.house.app.intake.process_next(early=True)) is not None:
            outcomes.append(outcome)
        return outcomes

    def inbox(self) -> list[bytes]:
        return self.dovecot.messages(self.user)

    def processed(self) -> list[bytes]:
        return self.dovecot.messages(self.user, "Processados")


@pytest.fixture
def house(tmp_path: Path) -> Iterator[TestHouse]:
    with TestHouse(tmp_path) as opened:
        yield opened


@pytest.fixture(params=[Settle.MOVE, Settle.KEYWORD, Settle.NONE])
def desk(request: pytest.FixtureRequest, dovecot: Dovecot, house: TestHouse) -> Iterator[Desk]:
    """With each way to settle."""
    with closing(Desk(dovecot, house, request.param)) as made:
        yield made


@pytest.fixture
def moving(dovecot: Dovecot, house: TestHouse) -> Iterator[Desk]:
    with closing(Desk(dovecot, house, Settle.MOVE)) as made:
        yield made


def expunge(uids: str) -> Callable[[imaplib.IMAP4_SSL], object]:
    def act(session: imaplib.IMAP4_SSL) -> None:
        session.uid("STORE", uids, "+FLAGS", r"(\Deleted)")
        session.expunge()

    return act


def move(uids: str, folder: str) -> Callable[[imaplib.IMAP4_SSL], object]:
    def act(session: imaplib.IMAP4_SSL) -> None:
        session.create(folder)
        assert session.uid("MOVE", uids, folder)[0] == "OK"

    return act


def flag(uids: str, flags: str, sign: str = "+") -> Callable[[imaplib.IMAP4_SSL], object]:
    return lambda session: session.uid("STORE", uids, f"{sign}FLAGS", f"({flags})")


@pytest.mark.parametrize("act", [expunge("2,4"), move("2,4", "Pessoal")])
def test_what_a_person_takes_away_between_the_listing_and_the_fetch_is_let_go(
    desk: Desk, act: Callable[[imaplib.IMAP4_SSL], object]
) -> None:
    desk.put(*_QUESTIONS)
    desk.source.between = lambda: desk.person(act)
    with capture_logs() as logs:
        assert desk.round() == [MailOutcome.TICKET] * 3
    desk.source.between = lambda: None
    assert desk.round() == []
    assert len(desk.house.tickets()) == 3
    assert [line for line in logs if line["log_level"] in ("warning", "error")] == []


@pytest.mark.parametrize("act", [expunge("1:*"), move("1:*", "Pessoal")])
def test_a_person_who_empties_the_inbox_is_no_trouble_with_the_server(
    desk: Desk, act: Callable[[imaplib.IMAP4_SSL], object]
) -> None:
    desk.put(*_QUESTIONS)
    desk.source.between = lambda: desk.person(act)
    assert desk.round() == []
    desk.source.between = lambda: None
    desk.put(_QUESTIONS[0])
    assert desk.round() == [MailOutcome.TICKET]


@pytest.mark.parametrize("act", [expunge("1:3"), move("1:3", "Pessoal"), expunge("1:*")])
def test_what_a_person_takes_away_before_it_is_settled_is_stored_and_stays_where_they_put_it(
    desk: Desk, act: Callable[[imaplib.IMAP4_SSL], object]
) -> None:
    desk.put(*_QUESTIONS)
    left: list[list[bytes]] = []

    def once() -> None:
        if not left:
            desk.person(act)
            left.append(desk.inbox())

    desk.source.before_settling = once
    assert desk.round() == [MailOutcome.TICKET] * 5
    assert desk.round() == []
    assert sorted(desk.inbox() + desk.processed()) == sorted(left[0])


def test_flags_that_people_and_their_programs_set_change_nothing(desk: Desk) -> None:
    desk.put(*_QUESTIONS)
    desk.person(flag("1,2", r"\Seen \Flagged $Label1"))
    desk.source.between = lambda: desk.person(flag("3", r"\Seen \Answered"))
    desk.source.before_settling = lambda: desk.person(flag("1:5", r"\Seen", "-"))
    assert desk.round() == [MailOutcome.TICKET] * 5
    desk.source.between = desk.source.before_settling = lambda: None
    assert desk.round() == []


def test_a_mail_marked_as_deleted_is_let_lie_until_the_mark_goes(desk: Desk) -> None:
    desk.put(*_QUESTIONS[:3])
    desk.person(flag("2", r"\Deleted"))
    assert desk.round() == [MailOutcome.TICKET] * 2
    assert _QUESTIONS[1] in desk.inbox()
    desk.person(flag("2", r"\Deleted", "-"))
    assert desk.round() == [MailOutcome.TICKET]


def test_a_mail_marked_as_deleted_while_it_is_taken_is_not_lost(desk: Desk) -> None:
    desk.put(*_QUESTIONS[:2])
    desk.source.between = lambda: desk.person(flag("1:2", r"\Deleted"))
    assert desk.round() == [MailOutcome.TICKET] * 2
    assert sorted(desk.inbox() + desk.processed()) == sorted(_QUESTIONS[:2])


def test_a_mail_dragged_back_is_moved_again_and_answered_once(moving: Desk) -> None:
    moving.put(*_QUESTIONS[:2])
    assert moving.round() == [MailOutcome.TICKET] * 2
    letters = len(moving.house.letters())
    for _ in range(3):
        moving.person(move("1:*", "INBOX"), folder="Processados")
        assert set(moving.round()) == {MailOutcome.DUPLICATE}
        assert moving.inbox() == []
    assert (len(moving.house.tickets()), len(moving.house.letters())) == (2, letters)
    assert sorted(moving.processed()) == sorted(_QUESTIONS[:2])


def test_a_mail_dragged_away_unread_and_back_later_is_taken_then(moving: Desk) -> None:
    moving.put(*_QUESTIONS[:2])
    moving.person(move("1", "Pessoal"))
    assert moving.round() == [MailOutcome.TICKET]
    moving.person(move("1", "INBOX"), folder="Pessoal")
    assert moving.round() == [MailOutcome.TICKET]


def test_a_copy_that_a_person_makes_in_the_inbox_opens_no_second_ticket(desk: Desk) -> None:
    desk.put(_QUESTIONS[0])
    desk.person(lambda session: session.uid("COPY", "1", "INBOX"))
    assert desk.round() == [MailOutcome.TICKET, MailOutcome.DUPLICATE]
    assert len(desk.house.tickets()) == 1


@pytest.mark.parametrize("fate", ["DELETE", "RENAME"])
def test_a_processed_folder_that_a_person_removes_is_made_again(moving: Desk, fate: str) -> None:
    moving.put(_QUESTIONS[0])
    assert moving.round() == [MailOutcome.TICKET]
    arguments: tuple[Any, ...] = ("Processados",) if fate == "DELETE" else ("Processados", "Antigos")
    moving.person(lambda session: getattr(session, fate.lower())(*arguments))
    moving.put(_QUESTIONS[1])
    assert moving.round() == [MailOutcome.TICKET]
    assert moving.processed() == [_QUESTIONS[1]]


def test_people_at_work_while_we_wait_ring_only_for_new_mail(moving: Desk) -> None:
    moving.put(*_QUESTIONS[:3])
    moving.round()
    moving.put(_QUESTIONS[3])
    moving.source.open()
    moving.source.list_mails(1)
    moving.person(flag("4", r"\Seen"))
    moving.person(move("4", "Pessoal"))
    assert moving.source.wait(0.3) is False
    moving.person(move("1", "INBOX"), folder="Pessoal")
    assert moving.source.wait(60) is True
    assert moving.round() == [MailOutcome.TICKET]


def test_a_mail_under_two_labels_that_are_both_collected_opens_one_ticket(house: TestHouse) -> None:
    """At Gmail one mail lies in several folders at once."""
    with ScriptedImap([_QUESTIONS[0]]) as server:
        for folder in ("INBOX", "Vistorias"):
            server.folders.setdefault(folder, type(server.inbox)()).mails |= dict(server.inbox.mails)
            source = ImapSource(
                mailbox="default",
                server=ServerAddress(
                    security=Security.PLAIN, host="127.0.0.1", port=server.port, username="u", password="p"
                ),
                folder=folder,
                settle=Settle.NONE,
            )
            plan = CollectPlan(mailbox="default", folder=folder, max_wire_bytes=50_000_000, since="all")
            collector = Collector(
                plan=plan, source=source, storage=house.app.storage, blobs=house.app.blobs, owner="me"
            )
            assert collector.collect_once() == 1
            collector.close()
    assert [house.process(), house.process()] == [MailOutcome.TICKET, MailOutcome.DUPLICATE]
    assert len(house.tickets()) == 1
