"""The play: ``play(console, output_folder) -> exit code``. Customers and agents write, the real daemon answers.

Each scene sends mail over SMTP and waits until the letters that it expects lie in their recipients' mailboxes.
"""

from __future__ import annotations

import secrets
import tempfile
import time
from collections.abc import Callable, Sequence
from email.headerregistry import Address
from pathlib import Path
from typing import Any

from rich.console import Console

from mailbot.demo import cast
from mailbot.demo.cast import MAILBOX, MailProgram
from mailbot.demo.daemon_process import CommandFailed, DaemonProcess, settings_for
from mailbot.demo.post_office import Delivery, Dmarc
from mailbot.demo.servers import EmbeddedServers
from mailbot.demo.show import Screen, write_mails
from mailbot.mime.parse import parse_mail

ADMINISTRATOR = "admin@example.com.br"

_LETTER_WITHIN_SECONDS = 15.0
_SETTLED_WITHIN_SECONDS = 15.0
_LOG_LINES_SHOWN = 15

# How the tickets stand at the end: requester, status, resolution.
_EXPECTED = {
    cast.MARIA.addr_spec: ("resolved", "approved"),
    cast.JOAO.addr_spec: ("resolved", "denied"),
    cast.CAMILA.addr_spec: ("open", None),
    cast.ROBERTO.addr_spec: ("awaiting_requester", None),
    cast.SEBASTIAO.addr_spec: ("awaiting_requester", None),
    cast.HELENA.addr_spec: ("resolved", "done"),
}
_NEVER_ANSWERED = (cast.PAULO, cast.NEWSLETTER)


class SceneFailed(Exception):
    """Something that a scene expects did not come; the text says what."""


class Stage:
    """What the scenes act with: mail out, letters in, everything shown as it happens."""

    def __init__(self, servers: EmbeddedServers, daemon: DaemonProcess, screen: Screen) -> None:
        self.servers = servers
        self.daemon = daemon
        self.screen = screen
        self._shown = 0
        self._taken: dict[str, int] = {}

    def customer_writes(
        self, mail: bytes, *, dmarc: Dmarc | None = "pass", envelope_from: str | None = None
    ) -> None:
        """A mail from outside to the mailbox."""
        sender = parse_mail(mail).sender.address if envelope_from is None else envelope_from
        self.servers.deliver(mail, to=MAILBOX, dmarc=dmarc, envelope_from=sender)
        self.show_news()

    def agent_writes(self, mail: bytes, agent: Address) -> None:
        """A mail of a person of the house, who logs in to send it."""
        self.servers.deliver(mail, to=MAILBOX, authenticated_as=agent.addr_spec)
        self.show_news()

    def letter_to(self, recipient: Address, *, what: str, saying: str = "") -> bytes:
        """Wait for the recipient's very next letter and return it; ``saying`` must stand in its text.

        Raises ``SceneFailed``, at once if the daemon has ended.
        """
        letter = self._next(recipient.addr_spec, what, lambda _text: True)
        if saying not in parse_mail(letter).full_text:
            raise SceneFailed(f"{recipient.addr_spec} should get {what}; what came does not say “{saying}”")
        return letter

    def notice_to(self, agent: Address, *, what: str, saying: str) -> bytes:
        """Wait for a notice with ``saying`` in its text; other notices may come before it. Raises likewise."""
        return self._next(agent.addr_spec, what, lambda text: saying in text)

    def _next(self, address: str, what: str, fits: Callable[[str], bool]) -> bytes:
        def come() -> Delivery | None:
            self.show_news()
            news = self.servers.deliveries(after=self._taken.get(address, 0))
            mine = (one for one in news if one.mailbox == address)
            return next((one for one in mine if fits(parse_mail(one.raw).full_text)), None)

        self.servers.wait_until(lambda: come() is not None or not self.daemon.is_running, _LETTER_WITHIN_SECONDS)
        found = come()
        if found is None:
            alive = self.daemon.is_running
            why = f"nothing came within {_LETTER_WITHIN_SECONDS:g} s" if alive else "the daemon has ended"
            raise SceneFailed(f"{address} should get {what}; {why}")
        self._taken[address] = found.number
        return found.raw

    def show_news(self) -> None:
        """Show what was delivered since the last time."""
        for delivery in self.servers.deliveries(after=self._shown):
            self._shown = delivery.number
            self.screen.mail(delivery)


