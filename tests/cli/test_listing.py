"""Which columns of a list stay whole on a narrow terminal."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mailbot.cli.listing import columns_shown_whole

NUMBER, STATE, TITLE, MOMENT = 11, 8, 60, 16


def test_what_is_copied_stays_whole_where_there_is_room() -> None:
    assert columns_shown_whole([NUMBER, STATE, TITLE, MOMENT], 100) == {0, 1, 3}


def test_the_widest_gives_way_first() -> None:
    assert columns_shown_whole([38, NUMBER, TITLE, MOMENT], 80) == {0, 1}


@given(st.lists(st.integers(0, 200), min_size=1, max_size=12), st.integers(1, 300))
def test_the_name_of_the_thing_always_stays_whole_and_text_never_does(widths: list[int], terminal: int) -> None:
    whole = columns_shown_whole(widths, terminal)
    assert 0 in whole
    assert not any(widths[number] > 16 for number in whole - {0})
