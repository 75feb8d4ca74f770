"""Letters leave over SMTP, and every way in which that can fail is told for what it is."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import pytest
from aiosmtpd.controller import Controller

from mailbot.adapters import smtp_connection
from mailbot.adapters.smtp import SmtpTransport
from mailbot.adapters.smtp_connection import SmtpLimits
from mailbot.domain.exchange import Delivered, Envelope, NotReached, OutcomeUnknown, Refused, SendOutcome, Throttle
from mailbot.domain.mailbox import Security, ServerAddress
from tests.adapters.scripted_smtp import Action, Close, Say, ScriptedSmtp, Silent, Step
from tests.peers.dovecot import Dovecot
from tests.peers.postfix import DEFERRED_DOMAIN, Postfix
from tests.peers.process import PATIENCE_SECONDS, Ports, make_certificate

MAILBOX = "sau@example.com.br"
MESSAGE = b"Subject: Chamado\r\n\r\n.um ponto\r\n.\r\n..dois\r\n"
LARGE = b"Subject: Grande\r\n\r\n" + b"x" * 70 + b"\r\n" + (b"0123456789" * 7 + b"\r\n") * 200_000
PATIENT = SmtpLimits(connect_seconds=60, command_seconds=60, block_seconds=60, final_dot_seconds=60)
# Where nothing is to succeed.
IMPATIENT = replace(PATIENT, connect_seconds=0.5, command_seconds=0.5)

Result = TypeVar("Result")


def an_envelope(
    message: bytes = MESSAGE, *, sender: str = MAILBOX, recipient: str = "a@example.com.br"
) -> Envelope:
    return Envelope(sender=sender, recipient=recipient, message=message)


def address_of(server: Any, security: Security = Security.PLAIN, **changes: Any) -> ServerAddress:
    return ServerAddress(security=security, host=server.host, port=server.port, **changes)


async def nothing() -> None:
    return None


def with_transport(
    address: ServerAddress, act: Callable[[SmtpTransport], Awaitable[Result]], **options: Any
) -> Result:
    """What ``act`` gives, done with a transport on an event loop of its own."""

    async def run() -> Result:
        loop, doing = asyncio.get_running_loop(), asyncio.current_task()
        assert doing is not None
        # Real time, whatever the loop's clock says.
        guard = threading.Timer(PATIENCE_SECONDS, loop.call_soon_threadsafe, [doing.cancel])
        guard.start()
        transport = SmtpTransport(address, **options)
        try:
            return await act(transport)
        finally:
            guard.cancel()
            await transport.close()

    return asyncio.run(run())


class HurriedClock:
    """The running loop's clock. Within ``hurried`` two minutes pass at once where the server is silent: nobody
    waits for that, and no other answer, however slow, comes too late."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._real_time = self._loop.time
        self._passed = 0.0
        self._is_hurried = False
        vars(self._loop)["time"] = lambda: self._real_time() + self._passed

    @contextmanager
    def hurried(self, server: ScriptedSmtp) -> Iterator[None]:
        """For as long as the block lasts."""
        server.on_silence = self._hear_silence
        self._is_hurried = True
        try:
            yield
        finally:
            self._is_hurried = False

    def _hear_silence(self) -> None:
        # On the server's thread, which may hear last that all is over.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._pass)

    def _pass(self) -> None:
        if self._is_hurried:
            self._passed += 120


def send(server: ScriptedSmtp | None, *envelopes: Envelope, **options: Any) -> list[SendOutcome]:
    """The outcomes of the letters (of one, if none is given), sent one after the other."""
    address = options.pop("address", None) or address_of(server)

    async def act(transport: SmtpTransport) -> list[SendOutcome]:
        first, *others = envelopes or [an_envelope()]
        with HurriedClock().hurried(server) if server is not None else nullcontext():
            outcomes = [await transport.send(first, nothing)]
        return outcomes + [await transport.send(envelope, nothing) for envelope in others]

    return with_transport(address, act, **{"limits": PATIENT, **options})


# --- the plain way ---------------------------------------------------------------------------------------


def test_it_delivers_a_letter_byte_for_byte_with_its_dots() -> None:
    with ScriptedSmtp() as server:
        (outcome,) = send(server, an_envelope())
    assert outcome == Delivered(response="taken")
    (kept,) = server.log.kept
    assert (kept.sender, kept.recipient, kept.message) == (MAILBOX, "a@example.com.br", MESSAGE)
    assert f"MAIL FROM:<{MAILBOX}> SIZE={len(MESSAGE)}" in server.log.commands
    assert server.log.commands[-1] == "QUIT"


