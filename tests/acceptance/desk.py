"""A help desk on real servers: Dovecot, Postfix and rspamd, the real daemon beside them, people who write mail.

Every test has a mailbox, two agents and customers of its own, so that tests share the servers and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from email import message_from_bytes
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, default
from email.utils import format_datetime, make_msgid
from pathlib import Path
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from mailbot.bootstrap import App, build_app
from mailbot.demo.cast import File, MailProgram, reply_to
from mailbot.demo.daemon_process import DaemonProcess
from mailbot.domain.events import LetterStatus, OutboundLetter, TicketEvent, TicketMessage
from mailbot.domain.ledger import InboundRow
from mailbot.domain.ticket import Ticket
from mailbot.settings import load_settings
from tests.flows.house import REPOSITORY
from tests.peers.process import wait_until
from tests.peers.stack import MailStack
from tests.sample_config import copied_without_digest

SECRET_KEY = "a key that only the acceptance tests know"
_ZONE = ZoneInfo("America/Sao_Paulo")


class Desk:
    """One shared mailbox with its agents and, between :meth:`open_for_business` and its end, its daemon."""

    def __init__(
        self, stack: MailStack, folder: Path, *, plus: bool = False, relay: bool = False, database_url: str = ""
    ) -> None:
        self.stack = stack
        self.folder = folder
        self.mailbox = stack.dovecot.new_user("atendimento")
        self.ana = Address("Ana Ribeiro", addr_spec=stack.dovecot.new_user("ana"))
        self.bruno = Address("Bruno Teles", addr_spec=stack.dovecot.new_user("bruno"))
        self.admin = stack.dovecot.new_user("admin")
        self.sector = Address("Assistência técnica", addr_spec=stack.dovecot.new_user("ordens"))
        self._config = self._write_config(plus=plus)
        self._relay = relay
        self._database_url = database_url or f"sqlite:///{folder / 'mailbot.db'}"
        self.environment = self._settings()

    def customer(self, name: str = "João Batista Lima", *, domain: str = "cliente.example") -> Address:
        """Somebody new from outside, with a mailbox of their own."""
        return Address(name, addr_spec=self.stack.dovecot.new_user("cliente", domain=domain))

    def _write_config(self, *, plus: bool) -> Path:
        config = copied_without_digest(self.folder)
        staff = config / "staff.yaml"
        text = staff.read_text(encoding="utf-8")
        text = text.replace("ana@example.com.br", self.ana.addr_spec)
        text = text.replace("ordens@example.com.br", self.sector.addr_spec)
        staff.write_text(text.replace("bruno@example.com.br", self.bruno.addr_spec), encoding="utf-8")
        if plus:
            mailboxes = config / "mailboxes.yaml"
            text = mailboxes.read_text(encoding="utf-8")
            assert "reply_addressing: plain" in text
            mailboxes.write_text(
                text.replace("reply_addressing: plain", "reply_addressing: plus"), encoding="utf-8"
            )
        return config

    def rewrite_config(self, file: str, old: str, new: str) -> None:
        """The administrator writes ``new`` for ``old`` in a file of the configuration."""
        path = self._config / file
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new), encoding="utf-8")

    def _settings(self) -> dict[str, str]:
        postfix, dovecot = self.stack.postfix, self.stack.dovecot
        login = f"{quote(self.mailbox, safe='')}:{quote(dovecot.users[self.mailbox], safe='')}@{dovecot.host}"
        smtp_port = postfix.relay_port if self._relay else postfix.submission_port
        return {
            "MAILBOT_ADDRESS": self.mailbox,
            "MAILBOT_IMAP_URL": f"imaps://{login}:{dovecot.imaps_port}/INBOX",
            "MAILBOT_SMTP_URL": f"smtp+starttls://{login}:{smtp_port}",
            "MAILBOT_DATABASE_URL": self._database_url,
            "MAILBOT_DATA_DIR": str(self.folder / "var"),
            "MAILBOT_CONFIG_DIR": str(self._config),
            "MAILBOT_TEMPLATES_DIR": str(REPOSITORY / "templates"),
            "MAILBOT_SECRET_KEY": SECRET_KEY,
            "MAILBOT_AUTHSERV_ID": self.stack.authserv_id,
            "MAILBOT_ADMIN_ADDRESS": self.admin,
            "MAILBOT_UNDO_MINUTES": "0",
            "MAILBOT_QUIET_SECONDS": "0",
            "SSL_CERT_FILE": str(self.stack.ca_file),
        }

    @contextmanager
    def open_for_business(self, **settings: str) -> Iterator[DaemonProcess]:
        """The daemon, running and waiting for mail; ``settings`` are variables without their prefix."""
        environment = {**self.environment, **{f"MAILBOT_{k.upper()}": v for k, v in settings.items()}}
        log = self.folder / "daemon.log"
        with DaemonProcess(environment, folder=self.folder, log=log) as daemon:
            wait_until(lambda: self._has_looked(daemon), "the daemon's first look")
            yield daemon
            assert daemon.is_running, log.read_text(encoding="utf-8", errors="replace")[-3000:]
        assert daemon.stop() == 0

    def _has_looked(self, daemon: DaemonProcess) -> bool:
        """First contact is over: what comes from now on is new (MAILBOT_COLLECT_SINCE=now)."""
        assert daemon.is_running, (self.folder / "daemon.log").read_text(encoding="utf-8", errors="replace")
        try:
            with self.storage() as app, app.storage.read() as work:
                return any(memory.last_collect_at is not None for memory in work.house.folders())
        except Exception:
            # The tables are not made yet.
            return False

    # --- what people do ---

    def receives(self, mail: bytes, sender: Address, *, forged: bool = False, envelope: str | None = None) -> None:
        """A mail from outside comes in, from a server that may send for its domain unless ``forged``."""
        deliver = self.stack.deliver_forged if forged else self.stack.deliver_genuine
        deliver(sender.addr_spec if envelope is None else envelope, recipients_of(mail), mail)

    def agent_sends(self, mail: bytes, agent: Address) -> None:
        """An agent sends from their own mail program, logged in."""
        self.stack.postfix.submit(agent.addr_spec, recipients_of(mail), mail)

    def letters_of(self, person: Address | str) -> list[EmailMessage]:
        """All letters in a person's mailbox, in order of arrival."""
        address = person if isinstance(person, str) else person.addr_spec
        return [parsed(raw) for raw in self.stack.dovecot.messages(address)]

    def letters_as_written(self, person: Address | str) -> list[EmailMessage]:
        """All letters of ours in a person's mailbox, oldest first: on their way one may overtake another."""
        arrived = {str(one["Message-ID"]): one for one in self.letters_of(person)}
        written = [f"<{one.message_id}>" for one in self.outbox()]
        return [arrived[one] for one in written if one in arrived]

    def all_arrived(self) -> None:
        """Return as soon as no letter waits to leave, and all that left lie where they should."""
        wait_until(lambda: all(map(self._is_at_rest, self.outbox())), "all letters in their mailboxes")

    def _is_at_rest(self, letter: OutboundLetter) -> bool:
        if letter.status is not LetterStatus.SENT:
            return letter.status is LetterStatus.HELD
        arrived = self.letters_of(letter.recipient.address)
        return any(one["Message-ID"] == f"<{letter.message_id}>" for one in arrived)

    def letter(
        self, person: Address | str, count: int, what: str, fits: Callable[[EmailMessage], bool] = lambda _: True
    ) -> EmailMessage:
        """The person's ``count``-th letter, as soon as it lies there; it must fit and be the last."""
        address = person if isinstance(person, str) else person.addr_spec
        wait_until(lambda: len(self.letters_of(address)) >= count, what)
        letters = self.letters_of(address)
        assert len(letters) == count, f"{what}: {[str(one['Subject']) for one in letters]}"
        assert fits(letters[-1]), f"{what}: {text_of(letters[-1])}"
        return letters[-1]

    def settled(self, mails: int) -> list[InboundRow]:
        """The ledger, as soon as it holds ``mails`` and none of them is pending."""

        def done() -> bool:
            rows = self.ledger()
            return len(rows) >= mails and all(row.outcome != "pending" for row in rows)

        wait_until(done, f"{mails} mails with an outcome")
        return self.ledger()

    # --- what is stored ---

    @contextmanager
    def storage(self) -> Iterator[App]:
        """Another process on the daemon's database."""
        app = build_app(load_settings(self.environment, dotenv=self.folder / "no.env"))
        try:
            app.open_storage()
            yield app
        finally:
            app.close()

    def ledger(self) -> list[InboundRow]:
        """The inbound log, oldest first."""
        with self.storage() as app, app.storage.read() as work:
            return work.mails.browse()[::-1]

    def tickets(self) -> list[Ticket]:
        """All tickets, oldest first."""
        with self.storage() as app, app.storage.read() as work:
            return sorted(work.tickets.browse(), key=lambda ticket: ticket.number)

    def history(self, number: str) -> list[TicketMessage]:
        """A ticket's messages, oldest first."""
        with self.storage() as app, app.storage.read() as work:
            return work.tickets.messages(number)

    def events(self, number: str) -> list[TicketEvent]:
        """What happened to a ticket, oldest first."""
        with self.storage() as app, app.storage.read() as work:
            return work.tickets.events(number)

    def outbox(self) -> list[OutboundLetter]:
        """All letters ever written, oldest first."""
        with self.storage() as app, app.storage.read() as work:
            rows = reversed(work.outbox.browse())
            return [letter for row in rows if (letter := work.outbox.by_message_id(row.message_id)) is not None]


