"""An explanation for people: what came, from whom, what is asked, what lacks, what would happen."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from mailbot.catalogue.load import Catalogue
from mailbot.catalogue.request_types import RequestType
from mailbot.cli.explained import decision_kind
from mailbot.cli.output import is_terminal, say, visible
from mailbot.domain.evidence import Finding, Verdict
from mailbot.domain.mail import Accepted, Address, Authenticity, Bounce, Discarded, SenderRole
from mailbot.flows.case import Examination, Understood
from mailbot.flows.explain import Explanation

_TEXT_CHARACTERS = 600
_LABEL_WIDTH = 12

_DECISIONS: Final = {
    "open_ticket": "opens a ticket",
    "append": "joins the ticket it belongs to",
    "apply_agent_reply": "is carried out as an agent's reply",
    "refuse_agent_reply": "is refused as an agent's reply; the agent is told why",
    "open_follow_up": "opens a ticket that follows a finished one",
    "answer_query": "is a customer word and is carried out; it opens no ticket",
    "record_bounce": "is noted as a letter that did not arrive; nobody is answered",
    "discard": "is kept in the log and goes no further",
    "quarantine": "is put aside for a person, and the administrator is told",
}
_AUTHENTICITY: Final = {
    Authenticity.VERIFIED: "verified by our server",
    Authenticity.UNVERIFIED: "not verified by our server",
    Authenticity.FAILED: "our server says that the address is forged",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A label and what stands beside it. ``mark`` colours it on a terminal."""

    label: str
    text: str
    mark: str = ""


def show_explanation(file: str, explanation: Explanation, catalogue: Catalogue, *, is_first: bool) -> None:
    """Print it; colours only on a terminal."""
    lines = list(explanation_lines(explanation, catalogue))
    if not is_terminal():
        say(("" if is_first else "\n") + visible(file))
        for line in lines:
            say(f"  {line.label:<{_LABEL_WIDTH}}{_hanging(line.text, 2 + _LABEL_WIDTH)}")
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for line in lines:
        table.add_row(f"  {line.label}", Text(line.text, style=line.mark))
    console = Console(highlight=False)
    if not is_first:
        console.print()
    console.print(Text(visible(file), style="bold"))
    console.print(table)


def _hanging(text: str, columns: int) -> str:
    indented = text.replace("\n", "\n" + " " * columns)
    return "\n".join(line.rstrip() for line in indented.split("\n"))


def explanation_lines(explanation: Explanation, catalogue: Catalogue) -> Iterator[Line]:
    """What is to be said of a mail, in the order in which a person asks."""
    mail, found = explanation.mail, explanation.found
    if mail is None or found is None:
        yield Line(label="unreadable", text=visible(explanation.unreadable), mark="red")
        decision = "none: this is no mail; look at the path" if explanation.is_no_mail else _decision(explanation)
        yield Line(label="decision", text=decision, mark="bold yellow")
        return
    yield Line(label="from", text=f"{_person(mail.sender)}: {_who(found)}")
    yield Line(label="subject", text=visible(mail.subject) or "(none)")
    if mail.new_text:
        yield Line(label="new text", text=_shortened(visible(mail.new_text)))
    if mail.attachments:
        names = (f"{visible(one.filename) or '(no name)'} ({_size(one.size_bytes)})" for one in mail.attachments)
        yield Line(label="attached", text=", ".join(names))
    if mail.defects:
        yield Line(label="defects", text=", ".join(mail.defects), mark="yellow")
    yield from _screening(found)
    if isinstance(found, Understood):
        yield from _request(explanation, found, catalogue)
    yield Line(
        label="decision",
        text=_decision(explanation),
        mark="bold green" if isinstance(found, Understood) else "yellow",
    )
    yield from _letters(explanation, found)


def _who(found: Examination) -> str:
    sender = found.sender
    if sender.role is SenderRole.MACHINE:
        return "a machine"
    role = "one of our agents" if sender.role is SenderRole.AGENT else "a customer"
    return f"{role}, {_AUTHENTICITY[sender.authenticity]}"


def _screening(found: Examination) -> Iterator[Line]:
    match found.screening:
        case Bounce() as bounce:
            lasting = "for good" if bounce.permanent else "for now"
            text = f"a letter to {visible(bounce.recipient) or 'somebody'} could not be delivered {lasting}"
            yield Line(label="it is", text=text)
        case Discarded() as discarded:
            yield Line(label="it is", text=f"nothing to work on: {_words(str(discarded.reason))}")
        case Accepted() as accepted if not accepted.may_answer:
            text = f"a mail that is not answered by itself: {_words(accepted.reason)}"
            yield Line(label="it is", text=text, mark="yellow")