@pytest.mark.parametrize(
    "message", [b".\r\n", b"..\r\n\r\n", b".a\r\n.\r\n", b"\r\n.\r\n\r\n.\r\n", b"a\r\n.b\r\n"]
)
def test_no_dot_ends_a_letter_early(message: bytes) -> None:
    with ScriptedSmtp() as server:
        (outcome,) = send(server, an_envelope(message))
    assert isinstance(outcome, Delivered)
    assert server.log.kept[0].message == message


def test_it_delivers_a_large_letter_whole() -> None:
    with ScriptedSmtp(extensions=["8BITMIME"]) as server:
        (outcome,) = send(server, an_envelope(LARGE))
    assert isinstance(outcome, Delivered)
    assert server.log.kept[0].message == LARGE


def test_a_letter_that_is_taken_bit_by_bit_shows_that_it_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    # A quick machine takes small blocks without a wait, and no machine this letter at once.
    monkeypatch.setattr(smtp_connection, "_CHUNK_BYTES", 2 * len(LARGE))
    small: list[int] = []
    large: list[int] = []
    with ScriptedSmtp(extensions=["8BITMIME"]) as server:
        server.take_bit_by_bit()
        send(server, an_envelope(), on_progress=lambda: small.append(1))
        send(server, an_envelope(LARGE), on_progress=lambda: large.append(1))
    # A sign with MAIL, RCPT, DATA and the dot, and with each block for which the server had to be waited for.
    assert len(small) >= 4
    assert len(large) > len(small)


def test_it_uses_the_null_sender() -> None:
    with ScriptedSmtp() as server:
        send(server, an_envelope(sender=""))
    assert server.log.kept[0].sender == ""
    assert server.log.count("MAIL FROM:<> ") == 1


def test_many_letters_share_one_connection_without_needless_commands() -> None:
    with ScriptedSmtp() as server:
        outcomes = send(server, *[an_envelope()] * 20)
    assert all(isinstance(outcome, Delivered) for outcome in outcomes)
    assert server.log.connections == 1
    assert len(server.log.commands) == 1 + 3 * 20 + 1


def test_it_never_opens_more_connections_than_allowed() -> None:
    async def act(transport: SmtpTransport) -> list[SendOutcome]:
        return await asyncio.gather(*(transport.send(an_envelope(), nothing) for _ in range(12)))

    with ScriptedSmtp(answer_seconds=0.01) as server:
        outcomes = with_transport(address_of(server), act, max_connections=3)
    assert all(isinstance(outcome, Delivered) for outcome in outcomes)
    assert len(server.log.kept) == 12
    assert server.log.most_open == 3


def test_a_connection_is_renewed_after_so_many_letters_and_the_old_one_quit_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(smtp_connection, "_QUIT_SECONDS", 60)
    limits = SmtpLimits(letters_per_connection=4)

    async def act(transport: SmtpTransport) -> None:
        for _ in range(9):
            await transport.send(an_envelope(), nothing)

    with ScriptedSmtp(answer_seconds=0.02) as server:
        with_transport(address_of(server), act, limits=limits)
    assert (server.log.connections, server.log.most_open, server.log.count("QUIT")) == (3, 1, 3)


def test_an_idle_connection_is_quit() -> None:
    async def act(transport: SmtpTransport) -> None:
        await transport.send(an_envelope(), nothing)
        async with asyncio.timeout(60):
            while server.log.count("QUIT") == 0:
                await asyncio.sleep(0.005)
        await transport.send(an_envelope(), nothing)

    with ScriptedSmtp() as server:
        with_transport(address_of(server), act, limits=SmtpLimits(idle_seconds=0.05))
    assert (server.log.connections, len(server.log.kept)) == (2, 2)


# --- the mark before DATA --------------------------------------------------------------------------------


def test_the_mark_is_set_after_the_recipient_and_before_data() -> None:
    async def act(transport: SmtpTransport) -> list[str]:
        seen: list[str] = []

        async def mark() -> None:
            seen.extend(command.split(" ")[0] for command in server.log.commands)

        await transport.send(an_envelope(), mark)
        return seen

    with ScriptedSmtp() as server:
        assert with_transport(address_of(server), act) == ["EHLO", "MAIL", "RCPT"]


