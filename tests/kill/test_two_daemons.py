"""Two daemons on one PostgreSQL: killed at random moments, and stopped without dying."""

from __future__ import annotations

import contextlib
import itertools
import os
import random
import signal
import subprocess
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import SMTP
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import Envelope
from sqlalchemy import update

from mailbot.adapters.storage.engine import Database
from mailbot.adapters.storage.tables import inbound_mails, leases
from mailbot.demo.servers import AUTHSERV_ID
from mailbot.domain.events import AuthorRole, LetterKind, LetterStatus
from mailbot.domain.ledger import MailOutcome
from tests.kill.site import Embedded, Site
from tests.kill.test_misfortunes import STOPPING
from tests.peers.postgresql import PostgreSQL
from tests.peers.process import Ports

pytestmark = [pytest.mark.kill, pytest.mark.postgresql]

SENDERS, MAILS_EACH = 200, 5
FEEDING_SECONDS = 20.0
KILLS_AT_LEAST = 8


class _Recipients:
    """A submission server that keeps what it takes: recipient → Message-ID → its different contents."""

    def __init__(self) -> None:
        self.letters: dict[str, dict[str, set[bytes]]] = defaultdict(lambda: defaultdict(set))

    async def handle_DATA(self, _server: object, _session: object, envelope: Envelope) -> str:  # noqa: N802
        content = envelope.content
        assert isinstance(content, bytes)
        message_id = str(BytesParser(policy=SMTP).parsebytes(content, headersonly=True)["Message-ID"])
        for recipient in envelope.rcpt_tos:
            self.letters[recipient][message_id.strip("<>")].add(content)
        return "250 2.0.0 taken"


@pytest.fixture
def recipients() -> Iterator[tuple[_Recipients, int]]:
    """The server and its port."""
    kept, ports = _Recipients(), Ports()
    controller = Controller(kept, hostname="127.0.0.1", port=ports.take(), ready_timeout=60)
    controller.start()
    yield kept, controller.port
    controller.stop()
    ports.close()


def mail_of(customer: int, number: int) -> bytes:
    """The customer's first mail opens a ticket; the others answer it."""
    mail = EmailMessage(policy=SMTP)
    mail["Authentication-Results"] = f"{AUTHSERV_ID}; dmarc=pass header.from=cliente.example.com.br"
    mail["From"] = f"cliente{customer}@cliente.example.com.br"
    mail["To"] = "central@example.com.br"
    mail["Subject"] = "Dúvida" if number == 1 else "Re: Dúvida"
    mail["Date"] = f"Fri, 20 Nov 2026 09:{number:02}:00 -0300"
    mail["Message-ID"] = f"<{customer}.{number}@cliente.example.com.br>"
    if number > 1:
        mail["In-Reply-To"] = mail["References"] = f"<{customer}.1@cliente.example.com.br>"
    mail.set_content(f"Qual o prazo? Pergunta {number}.")
    return mail.as_bytes()


def feed(folder: Path, chance: random.Random) -> None:
    """All first mails, then all second ones, … as a server puts them into a Maildir, over a while."""
    count = SENDERS * MAILS_EACH
    began = time.monotonic()
    for sent, (number, customer) in enumerate(
        itertools.product(range(1, MAILS_EACH + 1), chance.sample(range(SENDERS), SENDERS))
    ):
        name = f"{time.time_ns()}.{sent:06d}.test"
        (folder / "tmp" / name).write_bytes(mail_of(customer, number))
        (folder / "tmp" / name).rename(folder / "new" / name)
        time.sleep(max(0.0, began + FEEDING_SECONDS * sent / count - time.monotonic()))


def maildir(folder: Path) -> Path:
    for name in ("new", "cur", "tmp"):
        (folder / name).mkdir(parents=True)
    return folder


def daemon_on(site: Site) -> subprocess.Popen[bytes]:
    return site.start("-m", "mailbot", "run")


