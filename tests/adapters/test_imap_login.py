"""`ImapSource` gets in: log-in and TLS, against servers of all kinds."""

from __future__ import annotations

import base64
import logging
import socket
import ssl
import time

import pytest

from mailbot.domain.errors import CredentialsRefused, ServerAway
from mailbot.domain.mailbox import Security
from tests.adapters.imap_folder import (
    IMPATIENT,
    MAILS,
    PASSWORD,
    Opened,
    address_of,
    refuse,
    say,
    say_and_hang_up,
    say_nothing,
    source_of,
)
from tests.adapters.scripted_imap import Answer, ScriptedImap, Session
from tests.adapters.test_imap_news import Waiting
from tests.peers.process import make_certificate


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """The server's TLS context, and a client's that trusts it."""
    authority, certificate, key = make_certificate(tmp_path_factory.mktemp("tls") / "certificate")
    serving = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    serving.load_cert_chain(certificate, key)
    return serving, ssl.create_default_context(cafile=authority)


def test_it_quotes_the_user_name_and_the_password(server: ScriptedImap) -> None:
    address = address_of(server, username='a "b" \\c', password='p "q" \\r')
    with Opened(server, server=address):
        assert server.commands("LOGIN") == [r'LOGIN "a \"b\" \\c" "p \"q\" \\r"']


@pytest.mark.parametrize("password", ["coração", "plain"])
def test_it_uses_plain_where_login_cannot_be_used(server: ScriptedImap, password: str) -> None:
    server.capabilities += "" if password == "coração" else " LOGINDISABLED"
    with Opened(server, server=address_of(server, password=password)):
        assert server.commands("LOGIN") == []
        sent = base64.b64decode(server.log[server.log.index("AUTHENTICATE PLAIN") + 1])
        assert sent.decode() == f"\0ana@example.com.br\0{password}"


def test_it_tells_when_no_way_to_log_in_is_left(server: ScriptedImap) -> None:
    server.capabilities = "IMAP4rev1 LOGINDISABLED"
    with pytest.raises(CredentialsRefused, match="no way to log in"):
        source_of(server).open()
    assert server.log == ["CAPABILITY"]


@pytest.mark.parametrize("missing", ["username", "password"])
def test_it_tells_what_is_missing_to_log_in(server: ScriptedImap, missing: str) -> None:
    with pytest.raises(CredentialsRefused, match=r"no (user name|password) is set"):
        source_of(server, server=address_of(server, Security.PLAIN, **{missing: None})).open()
    assert server.log == ["CAPABILITY"]


def test_it_needs_no_log_in_where_the_server_knows_us(server: ScriptedImap) -> None:
    server.greeting = b"* PREAUTH hello\r\n"
    with Opened(server, server=address_of(server, username=None, password=None)) as source:
        assert len(source.list_mails(1)) == 3


@pytest.mark.parametrize(
    "text",
    ["[AUTHENTICATIONFAILED] Authentication failed.", "LOGIN failed.", "[ALERT] Application password required"],
)
def test_refused_credentials_are_told_from_a_server_that_is_away(server: ScriptedImap, text: str) -> None:
    server.answers["LOGIN"] = refuse(text)
    with pytest.raises(CredentialsRefused) as caught:
        source_of(server).open()
    assert str(caught.value) == f"IMAP server 127.0.0.1:{server.port}: log-in refused: {text}"


@pytest.mark.parametrize(
    "answer",
    [
        refuse("[UNAVAILABLE] Temporary authentication failure."),
        refuse("[INUSE] too many"),
        refuse("[LIMIT] too many connections"),
        say("TAG BAD User is authenticated but not connected."),
        say("TAG BAD Request is throttled. Suggested Backoff Time: 92415 milliseconds"),
        say_and_hang_up(""),
        say_and_hang_up("* BYE too many connections\r\n"),
        say("!!! garbage"),
        say_nothing,
    ],
)
def test_a_log_in_that_fails_for_now_refuses_no_credentials(server: ScriptedImap, answer: Answer) -> None:
    server.answers["LOGIN"] = answer
    with pytest.raises(ServerAway) as caught:
        source_of(server, timing=IMPATIENT).open()
    assert not isinstance(caught.value, CredentialsRefused)


def test_no_error_tells_the_password_or_an_address(server: ScriptedImap, caplog: pytest.LogCaptureFixture) -> None:
    server.answers["LOGIN"] = refuse(f"no {PASSWORD} for ana@example.com.br or bia@example.com.br")
    with (
        caplog.at_level(logging.DEBUG),
        pytest.raises(CredentialsRefused, match=r"log-in refused: .*no … for … or …") as caught,
    ):
        source_of(server).open()
    told = f"{caught.value!r} {caplog.text}"
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__
    assert PASSWORD not in told
    assert "@example" not in told


def test_it_refuses_plain_text_to_another_machine(server: ScriptedImap, monkeypatch: pytest.MonkeyPatch) -> None:
    """The name says localhost; what it resolves to decides."""
    peers: list[tuple[str, int]] = []

    class Elsewhere(socket.socket):
        def getpeername(self) -> tuple[str, int]:
            peers.append(("192.0.2.7", 143))
            return peers[-1]

    def connect_elsewhere(address: tuple[str, int], timeout: float | None = None) -> socket.socket:
        connection = Elsewhere(socket.AF_INET, socket.SOCK_STREAM)
        connection.settimeout(timeout)
        connection.connect(("127.0.0.1", address[1]))
        return connection

    monkeypatch.setattr(socket, "create_connection", connect_elsewhere)
    with pytest.raises(ServerAway, match="not this machine, so no log-in without TLS"):
        source_of(server, server=address_of(server, host="localhost")).open()
    assert peers
    assert server.log == []
    with Opened(server, server=address_of(server, host="localhost", plain_allowed=True)) as source:
        assert len(source.list_mails(1)) == 3


