"""Times of the week in free words, as one line that can be echoed and read again (R002-18)."""

from __future__ import annotations

from datetime import UTC, datetime, time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailbot.evidence.field_kinds.time_windows import (
    TimeWindow,
    VisitTimes,
    read_times,
    rules_out,
    said,
    speaks_of_visits,
    time_windows,
)


@pytest.mark.parametrize(
    ("raw", "line"),
    [
        ("não posso às terças de manhã", "não pode: terça-feira, 06:00 às 12:00"),
        ("segunda a sexta das 8 às 12", "não pode: segunda-feira a sexta-feira, 08:00 às 12:00"),
        ("terças e quintas à tarde", "não pode: terça-feira e quinta-feira, 12:00 às 18:00"),
        (
            "não posso segunda de manhã e quarta à tarde",
            "não pode: segunda-feira, 06:00 às 12:00; quarta-feira, 12:00 às 18:00",
        ),
        ("de manhã às terças", "não pode: terça-feira, 06:00 às 12:00"),
        ("só posso aos sábados", "pode: sábado"),
        ("depois das 18h", "não pode: todos os dias, a partir das 18:00"),
        ("até as 10h30", "não pode: todos os dias, até 10:30"),
        ("trabalho de segunda a sexta, das 8h às 18h", "não pode: segunda-feira a sexta-feira, 08:00 às 18:00"),
        ("não estou em casa na terça-feira entre 14h e 16h30", "não pode: terça-feira, 14:00 às 16:30"),
        (
            "prefiro de manhã, mas não posso na quarta",
            "não pode: quarta-feira | pode: todos os dias, 06:00 às 12:00",
        ),
        ("não posso terça, posso quarta", "não pode: terça-feira | pode: quarta-feira"),
        ("todos os dias menos quarta", "não pode: todos os dias | pode: quarta-feira"),
        ("fins de semana", "não pode: sábado e domingo"),
        ("2ª a 6ª das 8 as 12", "não pode: segunda-feira a sexta-feira, 08:00 às 12:00"),
        ("SEGUNDA, QUARTA E SEXTA", "não pode: segunda-feira, quarta-feira e sexta-feira"),
        ("hora do almoço", "não pode: todos os dias, 12:00 às 14:00"),
        ("do meio-dia às 14h na sexta", "não pode: sexta-feira, 12:00 às 14:00"),
        ("qualquer horário", "sem restrição"),
        ("Não há restrições", "sem restrição"),
        ("nenhuma", "sem restrição"),
    ],
)
def test_r002_18_times_are_brought_to_one_line(raw: str, line: str) -> None:
    assert time_windows(raw) == (line, "")


@pytest.mark.parametrize(
    ("raw", "reason"), [("banana", "not_times"), ("das 22 às 6", "past_midnight"), ("", "not_times")]
)
def test_what_names_no_times_is_asked_for_again(raw: str, reason: str) -> None:
    assert time_windows(raw).reason == reason


@pytest.mark.parametrize(
    ("sentence", "speaks"),
    [
        ("Não posso às terças de manhã", True),
        ("Só posso receber no sábado", True),
        ("O técnico veio na terça de manhã", False),
        ("Não posso pagar isso", False),
        ("Chove de segunda a sexta", False),
    ],
)
def test_a_sentence_counts_only_where_it_says_itself_that_somebody_cannot_be_visited(
    sentence: str, speaks: bool
) -> None:
    assert speaks_of_visits(sentence) is speaks


_DAYS = st.lists(st.integers(0, 6), min_size=1, unique=True).map(lambda days: tuple(sorted(days)))
_HOURS = st.tuples(st.integers(0, 11), st.integers(12, 23)).map(lambda pair: (time(pair[0]), time(pair[1], 30)))
_WINDOWS = st.builds(
    lambda days, hours: TimeWindow(days=days, start=hours and hours[0], end=hours and hours[1]),
    _DAYS,
    st.none() | _HOURS,
)
_SOME = st.lists(_WINDOWS, max_size=4, unique=True).map(tuple)


@given(_SOME, _SOME)
def test_the_line_reads_back_as_the_same_times(
    impossible: tuple[TimeWindow, ...], possible: tuple[TimeWindow, ...]
) -> None:
    times = VisitTimes(impossible=impossible, possible=possible)
    assert read_times(said(times)) == times


@pytest.mark.parametrize(
    ("line", "local", "ruled_out"),
    [
        ("não pode: terça-feira, 06:00 às 12:00", datetime(2026, 12, 1, 9, tzinfo=UTC), True),
        ("não pode: terça-feira, 06:00 às 12:00", datetime(2026, 12, 1, 12, tzinfo=UTC), False),
        ("não pode: terça-feira, 06:00 às 12:00", datetime(2026, 12, 2, 9, tzinfo=UTC), False),
        ("não pode: todos os dias, a partir das 18:00", datetime(2026, 12, 2, 19, tzinfo=UTC), True),
        ("pode: sábado", datetime(2026, 12, 2, 9, tzinfo=UTC), True),
        ("pode: sábado", datetime(2026, 12, 5, 9, tzinfo=UTC), False),
        ("não pode: todos os dias | pode: quarta-feira", datetime(2026, 12, 2, 9, tzinfo=UTC), False),
        (
            "não pode: quarta-feira | pode: todos os dias, 06:00 às 12:00",
            datetime(2026, 12, 2, 9, tzinfo=UTC),
            True,
        ),
        ("sem restrição", datetime(2026, 12, 2, 9, tzinfo=UTC), False),
    ],
)
def test_r002_18_a_moment_is_held_against_the_times_that_were_said(
    line: str, local: datetime, ruled_out: bool
) -> None:
    assert rules_out(line, local) is ruled_out
