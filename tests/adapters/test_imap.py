"""The IMAP source against a scripted server, with its faults switched on one by one."""

from __future__ import annotations

import base64
import itertools
import logging
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from mailbot.adapters.imap import ImapSource
from mailbot.adapters.imap_connection import ImapTiming, LimitedConnection
from mailbot.domain.errors import CredentialsRefused, ServerAway
from mailbot.domain.mailbox import Security, ServerAddress, Settle
from mailbot.flows.ports import MailSource
from tests.adapters.scripted_imap import Answer, ScriptedImap, Session
from tests.peers.process import make_certificate

_MAILS = [
    f"Subject: pedido {number}\r\nFrom: ana@example.com.br\r\n\r\nbom dia {number}\r\n".encode()
    for number in range(1, 4)
]
_QUICK = ImapTiming(connect_seconds=2, read_seconds=2, command_seconds=4, idle_seconds=5, poll_seconds=5)
_IMPATIENT = ImapTiming(connect_seconds=0.2, read_seconds=0.2, command_seconds=0.5, idle_seconds=5, poll_seconds=5)
_PASSWORD = "correct horse"


@pytest.fixture
def server() -> Iterator[ScriptedImap]:
    with ScriptedImap(_MAILS) as running:
        yield running


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """The server's TLS context, and a client's that trusts it."""
    authority, certificate, key = make_certificate(tmp_path_factory.mktemp("tls") / "certificate")
    serving = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    serving.load_cert_chain(certificate, key)
    return serving, ssl.create_default_context(cafile=authority)


def address_of(server: ScriptedImap, security: Security = Security.PLAIN, **changes: Any) -> ServerAddress:
    facts: dict[str, Any] = {"username": "ana@example.com.br", "password": _PASSWORD, "host": "127.0.0.1"}
    return ServerAddress(security=security, port=server.port, **(facts | changes))


def source_of(server: ScriptedImap, /, settle: Settle = Settle.MOVE, **changes: Any) -> ImapSource:
    facts: dict[str, Any] = {
        "mailbox": "default",
        "server": address_of(server),
        "folder": "INBOX",
        "processed_folder": "Processados",
        "timing": _QUICK,
    }
    return ImapSource(settle=settle, **(facts | changes))


class Opened:
    """A source that is open, and closed at the end."""

    def __init__(self, server: ScriptedImap, /, settle: Settle = Settle.MOVE, **changes: Any) -> None:
        self.source = source_of(server, settle, **changes)

    def __enter__(self) -> ImapSource:
        self.source.open()
        return self.source

    def __exit__(self, *_: object) -> None:
        self.source.close()


def refuse(text: str) -> Answer:
    return lambda session, tag, _: session.no(tag, text)


def say(*lines: str) -> Answer:
    """Say the lines (``TAG`` stands for the tag)."""
    return lambda session, tag, _: session.send("".join(f"{line}\r\n" for line in lines).replace("TAG", tag))


def say_and_hang_up(text: str) -> Answer:
    def answer(session: Session, tag: str, _: str) -> None:
        session.send(text.replace("TAG", tag))
        session.hang_up()

    return answer


def say_nothing(session: Session, tag: str, arguments: str) -> None:
    pass


# --- opening ---------------------------------------------------------------------------------------------


def test_it_is_a_mail_source(server: ScriptedImap) -> None:
    source: MailSource = source_of(server)
    source.close()
    assert server.log == []


def test_it_tells_how_the_folder_stands(server: ScriptedImap) -> None:
    source = source_of(server)
    state = source.open()
    assert (state.uid_validity, state.uid_next) == (7, 4)
    assert state.newest_received_at == datetime(2026, 11, 20, 12, 30, tzinfo=UTC)
    server.inbox.add(b"x: y\r\n\r\n")
    assert source.open().uid_next == 5
    assert len(server.commands("LOGIN")) == 1
    source.close()
    assert server.log[-1] == "LOGOUT"


def test_an_empty_folder_has_no_newest_mail() -> None:
    with ScriptedImap() as server, Opened(server) as source:
        state = source.open()
        assert (state.uid_next, state.newest_received_at) == (1, None)
        assert source.list_mails(1) == []
        assert server.commands("FETCH") == []


def test_it_counts_on_where_a_server_tells_no_uidnext(server: ScriptedImap) -> None:
    server.inbox.add(b"x: y\r\n\r\n", uid=40)
    server.answers["SELECT"] = _select_saying("* 4 EXISTS", "* OK [UIDVALIDITY 3] x")
    with Opened(server) as source:
        state = source.open()
        assert (state.uid_validity, state.uid_next) == (3, 41)


def _select_saying(*lines: str) -> Answer:
    def answer(session: Session, tag: str, _: str) -> None:
        session.selected = session.server.inbox
        session.send("".join(f"{line}\r\n" for line in lines))
        session.ok(tag)

    return answer


def test_a_date_that_cannot_be_read_counts_as_now(server: ScriptedImap) -> None:
    server.inbox.mails[2].date = "99-Foo-2026 25:00:00 +0000"
    server.inbox.mails[3].date = "31-Dec-9999 23:59:59 -1200"
    before = datetime.now(UTC)
    with Opened(server) as source:
        mails = source.list_mails(1)
        assert [mail.uid for mail in mails] == ["1", "2", "3"]
        assert all(mail.received_at >= before for mail in mails[1:])