# --- mails ------------------------------------------------------------------------------------------------------


def new_mail(
    sender: Address,
    to: str,
    subject: str,
    text: str,
    files: Sequence[File] = (),
    headers: Mapping[str, str] | None = None,
) -> bytes:
    """A fresh mail as a mail program writes it."""
    mail = EmailMessage(policy=SMTP)
    mail["From"] = sender
    mail["To"] = to
    mail["Subject"] = subject
    mail["Date"] = format_datetime(datetime.now(_ZONE))
    mail["Message-ID"] = make_msgid(domain=sender.domain)
    for name, value in (headers or {}).items():
        mail[name] = value
    mail.set_content(text)
    for file in files:
        maintype, _, subtype = file.media_type.partition("/")
        mail.add_attachment(file.content, maintype=maintype, subtype=subtype, filename=file.name)
    return bytes(mail)


def answer(
    letter: EmailMessage,
    sender: Address,
    text: str,
    *,
    files: Sequence[File] = (),
    program: MailProgram = MailProgram.GMAIL,
) -> bytes:
    """What the person's mail program makes of an answer to ``letter``: threaded, the letter quoted below."""
    return reply_to(bytes(letter), from_=sender, text=text, attachments=files, program=program)


def recipients_of(mail: bytes) -> list[str]:
    """The addresses in To and Cc."""
    message = parsed(mail)
    fields = [message["To"], message["Cc"]]
    return [one.addr_spec for field in fields if field is not None for one in field.addresses]


def parsed(raw: bytes) -> EmailMessage:
    """The mail, with header fields as values."""
    return message_from_bytes(raw, policy=default)


def text_of(mail: EmailMessage) -> str:
    """The plain-text part."""
    return _part(mail, "plain")


def html_of(mail: EmailMessage) -> str:
    """The HTML part."""
    return _part(mail, "html")


def _part(mail: EmailMessage, kind: str) -> str:
    part = mail.get_body(preferencelist=(kind,))
    assert part is not None
    content: Any = part.get_content()
    return str(content).replace("\r\n", "\n")


def filenames_of(mail: EmailMessage) -> list[str]:
    """Names of the attached files."""
    return [part.get_filename() or "" for part in mail.iter_attachments()]
