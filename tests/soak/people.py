"""Hundreds of customers and two agents who write at an even pace, and answer the letters that they get.

A customer asks for another place of inspection and forgets a document, or asks a question; mailbot asks for what
is missing; the agent decides on the notice; the customer thanks. Some write once more before anybody has answered,
and some mails arrive twice, as mails do.
"""

from __future__ import annotations

import heapq
import imaplib
import itertools
import random
import re
import smtplib
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from email.headerregistry import Address
from email.message import EmailMessage
from enum import StrEnum
from hashlib import sha256

from mailbot.demo.cast import File, MailProgram, reply_to
from tests.acceptance.desk import new_mail, parsed
from tests.flows.house import BOLETO, LICENCE, RECEIPT
from tests.kill.site import without_trace
from tests.peers.dovecot import Dovecot
from tests.peers.postfix import CATCH_ALL_DOMAIN, CATCH_ALL_MAILBOX, HOSTNAME, Postfix

ANA = Address("Ana Ribeiro", addr_spec=f"ana@{CATCH_ALL_DOMAIN}")
BRUNO = Address("Bruno Teles", addr_spec=f"bruno@{CATCH_ALL_DOMAIN}")
AGENTS = {agent.addr_spec: agent for agent in (ANA, BRUNO)}

_REQUEST = (
    "Boa tarde, preciso mudar o local da vistoria do meu carro.\n\n"
    "Motivo: o carro está com outra pessoa da família em outra cidade\n"
    "Local atual: Rio Verde\nNovo local: Goiânia\nTelefone: (62) 98765-4321\n\nJoão Batista\n"
)
_QUESTION = "Boa tarde!\n\nVocês atendem aos sábados? Qual é o horário de funcionamento?\n"
_MORE = "Esqueci de dizer: de manhã é melhor para mim."
_DOCUMENTS = "Segue a CNH.\n\nJoão"
_THANKS = "Muito obrigado!"
_DECIDES = {
    "request": "#autorizar\nPode fazer a vistoria em Goiânia.",
    "question": "#resolver Atendemos de segunda a sexta, das 8h às 18h. Aos sábados não abrimos.",
}
_QUESTIONS_PART, _MORE_PART, _TWICE_PART = 0.3, 0.2, 0.02
# Longer than servers take to hand a mail over, so that what was sent first arrives first.
_MORE_AFTER_SECONDS, _TWICE_AFTER_SECONDS, _SENDER_RESTS_SECONDS = 6.0, 2.0, 30.0
_ANSWERS_WITHIN_SECONDS = (2.0, 15.0)
_LOOKS_EVERY_SECONDS = 1.0
_TICKET = re.compile(r"\[Chamado #(\d{4}-\d{6})\]")


class Step(StrEnum):
    """What a mail is in its conversation."""

    FIRST = "first mail"
    MORE = "one more word"
    DOCUMENTS = "missing document"
    DECISION = "agent's decision"
    THANKS = "thanks"


@dataclass(slots=True, kw_only=True)
class Conversation:
    """What one customer wants once."""

    sender: Address
    is_question: bool
    first_id: str = ""
    last_letter: bytes = b""
    steps: set[Step] = field(default_factory=set)


@dataclass(frozen=True, slots=True, kw_only=True)
class SentMail:
    """A mail that the receiving server has taken, so many times."""

    message_id: str
    conversation: int
    step: Step
    author: str


@dataclass(frozen=True, slots=True, order=True)
class _Due:
    at: float
    number: int
    mail: SentMail = field(compare=False)
    raw: bytes = field(compare=False)
    is_copy: bool = field(compare=False, default=False)


