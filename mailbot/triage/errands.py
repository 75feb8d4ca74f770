"""What staff may order without a ticket's notice: ``#abrir``, ``#ajuda``, ``#abertos``. Pure.

They need an address of the roster and its verification only, and change no existing ticket (THREATS 9). What they
bring back goes to the registered address.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from mailbot.domain.mail import Address, InboundMail
from mailbot.domain.orders import LineState, Transcript, TranscriptLine
from mailbot.domain.staff_words import Refusal, StaffWord
from mailbot.domain.ticket import Ticket
from mailbot.triage.as_typed import ADDRESS, without_prefix
from mailbot.triage.directives import Directive, DirectiveBlock
from mailbot.triage.forwarded import ForwardedPart, forwarded_part
from mailbot.triage.quoted_notice import quotes_notice

ERRANDS = frozenset({StaffWord.ABRIR, StaffWord.AJUDA, StaffWord.ABERTOS})
_BESIDE_OPENING = frozenset({StaffWord.ABRIR, StaffWord.TIPO})
_CUSTOMER_LINE = re.compile(
    r"[ \t>*_]*(?:e-?mail(?: do cliente)?|cliente|para)[ \t*_]*:[ \t*_]*(?P<name>[^\n@<]{0,80}?)[ \t]*<?"
    rf"(?P<address>{ADDRESS})>?[ \t]*",
    re.IGNORECASE | re.ASCII,
)
_NAME_LINE = re.compile(r"[ \t>*_]*nome[ \t*_]*:[ \t*_]*(?P<name>[^\n]{2,120})", re.IGNORECASE)
_BEGINS_A_FORWARD = re.compile(r"\s*(?:>|[-_=*]{3}|[*_\s]*(?:de|from|remetente)[*_\s]{0,8}:)", re.IGNORECASE)
_TICKET_TAG = re.compile(r"#\d{4}-\d{6,9}")
_LINES_AT_MOST = 500
_SUBJECT_CHARACTERS = 300


def is_errand(block: DirectiveBlock, *, on_a_ticket: bool, names_a_known_one: bool) -> bool:
    """Whether the words are to be done apart from any ticket, or told not to be possible so.

    ``on_a_ticket``: the mail has a ticket's number or handle; ``names_a_known_one``: it leads to a ticket that is.
    """
    words = {directive.word for directive in block.directives}
    if StaffWord.ABRIR in words:
        return True
    return bool(words) and (not names_a_known_one or (words <= ERRANDS and not on_a_ticket))


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomersMail:
    """What a customer asks for, in an agent's mail: forwarded, or typed after a call (``is_typed``): then its
    subject is the agent's own words."""

    customer: Address
    subject: str
    text: str
    is_typed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class NoCustomer:
    """Why an agent's mail holds no customer's: the code of a sentence, and the address that stands in it."""

    code: str
    address: str = ""


def customers_mail(
    mail: InboundMail,
    block: DirectiveBlock,
    staff: Collection[str],
    *,
    notices: Iterable[str] = (),
    of: str = "",
) -> CustomersMail | NoCustomer:
    """The customer's mail within an agent's, or why there is none.

    Attached mails and one in the text count before typed lines. Where they are of several people, customers attach
    what others wrote to them: then the typed line says whose it is, or ``of``, if that is known already. ``staff``
    are addresses that are no customer's, ``notices`` the texts of the notices that the mail answers.
    """
    parts = [*_attached(mail, staff), *_in_text(mail, staff)]
    if len({part.sender.address for part in parts}) > 1:
        named = of or _named_above(block)
        parts = [part for part in parts if part.sender.address == named]
        if not parts:
            return NoCustomer(code="several_customers")
    found = parts[0] if parts else _typed(mail, block)
    if found is None:
        return NoCustomer(code="no_customer")
    if found.sender.address in staff:
        return NoCustomer(code="customer_is_staff", address=found.sender.address)
    if quotes_notice(found.text, notices):
        return NoCustomer(code="holds_a_notice")
    return CustomersMail(customer=found.sender, subject=found.subject, text=found.text, is_typed=not parts)


