"""Bodies of real mail programs: new text equals the reply that the corpus expects."""

from __future__ import annotations

import json
import os
from collections import Counter
from email import message_from_bytes, policy
from pathlib import Path
from typing import cast

import pytest

from mailbot.mime.body import BodyText, split_html, split_text

CORPORA = os.environ.get("MAILBOT_CORPORA", "")

pytestmark = [
    pytest.mark.corpora,
    pytest.mark.skipif(
        not (CORPORA and Path(CORPORA, "quotes", "cases.jsonl").is_file()),
        reason="MAILBOT_CORPORA names no folder with the quotes corpus",
    ),
]


def _cases() -> list[dict[str, object]]:
    lines = Path(CORPORA, "quotes", "cases.jsonl").read_text("utf-8").splitlines()
    return [cast("dict[str, object]", json.loads(line)) for line in lines]


def _body_of_mail(raw: bytes) -> BodyText:
    message = message_from_bytes(raw, policy=policy.default)
    part = message.get_body(("plain", "html"))
    assert part is not None
    content = part.get_content()
    return split_html(content) if part.get_content_type() == "text/html" else split_text(content)


def _body(file: str) -> BodyText:
    raw = Path(CORPORA, "quotes", file).read_bytes()
    if file.endswith(".eml"):
        return _body_of_mail(raw)
    text = raw.decode("utf-8", "replace")
    return split_html(text) if file.endswith(".html") else split_text(text)


def _without_white_space(text: str) -> str:
    return "".join(text.split())


def test_new_text_equals_the_expected_reply_in_four_of_five_cases() -> None:
    cases: Counter[str] = Counter()
    equal: Counter[str] = Counter()
    missed: list[str] = []
    for case in _cases():
        expected = cast("dict[str, object]", case["expected"])
        file = str(case["file"])
        if "reply" not in expected:
            continue
        kind = str(case["kind"])
        cases[kind] += 1
        if _without_white_space(_body(file).new_text) == _without_white_space(str(expected["reply"])):
            equal[kind] += 1
        else:
            missed.append(file)
    report = f"{dict(equal)} of {dict(cases)}; missed: {missed}"
    # The promise is 60 %; what was reached is held.
    assert equal.total() >= 0.6 * cases.total(), report
    assert equal.total() >= 0.8 * cases.total(), report


def test_every_body_gives_new_text() -> None:
    for case in _cases():
        body = _body(str(case["file"]))
        assert body.new_text.strip(), case["file"]
        assert len(body.new_text) <= len(body.full_text), case["file"]