def test_it_takes_the_prefix_for_its_own_folder_where_the_server_has_one(server: ScriptedImap) -> None:
    server.namespace = '(("INBOX." "."))'
    server.folders["INBOX.Junk.Novo"] = server.inbox
    with Opened(server, folder="Junk/Novo") as source:
        assert len(source.list_mails(1)) == 3
        assert source.fetch(["1"])[0].folder == "Junk/Novo"


def test_a_missing_folder_is_told_in_the_servers_words(server: ScriptedImap) -> None:
    with pytest.raises(ServerAway, match=r"folder not opened: .*\[NONEXISTENT\] no such folder"):
        source_of(server, folder="Nada").open()


def test_it_gives_up_a_read_only_folder_that_it_should_move_from(server: ScriptedImap) -> None:
    server.answers["SELECT"] = server._examine
    with pytest.raises(ServerAway, match="folder is read-only, no move"):
        source_of(server).open()


# --- getting in ------------------------------------------------------------------------------------------


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
        source_of(server, timing=_IMPATIENT).open()
    assert not isinstance(caught.value, CredentialsRefused)


def test_no_error_tells_the_password_or_an_address(server: ScriptedImap, caplog: pytest.LogCaptureFixture) -> None:
    server.answers["LOGIN"] = refuse(f"no {_PASSWORD} for ana@example.com.br or bia@example.com.br")
    with (
        caplog.at_level(logging.DEBUG),
        pytest.raises(CredentialsRefused, match=r"log-in refused: .*no … for … or …") as caught,
    ):
        source_of(server).open()
    told = f"{caught.value!r} {caplog.text}"
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__
    assert _PASSWORD not in told
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


# --- TLS -------------------------------------------------------------------------------------------------


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
    with ScriptedImap(_MAILS, capabilities=offer, tls=serving, implicit_tls=implicit) as server:
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
        source_of(server, server=address_of(server, Security.STARTTLS), timing=_IMPATIENT).open()
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

    with ScriptedImap(_MAILS, capabilities="IMAP4rev1 STARTTLS", tls=serving) as server:
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
    with ScriptedImap(_MAILS, capabilities="IMAP4rev1 STARTTLS", tls=serving) as server:

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


# --- listing ---------------------------------------------------------------------------------------------


def test_it_lists_from_a_uid_on(server: ScriptedImap) -> None:
    with Opened(server) as source:
        mails = source.list_mails(2)
        assert [(mail.uid, mail.size_bytes) for mail in mails] == [("2", len(_MAILS[1])), ("3", len(_MAILS[2]))]
        assert mails[0].received_at == datetime(2026, 11, 20, 12, 30, tzinfo=UTC)


def test_it_leaves_out_the_last_mail_where_its_uid_is_too_small(server: ScriptedImap) -> None:
    with Opened(server) as source:
        assert source.list_mails(4) == []
        assert server.commands("UID SEARCH") == ["UID SEARCH UID 4:* UNDELETED"]
        assert source.list_mails(2**32) == []
        assert source.list_mails(0)[0].uid == "1"


def test_it_asks_for_the_news_before_it_searches(server: ScriptedImap) -> None:
    with Opened(server) as source:
        source.list_mails(1)
        searched = server.log.index("UID SEARCH UID 1:* UNDELETED")
        assert server.log[searched - 1] == "NOOP"


def test_it_leaves_out_what_somebody_threw_away(server: ScriptedImap) -> None:
    server.inbox.mails[2].flags.add(r"\Deleted")
    with Opened(server) as source:
        assert [mail.uid for mail in source.list_mails(1)] == ["1", "3"]


def test_it_asks_for_dates_and_sizes_in_chunks() -> None:
    with ScriptedImap([b"x: y\r\n\r\n"] * 1_201) as server, Opened(server) as source:
        mails = source.list_mails(1)
        assert [int(mail.uid) for mail in mails] == list(range(1, 1_202))
        assert [line.count(",") + 1 for line in server.commands("UID FETCH")] == [500, 500, 201]
        assert max(map(len, server.log)) < 8_000


def test_it_reads_a_search_answer_of_several_lines(server: ScriptedImap) -> None:
    server.answers["UID SEARCH"] = say("* SEARCH 3", "* SEARCH", "* SEARCH 1 2 (MODSEQ 917162500)", "TAG OK done")
    with Opened(server) as source:
        assert [mail.uid for mail in source.list_mails(1)] == ["1", "2", "3"]


def test_it_reads_a_search_answer_longer_than_a_megabyte(server: ScriptedImap) -> None:
    many = " ".join(str(uid) for uid in range(2_000_000_000, 2_000_150_000))
    server.answers["UID SEARCH"] = say(f"* SEARCH 1 {many}", "TAG OK done")
    with Opened(server) as source:
        client = source._client
        assert len(source._search(client, "ALL")) == 150_001


def test_a_mail_that_is_gone_since_the_search_is_left_out(server: ScriptedImap) -> None:
    server.answers["UID SEARCH"] = say("* SEARCH 1 2 3 4", "TAG OK done")
    with Opened(server) as source:
        assert [mail.uid for mail in source.list_mails(1)] == ["1", "2", "3"]


