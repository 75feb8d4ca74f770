"""People write at their pace and answer once what is to be answered."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from email.message import EmailMessage
from email.policy import SMTP
from types import SimpleNamespace
from typing import Any

import pytest

from tests.benchmarks.daemon import Recorder
from tests.soak.people import ANA, People, Step

MAILBOX = "central@example.com.br"


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    """A server that takes every mail."""
    with Recorder() as recorder:
        yield recorder


def people_of(recorder: Recorder, *, seed: int = 1) -> People:
    dovecot: Any = None
    postfix: Any = SimpleNamespace(smtp_port=recorder.port)
    return People(MAILBOX, dovecot, postfix, senders=50, seed=seed)


def letter(people: People, to: str, number: int, *, automatic: bool, conversation: int = 0) -> bytes:
    mail = EmailMessage(policy=SMTP)
    mail["From"], mail["To"] = MAILBOX, to
    mail["Subject"] = f"[Chamado #2026-{conversation + 1:06}] Alteração de local"
    mail["Message-ID"], mail["Date"] = f"<mb.{number}@example.com.br>", "Fri, 20 Nov 2026 09:00:00 -0300"
    mail["References"] = f"<{people.conversations[conversation].first_id}>"
    if automatic:
        mail["Auto-Submitted"] = "auto-replied"
    mail.set_content("Recebemos seu pedido.")
    return mail.as_bytes()


def request_of(people: People) -> int:
    """The first conversation that is no question."""
    return next(number for number, one in enumerate(people.conversations) if not one.is_question)


@pytest.fixture
def nothing_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody writes once more, and no mail arrives twice, before the test is over."""
    for name in ("_MORE_AFTER_SECONDS", "_TWICE_AFTER_SECONDS"):
        monkeypatch.setattr(f"tests.soak.people.{name}", 3600.0)


@pytest.mark.usefixtures("nothing_more")
def test_they_write_so_many_mails_over_the_time_and_begin_anew_while_nobody_answers(recorder: Recorder) -> None:
    people = people_of(recorder)
    began = time.monotonic()
    people.write(threading.Event(), mails=20, seconds=1.0)
    assert time.monotonic() - began >= 0.9
    assert people.deliveries == len(people.sent) == len(people.conversations) == 20
    assert len({one.message_id for one in people.sent}) == len({one.author for one in people.sent}) == 20
    assert {one.step for one in people.sent} == {Step.FIRST}


@pytest.mark.usefixtures("nothing_more")
def test_a_conversation_has_each_step_once_however_often_its_letters_come(
    recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.soak.people._ANSWERS_WITHIN_SECONDS", (0.0, 0.0))
    people = people_of(recorder)
    people.write(threading.Event(), mails=10, seconds=0.1)
    number = request_of(people)
    customer = people.conversations[number].sender.addr_spec

    def written_after(*letters: bytes) -> list[Step]:
        """The mails of the conversation among the next five."""
        for one in letters:
            people.gets(one)
        before = len(people.sent)
        people.write(threading.Event(), mails=people.deliveries + 5, seconds=0.1)
        return [one.step for one in people.sent[before:] if one.conversation == number]

    checklist = letter(people, customer, 1, automatic=True, conversation=number)
    assert written_after(checklist, checklist) == [Step.DOCUMENTS]
    notice = letter(people, ANA.addr_spec, 2, automatic=True, conversation=number)
    assert written_after(notice, notice) == [Step.DECISION]
    assert written_after(letter(people, customer, 3, automatic=True, conversation=number)) == []
    assert written_after(letter(people, customer, 4, automatic=False, conversation=number)) == [Step.THANKS]
    assert [sum(one.values()) for one in people.letters[customer].values()] == [2, 1, 1]
    assert people.letters_got() == 4


def test_a_letter_that_came_with_two_contents_is_kept_as_two(recorder: Recorder) -> None:
    people = people_of(recorder)
    people.write(threading.Event(), mails=1, seconds=0.1)
    raw = letter(people, people.conversations[0].sender.addr_spec, 1, automatic=True)
    people.gets(b"Received: from a by b\r\n" + raw)
    people.gets(b"Received: from c by d\r\n" + raw)
    people.gets(raw.replace(b"Recebemos", b"Perdemos"))
    [contents] = people.letters[people.conversations[0].sender.addr_spec].values()
    assert sorted(contents.values()) == [1, 2]
