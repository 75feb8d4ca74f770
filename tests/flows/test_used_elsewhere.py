"""One file, boleto line, Pix or authentication in two tickets: agents are told, requesters never (issue 4, 6)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from mailbot.domain.events import Audience, LetterKind
from mailbot.domain.evidence import DocumentKind, Fact, Finding, Verdict
from mailbot.domain.ledger import MailOutcome
from mailbot.domain.ticket import Ticket
from mailbot.domain.traces import USED_ELSEWHERE, OtherUse
from mailbot.evidence.uses import new_traces, remarked, traced
from mailbot.flows.reprocess import tasks_for
from tests.flows.house import BOLETO, LICENCE, RECEIPT, REQUEST, TestHouse, mail

ALL_PAPERS = (BOLETO, RECEIPT, LICENCE)
JOAO = "joao@example.com.br"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[TestHouse]:
    with TestHouse(tmp_path) as made:
        yield made


def remarks(ticket: Ticket) -> set[tuple[str, str, str]]:
    return {
        (finding.filename, remark.fact, remark.value)
        for finding in ticket.documents
        for remark in finding.remarks
        if remark.reason == USED_ELSEWHERE
    }


def test_the_agent_of_the_second_ticket_is_told_and_nobody_else(house: TestHouse) -> None:
    house.receive(mail(REQUEST, files=ALL_PAPERS))
    house.receive(mail(REQUEST, sender=JOAO, files=ALL_PAPERS))
    first, second = house.tickets()
    assert (remarks(first), second.missing) == (set(), ())
    assert {(name, fact) for name, fact, _ in remarks(second)} >= {(name, "") for name, _ in ALL_PAPERS}
    assert {value for *_, value in remarks(second)} == {first.number}
    (notice,) = house.letters(Audience.STAFF, ticket=second.number)
    assert f"Este arquivo também está em outro chamado: {first.number}." in notice.text
    assert first.number in notice.html
    for letter in house.letters(Audience.REQUESTER, ticket=second.number):
        assert letter.letter is LetterKind.TICKET_OPENED
        assert "outro chamado" not in letter.text + letter.html
        assert first.number not in letter.text + letter.html


def test_the_same_boleto_in_another_file_is_known_by_its_line(house: TestHouse) -> None:
    house.receive(mail(REQUEST, files=ALL_PAPERS))
    other_file = (BOLETO[0], BOLETO[1] + b"\n% another file\n")
    house.receive(mail(REQUEST, sender=JOAO, files=[other_file]))
    first, second = house.tickets()
    assert remarks(second) == {("boleto.pdf", "digitable_line", first.number)}


def test_a_receipt_alone_names_the_ticket_that_has_its_boleto(house: TestHouse) -> None:
    house.receive(mail(REQUEST, files=[BOLETO]))
    house.receive(mail(REQUEST, sender=JOAO, files=[RECEIPT]))
    first, second = house.tickets()
    assert remarks(second) == {("comprovante.pdf", "boleto_line", first.number)}


def test_twice_in_the_same_ticket_is_nothing_to_remark(house: TestHouse) -> None:
    house.receive(mail(REQUEST, files=[BOLETO]))
    (letter,) = house.letters(Audience.REQUESTER)
    house.requester_reply(letter, "Segue de novo, com o resto.", files=ALL_PAPERS)
    (ticket,) = house.tickets()
    assert (ticket.missing, remarks(ticket)) == ((), set())


def test_what_happens_on_another_ticket_changes_nothing_on_this_one(house: TestHouse) -> None:
    """Else a mere question would count as something brought, and be answered with the checklist."""
    house.receive(mail(REQUEST, files=[BOLETO]))
    (asked,) = house.letters(Audience.REQUESTER)
    house.receive(mail(REQUEST, sender=JOAO, files=ALL_PAPERS))
    before = house.tickets()[0].documents
    house.requester_reply(asked, "Qual o horário de atendimento?")
    assert house.tickets()[0].documents == before
    assert len(house.letters(Audience.REQUESTER, ticket=house.tickets()[0].number)) == 1


def test_reprocessing_either_ticket_changes_nothing(house: TestHouse) -> None:
    house.receive(mail(REQUEST, files=ALL_PAPERS))
    house.receive(mail(REQUEST, sender=JOAO, files=ALL_PAPERS))
    results = [house.app.reprocess().do(task) for task in tasks_for(house.mails())]
    assert [one.changed for one in results] == [False, False]


def test_it_refuses_nothing(house: TestHouse) -> None:
    house.receive(mail(REQUEST, files=ALL_PAPERS))
    assert house.receive(mail(REQUEST, sender=JOAO, files=ALL_PAPERS)) is MailOutcome.TICKET
    second = house.tickets()[1]
    assert {finding.verdict for finding in second.documents} == {Verdict.ACCEPTED}
    assert second.mismatches == ()


def test_the_database_holds_no_line_and_no_name_of_it(house: TestHouse) -> None:
    house.receive(mail(REQUEST, files=ALL_PAPERS))
    line = next(one.fact("digitable_line") for one in house.tickets()[0].documents if one.fact("digitable_line"))
    with house.app.database.read() as connection:
        rows = connection.exec_driver_sql("SELECT trace, ticket_number FROM document_uses").all()
    assert len(rows) >= 4
    assert all(len(row.trace) == 64 and (line or "") not in row.trace for row in rows)


# --- the rule alone -----------------------------------------------------------------------------------------


def finding(**values: object) -> Finding:
    base = Finding(
        digest="d",
        sha256="0" * 64,
        filename="comprovante.pdf",
        media_type="application/pdf",
        size_bytes=10,
        kind=DocumentKind.PAYMENT_RECEIPT,
        confidence=1.0,
        verdict=Verdict.ACCEPTED,
        requirement="payment_receipt",
    )
    return replace(base, **values)  # type: ignore[arg-type]  # By name, as the test says.


def keyed(content: bytes) -> str:
    return content.decode()


def test_a_pix_and_an_authentication_leave_traces_however_they_are_written() -> None:
    facts = (
        Fact(name="pix_end_to_end_id", value="E00000000202611201022abcdefghijk"),
        Fact(name="authentication", value="4a5f.9b11.22cc.dd33"),
        Fact(name="payer_name", value="MARIA SOUZA DE ALMEIDA"),
    )
    (one,) = traced([finding(facts=facts)], (), keyed)
    assert [trace.digest for trace in one.traces] == [
        f"file {'0' * 64}",
        "pix_end_to_end_id E00000000202611201022ABCDEFGHIJK",
        "authentication 4A5F9B1122CCDD33",
    ]


def test_a_short_authentication_leaves_none_because_it_comes_again() -> None:
    (one,) = traced([finding(facts=(Fact(name="authentication", value="000123"),))], (), keyed)
    assert [trace.fact for trace in one.traces] == [""]


def test_what_serves_nothing_is_no_use() -> None:
    (one,) = traced([finding(requirement=None)], (), keyed)
    assert one.traces == ()


def test_many_tickets_are_not_all_named() -> None:
    (one,) = traced([finding()], (), keyed)
    uses = [OtherUse(digest=one.traces[0].digest, ticket_number=f"2026-{number:06}") for number in range(9)]
    (told,) = remarked([one], (), uses)
    assert [remark.value for remark in told.remarks] == ["2026-000006, 2026-000007, 2026-000008"]


def test_only_what_is_new_is_looked_for() -> None:
    held = traced([finding()], (), keyed)
    assert new_traces(held, held) == ()
    assert new_traces(held, [replace(held[0], requirement=None)]) == (held[0].traces[0].digest,)
