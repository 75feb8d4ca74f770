"""``mailbot customers``: what is entered, what is found, what is refused and why."""

from __future__ import annotations

from pathlib import Path

import pytest

from mailbot.domain.events import Audience, LetterKind
from mailbot.domain.ticket import Status
from tests.cli.conftest import Cli
from tests.flows.house import TestHouse, mail

JOSE = ("--first-name", "José", "--last-name", "Araújo", "--email", "Jose@Example.com.br")
FIRM = ("--company", "Viação Exemplo", "--cnpj", "12.ABC.345/01DE-35", "--last-name", "Araújo")

RECORD_KEYS = [
    "id", "kind", "name", "first_name", "last_name", "cpf", "mobile", "company", "cnpj", "corporate", "owner",
    "authorised", "addresses", "contracts", "services", "language", "confirmed",
]  # fmt: skip


def ids(cli: Cli, *search: str) -> list[int]:
    return [one["id"] for one in cli("customers", "search", *search, "--json").json]


def test_r002_11_entering_the_same_twice_changes_nothing_and_more_brings_up_to_date(cli: Cli) -> None:
    assert cli("customers", "add", *JOSE, "--json").json == {"id": 1, "person": 1, "outcome": "created"}
    assert cli("customers", "add", *JOSE, "--json").json["outcome"] == "unchanged"
    more = cli("customers", "add", *JOSE, "--cpf", "529.982.247-25", "--mobile", "62 99999-8888", "--json").json
    assert more == {"id": 1, "person": 1, "outcome": "updated"}
    shown = cli("customers", "show", "1", "--json").json
    assert (shown["cpf"], shown["mobile"], shown["first_name"]) == ("52998224725", "62999998888", "José")
    assert shown["addresses"] == [{"address": "jose@example.com.br", "verified": True}]
    assert [(one["actor"], one["kind"], one["field"], one["new"]) for one in shown["events"]] == [
        ("admin", "created", "", ""),
        ("admin", "changed", "cpf", "52998224725"),
        ("admin", "changed", "mobile", "62999998888"),
    ]


def test_a_record_has_every_promised_key_whatever_its_kind(cli: Cli) -> None:
    cli("customers", "add", *FIRM, "--email", "jose@example.com.br", "--contract", "L-1", "--property", "Rua 1")
    [person] = cli("customers", "search", "viacao", "--json").json
    assert list(person) == [*RECORD_KEYS, "companies"]
    [company] = person["companies"]
    assert list(company) == RECORD_KEYS
    assert company["cnpj"] == "12ABC34501DE35"
    assert company["contracts"] == [{"number": "L-1", "property_address": "Rua 1", "kind": ""}]
    assert list(cli("customers", "show", "2", "--json").json) == [*RECORD_KEYS, "accounts", "events"]


@pytest.mark.parametrize("nothing", [(), ("",), ("  ", "--name", " ")])
def test_r002_03_a_search_for_nothing_is_not_made(cli: Cli, nothing: tuple[str, ...]) -> None:
    ran = cli("customers", "search", *nothing)
    assert (ran.exit_code, ran.stdout) == (2, "")
    assert "at least one filter must be filled" in ran.stderr


def test_r002_02_any_part_of_any_field_and_several_of_them(cli: Cli) -> None:
    cli("customers", "add", *JOSE, "--cpf", "529.982.247-25", "--mobile", "(62) 99999-8888")
    cli("customers", "add", "--first-name", "José", "--last-name", "Lima", "--email", "lima@example.com.br")
    assert ids(cli, "JOSE") == [1, 2]
    assert ids(cli, "jose", "araujo") == ids(cli, "--cpf", "247-25") == ids(cli, "--phone", "99998888") == [1]
    assert ids(cli, "--name", "jose", "--email", "lima@") == [2]
    assert ids(cli, "nobody") == []
    assert cli("customers", "search", "nobody").exit_code == 0


