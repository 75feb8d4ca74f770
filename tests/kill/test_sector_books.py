"""Killed while a sector is sent its book: it gets it, and the request is *Em Espera* exactly once (R001-03)."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from mailbot.domain.events import EventKind, LetterKind, LetterStatus
from mailbot.domain.outbox import LetterRow
from mailbot.domain.ticket import Status
from tests.kill.site import AGENT, Embedded, Site
from tests.kill.stopping import SMTP_STEPS

pytestmark = pytest.mark.kill

WHEN = ("before", "after")
ORDER = """\
CNPJ: 44.555.666/0001-81
Razão Social: Padaria Exemplo Ltda
Nome: Marta Reis
Endereço: Rua das Flores, 100, Goiânia
UF: GO
Telefone: (62) 99999-0000
Número de série: BR0001
Erro: o ECF está inoperante
Confirma o cadastro: sim
"""
STEPS = (
    *(f"{when} the commit of {name}" for name in ("claim letter", "transmitting", "record") for when in WHEN),
    *(f"{when} compose" for when in WHEN),
    *SMTP_STEPS,
)


class Book:
    """A site on which nothing is left to do but to send one book."""

    def __init__(self, embedded: Embedded, site: Site) -> None:
        self.site = site
        self.sector = embedded.new_user("ordens")
        staff = Path(site.settings["MAILBOT_CONFIG_DIR"]) / "staff.yaml"
        text = staff.read_text(encoding="utf-8")
        assert "ordens@example.com.br" in text
        staff.write_text(text.replace("ordens@example.com.br", self.sector), encoding="utf-8")
        customer = embedded.new_user("cliente")
        site.customer_writes(customer, "ABERTURA DE O.S.", ORDER)
        everybody_else = {"MAILBOT_SEND": "allowlist", "MAILBOT_SEND_ALLOWLIST": f"{customer}, {AGENT}"}
        site.settings |= everybody_else
        site.round()
        for name in everybody_else:
            del site.settings[name]
        assert self.letter().status is LetterStatus.HELD
        assert self.stands() == (Status.OPEN, 0)
        assert site.run("-m", "mailbot", "outbox", "release", "--ticket", self.number) == 0

    @property
    def number(self) -> str:
        (ticket,) = self.site.tickets()
        return ticket.number

    def letter(self) -> LetterRow:
        (one,) = [letter for letter in self.site.letters() if letter.letter is LetterKind.SECTOR_BOOK]
        return one

    def stands(self) -> tuple[Status, int]:
        """The ticket's status, and how often it went on hold."""
        with self.site.storage() as storage, storage.read() as work:
            events = work.tickets.events(self.number)
        went = [one for one in events if one.kind is EventKind.STATUS_CHANGED and one.new == Status.ON_HOLD]
        (ticket,) = self.site.tickets()
        return ticket.status, len(went)


@pytest.fixture
def book(embedded: Embedded, site: Site) -> Book:
    return Book(embedded, site)


@pytest.mark.parametrize("step", STEPS)
def test_r001_03_killed_at_any_step_of_sending_the_sector_has_its_book_and_the_ticket_waits_once(
    book: Book, step: str
) -> None:
    site = book.site
    stopped = site.run("-m", "tests.kill.stopping", "--at", step, "--", "run", "--once")
    assert stopped == -signal.SIGKILL, site.log.read_text()
    recorded = step == "after the commit of record"
    # On hold with the result, in one commit: never before it is known that the mail left.
    assert book.stands() == ((Status.ON_HOLD, 1) if recorded else (Status.OPEN, 0))
    site.round()
    assert book.stands() == (Status.ON_HOLD, 1)
    (contents,) = site.letters_to(book.sector).values()
    assert len(contents) == 1
    assert book.letter().status is LetterStatus.SENT
    before = (site.tickets(), site.letters())
    site.round()
    assert (site.tickets(), site.letters()) == before


def test_r001_03_a_book_of_which_nobody_knows_whether_it_left_holds_no_ticket(book: Book) -> None:
    site = book.site
    for _ in range(3):
        at = ["--at", "after the final dot", "--", "run", "--once"]
        assert site.run("-m", "tests.kill.stopping", *at) == -signal.SIGKILL
    site.round()
    assert book.letter().status is LetterStatus.NEEDS_PERSON
    assert book.stands() == (Status.OPEN, 0)
