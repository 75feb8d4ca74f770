"""The process that reads documents: what it does between two files."""

from __future__ import annotations

import io
import subprocess
import sys

import pytest

from mailbot.evidence import child
from mailbot.evidence.frames import Asked, Question, write_question


class CLibrary:
    """Counts how often memory is given back."""

    def __init__(self) -> None:
        self.trims = 0

    def malloc_trim(self, pad: int) -> int:
        self.trims += 1
        return pad


@pytest.mark.parametrize(
    ("held_bytes", "trims"),
    [(50_000_000, 0), (300_000_000, 1), (None, 1)],
    ids=["after a small file", "after a large picture", "where the system does not tell"],
)
def test_memory_is_given_back_when_much_is_held(
    monkeypatch: pytest.MonkeyPatch, held_bytes: int | None, trims: int
) -> None:
    library = CLibrary()
    monkeypatch.setattr("ctypes.CDLL", lambda _name: library)
    monkeypatch.setattr(child, "resident_bytes", lambda _process: held_bytes)
    question = io.BytesIO()
    write_question(question, Question(asked=Asked.READING, content=b"Oi", media_type="text/plain"))
    question.seek(0)
    assert child.answer_next(question, io.BytesIO(), 1 << 30)
    assert library.trims == trims


def test_a_process_that_is_only_to_draw_does_not_load_what_reads() -> None:
    loaded = "import sys, mailbot.evidence.child; print('mailbot.evidence.reading' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", loaded], stdout=subprocess.PIPE, text=True, check=True)
    assert done.stdout == "False\n"
