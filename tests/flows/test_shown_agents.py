"""What customers see of who answers them: a name, a role or the queue, and never an agent's own address."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mailbot.domain.events import Audience, LetterKind, OutboundLetter
from tests.flows.house import CUSTOMER, MAILBOX, TestHouse, mail
from tests.flows.staffing import config


def answered(tmp_path: Path, text: str, **staff: Any) -> tuple[TestHouse, OutboundLetter]:
    """A house in which Ana has answered Maria, and the letter."""
    house = TestHouse(tmp_path, config_dir=config(tmp_path, **staff))
    house.receive(mail("Bom dia, preciso de ajuda com uma coisa.", subject="Dúvida"))
    notice = next(one for one in house.letters(Audience.STAFF) if one.recipient.address == "ana@example.com.br")
    house.agent_reply(notice, text)
    return house, house.letters(Audience.REQUESTER)[-1]


AGENTS = [
    {"key": "ana", "name": "Ana Lima", "address": "ana@example.com.br", "shown_as": "Equipe de vistorias"},
    {"key": "bruno", "name": "Bruno", "address": "bruno@example.com.br"},
    {"key": "carla", "name": "Carla", "address": "carla@example.com.br"},
]


@pytest.mark.parametrize(
    ("staff", "sender", "below"),
    [
        ({}, "Ana (Atendimento geral)", "Ana · Atendimento geral"),
        ({"agents": AGENTS}, "Equipe de vistorias (Atendimento geral)", "Equipe de vistorias · Atendimento"),
        ({"show_agents": "queue"}, "Atendimento geral", "· Atendimento geral"),
    ],
)
def test_the_setting_says_whom_a_letter_names(
    tmp_path: Path, staff: dict[str, Any], sender: str, below: str
) -> None:
    house, letter = answered(tmp_path, "Pode vir.", **staff)
    with house:
        assert letter.letter is LetterKind.AGENT_ANSWER
        assert (letter.sender_name, below in letter.text) == (sender, True)
        if staff:
            assert "Ana" not in letter.text + letter.html + letter.sender_name


def test_no_letter_carries_an_agents_address_whoever_wrote_it_there(tmp_path: Path) -> None:
    text = "Escreva para Ana@Example.com.br ou bruno@example.com.br.\nNão para banana@example.com.br."
    house, letter = answered(tmp_path, text)
    with house:
        for words in (letter.text, letter.html):
            assert "bruno@" not in words
            assert words.lower().count("ana@example.com.br") == 1
        assert f"Escreva para {MAILBOX} ou {MAILBOX}." in letter.text
        assert "banana@example.com.br" in letter.text


def test_the_history_that_customers_ask_for_names_nobody_else_either(tmp_path: Path) -> None:
    house, _ = answered(tmp_path, "Escreva para ana@example.com.br.", show_agents="queue")
    with house:
        house.receive(mail("", subject="DETALHES 1", sender=CUSTOMER))
        details = house.letters(Audience.REQUESTER)[-1]
        assert details.letter is LetterKind.TICKET_DETAILS
        assert "Escreva para" in details.text
        assert "ana" not in [word.strip(".,:").lower() for word in details.text.split()]
        assert "ana@" not in details.text


def test_a_house_may_let_its_agents_addresses_stand(tmp_path: Path) -> None:
    house, letter = answered(tmp_path, "Escreva para ana@example.com.br.", hide_agents_addresses=False)
    with house:
        assert "Escreva para ana@example.com.br." in letter.text
