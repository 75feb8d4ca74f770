"""Staff words: INTERFACE *Staff words*, THREATS 28."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailbot.domain.staff_words import StaffWord
from mailbot.triage.directives import Directive, DirectiveBlock, parse_directives
from mailbot.triage.orders.plan import ORDERS

APPROVE, DENY, NOTE, RESOLVE = StaffWord.AUTORIZAR, StaffWord.NEGAR, StaffWord.NOTA, StaffWord.RESOLVER


@pytest.mark.parametrize(
    ("text", "word", "argument"),
    [
        ("#autorizar", APPROVE, ""),
        ("#autorizar Pode comparecer na segunda.", APPROVE, "Pode comparecer na segunda."),
        ("\n  \n #AUTORIZAR ok", APPROVE, "ok"),
        ("#negar CNH de outra pessoa", DENY, "CNH de outra pessoa"),
        ("#Negar: CNH ilegível", DENY, "CNH ilegível"),
        ("#negar:CNH ilegível", DENY, "CNH ilegível"),
        ("#nota", NOTE, ""),
        ("#nota.", NOTE, ""),
        ("#Nóta", NOTE, ""),
        ("\u200b#nota\xa0interna", NOTE, "interna"),
        ("*#nota*", NOTE, ""),
        ("#resolver\tfeito", RESOLVE, "feito"),
        ("#resolver feito\r", RESOLVE, "feito"),
    ],
)
def test_it_reads_a_word_and_its_argument(text: str, word: StaffWord, argument: str) -> None:
    block = parse_directives(text)
    assert block.directives == (Directive(word=word, argument=argument),)
    assert block.unknown == ()
    assert block.has(word)


def test_the_text_below_the_block_is_the_message() -> None:
    block = parse_directives("#autorizar\n#nota veja o laudo\n\nBoa tarde, Maria.\n#negar nunca\n")
    assert block.directives == (Directive(word=APPROVE), Directive(word=NOTE, argument="veja o laudo"))
    assert block.remaining_text == "Boa tarde, Maria.\n#negar nunca"


@pytest.mark.parametrize(
    "text",
    [
        "Boa tarde\n#autorizar",
        "> #autorizar",
        "Autorizar",
        "autorizar #autorizar",
        "",
        "   \n",
        "-- \n#autorizar",
        "**\nTexto",
    ],
)
def test_threat_28_a_word_below_any_text_or_in_a_quote_is_no_order(text: str) -> None:
    block = parse_directives(text)
    assert (block.directives, block.unknown) == ((), ())
    assert block.remaining_text == text.strip()


def test_threat_28_a_blank_line_ends_the_block() -> None:
    block = parse_directives("#nota\n\n#autorizar")
    assert block.directives == (Directive(word=NOTE),)
    assert block.remaining_text == "#autorizar"


@pytest.mark.parametrize("line", ["#autorisar tudo", "#", "# nota", "#123", "#2026-000123 segue", "##nota"])
def test_an_unknown_word_is_told_and_not_sent_on(line: str) -> None:
    block = parse_directives(f"{line}\nTexto")
    assert block.directives == ()
    assert block.unknown == (line.split()[0],)
    assert block.remaining_text == "Texto"


def test_every_staff_word_is_known() -> None:
    for word in StaffWord:
        block = parse_directives(f"#{word} x")
        assert block.directives == (Directive(word=word, argument="x"),)
    assert parse_directives("#aguardar").directives[0].word is StaffWord.ESPERA
    assert parse_directives("#aprovação").directives[0].word is StaffWord.APROVACAO


def test_every_word_does_something_on_a_ticket_but_the_one_that_opens_one() -> None:
    assert set(ORDERS) == set(StaffWord) - {StaffWord.ABRIR}


def test_aliases_add_names_and_take_none_away() -> None:
    aliases = {"autorizar": ("Deferir", "#aprovar"), "negar": ("nota", "indeferir"), "sumir": ("resolver",)}
    assert parse_directives("#deferir", aliases).directives[0].word is APPROVE
    assert parse_directives("#Aprovar sim", aliases).directives[0].word is APPROVE
    assert parse_directives("#indeferir x", aliases).directives[0].word is DENY
    assert parse_directives("#nota", aliases).directives[0].word is NOTE
    assert parse_directives("#resolver", aliases).directives[0].word is RESOLVE


@given(st.text(max_size=500))
def test_no_text_is_lost_or_raises(text: str) -> None:
    block = parse_directives(text)
    assert isinstance(block, DirectiveBlock)
    if not (block.directives or block.unknown):
        assert block.remaining_text == text.strip()


def test_a_very_long_block_is_bounded() -> None:
    block = parse_directives("#x\n" * 100_000)
    assert len(block.unknown) == 50
    assert block.remaining_text == ""


@pytest.mark.parametrize("hidden", ["\u200b", "\u202e", "\u2066", "\u00ad"])
def test_a_word_that_hides_something_orders_nothing_and_is_told(hidden: str) -> None:
    block = parse_directives(f"#auto{hidden}rizar")
    assert block.directives == ()
    assert len(block.unknown) == 1


def test_the_marks_that_programs_put_around_a_word_hide_nothing() -> None:
    assert parse_directives("\u200b#autorizar\u200e sim").directives == (Directive(word=APPROVE, argument="sim"),)


def test_a_long_block_tells_how_long_it_was() -> None:
    assert parse_directives("#nota x\n" * 200).lines == 200
