"""The list of each working morning, and the week of managers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from mailbot.domain.events import Audience, LetterKind, OutboundLetter
from tests.flows.house import TestHouse, mail, reply_to
from tests.flows.staffing import ANA, BRUNO, CARLA, config

BOSS = "gerencia@example.com.br"


@contextmanager
def open_house(folder: Path, **changes: Any) -> Iterator[TestHouse]:
    settings = {"digest_at": "07:30"} | changes
    with TestHouse(folder, config_dir=config(folder, **settings)) as house:
        yield house


def digests(house: TestHouse, kind: LetterKind = LetterKind.DIGEST) -> list[OutboundLetter]:
    return [one for one in house.letters() if one.letter is kind]


def to(house: TestHouse, address: str) -> str:
    return next(one.text for one in digests(house)[::-1] if one.recipient.address == address)


def ask(house: TestHouse, number: int) -> None:
    house.receive(mail(f"Pergunta {number}", subject=f"Dúvida {number}", sender=f"c{number}@cliente.example"))


def test_each_agent_gets_one_list_a_day_also_where_there_is_nothing_to_do(tmp_path: Path) -> None:
    with open_house(tmp_path) as house:
        for _ in range(2):
            house.app.digests.tick()
        house.open().digests.tick()
        assert [one.recipient.address for one in digests(house)] == [ANA, BRUNO, CARLA]
        assert "Nada na sua fila hoje" in to(house, ANA)
        house.clock.advance(timedelta(days=1))
        house.app.digests.tick()
        assert len(digests(house)) == 6


def test_no_list_leaves_before_its_time_nor_on_days_off_nor_where_none_is_wanted(tmp_path: Path) -> None:
    with open_house(tmp_path) as house:
        house.clock.advance(timedelta(hours=-5))
        house.app.digests.tick()
        house.clock.advance(timedelta(days=5))
        house.clock.advance(timedelta(hours=5))
        house.app.digests.tick()
        assert digests(house) == []
    (tmp_path / "other").mkdir()
    with open_house(tmp_path / "other", digest_at=None) as house:
        house.app.digests.tick()
        assert digests(house) == []


def test_the_list_holds_own_tickets_those_of_nobody_and_what_is_late(tmp_path: Path) -> None:
    with open_house(tmp_path, kind={"answer_within_business_hours": 24}) as house:
        ask(house, 1)
        ask(house, 2)
        notice = next(one for one in house.letters() if one.letter is LetterKind.TICKET_READY)
        house.receive(reply_to(notice, "Vou ver."))
        house.clock.advance(timedelta(hours=-3))
        house.app.digests.tick()
        mine, others = to(house, ANA), to(house, BRUNO)
        first, second = (one.number for one in house.tickets())
        assert mine.index("SEUS CHAMADOS (1)") < mine.index(first) < mine.index("SEM RESPONSÁVEL")
        assert second in mine.partition("SEM RESPONSÁVEL NAS SUAS FILAS (1)")[2]
        assert first not in others
        house.clock.advance(timedelta(days=2))
        house.app.digests.tick()
        late = to(house, ANA).partition("ATRASADOS (2)")[2]
        assert first in late
        assert second in late
        assert "ATRASADO" in late


def test_who_is_absent_gets_no_list_and_the_deputy_gets_both(tmp_path: Path) -> None:
    away = [{"since": "2026-11-24", "until": "2026-11-30", "deputy": "bruno"}]
    agents = [
        {"key": "ana", "name": "Ana", "address": ANA, "absences": away},
        {"key": "bruno", "name": "Bruno", "address": BRUNO},
    ]
    with open_house(tmp_path, agents=agents) as house:
        ask(house, 1)
        notice = next(one for one in house.letters() if one.letter is LetterKind.TICKET_READY)
        house.receive(reply_to(notice, "Vou ver."))
        house.clock.advance(timedelta(days=1))
        house.app.digests.tick()
        assert [one.recipient.address for one in digests(house)] == [BRUNO]
        assert house.tickets()[0].number in to(house, BRUNO)
        assert "chamados de Ana" in to(house, BRUNO)


def test_managers_get_the_figures_of_the_week_before_once(tmp_path: Path) -> None:
    with open_house(tmp_path, managers=[BOSS]) as house:
        ask(house, 1)
        notice = next(one for one in house.letters() if one.letter is LetterKind.TICKET_READY)
        house.receive(reply_to(notice, "#resolver Pronto."))
        ask(house, 2)
        house.clock.advance(timedelta(days=7))
        for _ in range(2):
            house.app.digests.tick()
        house.clock.advance(timedelta(days=1))
        house.app.digests.tick()
        (letter,) = digests(house, LetterKind.DIGEST_MANAGERS)
        assert letter.recipient.address == BOSS
        for line in ("Abertos na semana: 2", "Concluídos na semana: 1", "Em aberto agora: 1", "Atendimento geral"):
            assert line in letter.text


def test_r000_12_managers_read_how_many_requests_ended_for_lack_of_an_answer(tmp_path: Path) -> None:
    with open_house(tmp_path, managers=[BOSS]) as house:
        house.receive(mail("Local atual: Rio Verde"))
        for _ in range(10):
            house.clock.advance(timedelta(days=1, minutes=1))
            house.app.upkeep.tick()
        house.clock.advance(timedelta(days=4))
        house.app.digests.tick()
        letter = digests(house, LetterKind.DIGEST_MANAGERS)[-1]
        assert "Concluídos na semana: 1, 1 por falta de resposta" in letter.text


def test_a_strangers_words_stand_in_a_list_as_words(tmp_path: Path) -> None:
    with open_house(tmp_path) as house:
        house.receive(mail("Oi", subject="<b>{{ 7*7 }}</b> [mb-aaaaaaaaaaaaaaaaaaaa]", sender="c@cliente.example"))
        house.app.digests.tick()
        (letter, *_) = digests(house)
        assert "<b>{{ 7*7 }}" not in letter.html
        assert "49" not in letter.text.partition("SEM RESPONSÁVEL")[2].partition("\n")[2]


def test_what_failed_in_an_agents_name_stands_in_the_list(tmp_path: Path) -> None:
    with open_house(tmp_path) as house:
        house.receive(mail("Preciso de ajuda com uma coisa.", subject="Dúvida"))
        notice = next(one for one in house.letters(Audience.STAFF) if one.recipient.address == ANA)
        for n in range(3):
            house.receive(reply_to(notice, f"#resolver {n}").replace(b"dmarc=pass", b"dmarc=none"))
        house.clock.advance(timedelta(hours=20))
        house.app.digests.tick()
        number = house.tickets()[0].number
        assert f"{number}: 3 mensagens em seu nome não foram aplicadas." in to(house, ANA)
        assert "em seu nome" not in to(house, BRUNO)
