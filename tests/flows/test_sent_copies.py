"""Our letters in the Sent folder: once each, after they left, and never a reason to delay or repeat one."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from mailbot.catalogue.mailboxes import MailboxSpec
from mailbot.catalogue.providers import provider_of
from mailbot.connections import Connection, sent_folder_of
from mailbot.domain.errors import ServerAway
from mailbot.domain.events import Audience, LetterStatus
from mailbot.domain.exchange import Delivered, OutcomeUnknown, SentCopy
from mailbot.flows.delivery import Delivery
from mailbot.flows.outlets import Outlet
from mailbot.flows.sent_folder import SentFolderKeeper
from tests.flows.house import CUSTOMER, MAILBOX, TestHouse, mail
from tests.flows.sent import FakeSentFolder, keeper_of, written
from tests.flows.test_delivery import AWAY, DELIVERED, FakeTransport


@pytest.fixture
def house(tmp_path: Path) -> Iterator[TestHouse]:
    with TestHouse(tmp_path, quiet_seconds="0", undo_minutes="0") as opened:
        yield opened


@pytest.fixture
def folder() -> FakeSentFolder:
    return FakeSentFolder()


@pytest.fixture
def keeper(house: TestHouse, folder: FakeSentFolder) -> SentFolderKeeper:
    return keeper_of(house, folder)


def deliver(house: TestHouse, transport: FakeTransport, *, saves: bool = True) -> None:
    mailbox = house.app.mailboxes["default"]
    mailbox = replace(mailbox, spec=mailbox.spec.model_copy(update={"max_connections": 1}))
    delivery = Delivery(
        storage=house.app.storage,
        blobs=house.app.blobs,
        outlets={"default": Outlet(mailbox=mailbox, transport=transport, saves_copies=saves)},
        office=house.app.office,
        secret_key=house.app.settings.require_secret_key(),
        hold_reason_for=lambda _address: None,
        clock=house.clock,
        owner="me",
    )
    asyncio.run(delivery.deliver_all())


def question(house: TestHouse, sender: str = CUSTOMER) -> None:
    """One letter to the customer and one notice to an agent are written."""
    house.receive(mail("Qual o prazo?", subject="Dúvida", sender=sender))


def failed(house: TestHouse) -> tuple[int, str]:
    with house.app.storage.read() as work:
        found = work.sent.failed_copies("default")
    return found.count, found.last_error


def waiting(house: TestHouse, *, after: timedelta = timedelta(days=400)) -> int:
    with house.app.storage.read() as work:
        return len(work.sent.due_copies("default", now=house.clock.now() + after, limit=100))


def test_what_left_is_saved_once_as_it_left(
    house: TestHouse, folder: FakeSentFolder, keeper: SentFolderKeeper
) -> None:
    question(house)
    transport = FakeTransport(DELIVERED)
    deliver(house, transport)
    assert folder.saved == []
    house.clock.advance(timedelta(hours=3))
    keeper.look_after()
    assert {copy.message for copy in folder.saved} == {envelope.message for envelope in transport.envelopes}
    assert {copy.sent_at for copy in folder.saved} == {house.clock.now() - timedelta(hours=3)}
    keeper.look_after()
    keeper_of(house, folder).look_after()
    assert len(folder.saved) == 2
    assert waiting(house) == 0
    # And our own copies are no mail of anybody's.
    assert [row.folder for row in house.mails()] == ["INBOX"]


def test_a_letter_that_left_before_its_time_is_saved_as_it_left(tmp_path: Path, folder: FakeSentFolder) -> None:
    """A decision waits to be taken back; ``run --once`` does not wait, and its Date is another."""
    with TestHouse(tmp_path, undo_minutes="5") as house:
        question(house)
        house.agent_reply(house.letters(Audience.STAFF)[0], "#autorizar Pode vir.")
        transport = FakeTransport(DELIVERED)
        deliver(house, transport)
        house.clock.advance(timedelta(hours=3))
        keeper_of(house, folder).look_after()
        assert {copy.message for copy in folder.saved} == {envelope.message for envelope in transport.envelopes}
        # The notice, its echo to the agent, and the decision.
        assert len(folder.saved) == len(transport.envelopes) == 3


@pytest.mark.parametrize("answer", [AWAY, OutcomeUnknown(reason="lost after the final dot")])
def test_what_may_not_have_left_is_not_saved(
    house: TestHouse, folder: FakeSentFolder, keeper: SentFolderKeeper, answer: Any
) -> None:
    question(house)
    deliver(house, FakeTransport(answer))
    keeper.look_after()
    assert folder.saved == []
    # It leaves at last, perhaps a second time, and is saved once.
    house.clock.advance(timedelta(minutes=30))
    deliver(house, FakeTransport(DELIVERED))
    keeper.look_after()
    assert len(folder.saved) == len(house.letters()) == 2


def test_where_the_provider_saves_it_nothing_is_asked_for(house: TestHouse) -> None:
    question(house)
    deliver(house, FakeTransport(DELIVERED), saves=False)
    assert waiting(house) == 0


def test_what_the_provider_saved_all_the_same_is_not_saved_again(
    house: TestHouse, folder: FakeSentFolder, keeper: SentFolderKeeper
) -> None:
    question(house)
    transport = FakeTransport(DELIVERED)
    deliver(house, transport)
    for envelope in transport.envelopes:
        folder.add(envelope.message)
    keeper.look_after()
    assert (folder.saved, waiting(house)) == ([], 0)


def test_a_crash_after_saving_saves_nothing_twice(
    house: TestHouse, folder: FakeSentFolder, keeper: SentFolderKeeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    question(house)
    deliver(house, FakeTransport(DELIVERED))
    with monkeypatch.context() as patch:
        from mailbot.adapters.storage.sent_store import SentStore

        patch.setattr(SentStore, "copies_are_there", lambda *_: (_ for _ in ()).throw(SystemExit))
        with pytest.raises(SystemExit):
            keeper.look_after()
    assert (len(folder.saved), waiting(house)) == (2, 2)
    house.reopen()
    keeper_of(house, folder).look_after()
    assert (len(folder.saved), waiting(house)) == (2, 0)


def test_a_server_that_breaks_off_is_tried_again_and_no_letter_leaves_twice(
    house: TestHouse, folder: FakeSentFolder, keeper: SentFolderKeeper
) -> None:
    question(house)
    transport = FakeTransport(DELIVERED)
    deliver(house, transport)
    folder.away = True
    with pytest.raises(ServerAway):
        keeper.look_after()
    assert waiting(house) == 2
    deliver(house, transport)
    folder.away = False
    keeper.look_after()
    assert (len(folder.saved), len(transport.envelopes), waiting(house)) == (2, 2, 0)
    assert {letter.status for letter in house.letters()} == {LetterStatus.SENT}


def test_a_server_that_refuses_is_asked_five_times_and_then_no_more(
    house: TestHouse, folder: FakeSentFolder, keeper: SentFolderKeeper
) -> None:
    question(house)
    deliver(house, FakeTransport(DELIVERED))
    folder.refuses = "copy not taken: [OVERQUOTA] mailbox is full"
    with capture_logs() as logs:
        for _ in range(9):
            keeper.look_after()
            house.clock.advance(timedelta(minutes=11))
    assert [line["action"] for line in logs].count("sent.copy_refused") == 2 * 4
    assert [line["action"] for line in logs].count("sent.copy_given_up") == 2
    assert failed(house) == (2, folder.refuses)
    assert waiting(house) == 0
    # When there is room again, what leaves then is saved; a failure of long ago is no news.
    folder.refuses = ""
    keeper.look_after()
    assert folder.saved == []
    house.clock.advance(timedelta(days=31))
    question(house, "outro@cliente.example")
    deliver(house, FakeTransport(DELIVERED))
    folder.refuses = "copy not taken: no"
    keeper.look_after()
    assert failed(house)[0] == 0


def test_without_a_sent_folder_nothing_piles_up(
    house: TestHouse, folder: FakeSentFolder, keeper: SentFolderKeeper
) -> None:
    question(house)
    deliver(house, FakeTransport(DELIVERED))
    folder.missing = True
    assert keeper.run_once(inbox_is_seen=True) == 0
    assert (waiting(house), failed(house)) == (0, (0, ""))


def test_what_somebody_insisted_on_saving_is_told_of(house: TestHouse, folder: FakeSentFolder) -> None:
    mailbox = house.app.mailboxes["default"]
    spec = mailbox.spec.model_copy(update={"save_sent": "always"})
    house.app.mailboxes = {"default": replace(mailbox, spec=spec)}
    question(house)
    deliver(house, FakeTransport(DELIVERED))
    folder.missing = True
    keeper_of(house, folder).run_once(inbox_is_seen=True)
    assert (waiting(house), failed(house)) == (0, (2, "there is no Sent folder"))


def test_a_round_saves_what_it_sent_last(
    house: TestHouse, folder: FakeSentFolder, keeper: SentFolderKeeper
) -> None:
    assert keeper.hold_lease()
    keeper.run_once(inbox_is_seen=True)
    question(house)
    deliver(house, FakeTransport(DELIVERED))
    keeper.save_last()
    assert len(folder.saved) == 2


# --- who saves ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("entry", "smtp_host", "saves"),
    [
        ({}, "smtp.locaweb.example", True),
        ({}, "smtp.gmail.com", False),
        ({}, "smtp.Office365.com", False),
        ({"settle": "none"}, "smtp.locaweb.example", False),
        ({"settle": "none", "save_sent": "always"}, "smtp.gmail.com", True),
        ({"save_sent": "always"}, "smtp.gmail.com", True),
        ({"save_sent": "never"}, "smtp.locaweb.example", False),
    ],
)
def test_it_saves_unless_the_provider_does_or_nothing_is_to_be_written(
    house: TestHouse, entry: dict[str, str], smtp_host: str, saves: bool
) -> None:
    connection = house.app.connections["default"]
    spec = MailboxSpec.model_validate({"key": "default", "name": "Central", **entry})
    mailbox = replace(connection.mailbox, spec=spec, provider=provider_of("auto", [smtp_host]))
    assert replace(connection, mailbox=mailbox).saves_copies is saves


@pytest.mark.parametrize(
    ("sent_folder", "watches", "name"), [("auto", True, None), ("Enviados", True, "Enviados"), (None, False, None)]
)
def test_the_sent_folder_is_found_by_itself_named_or_left_alone(
    sent_folder: str | None, watches: bool, name: str | None
) -> None:
    spec = MailboxSpec.model_validate({"key": "default", "name": "Central", "sent_folder": sent_folder})
    assert (spec.watches_sent_folder, spec.sent_folder_name) == (watches, name)
    assert MailboxSpec.model_validate({"key": "default", "name": "Central"}).watches_sent_folder


# --- nothing else is ever written -------------------------------------------------------------------------------


def tree(path: Path) -> dict[str, tuple[bytes, int]]:
    return {
        str(file.relative_to(path)): (file.read_bytes(), file.stat().st_mtime_ns)
        for file in path.rglob("*")
        if file.is_file()
    }


_FLAGS = st.sampled_from(["", ":2,", ":2,S", ":2,RS", ":2,F"])
_PEOPLE = st.sampled_from(
    [
        written("Respondo eu.", replies_to="q@example.com.br"),
        written("Novidades", to="alguem@cliente.example"),
        written(to="chefe@example.com.br", replies_to="q@example.com.br"),
        written("x", sender=CUSTOMER, replies_to="q@example.com.br"),
        b"\x00\xff garbage",
    ]
)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(people=st.lists(st.tuples(_PEOPLE, _FLAGS, st.booleans()), max_size=6), rounds=st.integers(1, 3))
def test_nothing_in_the_sent_folder_changes_but_that_our_letters_come_in(
    tmp_path_factory: pytest.TempPathFactory, people: list[tuple[bytes, str, bool]], rounds: int
) -> None:
    folder = tmp_path_factory.mktemp("sent")
    sent = folder / "Maildir" / ".Sent"
    for name in ("tmp", "new", "cur"):
        (folder / "Maildir" / name).mkdir(parents=True)
        (sent / name).mkdir(parents=True)
    with TestHouse(folder, collect_since="all") as house:
        house.receive(mail("Qual o prazo?", subject="Dúvida", message_id="q"))
        for number, (raw, flags, is_new) in enumerate(people):
            name = f"{number}.webmail" if is_new else f"{number}.webmail{flags}"
            (sent / ("new" if is_new else "cur") / name).write_bytes(raw)
        before = tree(sent)
        transport = FakeTransport(Delivered(response="250 ok"))
        deliver(house, transport)
        for _ in range(rounds):
            [keeper] = house.app.sent_folder_keepers()
            for _ in range(keeper.run_once(inbox_is_seen=True)):
                house.process()
            keeper.close()
        after = tree(sent)
    assert {name: after.get(name) for name in before} == before
    added = [after[name][0] for name in after if name not in before]
    letters = {envelope.message for envelope in transport.envelopes}
    assert len(added) == len(set(added))
    assert set(added) == letters


def test_a_copy_in_a_maildir_is_one_file_marked_as_read(house: TestHouse) -> None:
    path = house.folder / "Maildir"
    for name in ("new", "cur"):
        (path / ".Sent" / name).mkdir(parents=True)
    connection: Connection = house.app.connections["default"]
    copy = SentCopy(message_id="mb.x@example.com.br", sent_at=house.clock.now(), message=b"From: x\r\n\r\noi\r\n")
    sent = sent_folder_of(connection)
    sent.open()
    assert [sent.save(copy), sent.save(copy)] == [True, False]
    [file] = (path / ".Sent" / "cur").iterdir()
    assert file.name.endswith(":2,S")
    assert (file.read_bytes(), file.stat().st_mode & 0o777) == (copy.message, 0o600)
    assert file.stat().st_mtime == house.clock.now().timestamp()
    assert list((path / ".Sent" / "tmp").iterdir()) == []


def test_letters_to_whomever_are_saved_also_notices(
    house: TestHouse, folder: FakeSentFolder, keeper: SentFolderKeeper
) -> None:
    question(house)
    deliver(house, FakeTransport(DELIVERED))
    keeper.look_after()
    audiences = {letter.audience for letter in house.letters()}
    assert audiences == {Audience.REQUESTER, Audience.STAFF}
    assert {copy.message_id for copy in folder.saved} == {letter.message_id for letter in house.letters()}
    assert MAILBOX.encode() in folder.saved[0].message
