"""Screening against real bounces and answers of machines, which lie in MAILBOT_CORPORA and not here."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mailbot.domain.mail import Accepted, Bounce, Screening
from mailbot.mime.parse import parse_mail
from mailbot.triage.screen import OwnMarks, screen

pytestmark = pytest.mark.corpora

OWN = OwnMarks(secret_key=b"k" * 32, own_addresses=frozenset({"atendimento@example.com.br"}))

# Labels that the mail itself contradicts: reported, and no reason for a rule.
CONTRADICTED = {
    "lhost-sendmail-14.eml": "a person's own mail from Apple Mail: 'Forward the message.' and a quoted bounce",
}


def labelled(corpus: str) -> Iterator[tuple[str, dict[str, Any], Screening]]:
    folder = Path(os.environ["MAILBOT_CORPORA"], corpus)
    for line in (folder / "cases.jsonl").read_text(encoding="utf-8").splitlines():
        case = json.loads(line)
        if case["expected"].get("auto"):
            mail = parse_mail((folder / case["file"]).read_bytes())
            yield Path(case["file"]).name, case["expected"], screen(mail, own=OWN)


def may_answer(result: Screening) -> bool:
    return isinstance(result, Accepted) and result.may_answer


@pytest.mark.parametrize(("corpus", "at_least"), [("flufl_bounce", 114), ("sisimai", 288)])
def test_it_answers_no_machine_of_the_corpora(corpus: str, at_least: int) -> None:
    results = list(labelled(corpus))
    answered = [name for name, _, result in results if may_answer(result)]
    assert len(results) >= at_least
    assert set(answered) <= set(CONTRADICTED)


def test_it_recognises_nearly_all_bounces_as_bounces() -> None:
    for corpus, share in (("flufl_bounce", 0.90), ("sisimai", 0.97)):
        bounces = [result for _, expected, result in labelled(corpus) if expected["auto_kind"] == "bounce"]
        assert sum(isinstance(result, Bounce) for result in bounces) >= share * len(bounces)


def test_it_finds_the_recipient_of_nine_bounces_in_ten() -> None:
    right = total = 0
    for _, expected, result in labelled("flufl_bounce"):
        wanted = {address.lower() for address in expected.get("recipients", ())}
        if wanted:
            total += 1
            right += isinstance(result, Bounce) and result.recipient in wanted
    assert total >= 100
    assert right >= 0.9 * total


def test_it_tells_a_delay_from_a_failure() -> None:
    told = [
        (expected["temporary"], result.permanent)
        for _, expected, result in labelled("flufl_bounce")
        if isinstance(result, Bounce)
    ]
    assert sum(temporary is not permanent for temporary, permanent in told) == len(told)


def test_it_screens_a_mail_in_no_time() -> None:
    folder = Path(os.environ["MAILBOT_CORPORA"])
    mails = [
        parse_mail(path.read_bytes()) for path in sorted(folder.glob("*/files/*.*")) if path.suffix != ".html"
    ]
    began = time.thread_time()
    for mail in mails:
        screen(mail, own=OWN)
    assert time.thread_time() - began < 0.01 * len(mails)
