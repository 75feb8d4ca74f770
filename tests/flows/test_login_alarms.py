"""The administrator hears days before a log-in by token ends, and at once when it has ended."""

from __future__ import annotations

import asyncio
import shutil
import threading
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from mailbot.cli.health import Limits, _examined
from mailbot.cli.output import Exit
from mailbot.domain.errors import CredentialsRefused, LoginExpired, ServerAway
from mailbot.domain.events import Audience, LetterKind, OutboundLetter
from mailbot.domain.exchange import Delivered, FolderState, MailEntry, NotReached, SendOutcome
from mailbot.domain.logins import LoginCredential, LoginExpiry
from mailbot.domain.mail import FetchedMail
from mailbot.flows.alarms import Administration, Alarms
from mailbot.flows.collect import Collector, CollectPlan
from mailbot.flows.delivery import Delivery
from mailbot.flows.outlets import Outlet
from tests.flows.house import NOON, REPOSITORY, TestHouse

ADMIN = "chefe@example.com.br"
DAY = timedelta(days=1)
SAID = "authorization server login.example: no token: invalid_client: AADSTS7000222: expired."


@pytest.fixture
def house(tmp_path: Path) -> Iterator[TestHouse]:
    with TestHouse(tmp_path, admin_address=ADMIN) as opened:
        yield opened


class Watched:
    """The house's alarms with a log-in whose end the test sets."""

    def __init__(self, house: TestHouse, end: datetime | None) -> None:
        self.house = house
        self.end = end
        self.credential = LoginCredential.CLIENT_SECRET
        self.alarms = Alarms(
            storage=house.app.storage,
            outgoing=house.app.outgoing,
            renderer=house.app.renderer,
            calendar=house.app.calendar,
            mailboxes=house.app.mailboxes,
            administration=Administration(address=ADMIN, hold_mode=False),
            clock=house.clock,
            logins=self._logins,
        )

    def _logins(self) -> Sequence[LoginExpiry]:
        return [LoginExpiry(mailbox="default", credential=self.credential, expires_at=self.end)]

    def tick(self) -> list[OutboundLetter]:
        """All letters about it so far, after one more tick."""
        self.alarms.tick()
        return letters(self.house, LetterKind.ALERT_LOGIN_EXPIRES)


def letters(house: TestHouse, kind: LetterKind) -> list[OutboundLetter]:
    return [one for one in house.letters(Audience.ADMIN) if one.letter is kind]


def troubles(house: TestHouse) -> set[str]:
    with house.app.storage.read() as work:
        return {str(trouble.key) for trouble in work.house.troubles()}


def test_it_is_told_a_fortnight_before_three_days_before_and_at_the_end(house: TestHouse) -> None:
    watched = Watched(house, NOON + 15 * DAY)
    assert watched.tick() == []
    house.clock.advance(DAY)
    (first,) = watched.tick()
    assert first.subject.endswith("o acesso à caixa default vence em 14 dias")
    assert "o segredo do cliente (client secret)" in first.text
    assert "08/12/2026" in first.text
    assert first.recipient.address == ADMIN
    for _ in range(10):
        house.clock.advance(DAY)
        assert len(watched.tick()) == 1
    house.clock.advance(DAY)
    assert watched.tick()[1].subject.endswith("vence em 3 dias")
    house.clock.advance(3 * DAY)
    assert watched.tick()[2].subject.endswith("o acesso à caixa default venceu")
    house.clock.advance(3 * DAY)
    assert len(watched.tick()) == 3


def test_a_week_that_was_never_longer_is_told_once(house: TestHouse) -> None:
    """An app of Google's in testing has seven days in all."""
    watched = Watched(house, NOON + 7 * DAY)
    watched.credential = LoginCredential.REFRESH_TOKEN
    (letter,) = watched.tick()
    assert letter.subject.endswith("vence em 7 dias")
    assert "In production" in letter.text and "In production" in letter.html


def test_a_restart_tells_nothing_twice(house: TestHouse) -> None:
    Watched(house, NOON + 2 * DAY).tick()
    house.reopen()
    assert len(Watched(house, NOON + 2 * DAY).tick()) == 1


def test_what_was_renewed_is_forgotten_and_told_again_at_its_next_end(house: TestHouse) -> None:
    watched = Watched(house, NOON + 2 * DAY)
    watched.tick()
    watched.end = NOON + 400 * DAY
    assert len(watched.tick()) == 1
    assert troubles(house) == set()
    house.clock.advance(386 * DAY)
    assert len(watched.tick()) == 2


def test_an_end_that_nobody_knows_alarms_nobody(house: TestHouse) -> None:
    assert Watched(house, None).tick() == []


def test_a_mailbox_that_is_gone_leaves_nothing_behind(house: TestHouse) -> None:
    Watched(house, NOON + 2 * DAY).tick()
    assert len(troubles(house)) == 1
    house.app.alarms.tick()
    assert troubles(house) == set()


