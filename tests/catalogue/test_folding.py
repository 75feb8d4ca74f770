"""Folding brings what people type, and what mail programs break, to one plain form."""

from __future__ import annotations

import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailbot.catalogue.folding import (
    fold,
    fold_words,
    plain_lines,
    repair_mojibake,
    same_words,
    visible_text,
)

WANTED = "alteracao de local"


@pytest.mark.parametrize(
    "text",
    [
        "ALTERAÇÃO DE LOCAL",
        "  alteração   de\tlocal ",
        unicodedata.normalize("NFD", "Alteração de local"),
        "ALTERAÃ‡ÃƒO DE LOCAL",
        "ALTERA\xc3\x87\xc3\x83O DE LOCAL",
        "ALTERAÇÃO\xa0DE\u2007LOCAL",
        "ALTERAÇÃO_DE_LOCAL",
        "\ufeffALTERA\xadÇÃO\u200b DE \u202eLOCAL",
        "ALTERAÇÃО DЕ LОСАL",
        "ＡＬＴＥＲＡＣＡＯ ＤＥ ＬＯＣＡＬ",
    ],
)
def test_it_folds_every_way_of_writing_the_subject_to_one(text: str) -> None:
    assert fold(text) == WANTED


@pytest.mark.parametrize("text", ["ALTERA??O DE LOCAL", "ALTERA????O DE LOCAL", "ALTERA\ufffd\ufffdO DE LOCAL?"])
def test_lost_letters_are_tolerated(text: str) -> None:
    assert same_words(fold_words(text), WANTED)


@pytest.mark.parametrize("text", ["?????????? ?? ?????", "ALTERA?O DE DATA", "?", ""])
def test_too_many_lost_letters_or_other_words_do_not_match(text: str) -> None:
    assert not same_words(fold_words(text), WANTED)


@pytest.mark.parametrize(("damaged", "wanted"), [("a????o", "abcdeo"), ("a?b?c?d?e?f?g?h", "axbxcxdxexfxgxh")])
def test_a_word_that_mostly_got_lost_is_not_guessed(damaged: str, wanted: str) -> None:
    assert not same_words(damaged, wanted)


def test_words_lose_their_punctuation() -> None:
    assert fold_words("Ap. de Goiânia / GO!") == "ap de goiania go"


def test_a_closing_quote_after_a_capital_is_not_taken_for_broken_utf8() -> None:
    assert fold_words("“CAFÉ”") == "cafe"


@given(st.text(alphabet=st.characters(max_codepoint=0x17F) | st.sampled_from("\u2014\u0301\ufffd"), max_size=60))
def test_letters_fold_alone_as_they_do_among_others(text: str) -> None:
    repaired = repair_mojibake(text)
    assert plain_lines(text) == "".join(plain_lines(ch) for ch in repaired)


@pytest.mark.parametrize("code", range(256))
def test_every_latin_letter_folds_as_the_standard_decomposes_it(code: int) -> None:
    ch = chr(code)
    kind = unicodedata.category(ch)
    seen = "" if kind == "Cf" else " " if kind in ("Cc", "Zs") and ch != "\n" else ch
    letters = unicodedata.normalize("NFKD", seen).casefold()
    assert plain_lines(ch) == "".join(one for one in letters if not unicodedata.combining(one))


@pytest.mark.parametrize("text", ["a\u200bé\r", "é\r", "\xa0é", "é\u2028b\xad"])
def test_what_nobody_sees_is_taken_out_of_a_visible_text(text: str) -> None:
    wanted = {"\u200b": "", "\r": "", "\xad": "", "\xa0": " ", "\u2028": "\n"}
    assert visible_text(text) == "".join(wanted.get(ch, ch) for ch in text)


@given(st.text(max_size=400))
def test_folding_never_raises_and_folds_no_further(text: str) -> None:
    once = fold_words(text)
    assert fold_words(once) == once
    same_words(once, WANTED)


@pytest.mark.parametrize(
    "text", ["a\u0300\u0316" * 300_000, "é" * 1_000_000, "?" * 1_000_000 + "x", "a?" * 500_000]
)
def test_folding_takes_linear_time(text: str) -> None:
    begun = time.thread_time()
    fold_words(text)
    assert time.thread_time() - begun < 3
