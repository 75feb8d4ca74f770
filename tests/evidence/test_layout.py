"""What stands at one height is one line, and what stands in one column is below each other."""

from __future__ import annotations

from mailbot.evidence.layout import Segment, laid_out


def at(left: float, bottom: float, text: str, *, size: float = 10) -> Segment:
    return Segment(left=left, right=left + size * 0.5 * len(text), bottom=bottom, top=bottom + size, text=text)


def test_columns_are_read_across_and_kept_apart() -> None:
    pieces = [
        at(50, 700, "Valor"),
        at(50, 680, "R$ 137,07"),
        at(250, 700, "ID da transação"),
        at(250, 680, "E182"),
    ]
    labels, values = laid_out(pieces).splitlines()
    assert (labels.split("  ")[0], values.split("  ")[0]) == ("Valor", "R$ 137,07")
    assert labels.index("ID da transação") == values.index("E182")


def test_words_close_together_stay_one_phrase() -> None:
    assert laid_out([at(50, 700, "Valor"), at(78, 700.5, "pago")]) == "Valor pago"
    assert laid_out([at(50, 700, "Val"), at(65.2, 700, "or")]) == "Valor"


def test_lines_go_from_top_to_bottom_whatever_order_they_were_written_in() -> None:
    assert laid_out([at(50, 100, "fim"), at(50, 700, "começo"), at(50, 400, "meio")]) == "começo\nmeio\nfim"


def test_a_large_title_beside_small_print_is_a_line_of_its_own() -> None:
    pieces = [at(50, 690, "341-7", size=30), at(300, 718, "acima", size=8), at(300, 690, "abaixo", size=8)]
    assert [line.strip() for line in laid_out(pieces).splitlines()] == ["acima", "341-7", "abaixo"]


def test_a_letter_goes_on_where_the_one_before_ends() -> None:
    piece = at(50, 700, "Val")
    assert piece.goes_on_with(65.5, 700, 710)
    assert not piece.goes_on_with(95, 700, 710)
    assert not piece.goes_on_with(65.5, 688, 698)


def test_nothing_is_laid_out_as_nothing() -> None:
    assert laid_out([]) == ""


def test_a_blank_that_kerning_made_narrow_parts_words_and_spaced_letters_stay_together() -> None:
    piece = at(50, 700, "A")
    piece.gap = -0.3
    assert piece.is_blank_before(piece.right + 1.5)
    assert not piece.is_blank_before(piece.right + 0.4)
    piece.gap = 1.5
    assert not piece.is_blank_before(piece.right + 1.5)