# --- the provider says so ---


class RefusedSource:
    """A mailbox whose log-in fails as told, or works; one attempt, then ``stop``."""

    def __init__(self, error: ServerAway | None) -> None:
        self.error = error
        self.stop = threading.Event()

    def open(self) -> FolderState:
        if self.error is not None:
            raise self.error
        return FolderState(uid_validity=1, uid_next=1)

    def list_mails(self, first_uid: int) -> list[MailEntry]:
        return []

    def fetch(self, uids: Sequence[str], *, header_only: bool = False) -> list[FetchedMail]:
        return []

    def settle(self, uids: Sequence[str]) -> None:
        return None

    def wait(self, timeout_seconds: float) -> bool:
        self.stop.set()
        return False

    def interrupt(self) -> None:
        return None

    def close(self) -> None:
        self.stop.set()


def collect(house: TestHouse, error: ServerAway | None) -> None:
    """One attempt of the collector's own loop."""
    source = RefusedSource(error)
    plan = CollectPlan(mailbox="default", folder="INBOX", max_wire_bytes=1, since="now")
    collector = Collector(
        plan=plan, source=source, storage=house.app.storage, blobs=house.app.blobs, owner=house.app.owner
    )
    collector.run(source.stop)


class RefusedTransport:
    """A submission server that does as told."""

    def __init__(self, outcome: SendOutcome) -> None:
        self.outcome = outcome

    async def send(self, envelope: object, before_data: object) -> SendOutcome:
        return self.outcome

    async def close(self) -> None:
        return None


def deliver(house: TestHouse, outcome: SendOutcome) -> None:
    app = house.app
    transport = RefusedTransport(outcome)
    delivery = Delivery(
        storage=app.storage,
        blobs=app.blobs,
        outlets={"default": Outlet(mailbox=app.mailboxes["default"], transport=transport)},
        office=app.office,
        secret_key=app.settings.require_secret_key(),
        hold_reason_for=app.hold_reason_for,
        clock=house.clock,
        owner=app.owner,
    )
    asyncio.run(delivery.deliver_all())


def test_an_end_that_the_provider_tells_is_told_at_once_and_not_as_a_server_away(house: TestHouse) -> None:
    watched = Watched(house, None)
    collect(house, LoginExpired(SAID))
    (letter,) = watched.tick()
    assert letter.subject.endswith("o acesso à caixa default venceu")
    assert "AADSTS7000222" in letter.text
    collect(house, LoginExpired(SAID))
    # The collector's own trouble is real-time: move the clock well beyond the five minutes of a server away.
    house.clock.advance(60 * DAY)
    assert len(watched.tick()) == 1
    assert letters(house, LetterKind.ALERT_SERVER_AWAY) == []
    collect(house, None)
    assert troubles(house) == set()


def test_any_other_refusal_is_no_end(house: TestHouse) -> None:
    collect(house, CredentialsRefused("log-in refused"))
    assert troubles(house) == {"imap:default"}
    assert Watched(house, None).tick() == []


def test_delivery_tells_it_too_and_strikes_it_out(house: TestHouse) -> None:
    Watched(house, NOON + DAY).tick()
    deliver(house, NotReached(reason=SAID, credentials_refused=True, login_expired=True))
    assert {"smtp:default", "login:default"} <= troubles(house)
    house.clock.advance(timedelta(minutes=10))
    deliver(house, Delivered(response="ok"))
    assert not {"smtp:default", "login:default"} & troubles(house)


def test_an_alert_leaves_by_a_mailbox_that_can_send(tmp_path: Path) -> None:
    config = tmp_path / "config"
    shutil.copytree(REPOSITORY / "config", config)
    with (config / "mailboxes.yaml").open("a", encoding="utf-8") as file:
        file.write("  - {key: outra, name: Outra}\n")
    with TestHouse(
        tmp_path,
        config_dir=config,
        admin_address=ADMIN,
        outra_address="outra@example.com.br",
        outra_imap_url=f"maildir://{tmp_path / 'Outra'}",
        outra_smtp_url="smtp://127.0.0.1:9",
    ) as house:
        collect(house, LoginExpired(SAID))
        (letter,) = Watched(house, None).tick()
        assert letter.mailbox == "outra"


def test_health_tells_what_ends_and_what_has_ended(house: TestHouse) -> None:
    Watched(house, NOON + DAY).tick()
    found, code = _examined(house.app, Limits())
    assert "the client secret by which mailbox default logs in ends on 2026-11-24" in found.problems
    assert code is Exit.NEEDS_A_LOOK
    collect(house, LoginExpired(SAID))
    found, code = _examined(house.app, Limits())
    assert f"the log-in has expired: {SAID}" in found.problems
    assert code is Exit.UNREACHABLE
