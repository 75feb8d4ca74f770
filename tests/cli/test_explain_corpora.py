"""`mailbot explain --json` over real mails of other projects, which lie in MAILBOT_CORPORA and not here."""

from __future__ import annotations

import json
import os
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.cli.command import REPOSITORY, run_mailbot
from tests.triage.test_screen_corpus import CONTRADICTED

pytestmark = pytest.mark.corpora

LIMIT_MS = 5000


@cache
def explained(corpus: str) -> tuple[tuple[dict[str, Any], dict[str, Any]], ...]:
    """Each case's expectation with its explanation, in the corpus's order."""
    folder = Path(os.environ["MAILBOT_CORPORA"], corpus)
    cases = [json.loads(line) for line in (folder / "cases.jsonl").read_text(encoding="utf-8").splitlines()]
    files = [str(folder / case["file"]) for case in cases]
    ran = run_mailbot("explain", "--json", *files, cwd=REPOSITORY)
    said = ran.json_lines
    assert [one["file"] for one in said] == files
    return tuple((case["expected"], one) for case, one in zip(cases, said, strict=True))


@pytest.mark.parametrize(("corpus", "at_least"), [("stalwart", 100), ("flufl_bounce", 110), ("sisimai", 380)])
def test_each_file_gives_an_object_in_time(corpus: str, at_least: int) -> None:
    said = [one for _, one in explained(corpus)]
    assert len(said) >= at_least
    slow = [one["file"] for one in said if one["elapsed_ms"] >= LIMIT_MS]
    # A machine that stood still for a while does not do so at the same mail again.
    again = run_mailbot("explain", "--json", *slow, cwd=REPOSITORY).json_lines if slow else []
    assert [one["file"] for one in again if one["elapsed_ms"] >= LIMIT_MS] == []
    assert {one["screening"]["outcome"] for one in said} <= {"accepted", "discarded", "bounce"}


@pytest.mark.parametrize(("corpus", "at_least"), [("flufl_bounce", 114), ("sisimai", 288)])
def test_no_machine_may_be_answered(corpus: str, at_least: int) -> None:
    machines = [one for expected, one in explained(corpus) if expected.get("auto")]
    answered = {Path(one["file"]).name for one in machines if one["screening"]["may_answer"]}
    assert len(machines) >= at_least
    assert answered <= set(CONTRADICTED)


def test_no_letter_goes_to_a_machine() -> None:
    for corpus in ("flufl_bounce", "sisimai"):
        for _, one in explained(corpus):
            audiences = {letter["audience"] for letter in one["letters"]}
            assert one["screening"]["may_answer"] or "requester" not in audiences, one["file"]


def test_all_but_one_of_the_subjects_are_as_expected() -> None:
    cases = [(expected["subject"], one) for expected, one in explained("stalwart") if expected.get("subject")]
    wrong = [one["file"] for subject, one in cases if not _fits(subject, one["subject"])]
    assert len(cases) > 70
    assert len(wrong) <= 1, wrong


def test_all_senders_are_as_expected() -> None:
    wrong = []
    for expected, one in explained("stalwart"):
        wanted = [address for _, address in expected.get("from") or [] if address and "@" in address]
        if wanted and one["from"]["address"] != wanted[0]:
            wrong.append(one["file"])
    assert wrong == []


def _fits(expected: str, found: str) -> bool:
    """U+FFFD in an expectation stands for an octet that its project lost and that we recover."""
    pattern = ".".join(re.escape(piece) for piece in " ".join(expected.split()).split("\ufffd"))
    return re.fullmatch(pattern, found) is not None
