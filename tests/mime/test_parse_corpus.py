"""Real and broken mails of other projects, read as those projects expect."""

from __future__ import annotations

import json
import os
import re
import time
from pathlib import Path
from typing import Any

import pytest

from mailbot.domain.errors import UnreadableMail
from mailbot.mime.parse import parse_mail

pytestmark = pytest.mark.corpora

LIMIT_SECONDS = 5


@pytest.fixture(scope="module")
def corpora() -> Path:
    folder = os.environ.get("MAILBOT_CORPORA")
    if not folder:
        pytest.skip("MAILBOT_CORPORA is not set")
    return Path(folder)


def _stalwart_cases(corpora: Path) -> list[tuple[Path, dict[str, Any]]]:
    lines = (corpora / "stalwart" / "cases.jsonl").read_text("utf-8").splitlines()
    cases = [json.loads(line) for line in lines]
    return [(corpora / "stalwart" / case["file"], case["expected"]) for case in cases]


def _fits(expected: str, found: str) -> bool:
    """U+FFFD in an expectation stands for an octet that its project lost and that we recover."""
    pattern = ".".join(re.escape(piece) for piece in " ".join(expected.split()).split("\ufffd"))
    return re.fullmatch(pattern, found) is not None


def test_subjects_are_read_as_expected_but_for_one(corpora: Path) -> None:
    found = [(path, expected.get("subject")) for path, expected in _stalwart_cases(corpora)]
    cases = [(path, subject) for path, subject in found if subject]
    wrong = [path.name for path, subject in cases if not _fits(subject, parse_mail(path.read_bytes()).subject)]
    assert len(cases) > 70
    assert len(wrong) <= 1, wrong


def test_all_senders_are_read_as_expected(corpora: Path) -> None:
    wrong = []
    for path, expected in _stalwart_cases(corpora):
        wanted = [address for _, address in expected.get("from") or [] if address and "@" in address]
        if [one.address for one in parse_mail(path.read_bytes()).from_addresses] != wanted:
            wrong.append(path.name)
    assert wrong == []


def test_names_of_senders_are_read_as_expected(corpora: Path) -> None:
    wrong = []
    for path, expected in _stalwart_cases(corpora):
        wanted = [name or "" for name, address in expected.get("from") or [] if address and "@" in address]
        if [one.name for one in parse_mail(path.read_bytes()).from_addresses] != wanted:
            wrong.append(path.name)
    assert wrong == []


def test_named_attachments_are_all_found(corpora: Path) -> None:
    lost = []
    for path, expected in _stalwart_cases(corpora):
        # We cut path parts; some programs wrote paths with the backslashes already gone.
        wanted = [name.rpartition("/")[2].removeprefix("C:TEMP") for name in expected["attachment_names"] if name]
        found = [one.filename for one in parse_mail(path.read_bytes()).attachments]
        lost += [(path.name, name) for name in wanted if not any(_fits(name, one) for one in found)]
    assert lost == []


def test_every_file_is_read_or_refused_in_time(corpora: Path) -> None:
    files = [path for path in sorted(corpora.rglob("files/**/*")) if path.is_file()]
    slow, refused = [], []
    for path in files:
        started = time.thread_time()
        try:
            parse_mail(path.read_bytes())
        except UnreadableMail:
            refused.append(path.name)
        if time.thread_time() - started > LIMIT_SECONDS:
            slow.append(path.name)
    assert len(files) > 600
    assert (slow, refused) == ([], [])


def test_a_bounce_tells_the_address_that_failed(corpora: Path) -> None:
    lines = (corpora / "flufl_bounce" / "cases.jsonl").read_text("utf-8").splitlines()
    cases = [json.loads(line) for line in lines]
    dsns = [case for case in cases if case["expected"].get("detector") == "dsn"]
    wrong = []
    for case in dsns:
        mail = parse_mail((corpora / "flufl_bounce" / case["file"]).read_bytes())
        found = {status.recipient for status in mail.delivery_statuses}
        if not {recipient.lower() for recipient in case["expected"]["recipients"]} <= found:
            wrong.append(case["file"])
    assert len(dsns) > 10
    # One is a bounce attached to another mail: that says nothing about a letter of ours.
    assert len(wrong) <= 1, wrong