def test_a_mark_that_fails_stops_the_letter_and_leaves_the_connection_good() -> None:
    class MarkError(Exception):
        pass

    async def act(transport: SmtpTransport) -> SendOutcome:
        async def mark() -> None:
            raise MarkError

        with pytest.raises(MarkError):
            await transport.send(an_envelope(), mark)
        return await transport.send(an_envelope(recipient="b@example.com.br"), nothing)

    with ScriptedSmtp() as server:
        assert isinstance(with_transport(address_of(server), act), Delivered)
    assert [kept.recipient for kept in server.log.kept] == ["b@example.com.br"]
    assert (server.log.connections, server.log.count("RSET")) == (1, 1)


@pytest.mark.parametrize("step", [Step.GREETING, Step.EHLO, Step.MAIL, Step.RCPT])
def test_a_letter_that_is_not_taken_is_never_marked(step: Step) -> None:
    async def act(transport: SmtpTransport) -> None:
        async def mark() -> None:
            pytest.fail("marked")

        await transport.send(an_envelope(), mark)

    with ScriptedSmtp({step: [Say("451 4.3.0 not now")] * 2}) as server:
        with_transport(address_of(server), act)
    assert server.log.kept == []


def test_a_send_that_is_cancelled_drops_its_connection() -> None:
    async def act(transport: SmtpTransport) -> SendOutcome:
        reached = asyncio.Event()

        async def mark() -> None:
            reached.set()
            await asyncio.Event().wait()

        task = asyncio.create_task(transport.send(an_envelope(), mark))
        await reached.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return await transport.send(an_envelope(recipient="b@example.com.br"), nothing)

    with ScriptedSmtp() as server:
        assert isinstance(with_transport(address_of(server), act, max_connections=1), Delivered)
    assert [kept.recipient for kept in server.log.kept] == ["b@example.com.br"]
    assert server.log.connections == 2


# --- refusals --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("step", "line", "expected"),
    [
        (Step.RCPT, "550 5.1.1 no such user", Refused(code=550, response="5.1.1 no such user", permanent=True)),
        (Step.RCPT, "450 4.2.0 greylisted", Refused(code=450, response="4.2.0 greylisted", permanent=False)),
        (Step.DATA, "554 5.7.1 no", Refused(code=554, response="5.7.1 no", permanent=True)),
        (Step.DOT, "554 5.6.0 spam", Refused(code=554, response="5.6.0 spam", permanent=True)),
        (Step.DOT, "452 4.3.1 disk full", Refused(code=452, response="4.3.1 disk full", permanent=False)),
        (
            Step.MAIL,
            "550 5.7.1 null sender not taken",
            Refused(code=550, response="5.7.1 null sender not taken", permanent=True, sender_refused=True),
        ),
    ],
)
def test_a_refusal_is_told_with_its_answer_and_the_connection_kept(
    step: Step, line: str, expected: Refused
) -> None:
    with ScriptedSmtp({step: [Say(line)]}) as server:
        first, second = send(server, an_envelope(), an_envelope(recipient="b@example.com.br"))
    assert first == expected
    assert isinstance(second, Delivered)
    assert [kept.recipient for kept in server.log.kept] == ["b@example.com.br"]
    assert server.log.connections == 1


def test_many_refusals_wear_a_connection_out() -> None:
    with ScriptedSmtp({Step.RCPT: [Say("550 5.1.1 no such user")] * 5}) as server:
        outcomes = send(server, *[an_envelope()] * 6)
    assert isinstance(outcomes[-1], Delivered)
    assert server.log.connections == 2


@pytest.mark.parametrize("step", [Step.MAIL, Step.RCPT, Step.DATA, Step.DOT])
def test_throttling_is_no_fault_of_the_letter(step: Step) -> None:
    with ScriptedSmtp({step: [Say("451 4.7.0 Too many messages, slow down")]}) as server:
        (outcome,) = send(server)
    assert isinstance(outcome, Refused)
    assert (outcome.permanent, outcome.throttled) == (False, Throttle.RATE)


def test_a_server_with_too_many_connections_throttles() -> None:
    with ScriptedSmtp({Step.GREETING: [Say("421 4.7.0 too many connections", then_close=True)]}) as server:
        (outcome,) = send(server)
    assert outcome == Refused(
        code=421, response="4.7.0 too many connections", permanent=False, throttled=Throttle.RATE
    )


