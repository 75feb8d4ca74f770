"""The IMAP source against real servers: Dovecot with TLS, and the demo's embedded pymap."""

from __future__ import annotations

import contextlib
import ssl
import threading
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
from structlog.testing import capture_logs

from mailbot.adapters.imap import ImapSource
from mailbot.domain.errors import CredentialsRefused, ServerAway
from mailbot.domain.mailbox import Security, ServerAddress, Settle
from tests.adapters.imap_folder import LONG_SECONDS
from tests.peers.dovecot import Dovecot
from tests.peers.process import PATIENCE_SECONDS

if TYPE_CHECKING:
    from mailbot.demo.servers import EmbeddedServers

_MAILS = [
    f"Subject: pedido {number}\r\nFrom: ana@example.com.br\r\n\r\nbom dia {number}\r\n".encode()
    for number in range(1, 6)
]
_BIG = b"Subject: grande\r\n\r\n" + b"0123456789abcdef" * 4 * 40_000 + b"\r\n"


def source_on(
    dovecot: Dovecot, user: str, settle: Settle, security: Security = Security.TLS, **changes: Any
) -> ImapSource:
    address = ServerAddress(
        security=security,
        host="localhost",
        port=dovecot.imaps_port if security is Security.TLS else dovecot.imap_port,
        username=user,
        password=changes.pop("password", dovecot.users.get(user, "")),
    )
    facts: dict[str, Any] = {
        "folder": "INBOX",
        "ssl_context": ssl.create_default_context(cafile=dovecot.ca_file),
    } | changes
    return ImapSource(mailbox="default", server=address, settle=settle, **facts)


@contextlib.contextmanager
def opened(source: ImapSource) -> Iterator[ImapSource]:
    source.open()
    try:
        yield source
    finally:
        source.close()


@pytest.mark.parametrize("security", list(Security))
def test_on_dovecot_it_collects_and_moves(dovecot: Dovecot, security: Security) -> None:
    user = dovecot.new_user()
    dovecot.append_all(user, [*_MAILS, _BIG])
    with opened(source_on(dovecot, user, Settle.MOVE, security, processed_folder="Feitos/Ação & cia")) as source:
        state = source.open()
        assert state.uid_validity > 0
        assert state.uid_next == 7
        assert state.newest_received_at is not None
        assert abs(state.newest_received_at.timestamp() - time.time()) < 3600
        entries = source.list_mails(1)
        assert [entry.uid for entry in entries] == ["1", "2", "3", "4", "5", "6"]
        assert entries[5].size_bytes == len(_BIG)
        assert [mail.raw for mail in source.fetch([entry.uid for entry in entries])] == [*_MAILS, _BIG]
        (header,) = source.fetch(["6"], header_only=True)
        assert (header.raw, header.oversize_bytes) == (b"Subject: grande\r\n\r\n", len(_BIG))
        source.settle(["1", "2", "6"])
        source.settle(["1", "2", "6"])
        assert [entry.uid for entry in source.list_mails(1)] == ["3", "4", "5"]
        assert source.list_mails(6) == []
    with opened(source_on(dovecot, user, Settle.NONE, folder="Feitos/Ação & cia")) as source:
        entries = source.list_mails(1)
        assert [mail.raw for mail in source.fetch([e.uid for e in entries])] == [_MAILS[0], _MAILS[1], _BIG]