@pytest.mark.parametrize(
    ("form", "why"),
    [
        (("--last-name", "Lima"), "a person needs an e-mail"),
        (("--email", "x@example.com.br"), "surname is required"),
        (("--last-name", "Lima", "--email", "x@example"), "no e-mail address"),
        (("--last-name", "Lima", "--email", "x@example.com.br", "--cpf", "529.982.247-26"), "no CPF"),
        (("--last-name", "Lima", "--email", "x@example.com.br", "--mobile", "9999-8888"), "no telephone"),
        (("--company", "X", "--last-name", "Lima", "--email", "x@example.com.br"), "CNPJ is required"),
        (("--cnpj", "12.ABC.345/01DE-35", "--last-name", "L", "--mobile", "62999998888"), "name is required"),
        ((*FIRM[:3], "12.ABC.345/01DE-36", *FIRM[4:]), "no CNPJ"),
        (FIRM, "e-mail address or a mobile"),
        ((*FIRM[:4], "--email", "x@example.com.br"), "surname is required"),
    ],
)
def test_r002_08_and_09_what_is_required_or_wrong_is_refused(cli: Cli, form: tuple[str, ...], why: str) -> None:
    ran = cli("customers", "add", *form)
    assert ran.exit_code == 2
    assert why in ran.stderr
    assert ids(cli, "l") == ids(cli, "x") == []


def test_r002_09_a_company_needs_no_email_where_its_contact_has_a_mobile(cli: Cli) -> None:
    assert cli("customers", "add", *FIRM, "--mobile", "62 99999-8888").exit_code == 0


def test_r002_10_an_address_or_number_of_another_is_refused_with_the_record_in_the_way(cli: Cli) -> None:
    cli("customers", "add", *JOSE, "--cpf", "529.982.247-25", "--contract", "L-1")
    other = ("--last-name", "Lima", "--cpf", "111.444.777-35", "--email")
    ran = cli("customers", "add", *other, "jose@example.com.br")
    assert (ran.exit_code, "(customer 1)" in ran.stderr) == (2, True)
    cli("customers", "add", *other, "lima@example.com.br")
    crossed = cli("customers", "add", *JOSE, "--cpf", "111.444.777-35")
    assert crossed.exit_code == 2
    assert cli("customers", "link", "2", "--email", "JOSE@example.com.br").exit_code == 2
    assert cli("customers", "link", "2", "--contract", "l 1").exit_code == 2
    assert cli("customers", "show", "2", "--json").json["contracts"] == []


def test_r002_12_a_person_becomes_no_company_but_speaks_for_one(cli: Cli) -> None:
    cli("customers", "add", *JOSE)
    entered = cli("customers", "add", *FIRM, "--email", "jose@example.com.br", "--json").json
    assert entered == {"id": 2, "person": 1, "outcome": "created"}
    assert cli("customers", "show", "1", "--json").json["kind"] == "person"
    shown = cli("customers", "show", "2", "--json").json
    assert (shown["kind"], shown["owner"], shown["addresses"]) == ("company", 1, [])
    assert cli("customers", "show", "1", "--json").json["accounts"] == [2]


def test_people_addresses_and_contracts_are_linked(cli: Cli) -> None:
    cli("customers", "add", *FIRM, "--email", "jose@example.com.br")
    cli("customers", "add", "--last-name", "Lima", "--email", "lima@example.com.br")
    linked = cli(
        "customers", "link", "2", "--email", "obras@example.com.br", "--person", "3", "--contract", "9", "--json"
    )
    assert linked.json["authorised"] == [3]
    assert ids(cli, "obras") == [1]
    assert cli("customers", "link", "2", "--person", "2").exit_code == 2
    assert cli("customers", "link", "2", "--remove-person", "3", "--json").json["authorised"] == []
    assert cli("customers", "link", "2").exit_code == 2
    assert cli("customers", "link", "99", "--contract", "1").exit_code == 2
    assert "contact_removed" in cli("customers", "show", "2").stdout


