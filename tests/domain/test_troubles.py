"""What is noted of a server's answer: enough to know what is wrong, and nobody's address."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailbot.domain.troubles import Trouble, TroubleKey, TroubleKind, trouble_words


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ("daily: 550 5.4.5 <maria@example.com.br>: limit", "daily: 550 5.4.5 <(address)>: limit"),
        ("452 4.2.2 joão.silva+x@example.com.br is full", "452 4.2.2 (address) is full"),
        ("to=a@b,c@d; try later", "(address),(address); try later"),
        (
            "421 4.7.0 too many, see https://example.com/limits",
            "421 4.7.0 too many, see https://example.com/limits",
        ),
        (f"{'x' * 490} maria.souza@example.com.br", f"{'x' * 490} (address)"),
    ],
)
def test_a_servers_answer_is_noted_without_addresses(answer: str, words: str) -> None:
    assert trouble_words(answer) == words


def test_what_the_answer_means_to_us_stays() -> None:
    smtp = TroubleKey(kind=TroubleKind.SMTP, mailbox="default")
    refused = trouble_words("535 a@b.c", login_refused=True)
    assert Trouble(key=smtp, since=datetime.now(UTC), error=refused).is_login_refused
    assert not Trouble(key=smtp, since=datetime.now(UTC), error=trouble_words("535 a@b.c")).is_login_refused


@pytest.mark.parametrize(
    ("key", "text"),
    [
        (TroubleKey(kind=TroubleKind.SMTP, mailbox="default"), "smtp:default"),
        (TroubleKey(kind=TroubleKind.EXPIRY, mailbox="vendas", days=14), "expiry:vendas:14"),
    ],
)
def test_a_trouble_goes_by_the_name_that_monitors_read(key: TroubleKey, text: str) -> None:
    assert str(key) == text
    assert TroubleKey.parse(text) == key


@pytest.mark.parametrize("text", ["", "nobody", "smtp", "disk:default", "expiry:default:soon"])
def test_what_names_no_trouble_is_none(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        TroubleKey.parse(text)


@given(st.text(max_size=3000))
def test_no_answer_leaves_an_address_or_more_than_is_kept(answer: str) -> None:
    words = trouble_words(f"{answer} maria@example.com.br {answer}")
    assert len(words) <= 500
    assert "maria@" not in words


def test_an_answer_made_to_keep_us_busy_does_not() -> None:
    began = time.thread_time()
    trouble_words("a" * 10_000_000)
    assert time.thread_time() - began < 5
