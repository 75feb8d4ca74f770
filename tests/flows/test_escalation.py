"""What leaves by the alert command: what lasts, once, and its end; with or without the database."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import time_machine

from mailbot.domain.errors import AlertNotSent, StorageUnavailable
from mailbot.domain.events import Audience, LetterKind, LetterStatus
from mailbot.domain.incidents import Incident, Notice, NoticeState, Remembered
from mailbot.domain.outbox import LetterResult
from mailbot.domain.troubles import Trouble, TroubleKey, trouble_words
from mailbot.flows import escalation
from mailbot.flows.escalation import Escalation, HouseLook, HouseSight, Sight
from mailbot.flows.pulse import Pulse
from tests.flows.house import CUSTOMER, StandingClock, TestHouse, mail

NOW = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
WELL = Sight(house=HouseSight(), disk_free_bytes=10**12, low_disk_bytes=10**9)
SMTP_AWAY = Trouble(key=TroubleKey.parse("smtp:default"), since=NOW, error="connect: refused")
SMTP_REFUSES = Trouble(
    key=TroubleKey.parse("smtp:default"), since=NOW, error=trouble_words("log-in: 535 no", login_refused=True)
)


class Memory:
    """Remembers as long as the test runs."""

    def __init__(self) -> None:
        self.incidents: list[Incident] = []

    @contextmanager
    def held(self) -> Iterator[Remembered]:
        remembered = Remembered(self.incidents)
        yield remembered
        self.incidents = remembered.incidents


class Desk:
    """An administrator with a command, a house that is seen as the test says, and time."""

    def __init__(self, moment: time_machine.Traveller) -> None:
        self.moment = moment
        self.sight = WELL
        self.memory = Memory()
        self.told: list[Notice] = []
        self.fails = False
        self.restart()

    def restart(self) -> None:
        self.escalation = Escalation(
            channel=self, memory=self.memory, look_at=lambda: self.sight, after=10 * MINUTE, pulse=Pulse()
        )

    def tell(self, notice: Notice) -> None:
        if self.fails:
            raise AlertNotSent("it ended with 1")
        self.told.append(notice)

    def look(self, sight: Sight, *, after: timedelta = timedelta()) -> list[Notice]:
        """Time passes, then it looks; what it told."""
        self.moment.shift(after)
        self.sight = sight
        before = len(self.told)
        self.escalation.look()
        return self.told[before:]


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    with time_machine.travel(NOW, tick=False) as moment:
        clock = SimpleNamespace(monotonic=lambda: datetime.now(UTC).timestamp())
        monkeypatch.setattr(escalation, "time", clock)
        yield Desk(moment)


def sees(*troubles: Trouble, **house: Any) -> Sight:
    return Sight(house=HouseSight(troubles=troubles, **house), disk_free_bytes=10**12, low_disk_bytes=10**9)


NO_DATABASE = Sight(house=None, disk_free_bytes=10**12, low_disk_bytes=10**9)


def test_nothing_wrong_tells_nothing(desk: Desk) -> None:
    assert desk.look(WELL) == desk.look(WELL, after=HOUR) == []


def test_a_server_that_is_away_for_minutes_is_told_once_and_so_is_its_return(desk: Desk) -> None:
    assert desk.look(sees(SMTP_AWAY)) == desk.look(sees(SMTP_AWAY), after=9 * MINUTE) == []
    [alarm] = desk.look(sees(SMTP_AWAY), after=MINUTE)
    assert alarm.state is NoticeState.ALARM
    assert alarm.lines == (
        "ALARM: the server does not answer: smtp:default (since 2026-11-23T15:00:00+00:00, 10 min)",
    )
    assert desk.look(sees(SMTP_AWAY), after=HOUR) == []
    [over] = desk.look(WELL, after=MINUTE)
    assert over.state is NoticeState.RECOVERED
    assert over.lines == ("OVER: the server does not answer: smtp:default",)
    assert desk.look(WELL, after=MINUTE) == []


def test_a_server_that_was_away_for_a_moment_is_nobodys_business(desk: Desk) -> None:
    for _ in range(10):
        assert desk.look(sees(SMTP_AWAY), after=5 * MINUTE) == []
        assert desk.look(WELL, after=5 * MINUTE) == []


def test_what_lasts_is_told_again_after_hours(desk: Desk) -> None:
    desk.look(sees(SMTP_AWAY))
    assert len(desk.look(sees(SMTP_AWAY), after=10 * MINUTE)) == 1
    assert desk.look(sees(SMTP_AWAY), after=5 * HOUR) == []
    [again] = desk.look(sees(SMTP_AWAY), after=HOUR)
    assert "370 min" in again.lines[0]


def test_what_comes_and_goes_is_told_once_an_hour(desk: Desk) -> None:
    low = Sight(house=HouseSight(), disk_free_bytes=5, low_disk_bytes=10**9)
    alarms = 0
    for _ in range(60):
        alarms += sum(one.state is NoticeState.ALARM for one in desk.look(low, after=MINUTE))
        desk.look(WELL, after=MINUTE)
    assert alarms == 2


def test_a_refused_login_is_told_sooner(desk: Desk) -> None:
    assert desk.look(sees(SMTP_REFUSES)) == []
    [alarm] = desk.look(sees(SMTP_REFUSES), after=2 * MINUTE)
    assert "refuses our log-in: smtp:default" in alarm.subject


def test_a_providers_limit_is_no_server_that_is_away(desk: Desk) -> None:
    limit = Trouble(key=TroubleKey.parse("limit:default"), since=NOW, error="sending: 550 too many")
    desk.look(sees(limit))
    [alarm] = desk.look(sees(limit), after=10 * MINUTE)
    assert alarm.subject == "the provider holds our letters to a limit: limit:default"


def test_a_full_disk_and_a_loop_that_hangs_are_told_at_once_in_one_notice(desk: Desk) -> None:
    [alarm] = desk.look(
        Sight(house=HouseSight(), disk_free_bytes=7_000_000, low_disk_bytes=10**9, hanging=("intake",))
    )
    assert alarm.subject == "these loops hang: intake (and 1 more)"
    assert "only 7 MB of disk space are left" in alarm.lines[1]


def test_the_database_itself_is_told_of_without_the_database(desk: Desk) -> None:
    assert desk.look(NO_DATABASE) == []
    [alarm] = desk.look(NO_DATABASE, after=10 * MINUTE)
    assert "the database does not take part" in alarm.subject
    [over] = desk.look(WELL, after=MINUTE)
    assert over.state is NoticeState.RECOVERED


def test_what_only_the_database_knows_stays_as_it_was_while_it_is_away(desk: Desk) -> None:
    desk.look(sees(SMTP_AWAY))
    assert len(desk.look(sees(SMTP_AWAY), after=10 * MINUTE)) == 1
    # Neither is its end told, nor is it told again, whatever the time.
    desk.look(NO_DATABASE)
    [database] = desk.look(NO_DATABASE, after=7 * HOUR)
    assert len(database.lines) == 1
    assert [one.state for one in desk.look(sees(SMTP_AWAY), after=MINUTE)] == [NoticeState.ALARM]


def test_a_new_process_knows_what_was_told_and_since_when_things_are_wrong(desk: Desk) -> None:
    """Without its database the daemon ends and is started again every few seconds."""
    for _ in range(119):
        desk.restart()
        assert desk.look(NO_DATABASE, after=timedelta(seconds=5)) == []
    desk.restart()
    assert desk.look(NO_DATABASE, after=timedelta(seconds=5)) == []
    desk.restart()
    assert len(desk.look(NO_DATABASE, after=timedelta(seconds=5))) == 1
    desk.restart()
    assert desk.look(NO_DATABASE, after=timedelta(seconds=5)) == []
    desk.restart()
    assert [one.state for one in desk.look(WELL, after=MINUTE)] == [NoticeState.RECOVERED]


def test_a_command_that_fails_is_tried_again_after_minutes(desk: Desk) -> None:
    desk.fails = True
    desk.look(sees(SMTP_AWAY))
    assert desk.look(sees(SMTP_AWAY), after=10 * MINUTE) == []
    desk.fails = False
    assert desk.look(sees(SMTP_AWAY), after=4 * MINUTE) == []
    assert len(desk.look(sees(SMTP_AWAY), after=MINUTE)) == 1


def test_the_end_of_what_could_not_be_told_is_not_told(desk: Desk) -> None:
    desk.fails = True
    desk.look(sees(SMTP_AWAY))
    desk.look(sees(SMTP_AWAY), after=10 * MINUTE)
    desk.fails = False
    assert desk.look(WELL, after=HOUR) == []


# --- what is seen ---


@pytest.fixture
def house(tmp_path: Path) -> Iterator[TestHouse]:
    with TestHouse(tmp_path, admin_address="administracao@example.com.br") as opened:
        yield opened


def look(house: TestHouse, *, tells_by_letter: bool = True) -> HouseSight | None:
    return HouseLook(
        storage=lambda: house.app.storage,
        mailboxes=house.app.mailboxes.keys(),
        tells_by_letter=tells_by_letter,
        after=10 * MINUTE,
        clock=house.clock,
    ).look()


def test_a_house_in_which_all_is_well_shows_nothing(house: TestHouse) -> None:
    house.receive(mail("Qual o prazo?"))
    assert look(house) == look(house, tells_by_letter=False) == HouseSight()


def test_a_quarantine_alarm_that_cannot_leave_is_seen(house: TestHouse) -> None:
    house.receive(mail("Qual o prazo?"), suspect="junk_folder")
    house.app.alarms.tick()
    assert look(house) == HouseSight()
    house.clock.advance(11 * MINUTE)
    assert look(house) == HouseSight(alerts_not_sent=(LetterKind.ALERT_QUARANTINE,))
    with house.app.storage.write() as work:
        now = house.clock.now()
        while (claimed := work.outbox.claim(owner="me", now=now, real_now=now, early=True)) is not None:
            result = LetterResult(status=LetterStatus.SENT, sent_at=now)
            work.outbox.record(claimed, result, owner="me")
    assert look(house) == HouseSight()


def test_in_hold_mode_an_alarm_that_is_held_like_all_letters_is_no_fault(tmp_path: Path) -> None:
    with TestHouse(tmp_path, admin_address="administracao@example.com.br", send="hold") as holding:
        holding.receive(mail("Qual o prazo?"), suspect="junk_folder")
        holding.app.alarms.tick()
        assert holding.letters(Audience.ADMIN)
        holding.clock.advance(HOUR)
        assert look(holding) == HouseSight()


def test_without_an_administrators_address_quarantine_itself_is_seen(house: TestHouse) -> None:
    house.receive(mail("Qual o prazo?"), suspect="junk_folder")
    assert look(house, tells_by_letter=False) == HouseSight(quarantined=1)


def test_the_letter_about_a_server_that_is_away_is_not_told_twice(house: TestHouse) -> None:
    with house.app.storage.write() as work:
        work.house.note_trouble(TroubleKey.parse("smtp:default"), "no answer", now=house.clock.now())
        work.house.note_trouble(
            TroubleKey.parse("imap:gone"), "of a mailbox that is switched off", now=house.clock.now()
        )
    house.clock.advance(6 * MINUTE)
    house.app.alarms.tick()
    house.clock.advance(11 * MINUTE)
    assert [one.letter for one in house.letters(Audience.ADMIN)].count(LetterKind.ALERT_SERVER_AWAY) == 2
    seen = look(house)
    assert seen is not None
    assert [str(one.key) for one in seen.troubles] == ["smtp:default"]
    assert seen.alerts_not_sent == ()


def test_a_database_that_takes_no_writes_or_cannot_be_opened_shows_nothing() -> None:
    def away() -> Any:
        raise StorageUnavailable("unable to open database file")

    seen = HouseLook(
        storage=away, mailboxes=["default"], tells_by_letter=True, after=MINUTE, clock=StandingClock(NOW)
    )
    assert seen.look() is None


def attempt(house: TestHouse, result: LetterResult) -> None:
    """What is due is tried, and this comes of it."""
    now = house.clock.now()
    with house.app.storage.write() as work:
        while (claimed := work.outbox.claim(owner="me", now=now, real_now=now, early=False)) is not None:
            work.outbox.record(claimed, result, owner="me")


def answers_not_now(house: TestHouse) -> LetterResult:
    """452 4.3.1 Insufficient system storage."""
    retry_at = house.clock.now() + 5 * MINUTE
    return LetterResult(status=LetterStatus.RETRY, error="452 4.3.1", retry_at=retry_at)


def test_letters_that_the_server_takes_not_now_for_hours_are_seen(house: TestHouse) -> None:
    house.receive(mail("Qual o prazo?"))
    house.clock.advance(10 * MINUTE)
    attempt(house, answers_not_now(house))
    assert look(house) == HouseSight()
    house.clock.advance(HOUR)
    assert look(house) == HouseSight(letters_wait=("default",))
    # A second letter leaves: the server takes letters, if not this one.
    attempt(house, answers_not_now(house))
    house.receive(mail("Qual o horário?", subject="Horário", sender="jose@example.com.br"))
    house.clock.advance(10 * MINUTE)
    with house.app.storage.write() as work:
        now = house.clock.now()
        while (claimed := work.outbox.claim(owner="me", now=now, real_now=now, early=False)) is not None:
            is_new = claimed.letter.recipient.address != CUSTOMER
            sent = LetterResult(status=LetterStatus.SENT, sent_at=now)
            work.outbox.record(claimed, sent if is_new else answers_not_now(house), owner="me")
    assert look(house) == HouseSight()


def test_letters_that_wait_for_a_server_or_a_limit_of_which_is_told_are_not_told_of(house: TestHouse) -> None:
    house.receive(mail("Qual o prazo?"))
    house.clock.advance(2 * HOUR)
    for trouble in ("smtp:default", "limit:default"):
        with house.app.storage.write() as work:
            work.house.note_trouble(TroubleKey.parse(trouble), "no answer", now=house.clock.now())
        seen = look(house)
        assert seen is not None
        assert (len(seen.troubles), seen.letters_wait) == (1, ())
        with house.app.storage.write() as work:
            work.house.clear_trouble(TroubleKey.parse(trouble))
    # Where only the inbox cannot be reached, letters could leave.
    with house.app.storage.write() as work:
        work.house.note_trouble(TroubleKey.parse("imap:default"), "no answer", now=house.clock.now())
    seen = look(house)
    assert seen is not None
    assert seen.letters_wait == ("default",)


def test_letters_in_hold_mode_and_those_that_may_still_be_taken_back_wait_by_intent(tmp_path: Path) -> None:
    with TestHouse(tmp_path / "hold", send="hold") as holding:
        holding.receive(mail("Qual o prazo?"))
        holding.clock.advance(5 * HOUR)
        assert look(holding) == HouseSight()
    with TestHouse(tmp_path / "undo", undo_minutes="300", quiet_seconds="10800") as slow:
        slow.receive(mail("Qual o prazo?"))
        attempt(slow, LetterResult(status=LetterStatus.SENT, sent_at=slow.clock.now()))
        assert slow.letters()
        slow.clock.advance(2 * HOUR)
        assert look(slow) == HouseSight()


def test_a_mail_that_intake_does_not_take_is_seen(house: TestHouse) -> None:
    house.collect(mail("Qual o prazo?"))
    assert look(house) == HouseSight()
    with time_machine.travel(datetime.now(UTC) + HOUR):
        assert look(house) == HouseSight(mails_wait=("default",))
        house.process()
        assert look(house) == HouseSight()


def test_what_waits_is_told_if_it_lasts_and_not_in_the_rush_after_a_standstill(desk: Desk) -> None:
    waits = sees(letters_wait=("default",), mails_wait=("default",))
    assert desk.look(waits) == desk.look(WELL, after=9 * MINUTE) == desk.look(waits, after=MINUTE) == []
    [alarm] = desk.look(waits, after=10 * MINUTE)
    assert alarm.subject == (
        "no letter leaves, and the oldest has waited for more than 60 minutes: default (and 1 more)"
    )
    assert "the oldest mail has waited for more than 60 minutes to be processed: default" in alarm.lines[1]
    assert desk.look(waits, after=5 * HOUR) == []
    assert [one.state for one in desk.look(WELL, after=MINUTE)] == [NoticeState.RECOVERED]


class StorageThatHangs:
    """A database whose server was stopped: the connection stands, and nothing comes."""

    def __init__(self) -> None:
        self.go_on = threading.Event()
        self.is_asked = threading.Event()
        self.asked = 0
        self.was_waited_for = False

    @contextmanager
    def write(self) -> Iterator[Any]:
        self.asked += 1
        self.is_asked.set()
        self.was_waited_for = not self.go_on.wait(300)
        raise StorageUnavailable("the server went away")
        yield

    read = write


def test_a_database_that_hangs_keeps_no_alarm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mailbot.bootstrap.HOUSE_ANSWER_SECONDS", 0.05)
    told: list[Notice] = []
    storage = StorageThatHangs()
    with (
        TestHouse(tmp_path, alert_command="/bin/false", alert_after_minutes="1") as house,
        time_machine.travel(NOW, tick=False) as moment,
    ):
        monkeypatch.setattr(house.app, "storage", storage)
        desk = house.app.escalation
        assert desk is not None
        monkeypatch.setattr(desk, "_channel", SimpleNamespace(tell=told.append))
        monkeypatch.setattr(house.app.pulse, "overdue", lambda: ["intake"])
        desk.look()
        assert told[0].subject.startswith("these loops hang: intake")
        moment.shift(MINUTE)
        desk.look()
        assert "the database does not take part" in told[1].subject
        assert not storage.was_waited_for
        # The thread that asks may be slow to begin.
        assert storage.is_asked.wait(60)
        assert storage.asked == 1
        storage.go_on.set()
