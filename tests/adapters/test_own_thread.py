"""A question that is not answered keeps nobody, and is not asked a second time meanwhile."""

from __future__ import annotations

import threading
import time

import pytest

from mailbot.adapters.own_thread import OwnThread


def test_an_answer_is_passed_on_and_asked_for_anew_each_time() -> None:
    answers = iter([1, 2])
    question = OwnThread(lambda: next(answers), name="test")
    assert [question.ask(60), question.ask(60)] == [1, 2]


def test_an_error_is_passed_on() -> None:
    def fails() -> int:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        OwnThread(fails, name="test").ask(60)


def test_a_question_that_hangs_keeps_nobody_and_hangs_once() -> None:
    go_on, asked = threading.Event(), []

    def hangs() -> str:
        asked.append(threading.current_thread())
        go_on.wait(60)
        return "late"

    question = OwnThread(hangs, name="test")
    began = time.monotonic()
    assert [question.ask(0.05) for _ in range(5)] == [None] * 5
    assert time.monotonic() - began < 30
    assert len(asked) == 1
    go_on.set()
    asked[0].join(60)
    # What it answered meanwhile is old: it is asked again.
    assert question.ask(60) == "late"
    assert len(asked) == 2
