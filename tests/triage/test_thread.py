"""Threading, by the rows 9 to 16 of THREATS B.2 and REQUIREMENTS *Decided*."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailbot.domain.events import HandlePurpose
from mailbot.domain.handles import message_id_for, reference_line_token
from mailbot.domain.mail import (
    NO_THREAD,
    Address,
    Authenticity,
    InboundMail,
    Sender,
    SenderRole,
    ThreadKey,
    ThreadMatch,
)
from mailbot.domain.threads import KnownHandle, KnownMessageId, KnownTicket, OpenRequest
from mailbot.triage.thread import (
    ClueSource,
    HandleClue,
    ThreadClues,
    ThreadKnowledge,
    match_open_request,
    match_thread,
    thread_candidates,
)

MARIA, ANA, BRUNO, THIEF = (f"{name}@example.com.br" for name in ("maria", "ana", "bruno", "ladrao"))
FIRST, SECOND, THIRD = "a" * 20, "b" * 20, "c" * 20
TICKET, OTHER = "2026-000123", "2026-000124"


def a_mail(**rest: object) -> InboundMail:
    return InboundMail(message_id="novo@example.com.br", **rest)  # type: ignore[arg-type]


def a_sender(
    address: str = MARIA,
    role: SenderRole = SenderRole.REQUESTER,
    authenticity: Authenticity = Authenticity.UNVERIFIED,
) -> Sender:
    key = "ana" if role is SenderRole.AGENT else None
    return Sender(address=Address(address=address), role=role, authenticity=authenticity, agent_key=key)


AGENT = a_sender(ANA, SenderRole.AGENT)


def a_handle(
    handle: str = FIRST,
    ticket: str = TICKET,
    recipient: str = MARIA,
    purpose: HandlePurpose = HandlePurpose.REQUESTER,
    **rest: bool,
) -> KnownHandle:
    return KnownHandle(
        handle=handle,
        ticket_number=ticket,
        recipient=recipient,
        purpose=purpose,
        expired=rest.get("expired", False),
        revoked=rest.get("revoked", False),
        created_at=datetime(2026, 11, 20, tzinfo=UTC),
    )


def clues(*handles: str, ids: tuple[str, ...] = (), tags: tuple[str, ...] = ()) -> ThreadClues:
    found = tuple(HandleClue(handle=handle, source=ClueSource.MESSAGE_ID) for handle in handles)
    return ThreadClues(handles=found, message_ids=ids, ticket_tags=tags)


# --- clues --------------------------------------------------------------------------------------------------


def test_it_takes_handles_from_ids_then_addresses_then_text() -> None:
    mail = a_mail(
        references=("raiz@example.com.br", message_id_for(FIRST, "example.com.br")),
        to=(Address(address=f"atendimento+t.{SECOND}@example.com.br"),),
        full_text=f"> {reference_line_token(THIRD)} {reference_line_token(FIRST)}",
    )
    assert thread_candidates(mail).handles == (
        HandleClue(handle=FIRST, source=ClueSource.MESSAGE_ID),
        HandleClue(handle=SECOND, source=ClueSource.ADDRESS),
        HandleClue(handle=THIRD, source=ClueSource.TEXT),
    )


def test_a_bounce_address_is_no_key_to_a_thread() -> None:
    assert thread_candidates(a_mail(delivered_to=(f"x+b.{FIRST}@example.com.br",))).handles == ()


def test_it_takes_in_reply_to_first_and_references_from_the_last_to_the_first() -> None:
    mail = a_mail(in_reply_to=("d@x", "d@x"), references=("a@x", "b@x", "c@x", "d@x"))
    assert thread_candidates(mail).message_ids == ("d@x", "c@x", "b@x", "a@x")


@pytest.mark.parametrize("value", ["", "<>", "  ", "@", "a", "\u200b\u200b\u200b"])
def test_threat_15_empty_and_short_ids_never_thread(value: str) -> None:
    assert thread_candidates(a_mail(in_reply_to=(value,), references=(value,))).message_ids == ()


@pytest.mark.parametrize(
    ("subject", "tags"),
    [
        ("RES: [Chamado #2026-000123] ALTERAÇÃO DE LOCAL", (TICKET,)),
        ("RES: [CHAMADO#2026-000123] x [Chamado #2026-000124]", (TICKET, OTHER)),
        ("[#2026-000123] x", (TICKET,)),
        ("Sobre o chamado #2026-000123.", (TICKET,)),
        ("#2026-000124 e [Chamado #2026-000123]", (TICKET, OTHER)),
        ("[B45 #0000054] [Ticket#2026072803024161] x", ()),
        ("[Ticket #2026-000123] x", ()),
        ("[OutraCasa #2026-000123]", ()),
        ("[Chamado #2026-0001234567890]", ()),
        ("[Chamado #2026-000123-4]", ()),
        ("Chamado 2026-000123", ()),
        ("x#2026-000123", ()),
        ("https://example.com.br/#2026-000123", ()),
        ("[Chamado #26-000123]", ()),
    ],
)
def test_threat_14_it_reads_our_own_tags_and_no_others(subject: str, tags: tuple[str, ...]) -> None:
    assert thread_candidates(a_mail(subject=subject)).ticket_tags == tags


@pytest.mark.parametrize(
    ("tag_format", "subject", "tags"),
    [
        ("[Ticket #{number}]", "[Ticket #2026-000123] [Chamado #2026-000124]", (TICKET,)),
        ("[Caso nº {number}]", "RE: [CASO Nº 2026-000123] x", (TICKET,)),
        ("[Caso nº {number}]", "RE: [Caso nº\xa02026-000123] x", (TICKET,)),
        ("[{number}]", "Re: [2026-000123] x", (TICKET,)),
        ("[{number} - Pedra Alta]", "Re: [2026-000123 - Pedra Alta] x", (TICKET,)),
        ("[{number} - Pedra Alta]", "Re: [2026-000123 - Outra] x", ()),
        ("[Chamado (SAU) #{number}]", "Re: [chamado (sau)#2026-000123] x", (TICKET,)),
    ],
)
def test_threat_14_a_tag_is_what_the_mailbox_makes_of_a_number(
    tag_format: str, subject: str, tags: tuple[str, ...]
) -> None:
    assert thread_candidates(a_mail(subject=subject), tag_formats=(tag_format,)).ticket_tags == tags


# --- handles: rows 9 and 12 ---------------------------------------------------------------------------------


def test_a_requesters_handle_opens_the_ticket() -> None:
    match = match_thread(a_sender(), clues(FIRST), ThreadKnowledge(handles=(a_handle(),)))
    assert match == ThreadMatch(
        ticket_number=TICKET, key=ThreadKey.REPLY_TOKEN, handle_recipient=MARIA, handle_purpose="requester"
    )
    assert match.accepted


def test_a_requesters_handle_from_another_address_is_marked() -> None:
    match = match_thread(a_sender(THIEF), clues(FIRST), ThreadKnowledge(handles=(a_handle(),)))
    assert match.accepted
    assert match.from_another_address


def test_an_expired_handle_still_carries_text() -> None:
    match = match_thread(a_sender(), clues(FIRST), ThreadKnowledge(handles=(a_handle(expired=True),)))
    assert match.accepted
    assert match.handle_expired


@pytest.mark.parametrize("purpose", [HandlePurpose.STAFF_PUBLIC, HandlePurpose.STAFF_INTERNAL])
def test_threat_9_an_agents_own_handle_is_accepted_with_its_purpose(purpose: HandlePurpose) -> None:
    known = ThreadKnowledge(handles=(a_handle(recipient=ANA, purpose=purpose),))
    match = match_thread(AGENT, clues(FIRST), known)
    assert match.accepted
    assert (match.handle_purpose, match.from_another_address) == (purpose, False)


@pytest.mark.parametrize(
    "sender",
    [a_sender(MARIA), a_sender(THIEF), a_sender(BRUNO, SenderRole.AGENT), a_sender(ANA, SenderRole.REQUESTER)],
    ids=["requester", "stranger", "another agent", "former agent"],
)
def test_threat_9_a_staff_handle_serves_nobody_else(sender: Sender) -> None:
    known = ThreadKnowledge(handles=(a_handle(recipient=ANA, purpose=HandlePurpose.STAFF_PUBLIC),))
    match = match_thread(sender, clues(FIRST), known)
    assert (match.accepted, match.refused, match.ticket_number) == (False, "staff_handle_of_another", TICKET)


def test_an_agents_answering_machine_belongs_to_the_ticket() -> None:
    known = ThreadKnowledge(handles=(a_handle(recipient=ANA, purpose=HandlePurpose.STAFF_PUBLIC),))
    assert match_thread(a_sender(ANA, SenderRole.MACHINE), clues(FIRST), known).accepted


def test_a_revoked_handle_opens_nothing() -> None:
    match = match_thread(a_sender(), clues(FIRST), ThreadKnowledge(handles=(a_handle(revoked=True),)))
    assert (match.accepted, match.refused) == (False, "handle_revoked")


def test_threat_12_an_unknown_handle_opens_nothing() -> None:
    assert match_thread(a_sender(), clues(SECOND), ThreadKnowledge(handles=(a_handle(),))) == NO_THREAD


def test_the_first_accepted_handle_wins_in_the_order_of_the_clues() -> None:
    known = ThreadKnowledge(
        handles=(a_handle(FIRST, OTHER), a_handle(SECOND, TICKET), a_handle(THIRD, revoked=True))
    )
    assert match_thread(a_sender(), clues(THIRD, SECOND, FIRST), known).ticket_number == TICKET


def test_a_refused_handle_does_not_stop_a_participant() -> None:
    known = ThreadKnowledge(
        handles=(a_handle(recipient=ANA, purpose=HandlePurpose.STAFF_PUBLIC),),
        message_ids=(KnownMessageId(message_id="carta@x", ticket_number=TICKET),),
        tickets=(KnownTicket(ticket_number=TICKET, participants=frozenset({MARIA})),),
    )
    match = match_thread(a_sender(), clues(FIRST, ids=("carta@x",)), known)
    assert (match.accepted, match.key, match.handle_purpose) == (True, ThreadKey.MESSAGE_ID, "")


# --- known Message-IDs: row 13 ------------------------------------------------------------------------------

KNOWN_ID = KnownMessageId(message_id="antes@x", ticket_number=TICKET)
KNOWN = ThreadKnowledge(
    message_ids=(KNOWN_ID,), tickets=(KnownTicket(ticket_number=TICKET, participants=frozenset({MARIA})),)
)


def test_threat_13_a_known_id_joins_a_participant() -> None:
    match = match_thread(a_sender(), clues(ids=("desconhecido@x", "antes@x")), KNOWN)
    assert match == ThreadMatch(ticket_number=TICKET, key=ThreadKey.MESSAGE_ID)


def test_threat_13_a_known_id_does_not_let_a_stranger_in() -> None:
    match = match_thread(a_sender(THIEF), clues(ids=("antes@x",)), KNOWN)
    assert (match.accepted, match.refused, match.ticket_number) == (False, "not_a_participant", TICKET)


def test_threat_13_a_known_id_does_not_let_a_forged_participant_in() -> None:
    match = match_thread(a_sender(authenticity=Authenticity.FAILED), clues(ids=("antes@x",)), KNOWN)
    assert (match.accepted, match.refused, match.ticket_number) == (False, "authenticity_failed", TICKET)


def test_threat_13_a_guessed_id_is_unknown() -> None:
    assert match_thread(a_sender(), clues(ids=("Ticket_5_x@example.com.br",)), KNOWN) == NO_THREAD


def test_our_letters_id_joins_whom_it_was_written_to() -> None:
    letter = KnownMessageId(message_id="carta@x", ticket_number=TICKET, recipient=ANA)
    known = ThreadKnowledge(message_ids=(letter,))
    assert match_thread(AGENT, clues(ids=("carta@x",)), known).accepted
    assert not match_thread(a_sender(THIEF), clues(ids=("carta@x",)), known).accepted


def test_threat_15_a_mail_without_sender_takes_part_in_nothing() -> None:
    nobody = Sender(address=Address(address=""), role=SenderRole.MACHINE, authenticity=Authenticity.UNVERIFIED)
    known = ThreadKnowledge(
        message_ids=(KNOWN_ID,), tickets=(KnownTicket(ticket_number=TICKET, participants=frozenset()),)
    )
    assert not match_thread(nobody, clues(ids=("antes@x",)), known).accepted


def test_an_id_on_two_tickets_joins_the_one_that_the_sender_takes_part_in() -> None:
    known = ThreadKnowledge(
        message_ids=(KnownMessageId(message_id="antes@x", ticket_number=OTHER), KNOWN_ID), tickets=KNOWN.tickets
    )
    assert match_thread(a_sender(), clues(ids=("antes@x",)), known).ticket_number == TICKET


# --- tags: row 12 -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("authenticity", [Authenticity.VERIFIED, Authenticity.UNVERIFIED])
def test_threat_12_a_tag_joins_a_participant(authenticity: Authenticity) -> None:
    match = match_thread(a_sender(authenticity=authenticity), clues(tags=(TICKET,)), KNOWN)
    assert match == ThreadMatch(ticket_number=TICKET, key=ThreadKey.SUBJECT_TAG)


@pytest.mark.parametrize(
    ("sender", "refused"),
    [
        (a_sender(THIEF), "not_a_participant"),
        (a_sender(THIEF, authenticity=Authenticity.VERIFIED), "not_a_participant"),
        (a_sender(authenticity=Authenticity.FAILED), "authenticity_failed"),
    ],
)
def test_threat_12_a_tag_lets_nobody_else_in(sender: Sender, refused: str) -> None:
    match = match_thread(sender, clues(tags=(TICKET,)), KNOWN)
    assert (match.accepted, match.refused, match.ticket_number) == (False, refused, TICKET)


def test_threat_12_of_two_tags_the_participants_counts() -> None:
    tickets = (KnownTicket(ticket_number=OTHER, participants=frozenset({ANA})), *KNOWN.tickets)
    known = ThreadKnowledge(tickets=tickets)
    assert match_thread(a_sender(), clues(tags=(OTHER, TICKET)), known).ticket_number == TICKET


def test_threat_12_a_tag_of_no_ticket_is_nothing() -> None:
    assert match_thread(a_sender(), clues(tags=("2026-999999",)), KNOWN) == NO_THREAD


@given(
    st.lists(st.sampled_from([FIRST, SECOND, THIRD]), unique=True),
    st.lists(st.sampled_from(["antes@x", "carta@x"]), unique=True),
    st.lists(st.sampled_from([TICKET, OTHER]), unique=True),
)
def test_threat_12_a_stranger_without_a_requesters_handle_joins_nothing(
    handles: list[str], ids: list[str], tags: list[str]
) -> None:
    staff = (a_handle(FIRST, recipient=ANA, purpose=HandlePurpose.STAFF_PUBLIC), a_handle(SECOND, revoked=True))
    known = ThreadKnowledge(handles=staff, message_ids=(KNOWN_ID,), tickets=KNOWN.tickets)
    match = match_thread(a_sender(THIEF), clues(*handles, ids=tuple(ids), tags=tuple(tags)), known)
    assert not match.accepted


# --- a fresh mail with the missing paper --------------------------------------------------------------------

TYPE = "inspection_location_change"
WAITING = OpenRequest(ticket_number=TICKET, request_type=TYPE, missing=("driver_licence", "phone"))
ALSO_WAITING = OpenRequest(ticket_number=OTHER, request_type=TYPE, missing=("boleto",))
LICENCE = frozenset({"driver_licence"})


@pytest.mark.parametrize("classified", [None, TYPE])
def test_a_missing_paper_joins_the_one_request_that_waits(classified: str | None) -> None:
    match = match_open_request(a_sender(), (WAITING,), LICENCE, classified)
    assert match == ThreadMatch(ticket_number=TICKET, key=ThreadKey.OPEN_REQUEST)


@pytest.mark.parametrize(
    ("sender", "requests", "brings", "classified"),
    [
        (a_sender(), (WAITING,), frozenset({"boleto"}), None),
        (a_sender(), (WAITING,), frozenset[str](), TYPE),
        (a_sender(), (WAITING,), LICENCE, "boleto_cancellation"),
        (a_sender(), (), LICENCE, None),
        (a_sender(authenticity=Authenticity.FAILED), (WAITING,), LICENCE, None),
        (a_sender(role=SenderRole.MACHINE), (WAITING,), LICENCE, None),
        (AGENT, (WAITING,), LICENCE, None),
    ],
    ids=["not missing", "brings nothing", "another type", "none waits", "failed", "machine", "agent"],
)
def test_nothing_else_joins_an_open_request(
    sender: Sender, requests: tuple[OpenRequest, ...], brings: frozenset[str], classified: str | None
) -> None:
    assert match_open_request(sender, requests, brings, classified) == NO_THREAD


def test_where_several_requests_wait_the_sender_is_asked_which() -> None:
    match = match_open_request(a_sender(), (WAITING, ALSO_WAITING), LICENCE, None)
    assert match == ThreadMatch(key=ThreadKey.OPEN_REQUEST, candidates=(TICKET, OTHER))
    assert not match.accepted


def test_a_request_of_another_type_is_not_asked_about() -> None:
    other = OpenRequest(ticket_number=OTHER, request_type="general", missing=("driver_licence",))
    assert match_open_request(a_sender(), (WAITING, other), LICENCE, TYPE).ticket_number == TICKET