def _named_above(block: DirectiveBlock) -> str:
    """The address in a line that the agent typed above what they forward; below it stands what others wrote."""
    for line in block.remaining_text.split("\n")[:_LINES_AT_MOST]:
        if _BEGINS_A_FORWARD.match(line[:1000]):
            break
        stated = _CUSTOMER_LINE.fullmatch(line[:1000].rstrip("\r"))
        if stated is not None:
            return stated["address"].lower()
    return ""


def _in_text(mail: InboundMail, staff: Collection[str]) -> Iterator[ForwardedPart]:
    part = forwarded_part(mail.full_text, nobody_of=staff)
    if part is not None:
        yield part


def _attached(mail: InboundMail, staff: Collection[str]) -> Iterator[ForwardedPart]:
    """The attached mails by customers, or those that colleagues had forwarded in theirs."""
    for one in mail.attached_mails:
        if one.sender.address and one.sender.address not in staff:
            subject = without_prefix(one.subject)[:_SUBJECT_CHARACTERS]
            yield ForwardedPart(sender=one.sender, subject=subject, text=one.text)
            continue
        inner = forwarded_part(one.text, nobody_of=staff)
        if inner is not None:
            yield inner


def _typed(mail: InboundMail, block: DirectiveBlock) -> ForwardedPart | None:
    lines = block.remaining_text.split("\n")[:_LINES_AT_MOST]
    stated = next((match for line in lines if (match := _CUSTOMER_LINE.fullmatch(line[:1000].rstrip("\r")))), None)
    if stated is None:
        return None
    named = next((match["name"] for line in lines if (match := _NAME_LINE.fullmatch(line[:1000]))), stated["name"])
    # In answer to a notice the subject is that of another request.
    subject = "" if _TICKET_TAG.search(mail.subject) else without_prefix(mail.subject)
    address = Address(address=stated["address"].lower(), name=named.strip(" *_\"'"))
    return ForwardedPart(sender=address, subject=subject, text=block.remaining_text)


def why_not(block: DirectiveBlock) -> tuple[TranscriptLine, ...]:
    """The lines of a block that cannot be an errand, each with its reason; none where it can."""
    unknown = [
        TranscriptLine(
            typed=typed, state=LineState.REFUSED, code="problem.unknown_word", values=(("word", typed),)
        )
        for typed in block.unknown
    ]
    allowed = _BESIDE_OPENING if block.has(StaffWord.ABRIR) else ERRANDS
    others = [refused(one, "only_on_a_ticket") for one in block.directives if one.word not in allowed]
    return (*others, *unknown)


def refused(directive: Directive, code: str, **values: str) -> TranscriptLine:
    """A line that was not done."""
    said = (("word", f"#{directive.word}"), *values.items())
    return TranscriptLine(typed=directive.typed, state=LineState.REFUSED, code=f"problem.{code}", values=said)


def code_refused(typed: str, refusal: Refusal) -> TranscriptLine:
    """The line of a code that confirms nothing."""
    return TranscriptLine(typed=typed[:200], state=LineState.REFUSED, code=f"reply_refused.{refusal}")


def nothing_done(*lines: TranscriptLine) -> Transcript:
    """What is told of an errand that was not done."""
    return Transcript(applied=False, lines=lines, possible=(StaffWord.ABRIR, StaffWord.ABERTOS, StaffWord.AJUDA))


def answer_of(block: DirectiveBlock, own: tuple[Ticket, ...]) -> Transcript:
    """The manual and the list of the agent's tickets, as asked for."""
    lines = tuple(
        TranscriptLine(typed=one.typed, state=LineState.DONE, code=f"done.{one.word}") for one in block.directives
    )
    return Transcript(
        applied=True,
        lines=lines,
        possible=tuple(StaffWord),
        remarks=("text_not_sent",) if block.remaining_text.strip() else (),
        manual=block.has(StaffWord.AJUDA),
        tickets=own if block.has(StaffWord.ABERTOS) else None,
    )


def opened(block: DirectiveBlock, ticket: Ticket) -> Transcript:
    """What is told of a ticket that was opened in a customer's name (R000-13)."""
    values = (("number", ticket.number), ("customer", ticket.requester.address))
    first = next(one for one in block.directives if one.word is StaffWord.ABRIR)
    line = TranscriptLine(typed=first.typed, state=LineState.DONE, code="done.abrir", values=values)
    return Transcript(applied=True, lines=(line,))