def test_on_dovecot_it_moves_by_copy_where_move_is_missing(
    dovecot: Dovecot, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = dovecot.new_user()
    dovecot.append_all(user, _MAILS)
    with opened(source_on(dovecot, user, Settle.MOVE)) as source:
        offered = [word for word in source._client.capabilities() if word != b"MOVE"]
        monkeypatch.setattr(source._client, "_cached_capabilities", offered)
        with dovecot.imap(user) as other:
            other.select("INBOX")
            other.uid("STORE", "5", "+FLAGS", r"(\Deleted)")
            source.settle(["1", "3"])
            assert dovecot.messages(user) == [_MAILS[1], _MAILS[3], _MAILS[4]]
            assert dovecot.messages(user, "Processados") == [_MAILS[0], _MAILS[2]]
            monkeypatch.setattr(source._client, "_cached_capabilities", [w for w in offered if w != b"UIDPLUS"])
            source.settle(["2"])
            assert dovecot.messages(user) == [_MAILS[1], _MAILS[3], _MAILS[4]]
            other.uid("STORE", "5", "-FLAGS", r"(\Deleted)")
        source.settle(["4"])
        assert dovecot.messages(user) == [_MAILS[4]]
        assert sorted(dovecot.messages(user, "Processados")) == sorted(_MAILS[:4])


def test_on_dovecot_it_marks_with_a_keyword_that_lasts(dovecot: Dovecot) -> None:
    user = dovecot.new_user()
    dovecot.append_all(user, _MAILS)
    with opened(source_on(dovecot, user, Settle.KEYWORD)) as source:
        source.settle(["1", "2"])
    with opened(source_on(dovecot, user, Settle.KEYWORD)) as source:
        assert [entry.uid for entry in source.list_mails(1)] == ["3", "4", "5"]
    assert dovecot.messages(user) == _MAILS


def test_on_dovecot_it_writes_nothing_where_nothing_may_be_written(dovecot: Dovecot) -> None:
    user = dovecot.new_user()
    dovecot.append_all(user, _MAILS)
    with opened(source_on(dovecot, user, Settle.NONE)) as source:
        uids = [entry.uid for entry in source.list_mails(1)]
        source.fetch(uids)
        source.settle(uids)
        source.wait(0.01)
    with dovecot.imap(user) as other:
        other.select("INBOX")
        # \Recent is still there, too: EXAMINE takes not even that.
        _, recent = other.search(None, "RECENT")
        assert recent == [b"1 2 3 4 5"]
        _, seen = other.search(None, "SEEN")
        assert seen == [b""]


@pytest.mark.parametrize("security", [Security.TLS, Security.STARTTLS])
def test_on_dovecot_a_new_mail_rings_and_is_listed(dovecot: Dovecot, security: Security) -> None:
    user = dovecot.new_user()
    with opened(source_on(dovecot, user, Settle.MOVE, security)) as source:
        for number, raw in enumerate(_MAILS[:3], start=1):
            delivery = threading.Thread(target=dovecot.append, args=(user, raw))
            delivery.start()
            assert source.wait(PATIENCE_SECONDS) is True
            delivery.join()
            (entry,) = source.list_mails(1)
            assert entry.uid == str(number)
            source.settle([entry.uid])
        assert source.wait(0.1) is False


def test_on_dovecot_a_mail_that_comes_between_listing_and_waiting_rings(dovecot: Dovecot) -> None:
    user = dovecot.new_user()
    with opened(source_on(dovecot, user, Settle.MOVE)) as source:
        assert source.list_mails(1) == []
        dovecot.append(user, _MAILS[0])
        assert source.wait(PATIENCE_SECONDS) is True
        assert len(source.list_mails(1)) == 1


def test_on_dovecot_an_interrupt_ends_the_wait_at_once(dovecot: Dovecot) -> None:
    user = dovecot.new_user()
    with opened(source_on(dovecot, user, Settle.MOVE)) as source:
        threading.Timer(0.1, source.interrupt).start()
        started = time.monotonic()
        assert source.wait(LONG_SECONDS) is False
        assert time.monotonic() - started < LONG_SECONDS / 5
        assert source.list_mails(1) == []


def test_on_dovecot_a_wrong_password_is_told_from_a_server_that_is_away(dovecot: Dovecot) -> None:
    user = dovecot.new_user()
    with pytest.raises(CredentialsRefused, match="AUTHENTICATIONFAILED"):
        source_on(dovecot, user, Settle.MOVE, password="wrong").open()
    with pytest.raises(ServerAway, match="certificate refused"):
        source_on(dovecot, user, Settle.MOVE, ssl_context=None).open()


def test_on_dovecot_it_logs_in_with_letters_beyond_ascii(dovecot: Dovecot) -> None:
    user = "acentos@example.com.br"
    dovecot.add_user(user, "coração de mãe")
    with opened(source_on(dovecot, user, Settle.MOVE)) as source:
        assert source.list_mails(1) == []


def test_on_dovecot_it_comes_back_after_the_server_was_away(dovecot: Dovecot) -> None:
    user = dovecot.new_user()
    dovecot.append(user, _MAILS[0])
    source = source_on(dovecot, user, Settle.MOVE)
    before = source.open()
    try:
        dovecot.stop()
        with pytest.raises(ServerAway):
            source.list_mails(1)
        with pytest.raises(ServerAway, match="Connection refused"):
            source.open()
    finally:
        dovecot.start()
    assert source.open() == before
    assert len(source.list_mails(1)) == 1
    source.close()


# --- the embedded server ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def embedded() -> Iterator[EmbeddedServers]:
    pytest.importorskip("pymap", reason="pymap is not installed")
    from mailbot.demo.servers import EmbeddedServers

    with EmbeddedServers() as servers:
        yield servers


def source_on_embedded(servers: EmbeddedServers, user: str, settle: Settle) -> ImapSource:
    servers.add_account(user, "correct horse")
    address = ServerAddress(
        security=Security.PLAIN,
        host=servers.host,
        port=servers.imap_port,
        username=user,
        password="correct horse",
    )
    return ImapSource(mailbox="default", server=address, folder="INBOX", settle=settle)


def test_on_the_embedded_server_it_collects_moves_and_is_woken(embedded: EmbeddedServers) -> None:
    user = "mover@example.com.br"
    with opened(source_on_embedded(embedded, user, Settle.MOVE)) as source:
        assert source.list_mails(1) == []
        delivery = threading.Thread(target=embedded.deliver, args=(_MAILS[0],), kwargs={"to": user})
        delivery.start()
        assert source.wait(PATIENCE_SECONDS) is True
        delivery.join()
        (entry,) = source.list_mails(1)
        (mail,) = source.fetch([entry.uid])
        assert mail.raw.endswith(_MAILS[0])
        assert entry.size_bytes == len(mail.raw)
        source.settle([entry.uid])
        assert source.list_mails(1) == []
        source.settle([entry.uid])
        assert embedded.messages(user, "Processados") == [mail.raw]


@pytest.mark.parametrize("kept", [True, False])
def test_on_the_embedded_server_it_sees_whether_keywords_are_kept(
    embedded: EmbeddedServers, kept: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As it comes, pymap lists no keyword, answers OK to one and drops it."""
    from pymap.backend.dict.mailbox import MailboxData

    if not kept:
        monkeypatch.setattr("mailbot.demo.imap_server._Mailbox.permanent_flags", MailboxData.permanent_flags)
    user = f"keyword.{kept:d}@example.com.br"
    with opened(source_on_embedded(embedded, user, Settle.KEYWORD)) as source, capture_logs() as logs:
        embedded.deliver(_MAILS[1], to=user)
        embedded.deliver(_MAILS[2], to=user)
        first, second = [entry.uid for entry in source.list_mails(1)]
        source.settle([first])
        assert [entry.uid for entry in source.list_mails(1)] == ([second] if kept else [first, second])
    assert [line["action"] for line in logs] == ([] if kept else ["imap.keyword_not_kept"])