def _ring_late(session: Session, tag: str, _: str) -> None:
    session.send("+ idling\r\n")
    time.sleep(0.05)
    session.send("* OK still here\r\n* 4 EXISTS\r\n")
    assert session.file.readline() == b"DONE\r\n"
    session.ok(tag)


@pytest.mark.parametrize("security", [Security.TLS, Security.STARTTLS])
def test_it_talks_under_tls(security: Security, certificates: tuple[ssl.SSLContext, ssl.SSLContext]) -> None:
    serving, trusting = certificates
    implicit = security is Security.TLS
    offer = "IMAP4rev1 IDLE MOVE" + ("" if implicit else " STARTTLS")
    with ScriptedImap(MAILS, capabilities=offer, tls=serving, implicit_tls=implicit) as server:
        address = address_of(server, security, host="localhost")
        with Opened(server, server=address, ssl_context=trusting) as source:
            assert len(source.fetch(["1", "2", "3"])) == 3
            server.answers["IDLE"] = _ring_late
            assert Waiting(source).result() is True
            assert len(source.list_mails(1)) == 3
            server.answers["IDLE"] = say_and_hang_up("+ idling\r\n")
            assert isinstance(Waiting(source).result(), ServerAway)


@pytest.mark.parametrize("security", [Security.TLS, Security.STARTTLS])
@pytest.mark.parametrize("host", ["localhost", "127.0.0.2"])
def test_it_gives_no_password_to_a_server_that_cannot_prove_its_name(
    security: Security, host: str, certificates: tuple[ssl.SSLContext, ssl.SSLContext]
) -> None:
    """An authority that nobody knows, or a certificate for another name."""
    serving, trusting = certificates
    context = None if host == "localhost" else trusting
    with ScriptedImap(
        capabilities="IMAP4rev1 STARTTLS",
        tls=serving,
        implicit_tls=security is Security.TLS,
        host="127.0.0.1" if host == "localhost" else host,
    ) as server:
        with pytest.raises(ServerAway, match="certificate refused: "):
            source_of(server, server=address_of(server, security, host=host), ssl_context=context).open()
        assert server.commands("LOGIN") == []


@pytest.mark.parametrize(
    "answer",
    [None, refuse("[UNAVAILABLE] not now"), say("TAG BAD what?"), say("TAG 454 TLS not available"), say_nothing],
)
def test_it_does_not_log_in_where_starttls_is_stripped_or_refused(
    server: ScriptedImap, answer: Answer | None
) -> None:
    if answer is not None:
        server.capabilities += " STARTTLS"
        server.answers["STARTTLS"] = answer
    with pytest.raises(ServerAway, match=r"no STARTTLS, so no log-in|no answer in time"):
        source_of(server, server=address_of(server, Security.STARTTLS), timing=IMPATIENT).open()
    assert server.commands("LOGIN") == server.commands("AUTHENTICATE") == []


def test_it_does_not_take_a_greeting_that_skips_starttls(server: ScriptedImap) -> None:
    server.capabilities += " STARTTLS"
    server.greeting = b"* PREAUTH welcome\r\n"
    with pytest.raises(ServerAway, match="no STARTTLS, so no log-in"):
        source_of(server, server=address_of(server, Security.STARTTLS)).open()
    assert set(server.log) == {"CAPABILITY"}


def test_what_was_slipped_in_before_tls_is_forgotten(
    certificates: tuple[ssl.SSLContext, ssl.SSLContext],
) -> None:
    """The command injection of many a STARTTLS: plain text right behind the answer, read as if under TLS."""
    serving, trusting = certificates

    def inject(session: Session, tag: str, _: str) -> None:
        session.send(f"* CAPABILITY IMAP4rev1 EVIL\r\n{tag} OK go\r\n* CAPABILITY IMAP4rev1 LOGINDISABLED\r\n")
        session.start_tls(serving)

    with ScriptedImap(MAILS, capabilities="IMAP4rev1 STARTTLS", tls=serving) as server:
        server.answers["STARTTLS"] = inject
        address = address_of(server, Security.STARTTLS, host="localhost")
        with Opened(server, server=address, ssl_context=trusting) as source:
            assert not source._client.has_capability("EVIL")
            assert server.commands("LOGIN")


@pytest.mark.parametrize("code", ["", "[CAPABILITY IMAP4rev1 UIDPLUS MOVE IDLE] "])
def test_what_is_offered_only_after_log_in_is_used(
    code: str, certificates: tuple[ssl.SSLContext, ssl.SSLContext]
) -> None:
    serving, trusting = certificates
    with ScriptedImap(MAILS, capabilities="IMAP4rev1 STARTTLS", tls=serving) as server:

        def log_in(session: Session, tag: str, _: str) -> None:
            server.capabilities = "IMAP4rev1 UIDPLUS MOVE IDLE"
            session.ok(tag, f"{code}welcome")

        server.greeting = b"* OK [CAPABILITY IMAP4rev1 STARTTLS] ready\r\n"
        server.answers["LOGIN"] = log_in
        address = address_of(server, Security.STARTTLS, host="localhost")
        with Opened(server, server=address, ssl_context=trusting) as source:
            source.settle(["1"])
            source.wait(0.01)
        assert len(server.commands("UID MOVE")) == 2
        assert len(server.commands("IDLE")) == 1
