"""What an agent orders by mail and an administrator types ends in the same ticket, history, letters and books."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mailbot.adapters.clock import SystemClock
from mailbot.domain.events import ADMIN, Audience, EventKind, LetterKind, OutboundLetter
from mailbot.domain.ticket import Status, Ticket
from mailbot.flows.customers import CustomerForm, Saved, save
from tests.cli.conftest import Cli
from tests.flows.house import NOON, REPOSITORY, TestHouse, mail
from tests.flows.test_work_orders import CONFIRMED, books, notice, order, ticket

ANA = "ana@example.com.br"
AGENT = "bruno@example.com.br"
CLIENT = "marta@padaria.example"
FILLED_IN = "#campo Grupo Serviço: Manutenção on site\n#campo Serviço: Corretiva\n"


@pytest.fixture(autouse=True)
def _same_hour(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command line has a clock of its own."""
    monkeypatch.setattr(SystemClock, "now", lambda _: NOON)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A book leaves only for a client for whom service orders may be opened, by its record."""
    folder = tmp_path / "config"
    shutil.copytree(REPOSITORY / "config", folder)
    path = folder / "catalogue" / "corporate_work_order.yaml"
    text = path.read_text(encoding="utf-8")
    text = text.replace(
        "facts:\n",
        "customer:\n  label: CNPJ\n  question: Qual é o CNPJ?\nfacts:\n"
        "  corporate: {from: customer_is, what: corporate, label: cliente corporativo}\n",
    )
    text = text.replace(
        "  # R001-14 e R001-15.\n",
        "  - when: {corporate: {known: false}}\n    then: {action: suggest, note: De quem é o pedido?}\n"
        "  - when: {corporate: false}\n    then: {action: suggest, note: Não é cliente corporativo.}\n",
    )
    path.write_text(text, encoding="utf-8")
    return folder


@pytest.fixture
def house(tmp_path: Path, config: Path) -> Iterator[TestHouse]:
    """The one where an administrator types."""
    with TestHouse(tmp_path, config_dir=config) as made:
        yield made


@pytest.fixture
def by_mail(tmp_path: Path, config: Path) -> Iterator[TestHouse]:
    """The one where an agent writes."""
    with TestHouse(tmp_path / "by_mail", config_dir=config) as made:
        yield made


def enter(house: TestHouse, **form: Any) -> None:
    with house.app.storage.write() as work:
        assert isinstance(save(work, CustomerForm(**form), actor=ADMIN, now=house.clock.now()), Saved)


def with_request(house: TestHouse, *stated: dict[str, str], sender: str = f"Marta Reis <{CLIENT}>") -> str:
    """A corporate client's order whose service a person must fill in."""
    bakery = {"company": "Padaria Exemplo", "cnpj": "44.555.666/0001-81", "last_name": "Reis", "email": CLIENT}
    enter(house, kind="company", corporate=True, **bakery)
    house.receive(order({"Erro": "a gaveta faz um barulho estranho"}, CONFIRMED, *stated, sender=sender))
    assert (ticket(house).status, books(house)) == (Status.OPEN, [])
    return ticket(house).number


def sense(house: TestHouse) -> list[tuple[str, str, str]]:
    """What was written to clients and sectors, but for what is drawn anew for each letter and who signs it."""
    letters = [one for one in house.letters() if one.audience is not Audience.STAFF]
    return [(one.letter, one.recipient.address, _plain(one)) for one in letters]


def _plain(letter: OutboundLetter) -> str:
    return letter.text.replace(letter.handle, "").replace("Bruno", "Central de Atendimento")


def history(house: TestHouse) -> list[tuple[str, ...]]:
    """What happened, and by whom: an agent, or whoever typed in their place. An agent takes what they answer."""
    with house.app.storage.read() as work:
        events = work.tickets.events(ticket(house).number)
    told = [one for one in events if one.kind is not EventKind.ASSIGNED]
    return [(ADMIN if one.actor == AGENT else one.actor, one.kind, one.old, one.new, one.detail) for one in told]


def state(house: TestHouse) -> dict[str, object]:
    one: Ticket = ticket(house)
    return {
        "status": one.status,
        "resolution": one.resolution,
        "fields": one.fields,
        "missing": one.missing,
        "ruling": one.ruling,
        "customer": one.customer,
        "book": one.sector_book,
        "due": one.due_at,
    }