class People:
    """Everybody but mailbot.

    ``sent`` are their mails in order; ``copies`` how often a mail arrived beyond once; ``letters`` what they got:
    recipient → Message-ID → digest of the content → how often.
    """

    def __init__(self, mailbox: str, dovecot: Dovecot, postfix: Postfix, *, senders: int, seed: int) -> None:
        self.sent: list[SentMail] = []
        self.copies: dict[str, int] = defaultdict(int)
        self.letters: dict[str, dict[str, dict[str, int]]] = defaultdict(
            lambda: defaultdict(lambda: defaultdict(int))
        )
        self.conversations: list[Conversation] = []
        self._mailbox = mailbox
        self._dovecot, self._postfix = dovecot, postfix
        self._chance = random.Random(seed)
        self._rested: deque[tuple[float, Address]] = deque(
            (0.0, Address("João Batista Lima", addr_spec=f"cliente{number}@{CATCH_ALL_DOMAIN}"))
            for number in range(senders)
        )
        self._due: list[_Due] = []
        self._numbers = itertools.count()
        self._by_first_id: dict[str, int] = {}
        self._by_ticket: dict[str, int] = {}
        self._notices: dict[str, tuple[str, bytes]] = {}
        self._lock = threading.Lock()
        self._connection: smtplib.SMTP | None = None
        self._deliveries = 0

    @property
    def deliveries(self) -> int:
        """How many mails were handed in, copies too."""
        return self._deliveries

    def letters_got(self) -> int:
        """How many different letters came."""
        with self._lock:
            return sum(map(len, self.letters.values()))

    # --- writing ---

    def write(self, end: threading.Event, *, mails: int, seconds: float) -> None:
        """Hand in so many mails at an even pace over this time; answers go before what is new."""
        began = time.monotonic()
        try:
            while not end.is_set() and self._deliveries < mails:
                at = began + self._deliveries * seconds / mails
                if end.wait(max(0.0, at - time.monotonic())):
                    return
                with self._lock:
                    due = self._next()
                if due is None:
                    end.wait(0.2)
                else:
                    self._hand_in(due)
        finally:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def _next(self) -> _Due | None:
        now = time.monotonic()
        if self._due and self._due[0].at <= now:
            return heapq.heappop(self._due)
        if self._rested[0][0] > now:
            return None
        _, sender = self._rested.popleft()
        return self._begin(sender)

    def _begin(self, sender: Address) -> _Due:
        number = len(self.conversations)
        conversation = Conversation(sender=sender, is_question=self._chance.random() < _QUESTIONS_PART)
        self.conversations.append(conversation)
        if conversation.is_question:
            raw = new_mail(sender, self._mailbox, "Dúvida sobre horário", _QUESTION)
        else:
            raw = new_mail(sender, self._mailbox, "Alteração de local", _REQUEST, _pdfs(BOLETO, RECEIPT))
        first = self._mail(number, Step.FIRST, sender, raw)
        conversation.first_id = first.mail.message_id
        self._by_first_id[first.mail.message_id] = number
        if self._chance.random() < _MORE_PART:
            more = reply_to(raw, from_=sender, text=_MORE)
            # What one answers to oneself goes where the first mail went.
            more = re.sub(rb"(?m)^To: .*?$", b"To: " + self._mailbox.encode() + b"\r", more, count=1)
            heapq.heappush(
                self._due, self._mail(number, Step.MORE, sender, more, after_seconds=_MORE_AFTER_SECONDS)
            )
        return first

    def _mail(
        self, conversation: int, step: Step, author: Address, raw: bytes, *, after_seconds: float = 0.0
    ) -> _Due:
        self.conversations[conversation].steps.add(step)
        message_id = str(parsed(raw)["Message-ID"]).strip("<> ")
        stamp = f"Authentication-Results: {HOSTNAME}; dmarc=pass header.from={author.domain}\r\n"
        mail = SentMail(message_id=message_id, conversation=conversation, step=step, author=author.addr_spec)
        return _Due(time.monotonic() + after_seconds, next(self._numbers), mail, stamp.encode() + raw)

    def _hand_in(self, due: _Due) -> None:
        """The server has it when this returns; it is never cut off from those who write."""
        while True:
            try:
                if self._connection is None:
                    self._connection = smtplib.SMTP("127.0.0.1", self._postfix.smtp_port, "localhost", timeout=30)
                self._connection.sendmail(due.mail.author, [self._mailbox], due.raw)
                break
            except smtplib.SMTPServerDisconnected:
                self._connection = None
        with self._lock:
            self._deliveries += 1
            if due.is_copy:
                self.copies[due.mail.message_id] += 1
                return
            self.sent.append(due.mail)
            if due.mail.step is not Step.DECISION and self._chance.random() < _TWICE_PART:
                at = time.monotonic() + _TWICE_AFTER_SECONDS
                heapq.heappush(self._due, _Due(at, next(self._numbers), due.mail, due.raw, is_copy=True))
            if due.mail.step is Step.THANKS:
                sender = self.conversations[due.mail.conversation].sender
                self._rested.append((time.monotonic() + _SENDER_RESTS_SECONDS, sender))

    # --- reading ---

    def read(self, end: threading.Event) -> None:
        """Look into the mailbox of everybody until the end, and once more."""
        after, last_look = 0, False
        while not last_look:
            last_look = end.wait(_LOOKS_EVERY_SECONDS)
            with self._dovecot.imap(CATCH_ALL_MAILBOX) as connection:
                connection.select("INBOX", readonly=True)
                after = self._look(connection, after, end)

    def _look(self, connection: imaplib.IMAP4_SSL, after: int, end: threading.Event) -> int:
        while True:
            connection.noop()
            _, data = connection.uid("FETCH", f"{after + 1}:*", "(UID BODY.PEEK[])")
            for part in data:
                if isinstance(part, tuple):
                    uid = re.search(rb"UID (\d+)", part[0])
                    assert uid is not None
                    # "5:*" names the last mail also where it is older than 5.
                    if int(uid[1]) > after:
                        after = int(uid[1])
                        self.gets(part[1])
            if end.wait(_LOOKS_EVERY_SECONDS):
                return after

    def gets(self, raw: bytes) -> None:
        """Somebody gets a letter, and answers it if there is something to answer."""
        letter = parsed(raw)
        if self._mailbox not in str(letter["From"]):
            return
        recipient = str(letter["To"].addresses[0].addr_spec)
        message_id = str(letter["Message-ID"]).strip("<> ")
        digest = sha256(without_trace(raw)).hexdigest()
        with self._lock:
            known = self.letters[recipient][message_id]
            known[digest] += 1
            if sum(known.values()) == 1:
                self._answer(recipient, raw, letter)

    def _answer(self, recipient: str, raw: bytes, letter: EmailMessage) -> None:
        ticket = _TICKET.search(str(letter["Subject"]))
        if ticket is None:
            return
        if recipient in AGENTS:
            self._notices.setdefault(ticket[1], (recipient, raw))
        else:
            number = self._by_first_id.get(str(letter["References"]).split()[0].strip("<>"))
            if number is None:
                return
            self._by_ticket[ticket[1]] = number
            self._customer_answers(number, raw, automatic=letter["Auto-Submitted"] is not None)
        self._agent_answers(ticket[1])

    def _customer_answers(self, number: int, letter: bytes, *, automatic: bool) -> None:
        conversation = self.conversations[number]
        if not automatic:
            self._later(number, Step.THANKS, conversation.sender, letter, _THANKS)
        elif not conversation.is_question:
            self._later(number, Step.DOCUMENTS, conversation.sender, letter, _DOCUMENTS, _pdfs(LICENCE))

    def _agent_answers(self, ticket: str) -> None:
        number = self._by_ticket.get(ticket)
        if number is None or ticket not in self._notices:
            return
        agent, notice = self._notices[ticket]
        kind = "question" if self.conversations[number].is_question else "request"
        self._later(number, Step.DECISION, AGENTS[agent], notice, _DECIDES[kind])

    def _later(
        self, number: int, step: Step, author: Address, letter: bytes, text: str, files: Sequence[File] = ()
    ) -> None:
        """Once in a conversation, after a while."""
        if step in self.conversations[number].steps:
            return
        program = self._chance.choice((MailProgram.GMAIL, MailProgram.OUTLOOK))
        raw = reply_to(letter, from_=author, text=text, attachments=files, program=program)
        after = self._chance.uniform(*_ANSWERS_WITHIN_SECONDS)
        heapq.heappush(self._due, self._mail(number, step, author, raw, after_seconds=after))


def _pdfs(*files: tuple[str, bytes]) -> list[File]:
    return [File(name=name, media_type="application/pdf", content=content) for name, content in files]


def noting(errors: list[Exception], act: Callable[[], None]) -> Callable[[], None]:
    """The act for a thread of its own, what it raises kept."""

    def noted() -> None:
        try:
            act()
        except Exception as error:
            errors.append(error)

    return noted