def _request(explanation: Explanation, found: Understood, catalogue: Catalogue) -> Iterator[Line]:
    request_type = found.situation.request_type
    said = found.situation.classification
    if said.request_type is None:
        sure = "nothing in the mail names a request for certain"
    else:
        sure = f"{said.confidence:.0%} sure, by {_words(said.matched)}"
    yield Line(label="request", text=f"{request_type.name} [{request_type.key}], {sure}")
    others = [
        f"{catalogue.type(one.request_type).name} ({one.confidence:.0%})"
        for one in said.candidates
        if one.request_type != said.request_type
    ]
    if others:
        yield Line(label="or perhaps", text=", ".join(others))
    yield from _evidence(explanation, found, request_type)


def _evidence(explanation: Explanation, found: Understood, kind: RequestType) -> Iterator[Line]:
    labels = {one.key: one.label for one in kind.fields} | {str(one.key): one.label for one in kind.documents}
    for value in found.situation.report.fields:
        bad = "" if value.valid else f" (not valid: {_words(value.reason)})"
        text = f"{labels.get(value.key, value.key)}: {visible(value.value)}{bad}"
        yield Line(label="field", text=text, mark="" if value.valid else "yellow")
    for finding in found.situation.report.findings:
        yield Line(label="document", text=_document(finding, labels))
    ticket = explanation.ticket
    missing = found.situation.report.missing if ticket else ()
    if missing:
        yield Line(label="missing", text=", ".join(labels.get(key, key) for key in missing), mark="yellow")
    for mismatch in found.situation.report.mismatches:
        text = f"{labels.get(mismatch.key, mismatch.key)}: {_words(mismatch.reason)}"
        yield Line(label="mismatch", text=text, mark="yellow")
    if ticket and found.situation.report.complete and (kind.documents or any(one.required for one in kind.fields)):
        yield Line(label="missing", text="nothing", mark="green")


def _document(finding: Finding, labels: dict[str, str]) -> str:
    parts = [visible(finding.filename) or "(no name)"]
    kind = _words(str(finding.kind))
    parts.append(f"{kind}, {finding.confidence:.0%} sure" if finding.confidence else f"kind {kind}")
    parts.append(_words(str(finding.verdict)))
    if finding.requirement:
        parts.append(f"{_how_it_serves(finding)} {labels.get(finding.requirement, finding.requirement)}")
    facts = ", ".join(f"{_words(fact.name)} {visible(fact.value)}" for fact in finding.facts)
    remarks = ", ".join(f"{_words(remark.fact)}: {_words(remark.reason)}" for remark in finding.remarks)
    guesses = ", ".join(f"{_words(fact.name)} {visible(fact.value)}" for fact in finding.guesses)
    more = [facts, remarks and f"look at {remarks}", guesses and f"not certain: {guesses}"]
    return "; ".join([*parts, *(one for one in more if one)])


def _how_it_serves(finding: Finding) -> str:
    if finding.for_a_person:
        return "counts, for a person to look at, as"
    return "serves as" if finding.verdict is Verdict.ACCEPTED else "perhaps meant as"


def _decision(explanation: Explanation) -> str:
    text = "this mail " + _DECISIONS[decision_kind(explanation)]
    ticket = explanation.ticket
    if ticket is None:
        return text
    where = f" in queue {ticket.queue}" if ticket.queue else ""
    ended = f" ({_words(str(ticket.resolution))})" if ticket.resolution else ""
    return f"{text}; status {_words(str(ticket.status))}{ended}{where}"


def _letters(explanation: Explanation, found: Examination) -> Iterator[Line]:
    for letter in explanation.letters:
        text = f"to {letter.recipient.address} ({letter.audience}): {visible(letter.subject)} [{letter.letter}]"
        yield Line(label="letter", text=text)
    if not explanation.letters and isinstance(found, Understood):
        yield Line(label="letter", text="none")


def _person(one: Address) -> str:
    name = visible(one.name)
    return f"{name} <{one.address}>" if name else (one.address or "nobody")


def _words(code: str) -> str:
    return code.replace("_", " ")


def _size(size_bytes: int) -> str:
    if size_bytes < 1000:
        return f"{size_bytes} bytes"
    return f"{size_bytes / 1000:.0f} kB" if size_bytes < 1_000_000 else f"{size_bytes / 1_000_000:.1f} MB"


def _shortened(text: str) -> str:
    return text if len(text) <= _TEXT_CHARACTERS else text[:_TEXT_CHARACTERS].rstrip() + " …"