def play(console: Console, output_folder: Path) -> int:
    """Run the whole demo. Returns 0, or 1 if something expected did not come; writes all mails to the folder."""
    screen = Screen(console, MAILBOX)
    output_folder.mkdir(parents=True, exist_ok=True)
    log = output_folder / "daemon.log"
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="mailbot-demo-") as temporary, EmbeddedServers() as servers:
        password = _open_accounts(servers)
        try:
            settings = settings_for(
                servers,
                address=MAILBOX,
                password=password,
                admin_address=ADMINISTRATOR,
                data_folder=Path(temporary),
            )
            _introduce(screen, servers)
            with DaemonProcess(settings, folder=Path(temporary), log=log) as daemon:
                tickets = _perform(servers, daemon, screen)
        except (SceneFailed, CommandFailed) as failure:
            return _give_up(screen, failure, servers, output_folder)
        write_mails(servers.deliveries(), output_folder, MAILBOX)
    screen.tickets(tickets)
    screen.say("")
    screen.say(f"{time.monotonic() - began:.0f} s. Every mail lies as .eml and .html in {output_folder}")
    screen.say(f"Start with {output_folder / 'index.html'}; the daemon's log is {log.name} beside it.")
    return 0


def _open_accounts(servers: EmbeddedServers) -> str:
    """An account for everybody; returns the shared mailbox's password."""
    password = secrets.token_urlsafe(12)
    servers.add_account(MAILBOX, password)
    servers.add_account(ADMINISTRATOR, secrets.token_urlsafe(12))
    for person in (*cast.CUSTOMERS, *cast.STAFF):
        servers.add_account(person.addr_spec, secrets.token_urlsafe(12))
    return password


def _introduce(screen: Screen, servers: EmbeddedServers) -> None:
    screen.say(
        f"IMAP on {servers.host}:{servers.imap_port}, SMTP on port {servers.smtp_port}; nothing leaves here."
    )
    screen.say(f"`mailbot run` looks after {MAILBOX}. Its agents: {cast.ANA.addr_spec}, {cast.BRUNO.addr_spec}.")
    screen.say(
        "MAILBOT_UNDO_MINUTES=0 and MAILBOT_QUIET_SECONDS=0, so that nobody waits; the defaults are 5 and 60."
    )


def _perform(servers: EmbeddedServers, daemon: DaemonProcess, screen: Screen) -> Sequence[dict[str, Any]]:
    """All scenes, then the end of the daemon. Returns the list of tickets as the command tells it."""
    stage = Stage(servers, daemon, screen)
    for title, scene in SCENES:
        screen.heading(title)
        scene(stage)
    _wait_until_all_mail_is_settled(stage)
    code = daemon.stop()
    stage.show_news()
    if code != 0:
        raise SceneFailed(f"the daemon should end with 0 on SIGTERM; it ended with {code}")
    tickets: list[dict[str, Any]] = daemon.ask("tickets", "list")
    _check_the_end(stage, tickets)
    return tickets


