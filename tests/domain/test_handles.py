"""Handles and the loop mark, as they come back from the world's mail programs."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailbot.domain.addressing import AddressTag, tagged_address
from mailbot.domain.handles import (
    HANDLE_LENGTH,
    handle_in_address,
    handle_in_message_id,
    handles_in_text,
    loop_mark,
    loop_mark_is_ours,
    message_id_for,
    new_handle,
    reference_line_token,
    without_reference_lines,
)

HANDLE = "abcdefghijklmnop2345"
OTHER = "zyxwvutsrqponmlk7654"
SECRET = b"s" * 32
BOT = "atendimento@example.com.br"
MARIA = "maria@example.com.br"


def test_it_makes_handles_of_a_hundred_bits_that_never_repeat() -> None:
    handles = {new_handle() for _ in range(2000)}
    assert len(handles) == 2000
    assert all(len(handle) == HANDLE_LENGTH for handle in handles)
    assert set("".join(handles)) == set("abcdefghijklmnopqrstuvwxyz234567")


def test_it_finds_the_handle_in_its_message_id() -> None:
    message_id = message_id_for(HANDLE, "example.com.br")
    assert message_id == f"mb.{HANDLE}@example.com.br"
    assert handle_in_message_id(message_id) == HANDLE
    assert handle_in_message_id(f"<{message_id.upper()}>") == HANDLE


@pytest.mark.parametrize("value", ["", "mb.@x", f"mb.{HANDLE}", f"mb.{HANDLE}a@x", f"xmb.{HANDLE}@x", "mb.0@x"])
def test_it_finds_no_handle_in_a_foreign_message_id(value: str) -> None:
    assert handle_in_message_id(value) is None


def test_it_tells_a_reply_address_from_a_bounce_address() -> None:
    reply = tagged_address(BOT, AddressTag.REPLY, HANDLE)
    bounce = tagged_address(BOT, AddressTag.BOUNCE, HANDLE)
    assert reply == f"atendimento+t.{HANDLE}@example.com.br"
    assert handle_in_address(reply, AddressTag.REPLY) == HANDLE
    assert handle_in_address(reply, AddressTag.BOUNCE) is None
    assert handle_in_address(bounce.upper(), AddressTag.BOUNCE) == HANDLE
    assert handle_in_address(BOT, AddressTag.REPLY) is None


@pytest.mark.parametrize(
    "text",
    [
        f"Ref.: [mb-{HANDLE}]",
        f"Ref.: [MB-{HANDLE.upper()}]",
        f"> > Ref.: [mb-{HANDLE}]\n> tchau",
        f"> Ref.: [mb-{HANDLE[:9]}\n> {HANDLE[9:]}]",
        f"> > Ref.:\n> > [mb-\n> > {HANDLE}\n> > ]",
        f"Ref.: &#91;mb-{HANDLE}&#93;",
        f"Ref.: [mb&#45;{HANDLE}]&nbsp;",
        f"Ref.: &amp;#91;mb-{HANDLE}&amp;#93;",
        f"Ref.: [mb-{HANDLE[:5]}=\r\n{HANDLE[5:]}]",
        f"*Ref.:* [mb-*{HANDLE}*]",
        f"[mb-{HANDLE[:3]}\u200b{HANDLE[3:]}\u00ad]",
        f"[mb\u2011{HANDLE}]",
    ],
)
def test_it_reads_the_reference_line_whatever_a_mail_program_did_to_it(text: str) -> None:
    assert handles_in_text(text) == (HANDLE,)


def test_it_reads_every_reference_in_order_and_each_once() -> None:
    text = f"{reference_line_token(OTHER)} {reference_line_token(HANDLE)}\n> {reference_line_token(OTHER)}"
    assert handles_in_text(text) == (OTHER, HANDLE)


@pytest.mark.parametrize(
    "text", ["", f"mb-{HANDLE}", f"[mb-{HANDLE}x]", f"[mb-{HANDLE[:-1]}]", "[mb-0189018901890189]"]
)
def test_it_reads_no_handle_where_there_is_none(text: str) -> None:
    assert handles_in_text(text) == ()


@given(st.text(alphabet="[]mb-> \nax&#;0", max_size=400))
def test_it_survives_any_text(text: str) -> None:
    assert all(len(handle) == HANDLE_LENGTH for handle in handles_in_text(text))


@pytest.mark.parametrize("piece", ["[mb-", "[mb-abcdefghijklmnop", "[ > ", "&amp;", "[mb-a > > "])
def test_it_reads_hostile_text_in_linear_time(piece: str) -> None:
    began = time.thread_time()
    handles_in_text(piece * (200_000 // len(piece)))
    assert time.thread_time() - began < 2


def test_threat_2_it_knows_its_own_letter_by_the_loop_mark() -> None:
    mark = loop_mark(SECRET, HANDLE, BOT, MARIA)
    assert loop_mark_is_ours(SECRET, mark, BOT, ["outra@example.com.br", MARIA.upper()])
    assert loop_mark_is_ours(SECRET, loop_mark(SECRET, "", BOT, MARIA), BOT, [MARIA])


@pytest.mark.parametrize(
    ("secret", "sender", "recipients"),
    [
        (b"t" * 32, BOT, [MARIA]),
        (SECRET, MARIA, [BOT]),
        (SECRET, "ladrao@example.com.br", [MARIA]),
        (SECRET, BOT, ["outra@example.com.br"]),
        (SECRET, BOT, []),
    ],
)
def test_threat_2_a_copied_loop_mark_proves_nothing(secret: bytes, sender: str, recipients: list[str]) -> None:
    assert not loop_mark_is_ours(secret, loop_mark(SECRET, HANDLE, BOT, MARIA), sender, recipients)


@given(st.text(max_size=120))
def test_no_other_text_is_a_loop_mark(mark: str) -> None:
    assert not loop_mark_is_ours(SECRET, mark, BOT, [MARIA])


@pytest.mark.parametrize("prefix", ["Ref.: ", "", "REF ", "> Ref.: "])
def test_it_cuts_the_reference_line_that_our_own_links_fill_in(prefix: str) -> None:
    text = f"Motivo: mudei\n\n{prefix}[mb-{new_handle()}]\n"
    assert without_reference_lines(text) == "Motivo: mudei"


def test_it_keeps_a_reference_that_stands_in_a_sentence() -> None:
    text = f"é sobre o pedido [mb-{new_handle()}] de ontem"
    assert without_reference_lines(text) == text
