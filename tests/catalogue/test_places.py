"""Places in running text are units or nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from mailbot.catalogue.folding import fold_words
from mailbot.catalogue.load import load_catalogue
from mailbot.catalogue.places import read_title, route_in

CATALOGUE = load_catalogue(Path(__file__).resolve().parents[2] / "config")
CHANGE = CATALOGUE.type("inspection_location_change")


@pytest.mark.parametrize(
    ("text", "route"),
    [
        ("de Rio Verde para Jataí", ("rio_verde", "jatai")),
        ("mudar Rio Verde p/ a cidade de Aparecida de Goiânia, obrigado", ("rio_verde", "aparecida_de_goiania")),
        ("da unidade Goiânia pra Anápolis", ("goiania", "anapolis")),
        ("de 20/11 para 25/11", None),
        ("de Rio Verde para amanhã", None),
        ("de Rio Verde para Jataí ou de Goiânia para Anápolis", None),
        ("de Rio Verde para Jataí, repito: de Rio Verde para Jataí", ("rio_verde", "jatai")),
        ("para Jataí", None),
        ("", None),
    ],
)
def test_a_route_has_a_unit_on_both_sides(text: str, route: tuple[str, str] | None) -> None:
    found = route_in(fold_words(text).split(), CATALOGUE.units)
    assert (None if found is None else (found[0].key, found[1].key)) == route


@pytest.mark.parametrize(
    "text", ["Alteração de data para 25/11", "Alteração de Rio Verde", "Rio Verde para Jataí", ""]
)
def test_a_title_that_lacks_a_unit_is_none(text: str) -> None:
    assert read_title(CHANGE, fold_words(text).split(), CATALOGUE.units) is None


def test_a_title_gives_its_units_by_field_and_the_words_after_it() -> None:
    words = fold_words("Alteração de Águas Lindas para Novo Gama - placa ABC1D23").split()
    title = read_title(CHANGE, words, CATALOGUE.units)
    assert title is not None
    assert {key: unit.key for key, unit in title.units.items()} == {
        "origin_unit": "aguas_lindas",
        "destination_unit": "novo_gama",
    }
    assert title.rest == ("placa", "abc1d23")


def test_a_type_without_places_in_its_title_reads_none() -> None:
    assert read_title(CATALOGUE.type("general"), ["alteracao"], CATALOGUE.units) is None