def hears_sigterm(daemon: subprocess.Popen[bytes]) -> bool:
    """Whether the process has come so far that it ends politely (proc(5), SigCgt)."""
    status = Path(f"/proc/{daemon.pid}/status").read_text(encoding="ascii")
    [caught] = [line.split()[1] for line in status.splitlines() if line.startswith("SigCgt:")]
    return bool(int(caught, 16) >> (signal.SIGTERM - 1) & 1)


def kill_in_turn(site: Site, daemons: list[subprocess.Popen[bytes]], end: threading.Event) -> int:
    """Kill -9 either daemon at random moments, and start another in its place; how many were killed."""
    chance, kills = random.Random(), 0
    while not end.is_set() or kills < KILLS_AT_LEAST:
        # Longer than a start, on the whole: else nothing would be in hand.
        time.sleep(chance.uniform(0.3, 3.0))
        victim = chance.randrange(2)
        daemons[victim].kill()
        daemons[victim].wait()
        daemons[victim] = daemon_on(site)
        kills += 1
    return kills


def test_two_daemons_killed_at_random_keep_each_senders_order_and_lose_and_double_nothing(
    embedded: Embedded, postgresql: PostgreSQL, recipients: tuple[_Recipients, int], tmp_path: Path
) -> None:
    kept, port = recipients
    site = Site(embedded, tmp_path, database_url=postgresql.new_database())
    site.settings |= {
        "MAILBOT_IMAP_URL": f"maildir://{maildir(tmp_path / 'Maildir')}",
        "MAILBOT_SMTP_URL": f"smtp://127.0.0.1:{port}",
        "MAILBOT_MAX_LETTERS_PER_HOUR": "100000",
        "MAILBOT_WORKERS": "1",
    }
    feeder_ended = threading.Event()

    def feed_all() -> None:
        feed(tmp_path / "Maildir", random.Random())
        feeder_ended.set()

    feeder = threading.Thread(target=feed_all)
    daemons = [daemon_on(site), daemon_on(site)]
    try:
        site.wait(lambda: len(site.log_lines("daemon.started")) >= 2, "both daemons")
        feeder.start()
        assert kill_in_turn(site, daemons, feeder_ended) >= KILLS_AT_LEAST
        site.wait(
            lambda: len(site.mails()) == SENDERS * MAILS_EACH and site.all_is_done(), "all to be done", seconds=300
        )
        site.wait(lambda: all(map(hears_sigterm, daemons)), "the last start")
        assert [site.stop_politely(daemon) for daemon in daemons] == [0, 0]
    finally:
        for daemon in daemons:
            daemon.kill()
            daemon.wait()
        feeder.join()
    assert_all_in_order(site)
    assert_all_told_once(site, kept)


def assert_all_in_order(site: Site) -> None:
    """Each mail once, and the events of each sender's ticket in the order in which their mails were collected."""
    collected: dict[str, list[int]] = defaultdict(list)
    mails = site.mails()
    assert Counter(mail.outcome for mail in mails) == {
        MailOutcome.TICKET: SENDERS,
        MailOutcome.MESSAGE: SENDERS * (MAILS_EACH - 1),
    }
    assert len({mail.message_id for mail in mails}) == len(mails) == SENDERS * MAILS_EACH
    for mail in mails:
        collected[mail.from_address].append(mail.id)
    message_ids = {mail.id: mail.message_id for mail in mails}
    tickets = site.tickets()
    assert sorted(int(ticket.number[-6:]) for ticket in tickets) == list(range(1, SENDERS + 1))
    with site.storage() as storage, storage.read() as work:
        for ticket in tickets:
            sender = ticket.requester.address
            events = [event.mail_id for event in work.tickets.events(ticket.number) if event.mail_id is not None]
            assert [mail_id for mail_id, _ in itertools.groupby(events)] == collected[sender], sender
            written = [
                message.message_id
                for message in work.tickets.messages(ticket.number)
                if message.role is AuthorRole.REQUESTER
            ]
            assert written == [message_ids[mail_id] for mail_id in collected[sender]], sender
    assert len({ticket.requester.address for ticket in tickets}) == SENDERS


