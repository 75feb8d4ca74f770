"""Labels are found however their letters are written: in capitals, with accents or without, some of them lost."""

from __future__ import annotations

import re
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailbot.evidence.labels import LabelledText, _Labels, labelled_text
from mailbot.evidence.lines import AS_LABELS, lines_of
from tests.evidence.test_fields import CHANGE

_ACCENTED = {"a": "áàâãäå", "c": "ç", "e": "éèêë", "i": "íìîï", "n": "ñ", "o": "óòôõö", "u": "úùûü"}


@pytest.mark.parametrize("letter", "abcdefghijklmnopqrstuvwxyz")
def test_every_character_is_spelled_as_the_letter_it_is_whatever_its_case_and_accent(letter: str) -> None:
    means_it = re.compile(f"[{letter}{_ACCENTED.get(letter, '')}]", re.IGNORECASE)
    for code in range(sys.maxunicode + 1):
        assert (chr(code).translate(AS_LABELS) == letter) == bool(means_it.fullmatch(chr(code))), hex(code)


def test_a_line_spelled_as_labels_are_has_every_character_at_its_place() -> None:
    text = "ENDEREÇO: Rua São João\nAltera\ufffd\ufffdo – İstanbul\U0001f600 : x"
    lines = lines_of(text)
    spelled = [line.spelled for line in lines.bare]
    assert spelled == ["endereco: rua sao joao", "altera??o – istanbul\U0001f600 : x"]
    assert [len(line) for line in spelled] == [len(line.text) for line in lines.bare]


_LABELS = [label for spec in CHANGE.fields for label in (spec.label, *spec.labels)]
_DAMAGED = [label.replace(letter, lost, 1) for label in _LABELS for letter in "aeio" for lost in "?\ufffd"]
_BETWEEN = [*"?\ufffd:-_*|@\u0301\u0130\u0131\u017f\u2122\xad \t\n", ": ", "  ", "(s)", "Goiânia"]
_PIECES = st.sampled_from(_LABELS) | st.sampled_from(_DAMAGED) | st.sampled_from(_BETWEEN) | st.text(max_size=3)


@given(st.lists(_PIECES, max_size=30).map("".join), st.booleans())
def test_only_lines_without_any_label_are_passed_over(text: str, shouted: bool) -> None:
    text = text.upper() if shouted else text

    def read() -> LabelledText:
        return labelled_text(CHANGE, lines_of(text))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_Labels, "may_stand_among", lambda _labels, _words: True)
        looked_at_all = read()
    assert read() == looked_at_all
