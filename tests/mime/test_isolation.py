"""Large mails are read by a child process that may die without harm."""

from __future__ import annotations

import gc
import io
import os
import resource
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailbot.domain.errors import MailTooLarge, UnreadableMail
from mailbot.domain.mail import InboundMail
from mailbot.isolation.frames import BrokenFrame, write_frame
from mailbot.mime.frames import read_answer, write_mail
from mailbot.mime.isolation import IsolatedReader, release_memory
from mailbot.mime.parse import parse_mail
from tests.mime.test_parse import PDF, SAMPLE, mail, multipart, part, text_part

CHILD_MODULE = "mailbot.mime.child"


@pytest.fixture
def reader() -> Iterator[IsolatedReader]:
    """A reader whose child takes every mail of more than 2 kB, as long as it likes."""
    made = IsolatedReader(max_in_process_bytes=2_000, time_limit_seconds=600)
    yield made
    made.close()


def _large(content: bytes = PDF) -> bytes:
    return multipart(text_part("Olá"), part(content, "application/pdf; name=boleto.pdf"))


def _children() -> list[int]:
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_bytes()
            parent = (folder / "stat").read_text().rpartition(")")[2].split()[1]
        except OSError:
            continue
        if CHILD_MODULE.encode() in command and int(parent) == os.getpid():
            found.append(int(folder.name))
    return found


def _resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def test_a_small_mail_needs_no_child(reader: IsolatedReader) -> None:
    assert reader.read(mail()) == parse_mail(mail())
    assert _children() == []


def test_a_large_mail_is_read_in_the_child_as_it_would_be_here(reader: IsolatedReader) -> None:
    for raw in (_large(), SAMPLE + b" " * 2_000, _large(b"%PDF-" + bytes(100_000))):
        assert reader.read(raw) == parse_mail(raw)


def test_the_child_is_kept(reader: IsolatedReader) -> None:
    reader.read(_large())
    first = _children()
    reader.read(_large())
    assert _children() == first
    assert len(first) == 1


def test_a_mail_of_many_parts_goes_to_the_child() -> None:
    reader = IsolatedReader(max_in_process_parts=10)
    reader.read(multipart(*[text_part("x")] * 20))
    assert len(_children()) == 1
    reader.close()
    assert _children() == []


def test_dashes_that_begin_no_line_make_no_parts() -> None:
    reader = IsolatedReader(max_in_process_parts=10)
    reader.read(mail(body="a -- b ----- c\n" * 100))
    assert _children() == []


@pytest.mark.parametrize(("boundary_lines", "is_read_here"), [(10, True), (11, False)])
@pytest.mark.parametrize("line_end", ["\n", "\r"])
def test_only_as_many_boundary_lines_as_allowed_are_read_here(
    boundary_lines: int, is_read_here: bool, line_end: str
) -> None:
    with closing(IsolatedReader(max_in_process_parts=10)) as reader:
        reader.read(b"From: ana@example.com.br\n\nx -- y" + f"{line_end}--".encode() * boundary_lines)
        assert (_children() == []) == is_read_here


def test_lines_of_base64_are_not_read_and_send_no_mail_to_the_child() -> None:
    raw = multipart(*[part(bytes(12_000), "application/pdf")] * 50).replace(b"\n", b"\r\n")
    with closing(IsolatedReader()) as reader:
        assert len(reader.read(raw).attachments) == 50
        assert _children() == []


def test_lines_of_anything_else_send_a_mail_of_many_parts_to_the_child() -> None:
    raw = multipart(*[part(b"Um dia\n" * 1_000, "text/plain", encoding="8bit")] * 50).replace(b"\n", b"\r\n")
    with closing(IsolatedReader()) as reader:
        reader.read(raw)
        assert len(_children()) == 1


def test_a_killed_child_costs_one_mail(reader: IsolatedReader) -> None:
    reader.read(_large())
    (child,) = _children()
    os.kill(child, signal.SIGSTOP)
    os.waitid(os.P_PID, child, os.WSTOPPED | os.WNOWAIT)
    killer = threading.Thread(target=_kill_once_it_is_asked, args=(child,))
    killer.start()
    with pytest.raises(UnreadableMail):
        reader.read(_large())
    killer.join()
    assert reader.read(_large()).attachments[0].content == PDF


def _kill_once_it_is_asked(child: int) -> None:
    with Path(f"/proc/{child}/fd/0").open("rb") as question:
        select.select([question], [], [], 60)
        os.kill(child, signal.SIGKILL)


def test_a_child_that_died_between_two_mails_costs_none(reader: IsolatedReader) -> None:
    reader.read(_large())
    (child,) = _children()
    os.kill(child, signal.SIGKILL)
    os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
    assert reader.read(_large()).attachments[0].content == PDF


def test_a_child_that_takes_too_long_is_ended() -> None:
    reader = IsolatedReader(max_in_process_bytes=2_000, time_limit_seconds=0.5)
    started = time.monotonic()
    # Every line is held against every open boundary.
    levels = b"".join(b'Content-Type: multipart/mixed; boundary="l%d"\n\n--l%d\n' % (n, n) for n in range(45))
    with pytest.raises(UnreadableMail, match="too long"):
        reader.read(levels + b"\n" + b"x-\n" * 3_000_000)
    assert time.monotonic() - started < 60
    assert _children() == []
    reader.close()