def assert_all_told_once(site: Site, kept: _Recipients) -> None:
    """One letter of a kind to each sender, which all arrived; a letter that came twice is the same letter."""
    letters = site.letters()
    # Three deaths past DATA leave a letter to a person; an agent's many notices wait for a summary.
    assert {letter.status for letter in letters if letter.to.endswith("@cliente.example.com.br")} <= {
        LetterStatus.SENT, LetterStatus.CANCELLED, LetterStatus.NEEDS_PERSON,
    }  # fmt: skip
    assert sum(letter.status is LetterStatus.NEEDS_PERSON for letter in letters) <= 3
    told = Counter((letter.to, letter.letter) for letter in letters)
    for customer in range(SENDERS):
        assert told[f"cliente{customer}@cliente.example.com.br", LetterKind.TICKET_OPENED] == 1
    for letter in letters:
        contents = kept.letters[letter.to].get(letter.message_id, set())
        assert len(contents) == 1 if letter.status is LetterStatus.SENT else len(contents) <= 1, letter
    planned = {(letter.to, letter.message_id) for letter in letters}
    assert {(to, one) for to, received in kept.letters.items() for one in received} <= planned


# --- a daemon that hangs ----------------------------------------------------------------------------------------

IMPATIENT = [
    *("--set", "mailbot.adapters.storage.postgresql.IDLE_IN_TRANSACTION_SECONDS=1"),
    *("--set", "mailbot.daemon._STORAGE_AWAY_SECONDS=0.2"),
]


def let_leases_run_out(site: Site) -> None:
    """As if a minute had passed. Rows that a transaction holds are waited for."""
    database, long_ago = Database(site.settings["MAILBOT_DATABASE_URL"]), datetime(2020, 1, 1, tzinfo=UTC)
    with database.write() as connection:
        for table in (inbound_mails, leases):
            connection.execute(update(table).where(table.c.owner.is_not(None)).values(lease_until=long_ago))
    database.close()


@pytest.mark.parametrize("step", ["after examine", "before the commit of intake"])
def test_a_daemon_that_is_stopped_loses_its_lease_and_cannot_write_its_late_result(
    embedded: Embedded, postgresql: PostgreSQL, tmp_path: Path, step: str
) -> None:
    """Stopped with a mail in hand: within its transaction, too, where it holds rows that all others need."""
    site = Site(embedded, tmp_path, database_url=postgresql.new_database())
    customer, flag = embedded.new_user("cliente"), tmp_path / "flag"
    site.customer_writes(customer)
    pausing = [*STOPPING, "--at", step, "--how", "pause", "--times", "1", "--flag", str(flag), *IMPATIENT]
    with contextlib.ExitStack() as running:
        first = running.enter_context(site.daemon(*pausing, "--", "run"))
        site.wait(flag.exists, "the mail to be in hand")
        os.kill(first.pid, signal.SIGSTOP)
        let_leases_run_out(site)
        second = running.enter_context(site.daemon())
        site.wait(lambda: site.letters_to(customer) and site.all_is_done(), "the other to answer")
        before = site.mails(), site.tickets(), site.letters()
        other = embedded.new_user("cliente")
        site.customer_writes(other)
        site.wait(lambda: len(site.letters_to(other)) == 1, "the other to collect")
        flag.unlink()
        os.kill(first.pid, signal.SIGCONT)
        refused = "intake.lease_lost" if step == "after examine" else "daemon.intake_put_off"
        site.wait(lambda: site.log_lines(refused), "the late result to be refused")
        # It is a daemon like any other again.
        assert site.stop_politely(second) == 0
        third = embedded.new_user("cliente")
        site.customer_writes(third)
        site.wait(lambda: len(site.letters_to(third)) == 1, "the first to work again")
        assert site.stop_politely(first) == 0
    mails, tickets, letters = before
    assert site.mails()[:1] == mails
    assert [ticket for ticket in site.tickets() if ticket.number == tickets[0].number] == tickets
    assert site.letters()[: len(letters)] == letters
    assert [mail.deaths for mail in site.mails()] == [1, 0, 0]
