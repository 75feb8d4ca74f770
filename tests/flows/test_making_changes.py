"""Letters are written before the commit that they belong to, and say the same as if they were written in it."""

from __future__ import annotations

import itertools
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from mailbot.correspondence.render import LetterRenderer
from mailbot.domain.events import LetterKind, OutboundLetter
from mailbot.flows import making_changes
from mailbot.flows.mail_as_cause import placeholder_number
from mailbot.flows.making_changes import ChangeMaker
from tests.flows.house import BOLETO, LICENCE, RECEIPT, REPOSITORY, REQUEST, TestHouse, mail

_GOLDEN = [
    re.sub(rb"(?im)^Message-ID:[^\r\n]*", b"Message-ID: <golden.%d@example.com.br>" % number, path.read_bytes())
    for number, path in enumerate(sorted((REPOSITORY / "tests" / "mails").glob("*.eml")))
]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[TestHouse]:
    with TestHouse(tmp_path) as opened:
        yield opened


def sense(letter: OutboundLetter) -> dict[str, object]:
    """All of a letter but what is drawn for each letter anew."""
    return {
        "kind": letter.letter,
        "recipient": letter.recipient,
        "ticket": letter.ticket_number,
        "subject": letter.subject,
        "text": letter.text.replace(letter.handle, "HANDLE"),
        "html": letter.html.replace(letter.handle, "HANDLE"),
        "pages": letter.pages,
        "in reply to": letter.in_reply_to,
        "references": len(letter.references),
        "not before": letter.not_before,
        "status": (letter.status, letter.hold_reason),
    }


def history(house: TestHouse) -> list[tuple[object, ...]]:
    with house.app.storage.read() as work:
        return [
            (ticket, tuple(work.tickets.events(ticket.number)), tuple(work.tickets.messages(ticket.number)))
            for ticket in house.tickets()
        ]


def live(house: TestHouse, monkeypatch: pytest.MonkeyPatch) -> None:
    """A day of a mailbox: every kind of fresh mail, a missing paper, questions, an agent's answer and decision."""
    monkeypatch.setattr("tests.flows.house._NUMBERS", itertools.count(1))
    for raw in _GOLDEN:
        house.receive(raw)
    house.receive(mail(REQUEST, message_id="first", sender="carla@example.com.br", files=[BOLETO]))
    number = house.tickets()[-1].number
    first = house.letters(ticket=number)[-1]
    house.requester_reply(first, "Seguem os outros.", files=[RECEIPT, LICENCE])
    notice = next(one for one in house.letters(ticket=number) if one.letter is LetterKind.TICKET_READY)
    house.agent_reply(notice, "Qual é a placa do veículo?")
    asked = [one for one in house.letters(ticket=number) if one.letter is LetterKind.AGENT_ANSWER][-1]
    house.requester_reply(asked, "A placa é ABC1D23.")
    house.agent_reply(notice, "#autorizar")


def without_preparing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ChangeMaker, "prepare", lambda *_: None)


def test_tickets_and_letters_are_the_same_whether_they_are_prepared_or_made_in_the_commit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with TestHouse(tmp_path / "prepared") as prepared, TestHouse(tmp_path / "made") as made:
        live(prepared, monkeypatch)
        without_preparing(monkeypatch)
        live(made, monkeypatch)
        ours, theirs = prepared.letters(), made.letters()
        assert len(ours) > len(_GOLDEN) // 2
        for one, other in zip(ours, theirs, strict=True):
            assert sense(one) == sense(other)
        assert _told(history(prepared)) == _told(history(made))


def _told(past: list[tuple[object, ...]]) -> str:
    # Message-IDs of our own letters are drawn anew.
    return re.sub(r"[A-Za-z0-9_-]{20,}", "…", repr(past))


def test_nothing_is_rendered_while_others_wait_to_write(house: TestHouse, monkeypatch: pytest.MonkeyPatch) -> None:
    rendered: list[bool] = []
    writing = False
    storage = house.app.storage
    original_write, original_render = storage.write, LetterRenderer.render

    @contextmanager
    def write() -> Iterator[Any]:
        nonlocal writing
        with original_write() as work:
            writing = True
            try:
                yield work
            finally:
                writing = False

    def render(self: LetterRenderer, *arguments: Any, **options: Any) -> Any:
        rendered.append(writing)
        return original_render(self, *arguments, **options)

    monkeypatch.setattr(storage, "write", write)
    monkeypatch.setattr(LetterRenderer, "render", render)
    house.receive(mail(REQUEST, files=[BOLETO]))
    [first] = house.letters()
    house.requester_reply(first, "Seguem.", files=[RECEIPT, LICENCE])
    assert len(rendered) >= 3
    assert not any(rendered)


def test_no_letter_and_no_ticket_shows_the_number_that_kept_the_place(
    house: TestHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: list[str] = []

    def noted() -> str:
        kept.append(placeholder_number())
        return kept[-1]

    monkeypatch.setattr(making_changes, "placeholder_number", noted)
    for raw in _GOLDEN:
        house.receive(raw)
    assert len(kept) > len(_GOLDEN) // 2
    everything = repr(house.letters()) + repr(history(house))
    assert not [number for number in kept if number in everything or number[:7] in everything]


def test_a_senders_own_words_keep_whatever_number_stands_in_them(house: TestHouse) -> None:
    house.receive(mail(f"Nome: Maria 0000-123456\n{REQUEST}", subject="ALTERAÇÃO DE LOCAL 0000-000000"))
    [ticket] = house.tickets()
    assert ticket.number == "2026-000001"
    [letter] = house.letters()
    assert "0000-000000" in letter.subject
    assert letter.subject.startswith("[Chamado #2026-000001]")


def test_the_place_is_kept_by_a_number_that_no_ticket_can_have() -> None:
    numbers = {placeholder_number() for _ in range(200)}
    assert len(numbers) > 100
    assert all(re.fullmatch(r"0000-\d{6}", number) for number in numbers)


@pytest.mark.parametrize("said", ["{{ ticket_number[5:] }}", "{{ ticket_number.replace('-', '/') }}"])
def test_a_house_whose_template_takes_the_number_apart_is_told_the_tickets_own(tmp_path: Path, said: str) -> None:
    templates = tmp_path / "templates"
    shutil.copytree(REPOSITORY / "templates", templates)
    (templates / "letters" / "ticket_opened" / "subject.txt").write_text(f"Pedido {said}", encoding="utf-8")
    with TestHouse(tmp_path / "house", templates_dir=str(templates)) as house:
        house.receive(mail("Qual o prazo?", subject="Dúvida"))
        assert house.letters()[0].subject in ("Pedido 000001", "Pedido 2026/000001")
