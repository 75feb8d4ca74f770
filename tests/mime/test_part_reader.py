"""Lines come to the parts that the standard library's parser gives them to, malformed ones too."""

from __future__ import annotations

from email.feedparser import FeedParser
from email.message import Message
from email.policy import compat32

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailbot.mime.part_reader import read_parts


class _Opaque(Message):
    """A part of which attached mails are no parts, as ``structure.Part`` has it."""

    def get_content_type(self) -> str:
        declared = super().get_content_type()
        return "application/octet-stream" if declared.startswith("message/") else declared


def _drawn(part: Message) -> tuple[object, ...]:
    """What a part has, with what is below it."""
    below = part._payload  # type: ignore[attr-defined]  # get_payload() decodes
    found = [_drawn(child) for child in below] if isinstance(below, list) else below
    return list(part.raw_items()), part.get_default_type(), found


def _of_the_standard_library(text: str) -> tuple[object, ...]:
    parser: FeedParser[_Opaque] = FeedParser(lambda: _Opaque(compat32))
    parser.feed(text)
    return _drawn(parser.close())


def _of_ours(text: str) -> tuple[object, ...]:
    return _drawn(read_parts(text, lambda: _Opaque(compat32)))


_LINES = (
    "",
    "",
    " ",
    "\tdobrada",
    "texto",
    "Subject: assunto",
    "Subject:",
    ": sem nome",
    "Sem dois pontos",
    "From alguem Mon Nov 23",
    "From: a@example.com.br",
    "Content-Type: multipart/mixed; boundary=b",
    'Content-Type: multipart/digest; boundary="c d"',
    "Content-Type: multipart/alternative; boundary=b--",
    'Content-Type: multipart/mixed; boundary=""',
    "Content-Type: multipart/mixed",
    "Content-Type: message/rfc822",
    "Content-Type: text/plain",
    "--",
    "----",
    "--b",
    "--b",
    "--b ",
    "--b \t",
    "--b--",
    "--b--",
    "--b-- ",
    "--b----",
    "--bc",
    " --b",
    "--c d",
    "--c d--",
    "\x0b\x0c\x1c\udce7",
)
_ENDS = st.sampled_from(["\n", "\n", "\r\n", "\r\n", "\r", ""])


@settings(max_examples=500, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(_LINES), _ENDS), max_size=30))
def test_each_line_comes_to_the_part_that_it_belongs_to(lines: list[tuple[str, str]]) -> None:
    text = "".join(line + end for line, end in lines)
    assert _of_ours(text) == _of_the_standard_library(text)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize(
    "lines",
    [
        pytest.param(["--b", "--b--", "texto", "--b--"], id="the last boundary after another"),
        pytest.param(["--b"], id="a boundary and nothing more"),
        pytest.param(["antes", "--b--", "depois"], id="the last boundary first"),
        pytest.param(["--b", "Content-Type: multipart/digest; boundary=c", "", "--c", "", "--b"], id="digest"),
        pytest.param(["--b", "a: b", "--b", "From c d", "From e f", "", "texto", "--b--"], id="envelopes"),
        pytest.param(["--b", "a: b", "From c d", "", "--b", "From e f", "texto", "--b"], id="late envelopes"),
        pytest.param(["--b", "Content-Type: multipart/mixed", "", "sem fim", "", "--b--"], id="no boundary given"),
    ],
)
def test_a_multipart_is_read_alike(lines: list[str], end: str) -> None:
    text = end.join(["Content-Type: multipart/mixed; boundary=b", "", *lines, ""])
    assert _of_ours(text) == _of_the_standard_library(text)
    assert _of_ours(text.rstrip()) == _of_the_standard_library(text.rstrip())
