"""The Sent folder on real Dovecot, and on a scripted server where something must go wrong."""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from mailbot.adapters.imap_sent import ImapSentFolder
from mailbot.domain.errors import CopyRefused, FolderMissing, ServerAway
from mailbot.domain.exchange import SentCopy
from mailbot.domain.mailbox import Security, ServerAddress
from mailbot.flows.ports import SentFolder
from tests.adapters.imap_folder import PATIENT, address_of
from tests.adapters.scripted_imap import Folder, ScriptedImap, Session
from tests.peers.dovecot import Dovecot

_NOW = datetime.now(UTC).replace(microsecond=0)
_MAIL = b"From: atendimento@example.com.br\r\nMessage-ID: <webmail.1@example.com.br>\r\n\r\nbom dia\r\n"


def copy_of(number: int = 1, *, sent_at: datetime = _NOW) -> SentCopy:
    handle = f"{'a' * 19}{number}"
    message_id = f"mb.{handle}@example.com.br"
    message = f"From: atendimento@example.com.br\r\nMessage-ID: <{message_id}>\r\n\r\ncarta {number}\r\n"
    return SentCopy(message_id=message_id, sent_at=sent_at, message=message.encode())


def folder_on(dovecot: Dovecot, user: str, folder: str | None = None) -> ImapSentFolder:
    server = ServerAddress(
        security=Security.TLS,
        host="localhost",
        port=dovecot.imaps_port,
        username=user,
        password=dovecot.users[user],
    )
    context = ssl.create_default_context(cafile=dovecot.ca_file)
    return ImapSentFolder(mailbox="default", server=server, folder=folder, ssl_context=context)


def flags_in(dovecot: Dovecot, user: str, folder: str) -> list[str]:
    with dovecot.imap(user) as connection:
        connection.select(f'"{folder}"', readonly=True)
        _, data = connection.fetch("1:*", "(FLAGS INTERNALDATE)")
        return [line.decode() for line in data if isinstance(line, bytes)]


# --- Dovecot -----------------------------------------------------------------------------------------------------


def test_on_dovecot_it_is_found_by_its_attribute_whatever_its_name(dovecot: Dovecot) -> None:
    user = dovecot.new_user()
    dovecot.append(user, _MAIL, "Sent")
    dovecot.append(user, _MAIL, "Enviados")
    found: SentFolder = folder_on(dovecot, user)
    state = found.open()
    assert (found.name, state.uid_next) == ("Sent", 2)
    found.close()
    named = folder_on(dovecot, user, "Enviados")
    named.open()
    assert named.name == "Enviados"
    named.close()


@pytest.mark.parametrize(
    ("wanted", "says"),
    [(None, r"no folder with the attribute \Sent"), ("Itens enviados", "no folder Itens enviados")],
)
def test_on_dovecot_a_folder_that_is_not_there_is_missed_and_likely_ones_are_named(
    dovecot: Dovecot, wanted: str | None, says: str
) -> None:
    user = dovecot.new_user()
    dovecot.append(user, _MAIL, "Mensagens Enviadas")
    dovecot.append(user, _MAIL, "Presentes")
    folder = folder_on(dovecot, user, wanted)
    with pytest.raises(FolderMissing, match=re.escape(says)) as error:
        folder.open()
    assert error.value.lookalikes == ("Mensagens Enviadas",)


def test_on_dovecot_copies_come_in_once_as_read_and_nothing_else_changes(dovecot: Dovecot) -> None:
    user = dovecot.new_user()
    dovecot.append(user, _MAIL, "Sent")
    folder = folder_on(dovecot, user)
    folder.open()
    sent_at = _NOW - timedelta(hours=30)
    assert [folder.save(copy_of(1, sent_at=sent_at)), folder.save(copy_of(2))] == [True, True]
    # The folder rings: somebody should look.
    assert folder.wait(60)
    assert [folder.save(copy_of(1, sent_at=sent_at)), folder.save(copy_of(2))] == [False, False]
    folder.close()
    again = folder_on(dovecot, user)
    again.open()
    assert again.save(copy_of(2)) is False
    assert [entry.uid for entry in again.list_mails(1)] == ["1", "2", "3"]
    assert [mail.raw for mail in again.fetch(["1", "2"])] == [_MAIL, copy_of(1).message]
    again.settle(["1", "2", "3"])
    again.close()
    flags = flags_in(dovecot, user, "Sent")
    assert [r"\Seen" in line for line in flags] == [False, True, True]
    stored = re.search(r'INTERNALDATE "([^"]+)"', flags[1])
    assert stored is not None
    assert datetime.strptime(stored[1].strip(), "%d-%b-%Y %H:%M:%S %z") == sent_at
    assert dovecot.messages(user, "Sent")[0] == _MAIL


