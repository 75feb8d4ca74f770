"""A mailbox with its servers, and mailbot beside it as a process that tests start, stop and kill."""

from __future__ import annotations

import itertools
import json
import os
import secrets
import signal
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import SMTP
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote

from mailbot.adapters.storage.engine import Database
from mailbot.adapters.storage.migrate import upgrade
from mailbot.adapters.storage.unit_of_work import SqlStorage
from mailbot.bootstrap import App, build_app
from mailbot.demo.servers import AUTHSERV_ID, EmbeddedServers
from mailbot.domain.events import LetterStatus
from mailbot.domain.ledger import InboundRow
from mailbot.domain.outbox import LetterRow
from mailbot.domain.ticket import Ticket
from mailbot.round import run_once
from mailbot.settings import load_settings
from tests.peers.process import wait_until
from tests.peers.rspamd import COMPANY_IP
from tests.peers.stack import MailStack
from tests.sample_config import copied_without_digest

ROOT = Path(__file__).parents[2]
AGENT = "bruno@example.com.br"
OTHER_AGENT = "ana@example.com.br"
ADMINISTRATOR = "administracao@example.com.br"
PASSWORD = "correct horse"
PATIENCE_SECONDS = 120.0
"""How long a test waits for what must come: on a machine that has much else to do it does not come at once."""
LONG_LEASES = (
    *("--set", "mailbot.adapters.storage.mail_store.LEASE_TIME=3600"),
    *("--set", "mailbot.adapters.storage.house_store.LEASE_TIME=3600"),
    *("--set", "mailbot.adapters.storage.outbox_store.LEASE_TIME=3600"),
)
"""For who is to be killed: what is free again within :data:`PATIENCE_SECONDS` was not free for its lease's end."""

# What servers on the way write into a letter.
_TRACE = {"received", "return-path", "delivered-to", "authentication-results", "x-original-to", "dkim-signature"}
_numbers = itertools.count(1)


class Servers(Protocol):
    """What the tests ask of mail servers, embedded or real."""

    def settings(self, address: str) -> dict[str, str]:
        """Where mailbot finds the servers."""
        ...

    def new_user(self, name: str) -> str:
        """A mailbox of its own; its address."""
        ...

    def deliver(self, raw: bytes, *, sender: str, to: str) -> None:
        """A genuine mail."""
        ...

    def messages(self, address: str, folder: str = "INBOX") -> list[bytes]:
        """What lies in a folder now."""
        ...


class Embedded:
    """The servers of the demo."""

    def __init__(self, servers: EmbeddedServers) -> None:
        self.servers = servers
        for address in (AGENT, OTHER_AGENT, ADMINISTRATOR):
            servers.add_account(address, PASSWORD)

    def settings(self, address: str) -> dict[str, str]:
        login = f"{quote(address, safe='')}:{quote(PASSWORD, safe='')}@{self.servers.host}"
        return {
            "MAILBOT_IMAP_URL": f"imap://{login}:{self.servers.imap_port}/INBOX",
            "MAILBOT_SMTP_URL": f"smtp://{login}:{self.servers.smtp_port}",
            "MAILBOT_AUTHSERV_ID": AUTHSERV_ID,
        }

    def new_user(self, name: str) -> str:
        address = f"{name}.{next(_numbers)}@example.com.br"
        self.servers.add_account(address, PASSWORD)
        return address

    def deliver(self, raw: bytes, *, sender: str, to: str) -> None:
        self.servers.deliver(raw, to=to, authenticated_as=sender)

    def messages(self, address: str, folder: str = "INBOX") -> list[bytes]:
        return self.servers.messages(address, folder)


class Real:
    """Dovecot, Postfix and rspamd."""

    def __init__(self, stack: MailStack) -> None:
        self.stack = stack
        for address in (AGENT, OTHER_AGENT, ADMINISTRATOR):
            stack.dovecot.add_user(address)

    def settings(self, address: str) -> dict[str, str]:
        dovecot, postfix = self.stack.dovecot, self.stack.postfix
        login = f"{quote(address, safe='')}:{quote(dovecot.users[address], safe='')}@{self.stack.host}"
        return {
            "MAILBOT_IMAP_URL": f"imap+starttls://{login}:{dovecot.imap_port}/INBOX",
            "MAILBOT_SMTP_URL": f"smtp+starttls://{login}:{postfix.submission_port}",
            "MAILBOT_AUTHSERV_ID": self.stack.authserv_id,
            "SSL_CERT_FILE": str(self.stack.ca_file),
        }

    def new_user(self, name: str) -> str:
        return self.stack.dovecot.new_user(name)

    def deliver(self, raw: bytes, *, sender: str, to: str) -> None:
        self.stack.postfix.deliver(sender, [to], raw, client_ip=COMPANY_IP)

    def messages(self, address: str, folder: str = "INBOX") -> list[bytes]:
        return self.stack.dovecot.messages(address, folder)


