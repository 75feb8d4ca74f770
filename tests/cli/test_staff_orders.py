"""``mailbot tickets open | reply | decide | reassign``: what staff do by mail, from the command line."""

from __future__ import annotations

from mailbot.domain.events import ADMIN, Audience, EventKind, LetterKind
from mailbot.domain.evidence import Verdict
from mailbot.domain.ticket import Resolution, Status
from tests.cli.conftest import Cli
from tests.flows.house import BOLETO, LICENCE, RECEIPT, REQUEST, TestHouse, mail


def with_ticket(house: TestHouse) -> str:
    house.receive(mail(REQUEST, files=[BOLETO, RECEIPT, LICENCE]))
    return house.tickets()[0].number


def test_an_administrator_decides_through_the_same_code_as_an_agents_mail(house: TestHouse, cli: Cli) -> None:
    number = with_ticket(house)
    said = cli("tickets", "decide", number, "deny", "A CNH venceu.", "--json").json
    assert (said["done"], said["ticket"]["resolution"]) == (True, "denied")
    assert said["lines"][0]["code"] == "done.negar"
    ticket = house.tickets()[0]
    assert (ticket.resolution, ticket.assignee) == (Resolution.DENIED, None)
    letter = house.letters(Audience.REQUESTER)[-1]
    assert letter.letter is LetterKind.DECISION
    assert "A CNH venceu." in letter.text
    with house.app.storage.read() as work:
        events = work.tickets.events(number)
    assert {one.actor for one in events if one.kind in (EventKind.DECIDED, EventKind.AGENT_ANSWERED)} == {ADMIN}
    assert cli("tickets", "decide", number, "undo", "--json").json["ticket"]["status"] == "open"
    assert LetterKind.DECISION not in {one.letter for one in house.letters(Audience.REQUESTER)}


def test_what_is_not_possible_is_said_and_ends_with_one(house: TestHouse, cli: Cli) -> None:
    number = with_ticket(house)
    ended = cli("tickets", "decide", number, "deny", "--json")
    assert ended.exit_code == 1
    assert (ended.json["done"], ended.json["refusal"]) == (False, "reason_missing")
    assert house.tickets()[0].status is Status.OPEN


def test_a_trial_changes_and_writes_nothing(house: TestHouse, cli: Cli) -> None:
    number = with_ticket(house)
    before, letters = house.tickets()[0], len(house.letters())
    said = cli("tickets", "decide", number, "approve", "--dry-run", "--json").json
    assert [one["letter"] for one in said["letters"]] == ["decision"]
    opened = cli("tickets", "open", "x@cliente.example", "Oi", "--dry-run", "--json").json
    assert opened["ticket"]["number"].endswith("-000000")
    assert house.tickets() == [before]
    assert len(house.letters()) == letters


def test_answers_notes_and_other_hands(house: TestHouse, cli: Cli) -> None:
    number = with_ticket(house)
    cli("tickets", "reply", number, "Pode vir na segunda.")
    assert "Pode vir na segunda." in house.letters(Audience.REQUESTER)[-1].text
    count = len(house.letters(Audience.REQUESTER))
    cli("tickets", "reply", number, "Conferir a placa.", "--note")
    assert len(house.letters(Audience.REQUESTER)) == count
    cli("tickets", "reassign", number, "--queue", "suporte_operacional", "--to", "bruno@example.com.br")
    ticket = house.tickets()[0]
    assert (ticket.queue, ticket.assignee) == ("suporte_operacional", "bruno@example.com.br")
    assert house.letters(Audience.STAFF)[-1].recipient.address == "bruno@example.com.br"


def test_r000_13_a_ticket_is_opened_in_a_customers_name(house: TestHouse, cli: Cli) -> None:
    said = cli(
        "tickets", "open", "Joao@Cliente.example", REQUEST, "--name", "João Lima",
        "--type", "inspection_location_change", "--subject", "Mudança", "--json",
    ).json  # fmt: skip
    ticket = house.tickets()[0]
    assert said["ticket"]["number"] == ticket.number
    assert (ticket.requester.address, ticket.requester.name) == ("joao@cliente.example", "João Lima")
    assert ticket.status is Status.AWAITING_REQUESTER
    assert house.letters(Audience.REQUESTER)[-1].recipient.address == "joao@cliente.example"


def test_another_type_has_the_papers_read_that_nobody_asked_for_before(house: TestHouse, cli: Cli) -> None:
    house.receive(mail(REQUEST, subject="ABERTURA DE O.S.", files=[BOLETO, RECEIPT, LICENCE]))
    [before] = house.tickets()
    assert before.request_type == "corporate_work_order"
    assert {one.verdict for one in before.documents} == {Verdict.NOT_CHECKED}
    words = "#tipo alteração de local\n#campo Novo local: Anápolis"
    trial = cli("tickets", "reply", before.number, words, "--dry-run", "--json").json
    assert trial["ticket"]["missing"] == []
    assert house.tickets() == [before]
    assert cli("tickets", "reply", before.number, words, "--json").json["done"]
    [ticket] = house.tickets()
    assert (ticket.request_type, ticket.missing) == ("inspection_location_change", ())
    served = {one.requirement for one in ticket.documents if one.verdict is Verdict.ACCEPTED}
    assert served == {"boleto", "payment_receipt", "driver_licence"}


def test_wrong_usage_ends_with_two(house: TestHouse, cli: Cli) -> None:
    number = with_ticket(house)
    assert cli("tickets", "reply", "2026-999999", "oi").exit_code == 2
    assert cli("tickets", "reassign", number).exit_code == 2
    assert cli("tickets", "open", "joao", "oi").exit_code == 2
    assert cli("tickets", "open", "joao@cliente.example", "oi", "--type", "nada").exit_code == 2


def test_a_merging_is_the_administrators_on_the_ticket_that_goes_on_too(house: TestHouse, cli: Cli) -> None:
    house.receive(mail("Uma dúvida.", subject="Dúvida", files=[LICENCE]))
    house.receive(mail("Outra dúvida, por favor.", subject="Outra dúvida", files=[RECEIPT]))
    house.receive(mail(REQUEST, files=[BOLETO]))
    first, _, request = (one.number for one in house.tickets())
    assert cli("tickets", "reply", first, f"#juntar {request}", "--json").json["done"]
    with house.app.storage.read() as work:
        merged = [one for one in work.tickets.events(request) if one.kind is EventKind.MERGED]
    assert [(one.actor, one.mail_id, one.old) for one in merged] == [(ADMIN, None, first)]