def test_a_mail_that_needs_too_much_memory_is_too_large_and_not_unreadable() -> None:
    reader = IsolatedReader(max_in_process_bytes=2_000, memory_limit_bytes=150 << 20, time_limit_seconds=600)
    with pytest.raises(MailTooLarge):
        reader.read(mail("Content-Transfer-Encoding: 8bit", ("ç" * 30 + "\n").encode() * 1_500_000))
    assert reader.read(_large()).attachments[0].content == PDF
    reader.close()


def test_fifty_megabytes_pass_and_the_memory_comes_back() -> None:
    reader = IsolatedReader(time_limit_seconds=600)
    raw = _large(b"%PDF-" + os.urandom(1 << 20) * 36)
    assert len(raw) > 50_000_000
    gc.collect()
    release_memory()
    before = _resident_bytes()
    read = reader.read(raw)
    assert read.attachments[0].size_bytes == (36 << 20) + 5
    assert _children() == []
    del read
    gc.collect()
    assert _resident_bytes() - before < 20_000_000
    reader.close()


_FREES_IN_A_THREAD = """
import os, threading
from mailbot.mime.isolation import keep_large_memory_apart
from tests.mime.test_isolation import _resident_bytes
if {kept_apart}:
    keep_large_memory_apart()
taken, done = threading.Event(), threading.Event()
def take_and_free():
    parts = [b""] * 100
    parts[0] = os.urandom(30_000_000)
    for number in range(100):
        parts[number] = os.urandom(500_000)
    parts.clear()
    taken.set()
    done.wait()
before = _resident_bytes()
threading.Thread(target=take_and_free).start()
taken.wait()
print(_resident_bytes() - before)
done.set()
"""


def test_what_a_large_mail_took_in_a_thread_goes_back_to_the_system() -> None:
    grown = []
    for kept_apart in (True, False):
        program = _FREES_IN_A_THREAD.format(kept_apart=kept_apart)
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
        grown.append(int(done.stdout))
    assert grown[0] < 10_000_000
    assert grown[0] < grown[1]


def test_several_threads_share_one_child(reader: IsolatedReader) -> None:
    raws = [_large(b"%PDF-" + bytes([number]) * 5_000) for number in range(12)]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(reader.read, raws))
    assert [one.attachments[0].content[5] for one in found] == list(range(12))
    assert len(_children()) == 1


def test_the_child_sees_no_secret_and_no_descriptor_of_ours(
    reader: IsolatedReader, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("MAILBOT_SECRET_KEY", "segredo")
    with (tmp_path / "x").open("w") as ours:
        os.set_inheritable(ours.fileno(), True)
        reader.read(_large())
        (child,) = _children()
        links = [str(one.readlink()) for one in Path(f"/proc/{child}/fd").iterdir()]
    assert b"segredo" not in Path(f"/proc/{child}/environ").read_bytes()
    assert not any(link.endswith("/x") for link in links)
    assert Path(f"/proc/{child}/cwd").resolve() == Path("/")
    limits = Path(f"/proc/{child}/limits").read_text()
    assert f"Max address space         {1 << 30}" in limits


def test_the_child_ends_with_its_input() -> None:
    command = [sys.executable, "-m", CHILD_MODULE, str(1 << 30), "30"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.communicate(timeout=60)[0] == b""
        assert child.returncode == 0


def test_the_child_imports_only_what_reading_needs() -> None:
    code = f"import sys, {CHILD_MODULE}; print(*(name for name in sys.modules if name.startswith('mailbot.')))"
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert {name.split(".")[1] for name in output.split()} == {"mime", "isolation", "domain"}


# --- frames ----------------------------------------------------------------------------------------------


def _sent(read: InboundMail) -> bytes:
    stream = io.BytesIO()
    write_mail(stream, read)
    return stream.getvalue()


def test_a_mail_comes_through_unchanged() -> None:
    for raw in (mail(), SAMPLE, b"", _large()):
        read = parse_mail(raw)
        assert read_answer(io.BytesIO(_sent(read)), 1 << 30) == read


@given(st.integers(0, 400), st.binary(min_size=1, max_size=8))
def test_a_crooked_answer_is_a_broken_frame_or_a_mail(position: int, put: bytes) -> None:
    sent = _sent(parse_mail(SAMPLE))
    crooked = sent[:position] + put + sent[position + len(put) :]
    try:
        answer = read_answer(io.BytesIO(crooked), 1 << 20)
    except BrokenFrame:
        return
    assert isinstance(answer, InboundMail | tuple)


@pytest.mark.parametrize(
    "answer",
    [b"", b"{}", b"[]", b"null", b'{"outcome":"read"}', b'{"outcome":"read","mail":{}}', b"[" * 100_000, b"\xff"],
)
def test_no_answer_of_a_stranger_breaks_us(answer: bytes) -> None:
    stream = io.BytesIO()
    write_frame(stream, answer)
    stream.seek(0)
    with pytest.raises(BrokenFrame):
        read_answer(stream, 1 << 20)


def test_an_answer_cannot_fill_our_memory() -> None:
    sent = _sent(parse_mail(multipart(*[part(PDF, "application/pdf")] * 3)))
    assert isinstance(read_answer(io.BytesIO(sent), len(PDF) * 3), InboundMail)
    with pytest.raises(BrokenFrame):
        read_answer(io.BytesIO(sent), len(PDF) * 2)