def test_r001_01_a_book_that_depends_on_the_clients_record_leaves_by_mail_and_by_command(
    house: TestHouse, by_mail: TestHouse, cli: Cli
) -> None:
    number = with_request(house)
    assert with_request(by_mail) == number
    assert cli("tickets", "reply", number, FILLED_IN, "--json").json["done"]
    by_mail.agent_reply(notice(by_mail), FILLED_IN)
    for one in (house, by_mail):
        assert [book.recipient.address for book in books(one)] == ["ordens@example.com.br"]
    assert state(house) == state(by_mail)
    assert history(house) == history(by_mail)
    assert sense(house) == sense(by_mail)


def test_whose_the_request_is_said_to_be_counts_for_its_book_by_mail_and_by_command(
    house: TestHouse, by_mail: TestHouse, cli: Cli
) -> None:
    for one in (house, by_mail):
        enter(one, kind="person", last_name="Lima", cpf="529.982.247-25", email="joao@cliente.example")
        number = with_request(one, {"CPF": "529.982.247-25"}, sender="marta@casa.example")
    with house.app.storage.read() as work:
        records = [work.customers.get(one) for one in ticket(house).customer.candidates]
    chosen = [record.name for record in records if record is not None].index("Padaria Exemplo") + 1
    words = f"#cliente {chosen}\n{FILLED_IN}"
    assert cli("tickets", "reply", number, words, "--json").json["done"]
    by_mail.agent_reply(notice(by_mail), words)
    assert [len(books(one)) for one in (house, by_mail)] == [1, 1]
    assert state(house) == state(by_mail)
    assert history(house) == history(by_mail)
    assert sense(house) == sense(by_mail)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("decide", "approve", "Vamos agendar."), "#autorizar\nVamos agendar."),
        (("decide", "deny", "Fora da garantia."), "#negar\nFora da garantia."),
        (("reply", f"{FILLED_IN}#resolver Resolvido."), f"{FILLED_IN}#resolver Resolvido."),
        (("reply", "Qual é a cor?"), "Qual é a cor?"),
    ],
)
def test_a_decision_or_an_answer_is_the_same_by_mail_and_by_command(
    house: TestHouse, by_mail: TestHouse, cli: Cli, arguments: tuple[str, ...], words: str
) -> None:
    number = with_request(house)
    with_request(by_mail)
    assert cli("tickets", arguments[0], number, *arguments[1:], "--json").json["done"]
    by_mail.agent_reply(notice(by_mail), words)
    assert state(house) == state(by_mail)
    assert history(house) == history(by_mail)
    assert sense(house) == sense(by_mail)


def test_a_trial_shows_the_book_that_would_leave(house: TestHouse, cli: Cli) -> None:
    number = with_request(house)
    said = cli("tickets", "reply", number, FILLED_IN, "--dry-run", "--json").json
    assert LetterKind.SECTOR_BOOK in {one["letter"] for one in said["letters"]}
    assert books(house) == []


REPAIR = "Número do contrato: LOC-1\nProblema: a torneira está vazando\nCPF: 529.982.247-25\n"


def test_r002_06_whom_nobody_knew_gets_a_record_however_their_request_is_opened(
    house: TestHouse, by_mail: TestHouse, cli: Cli
) -> None:
    opened = ("tickets", "open", "joao@cliente.example", REPAIR, "--name", "João Lima")
    assert cli(*opened, "--type", "property_maintenance", "--json").exit_code == 0
    text = f"#abrir\n#tipo property_maintenance\nCliente: João Lima <joao@cliente.example>\n{REPAIR}"
    by_mail.receive(mail(text, subject="telefone", sender=ANA))
    for one in (house, by_mail):
        with one.app.storage.read() as work:
            record = work.customers.of_address("joao@cliente.example")
        assert record is not None
        assert (record.name, record.confirmed) == ("João Lima", False)
        assert ticket(one).customer.customer_id == record.id
    assert state(house) == state(by_mail)
    assert [one[:2] for one in sense(house)] == [one[:2] for one in sense(by_mail)]
