"""The Maildir source on real folders."""

from __future__ import annotations

import os
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mailbot.adapters.maildir import MaildirSource
from mailbot.domain.errors import ServerAway
from mailbot.domain.mailbox import Settle
from mailbot.flows.ports import MailSource

_RAW = b"Subject: oi\nFrom: ana@example.com.br\n\nbom dia\n"
_LONG_AGO = datetime(2020, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def maildir(tmp_path: Path) -> Path:
    path = tmp_path / "Maildir"
    for name in ("tmp", "new", "cur"):
        (path / name).mkdir(parents=True)
    return path


def source_of(path: Path, settle: Settle = Settle.MOVE, processed_folder: str = "Processados") -> MaildirSource:
    return MaildirSource(
        mailbox="default", path=path, settle=settle, processed_folder=processed_folder, scan_seconds=0.01
    )


def deliver(path: Path, name: str, raw: bytes = _RAW, *, minute: int = 0) -> Path:
    """Put a mail there as if it had come at that minute."""
    file = path / name
    file.write_bytes(raw)
    came = _LONG_AGO.timestamp() + 60 * minute
    os.utime(file, (came, came))
    # The folder looks untouched for a while, so that nothing counts as a change of this very moment.
    os.utime(file.parent, (came, came))
    return file


def snapshot(path: Path) -> dict[str, int]:
    return {str(file.relative_to(path)): file.stat().st_mtime_ns for file in path.rglob("*")}


def test_it_is_a_mail_source(maildir: Path) -> None:
    source: MailSource = source_of(maildir)
    assert source.open().uid_validity == 0


def test_it_lists_new_and_cur_oldest_first(maildir: Path) -> None:
    deliver(maildir, "new/2.b", minute=3)
    deliver(maildir, "cur/1.a:2,S", minute=5)
    deliver(maildir, "new/3.c", b"x" * 9, minute=1)
    source = source_of(maildir)
    state = source.open()
    assert (state.uid_validity, state.uid_next) == (0, 1)
    assert state.newest_received_at == datetime(2020, 3, 1, 12, 5, tzinfo=UTC)
    mails = source.list_mails(1_000)
    assert [mail.uid for mail in mails] == ["3.c", "2.b", "1.a"]
    assert mails[0].size_bytes == 9
    assert mails[0].received_at == datetime(2020, 3, 1, 12, 1, tzinfo=UTC)


def test_an_empty_maildir_has_no_newest_mail(maildir: Path) -> None:
    assert source_of(maildir).open().newest_received_at is None


def test_it_leaves_out_what_is_no_mail_or_thrown_away(maildir: Path) -> None:
    deliver(maildir, "cur/1.a:2,ST")
    deliver(maildir, "new/.hidden")
    (maildir / "new/folder").mkdir()
    (maildir / "new/link").symlink_to("/etc/hostname")
    deliver(maildir, "cur/2.T:1,T")
    assert [mail.uid for mail in source_of(maildir).list_mails(1)] == ["2.T"]


def test_it_fetches_the_bytes_as_they_are(maildir: Path) -> None:
    raw = b"Subject: \xe7\r\n\nb\r\x00\n"
    deliver(maildir, "new/1.a", raw)
    (mail,) = source_of(maildir).fetch(["gone", "1.a"])
    assert (mail.raw, mail.uid, mail.uid_validity, mail.folder) == (raw, "1.a", 0, "INBOX")
    assert mail.oversize_bytes is None
    assert mail.received_at == _LONG_AGO


@pytest.mark.parametrize("end", [b"\n\n", b"\r\n\r\n"])
def test_it_fetches_the_header_alone(maildir: Path, end: bytes) -> None:
    deliver(maildir, "new/1.a", b"Subject: oi" + end + b"body" * 500_000)
    (mail,) = source_of(maildir).fetch(["1.a"], header_only=True)
    assert mail.raw == b"Subject: oi" + end
    assert mail.oversize_bytes == 11 + len(end) + 2_000_000


def test_it_finds_a_mail_that_was_renamed_since_the_listing(maildir: Path) -> None:
    file = deliver(maildir, "new/1.a")
    source = source_of(maildir)
    source.list_mails(1)
    file.rename(maildir / "cur/1.a:2,FS")
    assert [mail.uid for mail in source.fetch(["1.a"])] == ["1.a"]


def test_it_finds_a_mail_that_is_renamed_while_it_looks(maildir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = deliver(maildir, "new/1.a")
    source = source_of(maildir)
    found = source._places

    def rename_behind_its_back(wanted: set[str]) -> dict[str, Path]:
        places = found(wanted)
        if file.exists():
            file.rename(maildir / "cur/1.a:2,S")
        return places

    monkeypatch.setattr(source, "_places", rename_behind_its_back)
    assert [mail.raw for mail in source.fetch(["1.a"])] == [_RAW]


def test_it_moves_settled_mails_into_a_folder_it_makes(maildir: Path) -> None:
    deliver(maildir, "new/1.a")
    deliver(maildir, "cur/2.b:2,FS")
    source = source_of(maildir)
    source.settle(["1.a", "2.b", "gone"])
    processed = maildir / ".Processados"
    assert sorted(file.name for file in (processed / "cur").iterdir()) == ["1.a:2,", "2.b:2,FS"]
    assert (processed / "maildirfolder").is_file()
    assert (processed / "new").is_dir()
    assert (processed / "tmp").is_dir()
    assert processed.stat().st_mode & 0o777 == 0o700
    assert source.list_mails(1) == []
    source.settle(["1.a", "2.b"])


def test_it_finishes_a_folder_that_a_crash_left_half_made(maildir: Path) -> None:
    (maildir / ".Processados" / "cur").mkdir(parents=True)
    deliver(maildir, "new/1.a")
    source_of(maildir).settle(["1.a"])
    assert (maildir / ".Processados/new").is_dir()
    assert (maildir / ".Processados/maildirfolder").is_file()


def test_a_copy_dragged_back_destroys_nothing(maildir: Path) -> None:
    source = source_of(maildir)
    for raw in (b"first", b"second", b"third"):
        deliver(maildir, "new/1.a", raw)
        source.settle(["1.a"])
    kept = sorted((maildir / ".Processados/cur").iterdir())
    assert [file.read_bytes() for file in kept] == [b"second", b"third", b"first"]


@pytest.mark.parametrize("settle", [Settle.NONE, Settle.KEYWORD])
def test_it_never_writes_when_nothing_is_to_be_moved(maildir: Path, settle: Settle) -> None:
    deliver(maildir, "new/1.a")
    before = snapshot(maildir)
    source = source_of(maildir, settle)
    source.open()
    source.list_mails(1)
    source.fetch(["1.a"])
    source.settle(["1.a"])
    source.wait(0)
    source.close()
    assert snapshot(maildir) == before


@pytest.mark.parametrize(
    ("name", "folder"),
    [("Feitos/2026", ".Feitos.2026"), ("Ação & cia", ".A&AOcA4w-o &- cia"), ("../x", "....x"), ("/a/", ".a")],
)
def test_it_names_the_folder_as_delivery_agents_do(maildir: Path, name: str, folder: str) -> None:
    deliver(maildir, "new/1.a")
    source_of(maildir, processed_folder=name).settle(["1.a"])
    assert (maildir / folder / "cur/1.a:2,").is_file()


@pytest.mark.parametrize("name", ["", "/", ".", "..", "a\0b"])
def test_it_refuses_a_folder_without_a_name(maildir: Path, name: str) -> None:
    with pytest.raises(ValueError, match="needs a name"):
        source_of(maildir, processed_folder=name)


def test_it_rings_when_a_mail_comes(maildir: Path) -> None:
    deliver(maildir, "new/1.a")
    source = source_of(maildir)
    source.list_mails(1)
    assert source.wait(0.05) is False
    coming = threading.Timer(0.05, lambda: (maildir / "new/2.b").write_bytes(_RAW))
    coming.start()
    assert source.wait(60) is True
    coming.join()


def test_it_rings_for_a_mail_that_came_in_the_same_tick_as_the_listing(
    maildir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.time_ns()
    monkeypatch.setattr(time, "time_ns", lambda: now + 5_000_000)
    os.utime(maildir / "new", ns=(now, now))
    source = source_of(maildir)
    source.list_mails(1)
    (maildir / "new/2.b").write_bytes(_RAW)
    os.utime(maildir / "new", ns=(now, now))
    assert source.wait(0.1) is True


def test_an_interrupt_ends_the_wait_and_is_used_up_by_it(maildir: Path) -> None:
    deliver(maildir, "new/1.a")
    source = MaildirSource(mailbox="default", path=maildir, settle=Settle.NONE)
    source.list_mails(1)
    threading.Timer(0.05, source.interrupt).start()
    started = time.monotonic()
    assert source.wait(600) is False
    source.interrupt()
    assert source.wait(600) is False
    assert time.monotonic() - started < 120
    started = time.monotonic()
    assert source.wait(0.1) is False
    assert time.monotonic() - started >= 0.1


def test_a_missing_maildir_is_a_server_that_is_away(tmp_path: Path) -> None:
    source = source_of(tmp_path / "ana@example.com.br" / "Maildir")
    calls = (
        source.open,
        lambda: source.list_mails(1),
        lambda: source.fetch(["1"]),
        lambda: source.settle(["1"]),
    )
    for call in calls:
        with pytest.raises(ServerAway, match=r"^Maildir Maildir: No such file or directory$"):
            call()
    source.close()
