"""Files named by a keyed digest: whole, once, and never by a sender's words."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from mailbot.adapters.blobs import FileBlobs
from mailbot.domain.errors import StorageUnavailable, UnreadableMail
from mailbot.domain.mail import keyed_digest

KEY = b"k" * 32


def files_under(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_it_gives_back_what_was_stored(tmp_path: Path) -> None:
    blobs = FileBlobs(tmp_path / "files", KEY)
    digests = blobs.put_many([b"one", b"two", b""])
    assert [blobs.get(digest) for digest in digests] == [b"one", b"two", b""]


def test_it_keeps_the_same_bytes_once(tmp_path: Path) -> None:
    blobs = FileBlobs(tmp_path / "files", KEY)
    assert blobs.put_many([b"same", b"same"]) == [blobs.put(b"same")] * 2
    assert len(files_under(tmp_path)) == 1


def test_it_names_files_by_a_keyed_digest_that_only_we_can_read(tmp_path: Path) -> None:
    digest = FileBlobs(tmp_path / "files", KEY).put(b"secret")
    (path,) = files_under(tmp_path)
    assert path.name == digest == keyed_digest(KEY, b"secret")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) & 0o077 == 0


def test_it_writes_a_file_anew_that_a_crash_left_half_written(tmp_path: Path) -> None:
    blobs = FileBlobs(tmp_path / "files", KEY)
    digest = blobs.put(b"the whole mail")
    blobs.path_of(digest).write_bytes(b"the who")
    assert blobs.put(b"the whole mail") == digest
    assert blobs.get(digest) == b"the whole mail"


def test_it_tells_a_damaged_or_lost_file_from_a_disk_that_is_away(tmp_path: Path) -> None:
    blobs = FileBlobs(tmp_path / "files", KEY)
    digest = blobs.put(b"mail")
    blobs.path_of(digest).write_bytes(b"mAil")
    with pytest.raises(UnreadableMail, match="damaged"):
        blobs.get(digest)
    blobs.path_of(digest).unlink()
    with pytest.raises(UnreadableMail, match="gone"):
        blobs.get(digest)
    (tmp_path / "full").write_text("not a folder")
    with pytest.raises(StorageUnavailable):
        FileBlobs(tmp_path / "full", KEY).put(b"mail")


def test_it_leaves_no_temporary_file_behind(tmp_path: Path) -> None:
    blobs = FileBlobs(tmp_path / "files", KEY)
    blobs.put_many([b"a", b"b"])
    assert not [path for path in files_under(tmp_path) if path.name.startswith(".")]


@pytest.mark.parametrize("name", ["../../etc/passwd", "a" * 63, "A" * 64, ""])
def test_it_refuses_names_that_are_no_digests(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="digest"):
        FileBlobs(tmp_path / "files", KEY).get(name)


def _broken(error_number: int) -> Callable[[Path], bytes]:
    def read_bytes(path: Path) -> bytes:
        raise OSError(error_number, os.strerror(error_number), str(path))

    return read_bytes


@pytest.mark.parametrize("error_number", [errno.EACCES, errno.EPERM, errno.EIO])
def test_one_file_that_cannot_be_read_is_not_taken_for_a_disk_that_is_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error_number: int
) -> None:
    blobs = FileBlobs(tmp_path / "files", KEY)
    digest = blobs.put(b"mail")
    monkeypatch.setattr(Path, "read_bytes", _broken(error_number))
    with pytest.raises(UnreadableMail, match="cannot be read"):
        blobs.get(digest)


def test_a_disk_that_is_away_is_not_taken_for_an_unreadable_mail(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blobs = FileBlobs(tmp_path / "files", KEY)
    digest = blobs.put(b"mail")
    monkeypatch.setattr(Path, "read_bytes", _broken(errno.EIO))
    monkeypatch.setattr(os, "scandir", _broken(errno.EIO))
    with pytest.raises(StorageUnavailable):
        blobs.get(digest)


def test_a_folder_in_the_place_of_a_file_makes_that_file_unreadable_only(tmp_path: Path) -> None:
    blobs = FileBlobs(tmp_path / "files", KEY)
    digest = blobs.put(b"mail")
    blobs.path_of(digest).unlink()
    blobs.path_of(digest).mkdir()
    with pytest.raises(UnreadableMail, match="cannot be read"):
        blobs.get(digest)


def test_a_stored_file_that_cannot_be_read_is_stored_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blobs = FileBlobs(tmp_path / "files", KEY)
    digest = blobs.put(b"mail")
    before = blobs.path_of(digest).stat().st_ino
    with monkeypatch.context() as patched:
        patched.setattr(Path, "read_bytes", _broken(errno.EIO))
        assert blobs.put(b"mail") == digest
    assert blobs.path_of(digest).stat().st_ino != before
    assert blobs.get(digest) == b"mail"