class Site:
    """One shared mailbox, its data folder, and mailbot on it."""

    def __init__(self, servers: Servers, folder: Path, *, database_url: str = "") -> None:
        self.servers = servers
        self.folder = folder
        self.address = servers.new_user("central")
        self.data = folder / "var"
        self.log = folder / "mailbot.log"
        self.settings = {
            **servers.settings(self.address),
            "MAILBOT_ADDRESS": self.address,
            "MAILBOT_DATABASE_URL": database_url or f"sqlite:///{self.data / 'mailbot.db'}",
            "MAILBOT_DATA_DIR": str(self.data),
            "MAILBOT_CONFIG_DIR": str(copied_without_digest(folder)),
            "MAILBOT_TEMPLATES_DIR": str(ROOT / "templates"),
            "MAILBOT_SECRET_KEY": secrets.token_urlsafe(48),
            "MAILBOT_ADMIN_ADDRESS": ADMINISTRATOR,
            "MAILBOT_COLLECT_SINCE": "all",
            "MAILBOT_QUIET_SECONDS": "0",
            "MAILBOT_UNDO_MINUTES": "0",
        }
        self._sent = itertools.count(1)
        self.sent_again: set[str] = set()
        """Message-IDs of letters that a person had sent again: they have another date."""

    # --- mail ---

    def customer_writes(
        self,
        customer: str,
        subject: str = "Dúvida",
        text: str = "Qual o prazo?",
        *,
        in_reply_to: str = "",
        files: Sequence[tuple[str, bytes]] = (),
    ) -> str:
        """Send a mail to the mailbox; its Message-ID. ``files`` are PDFs by their names."""
        mail = EmailMessage(policy=SMTP)
        number = next(self._sent)
        message_id = f"pedido.{number}.{customer}"
        mail["From"], mail["To"], mail["Subject"] = customer, self.address, subject
        mail["Message-ID"], mail["Date"] = f"<{message_id}>", "Fri, 20 Nov 2026 09:00:00 -0300"
        if in_reply_to:
            mail["In-Reply-To"] = mail["References"] = f"<{in_reply_to}>"
        mail.set_content(text)
        for name, content in files:
            mail.add_attachment(content, maintype="application", subtype="pdf", filename=name)
        self.servers.deliver(mail.as_bytes(), sender=customer, to=self.address)
        return message_id

    def agent_replies(self, notice: bytes, text: str) -> None:
        """Answer a notice as the agent."""
        read = BytesParser(policy=SMTP).parsebytes(notice)
        reply = EmailMessage(policy=SMTP)
        reply["From"], reply["To"] = AGENT, str(read["Reply-To"] or read["From"])
        reply["Subject"] = f"Re: {read['Subject']}"
        reply["Message-ID"] = f"<resposta.{next(self._sent)}@example.com.br>"
        reply["In-Reply-To"] = reply["References"] = str(read["Message-ID"])
        reply["Date"] = "Fri, 20 Nov 2026 10:00:00 -0300"
        reply.set_content(text)
        self.servers.deliver(reply.as_bytes(), sender=AGENT, to=self.address)

    def letters_to(self, address: str) -> dict[str, set[bytes]]:
        """Letters from our mailbox in the address's INBOX: Message-ID → its different contents."""
        found: dict[str, set[bytes]] = defaultdict(set)
        for raw in self.servers.messages(address):
            read = BytesParser(policy=SMTP).parsebytes(raw)
            if self.address in str(read["From"]):
                message_id = str(read["Message-ID"])
                found[message_id].add(without_trace(raw, nor_date=message_id in self.sent_again))
        return found

    # --- mailbot ---

    @property
    def environment(self) -> dict[str, str]:
        """For a process."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("MAILBOT_")}
        return {**kept, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8", **self.settings}

    def start(self, *command: str, output: int | None = None) -> subprocess.Popen[bytes]:
        """Start ``python …`` in a process group of its own; what it says goes to the log, or to ``output``."""
        with self.log.open("ab") as log:
            return subprocess.Popen(
                [sys.executable, *command],
                cwd=self.folder,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log if output is None else output,
                stderr=log,
                process_group=0,
            )

    @contextmanager
    def daemon(self, *command: str) -> Iterator[subprocess.Popen[bytes]]:
        """``mailbot run`` (or another command that runs it), killed at the end if it still runs."""
        process = self.start(*(command or ("-m", "mailbot", "run")))
        try:
            yield process
        finally:
            process.kill()
            process.wait()

    def stop_politely(self, process: subprocess.Popen[bytes], *, seconds: float = PATIENCE_SECONDS) -> int:
        """SIGTERM; the exit code."""
        process.send_signal(signal.SIGTERM)
        return process.wait(seconds)

    def run(self, *command: str, seconds: float = PATIENCE_SECONDS) -> int:
        """Run ``python …`` to its end; the exit code (negative: the signal)."""
        process = self.start(*command)
        try:
            return process.wait(seconds)
        finally:
            process.kill()
            process.wait()

    def run_once(self) -> int:
        """``mailbot run --once`` as a process."""
        return self.run("-m", "mailbot", "run", "--once")

    def round(self) -> None:
        """One round in this process."""
        with self.app() as app:
            run_once(app)

    @contextmanager
    def app(self, **settings: str) -> Iterator[App]:
        """The application in this process."""
        app = build_app(load_settings({**self.settings, **settings}, dotenv=self.folder / "no.env"))
        try:
            app.open_storage()
            yield app
        finally:
            app.close()

    # --- what became of it ---

    @contextmanager
    def storage(self) -> Iterator[SqlStorage]:
        """The database, from outside."""
        database = Database(self.settings["MAILBOT_DATABASE_URL"])
        upgrade(database)
        try:
            yield SqlStorage(database)
        finally:
            database.close()

    def mails(self) -> list[InboundRow]:
        """The ledger, oldest first."""
        with self.storage() as storage, storage.read() as work:
            return list(reversed(work.mails.browse()))

    def tickets(self) -> list[Ticket]:
        """All tickets."""
        with self.storage() as storage, storage.read() as work:
            return work.tickets.browse()

    def letters(self) -> list[LetterRow]:
        """The outbox, oldest first."""
        with self.storage() as storage, storage.read() as work:
            return list(reversed(work.outbox.browse()))

    def all_is_done(self) -> bool:
        """Whether no mail waits for intake and no letter for delivery."""
        with self.storage() as storage, storage.read() as work:
            return work.mails.oldest_pending() is None and work.outbox.oldest_waiting() is None

    def log_lines(self, action: str) -> list[dict[str, Any]]:
        """The log's lines with this action."""
        found = []
        for line in self.log.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("{") and f'"{action}"' in line:
                # One that is being written, or whose process was killed meanwhile, is no line yet.
                with suppress(ValueError):
                    value = json.loads(line)
                    if value.get("action") == action:
                        found.append(value)
        return found

    def wait(self, condition: Any, what: str, *, seconds: float = PATIENCE_SECONDS) -> None:
        """Wait for a condition; with the log's end if it does not come."""
        try:
            wait_until(condition, what, seconds=seconds)
        except Exception as error:
            raise AssertionError(f"{error}\n{self.log.read_text(errors='replace')[-5000:]}") from None