# --- fetching --------------------------------------------------------------------------------------------


def test_it_fetches_all_in_one_command_without_touching_a_flag(server: ScriptedImap) -> None:
    with Opened(server) as source:
        mails = source.fetch(["3", "1", "9", "2"])
        assert [(mail.uid, mail.raw) for mail in mails] == [("3", _MAILS[2]), ("1", _MAILS[0]), ("2", _MAILS[1])]
        assert mails[0].uid_validity == 7
        assert mails[0].oversize_bytes is None
        assert mails[0].received_at == datetime(2026, 11, 20, 12, 30, tzinfo=UTC)
        assert server.commands("UID FETCH") == ["UID FETCH 3,1,9,2 (INTERNALDATE BODY.PEEK[])"]
        assert source.fetch([]) == []


def test_it_fetches_the_header_alone_with_the_announced_size(server: ScriptedImap) -> None:
    server.inbox.mails[2].size = 40_000_000
    with Opened(server) as source:
        (mail,) = source.fetch(["2"], header_only=True)
        assert mail.raw == b"Subject: pedido 2\r\nFrom: ana@example.com.br\r\n\r\n"
        assert mail.oversize_bytes == 40_000_000
        assert server.commands("UID FETCH") == ["UID FETCH 2 (INTERNALDATE BODY.PEEK[HEADER] RFC822.SIZE)"]


def test_the_announced_size_does_not_decide_what_is_complete(server: ScriptedImap) -> None:
    server.inbox.mails[2].size = 5
    with Opened(server) as source:
        assert source.fetch(["2"])[0].raw == _MAILS[1]


@given(raw=st.binary(max_size=300))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_bytes_a_mail_has_they_arrive(raw: bytes) -> None:
    body = b"X: y\r\n\r\n" + raw
    with _shared() as (server, source):
        server.inbox.mails.clear()
        uid = server.inbox.add(body)
        assert source.fetch([str(uid)])[0].raw == body


