"""`ImapSource` waits: IDLE, polling, and connections that end meanwhile."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from mailbot.adapters.imap import ImapSource
from mailbot.domain.errors import ServerAway
from tests.adapters.imap_folder import (
    LONG_SECONDS,
    PATIENT,
    Opened,
    refuse,
    say,
    say_and_hang_up,
    say_nothing,
    source_of,
)
from tests.adapters.scripted_imap import Answer, ScriptedImap, Session


class Waiting:
    """A long ``wait`` in a thread of its own."""

    def __init__(self, source: ImapSource) -> None:
        self._outcome: list[bool | BaseException] = []

        def run() -> None:
            try:
                self._outcome.append(source.wait(LONG_SECONDS))
            except ServerAway as error:
                self._outcome.append(error)

        self._thread = threading.Thread(target=run, daemon=True)
        self._thread.start()

    def result(self) -> bool | BaseException:
        """What it returned or raised, long before its time was over."""
        self._thread.join(LONG_SECONDS / 5)
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
    quick = replace(PATIENT, idle_seconds=0.05)
    with Opened(server, timing=quick) as source:
        assert Waiting(source).result() is False
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
    timing = replace(PATIENT, poll_seconds=0.05)
    with Opened(server, timing=timing) as source:
        assert Waiting(source).result() is False
        assert Waiting(source).result() is False
        assert len(server.commands("IDLE")) <= 1
        source.interrupt()
        assert Waiting(source).result() is False
    with Opened(server) as source:
        waiting = Waiting(source)
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
    assert time.monotonic() - started < PATIENT.read_seconds / 2


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
    assert time.monotonic() - started < PATIENT.read_seconds / 2


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
