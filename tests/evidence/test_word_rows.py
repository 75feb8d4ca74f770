"""Words with places become rows as they stand on the paper, whatever Tesseract took for a block."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from mailbot.evidence.word_rows import NEXT_PAPER, Word, in_rows


def word(text: str, left: int, top: int, *, block: int = 1, line: int = 1, height: int = 20) -> Word:
    right = left + 11 * len(text)
    return Word(
        line=(block, 1, line),
        left=left,
        top=top,
        right=right,
        bottom=top + height,
        confidence=0.9,
        text=text,
    )


def column(*texts: str, left: int, block: int) -> list[Word]:
    return [word(text, left, 40 * index, block=block, line=index) for index, text in enumerate(texts)]


LABELS = ("Vencimento:", "Pagamento:", "Valor:")
VALUES = ("25/11/2026", "20/11/2026", "108,00")


def test_labels_and_values_in_blocks_of_their_own_are_rows_again() -> None:
    words = [*column(*LABELS, left=50, block=1), *column(*VALUES, left=400, block=2)]
    assert [row.split() for row in in_rows(words).splitlines()] == [
        [label, value] for label, value in zip(LABELS, VALUES, strict=True)
    ]


def test_columns_stand_below_each_other_also_where_a_cell_is_empty() -> None:
    words = [
        *column("Receita", "2043", left=50, block=1),
        *column("Multa", left=300, block=2),
        *column("Total", "108,00", left=600, block=3),
    ]
    labels, values = in_rows(words).splitlines()
    assert labels.index("Total") == values.index("108,00")


def test_words_of_one_line_are_one_blank_apart_and_columns_two_at_least() -> None:
    words = [word("Valor", 50, 10), word("pago", 112, 10), word("108,00", 185, 10)]
    assert re.fullmatch(r"Valor pago {2,9}108,00", in_rows(words))


def test_a_paper_seen_aslant_keeps_its_rows() -> None:
    """Each row falls by 35 pixels to the right: nearly a row's distance."""
    words = []
    for index in range(8):
        words += [word("rótulo", 50 + 80 * n, 40 * index + 4 * n, block=1, line=index) for n in range(4)]
        words += [word(f"valor{index}", 750, 40 * index + 35, block=2, line=index)]
    assert [row.split()[-1] for row in in_rows(words).splitlines()] == [f"valor{index}" for index in range(8)]


def test_labels_set_a_little_above_their_values_are_no_paper_of_their_own() -> None:
    labels = column(*(f"rótulo{n}" for n in range(10)), left=50, block=1)
    values = [word(f"valor{n}", 700, 40 * n + 5, block=2, line=n) for n in range(10)]
    assert [row.split() for row in in_rows([*labels, *values]).splitlines()] == [
        [f"rótulo{n}", f"valor{n}"] for n in range(10)
    ]


def test_two_papers_side_by_side_are_read_one_after_the_other() -> None:
    left = [f"recibo{n}" for n in range(10)]
    right = [f"cartão{n}" for n in range(10)]
    cards = [word(text, 700, 31 * index, block=2, line=index) for index, text in enumerate(right)]
    words = [*column(*left, left=50, block=1), *cards]
    assert papers_of(words) == [left, right]


def test_three_papers_in_a_row_are_three() -> None:
    left, middle, right = ([f"{name}{n}" for n in range(10)] for name in ("recibo", "cartão", "boleto"))
    words = [
        *column(*left, left=50, block=1),
        *(word(text, 760, 31 * index, block=2, line=index) for index, text in enumerate(middle)),
        *(word(text, 1420, 57 * index, block=3, line=index) for index, text in enumerate(right)),
    ]
    assert papers_of(words) == [left, middle, right]


def papers_of(words: list[Word]) -> list[list[str]]:
    return [paper.split() for paper in in_rows(words).split(NEXT_PAPER)]


def test_nothing_is_nothing() -> None:
    assert in_rows([]) == ""


boxes = st.builds(
    word,
    st.text(st.characters(exclude_categories=["Z", "C"]), min_size=1, max_size=12),
    st.integers(-50, 4000),
    st.integers(-50, 4000),
    block=st.integers(0, 3),
    line=st.integers(0, 5),
    height=st.integers(0, 300),
)


@given(st.lists(boxes, max_size=40))
def test_no_word_is_lost_wherever_it_stands(words: list[Word]) -> None:
    assert sorted(in_rows(words).split()) == sorted(one.text for one in words)