class _shared:  # noqa: N801  # used like a function
    """One server and one open source for all examples of a property."""

    _kept: tuple[ScriptedImap, ImapSource] | None = None

    def __enter__(self) -> tuple[ScriptedImap, ImapSource]:
        if _shared._kept is None:
            server = ScriptedImap([b"x: y\r\n\r\n"]).__enter__()
            source = source_of(server)
            source.open()
            _shared._kept = (server, source)
        return _shared._kept

    def __exit__(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module", autouse=True)
def _end_shared() -> Iterator[None]:
    yield
    if _shared._kept is not None:
        server, source = _shared._kept
        source.close()
        server.__exit__()


def test_a_chatty_server_confuses_nothing(server: ScriptedImap) -> None:
    def chatter(session: Session, tag: str, arguments: str) -> None:
        session.send("* 2 FETCH (FLAGS (\\Seen))\r\n* OK still here\r\n* 1 RECENT\r\n* XNONSENSE {3}\r\nabc\r\n")
        session.server._uid_fetch(session, tag, arguments)

    server.answers["UID FETCH"] = chatter
    with Opened(server) as source:
        assert [mail.raw for mail in source.fetch(["1", "2", "3"])] == _MAILS
        assert len(source.list_mails(1)) == 3


def test_one_mail_that_the_server_refuses_stops_no_other(server: ScriptedImap) -> None:
    def refuse_two(session: Session, tag: str, arguments: str) -> None:
        if "2" in arguments.partition(" ")[0].split(","):
            session.send(server.fetch_line(session.folder, 1, arguments))
            session.no(tag, "[SERVERBUG] cannot be read")
        else:
            server._uid_fetch(session, tag, arguments)

    server.answers["UID FETCH"] = refuse_two
    with Opened(server) as source, capture_logs() as logs:
        assert [mail.uid for mail in source.fetch(["1", "2", "3"])] == ["1", "3"]
    assert [(line["action"], line["uids"]) for line in logs] == [("imap.mail_not_handed_over", [2])]


def test_a_mail_without_a_body_is_not_taken_for_one_that_is_gone(server: ScriptedImap) -> None:
    server.answers["UID FETCH"] = say('* 1 FETCH (UID 1 INTERNALDATE "x" BODY[] NIL)', "TAG OK done")
    with Opened(server) as source, pytest.raises(ServerAway, match="hands over none of 1 mails"):
        source.fetch(["1"])


def test_if_the_server_refuses_every_mail_it_is_away(server: ScriptedImap) -> None:
    server.answers["UID FETCH"] = refuse("[UNAVAILABLE] back-end down")
    source = source_of(server)
    for uids in (["1"], ["1", "2"]):
        source.open()
        with pytest.raises(ServerAway, match=r"command refused \(UNAVAILABLE\)"):
            source.fetch(uids)


@pytest.mark.parametrize("header_only", [False, True])
def test_a_connection_cut_after_any_byte_gives_no_mail(server: ScriptedImap, header_only: bool) -> None:
    with Opened(server) as source:
        whole = source.fetch(["1", "2"], header_only=header_only)
    answers: set[bool] = set()
    for cut in itertools.count():
        server.cut_fetch_after = cut
        source = source_of(server)
        source.open()
        try:
            mails = source.fetch(["1", "2"], header_only=header_only)
        except ServerAway as error:
            assert type(error) is ServerAway
            answers.add(False)
        else:
            assert mails == whole
            source.close()
            break
    assert answers == {False}
    # Both mails' answers were longer than this.
    assert cut > 200


@pytest.mark.parametrize("cut", [0, 9, 60, 100, 140])
def test_a_server_that_falls_silent_within_an_answer_is_away(server: ScriptedImap, cut: int) -> None:
    server.cut_fetch_after = cut
    server.hang = True
    with Opened(server, timing=_IMPATIENT) as source, pytest.raises(ServerAway, match="no answer in time"):
        source.fetch(["1"])


def test_a_server_that_trickles_runs_out_of_time(server: ScriptedImap) -> None:
    def trickle(session: Session, tag: str, _: str) -> None:
        session.send("* OK ")
        while not server.closing.wait(0.02):
            session.send("x")

    server.answers["UID FETCH"] = trickle
    with Opened(server, timing=_IMPATIENT) as source, pytest.raises(ServerAway, match="no answer in time"):
        source.fetch(["1"])


def test_a_big_mail_on_a_slow_line_gets_more_time(server: ScriptedImap) -> None:
    raw = b"X: y\r\n\r\n" + b"z" * 30_000

    def slowly(session: Session, tag: str, _: str) -> None:
        session.send(f"* 1 FETCH (UID 1 BODY[] {{{len(raw)}}}\r\n")
        for start in range(0, len(raw), 5_000):
            time.sleep(0.1)
            session.send(raw[start : start + 5_000])
        session.send(f")\r\n{tag} OK done\r\n")

    server.answers["UID FETCH"] = slowly
    timing = ImapTiming(connect_seconds=2, read_seconds=2, command_seconds=0.3)
    with Opened(server, timing=timing) as source:
        assert source.fetch(["1"])[0].raw == raw


def test_a_slow_line_shows_that_it_is_alive_with_each_piece(server: ScriptedImap) -> None:
    progress: list[float] = []

    def slowly(session: Session, tag: str, _: str) -> None:
        session.send("* 1 FETCH (UID 1 BODY[] {40}\r\n")
        for _piece in range(4):
            heard = len(progress)
            session.send(b"x" * 10)
            server.wait_for(lambda heard=heard: len(progress) > heard)  # type: ignore[misc]
        session.send(f")\r\n{tag} OK done\r\n")

    server.answers["UID FETCH"] = slowly
    source = source_of(server)
    source.on_progress = lambda: progress.append(0.0)
    source.open()
    assert source.fetch(["1"])[0].raw == b"x" * 40
    source.close()


def test_a_server_that_never_stops_talking_runs_out_of_time(server: ScriptedImap) -> None:
    def chatter(session: Session, tag: str, _: str) -> None:
        while not server.closing.is_set():
            session.send("* OK blah\r\n" * 100)

    server.answers["UID FETCH"] = chatter
    with Opened(server, timing=_IMPATIENT) as source, pytest.raises(ServerAway, match="no answer in time"):
        source.fetch(["1"])


@pytest.mark.parametrize(
    "line",
    [
        "* 1 FETCH (UID 1 BODY[] {300000000}",
        "* 1 FETCH (UID 1 BODY[] {99999999999999999999}",
    ],
)
def test_an_absurd_length_is_not_believed(server: ScriptedImap, line: str) -> None:
    server.answers["UID FETCH"] = say(line)
    with Opened(server) as source, pytest.raises(ServerAway, match="connection broke off"):
        source.fetch(["1"])


def test_an_endless_line_is_not_read_to_its_end(server: ScriptedImap, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mailbot.adapters.imap_connection._MAX_LINE_BYTES", 10_000)
    server.answers["UID FETCH"] = say("* OK " + "x" * 40_000)
    with Opened(server) as source, pytest.raises(ServerAway, match="connection broke off"):
        source.fetch(["1"])


_GARBAGE = [
    "garbage",
    "* 1 FETCH",
    "* 1 FETCH (",
    "* 1 FETCH (UID)",
    "* 1 FETCH (UID x BODY[] y)",
    "* x FETCH (UID 1)",
    "* 1 FETCH (UID 1 BODY[] {5}",
    "* 1 FETCH " + "(" * 5_000,
    '* 1 FETCH (UID 1 BODY[] "abc',
    "\x00\xff\xfe",
    "* BYE shutting down",
    "A999 OK whose?",
]


@pytest.mark.parametrize("command", ["UID FETCH", "UID SEARCH", "NOOP", "SELECT", "CAPABILITY"])
@pytest.mark.parametrize("line", _GARBAGE)
def test_garbage_is_a_server_that_is_away(server: ScriptedImap, command: str, line: str) -> None:
    server.answers[command] = say(line, "TAG OK done")
    source = source_of(server, timing=_IMPATIENT)
    try:
        source.open()
        source.list_mails(1)
        for mail in source.fetch(["1", "2"]):
            assert mail.raw in _MAILS
    except ServerAway as error:
        assert not isinstance(error, CredentialsRefused)
        # What went wrong may quote a mail: no traceback may show it.
        assert error.__suppress_context__ or error.__context__ is None
    source.close()


@given(
    st.sampled_from(["UID FETCH", "UID SEARCH", "NOOP", "SELECT"]),
    st.text(alphabet='*()[]{}" \\\r\n0123FETCHUIDBOSARX{5}~', max_size=60),
)
@settings(max_examples=80, deadline=None)
def test_whatever_a_server_says_it_is_read_or_away(command: str, text: str) -> None:
    with ScriptedImap(_MAILS) as server:
        server.answers[command] = say_and_hang_up(f"{text}\r\nTAG OK x\r\n")
        source = source_of(server)
        try:
            source.open()
            source.list_mails(1)
            mails = source.fetch(["1", "2"])
        except ServerAway:
            return
        finally:
            source.close()
        assert all(isinstance(mail.raw, bytes) for mail in mails)


def test_a_goodbye_is_told_in_the_servers_words_and_the_next_open_connects_again(server: ScriptedImap) -> None:
    source = source_of(server)
    source.open()
    server.answers["NOOP"] = say_and_hang_up("* BYE Disconnected for inactivity of ana@example.com.br .\r\n")
    with pytest.raises(ServerAway, match=r"says goodbye: Disconnected for inactivity of … .$"):
        source.list_mails(1)
    with pytest.raises(ServerAway, match="not connected"):
        source.list_mails(1)
    del server.answers["NOOP"]
    source.open()
    assert len(source.list_mails(1)) == 3
    assert len(server.commands("LOGIN")) == 2
    source.close()


def test_nobody_there_is_a_server_that_is_away() -> None:
    with ScriptedImap() as server:
        pass
    with pytest.raises(ServerAway, match="Connection refused"):
        source_of(server).open()
    with pytest.raises(ServerAway, match="host name not found"):
        source_of(server, server=address_of(server, Security.TLS, host="nowhere.invalid")).open()


@pytest.mark.parametrize("greeting", [b"", b"* BYE too many\r\n", b"220 smtp\r\n", b"* OK without end"])
def test_a_strange_greeting_is_a_server_that_is_away(server: ScriptedImap, greeting: bytes) -> None:
    server.greeting = greeting
    with pytest.raises(ServerAway):
        source_of(server, timing=_IMPATIENT).open()


def test_imaplib_formats_nothing_for_a_log_that_is_off(server: ScriptedImap) -> None:
    with Opened(server) as source:
        assert isinstance(source._client._imap, LimitedConnection)
        assert source._client._imap.debug == 0


# --- settling --------------------------------------------------------------------------------------------


def test_it_moves_settled_mails_and_makes_the_folder(server: ScriptedImap) -> None:
    with Opened(server) as source:
        source.settle(["1", "3"])
        assert [mail.raw for mail in server.folders["Processados"].mails.values()] == [_MAILS[0], _MAILS[2]]
        assert [mail.uid for mail in source.list_mails(1)] == ["2"]
        assert server.commands("SUBSCRIBE")
        source.settle(["1", "3"])
        source.settle(["2"])
        assert len(server.folders["Processados"].mails) == 3
        assert len(server.commands("CREATE")) == 1
        source.settle([])


@pytest.mark.parametrize(
    ("namespace", "separator", "name", "made"),
    [
        ('(("INBOX." "."))', ".", "Processados", "INBOX.Processados"),
        ('(("INBOX." "."))', ".", "INBOX/Feitos/2026", "INBOX.Feitos.2026"),
        ('(("INBOX." "."))', ".", "INBOX.Feitos", "INBOX.Feitos"),
        ('(("" "/"))', "/", "Feitos/2026", "Feitos/2026"),
        ('(("" "."))', ".", "Ação & cia", "A&AOcA4w-o &- cia"),
        ("NIL", "^", "Feitos/2026", "Feitos^2026"),
        ('(("INBOX." "." "X-PARAM" ("a")))', ".", "Feitos", "Feitos"),
    ],
)
def test_it_names_the_folder_as_the_server_does(
    server: ScriptedImap, namespace: str, separator: str, name: str, made: str
) -> None:
    server.namespace = namespace
    server.separator = separator
    with Opened(server, processed_folder=name) as source:
        source.settle(["1"])
        assert list(server.folders) == ["INBOX", made]
        assert len(server.folders[made].mails) == 1


def test_it_goes_below_inbox_where_the_server_takes_no_other_folder(server: ScriptedImap) -> None:
    server.capabilities = "IMAP4rev1 MOVE"
    server.separator = "."

    def only_below_inbox(session: Session, tag: str, arguments: str) -> None:
        if "INBOX." in arguments:
            server._create(session, tag, arguments)
        else:
            session.no(tag, "Invalid mailbox name.")

    server.answers["CREATE"] = only_below_inbox
    with Opened(server) as source:
        source.settle(["1"])
        assert len(server.folders["INBOX.Processados"].mails) == 1
        source.settle(["2"])
        assert len(server.commands("CREATE")) == 2


def test_a_refused_move_makes_no_second_folder(server: ScriptedImap) -> None:
    server.folders["Processados"] = type(server.inbox)()
    server.capabilities = "IMAP4rev1 MOVE"
    server.answers["UID MOVE"] = refuse("[OVERQUOTA] full")
    with Opened(server) as source, pytest.raises(ServerAway, match=r"command refused \(OVERQUOTA\)"):
        source.settle(["1"])
    assert server.commands("CREATE") == []


def test_without_move_it_copies_and_expunges_these_mails_only(server: ScriptedImap) -> None:
    server.capabilities = "IMAP4rev1 UIDPLUS"
    with Opened(server) as source:
        server.inbox.mails[2].flags.add(r"\Deleted")
        source.settle(["1", "3", "77"])
        assert list(server.inbox.mails) == [2]
        assert [mail.raw for mail in server.folders["Processados"].mails.values()] == [_MAILS[0], _MAILS[2]]
        assert server.commands("UID EXPUNGE") == ["UID EXPUNGE 1,3"]
        source.settle(["1", "3"])
        assert len(server.folders["Processados"].mails) == 2


@pytest.mark.parametrize("command", ["UID STORE", "UID EXPUNGE"])
def test_after_a_crash_half_way_it_finishes_the_move(server: ScriptedImap, command: str) -> None:
    server.capabilities = "IMAP4rev1 UIDPLUS"
    server.answers[command] = say_and_hang_up("")
    source = source_of(server)
    source.open()
    with pytest.raises(ServerAway):
        source.settle(["1"])
    del server.answers[command]
    source.open()
    source.settle(["1"])
    source.close()
    assert list(server.inbox.mails) == [2, 3]
    # Only before the flag is set there is no telling that the copy was made.
    assert len(server.folders["Processados"].mails) == (2 if command == "UID STORE" else 1)


def test_without_uidplus_nobody_elses_mail_is_expunged(server: ScriptedImap) -> None:
    server.capabilities = "IMAP4rev1"
    server.inbox.mails[2].flags.add(r"\Deleted")
    with Opened(server) as source:
        source.settle(["1"])
        assert server.commands("EXPUNGE") == server.commands("UID EXPUNGE") == []
        assert sorted(server.inbox.mails) == [1, 2, 3]
        assert [mail.uid for mail in source.list_mails(1)] == ["3"]
        source.settle(["1"])
        assert len(server.folders["Processados"].mails) == 1
        server.inbox.mails[2].flags.clear()
        source.settle(["3"])
        assert list(server.inbox.mails) == [2]


def test_after_a_change_of_uidvalidity_no_flag_is_taken_for_ours(server: ScriptedImap) -> None:
    server.capabilities = "IMAP4rev1"
    server.inbox.mails[3].flags.add(r"\Deleted")
    with Opened(server) as source:
        source.settle(["1"])
        server.inbox.uid_validity += 1
        server.inbox.mails[3].flags.clear()
        source.open()
        source.settle(["2"])
        # Mail 1 may be anybody's now.
        assert sorted(server.inbox.mails) == [1, 2, 3]


def test_it_marks_settled_mails_with_a_keyword(server: ScriptedImap) -> None:
    with Opened(server, Settle.KEYWORD) as source:
        source.settle(["1", "2"])
        assert server.inbox.mails[1].flags == {"$MailbotDone"}
        assert [mail.uid for mail in source.list_mails(1)] == ["3"]
        source.settle(["3"])
        assert source.list_mails(1) == []
        # Looked at once only.
        assert len(server.commands("UID SEARCH UID 1,2 KEYWORD")) == 1
        assert server.commands("UID SEARCH UID 3 ") == []


@pytest.mark.parametrize("reason", ["flags", "dropped", "refused", "read-only"])
def test_a_server_that_keeps_no_keyword_is_left_alone_with_one_warning(server: ScriptedImap, reason: str) -> None:
    if reason == "flags":
        server.permanent_flags = r"(\Seen \Deleted)"
    elif reason == "read-only":
        server.answers["SELECT"] = server._examine
    else:
        server.answers["UID STORE"] = say("TAG OK done") if reason == "dropped" else refuse("no keywords")
    with Opened(server, Settle.KEYWORD) as source, capture_logs() as logs:
        source.settle(["1"])
        source.settle(["2"])
        assert [mail.uid for mail in source.list_mails(1)] == ["1", "2", "3"]
        assert len(server.commands("UID STORE")) == (reason in ("dropped", "refused"))
        assert "UNKEYWORD" not in server.log[-2]
    assert [line["action"] for line in logs] == ["imap.keyword_not_kept"]


def test_mails_that_are_gone_prove_nothing_about_keywords(server: ScriptedImap) -> None:
    with Opened(server, Settle.KEYWORD) as source, capture_logs() as logs:
        source.settle(["99"])
        source.settle(["1"])
        assert [mail.uid for mail in source.list_mails(1)] == ["2", "3"]
    assert logs == []


def test_every_flag_can_be_kept_where_the_server_does_not_list_them(server: ScriptedImap) -> None:
    server.permanent_flags = None
    with Opened(server, Settle.KEYWORD) as source:
        source.settle(["1"])
        assert server.inbox.mails[1].flags == {"$MailbotDone"}


def test_it_writes_nothing_where_nothing_may_be_written(server: ScriptedImap) -> None:
    with Opened(server, Settle.NONE) as source:
        source.list_mails(1)
        source.fetch(["1", "2"])
        source.settle(["1", "2"])
        source.wait(0.01)
        source.open()
    words = {line.split()[0] + (" " + line.split()[1] if line.startswith("UID") else "") for line in server.log}
    assert words == {
        *("CAPABILITY", "LOGIN", "EXAMINE", "FETCH", "NOOP", "UID SEARCH", "UID FETCH", "IDLE", "DONE", "LOGOUT"),
    }


# --- waiting ---------------------------------------------------------------------------------------------


class Waiting:
    """A ``wait`` in a thread of its own."""

    def __init__(self, source: ImapSource, seconds: float = 10) -> None:
        self._outcome: list[bool | BaseException] = []

        def run() -> None:
            try:
                self._outcome.append(source.wait(seconds))
            except ServerAway as error:
                self._outcome.append(error)

        self._started = time.monotonic()
        self._thread = threading.Thread(target=run)
        self._thread.start()

    def result(self) -> bool | BaseException:
        """What it returned or raised; it must have been quick."""
        self._thread.join(4)
        assert not self._thread.is_alive()
        return self._outcome[0]

    @property
    def running(self) -> bool:
        """Whether it still waits."""
        return self._thread.is_alive()


def test_a_new_mail_rings(server: ScriptedImap) -> None:
    with Opened(server) as source:
        source.list_mails(1)
        waiting = Waiting(source)
        server.push(b"* OK still here\r\n* 1 FETCH (FLAGS (\\Seen))\r\n* 1 RECENT\r\n* 3 EXISTS\r\n")
        time.sleep(0.05)
        assert waiting.running
        server.push(b"* 4 EXI")
        server.push(b"STS\r\n")
        assert waiting.result() is True
        assert server.log[-1] == "DONE"
        assert len(source.list_mails(1)) == 3


def test_a_mail_that_takes_an_expunged_ones_place_rings(server: ScriptedImap) -> None:
    with Opened(server) as source:
        source.list_mails(1)
        waiting = Waiting(source)
        server.push(b"* 2 EXPUNGE\r\n* 3 EXISTS\r\n")
        assert waiting.result() is True


@pytest.mark.parametrize("together", [b"* 4 EXISTS\r\n+ idling\r\n", b"+ idling\r\n* 4 EXISTS\r\n"])
def test_a_ring_in_the_same_packet_as_the_start_is_heard(server: ScriptedImap, together: bytes) -> None:
    def idle(session: Session, tag: str, _: str) -> None:
        session.send(together)
        assert session.file.readline() == b"DONE\r\n"
        session.ok(tag)

    server.answers["IDLE"] = idle
    with Opened(server) as source:
        assert Waiting(source).result() is True
        source.list_mails(1)


@pytest.mark.parametrize("news", ["* 4 EXISTS\r\n", "* 3 EXPUNGE\r\n* 3 EXISTS\r\n"])
def test_a_ring_during_the_last_command_is_not_slept_over(server: ScriptedImap, news: str) -> None:
    def announce_and_fetch(session: Session, tag: str, arguments: str) -> None:
        session.send(news)
        server._uid_fetch(session, tag, arguments)

    with Opened(server) as source:
        source.list_mails(1)
        server.answers["UID FETCH"] = announce_and_fetch
        source.fetch(["1"])
        assert Waiting(source).result() is True
        assert server.commands("IDLE") == []


def test_a_count_that_is_known_does_not_ring(server: ScriptedImap) -> None:
    def repeat_the_count(session: Session, tag: str, arguments: str) -> None:
        session.send("* 3 EXISTS\r\n")
        server._idle(session, tag, arguments)

    server.answers["IDLE"] = repeat_the_count
    with Opened(server) as source:
        assert source.wait(0.05) is False
        source.list_mails(1)
        assert source.wait(0.05) is False


def test_a_ring_is_heard_where_the_server_did_not_tell_what_it_removed(server: ScriptedImap) -> None:
    def quietly(session: Session, tag: str, _: str) -> None:
        del session.folder.mails[1]
        session.ok(tag)

    server.answers["UID MOVE"] = quietly
    server.answers["NOOP"] = say("TAG OK done")
    with Opened(server) as source:
        source.settle(["1"])
        source.list_mails(1)
        waiting = Waiting(source)
        server.push(b"* 3 EXISTS\r\n")
        assert waiting.result() is True


def test_what_we_moved_ourselves_does_not_ring(server: ScriptedImap) -> None:
    with Opened(server) as source:
        source.settle(["1"])
        source.list_mails(1)
        assert source.wait(0.05) is False


def test_the_wait_ends_in_time_and_idle_is_begun_anew(server: ScriptedImap) -> None:
    quick = ImapTiming(connect_seconds=2, read_seconds=2, idle_seconds=0.05)
    with Opened(server, timing=quick) as source:
        assert Waiting(source, 60).result() is False
        assert source.wait(0.01) is False
        assert [line for line in server.log if line in ("IDLE", "DONE")] == ["IDLE", "DONE"] * 2
        assert len(source.list_mails(1)) == 3


def test_an_interrupt_ends_the_wait(server: ScriptedImap) -> None:
    with Opened(server) as source:
        waiting = Waiting(source)
        server.wait_for(lambda: any(session.idling for session in server.sessions))
        source.interrupt()
        assert waiting.result() is False
        assert server.log[-1] == "DONE"


def test_an_interrupt_while_nobody_waits_ends_the_next_wait_and_no_other(server: ScriptedImap) -> None:
    source = source_of(server)
    source.interrupt()
    source.open()
    for _ in range(100_000):
        source.interrupt()
    assert Waiting(source).result() is False
    started = time.monotonic()
    assert source.wait(0.1) is False
    assert time.monotonic() - started >= 0.1
    source.close()
    source.interrupt()


def _refuse_idle(server: ScriptedImap) -> None:
    server.answers["IDLE"] = refuse("IDLE is off")


def _misunderstand_idle(server: ScriptedImap) -> None:
    server.answers["IDLE"] = say("TAG BAD what?")


def _offer_no_idle(server: ScriptedImap) -> None:
    server.capabilities = "IMAP4rev1"


@pytest.mark.parametrize("without_idle", [_refuse_idle, _misunderstand_idle, _offer_no_idle])
def test_it_polls_where_idle_is_missing(
    server: ScriptedImap, without_idle: Callable[[ScriptedImap], None]
) -> None:
    without_idle(server)
    timing = ImapTiming(connect_seconds=2, read_seconds=2, poll_seconds=0.05)
    with Opened(server, timing=timing) as source:
        assert Waiting(source, 60).result() is False
        assert Waiting(source, 60).result() is False
        assert len(server.commands("IDLE")) <= 1
        source.interrupt()
        assert Waiting(source, 60).result() is False
    with Opened(server, timing=ImapTiming(connect_seconds=2, read_seconds=2)) as source:
        waiting = Waiting(source, 60)
        source.interrupt()
        assert waiting.result() is False


def test_chatter_does_not_gather_in_memory(server: ScriptedImap) -> None:
    with Opened(server) as source:
        waiting = Waiting(source)
        server.push(b"* 1 FETCH (FLAGS (\\Seen))\r\n* 0 RECENT\r\n* OK hm\r\n" * 500 + b"* 4 EXISTS\r\n")
        assert waiting.result() is True
        assert sum(map(len, source._client._imap.untagged_responses.values())) < 10
        server.answers["NOOP"] = say(*["* LIST () NIL x"] * 500, "TAG OK done")
        source.list_mails(1)
        assert sum(map(len, source._client._imap.untagged_responses.values())) < 10


@pytest.mark.parametrize("push", [b"* BYE idle too long\r\n", b"nonsense\r\n", b"* 4 EXISTS", b"A1 OK what\r\n"])
def test_a_break_during_idle_is_a_server_that_is_away(
    server: ScriptedImap, push: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mailbot.adapters.imap_news._IDLE_LINE_SECONDS", 0.2)
    with Opened(server) as source:
        waiting = Waiting(source)
        server.push(push)
        assert isinstance(waiting.result(), ServerAway)


def test_a_connection_closed_during_idle_is_noticed_at_once(server: ScriptedImap) -> None:
    with Opened(server) as source:
        waiting = Waiting(source)
        server.wait_for(lambda: any(session.idling for session in server.sessions))
        server.sessions[0].connection.shutdown(socket.SHUT_RDWR)
        assert isinstance(waiting.result(), ServerAway)


def test_a_server_may_end_idle_by_itself(server: ScriptedImap) -> None:
    server.answers["IDLE"] = say("+ idling", "TAG OK enough")
    with Opened(server) as source:
        assert Waiting(source).result() is False
        assert server.commands("DONE") == []
        assert len(source.list_mails(1)) == 3


@pytest.mark.parametrize("talks", [False, True])
def test_a_server_that_does_not_end_idle_is_away(
    server: ScriptedImap, talks: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mailbot.adapters.imap_news._IDLE_LINE_SECONDS", 0.2)

    def idle(session: Session, tag: str, _: str) -> None:
        session.send("+ idling\r\n")
        session.file.readline()
        while not server.closing.wait(0.01):
            session.send("* OK wait\r\n" if talks else "")

    server.answers["IDLE"] = idle
    started = time.monotonic()
    with Opened(server) as source, pytest.raises(ServerAway, match="no answer in time"):
        source.wait(0.01)
    assert time.monotonic() - started < 2


@pytest.mark.parametrize("answer", [say_nothing, say_and_hang_up(""), say("!!"), refuse("no")])
def test_closing_never_fails_and_never_lasts(
    server: ScriptedImap, answer: Answer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mailbot.adapters.imap_connection._LOGOUT_SECONDS", 0.1)
    server.answers["LOGOUT"] = answer
    source = source_of(server)
    source.open()
    started = time.monotonic()
    source.close()
    source.close()
    assert time.monotonic() - started < 2


def test_nothing_works_before_it_is_open(server: ScriptedImap) -> None:
    source = source_of(server)
    calls: list[Callable[[], object]] = [
        lambda: source.list_mails(1),
        lambda: source.fetch(["1"]),
        lambda: source.settle(["1"]),
        lambda: source.wait(1),
    ]
    for call in calls:
        with pytest.raises(ServerAway, match="not connected"):
            call()
    source.close()


def test_a_lost_connection_leaves_no_socket_open(server: ScriptedImap, tmp_path: Path) -> None:
    source = source_of(server)
    source.open()
    connection = source._client._imap.sock
    server.answers["NOOP"] = say_and_hang_up("")
    with pytest.raises(ServerAway):
        source.list_mails(1)
    assert connection.fileno() == -1
