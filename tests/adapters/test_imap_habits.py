"""What providers do to an IMAP client: they throttle, keep no keywords, guess sizes, and know labels for folders.

The words are theirs: imapsync#198, MailKit#1494, imap_tools#135 and email-oauth2-proxy#191 (Exchange Online),
getmail and chatwoot#6082 (Gmail), Dovecot's log-in.
"""

from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from mailbot.adapters.imap_answers import LONGEST_PATIENCE_SECONDS, patience_asked_for
from mailbot.domain.errors import CredentialsRefused, ServerAway, ServerThrottles
from mailbot.domain.mailbox import Settle
from tests.adapters.imap_folder import Opened, refuse, say, say_and_hang_up, source_of
from tests.adapters.scripted_imap import Answer, Folder, ScriptedImap, Session

_MAILS = [f"Subject: pedido {number}\r\n\r\nbom dia\r\n".encode() for number in (1, 2, 3)]


# --- throttling --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("Request is throttled. Suggested Backoff Time: 299961 milliseconds", 299.961),
        (
            "SELECT command error: BAD [b'Request is throttled. Suggested Backoff Time: 89117 milliseconds']",
            89.117,
        ),
        ("Request is throttled.", 300),
        ("Suggested Backoff Time: 999999999999 milliseconds", LONGEST_PATIENCE_SECONDS),
        ("[OVERQUOTA] Account exceeded command or bandwidth limits. a1b2 (Failure)", 900),
        ("[ALERT] Account exceeded command or bandwidth limits", 900),
        ("[ALERT] Too many simultaneous connections. (Failure)", 60),
        ("[LIMIT] Maximum number of connections from user+IP exceeded (mail_max_userip_connections=10)", 60),
        ("User is authenticated but not connected.", 60),
        # Not about our pace: the folder that should take the mail is full, a keyword too many, a success.
        ("[OVERQUOTA] Quota exceeded (mailbox for user is full)", None),
        ("[LIMIT] too many keywords", None),
        ("[AUTHENTICATIONFAILED] Authentication failed.", None),
        ("done", None),
    ],
)
def test_it_understands_for_how_long_a_server_wants_peace(text: str, seconds: float | None) -> None:
    assert patience_asked_for(text) == seconds


_BACK_OFF = "Request is throttled. Suggested Backoff Time: 92415 milliseconds"


@pytest.mark.parametrize(
    "command", ["LOGIN", "SELECT", "NOOP", "UID SEARCH", "UID FETCH", "UID MOVE", "NAMESPACE"]
)
@pytest.mark.parametrize(
    "answer",
    [
        refuse(_BACK_OFF),
        say(f"TAG BAD {_BACK_OFF}"),
        say_and_hang_up(f"TAG BAD {_BACK_OFF}\r\n* BYE Connection closed. 14\r\n"),
        say_and_hang_up(f"* BYE {_BACK_OFF}\r\n"),
    ],
)
def test_a_throttling_answer_to_whatever_command_is_obeyed_at_once(command: str, answer: Answer) -> None:
    with ScriptedImap(_MAILS) as server:
        server.answers[command] = answer
        source = source_of(server)
        with pytest.raises(ServerThrottles) as caught:
            source.open()
            source.settle([mail.uid for mail in source.fetch([entry.uid for entry in source.list_mails(1)])])
        assert caught.value.retry_after_seconds == 92.415
        # No command follows, not one for each mail, and no folder is made.
        assert server.log[-1].startswith(command)
        assert "Backoff Time" in str(caught.value)


def test_a_greeting_that_turns_us_away_is_obeyed() -> None:
    with ScriptedImap() as server:
        server.greeting = b"* BYE [ALERT] Too many simultaneous connections. (Failure)\r\n"
        with pytest.raises(ServerThrottles) as caught:
            source_of(server).open()
    assert caught.value.retry_after_seconds == 60


def test_too_many_connections_at_gmail_are_no_wrong_password() -> None:
    with ScriptedImap() as server:
        server.answers["LOGIN"] = refuse("[ALERT] Too many simultaneous connections. (Failure)")
        with pytest.raises(ServerThrottles) as caught:
            source_of(server).open()
    assert not isinstance(caught.value, CredentialsRefused)


