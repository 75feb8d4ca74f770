"""Labels are found however their letters are written: in capitals, with accents or without, some of them lost."""

from __future__ import annotations

import re
import sys

import pytest

from mailbot.evidence.labels import _AS_LABELS, lines_of

_ACCENTED = {"a": "áàâãäå", "c": "ç", "e": "éèêë", "i": "íìîï", "n": "ñ", "o": "óòôõö", "u": "úùûü"}


@pytest.mark.parametrize("letter", "abcdefghijklmnopqrstuvwxyz")
def test_every_character_is_spelled_as_the_letter_it_is_whatever_its_case_and_accent(letter: str) -> None:
    means_it = re.compile(f"[{letter}{_ACCENTED.get(letter, '')}]", re.IGNORECASE)
    for code in range(sys.maxunicode + 1):
        assert (chr(code).translate(_AS_LABELS) == letter) == bool(means_it.fullmatch(chr(code))), hex(code)


def test_a_line_spelled_as_labels_are_has_every_character_at_its_place() -> None:
    text = "ENDEREÇO: Rua São João\nAltera\ufffd\ufffdo – İstanbul\U0001f600 : x"
    lines = lines_of(text)
    assert lines.spelled == ["endereco: rua sao joao", "altera??o – istanbul\U0001f600 : x"]
    assert [len(line) for line in lines.spelled] == [len(line) for line in lines.bare]
