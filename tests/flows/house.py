"""A whole mailbot without servers, for tests: mails are put into the ledger, letters are read from the outbox.

Settings, catalogue and templates are the sample ones of the repository; database and files lie in the folder
that the test gives. The business clock stands still until a test moves it.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from types import TracebackType

from mailbot.adapters.clock import SystemClock
from mailbot.bootstrap import App, build_app
from mailbot.demo import documents
from mailbot.domain.events import Audience, LetterStatus, OutboundLetter
from mailbot.domain.ledger import InboundRow, MailOutcome, NewInboundMail, conversation_key
from mailbot.domain.ticket import Ticket
from mailbot.mime.parse import header_summary
from mailbot.settings import load_settings

REPOSITORY = Path(__file__).parents[2]
MAILBOX = "atendimento@example.com.br"
CUSTOMER = "maria@example.com.br"
AUTHSERV_ID = "mx.example.com.br"
NOON = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
"""A Monday at noon in São Paulo."""

REQUEST = (
    "Local atual: Rio Verde\nNovo local: Jataí\nMotivo: mudança de cidade\nNome: Maria\nFone: 64 99999-1234\n"
)
"""Every field of a change of location."""

_HOLDER = documents.Holder(
    name="Maria Souza", tax_id="529.982.247-25", licence_number="02650306461", birth_date="01/02/1990"
)
_DUE = date(2026, 12, 1)
BOLETO = ("boleto.pdf", documents.boleto(_HOLDER, unit="Rio Verde", due=_DUE))
RECEIPT = ("comprovante.pdf", documents.payment_receipt(_HOLDER, due=_DUE, paid=date(2026, 11, 20)))
LICENCE = ("cnh.pdf", documents.driver_licence(_HOLDER))

_NUMBERS = itertools.count(1)


class StandingClock(SystemClock):
    """Time that only moves when told."""

    def __init__(self, now: datetime) -> None:
        super().__init__(now)
        self._now = now

    def now(self) -> datetime:
        """Aware UTC time."""
        return self._now

    def advance(self, time: timedelta) -> None:
        """Let ``time`` pass."""
        self._now += time


def mail(
    text: str = "",
    *,
    subject: str = "ALTERAÇÃO DE LOCAL",
    sender: str = CUSTOMER,
    message_id: str = "",
    in_reply_to: str = "",
    files: Sequence[tuple[str, bytes]] = (),
    verified: bool = True,
    headers: Sequence[tuple[str, str]] = (),
) -> bytes:
    """A mail to the mailbox as it lies there: bytes with the receiving server's own verdict on the sender.

    ``files`` are (name, content); a name that ends ``.pdf`` is declared a PDF, all others octet streams.
    """
    message = EmailMessage()
    address = sender.rpartition("<")[2].rstrip(">")
    verdict = "pass" if verified else "none"
    message["Authentication-Results"] = f"{AUTHSERV_ID}; dmarc={verdict} header.from={address.rpartition('@')[2]}"
    message["From"] = sender
    message["To"] = MAILBOX
    message["Subject"] = subject
    # Whoever writes the same words twice does so at another time.
    number = 0 if message_id else next(_NUMBERS)
    message["Date"] = f"Mon, 23 Nov 2026 11:{number // 60 % 60:02}:{number % 60:02} -0300"
    message["Message-ID"] = f"<{message_id or f'm{number}'}@example.com.br>"
    if in_reply_to:
        message["In-Reply-To"] = f"<{in_reply_to}>"
        message["References"] = f"<{in_reply_to}>"
    for name, value in headers:
        message[name] = value
    message.set_content(text)
    for name, content in files:
        subtype = "pdf" if name.endswith(".pdf") else "octet-stream"
        message.add_attachment(content, maintype="application", subtype=subtype, filename=name)
    return message.as_bytes()


class TestHouse:
    """An :class:`App` on a temporary database; use it as a context manager."""

    # pytest takes classes by this name for tests.
    __test__ = False

    def __init__(
        self, folder: Path, *, now: datetime = NOON, config_dir: Path = REPOSITORY / "config", **settings: str
    ) -> None:
        """``settings`` are further variables without their prefix: ``send="hold"``."""
        self.folder = folder
        self.environment = {
            "MAILBOT_ADDRESS": MAILBOX,
            "MAILBOT_IMAP_URL": f"maildir://{folder / 'Maildir'}",
            "MAILBOT_SMTP_URL": "smtp://127.0.0.1:9",
            "MAILBOT_DATABASE_URL": self.database_of(folder),
            "MAILBOT_DATA_DIR": str(folder / "var"),
            "MAILBOT_CONFIG_DIR": str(config_dir),
            "MAILBOT_TEMPLATES_DIR": str(REPOSITORY / "templates"),
            "MAILBOT_SECRET_KEY": "a key that only the tests know, of 32 bytes",
            "MAILBOT_AUTHSERV_ID": AUTHSERV_ID,
            **{f"MAILBOT_{name.upper()}": value for name, value in settings.items()},
        }
        self.clock = StandingClock(now)
        self._opened: list[App] = []
        self.app = self.open()
        self._fed = 0

    @staticmethod
    def database_of(folder: Path) -> str:
        """The URL of a folder's database; a test that runs on every database puts another function here."""
        return f"sqlite:///{folder / 'mailbot.db'}"

    def open(self) -> App:
        """Another process on the same files, with the same clock."""
        app = build_app(load_settings(self.environment, dotenv=self.folder / "no.env"))
        app.clock = self.clock
        self._opened.append(app)
        app.open_storage()
        return app

    def reopen(self, *, config_dir: Path | None = None) -> None:
        """The program ended and starts again, perhaps with another configuration."""
        self.app.close()
        if config_dir is not None:
            self.environment["MAILBOT_CONFIG_DIR"] = str(config_dir)
        self.app = self.open()

    def __enter__(self) -> TestHouse:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for app in self._opened:
            app.close()

    # --- in ---

    def collect(
        self,
        raw: bytes,
        *,
        mailbox: str = "default",
        suspect: str = "",
        answer: bool = True,
        received_at: datetime | None = None,
    ) -> int:
        """Put a mail into the ledger, as collecting does, and return its id."""
        header = header_summary(raw)
        digest = self.app.blobs.put(raw)
        self._fed += 1
        row = NewInboundMail(
            mailbox=mailbox,
            folder="INBOX",
            uid_validity=1,
            uid=str(self._fed),
            received_at=received_at or self.clock.now(),
            raw_digest=digest,
            size_bytes=len(raw),
            conversation_key=conversation_key(header.sender.address, header.message_id, digest),
            message_id=header.message_id,
            from_address=header.sender.address,
            subject=header.subject,
            suspect=suspect,
            answer=answer,
        )
        with self.app.storage.write() as work:
            return work.mails.add([row], now=datetime.now(UTC))[0]

    def process(self) -> MailOutcome:
        """Let intake take the next mail, which there must be, and wait for its files where it is parked."""
        intake = self.app.intake
        outcome = intake.process_next(early=True)
        assert outcome is not None
        while intake.parked:
            intake.wait_for_readings(1)
            outcome = intake.process_parked() or outcome
        # What it claimed ahead is free for another process of the same test.
        self.app.intake.stop()
        return outcome

    def receive(self, raw: bytes, *, suspect: str = "", answer: bool = True) -> MailOutcome:
        """A mail comes and is processed."""
        self.collect(raw, suspect=suspect, answer=answer)
        return self.process()

    def requester_reply(
        self, letter: OutboundLetter, text: str, *, files: Sequence[tuple[str, bytes]] = ()
    ) -> MailOutcome:
        """The recipient of ``letter`` answers it."""
        return self.receive(reply_to(letter, text, files=files))

    def agent_reply(
        self, letter: OutboundLetter, text: str, *, files: Sequence[tuple[str, bytes]] = ()
    ) -> MailOutcome:
        """The agent who got the notice ``letter`` answers it."""
        assert letter.audience is Audience.STAFF
        return self.receive(reply_to(letter, text, files=files))

    # --- out ---

    def mails(self) -> list[InboundRow]:
        """The ledger, oldest first."""
        with self.app.storage.read() as work:
            return work.mails.browse()[::-1]

    def tickets(self) -> list[Ticket]:
        """All tickets, oldest first."""
        with self.app.storage.read() as work:
            return sorted(work.tickets.browse(), key=lambda ticket: ticket.number)

    def letters(self, audience: Audience | None = None, *, ticket: str | None = None) -> list[OutboundLetter]:
        """What stands in the outbox and was not cancelled, oldest first."""
        with self.app.storage.read() as work:
            rows = reversed(work.outbox.browse(ticket_number=ticket))
            letters = [work.outbox.by_message_id(row.message_id) for row in rows]
        return [
            letter
            for letter in letters
            if letter is not None
            and letter.status is not LetterStatus.CANCELLED
            and (audience is None or letter.audience is audience)
        ]


def reply_to(letter: OutboundLetter, text: str, *, files: Sequence[tuple[str, bytes]] = ()) -> bytes:
    """A mail that answers a letter as a mail program does, the letter quoted below."""
    quoted = "\n".join(f"> {line}" for line in letter.text.splitlines())
    body = f"{text}\n\nEm seg., 23 de nov. de 2026 às 12:00, Central <{MAILBOX}> escreveu:\n\n{quoted}\n"
    return mail(
        body,
        subject=f"RES: {letter.subject}",
        sender=letter.recipient.address,
        in_reply_to=letter.message_id,
        files=files,
    )