def test_a_server_that_closes_with_421_is_left_alone() -> None:
    with ScriptedSmtp({Step.RCPT: [Say("421 4.3.0 shutting down", then_close=True)]}) as server:
        first, second = send(server, an_envelope(), an_envelope())
    assert first == Refused(code=421, response="4.3.0 shutting down", permanent=False)
    assert isinstance(second, Delivered)
    assert server.log.connections == 2


@pytest.mark.parametrize("bad", ["", "a", "a@b@c", "a b@c", "a@b>\r\nDATA", "<a@b>", "a@b, c@d", '"x"@y'])
def test_no_address_smuggles_a_command(bad: str) -> None:
    with ScriptedSmtp() as server:
        (outcome,) = send(server, an_envelope(recipient=bad))
    assert isinstance(outcome, Refused)
    assert outcome.permanent
    assert server.log.connections == 0


@pytest.mark.parametrize("smuggled", [b"a\n.\nb\r\n", b"a\r\n.\rb\r\n", b"a\r\r\n.\r\nb", b"\n"])
def test_a_bare_line_end_never_leaves(smuggled: bytes) -> None:
    with ScriptedSmtp() as server:
        (outcome,) = send(server, an_envelope(smuggled))
    assert isinstance(outcome, Refused)
    assert outcome.permanent
    assert server.log.connections == 0


def test_a_letter_above_the_announced_size_is_not_sent() -> None:
    with ScriptedSmtp(extensions=["SIZE 20"]) as server:
        large, small = send(server, an_envelope(), an_envelope(b"a\r\n"))
    assert isinstance(large, Refused)
    assert (large.code, large.permanent) == (552, True)
    assert isinstance(small, Delivered)


@pytest.mark.parametrize("recipient", ["joão@example.com.br", "joao@açaí.example.com.br"])
def test_an_address_beyond_ascii_needs_a_server_that_knows_it(recipient: str) -> None:
    with ScriptedSmtp() as server:
        (outcome,) = send(server, an_envelope(recipient=recipient))
    assert isinstance(outcome, Refused)
    assert outcome.permanent
    assert "SMTPUTF8" in outcome.response
    with ScriptedSmtp(extensions=["SMTPUTF8", "8BITMIME"]) as server:
        (outcome,) = send(server, an_envelope(recipient=recipient))
    assert isinstance(outcome, Delivered)
    assert server.log.kept[0].recipient == recipient
    assert server.log.commands[1].endswith("> SMTPUTF8")


def test_8_bit_text_is_announced_or_not_sent() -> None:
    letter = an_envelope("Subject: x\r\n\r\nAção\r\n".encode())
    with ScriptedSmtp(extensions=["8BITMIME"]) as server:
        send(server, letter)
    assert server.log.commands[1] == f"MAIL FROM:<{MAILBOX}> BODY=8BITMIME"
    with ScriptedSmtp(extensions=[]) as server:
        (outcome,) = send(server, letter)
    assert isinstance(outcome, Refused)
    assert outcome.permanent


# --- lost connections ------------------------------------------------------------------------------------


@pytest.mark.parametrize("step", [Step.GREETING, Step.EHLO, Step.MAIL, Step.RCPT, Step.DATA])
@pytest.mark.parametrize("action", [Close(), Close(reset=True), Silent(), Say("nonsense"), Say("999")])
def test_what_is_lost_before_the_letter_was_transmitted_is_harmless(step: Step, action: Action) -> None:
    with ScriptedSmtp({step: [action]}) as server:
        first, second = send(server, an_envelope(), an_envelope(recipient="b@example.com.br"))
    if action == Say("999"):
        assert isinstance(first, NotReached | Refused)
    else:
        assert isinstance(first, NotReached)
        assert not first.credentials_refused
    assert isinstance(second, Delivered)
    assert [kept.recipient for kept in server.log.kept] == ["b@example.com.br"]


@pytest.mark.parametrize("action", [Close(), Close(reset=True), Silent()])
def test_a_connection_lost_in_the_middle_of_the_letter_is_harmless(action: Close | Silent) -> None:
    with ScriptedSmtp({Step.BODY: [action]}, extensions=["8BITMIME"]) as server:
        first, second = send(server, an_envelope(LARGE), an_envelope())
    assert isinstance(first, NotReached)
    assert isinstance(second, Delivered)
    assert [kept.message for kept in server.log.kept] == [MESSAGE]


