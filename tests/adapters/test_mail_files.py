"""Mails out of .eml, mbox, Maildir and folders: every byte of a mail, and no mail too many."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailbot.adapters.mail_files import mail_files, mails_in

LARGE = 1_000_000
HEADER = b"From: a@example.com.br\nSubject: x\n"
SEPARATOR = b"From a@example.com.br Mon Nov 23 11:59:00 2026\n"


def mails(path: Path, max_bytes: int = LARGE) -> list[bytes]:
    return [mail.raw for mail in mails_in(path, max_bytes)]


def written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def test_an_eml_is_one_mail_byte_for_byte(tmp_path: Path) -> None:
    content = HEADER + b"\r\nFrom here on\n\nFrom there \x00\xff\r\n\r\n"
    (mail,) = mails_in(written(tmp_path / "a.eml", content), LARGE)
    assert (mail.raw, mail.oversize_bytes, mail.read_bytes) == (content, None, len(content))


def test_an_mbox_is_cut_at_its_separators(tmp_path: Path) -> None:
    box = SEPARATOR + HEADER + b"\none\n\n" + SEPARATOR + HEADER + b"\ntwo\n\n"
    found = list(mails_in(written(tmp_path / "box", box), LARGE))
    assert [mail.raw for mail in found] == [HEADER + b"\none\n", HEADER + b"\ntwo\n"]
    assert found[0].received_at == datetime(2026, 11, 23, 11, 59, tzinfo=UTC)
    assert sum(mail.read_bytes for mail in found) == len(box)


@pytest.mark.parametrize(
    "separator",
    [
        b"From - Mon Nov 23 11:59:00 2026\n",
        b"From a@example.com.br Mon Nov  3 11:59 2026\n",
        b"From MAILER-DAEMON Mon Nov 23 11:59:00 BRT 2026\r\n",
        b"From a b@example.com.br Mon Nov 23 11:59:00 +0000 2026\n",
    ],
)
def test_separators_of_many_programs_are_known(tmp_path: Path, separator: bytes) -> None:
    box = separator + HEADER + b"\none\n\n" + separator + HEADER + b"\ntwo\n"
    assert len(mails(written(tmp_path / "box", box))) == 2


def test_prose_that_begins_with_from_is_no_separator(tmp_path: Path) -> None:
    body = b"\nFrom Rio Verde to Jatai\n\nFrom 10:30 on, call me\ntext\n" + SEPARATOR + b"still the same mail\n"
    (mail,) = mails(written(tmp_path / "box", SEPARATOR + HEADER + body))
    assert mail == HEADER + body


def test_quoted_lines_are_as_they_were(tmp_path: Path) -> None:
    box = SEPARATOR + HEADER + b"\n>From me\n>>From you\n> From nobody\nx >From here\n"
    (mail,) = mails(written(tmp_path / "box", box))
    assert mail == HEADER + b"\nFrom me\n>From you\n> From nobody\nx >From here\n"


def test_what_is_larger_than_allowed_keeps_its_header_and_size(tmp_path: Path) -> None:
    large = HEADER + b"\n" + b"x" * 70_000 + b"\n" + b"y" * 70_000 + b"\n"
    box = SEPARATOR + large + b"\n" + SEPARATOR + HEADER + b"\nsmall\n"
    first, second = mails_in(written(tmp_path / "box", box), 100_000)
    assert (first.raw, first.oversize_bytes) == (HEADER + b"\n", len(large) + 1)
    assert (second.raw, second.oversize_bytes) == (HEADER + b"\nsmall\n", None)
    (alone,) = mails_in(written(tmp_path / "a.eml", large), 100_000)
    assert (alone.raw, alone.oversize_bytes) == (HEADER + b"\n", len(large))


def test_a_folder_gives_its_mails_in_the_order_of_their_names(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    for name in ("2.eml", "10.EML", "b/1.eml", ".hidden.eml", "notes.txt", "cases.jsonl"):
        written(tmp_path / name, HEADER)
    written(tmp_path / "Inbox", SEPARATOR + HEADER)
    (tmp_path / "loop").symlink_to(tmp_path)
    found = [str(file.relative_to(tmp_path)) for file in mail_files(tmp_path)]
    assert found == ["10.EML", "2.eml", "Inbox", "b/1.eml"]


def test_a_maildir_gives_new_and_read_mails_but_no_trash(tmp_path: Path) -> None:
    for part in ("new", "cur", "tmp"):
        (tmp_path / part).mkdir()
    for name in ("cur/1.a:2,S", "cur/3.c:2,ST", "new/2.b", "tmp/4.d", "new/.x"):
        written(tmp_path / name, HEADER)
    assert [file.name for file in mail_files(tmp_path)] == ["1.a:2,S", "2.b"]


def test_what_is_no_mail_says_so(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="is empty"):
        mails(written(tmp_path / "a.eml", b""))
    with pytest.raises(ValueError, match="is no file"):
        mails(tmp_path)
    with pytest.raises(ValueError, match="is no file"):
        mails(tmp_path / "missing")


@given(
    bodies=st.lists(
        st.lists(st.sampled_from([b"", b"From x", b">From x", b">>From ", b"text", b"\xff\x00"])), min_size=1
    )
)
def test_what_was_written_as_an_mbox_comes_out_again(
    bodies: list[list[bytes]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """RFC 4155 with the quoting of *mboxrd*."""
    originals = [HEADER + b"\n" + b"".join(line + b"\n" for line in body) for body in bodies]
    box = b""
    for original in originals:
        lines = original.split(b"\n")
        quoted = [b">" + line if line.lstrip(b">").startswith(b"From ") else line for line in lines]
        box += SEPARATOR + b"\n".join(quoted) + b"\n"
    path = tmp_path_factory.mktemp("box") / "box"
    assert mails(written(path, box)) == originals