def _give_up(screen: Screen, failure: Exception, servers: EmbeddedServers, output_folder: Path) -> int:
    write_mails(servers.deliveries(), output_folder, MAILBOX)
    screen.complain(f"The demo stopped: {failure}")
    log = output_folder / "daemon.log"
    if log.exists():
        screen.say(f"The end of the daemon's log, {log}:")
        screen.say("\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-_LOG_LINES_SHOWN:]))
    return 1


# --- scenes ------------------------------------------------------------------------------------------------


def _complete_request(stage: Stage) -> None:
    stage.customer_writes(cast.complete_request())
    opened = stage.letter_to(cast.MARIA, what="a letter with her ticket's number", saying="2")
    notice = stage.notice_to(cast.ANA, what="a notice that Maria's ticket is ready", saying="Maria Aparecida")
    text = "#autorizar\nPode fazer a vistoria em Anápolis a partir de amanhã, das 8h às 17h. Leve os originais."
    stage.agent_writes(cast.reply_to(notice, from_=cast.ANA, text=text, program=MailProgram.OUTLOOK), cast.ANA)
    decision = stage.letter_to(cast.MARIA, what="the decision", saying="das 8h às 17h")
    _check_threads(decision, opened)
    stage.customer_writes(cast.reply_to(decision, from_=cast.MARIA, text="Muito obrigada!"))


def _incomplete_request(stage: Stage) -> None:
    stage.customer_writes(cast.incomplete_request())
    asked = stage.letter_to(cast.JOAO, what="a checklist of what is missing", saying="CNH")
    stage.customer_writes(cast.reply_with_what_was_missing(asked))
    stage.letter_to(cast.JOAO, what="a letter that all papers are there")
    notice = stage.notice_to(cast.ANA, what="a notice that João's ticket is ready", saying="João Batista")

    text = "Olá, João! O carro já está em Goiânia?\n\nAna Ribeiro"
    stage.agent_writes(cast.reply_to(notice, from_=cast.ANA, text=text), cast.ANA)
    question = stage.letter_to(cast.JOAO, what="Ana's question", saying="O carro já está em Goiânia?")
    text = "Ainda não, só no mês que vem."
    stage.customer_writes(cast.reply_to(question, from_=cast.JOAO, text=text, program=MailProgram.OUTLOOK))
    replied = stage.notice_to(cast.ANA, what="João's answer", saying="só no mês que vem")

    stage.screen.say("\nA stranger forges Ana's address, our server's results and the ticket's number:")
    tag = parse_mail(question).subject.partition("]")[0] + "]"
    stage.customer_writes(
        cast.forged_decision(tag.removeprefix("Re: ")), dmarc="fail", envelope_from="x@cliente.example"
    )
    # Only then does she decide herself, so that the screen tells the story in its order.
    stage.notice_to(cast.ANA, what="a notice that “her” mail was refused", saying="não foi aplicada")

    text = "#negar O boleto vence antes de o carro chegar a Goiânia."
    stage.agent_writes(cast.reply_to(replied, from_=cast.ANA, text=text), cast.ANA)
    # His next letter is Ana's own decision: the forged one did nothing.
    stage.letter_to(cast.JOAO, what="Ana's decision and no other", saying="antes de o carro chegar")


def _photos(stage: Stage) -> None:
    stage.customer_writes(cast.photos_with_a_typo_in_the_subject())
    stage.letter_to(cast.CAMILA, what="a letter that names the right subject", saying=cast.RIGHT_SUBJECT)
    stage.notice_to(cast.ANA, what="a notice that somebody must look at the photos", saying="IMG_4021.jpg")


def _locked_pdf(stage: Stage) -> None:
    stage.customer_writes(cast.request_with_a_locked_pdf())
    stage.letter_to(cast.ROBERTO, what="a letter that asks for a copy without password", saying="senha")


def _raw_latin1(stage: Stage) -> None:
    stage.customer_writes(cast.request_with_raw_latin1_headers(), dmarc=None)
    stage.letter_to(cast.SEBASTIAO, what="the list of what to send", saying="CNH")


def _plain_question(stage: Stage) -> None:
    stage.customer_writes(cast.plain_question())
    stage.letter_to(cast.HELENA, what="a letter with her ticket's number")
    notice = stage.notice_to(cast.BRUNO, what="a notice of Helena's question", saying="sábados")
    text = "#resolver Atendemos de segunda a sexta, das 8h às 18h. Aos sábados não abrimos."
    stage.agent_writes(cast.reply_to(notice, from_=cast.BRUNO, text=text), cast.BRUNO)
    stage.letter_to(cast.HELENA, what="Bruno's answer", saying="Aos sábados não abrimos")


def _machines(stage: Stage) -> None:
    stage.customer_writes(cast.out_of_office(), envelope_from="")
    stage.customer_writes(cast.newsletter())
    # Not answered is not thrown away: a list's mail may be a person's.
    stage.notice_to(cast.BRUNO, what="a notice of the newsletter", saying="pneus")


Scene = Callable[[Stage], None]

SCENES: tuple[tuple[str, Scene], ...] = (
    ("An answering machine and a newsletter: no answer to either", _machines),
    ("A complete request, approved by Ana from her mail program", _complete_request),
    ("An incomplete request, a reply, a question, a forgery, a refusal", _incomplete_request),
    ("Photos from a telephone, and a typo in the subject", _photos),
    ("A PDF that is locked with a password", _locked_pdf),
    ("An old web mail that declares no character set", _raw_latin1),
    ("A plain question, for a person", _plain_question),
)


# --- what must be true at the end --------------------------------------------------------------------------


def _check_threads(letter: bytes, earlier: bytes) -> None:
    """A ticket's letters to one person are one conversation for their mail program."""
    if parse_mail(earlier).message_id not in parse_mail(letter).references:
        raise SceneFailed("the decision should refer to the ticket's first letter")


def _wait_until_all_mail_is_settled(stage: Stage) -> None:
    def nothing_pends() -> bool:
        stage.show_news()
        return all(mail["outcome"] != "pending" for mail in stage.daemon.ask("mails", "list"))

    if not stage.servers.wait_until(nothing_pends, _SETTLED_WITHIN_SECONDS):
        raise SceneFailed("every mail should have an outcome; some are still pending")


def _check_the_end(stage: Stage, tickets: Sequence[dict[str, Any]]) -> None:
    for machine in _NEVER_ANSWERED:
        if any(one.mailbox == machine.addr_spec for one in stage.servers.deliveries()):
            raise SceneFailed(f"{machine.addr_spec} should get no answer")
    for address, expected in _EXPECTED.items():
        theirs = [ticket for ticket in tickets if ticket["requester"]["address"] == address]
        found = [(ticket["status"], ticket["resolution"]) for ticket in theirs]
        if found != [expected]:
            raise SceneFailed(f"{address} should have one ticket that ends as {expected}; there is {found}")