def test_a_refusal_in_the_middle_of_the_letter_is_heard_at_once() -> None:
    with ScriptedSmtp({Step.BODY: [Say("552 5.3.4 message too big")]}, extensions=["8BITMIME"]) as server:
        (outcome,) = send(server, an_envelope(LARGE))
    assert outcome == Refused(code=552, response="5.3.4 message too big", permanent=True)
    assert server.log.kept == []


def test_consent_in_the_middle_of_the_letter_is_not_believed() -> None:
    with ScriptedSmtp({Step.BODY: [Say("250 taken already")]}, extensions=["8BITMIME"]) as server:
        (outcome,) = send(server, an_envelope(LARGE))
    assert isinstance(outcome, OutcomeUnknown)
    assert server.log.kept == []


@pytest.mark.parametrize(
    "action", [Close(), Close(reset=True), Close(keep=True), Close(reset=True, keep=True), Silent()]
)
def test_what_is_lost_after_the_final_dot_is_unknown(action: Close | Silent) -> None:
    with ScriptedSmtp({Step.DOT: [action]}) as server:
        first, second = send(server, an_envelope(), an_envelope(recipient="b@example.com.br"))
    assert isinstance(first, OutcomeUnknown)
    assert isinstance(second, Delivered)
    assert len(server.log.kept) == (2 if isinstance(action, Close) and action.keep else 1)


@pytest.mark.parametrize("line", ["nonsense", "354 more?"])
def test_nonsense_after_the_final_dot_is_unknown(line: str) -> None:
    with ScriptedSmtp({Step.DOT: [Say(line)]}) as server:
        (outcome,) = send(server)
    assert isinstance(outcome, OutcomeUnknown)


def test_a_kept_connection_that_the_server_closed_is_replaced_without_a_word() -> None:
    async def act(transport: SmtpTransport) -> list[SendOutcome]:
        first = await transport.send(an_envelope(), nothing)
        # The loop stands still meanwhile and learns of it only when it uses the connection.
        server.hang_up_on_all()
        return [first, await transport.send(an_envelope(), nothing)]

    with ScriptedSmtp() as server:
        outcomes = with_transport(address_of(server), act)
    assert all(isinstance(outcome, Delivered) for outcome in outcomes)
    assert (server.log.connections, len(server.log.kept)) == (2, 2)


@pytest.mark.parametrize(
    "action", [Close(), Close(reset=True), Say("421 4.4.2 idle for too long", then_close=True)]
)
def test_a_kept_connection_that_fails_at_mail_from_is_replaced_once(action: Close | Say) -> None:
    async def act(transport: SmtpTransport) -> list[SendOutcome]:
        first = await transport.send(an_envelope(), nothing)
        server.then(Step.MAIL, action)
        second = await transport.send(an_envelope(), nothing)
        server.then(Step.MAIL, action, action)
        return [first, second, await transport.send(an_envelope(), nothing)]

    with ScriptedSmtp() as server:
        first, second, third = with_transport(address_of(server), act)
    assert isinstance(first, Delivered)
    assert isinstance(second, Delivered)
    assert isinstance(third, NotReached | Refused)
    assert server.log.connections == 3


def test_nobody_listening_is_harmless() -> None:
    with ScriptedSmtp() as server:
        address = address_of(server)
    (outcome,) = send(server, address=address)
    assert isinstance(outcome, NotReached)


def test_after_close_nothing_is_sent() -> None:
    async def act(transport: SmtpTransport) -> SendOutcome:
        await transport.close()
        return await transport.send(an_envelope(), nothing)

    with ScriptedSmtp() as server:
        assert isinstance(with_transport(address_of(server), act), NotReached)
    assert server.log.connections == 0


