"""``mailbot tickets``: the keys that scripts rely on, the filters, and what people read."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.cli.conftest import Cli
from tests.flows.house import BOLETO, CUSTOMER, LICENCE, MAILBOX, RECEIPT, REQUEST, TestHouse, mail
from tests.flows.sent import FakeSentFolder, keeper_of, written

LIST_KEYS = [
    "number", "request_type", "title", "status", "status_label", "resolution", "priority", "queue", "assignee",
    "requester", "mailbox", "opened_at", "updated_at", "due_at", "missing", "message_count",
]  # fmt: skip


def two_tickets(house: TestHouse) -> None:
    house.receive(mail(REQUEST, sender=f"Maria Souza <{CUSTOMER}>", files=[BOLETO, RECEIPT]))
    house.clock.advance(timedelta(days=2))
    house.receive(mail("Preciso de ajuda com o site", subject="Problema no site", sender="joao@example.com.br"))


def test_the_list_has_every_promised_key_newest_first(house: TestHouse, cli: Cli) -> None:
    two_tickets(house)
    newest, oldest = cli("tickets", "list", "--json").json
    assert list(newest) == list(oldest) == LIST_KEYS
    assert newest["number"] == "2026-000002"
    assert oldest == {
        "number": "2026-000001",
        "request_type": "inspection_location_change",
        "title": "Alteração de Rio Verde para Jataí",
        "status": "awaiting_requester",
        "status_label": "Aguardando documentos",
        "resolution": None,
        "priority": "medium",
        "queue": "sau",
        "assignee": None,
        "requester": {"name": "Maria Souza", "address": CUSTOMER},
        "mailbox": "default",
        "opened_at": "2026-11-23T15:00:00+00:00",
        "updated_at": "2026-11-23T15:00:00+00:00",
        "due_at": None,
        "missing": ["driver_licence"],
        "message_count": 1,
    }


def test_an_empty_house_lists_an_empty_array(cli: Cli) -> None:
    assert cli("tickets", "list", "--json").json == []


def test_every_filter_narrows_the_list(house: TestHouse, cli: Cli) -> None:
    two_tickets(house)

    def found(*filters: str) -> list[str]:
        return [ticket["number"] for ticket in cli("tickets", "list", "--json", *filters).json]

    assert found("--status", "open") == ["2026-000002"]
    assert found("--type", "inspection_location_change") == ["2026-000001"]
    assert found("--queue", "sau") == ["2026-000001"]
    assert found("--requester", CUSTOMER.upper()) == ["2026-000001"]
    assert found("--since", "2026-11-24") == ["2026-000002"]
    assert found("--since", "2026-11-23T12:00") == ["2026-000002", "2026-000001"]
    assert found("--since", "2026-11-23T12:00:01") == ["2026-000002"]
    assert found("--limit", "1") == ["2026-000002"]


def test_search_finds_words_whatever_their_accents(house: TestHouse, cli: Cli) -> None:
    two_tickets(house)
    assert [one["number"] for one in cli("tickets", "search", "jatai", "MARIA", "--json").json] == ["2026-000001"]
    assert cli("tickets", "search", "jatai", "joao", "--json").json == []


def test_show_tells_everything_of_a_ticket(house: TestHouse, cli: Cli) -> None:
    house.receive(mail(REQUEST, message_id="first", files=[BOLETO, RECEIPT]))
    shown = cli("tickets", "show", "2026-000001", "--json").json
    assert list(shown)[: len(LIST_KEYS)] == LIST_KEYS
    assert list(shown)[len(LIST_KEYS) :] == [
        "fields", "documents", "mismatches", "asked", "waived", "participants", "visit_at", "merged_into",
        "history", "events", "letters", "guidance", "customer",
    ]  # fmt: skip
    assert shown["guidance"]["action"] == "suggest"
    assert shown["guidance"]["guidance"] == "under_minimum_distance"
    assert shown["guidance"]["facts"]["distance_km"] == "85.462"
    assert shown["fields"]["origin_unit"] == {"value": "Rio Verde", "valid": True, "reason": None}
    assert [document["kind"] for document in shown["documents"]] == ["boleto", "payment_receipt"]
    assert shown["documents"][0]["facts"]["amount"] == "108.00"
    assert shown["documents"][1]["facts"]["pix_end_to_end_id"] is None
    (message,) = shown["history"]
    assert message["author"] == {"name": "", "address": CUSTOMER, "role": "requester"}
    assert message["message_id"] == "first@example.com.br"
    assert [file["filename"] for file in message["attachments"]] == ["boleto.pdf", "comprovante.pdf"]
    assert {"at", "actor", "kind"} <= set(shown["events"][0])
    (letter,) = shown["letters"]
    assert (letter["letter"], letter["status"], letter["sent_at"]) == ("evidence_requested", "queued", None)
    assert list(letter) == ["message_id", "letter", "audience", "to", "subject", "status", "sent_at"]


def test_a_ticket_that_does_not_exist_is_a_plain_sentence(cli: Cli) -> None:
    ran = cli("tickets", "show", "2026-999999")
    assert (ran.exit_code, ran.stdout) == (2, "")
    assert ran.stderr == ("mailbot: there is no ticket 2026-999999: `mailbot tickets list` shows their numbers\n")


def test_a_wrong_filter_is_wrong_usage(cli: Cli) -> None:
    assert cli("tickets", "list", "--status", "opened").exit_code == 2
    assert cli("tickets", "list", "--since", "yesterday").exit_code == 2
    assert cli("tickets", "list", "--limit", "0").exit_code == 2


def test_a_type_or_queue_that_no_ticket_can_have_is_a_slip_and_no_empty_list(house: TestHouse, cli: Cli) -> None:
    house.receive(mail(REQUEST))
    ran = cli("tickets", "list", "--type", "generl")
    assert (ran.exit_code, ran.stdout) == (2, "")
    assert ran.stderr == "mailbot: there is no request type generl (did you mean 'general'?)\n"
    assert cli("tickets", "search", "local", "--queue", "sua").exit_code == 2
    assert cli("tickets", "list", "--type", "general", "--json").json == []


def test_lists_for_other_programs_have_one_line_a_ticket(house: TestHouse, cli: Cli) -> None:
    house.receive(mail("x", subject="Olá\tmundo"))
    heading, row = cli("tickets", "list").stdout.splitlines()
    assert heading.split("\t")[0] == "NUMBER"
    assert len(row.split("\t")) == len(heading.split("\t"))


def test_what_a_stranger_wrote_cannot_command_the_terminal(house: TestHouse, cli: Cli) -> None:
    house.receive(mail("vermelho \x1b[31m e \u202eadiado", subject="Ajuda [bold]já[/bold]", files=[LICENCE]))
    shown = cli("tickets", "show", "2026-000001").stdout
    assert "vermelho" in shown
    assert "[bold]já[/bold]" in shown
    assert "\x1b" not in shown
    assert "\u202e" not in shown


def test_a_bad_setting_stops_with_its_name(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAILBOT_SECRET_KEY", "short")
    ran = cli("tickets", "list")
    assert ran.exit_code == 2
    assert "MAILBOT_SECRET_KEY" in ran.stderr


def test_what_a_person_wrote_past_the_bot_says_so(house: TestHouse, cli: Cli) -> None:
    house.receive(mail("Qual o prazo?", subject="Dúvida", message_id="primeiro"))
    folder = FakeSentFolder()
    folder.add(written("Dois dias.", replies_to="primeiro@example.com.br"))
    assert keeper_of(house, folder).run_once(inbox_is_seen=True) == 1
    house.process()
    shown = cli("tickets", "show", "2026-000001", "--json").json
    assert [one["from_shared_mailbox"] for one in shown["history"]] == [False, True]
    assert shown["history"][1]["author"] == {"name": "Central", "address": MAILBOX, "role": "agent"}
    assert "Central (agent, public, from the shared mailbox)" in cli("tickets", "show", "2026-000001").stdout