def test_a_ticket_that_waited_only_to_be_told_whose_it_is_goes_to_its_queue(house: TestHouse, cli: Cli) -> None:
    cli("customers", "add", *JOSE, "--contract", "L-1")
    cli("customers", "add", *FIRM, "--email", "jose@example.com.br", "--contract", "L-2")
    text = "Nome: José\nSobrenome: Lima\nNúmero do contrato: L-9\nProblema: a torneira está vazando\n"
    house.receive(mail(text, subject="MANUTENÇÃO DO IMÓVEL", sender="jose@example.com.br"))
    [ticket] = house.tickets()
    assert (ticket.status, ticket.missing) == (Status.AWAITING_REQUESTER, ("customer",))
    told = len(house.letters(Audience.REQUESTER))
    assert cli("customers", "link", "2", "--ticket", ticket.number).exit_code == 0
    [ticket] = house.tickets()
    assert (ticket.customer.customer_id, ticket.customer.by_hand) == (2, True)
    assert (ticket.status, ticket.missing, ticket.asked_at) == (Status.OPEN, (), None)
    assert house.letters(Audience.STAFF)[-1].letter is LetterKind.TICKET_READY
    assert len(house.letters(Audience.REQUESTER)) == told


def test_a_ticket_is_linked_by_hand(house: TestHouse, cli: Cli) -> None:
    cli("customers", "add", *JOSE, "--contract", "L-1")
    house.receive(mail("Preciso de um favor", subject="Pergunta", sender="alguem@example.com.br"))
    assert cli("customers", "link", "1", "--ticket", "2026-000009").exit_code == 2
    assert cli("customers", "link", "1", "--ticket", "#2026-000001").exit_code == 0
    [ticket] = house.tickets()
    assert (ticket.customer.customer_id, ticket.customer.contract, ticket.customer.by_hand) == (1, "L-1", True)


def test_what_people_read_has_no_control_characters(cli: Cli) -> None:
    cli("customers", "add", "--first-name", "Ev\x1b[31mil", "--last-name", "Lima", "--email", "e@example.com.br")
    assert "\x1b" not in cli("customers", "search", "lima").stdout + cli("customers", "show", "1").stdout


LIST = """\ufefflast_name;first_name;email;cpf;company;cnpj;mobile;contract;property
Araújo;José;jose@example.com.br;529.982.247-25;;;;L-1;Rua 1, casa 2
Araújo;José;jose@example.com.br;;;;;L-2;"Rua 2; fundos"

Lima;Ana;;;Viação Exemplo;12.ABC.345/01DE-35;62 99999-8888;;
Lima;Bia;;;;;;;
"""


def test_a_list_is_entered_and_read_again_changes_nothing(cli: Cli, tmp_path: Path) -> None:
    file = tmp_path / "clientes.csv"
    file.write_text(LIST, encoding="utf-8")
    ran = cli("customers", "import", str(file), "--json")
    assert ran.exit_code == 1
    assert ran.json == {
        "created": 2,
        "updated": 1,
        "unchanged": 0,
        "refused": 1,
        "problems": [{"line": 6, "problems": ["email_missing"]}],
    }
    assert "line 6: a person needs an e-mail" in ran.stderr
    again = cli("customers", "import", str(file), "--json").json
    assert (again["created"], again["updated"], again["unchanged"]) == (0, 0, 3)
    [jose] = cli("customers", "search", "jose", "--json").json
    assert [one["property_address"] for one in jose["contracts"]] == ["Rua 1, casa 2", "Rua 2; fundos"]


def test_a_dry_run_says_what_would_happen_and_enters_nothing(cli: Cli, tmp_path: Path) -> None:
    file = tmp_path / "clientes.csv"
    file.write_text(LIST, encoding="utf-8")
    assert cli("customers", "import", str(file), "--dry-run", "--json").json["created"] == 2
    assert ids(cli, "a") == []


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "last_name is missing"),
        (b"name,email\n", "no such field: name"),
        (b"last_name,last_name\n", "stands twice"),
        (b"last_name,kind\nLima,alien\n", "x.csv:2"),
        ("last_name\nAraújo\n".encode("latin-1"), "UTF-8"),
    ],
)
def test_what_is_no_list_is_refused_whole(cli: Cli, tmp_path: Path, content: bytes, why: str) -> None:
    (tmp_path / "x.csv").write_bytes(content)
    ran = cli("customers", "import", str(tmp_path / "x.csv"))
    assert ran.exit_code == 2
    assert why in ran.stderr
    assert cli("customers", "import", str(tmp_path / "none.csv")).exit_code == 2