@pytest.mark.parametrize("action", [Close(reset=True), Silent(), Say("nonsense"), Say("500 never heard of it")])
def test_close_never_raises(action: Close | Silent | Say, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mailbot.adapters.smtp_connection._QUIT_SECONDS", 0.2)
    with ScriptedSmtp({Step.QUIT: [action]}) as server:
        (outcome,) = send(server)
    assert isinstance(outcome, Delivered)


# --- TLS and log-in --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ssl.SSLContext]:
    """The authority's file, and a server's context with a certificate of it."""
    authority, certificate, key = make_certificate(tmp_path_factory.mktemp("tls") / "certificate")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return authority, context


@pytest.fixture(params=[Security.TLS, Security.STARTTLS])
def secured(
    request: pytest.FixtureRequest, certificate: tuple[Path, ssl.SSLContext]
) -> Iterator[tuple[ScriptedSmtp, Security]]:
    """A server with TLS, and how to speak to it."""
    extensions = ["STARTTLS", "AUTH PLAIN LOGIN XOAUTH2"]
    implicit = request.param is Security.TLS
    with ScriptedSmtp(extensions=extensions, tls=certificate[1], implicit_tls=implicit) as server:
        yield server, request.param


def test_it_speaks_tls_and_logs_in(
    secured: tuple[ScriptedSmtp, Security], certificate: tuple[Path, ssl.SSLContext]
) -> None:
    server, security = secured
    address = address_of(server, security, username="bot", password="sésamo")
    context = ssl.create_default_context(cafile=certificate[0])
    first, second = send(server, an_envelope(), an_envelope(LARGE), address=address, ssl_context=context)
    assert isinstance(first, Delivered)
    assert isinstance(second, Delivered)
    assert [kept.message for kept in server.log.kept] == [MESSAGE, LARGE]
    assert server.log.commands.count("AUTH PLAIN AGJvdABzw6lzYW1v") == 1
    assert server.log.count("STARTTLS") == (security is Security.STARTTLS)


def test_a_certificate_of_nobody_we_trust_ends_it(secured: tuple[ScriptedSmtp, Security]) -> None:
    server, security = secured
    (outcome,) = send(server, address=address_of(server, security, username="bot", password="x"))
    assert isinstance(outcome, NotReached)
    assert "CERTIFICATE_VERIFY_FAILED" in outcome.reason
    assert server.log.count("AUTH") == 0


@pytest.mark.parametrize("security", [Security.TLS, Security.STARTTLS])
def test_a_certificate_for_another_name_ends_it(
    security: Security, certificate: tuple[Path, ssl.SSLContext]
) -> None:
    context = ssl.create_default_context(cafile=certificate[0])
    with ScriptedSmtp(
        extensions=["STARTTLS"],
        tls=certificate[1],
        implicit_tls=security is Security.TLS,
        host="127.0.0.2",
    ) as other:
        address = address_of(other, security, username="bot", password="x")
        (outcome,) = send(other, address=address, ssl_context=context)
    assert isinstance(outcome, NotReached)
    assert "IP address mismatch" in outcome.reason


@pytest.mark.parametrize(
    ("extensions", "script"),
    [
        (["AUTH PLAIN"], {}),
        (["STARTTLS", "AUTH PLAIN"], {Step.STARTTLS: [Say("454 4.7.0 TLS not available")]}),
        (["STARTTLS", "AUTH PLAIN"], {Step.STARTTLS: [Close()]}),
        (["STARTTLS", "AUTH PLAIN"], {Step.STARTTLS: [Say("220 go ahead", then_close=True)]}),
        (["STARTTLS", "AUTH PLAIN"], {Step.STARTTLS: [Say("220 go ahead\r\n250 injected")]}),
        (["STARTTLS", "AUTH PLAIN"], {Step.STARTTLS: [Silent()]}),
    ],
)
def test_a_stripped_starttls_gives_away_neither_password_nor_letter(
    extensions: list[str], script: dict[Step, list[Say | Close | Silent]]
) -> None:
    with ScriptedSmtp(script, extensions=extensions) as server:
        address = address_of(server, Security.STARTTLS, username="bot", password="sésamo")
        (outcome,) = send(server, address=address, limits=IMPATIENT)
    assert isinstance(outcome, NotReached)
    assert not outcome.credentials_refused
    assert server.log.count("AUTH") + server.log.count("MAIL") == 0


def test_without_tls_it_logs_in_on_loopback_only(monkeypatch: pytest.MonkeyPatch) -> None:
    with ScriptedSmtp() as server:
        address = address_of(server, username="bot", password="x")
        assert isinstance(send(server, address=address)[0], Delivered)
        monkeypatch.setattr("mailbot.adapters.smtp.is_loopback_address", lambda _: False)
        (outcome,) = send(server, address=address)
        assert isinstance(outcome, NotReached)
        assert server.log.count("AUTH") == 1
        allowed = address_of(server, username="bot", password="x", plain_allowed=True)
        assert isinstance(send(server, address=allowed)[0], Delivered)


@pytest.mark.parametrize(
    ("line", "credentials_refused"),
    [
        ("535 5.7.8 wrong password", True),
        ("550 5.7.30 Basic authentication is not supported", True),
        ("454 4.7.1 later", False),
    ],
)
def test_a_refused_log_in_is_not_the_letters_fault(line: str, credentials_refused: bool) -> None:
    with ScriptedSmtp({Step.AUTH: [Say(line)]}) as server:
        (outcome,) = send(server, address=address_of(server, username="bot", password="x"))
    assert isinstance(outcome, NotReached)
    assert outcome.credentials_refused is credentials_refused
    assert server.log.count("AUTH") == 1
    assert server.log.count("MAIL") == 0


def test_a_server_that_wants_a_log_in_is_not_the_letters_fault() -> None:
    with ScriptedSmtp({Step.MAIL: [Say("530 5.7.57 Client not authenticated to send mail")]}) as server:
        (outcome,) = send(server)
    assert isinstance(outcome, NotReached)
    assert outcome.credentials_refused


# --- real servers ----------------------------------------------------------------------------------------


class Keeper:
    """An aiosmtpd handler that keeps what it gets."""

    def __init__(self) -> None:
        self.letters: list[bytes] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        self.letters.append(envelope.content)
        return "250 kept"


def test_aiosmtpd_takes_letters() -> None:
    keeper, ports = Keeper(), Ports()
    controller = Controller(
        keeper, hostname="127.0.0.1", port=ports.take(), enable_SMTPUTF8=True, ready_timeout=60
    )
    controller.start()
    try:
        outcomes = send(
            None,
            an_envelope(),
            an_envelope(LARGE),
            an_envelope(recipient="joão@example.com.br"),
            address=ServerAddress(security=Security.PLAIN, host="127.0.0.1", port=controller.port),
        )
    finally:
        controller.stop()
        ports.close()
    assert outcomes == [Delivered(response="kept")] * 3
    assert keeper.letters == [MESSAGE, LARGE, MESSAGE]


@pytest.mark.parametrize("security", [Security.TLS, Security.STARTTLS])
def test_postfix_takes_letters_and_refuses_what_it_must(
    postfix: Postfix, dovecot: Dovecot, security: Security
) -> None:
    bot, requester = dovecot.new_user(), dovecot.new_user()
    port = postfix.submissions_port if security is Security.TLS else postfix.submission_port
    address = ServerAddress(
        security=security, host=postfix.host, port=port, username=bot, password=dovecot.users[bot]
    )
    context = ssl.create_default_context(cafile=postfix.ca_file)

    async def act(transport: SmtpTransport) -> list[SendOutcome]:
        envelopes = [
            an_envelope(sender=bot, recipient=requester),
            an_envelope(sender="", recipient=requester),
            an_envelope(sender=bot, recipient=f"a@{DEFERRED_DOMAIN}"),
            an_envelope(sender=bot, recipient="ninguem@example.com.br"),
        ]
        return [await transport.send(envelope, nothing) for envelope in envelopes]

    first, second, deferred, unknown = with_transport(address, act, ssl_context=context)
    assert isinstance(first, Delivered)
    assert isinstance(second, Delivered)
    assert deferred == Refused(
        code=450,
        response=f"4.2.0 <a@{DEFERRED_DOMAIN}>: Recipient address rejected: Try again later",
        permanent=False,
    )
    assert isinstance(unknown, Refused)
    assert (unknown.code, unknown.permanent, unknown.sender_refused) == (550, True, False)
    dovecot.wait_for_messages(requester, 2)
    body = MESSAGE.partition(b"\r\n\r\n")[2]
    assert all(raw.endswith(body) for raw in dovecot.messages(requester))


def test_postfix_tells_of_a_wrong_password(postfix: Postfix, dovecot: Dovecot) -> None:
    address = ServerAddress(
        security=Security.TLS,
        host=postfix.host,
        port=postfix.submissions_port,
        username=dovecot.new_user(),
        password="errada",
    )
    context = ssl.create_default_context(cafile=postfix.ca_file)

    async def act(transport: SmtpTransport) -> SendOutcome:
        return await transport.send(an_envelope(), nothing)

    outcome = with_transport(address, act, ssl_context=context)
    assert isinstance(outcome, NotReached)
    assert outcome.credentials_refused
