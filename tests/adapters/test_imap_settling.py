"""`ImapSource` settles mails: moves, keywords, and nothing of anybody else."""

from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from mailbot.domain.errors import ServerAway
from mailbot.domain.mailbox import Settle
from tests.adapters.imap_folder import MAILS, Opened, refuse, say, say_and_hang_up, source_of
from tests.adapters.scripted_imap import ScriptedImap, Session


def test_it_moves_settled_mails_and_makes_the_folder(server: ScriptedImap) -> None:
    with Opened(server) as source:
        source.settle(["1", "3"])
        assert [mail.raw for mail in server.folders["Processados"].mails.values()] == [MAILS[0], MAILS[2]]
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
        assert [mail.raw for mail in server.folders["Processados"].mails.values()] == [MAILS[0], MAILS[2]]
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
