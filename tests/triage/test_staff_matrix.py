"""Words × writers × ties × authenticity → outcome, held against a table that people reviewed (THREATS 9-16)."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from mailbot.domain.customer import Person
from mailbot.domain.events import HandlePurpose, StoredFile
from mailbot.domain.identification import TicketCustomer
from mailbot.domain.mail import Accepted, Address, Authenticity, Sender, SenderRole
from mailbot.domain.staff_words import StaffWord
from mailbot.domain.threads import KnownHandle, KnownMessageId, KnownTicket
from mailbot.domain.ticket import Resolution, Status, Ticket
from mailbot.flows.errand_desk import run_errand
from mailbot.triage.decide import decide
from mailbot.triage.decide_agent import is_named_by_agent
from mailbot.triage.decisions import (
    AnswerAgent,
    AppendMessage,
    ApplyAgentReply,
    Decision,
    Discard,
    OpenTicket,
    RefuseAgentReply,
)
from mailbot.triage.directives import parse_directives
from mailbot.triage.errands import CustomersMail, is_errand
from mailbot.triage.orders.desk import OrderDesk, Undoable
from mailbot.triage.orders.plan import plan_orders
from mailbot.triage.situation import Situation
from mailbot.triage.thread import (
    ClueSource,
    HandleClue,
    ThreadClues,
    ThreadKnowledge,
    match_thread,
)
from tests.triage.situations import ANA, MARIA, NOW, agent_writes, order_desk, ticket

TABLE = Path(__file__).with_name("staff_matrix.txt")
NUMBER = "2026-000001"
OTHER_NUMBER = "2026-000002"
WORDS = {
    "plain": "Pode vir.",
    "nota": "#nota conferir",
    "responder": "#responder Pode vir.",
    "autorizar": "#autorizar",
    "negar": "#negar venceu",
    "pedir": "#pedir cnh",
    "espera": "#espera",
    "aprovacao": "#aprovacao",
    "agendar": "#agendar 2026-12-03 14:00",
    "status": "#status Em espera",
    "resolver": "#resolver feito",
    "reabrir": "#reabrir",
    "fechar": "#fechar",
    "atribuir": "#atribuir bruno@example.com.br",
    "fila": "#fila geral",
    "prioridade": "#prioridade alta",
    "tipo": "#tipo general",
    "dispensar": "#dispensar cnh",
    "campo": "#campo Nome: Maria Souza",
    "os": "#os 123",
    "juntar": "#juntar 2026-000002",
    "copiar": "#copiar chefe@cliente.example",
    "documentos": "#documentos",
    "originais": "#originais",
    "historico": "#historico",
    "abertos": "#abertos",
    "cliente": "#cliente 1",
    "abrir": "#abrir\nCliente: joao@cliente.example\nO portão quebrou.",
    "desfazer": "#desfazer",
    "ajuda": "#ajuda",
}
_PEOPLE = {
    "agent": (ANA, SenderRole.AGENT),
    "other": (Address(address="carla@example.com.br"), SenderRole.AGENT),
    "manager": (Address(address="bruno@example.com.br"), SenderRole.AGENT),
    "machine": (ANA, SenderRole.MACHINE),
    "customer": (MARIA, SenderRole.REQUESTER),
    "stranger": (Address(address="ninguem@fora.example"), SenderRole.REQUESTER),
}
_STAFF = ("agent", "other", "manager")
_NOBODY = "nobody"
"""In the place of an authenticity: a mailbox whose server says nothing of who wrote."""
_AUTHENTICITIES = (*(str(one) for one in Authenticity), _NOBODY)
_TIES = ("own", "internal", "expired", "revoked", "kept", "moved", "another's", "customer's", "id", "tag", "none")
_COLLEAGUE = "davi@example.com.br"
_FILE = StoredFile(digest="d", filename="a.pdf", media_type="application/pdf", size_bytes=9, sha256="s" * 64)
_RESOLVED: dict[str, Any] = {"status": Status.RESOLVED, "resolution": Resolution.APPROVED, "resolved_at": NOW}


# --- the table -------------------------------------------------------------------------------------


def _rows() -> Iterator[tuple[str, str, str, str, str]]:
    orders: Sequence[str] = ()
    for line in TABLE.read_text("utf-8").splitlines():
        if line.startswith("# ORDERS ="):
            orders = line.partition("=")[2].split()
        if not line or line.startswith("#"):
            continue
        cells = [cell.split() for cell in line.split("|")]
        every = (tuple(WORDS), tuple(_PEOPLE), _TIES, _AUTHENTICITIES)
        names = {"ORDERS": orders, "staff": _STAFF}
        chosen = [
            whole if cell == ["*"] else [one for name in cell for one in names.get(name, (name,))]
            for cell, whole in zip(cells[:4], every, strict=True)
        ]
        for word, who, tie, authenticity in itertools.product(*chosen):
            yield word, who, tie, authenticity, cells[4][0]


@cache
def _table() -> dict[tuple[str, str, str, str], str]:
    return {row[:4]: row[4] for row in _rows()}


def test_the_table_has_every_combination_once() -> None:
    counted = Counter(row[:4] for row in _rows())
    wanted = set(itertools.product(WORDS, _PEOPLE, _TIES, _AUTHENTICITIES))
    assert sorted(wanted - counted.keys()) == []
    assert sorted(counted.keys() - wanted) == []
    assert [cell for cell, count in counted.items() if count > 1] == []


def test_the_table_has_every_staff_word() -> None:
    assert set(WORDS) == {"plain", *(str(word) for word in StaffWord)}


@pytest.mark.parametrize("tie", _TIES)
@pytest.mark.parametrize("who", _PEOPLE)
def test_every_cell_comes_out_as_the_table_says(who: str, tie: str) -> None:
    cells = itertools.product(WORDS, _AUTHENTICITIES)
    wrong = [
        f"{word} | {who} | {tie} | {authenticity} | {found}, not {expected}"
        for word, authenticity in cells
        for found in [_outcome(word, who, tie, authenticity)]
        if found != (expected := _table()[word, who, tie, authenticity])
    ]
    assert wrong == []


# --- a cell ----------------------------------------------------------------------------------------


class _NoTickets:
    def assigned_to(self, address: str) -> Sequence[Ticket]:
        del address
        return ()


def _outcome(word: str, who: str, tie: str, authenticity: str) -> str:
    address, role = _PEOPLE[who]
    vouches = authenticity != _NOBODY
    sender = Sender(
        address=address,
        role=role,
        authenticity=Authenticity(authenticity) if vouches else Authenticity.UNVERIFIED,
        agent_key=who if role is SenderRole.AGENT else None,
    )
    clues, known = _tied(address.address, tie)
    block = parse_directives(WORDS[word])
    thread = match_thread(sender, clues, known)
    plain = agent_writes(WORDS[word], _ticket_for(word))
    mail = replace(plain.mail, sender=address)
    about_a_ticket = bool(clues.handles or clues.ticket_tags)
    names_one = thread.ticket_number is not None
    if role is SenderRole.AGENT and is_errand(block, on_a_ticket=about_a_ticket, names_a_known_one=names_one):
        found = run_errand(
            mail, sender, block, _NoTickets(), no_customers=frozenset(), code="" if vouches else "1234-5678"
        )
        return "opened" if isinstance(found, CustomersMail) else _told(found)
    joined = thread.accepted or (names_one and is_named_by_agent(sender, thread, block))
    machine = role is SenderRole.MACHINE
    situation: Situation = replace(
        plain,
        mail=mail,
        sender=sender,
        thread=thread,
        ticket=_ticket_for(word) if joined else None,
        answers_need_verification=vouches,
        code_to_ask="" if vouches else "1234-5678",
        screening=Accepted(may_answer=not machine, automatic_reply=machine),
        orders=plan_orders(block, _ticket_for(word), _desk_for(word))
        if joined and role is SenderRole.AGENT
        else None,
    )
    return _named(decide(situation))


def _told(answer: AnswerAgent) -> str:
    return "told" if answer.reason == "asked" else str(answer.reason)


def _named(decision: Decision) -> str:
    match decision:
        case ApplyAgentReply():
            return "warned" if decision.remark else "done"
        case RefuseAgentReply():
            return str(decision.reason)
        case AppendMessage():
            return "quiet" if decision.quiet else "text"
        case OpenTicket():
            return "linked" if decision.linked_to else "ticket"
        case Discard():
            return "dropped"
        case _:
            return type(decision).__name__


def _tied(address: str, tie: str) -> tuple[ThreadClues, ThreadKnowledge]:
    """What the mail says of where it belongs, and what the database knows of that."""
    handle = KnownHandle(
        handle="a" * 20,
        ticket_number=NUMBER,
        recipient=address,
        purpose=HandlePurpose.STAFF_PUBLIC,
        expired=tie == "expired",
        revoked=tie == "revoked",
        created_at=NOW,
    )
    known = {
        "internal": replace(handle, purpose=HandlePurpose.STAFF_INTERNAL),
        "another's": replace(handle, recipient=_COLLEAGUE),
        "customer's": replace(handle, recipient=MARIA.address, purpose=HandlePurpose.REQUESTER),
    }.get(tie, handle)
    tickets = (KnownTicket(ticket_number=NUMBER, participants=frozenset({MARIA.address})),)
    if tie == "none":
        return ThreadClues(), ThreadKnowledge()
    if tie == "tag":
        return ThreadClues(ticket_tags=(NUMBER,)), ThreadKnowledge(tickets=tickets)
    if tie == "id":
        of_hers = KnownMessageId(message_id="m@cliente.example", ticket_number=NUMBER)
        clues = ThreadClues(message_ids=(of_hers.message_id,))
        return clues, ThreadKnowledge(message_ids=(of_hers,), tickets=tickets)
    source = ClueSource.ADDRESS if tie == "kept" else ClueSource.TEXT
    clues = ThreadClues(handles=(HandleClue(handle=known.handle, source=source),))
    if tie == "moved":
        second = replace(known, handle="b" * 20, ticket_number=OTHER_NUMBER)
        clues = replace(clues, handles=(*clues.handles, HandleClue(handle=second.handle, source=source)))
        return clues, ThreadKnowledge(handles=(known, second), tickets=tickets)
    return clues, ThreadKnowledge(handles=(known,), tickets=tickets)


def _ticket_for(word: str) -> Ticket:
    """A ticket on which the word can be done."""
    if word in ("reabrir", "fechar", "desfazer"):
        return ticket(**_RESOLVED)
    if word == "dispensar":
        return ticket(Status.AWAITING_REQUESTER, missing=("driver_licence",))
    if word == "cliente":
        return ticket(customer=TicketCustomer(candidates=(7,)))
    return ticket()


def _desk_for(word: str) -> OrderDesk:
    block = parse_directives(WORDS[word])
    plain = order_desk(block, originals=(_FILE,))
    desk = replace(plain, customers={7: Person(id=7, first_name="Maria", last_name="Souza", addresses=())})
    if word == "juntar":
        return replace(desk, other=ticket(number=OTHER_NUMBER))
    # What was told can be closed for good; what has not left can be taken back.
    return replace(desk, undoable=Undoable(status_before=Status.OPEN, unsent=True)) if word == "desfazer" else desk
