"""How alike two phrases are."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mailbot.triage.resemblance import SUGGEST_RATIO, TYPO_RATIO, likeness, near

NAMES = ["alteracao de local", "alteracao de data", "mudanca de local", "segunda via do laudo"]


def test_a_typo_is_nearly_the_same() -> None:
    assert likeness("alteracao de locla", "alteracao de local") >= TYPO_RATIO


def test_another_word_of_nearly_the_same_letters_is_another_thing() -> None:
    wanted = "solicitacao de alteracao de local"
    assert near("solicitacao de alteracao de data", [wanted]) == [wanted]
    assert likeness("solicitacao de alteracao de data", wanted) == 0


def test_only_names_with_letters_enough_in_common_are_near() -> None:
    assert near("alteracao do local", NAMES) == ["alteracao de local"]
    assert near("bom dia", NAMES) == []


_PHRASES = st.lists(st.sampled_from([*" ".join(NAMES).split(), "locla", "altera??o", "x"]), max_size=6)


@given(words=_PHRASES.map(" ".join))
def test_whatever_is_like_a_name_is_near_it(words: str) -> None:
    alike = {name for name in NAMES if likeness(words, name)}
    assert alike <= set(near(words, NAMES))
    assert all(likeness(words, name) >= SUGGEST_RATIO for name in alike)
