"""Collecting: what is durable before the mailbox is touched, and whose mail is whose after a misfortune."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import time_machine
from structlog.testing import capture_logs

from mailbot.domain.errors import (
    CredentialsRefused,
    LeaseLost,
    ServerAway,
    ServerThrottles,
    StorageUnavailable,
)
from mailbot.domain.events import LetterKind
from mailbot.domain.exchange import FolderState, MailEntry
from mailbot.domain.ledger import LEASE_TIME, MailOutcome
from mailbot.domain.mail import FetchedMail, InboundMail
from mailbot.domain.troubles import trouble_words
from mailbot.flows.collect import Collector, CollectPlan
from tests.flows.house import TestHouse, mail

NOW = datetime.now(UTC).replace(microsecond=0)
DAY = timedelta(days=1)


class FakeFolder:
    """A folder on a server; also the MailSource that reads it. ``away`` is raised by the methods it names."""

    def __init__(self, *, moves: bool = True) -> None:
        self.mails: dict[int, tuple[datetime, bytes]] = {}
        self.uid_validity = 7
        self.uid_next = 1
        self.moves = moves
        self.settled: list[str] = []
        self.fetched: list[str] = []
        self.fails: dict[str, list[Exception]] = {}
        self.on_settle: Callable[[], None] = lambda: None
        self.waits: list[bool] = []
        self.closed = 0
        self.interrupted = False

    def add(self, raw: bytes, received_at: datetime = NOW) -> int:
        uid = self.uid_next
        self.mails[uid] = (received_at, raw)
        self.uid_next += 1
        return uid

    def renumber(self) -> None:
        """What a restored backup does."""
        self.uid_validity += 1
        self.mails = {uid + 100: stored for uid, stored in self.mails.items()}
        self.uid_next = max(self.mails, default=100) + 1

    def _maybe_fail(self, method: str) -> None:
        errors = self.fails.get(method)
        if errors:
            raise errors.pop(0)

    def open(self) -> FolderState:
        self._maybe_fail("open")
        newest = max((received for received, _ in self.mails.values()), default=None)
        return FolderState(uid_validity=self.uid_validity, uid_next=self.uid_next, newest_received_at=newest)

    def list_mails(self, first_uid: int) -> list[MailEntry]:
        self._maybe_fail("list_mails")
        return [
            MailEntry(uid=str(uid), received_at=received, size_bytes=len(raw))
            for uid, (received, raw) in sorted(self.mails.items())
            if uid >= first_uid
        ]

    def fetch(self, uids: Sequence[str], *, header_only: bool = False) -> list[FetchedMail]:
        self._maybe_fail("fetch")
        self.fetched += uids
        return [
            FetchedMail(
                mailbox="default",
                folder="INBOX",
                uid=uid,
                uid_validity=self.uid_validity,
                received_at=received,
                raw=raw.partition(b"\n\n")[0] + b"\n\n" if header_only else raw,
            )
            for uid in uids
            if int(uid) in self.mails
            for received, raw in [self.mails[int(uid)]]
        ]

    def settle(self, uids: Sequence[str]) -> None:
        self._maybe_fail("settle")
        self.on_settle()
        self.settled += uids
        if self.moves:
            for uid in uids:
                self.mails.pop(int(uid), None)

    def wait(self, timeout_seconds: float) -> bool:
        self._maybe_fail("wait")
        return True

    def interrupt(self) -> None:
        self.interrupted = True

    def close(self) -> None:
        self.closed += 1


@pytest.fixture
def house(tmp_path: Path) -> Iterator[TestHouse]:
    with TestHouse(tmp_path, admin_address="chefe@example.com.br") as opened:
        yield opened


def collector(house: TestHouse, folder: FakeFolder, *, owner: str = "me", **plan: Any) -> Collector:
    values: dict[str, Any] = {
        "mailbox": "default",
        "folder": "INBOX",
        "max_wire_bytes": 50_000_000,
        "since": "all",
    }
    return Collector(
        plan=CollectPlan(**values | plan),
        source=folder,
        storage=house.app.storage,
        blobs=house.app.blobs,
        owner=owner,
    )


def collect(house: TestHouse, folder: FakeFolder, **plan: Any) -> int:
    return collector(house, folder, **plan).collect_once()


def process_all(house: TestHouse) -> list[MailOutcome]:
    house.clock.advance(DAY)
    outcomes = []
    while (outcome := house.app.intake.process_next(early=True)) is not None:
        outcomes.append(outcome)
    return outcomes


def question(number: int) -> bytes:
    return mail("Qual o prazo?", subject="Dúvida", sender=f"cliente.{number}@example.com.br")


# --- order ------------------------------------------------------------------------------------------------------


def test_bytes_and_row_are_durable_before_the_mailbox_is_touched(house: TestHouse) -> None:
    folder = FakeFolder()
    folder.add(question(1))
    seen: list[int] = []

    def look() -> None:
        other = house.open()
        with other.storage.read() as work:
            for row in work.mails.browse():
                assert other.blobs.get(row.raw_digest)
                seen.append(row.id)
        other.close()

    folder.on_settle = look
    assert collect(house, folder) == 1
    assert seen == [1]
    assert folder.mails == {}


@pytest.mark.parametrize("broken", ["put_many", "add"])
def test_what_could_not_be_stored_stays_on_the_server(
    house: TestHouse, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    from mailbot.adapters.blobs import FileBlobs
    from mailbot.adapters.storage.mail_store import MailStore

    def full(*_args: object, **_kwargs: object) -> None:
        raise StorageUnavailable("no space left on device")

    folder = FakeFolder()
    folder.add(question(1))
    with monkeypatch.context() as patch, pytest.raises(StorageUnavailable):
        patch.setattr(FileBlobs if broken == "put_many" else MailStore, broken, full)
        collect(house, folder)
    assert list(folder.mails) == [1]
    assert collect(house, folder) == 1
    assert process_all(house) == [MailOutcome.TICKET]


def test_a_mail_stored_but_not_settled_is_settled_and_not_taken_again(house: TestHouse) -> None:
    folder = FakeFolder()
    folder.add(question(1))
    folder.fails["settle"] = [ServerAway("connection lost")]
    with pytest.raises(ServerAway):
        collect(house, folder)
    assert collect(house, folder) == 0
    assert folder.settled == ["1"]
    assert folder.fetched == ["1"]
    assert process_all(house) == [MailOutcome.TICKET]


def test_many_mails_come_in_batches_and_are_settled_as_they_come(house: TestHouse) -> None:
    folder = FakeFolder()
    for number in range(120):
        folder.add(question(number))
    rings: list[int] = []
    one = collector(house, folder)
    one.on_collected = lambda: rings.append(len(folder.mails))
    folder.fails["fetch"] = []
    assert one.collect_once() == 120
    assert rings == [70, 20, 0]


def test_it_tells_how_many_mails_are_about_to_come_by_how_fast_they_came_so_far(
    house: TestHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = count(start=100, step=10)
    monkeypatch.setattr("mailbot.flows.collect.time", SimpleNamespace(monotonic=lambda: next(clock)))
    folder = FakeFolder()
    for number in range(120):
        folder.add(question(number))
    soon: list[tuple[int, int]] = []
    one = collector(house, folder)
    # 50 in 10 seconds, as the look is asked for the first time: 5 a second.
    one.on_collected = lambda: soon.append((one.coming_within(2), one.coming_within(3600)))
    assert one.collect_once() == 120
    assert soon[0] == (10, 70)
    assert [everything for _, everything in soon] == [70, 20, 0]
    assert one.coming_within(3600) == 0


def coming_at_the_first_fetch(house: TestHouse, mails: int, seconds: float, *, after: float = 0.0) -> int:
    """How many are about to come within ``seconds`` by what is told ``after`` some, when none has come yet."""
    folder, soon = FakeFolder(), list[int]()
    for number in range(mails):
        folder.add(question(number))
    one, original = collector(house, folder), folder.fetch
    now = 100.0

    def asked_meanwhile(uids: Sequence[str], *, header_only: bool = False) -> list[FetchedMail]:
        nonlocal now
        now += after
        soon.append(one.coming_within(seconds))
        return original(uids, header_only=header_only)

    folder.fetch = asked_meanwhile  # type: ignore[method-assign]
    with pytest.MonkeyPatch.context() as standing:
        standing.setattr("mailbot.flows.collect.time", SimpleNamespace(monotonic=lambda: now))
        assert one.collect_once() == mails
    return soon[0]


def test_a_rush_is_told_as_soon_as_the_folder_is_listed(house: TestHouse) -> None:
    assert coming_at_the_first_fetch(house, 300, 2) == 300


def test_a_listing_of_a_few_is_no_rush_before_it_is_known_how_fast_they_come(house: TestHouse) -> None:
    assert coming_at_the_first_fetch(house, 120, 2) == 0


def test_of_a_listing_of_which_nothing_comes_no_rush_is_expected(house: TestHouse) -> None:
    assert coming_at_the_first_fetch(house, 300, 2, after=2) == 0


def test_of_one_senders_many_mails_hardly_one_comes_that_can_be_worked_on(house: TestHouse) -> None:
    folder = FakeFolder()
    for number in range(120):
        folder.add(
            mail(
                "Qual o prazo?", subject="Dúvida", sender="maria@example.com.br", message_id=f"{number}@x.example"
            )
        )
    one = collector(house, folder)
    soon: list[int] = []
    one.on_collected = lambda: soon.append(one.coming_within(3600))
    assert one.collect_once() == 120
    assert soon == [1, 0, 0]


def test_a_server_that_breaks_off_in_the_middle_loses_and_doubles_nothing(house: TestHouse) -> None:
    folder = FakeFolder(moves=False)
    for number in range(120):
        folder.add(question(number))
    calls = iter(range(100))
    original = folder.fetch

    def second_breaks(uids: Sequence[str], *, header_only: bool = False) -> list[FetchedMail]:
        if next(calls) == 1:
            raise ServerAway("BYE")
        return original(uids, header_only=header_only)

    folder.fetch = second_breaks  # type: ignore[method-assign]
    with pytest.raises(ServerAway):
        collect(house, folder)
    assert len(house.mails()) == 50
    assert collect(house, folder) == 70
    assert len(folder.fetched) == len(set(folder.fetched)) == 120


def test_a_mail_that_is_too_large_is_taken_by_its_header_only(house: TestHouse) -> None:
    folder = FakeFolder()
    folder.add(mail("x" * 5000, subject="Dúvida"))
    assert collect(house, folder, max_wire_bytes=2000) == 1
    assert house.mails()[0].size_bytes < 1000
    assert process_all(house) == [MailOutcome.DISCARDED]
    assert [letter.letter for letter in house.letters()] == [LetterKind.MAIL_REFUSED]


@pytest.mark.parametrize("days", [-300, 300])
def test_a_business_clock_set_for_a_trial_keeps_no_mail_waiting(house: TestHouse, days: int) -> None:
    """``MAILBOT_NOW`` is for tickets and letters; what was collected by real time is due by real time."""
    house.clock.advance(days * DAY)
    folder = FakeFolder()
    folder.add(question(1))
    collect(house, folder)
    assert house.app.intake.process_next() is MailOutcome.TICKET


def test_a_failed_attempt_waits_by_real_time(house: TestHouse, monkeypatch: pytest.MonkeyPatch) -> None:
    house.clock.advance(-300 * DAY)
    house.collect(question(1))

    def fail(raw: bytes) -> InboundMail:
        raise ValueError

    with time_machine.travel(datetime.now(UTC), tick=False) as moment:
        with monkeypatch.context() as patched:
            patched.setattr(house.app.reader, "read", fail)
            assert house.app.intake.process_next() is MailOutcome.PENDING
        moment.shift(4.9)
        assert house.app.intake.process_next() is None, "five seconds are not over"
        assert house.app.intake.process_next(early=True) is MailOutcome.TICKET


@pytest.mark.parametrize(
    "header",
    [b"", b"From: \xff\xfe <a@b>\nSubject: \x00\xe9\n", b"From: " + b"a@b.example, " * 5000 + b"\n", b"\n" * 50],
)
def test_no_header_stops_collecting(house: TestHouse, header: bytes) -> None:
    folder = FakeFolder()
    folder.add(header + b"\nbody")
    folder.add(question(1))
    assert collect(house, folder) == 2
    assert folder.mails == {}


# --- first contact ----------------------------------------------------------------------------------------------


def test_mail_from_before_first_contact_is_left_alone_for_ever(house: TestHouse) -> None:
    folder = FakeFolder()
    old = [folder.add(question(number), NOW - 10 * DAY) for number in range(3)]
    assert collect(house, folder, since="now") == 0
    folder.add(question(9), NOW)
    assert collect(house, folder, since="now") == 1
    folder.renumber()
    assert collect(house, folder, since="now") == 0
    assert len(folder.mails) == len(old)


def test_mail_since_a_date_is_taken(house: TestHouse) -> None:
    folder = FakeFolder()
    folder.add(question(1), NOW - 10 * DAY)
    folder.add(question(2), NOW - DAY)
    assert collect(house, folder, since=NOW - 2 * DAY) == 1


# --- UIDVALIDITY ------------------------------------------------------------------------------------------------


def test_after_a_renumbering_known_mail_is_settled_without_a_second_answer(house: TestHouse) -> None:
    folder = FakeFolder(moves=False)
    for number in range(3):
        folder.add(question(number), NOW - timedelta(hours=3 - number))
    collect(house, folder)
    assert process_all(house) == [MailOutcome.TICKET] * 3
    letters = len(house.letters())
    folder.renumber()
    assert collect(house, folder) == 3
    assert process_all(house) == [MailOutcome.DUPLICATE] * 3
    assert len(house.letters()) == letters
    assert len(house.tickets()) == 3


def test_after_a_renumbering_what_should_be_known_and_is_not_makes_one_alarm_with_a_count(
    house: TestHouse,
) -> None:
    folder = FakeFolder(moves=False)
    folder.add(question(1), NOW - timedelta(hours=1))
    collect(house, folder)
    process_all(house)
    before = len(house.letters())
    folder.renumber()
    for number in range(10, 14):
        folder.add(question(number), NOW - timedelta(hours=2))
    fresh = folder.add(question(20), NOW)
    assert collect(house, folder) == 6
    house.clock.advance(DAY)
    house.app.intake.process_next(early=True)
    house.app.intake.process_next(early=True)
    # The clock strikes in the middle: the alarm waits until all are in.
    house.app.alarms.tick()
    outcomes = process_all(house)
    house.app.alarms.tick()
    house.app.alarms.tick()
    assert outcomes.count(MailOutcome.TICKET) == 1
    rows = house.mails()
    assert [row.outcome for row in rows].count(MailOutcome.QUARANTINED) == 4
    assert {row.reason for row in rows if row.outcome is MailOutcome.QUARANTINED} == {"uidvalidity_changed"}
    alarms = [one for one in house.letters()[before:] if one.letter is LetterKind.ALERT_QUARANTINE]
    assert len(alarms) == 1
    assert "4" in alarms[0].subject + alarms[0].text
    assert fresh


def test_a_renumbering_before_any_mail_came_does_not_answer_what_was_there_before(house: TestHouse) -> None:
    folder = FakeFolder(moves=False)
    folder.add(question(1), NOW)
    assert collect(house, folder, since="now") == 0
    folder.renumber()
    collect(house, folder, since="now")
    assert set(process_all(house)) <= {MailOutcome.QUARANTINED}
    assert house.tickets() == []


def test_a_second_renumbering_keeps_what_the_first_made_suspect(house: TestHouse) -> None:
    folder = FakeFolder(moves=False)
    folder.add(question(1), NOW - timedelta(hours=1))
    collect(house, folder)
    process_all(house)
    folder.renumber()
    folder.renumber()
    folder.add(question(2), NOW - timedelta(hours=2))
    collect(house, folder)
    assert sorted(process_all(house)) == [MailOutcome.DUPLICATE, MailOutcome.QUARANTINED]


def test_a_mail_dragged_back_is_moved_again_and_not_processed_again(house: TestHouse) -> None:
    folder = FakeFolder()
    raw = question(1)
    folder.add(raw)
    collect(house, folder)
    process_all(house)
    letters = len(house.letters())
    folder.add(raw)
    assert collect(house, folder) == 1
    assert folder.mails == {}
    assert process_all(house) == [MailOutcome.DUPLICATE]
    assert len(house.letters()) == letters


# --- owners and trouble -----------------------------------------------------------------------------------------


def test_one_process_at_a_time_collects_a_folder(house: TestHouse) -> None:
    folder = FakeFolder()
    mine, other = collector(house, folder), collector(house, folder, owner="another")
    assert mine.hold_lease()
    assert not other.hold_lease()
    mine.drop_lease()
    assert other.hold_lease()
    mine.renew_lease()
    assert not mine.hold_lease()


def test_who_lost_the_folder_while_it_was_stopped_writes_nothing_more_of_it(house: TestHouse) -> None:
    folder = FakeFolder()
    mine, other = collector(house, folder), collector(house, folder, owner="another")
    assert mine.hold_lease()
    assert mine.collect_once() == 0
    with house.app.storage.write() as work:
        work.house.take_lease("collect:default:INBOX", "another", real_now=datetime.now(UTC) + 2 * LEASE_TIME)
        before = work.house.folder("default", "INBOX")
    folder.add(question(1))
    with pytest.raises(LeaseLost):
        mine.collect_once()
    with house.app.storage.read() as work:
        assert work.house.folder("default", "INBOX") == before
    assert house.mails() == []
    assert len(folder.mails) == 1
    assert other.hold_lease()
    assert other.collect_once() == 1


def test_who_lost_the_folder_lets_go_of_the_server_and_waits_for_its_turn(house: TestHouse) -> None:
    folder = FakeFolder()
    one = collector(house, folder)
    waited: list[float] = []

    def lose(timeout_seconds: float) -> bool:
        with house.app.storage.write() as work:
            work.house.take_lease("collect:default:INBOX", "another", real_now=datetime.now(UTC) + 2 * LEASE_TIME)
        folder.add(question(1))
        return True

    class Stop:
        """Ends when the collector waits for its turn."""

        def is_set(self) -> bool:
            return bool(waited)

        def wait(self, seconds: float) -> bool:
            waited.append(seconds)
            return True

    folder.wait = lose  # type: ignore[method-assign]
    with capture_logs() as logs:
        one.run(Stop())  # type: ignore[arg-type]
    assert [line["action"] for line in logs][-1] == "collect.not_owner"
    assert house.mails() == []
    assert folder.closed


def test_a_process_that_does_not_own_the_folder_notes_nothing_against_its_server(house: TestHouse) -> None:
    """The database was cut off from it for a moment: nobody would strike out what it says of the mail server."""
    owner, other = collector(house, FakeFolder()), collector(house, FakeFolder(), owner="another")
    assert owner.hold_lease()
    other.note_trouble(StorageUnavailable("server closed the connection"))
    with house.app.storage.read() as work:
        assert work.house.troubles() == []
    owner.note_trouble(ServerAway("refused"))
    with house.app.storage.read() as work:
        assert [str(trouble.key) for trouble in work.house.troubles()] == ["imap:default"]


def test_what_an_owner_noted_before_it_died_is_struck_out_by_who_follows_it(house: TestHouse) -> None:
    """Also by one that had the folder before, and whose own trouble was over long ago."""
    folder = FakeFolder()
    mine, other = collector(house, folder), collector(house, folder, owner="another")
    looks: list[str] = []

    def lose(timeout_seconds: float) -> bool:
        looks.append("mine")
        mine.drop_lease()
        if len(looks) == 1:
            assert other.hold_lease()
            other.note_trouble(ServerAway("refused"))
        return True

    class Stop:
        """Ends when the folder was had twice; meanwhile the other one dies."""

        def is_set(self) -> bool:
            return len(looks) == 2

        def wait(self, seconds: float) -> bool:
            other.drop_lease()
            return False

    folder.wait = lose  # type: ignore[method-assign]
    mine.run(Stop())  # type: ignore[arg-type]
    with house.app.storage.read() as work:
        assert work.house.troubles() == []


def test_who_lost_the_folder_and_got_it_back_unseen_strikes_out_what_was_noted_meanwhile(house: TestHouse) -> None:
    """While it waited for the bell its lease ran out; another process had the folder, noted a trouble and died."""
    folder = FakeFolder()
    mine, other = collector(house, folder), collector(house, folder, owner="another")
    stop = threading.Event()
    looks: list[str] = []

    def lose(timeout_seconds: float) -> bool:
        looks.append("mine")
        if len(looks) == 2:
            stop.set()
            return True
        with house.app.storage.write() as work:
            work.house.release_leases("me")
        assert other.hold_lease()
        other.note_trouble(ServerAway("refused"))
        other.drop_lease()
        return True

    folder.wait = lose  # type: ignore[method-assign]
    mine.run(stop)
    assert len(looks) == 2
    with house.app.storage.read() as work:
        assert work.house.troubles() == []


def test_who_has_lost_the_folder_waits_no_longer(house: TestHouse) -> None:
    folder = FakeFolder()
    mine, other = collector(house, folder), collector(house, folder, owner="another")
    assert mine.hold_lease()
    mine.renew_lease()
    assert not folder.interrupted
    with house.app.storage.write() as work:
        work.house.release_leases("me")
    assert other.hold_lease()
    mine.renew_lease()
    assert folder.interrupted


def test_two_collectors_of_one_folder_take_each_mail_once(house: TestHouse) -> None:
    """The lease ran out while the first was busy: both collect at the same time."""
    folder = FakeFolder(moves=False)
    for number in range(60):
        folder.add(question(number))
    threads = [threading.Thread(target=collector(house, folder, owner=str(n)).collect_once) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(house.mails()) == 60


def test_a_server_that_is_away_is_tried_again_with_growing_pauses_and_noted(house: TestHouse) -> None:
    folder = FakeFolder()
    folder.add(question(1))
    stop = RecordingStop(ends_after=5)
    folder.fails["open"] = [ServerAway("refused"), ServerAway("refused"), ServerAway("refused")]
    folder.fails["wait"] = [ServerAway("gone")]
    with capture_logs() as logs:
        collector(house, folder).run(stop)  # type: ignore[arg-type]
    waits = stop.waits
    assert waits[0] < waits[1] < waits[2]
    assert 1.5 < waits[0] < 2.5
    # After it was there the pauses begin small again.
    assert waits[3] < 3
    assert len(house.mails()) == 1
    actions = [line["action"] for line in logs]
    assert actions.count("collect.away") == 5 - 1
    assert "collect.back" in actions


class RecordingStop:
    """An Event that takes no time and remembers how long it was waited for."""

    def __init__(self, ends_after: int) -> None:
        self.waits: list[float] = []
        self._ends_after = ends_after

    def is_set(self) -> bool:
        return len(self.waits) >= self._ends_after - 1

    def wait(self, seconds: float) -> bool:
        self.waits.append(seconds)
        return False


def test_a_refused_log_in_is_not_tried_every_second(house: TestHouse) -> None:
    folder = FakeFolder()
    folder.fails["open"] = [CredentialsRefused("535"), CredentialsRefused("535")]
    stop = RecordingStop(ends_after=3)
    collector(house, folder).run(stop)  # type: ignore[arg-type]
    assert stop.waits[0] >= 48
    with house.app.storage.read() as work:
        [trouble] = work.house.troubles()
    assert (str(trouble.key), trouble.error) == ("imap:default", trouble_words("535", login_refused=True))
    collector(house, folder).note_all_is_well()
    with house.app.storage.read() as work:
        assert work.house.troubles() == []


def test_a_server_that_asks_for_patience_is_left_alone_for_so_long_and_loses_no_mail(house: TestHouse) -> None:
    """What was taken before is not fetched again: it would use up the provider's bandwidth for nothing."""
    folder = FakeFolder()
    for number in range(120):
        folder.add(question(number))
    throttled = ServerThrottles("asks for patience", retry_after_seconds=300)

    class Counting(FakeFolder):
        def fetch(self, uids: Sequence[str], *, header_only: bool = False) -> list[FetchedMail]:
            if len(self.fetched) == 50 and not stop.waits:
                raise throttled
            return super().fetch(uids, header_only=header_only)

    folder.__class__ = Counting
    stop = RecordingStop(ends_after=2)
    collector(house, folder).run(stop)  # type: ignore[arg-type]
    assert len(folder.fetched) == 50
    assert 300 <= stop.waits[0] <= 330
    assert collect(house, folder) == 70
    assert len(folder.fetched) == len(set(folder.fetched)) == 120
    assert len(house.mails()) == 120


def test_a_server_that_names_a_short_time_again_and_again_is_given_more(house: TestHouse) -> None:
    folder = FakeFolder()
    folder.fails["open"] = [ServerThrottles("x", retry_after_seconds=3) for _ in range(9)]
    stop = RecordingStop(ends_after=10)
    collector(house, folder).run(stop)  # type: ignore[arg-type]
    assert stop.waits[0] >= 3
    assert stop.waits[-1] >= 200


def test_a_folder_whose_owner_died_is_taken_over_when_the_lease_is_over(house: TestHouse) -> None:
    with house.app.storage.write() as work:
        work.house.take_lease("collect:default:INBOX", "dead", real_now=datetime.now(UTC) - 2 * LEASE_TIME)
    assert collector(house, FakeFolder()).hold_lease()


def test_the_memory_of_a_folder_follows_its_newest_mail(house: TestHouse) -> None:
    folder = FakeFolder()
    folder.add(question(1), NOW)
    folder.add(question(2), NOW - DAY)
    collect(house, folder)
    with house.app.storage.read() as work:
        memory = work.house.folder("default", "INBOX")
    assert memory is not None
    assert memory.newest_received_at == NOW
    assert memory.last_collect_at is not None
    assert replace(memory, folder="x").suspect_until is None
