"""The IMAP source against a scripted server, with its faults switched on one by one."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from mailbot.adapters import imap_connection
from mailbot.adapters.imap import ImapSource
from mailbot.adapters.imap_connection import LimitedConnection
from mailbot.domain.errors import CredentialsRefused, ServerAway
from mailbot.domain.mailbox import Security
from mailbot.flows.ports import MailSource
from tests.adapters.imap_folder import (
    IMPATIENT,
    MAILS,
    PATIENT,
    Opened,
    address_of,
    grow_impatient,
    refuse,
    say,
    say_and_hang_up,
    source_of,
)
from tests.adapters.scripted_imap import Answer, ScriptedImap, Session
from tests.peers.process import Ports

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


# --- listing ---------------------------------------------------------------------------------------------


def test_it_lists_from_a_uid_on(server: ScriptedImap) -> None:
    with Opened(server) as source:
        mails = source.list_mails(2)
        assert [(mail.uid, mail.size_bytes) for mail in mails] == [("2", len(MAILS[1])), ("3", len(MAILS[2]))]
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
        assert [(mail.uid, mail.raw) for mail in mails] == [("3", MAILS[2]), ("1", MAILS[0]), ("2", MAILS[1])]
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
        assert source.fetch(["2"])[0].raw == MAILS[1]


@given(raw=st.binary(max_size=300))
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
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
        (server, source), _shared._kept = _shared._kept, None
        source.close()
        server.__exit__()


def test_a_chatty_server_confuses_nothing(server: ScriptedImap) -> None:
    def chatter(session: Session, tag: str, arguments: str) -> None:
        session.send("* 2 FETCH (FLAGS (\\Seen))\r\n* OK still here\r\n* 1 RECENT\r\n* XNONSENSE {3}\r\nabc\r\n")
        session.server._uid_fetch(session, tag, arguments)

    server.answers["UID FETCH"] = chatter
    with Opened(server) as source:
        assert [mail.raw for mail in source.fetch(["1", "2", "3"])] == MAILS
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
    with Opened(server) as source:
        grow_impatient(source)
        with pytest.raises(ServerAway, match="no answer in time"):
            source.fetch(["1"])


def test_a_server_that_trickles_runs_out_of_time(server: ScriptedImap) -> None:
    def trickle(session: Session, tag: str, _: str) -> None:
        session.send("* OK ")
        while not server.closing.wait(0.02):
            session.send("x")

    server.answers["UID FETCH"] = trickle
    with Opened(server) as source:
        grow_impatient(source)
        with pytest.raises(ServerAway, match="no answer in time"):
            source.fetch(["1"])


def test_a_big_mail_on_a_slow_line_gets_more_time(server: ScriptedImap, monkeypatch: pytest.MonkeyPatch) -> None:
    raw = b"z" * 30_000
    passed = [0.0]
    monkeypatch.setattr(imap_connection, "time", SimpleNamespace(monotonic=lambda: passed[0]))

    def slowly(session: Session, tag: str, _: str) -> None:
        session.send(f"* 1 FETCH (UID 1 BODY[] {{{len(raw)}}}\r\n")
        connection = source._client._imap
        for start in range(0, len(raw), 5_000):
            # 12 kB a second, a little more than has to be.
            passed[0] += 5_000 / 12_000
            allowed = connection.deadline
            session.send(raw[start : start + 5_000])
            server.wait_for(lambda allowed=allowed: connection.deadline >= allowed + 0.49)  # type: ignore[misc]
        session.send(f")\r\n{tag} OK done\r\n")

    server.answers["UID FETCH"] = slowly
    with Opened(server, timing=replace(PATIENT, command_seconds=1)) as source:
        assert source.fetch(["1"])[0].raw == raw
    assert passed[0] > 2


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
    with Opened(server) as source:
        grow_impatient(source)
        with pytest.raises(ServerAway, match="no answer in time"):
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
    source = source_of(server, timing=IMPATIENT)
    try:
        source.open()
        source.list_mails(1)
        for mail in source.fetch(["1", "2"]):
            assert mail.raw in MAILS
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
    with ScriptedImap(MAILS) as server:
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
    ports = Ports()
    try:
        nobody = replace(address_of(server), port=ports.take())
        with pytest.raises(ServerAway, match="Connection refused"):
            source_of(server, server=nobody).open()
    finally:
        ports.close()
    with pytest.raises(ServerAway, match="host name not found"):
        source_of(server, server=address_of(server, Security.TLS, host="nowhere.invalid")).open()


@pytest.mark.parametrize("greeting", [b"", b"* BYE too many\r\n", b"220 smtp\r\n", b"* OK without end"])
def test_a_strange_greeting_is_a_server_that_is_away(server: ScriptedImap, greeting: bytes) -> None:
    server.greeting = greeting
    with pytest.raises(ServerAway):
        source_of(server, timing=IMPATIENT).open()


def test_imaplib_formats_nothing_for_a_log_that_is_off(server: ScriptedImap) -> None:
    with Opened(server) as source:
        assert isinstance(source._client._imap, LimitedConnection)
        assert source._client._imap.debug == 0