@pytest.mark.parametrize(
    "answer",
    [
        say(f"TAG NO {_BACK_OFF}"),
        say("+ idling", f"* BYE {_BACK_OFF}"),
        say("+ idling", f"TAG BAD {_BACK_OFF}"),
    ],
)
def test_a_throttling_answer_to_idle_is_obeyed(answer: Answer) -> None:
    with ScriptedImap() as server, Opened(server) as source:
        server.answers["IDLE"] = answer
        with pytest.raises(ServerThrottles):
            source.wait(5)


def test_an_idle_that_a_server_ends_after_its_time_is_only_begun_anew() -> None:
    """Gmail says so after about a day, Exchange Online when the token of the log-in has expired."""
    with ScriptedImap() as server:
        source = source_of(server)
        for farewell in ("Session expired, please login again.", "Session invalidated - AccessTokenExpired"):
            source.open()
            server.answers["IDLE"] = say("+ idling", f"* BYE {farewell}")
            with pytest.raises(ServerAway) as caught:
                source.wait(5)
            assert not isinstance(caught.value, ServerThrottles)
        source.open()
        source.close()
        assert len(server.commands("LOGIN")) == 3


def test_what_a_mail_says_of_throttling_throttles_nothing() -> None:
    mail = f"Subject: x\r\n\r\nTAG BAD {_BACK_OFF}\r\n* BYE {_BACK_OFF}\r\n".encode()
    with ScriptedImap([mail]) as server, Opened(server) as source:
        assert source.fetch(["1"])[0].raw == mail
        source.settle(["1"])
        assert source.list_mails(1) == []


# --- Exchange ----------------------------------------------------------------------------------------------------

_EXCHANGE_FLAGS = r"(\Seen \Answered \Flagged \Deleted \Draft $MDNSent)"


def like_exchange(server: ScriptedImap) -> None:
    """No keyword but one, an error for whoever asks for another, and a set with a mail that is gone is invalid."""
    server.permanent_flags = _EXCHANGE_FLAGS
    server.capabilities = "IMAP4 IMAP4rev1 AUTH=PLAIN SASL-IR UIDPLUS MOVE ID UNSELECT CHILDREN IDLE NAMESPACE"

    def search(session: Session, tag: str, arguments: str) -> None:
        if "KEYWORD" in arguments:
            session.send(f"{tag} BAD Command Argument Error. 11\r\n")
        else:
            server._uid_search(session, tag, arguments)

    def store(session: Session, tag: str, arguments: str) -> None:
        session.send(f"{tag} BAD Command Argument Error. 11\r\n")

    def move(session: Session, tag: str, arguments: str) -> None:
        uid_set = arguments.partition(" ")[0]
        if set(map(int, uid_set.split(","))) - set(session.folder.mails):
            session.no(tag, "The specified message set is invalid.")
        else:
            server._uid_move(session, tag, arguments)

    server.answers |= {"UID SEARCH": search, "UID STORE": store, "UID MOVE": move}


def test_where_exchange_keeps_no_keyword_it_goes_by_its_own_records() -> None:
    with ScriptedImap(_MAILS) as server:
        like_exchange(server)
        source = source_of(server, Settle.KEYWORD)
        with capture_logs() as logs:
            assert source.open().keeps_keywords is False
            assert [entry.uid for entry in source.list_mails(1)] == ["1", "2", "3"]
            source.settle(["1", "2"])
            source.settle(["3"])
            assert [entry.uid for entry in source.list_mails(2)] == ["2", "3"]
        source.close()
        assert [line["action"] for line in logs] == ["imap.keyword_not_kept"]
        assert server.commands("UID STORE") == []


def test_a_server_that_keeps_keywords_says_so() -> None:
    with ScriptedImap(_MAILS) as server, Opened(server, Settle.KEYWORD) as source:
        assert source.open().keeps_keywords is True