def test_on_dovecot_a_copy_that_another_session_puts_there_is_seen(dovecot: Dovecot) -> None:
    """A provider that saves by itself does so while our connection is open."""
    user = dovecot.new_user()
    dovecot.append(user, _MAIL, "Sent")
    folder = folder_on(dovecot, user)
    folder.open()
    dovecot.append(user, copy_of(5).message, "Sent")
    assert folder.save(copy_of(5)) is False
    folder.close()
    assert len(dovecot.messages(user, "Sent")) == 2


# --- a scripted server ------------------------------------------------------------------------------------------


@pytest.fixture
def server() -> Iterator[ScriptedImap]:
    with ScriptedImap([]) as running:
        running.folders["Sent"] = Folder()
        running.answers["LIST"] = _list
        running.answers["UID SEARCH"] = _search
        yield running


def _list(session: Session, tag: str, arguments: str) -> None:
    del arguments
    session.send('* LIST (\\HasNoChildren) "/" "INBOX"\r\n* LIST (\\HasNoChildren \\SENT) "/" "Sent"\r\n')
    session.ok(tag)


def _search(session: Session, tag: str, arguments: str) -> None:
    """By Message-ID, as far as it goes."""
    wanted = re.findall(r'HEADER Message-ID "?([^"\s]+)', arguments)
    found = [uid for uid, mail in session.folder.mails.items() if all(one.encode() in mail.raw for one in wanted)]
    session.send(f"* SEARCH {' '.join(map(str, found))}\r\n")
    session.ok(tag)


class Append:
    """What the server says to APPEND: a refusal, or a silence after it took the mail."""

    def __init__(self, refusal: str = "", *, breaks_off: bool = False) -> None:
        self.refusal = refusal
        self.breaks_off = breaks_off

    def __call__(self, session: Session, tag: str, arguments: str) -> None:
        size = re.search(r"\{(\d+)\}", arguments)
        assert size is not None
        session.send("+ go on\r\n")
        raw = session.file.read(int(size[1]))
        session.file.readline()
        if self.refusal:
            session.no(tag, self.refusal)
            return
        session.server.folders["Sent"].add(raw)
        if self.breaks_off:
            session.hang_up()
            return
        session.ok(tag)


def sent_on(server: ScriptedImap, **changes: Any) -> ImapSentFolder:
    facts: dict[str, Any] = {"mailbox": "default", "server": address_of(server), "folder": None, "timing": PATIENT}
    return ImapSentFolder(**(facts | changes))


def test_a_copy_that_the_server_refuses_leaves_the_connection_as_it_was(server: ScriptedImap) -> None:
    server.answers["APPEND"] = Append("[OVERQUOTA] full, atendimento@example.com.br")
    folder = sent_on(server)
    folder.open()
    for _ in range(2):
        with pytest.raises(CopyRefused, match=r"\[OVERQUOTA\] full") as error:
            folder.save(copy_of())
        assert "@" not in str(error.value)
    server.answers["APPEND"] = Append()
    assert folder.save(copy_of()) is True
    folder.close()
    assert len(server.commands("LOGIN")) == 1


def test_a_copy_whose_answer_was_lost_is_found_and_not_put_there_again(server: ScriptedImap) -> None:
    server.answers["APPEND"] = Append(breaks_off=True)
    folder = sent_on(server)
    folder.open()
    with pytest.raises(ServerAway):
        folder.save(copy_of())
    folder.open()
    assert folder.save(copy_of()) is False
    folder.close()
    assert len(server.folders["Sent"].mails) == 1


def test_threat_19_nothing_but_our_own_message_id_becomes_part_of_a_search(server: ScriptedImap) -> None:
    server.answers["APPEND"] = Append()
    folder = sent_on(server)
    folder.open()
    copy = SentCopy(message_id='x"\r\nA1 DELETE "INBOX', sent_at=_NOW, message=copy_of().message)
    folder.save(copy)
    folder.close()
    assert server.commands("UID SEARCH") == []
    assert not [line for line in server.log if "DELETE" in line]


def test_only_examine_list_search_fetch_and_append_are_ever_said(server: ScriptedImap) -> None:
    server.answers["APPEND"] = Append()
    server.folders["Sent"].add(_MAIL)
    folder = sent_on(server)
    folder.open()
    folder.fetch([entry.uid for entry in folder.list_mails(1)], header_only=True)
    folder.save(copy_of())
    folder.settle(["1", "2"])
    folder.open()
    folder.close()
    words = [line.upper().split() for line in server.log]
    said = {" ".join(one[:2]) if one[0] == "UID" else one[0] for one in words}
    assert said == {
        *("CAPABILITY", "LOGIN", "LIST", "EXAMINE", "NOOP", "LOGOUT", "APPEND"),
        *("FETCH", "UID FETCH", "UID SEARCH"),
    }
    # The folder is looked for once a connection.
    assert len(server.commands("LIST")) == 1
