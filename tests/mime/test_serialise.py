"""A composed message leaves byte by byte as the standard library would write it."""

from __future__ import annotations

from email.message import MIMEPart
from email.policy import SMTP
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mailbot.domain.addressing import ReplyAddressing
from mailbot.domain.mail import Address
from mailbot.mime import compose as composing
from mailbot.mime.compose import compose
from mailbot.mime.serialise import ComposedPart, message_bytes
from tests.mime.test_compose import MAILBOX, NOW, a_file, a_letter

# The lines of our headers are made; folding them again would put encoded words into Message-IDs.
_POLICY = SMTP.clone(refold_source="none", cte_type="7bit")
_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=400)


def as_the_library_has_it(part: ComposedPart) -> MIMEPart:
    theirs = MIMEPart(policy=_POLICY)
    for header in part.headers:
        name, _, value = header.partition(": ")
        theirs.set_raw(name, value)
    theirs.set_payload([as_the_library_has_it(inner) for inner in part.parts] or part.text)
    return theirs


def both_ways(*, files: int = 0, **changes: Any) -> tuple[bytes, bytes]:
    """What leaves, and the same message by the library's generator."""
    expected: list[bytes] = []

    def noted(message: ComposedPart, *, utf8: bool) -> bytes:
        expected.append(as_the_library_has_it(message).as_bytes(policy=_POLICY.clone(utf8=utf8)))
        return message_bytes(message, utf8=utf8)

    with patch.object(composing, "message_bytes", noted):
        made = compose(
            a_letter(**changes),
            mailbox_address=MAILBOX,
            reply_addressing=ReplyAddressing.PLUS,
            null_sender=False,
            loop_mark="mark",
            files=[a_file(f"laudo {number} é.pdf", content=bytes(range(256)) * 9) for number in range(files)],
            now=NOW,
        )
    return made.message, expected[0]


@given(subject=_TEXT, text=_TEXT, html=_TEXT, files=st.integers(0, 2))
@example(subject="", text="", html="", files=0)
@example(subject="x", text=".\n..\n", html="", files=1)
@example(subject="é" * 200, text="linha\r\n\r\n  \t \n" * 9, html="<p>" + "a" * 3000, files=2)
def test_whatever_a_letter_says_it_is_written_as_the_library_writes_it(
    subject: str, text: str, html: str, files: int
) -> None:
    ours, theirs = both_ways(subject=subject, text=text, html=html, files=files)
    assert ours == theirs


def test_an_address_beyond_ascii_stands_in_the_header_as_it_is() -> None:
    ours, theirs = both_ways(recipient=Address(address="joão@exemplo.com.br", name="João"))
    assert ours == theirs
    assert "joão@exemplo.com.br".encode() in ours


def test_parts_without_a_boundary_are_not_run_together() -> None:
    whole = ComposedPart(headers=("Content-Type: multipart/mixed",), parts=(ComposedPart(headers=(), text="x\n"),))
    with pytest.raises(ValueError, match="boundary"):
        message_bytes(whole)


def test_a_header_beyond_ascii_is_not_written_where_it_may_not_be() -> None:
    with pytest.raises(ValueError, match="ascii"):
        message_bytes(ComposedPart(headers=("Subject: é",), text="x\n"))


def test_blanks_and_controls_are_the_same_whichever_way_a_line_is_cleaned() -> None:
    for text in ("a  b", " a\u00a0b ", "a\tb", "a\u202eb", "é ü", "a\x7fb", "\u2028", ""):
        slowly = composing._one_line(f"{text}\x00")
        assert composing._one_line(text) == slowly, text