def test_mails_that_stay_in_the_folder_are_looked_at_once() -> None:
    """A year of mail in the inbox must not be asked about at every ring: Gmail and Exchange count commands."""
    with ScriptedImap(_MAILS) as server, Opened(server, Settle.NONE) as source:
        first = source.list_mails(1)
        server.inbox.add(b"Subject: x\r\n\r\n")
        asked = len(server.commands("UID FETCH"))
        assert source.list_mails(1)[:3] == first
        assert server.commands("UID FETCH")[asked:] == ["UID FETCH 4 (INTERNALDATE RFC822.SIZE)"]
        assert len(source.list_mails(1)) == 4
        assert len(server.commands("UID FETCH")) == asked + 1
        del server.inbox.mails[2]
        assert [entry.uid for entry in source.list_mails(1)] == ["1", "3", "4"]
        server.inbox.uid_validity += 1
        server.inbox.mails = {1: server.inbox.mails[4]}
        source.open()
        assert [entry.size_bytes for entry in source.list_mails(1)] == [len(server.inbox.mails[1].raw)]


@pytest.mark.parametrize("announced", [0, 7, 10_000_000])
def test_a_size_that_is_a_guess_cuts_and_stretches_nothing(announced: int) -> None:
    """Exchange may announce what a mail takes in its store instead of its size (MS-STANOIMAP 2.2.25)."""
    with ScriptedImap(_MAILS) as server, Opened(server) as source:
        server.inbox.mails[2].size = announced
        assert source.list_mails(1)[1].size_bytes == announced
        assert [mail.raw for mail in source.fetch(["1", "2", "3"])] == _MAILS


def test_a_mail_that_is_gone_does_not_keep_exchange_from_moving_the_others() -> None:
    with ScriptedImap(_MAILS) as server, Opened(server) as source:
        like_exchange(server)
        del server.inbox.mails[2]
        source.settle(["1", "2", "3"])
        assert server.inbox.mails == {}
        assert [one.raw for one in server.folders["Processados"].mails.values()] == [_MAILS[0], _MAILS[2]]
        source.settle(["1", "2", "3"])
        assert len(server.folders["Processados"].mails) == 2


# --- Gmail -------------------------------------------------------------------------------------------------------


ALL_MAIL = "[Gmail]/Todos os e-mails"


def like_gmail(server: ScriptedImap) -> None:
    """Labels for folders: a mail is in All Mail for ever, and who loses a label stays there."""
    server.capabilities = "IMAP4rev1 UNSELECT IDLE NAMESPACE QUOTA ID XLIST CHILDREN X-GM-EXT-1 UIDPLUS MOVE"
    everything = server.folders[ALL_MAIL] = Folder()
    for mail in server.inbox.mails.values():
        everything.add(mail.raw)

    def label(session: Session, tag: str, arguments: str, *, moves: bool) -> None:
        target = server._target(session, tag, arguments)
        if target is None:
            return
        for uid in session.folder.uids(arguments.partition(" ")[0]):
            raw = session.folder.mails[uid].raw
            # A mail has a label or has it not: never twice.
            if raw not in [mail.raw for mail in target.mails.values()]:
                target.add(raw)
            if moves:
                server._remove(session, uid)
        session.ok(tag, "[COPYUID 1 1 1] (Success)")

    server.answers |= {
        "UID MOVE": lambda session, tag, arguments: label(session, tag, arguments, moves=True),
        "UID COPY": lambda session, tag, arguments: label(session, tag, arguments, moves=False),
    }


def contents(server: ScriptedImap, folder: str) -> list[bytes]:
    return [mail.raw for mail in server.folders[folder].mails.values()]


@pytest.mark.parametrize("target", ["Processados", ALL_MAIL])
@pytest.mark.parametrize("can_move", [True, False])
def test_at_gmail_a_settled_mail_leaves_the_inbox_and_stays_in_all_mail(target: str, can_move: bool) -> None:
    with ScriptedImap(_MAILS) as server:
        like_gmail(server)
        if not can_move:
            server.capabilities = server.capabilities.replace(" MOVE", "")
        with Opened(server, processed_folder=target) as source:
            source.settle(["1", "3"])
            source.settle(["1", "3"])
            assert [entry.uid for entry in source.list_mails(1)] == ["2"]
        assert contents(server, ALL_MAIL) == _MAILS
        assert contents(server, "INBOX") == [_MAILS[1]]
        if target == "Processados":
            assert contents(server, target) == [_MAILS[0], _MAILS[2]]
        # Nothing is ever expunged but in the inbox, where it means "take the label off".
        selected = {line.partition(" ")[2].strip('"') for line in server.commands("SELECT")}
        assert selected == {"INBOX"}