def without_trace(raw: bytes, *, nor_date: bool = False) -> bytes:
    """A letter without the header fields that servers write, long lines and line ends made alike."""
    header, _, body = raw.replace(b"\r\n", b"\n").partition(b"\n\n")
    fields: list[bytes] = []
    for line in header.split(b"\n"):
        if line[:1] in b" \t" and fields:
            fields[-1] += b"\n" + line
        else:
            fields.append(line)
    left_out = _TRACE | {"date"} if nor_date else _TRACE
    kept = [one for one in fields if one.partition(b":")[0].strip().lower().decode("latin-1") not in left_out]
    return b"\n".join(kept) + b"\n\n" + body


def assert_nothing_lost_or_doubled(site: Site, message_ids: Sequence[str], customers: Sequence[str]) -> None:
    """Each mail in one ticket and message, each customer told, and never twice differently."""
    mails = site.mails()
    outcomes = {mail.message_id: [one for one in mails if one.message_id == mail.message_id] for mail in mails}
    for message_id in message_ids:
        counted = [one for one in outcomes.get(message_id, []) if one.outcome in ("ticket", "message")]
        assert len(counted) == 1, (message_id, [(one.outcome, one.reason) for one in outcomes.get(message_id, [])])
    assert {mail.outcome.value for mail in mails} <= {"ticket", "message", "duplicate"}
    tickets = site.tickets()
    by_customer = defaultdict(list)
    for ticket in tickets:
        by_customer[ticket.requester.address].append(ticket.number)
    assert {customer: len(by_customer[customer]) for customer in customers} == dict.fromkeys(customers, 1)
    # Gaps come only from work that was rolled back, and what is rolled back gives its number back.
    assert sorted(int(ticket.number[-6:]) for ticket in tickets) == list(range(1, len(tickets) + 1))
    letters = site.letters()
    assert {letter.status for letter in letters} <= {LetterStatus.SENT, LetterStatus.CANCELLED}
    for customer in customers:
        told = site.letters_to(customer)
        planned = {f"<{letter.message_id}>" for letter in letters if letter.to == customer}
        assert set(told) == planned, customer
        assert all(len(contents) == 1 for contents in told.values()), "the same letter with two contents"
        # One letter of a kind and mail.
        assert len({letter.letter for letter in letters if letter.to == customer}) == len(planned)
