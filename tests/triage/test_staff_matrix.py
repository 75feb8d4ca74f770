"""Words × handles × authenticity → outcome, held against a table that people reviewed (THREATS 9-16)."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from mailbot.domain.events import HandlePurpose
from mailbot.domain.mail import Authenticity, SenderRole, ThreadKey, ThreadMatch
from mailbot.triage.decide import decide
from mailbot.triage.decisions import AppendMessage, ApplyAgentReply, Decision, RefuseAgentReply
from tests.triage.situations import MARIA, STAFF_HANDLE, agent_writes, requester_writes, ticket

TABLE = Path(__file__).with_name("staff_matrix.txt")
TYPED = {
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
    "atribuir": "#atribuir bruno@example.com.br",
    "fila": "#fila geral",
    "prioridade": "#prioridade alta",
    "tipo": "#tipo general",
    "campo": "#campo Nome: Maria Souza",
    "os": "#os 123",
    "copiar": "#copiar chefe@cliente.example",
    "historico": "#historico",
    "abertos": "#abertos",
}
HANDLES = {
    "own": STAFF_HANDLE,
    "expired": replace(STAFF_HANDLE, handle_expired=True),
    "revoked": replace(STAFF_HANDLE, refused="handle_revoked"),
    "another's": replace(STAFF_HANDLE, handle_recipient="bruno@example.com.br", refused="staff_handle_of_another"),
    "customer's": replace(STAFF_HANDLE, handle_purpose=HandlePurpose.REQUESTER, handle_recipient=MARIA.address),
    "id only": ThreadMatch(ticket_number="2026-000001", key=ThreadKey.MESSAGE_ID),
    "tag only": ThreadMatch(ticket_number="2026-000001", key=ThreadKey.SUBJECT_TAG),
}


def rows() -> Iterator[tuple[str, str, str, str]]:
    orders: list[str] = []
    for line in TABLE.read_text("utf-8").splitlines():
        if line.startswith("# ORDERS ="):
            orders = [word for word in line.partition("=")[2].split() if word in TYPED]
        if not line or line.startswith("#"):
            continue
        words, handle, authenticity, outcome = (cell.strip() for cell in line.split("|"))
        named = orders if words == "ORDERS" else words.split()
        seen = list(Authenticity) if authenticity == "*" else [Authenticity(authenticity)]
        for word, one in itertools.product(named, seen):
            yield word, handle, str(one), outcome


EXPECTED = list(rows())


def outcome_of(decision: Decision) -> str:
    if isinstance(decision, RefuseAgentReply):
        return str(decision.reason)
    assert isinstance(decision, ApplyAgentReply)
    return "warned" if decision.remark else "done"


@pytest.mark.parametrize(("word", "handle", "authenticity", "outcome"), EXPECTED)
def test_every_cell_comes_out_as_the_table_says(word: str, handle: str, authenticity: str, outcome: str) -> None:
    situation = agent_writes(TYPED[word])
    sender = replace(situation.sender, authenticity=Authenticity(authenticity))
    decision = decide(replace(situation, sender=sender, thread=HANDLES[handle]))
    assert outcome_of(decision) == outcome


def test_the_table_has_every_combination_once() -> None:
    cells = [row[:3] for row in EXPECTED]
    wanted = itertools.product(TYPED, HANDLES, [str(one) for one in Authenticity])
    assert sorted(cells) == sorted(wanted)


@pytest.mark.parametrize("word", TYPED)
@pytest.mark.parametrize("role", [SenderRole.REQUESTER, SenderRole.MACHINE])
def test_threat_9_the_same_words_by_anybody_else_order_nothing(word: str, role: SenderRole) -> None:
    situation = requester_writes(TYPED[word], ticket())
    decision = decide(replace(situation, sender=replace(situation.sender, role=role)))
    assert isinstance(decision, AppendMessage)
