"""An explanation as INTERFACE *JSON* has it, and as a person reads it. All keys always, objects never null."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final, assert_never

from mailbot.domain.events import OutboundLetter
from mailbot.domain.evidence import DocumentKind, EvidenceReport, FieldValue, Finding
from mailbot.domain.guidance import Ruling, RulingAction
from mailbot.domain.mail import NO_THREAD, Accepted, Address, Attachment, Bounce, Discarded, InboundMail, Screening
from mailbot.flows.case import Examination, ScreenedOut, Understood
from mailbot.flows.explain import Explanation
from mailbot.triage.decisions import (
    ActOnQuery,
    AnswerAgent,
    AnswerQuery,
    AppendMessage,
    ApplyAgentReply,
    ApplySectorReply,
    ChangeContact,
    ConfirmErrand,
    Decision,
    Discard,
    OpenFollowUp,
    OpenTicket,
    RefuseAgentReply,
)

FACTS_OF: Final = {
    DocumentKind.BOLETO: (
        "digitable_line",
        "barcode",
        "form",
        "bank",
        "amount",
        "due_date",
        "payer_name",
        "payer_tax_id",
        "beneficiary_name",
        "beneficiary_tax_id",
    ),
    DocumentKind.PAYMENT_RECEIPT: (
        "status",
        "amount",
        "paid_at",
        "payer_name",
        "payee_name",
        "payee_tax_id",
        "boleto_line",
        "pix_end_to_end_id",
        "authentication",
    ),
    DocumentKind.DRIVER_LICENCE: ("holder_name", "tax_id", "licence_number", "birth_date", "valid_until"),
    DocumentKind.OTHER: (),
    DocumentKind.UNKNOWN: (),
}
"""Every fact that a kind of document has; absent or uncertain ones are null."""

UNREADABLE = "unreadable"
QUARANTINE = "quarantine"
RECORD_BOUNCE = "record_bounce"


def explanation_as_json(file: str, explanation: Explanation, elapsed_ms: int) -> dict[str, Any]:
    """One object of ``explain --json`` for the argument ``file``."""
    mail, found = explanation.mail, explanation.found
    report = found.situation.report if isinstance(found, Understood) else EvidenceReport()
    return {
        "file": file,
        **_mail(mail),
        "screening": _screening(found.screening if found else None, explanation.unreadable),
        "sender": {
            "role": found.sender.role if found else None,
            "authenticity": found.sender.authenticity if found else None,
        },
        "thread": _thread(found),
        "classification": _classification(found),
        "fields": fields_as_json(report.fields),
        "documents": [document_as_json(finding) for finding in report.findings],
        "missing": list(report.missing),
        "mismatches": [{"key": one.key, "reason": one.reason} for one in report.mismatches],
        "decision": _decision(explanation),
        "letters": [_letter(letter) for letter in explanation.letters],
        "elapsed_ms": elapsed_ms,
    }


def _mail(mail: InboundMail | None) -> dict[str, Any]:
    if mail is None:
        return {
            **dict.fromkeys(("message_id", "subject", "new_text"), ""),
            "from": {"name": None, "address": None},
            "sent_at": None,
            **{name: [] for name in ("to", "cc", "defects", "attachments")},
        }
    return {
        "message_id": mail.message_id,
        "subject": mail.subject,
        "new_text": mail.new_text,
        "from": _address(mail.sender),
        "to": [_address(one) for one in mail.to],
        "cc": [_address(one) for one in mail.cc],
        "sent_at": mail.sent_at.isoformat() if mail.sent_at else None,
        "defects": list(mail.defects),
        "attachments": [_attachment(one) for one in mail.attachments],
    }


def _address(one: Address) -> dict[str, str | None]:
    return {"name": one.name, "address": one.address or None}


def _attachment(one: Attachment) -> dict[str, Any]:
    return {
        "filename": one.filename,
        "media_type": one.media_type,
        "size_bytes": one.size_bytes,
        "sha256": one.sha256,
        "inline": one.inline,
    }


def _screening(screening: Screening | None, unreadable: str) -> dict[str, Any]:
    said: dict[str, Any] = {
        "outcome": UNREADABLE,
        "reason": None,
        "may_answer": False,
        "bounce": {"recipient": None, "permanent": None, "original_message_id": None},
    }
    match screening:
        case None:
            said["reason"] = unreadable or None
        case Accepted():
            said |= {
                "outcome": "accepted",
                "reason": screening.reason or None,
                "may_answer": screening.may_answer,
            }
        case Discarded():
            said |= {"outcome": "discarded", "reason": screening.reason}
        case Bounce():
            said |= {
                "outcome": "bounce",
                "reason": screening.diagnostic or None,
                "bounce": {
                    "recipient": screening.recipient or None,
                    "permanent": screening.permanent,
                    "original_message_id": screening.original_message_id or None,
                },
            }
        case _:
            assert_never(screening)
    return said


def _thread(found: Examination | None) -> dict[str, Any]:
    thread = found.situation.thread if isinstance(found, Understood) else NO_THREAD
    return {"ticket": thread.ticket_number, "key": thread.key, "refused": thread.refused}


def _classification(found: Examination | None) -> dict[str, Any]:
    """The type that the ticket gets: ``general`` with confidence 0 where nothing fits."""
    if not isinstance(found, Understood):
        return {"request_type": None, "confidence": None, "matched": None, "candidates": []}
    said = found.situation.classification
    return {
        "request_type": found.situation.request_type.key,
        "confidence": said.confidence,
        "matched": said.matched or None,
        "candidates": [
            {"request_type": one.request_type, "confidence": one.confidence} for one in said.candidates
        ],
    }


def fields_as_json(fields: Iterable[FieldValue]) -> dict[str, Any]:
    """Fields by their keys."""
    return {one.key: {"value": one.value, "valid": one.valid, "reason": one.reason or None} for one in fields}


def document_as_json(finding: Finding) -> dict[str, Any]:
    """A file as it was found, with every fact that its kind has."""
    facts = {fact.name: fact.value for fact in finding.facts}
    return {
        "filename": finding.filename,
        "sha256": finding.sha256,
        "page": finding.page,
        "kind": finding.kind,
        "confidence": finding.confidence,
        "verdict": finding.verdict,
        "reasons": list(finding.reasons),
        "facts": {name: facts.get(name) for name in FACTS_OF[finding.kind]},
    }


def _letter(letter: OutboundLetter) -> dict[str, str]:
    return {
        "letter": letter.letter,
        "audience": letter.audience,
        "to": letter.recipient.address,
        "subject": letter.subject,
        "text": letter.text,
        "html": letter.html,
    }


# --- the decision --------------------------------------------------------------------------------------------


def _decision(explanation: Explanation) -> dict[str, Any]:
    ticket = explanation.ticket
    return {
        "kind": decision_kind(explanation),
        "guidance": _guidance(explanation),
        "status": ticket.status if ticket else None,
        "resolution": ticket.resolution if ticket else None,
        "reasons": list(dict.fromkeys(_reasons(explanation))),
    }


def _guidance(explanation: Explanation) -> str | None:
    """The words that the requester gets, where the bot answers by itself."""
    ruling = explanation.ticket.ruling if explanation.ticket else None
    return ruling.given or None if ruling is not None else None


def decision_kind(explanation: Explanation) -> str:
    """``decision.kind``."""
    found = explanation.found
    if found is None:
        return QUARANTINE
    if isinstance(found, ScreenedOut):
        return RECORD_BOUNCE if isinstance(found.screening, Bounce) else "discard"
    return _kind_of(found.decision)


def _kind_of(decision: Decision) -> str:
    match decision:
        case OpenTicket():
            kind = "open_ticket"
        case AppendMessage() | ChangeContact() | ApplySectorReply():
            kind = "append"
        case ApplyAgentReply():
            kind = "apply_agent_reply"
        case RefuseAgentReply():
            kind = "refuse_agent_reply"
        case OpenFollowUp():
            kind = "open_follow_up"
        case AnswerQuery() | ActOnQuery() | AnswerAgent() | ConfirmErrand():
            kind = "answer_query"
        case Discard():
            kind = "discard"
        case _:
            assert_never(decision)
    return kind


def _reasons(explanation: Explanation) -> Iterator[str]:
    found = explanation.found
    if found is None:
        yield UNREADABLE
        return
    if isinstance(found, ScreenedOut):
        yield _reason_screened_out(found.screening)
        return
    yield from _reasons_of(found.decision, found)
    if found.screening.reason:
        yield str(found.screening.reason)


def _reason_screened_out(screening: Bounce | Discarded) -> str:
    if isinstance(screening, Discarded):
        return str(screening.reason)
    return "permanent" if screening.permanent else "transient"


def _reasons_of(decision: Decision, found: Understood) -> Iterator[str]:
    if isinstance(decision, AnswerQuery | ActOnQuery | ChangeContact | ApplySectorReply):
        yield from _reasons_of_word(decision)
        return
    match decision:
        case OpenTicket():
            if found.situation.classification.request_type is None:
                yield "unclassified"
            if decision.link_reason:
                yield decision.link_reason
            if decision.which:
                yield "which_ticket"
            yield from _state_of_evidence(found.situation.report)
        case OpenFollowUp():
            yield "finished"
            yield from _state_of_evidence(found.situation.report)
        case AppendMessage():
            if decision.reopen:
                yield "reopen"
            if decision.quiet:
                yield "quiet"
            yield from _state_of_evidence(found.situation.report)
        case ApplyAgentReply():
            yield str(decision.visibility)
        case RefuseAgentReply() | Discard() | AnswerAgent() | ConfirmErrand():
            yield str(decision.reason)
        case _:
            assert_never(decision)


def _reasons_of_word(decision: AnswerQuery | ActOnQuery | ChangeContact | ApplySectorReply) -> Iterator[str]:
    if isinstance(decision, ApplySectorReply):
        yield "sector"
        return
    if isinstance(decision, ChangeContact):
        yield "contact_change"
        return
    if isinstance(decision, ActOnQuery):
        yield str(decision.query.word)
        return
    yield str(decision.word)
    if decision.reason is not None:
        yield str(decision.reason)


def _state_of_evidence(report: EvidenceReport) -> Iterator[str]:
    if report.ruling is not None and report.ruling.replies:
        yield from _what_the_rules_say(report.ruling)
        return
    if report.complete:
        yield "complete"
        # Before that nobody is told of a suggestion.
        yield from _what_the_rules_say(report.ruling)
    if report.missing:
        yield "missing"
    if report.mismatches:
        yield "mismatch"


def _what_the_rules_say(ruling: Ruling | None) -> Iterator[str]:
    """Of a table that lets the request go on there is nothing to tell."""
    if ruling is None or ruling.action is RulingAction.PROCEED:
        return
    if ruling.replies:
        yield "guided"
    elif ruling.action is RulingAction.SUGGEST:
        yield f"suggested:{ruling.guidance}" if ruling.guidance else "suggested"
    elif ruling.action is RulingAction.PERSON:
        yield "rules_undecided"
    else:
        return
    yield from (f"{one.name}={one.value}" for one in ruling.facts)
    yield from (f"unsure:{name}" for name in ruling.doubts)


def ruling_as_json(ruling: Ruling | None) -> dict[str, Any]:
    """What the table of rules says of a ticket; an object of nulls where it has none."""
    if ruling is None:
        keys = ("action", "row", "guidance", "facts", "doubts", "asks", "not_needed", "linked_ticket")
        return dict.fromkeys(keys)
    return {
        "action": ruling.action,
        "row": ruling.row,
        "guidance": ruling.guidance or None,
        "facts": {one.name: one.value for one in ruling.facts},
        "doubts": list(ruling.doubts),
        "asks": list(ruling.asks),
        "not_needed": list(ruling.not_needed),
        "linked_ticket": ruling.linked_ticket or None,
    }
