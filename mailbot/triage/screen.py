"""Screening: may this mail come in, may it be answered, or is it news of a letter that did not arrive?

``(InboundMail, OwnMarks) → Accepted | Discarded | Bounce``. *May not be answered* is not *may not be stored*
(THREATS 3): only our own mail, read receipts and reports of successful delivery go no further. Headers decide
first (RFC 3834); subjects of absence notes only ever take away the answer.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from mailbot.catalogue.folding import fold
from mailbot.domain.addressing import AddressTag
from mailbot.domain.handles import (
    LOOP_MARK_HEADER,
    handle_in_address,
    handle_in_loop_mark,
    loop_mark_is_ours,
)
from mailbot.domain.mail import Accepted, Discarded, InboundMail, Screening
from mailbot.triage.bounces import (
    DeliveryNews,
    is_delivery_report,
    is_server_account,
    read_delivery_report,
    speaks_of_failure,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnMarks:
    """By what we know ourselves: the key of the loop mark, and our mailboxes' addresses in lower case."""

    secret_key: bytes = field(repr=False)
    own_addresses: frozenset[str]


class ScreeningReason(StrEnum):
    """Why a mail is discarded or may not be answered: the values of ``reason``."""

    OWN_MAIL = "own_mail"
    READ_RECEIPT = "read_receipt"
    DELIVERY_SUCCESS = "delivery_success"
    AUTO_SUBMITTED = "auto_submitted"
    ANSWERING_MACHINE = "answering_machine"
    FEEDBACK_REPORT = "feedback_report"
    MACHINE_REPORT = "machine_report"
    NULL_RETURN_PATH = "null_return_path"
    NO_SENDER = "no_sender"
    FROM_OWN_ADDRESS = "from_own_address"
    COPY_OF_SENT_MAIL = "copy_of_sent_mail"
    ANSWERS_NO_TICKET = "answers_no_ticket"
    MACHINE_SENDER = "machine_sender"
    TO_BOUNCE_ADDRESS = "to_bounce_address"
    MAILING_LIST = "mailing_list"
    PRECEDENCE = "precedence"
    AUTO_RESPONSE_SUPPRESS = "auto_response_suppress"
    CALENDAR_REPLY = "calendar_reply"
    SPEAKS_OF_FAILURE = "speaks_of_failure"
    ABSENCE_SUBJECT = "absence_subject"


PROOF_OF_ANSWERING_MACHINE = frozenset({ScreeningReason.ANSWERING_MACHINE})
"""Reasons that prove an answering machine, not just some program."""


def screen(mail: InboundMail, *, own: OwnMarks) -> Screening:
    """Sort a mail out.

    Returns ``Discarded`` for our own letters come back (THREATS 2), read receipts (RFC 8098) and reports of
    success (RFC 3464 §2.3.3); ``Bounce`` for failed and delayed delivery, with the Message-ID of our letter as
    far as a handle or a returned header tells it; otherwise ``Accepted``, whose ``may_answer`` is false for
    whatever a machine may have written. Never raises.
    """
    if _is_own_mail(mail, own):
        return Discarded(reason=ScreeningReason.OWN_MAIL)
    if _is_read_receipt(mail):
        return Discarded(reason=ScreeningReason.READ_RECEIPT)
    report = None if _is_absence_note(mail) else read_delivery_report(mail, own.own_addresses)
    if report is not None:
        if report.news is DeliveryNews.SUCCESS:
            return Discarded(reason=ScreeningReason.DELIVERY_SUCCESS)
        return report.as_bounce()
    return _accepted(mail, own)


def is_automatic(mail: InboundMail, *, own: OwnMarks) -> bool:
    """Whether a program wrote the mail, whoever it is from: also the shared mailbox's own absence note, or the
    read receipt that its webmail sends."""
    return _is_read_receipt(mail) or any(applies(mail, own) for applies in _SIGNS_OF_PROGRAMS)


def _accepted(mail: InboundMail, own: OwnMarks) -> Accepted:
    for reason, applies in _SIGNS:
        if applies(mail, own):
            return Accepted(
                may_answer=False,
                reason=reason,
                automatic_reply=reason in PROOF_OF_ANSWERING_MACHINE,
            )
    return Accepted(may_answer=True)


# --- discarded ---------------------------------------------------------------------------------------------


def _is_own_mail(mail: InboundMail, own: OwnMarks) -> bool:
    return own_handle(mail, own=own) is not None


def own_handle(mail: InboundMail, *, own: OwnMarks) -> str | None:
    """The handle of our letter that this mail is, by its signed mark; ``None`` if it is no letter of ours."""
    if mail.sender.address not in own.own_addresses:
        return None
    recipients = [one.address for one in (*mail.to, *mail.cc)]
    for mark in mail.all_headers(LOOP_MARK_HEADER)[:5]:
        if loop_mark_is_ours(own.secret_key, mark, mail.sender.address, recipients):
            # A mail that doctor sends to itself has none.
            return handle_in_loop_mark(mark) or ""
    return None


def _is_read_receipt(mail: InboundMail) -> bool:
    return (
        mail.content_type == "multipart/report" and mail.report_type == "disposition-notification"
    ) or mail.content_type == "message/disposition-notification"


# --- who must not be answered, by header -------------------------------------------------------------------


def _first_word(value: str) -> str:
    """The keyword of a header value, without comment, parameters and case."""
    return re.split(r"[\s;(,]", value.strip(), maxsplit=1)[0].lower()


def _is_answering_machine(mail: InboundMail, _own: OwnMarks) -> bool:
    """Auto-Submitted: auto-replied (RFC 3834 §5), or what answering programs said before there was a rule."""
    if any(_first_word(value) == "auto-replied" for value in mail.all_headers("auto-submitted")):
        return True
    if any(_first_word(value) in _PRECEDENCE_OF_ANSWERS for value in _precedences(mail)):
        return True
    if any(name in _ANSWERING_HEADERS and _first_word(value) not in _MEANS_NO for name, value in mail.headers):
        return True
    return "autoresponder" in mail.delivered_to or "autoresponder" in mail.header("x-post-messageclass").lower()


_PRECEDENCE_OF_ANSWERS = frozenset({"auto_reply", "auto-reply", "autoreply"})
_PRECEDENCE_OF_BULK = frozenset({"bulk", "junk", "list"})
_MEANS_NO = frozenset({"no", "false", "0"})
_ANSWERING_HEADERS = frozenset(
    {
        "x-autoreply",
        "x-auto-reply",
        "x-autoreply-from",
        "x-auto-reply-from",
        "x-autorespond",
        "x-autoresponder",
        "x-auto-respond",
        "x-autoresponse",
        "x-auto-response",
        "x-mail-autoreply",
        "x-mail-autoresponder",
        "x-vacation",
        "x-away-message",
    }
)


def _precedences(mail: InboundMail) -> tuple[str, ...]:
    return mail.all_headers("precedence") + mail.all_headers("x-precedence")


def _is_auto_submitted(mail: InboundMail, _own: OwnMarks) -> bool:
    return any(_first_word(value) not in ("", "no") for value in mail.all_headers("auto-submitted"))


def _is_feedback(mail: InboundMail, _own: OwnMarks) -> bool:
    """An abuse report (RFC 5965)."""
    return mail.content_type == "message/feedback-report" or (
        mail.content_type == "multipart/report" and mail.report_type == "feedback-report"
    )


def _is_machine_report(mail: InboundMail, _own: OwnMarks) -> bool:
    return mail.content_type == "multipart/report" or is_delivery_report(mail)


def _has_null_return_path(mail: InboundMail, _own: OwnMarks) -> bool:
    return mail.return_path == ""


def _has_no_sender(mail: InboundMail, _own: OwnMarks) -> bool:
    return "@" not in mail.sender.address


def _is_from_own_address(mail: InboundMail, own: OwnMarks) -> bool:
    return any(one.address in own.own_addresses for one in (mail.sender, *mail.from_addresses))


_MACHINE_LOCAL_PART = re.compile(
    r"listserv|majordomo|lists?erver|sympa|ezmlm|mailman|root|nobody|cron|www-data|nagios|zabbix|devnull|"
    r"bounces?|owner-.*|.*-(request|owner|bounces?)|bounces?[-+=].*|autoresponder|auto-?reply|autoresposta"
)
_NO_REPLY = re.compile(
    r"(^|[-_.+])(no[-_.]?repl(y|ies)|do[-_.]?not[-_.]?reply|dont[-_.]?reply|no[-_.]?respond(er|a)?|"
    r"no[-_.]?contest(ar|e)|nao[-_.]?respond(er|a)|sem[-_.]?resposta)($|[-_.+0-9])"
)


def _is_from_a_machine(mail: InboundMail, _own: OwnMarks) -> bool:
    """Servers, list managers and addresses that say themselves that nobody reads them (THREATS 8)."""
    if is_server_account(mail):
        return True
    local_part = fold(mail.sender.local_part.replace("_", "-"))[:128]
    return _MACHINE_LOCAL_PART.fullmatch(local_part) is not None or _NO_REPLY.search(local_part) is not None


def _is_to_a_bounce_address(mail: InboundMail, _own: OwnMarks) -> bool:
    """Only servers and answering machines write to the envelope sender of a letter."""
    recipients = (*(one.address for one in (*mail.to, *mail.cc)), *mail.delivered_to)
    return any(handle_in_address(address, AddressTag.BOUNCE) for address in recipients)


_LIST_HEADERS = frozenset(
    {"x-beenthere", "x-mailing-list", "mailing-list", "x-mailman-version", "x-listprocessor-version"}
)


def _is_from_a_list(mail: InboundMail, _own: OwnMarks) -> bool:
    """Any List-* field (RFC 2369, RFC 2919) or an older list manager's own."""
    return any(name.startswith("list-") or name in _LIST_HEADERS for name, _ in mail.headers)


def _has_bulk_precedence(mail: InboundMail, _own: OwnMarks) -> bool:
    """In any of several Precedence fields (THREATS 1)."""
    return any(_first_word(value) in _PRECEDENCE_OF_BULK for value in _precedences(mail))


def _wants_no_auto_response(mail: InboundMail, _own: OwnMarks) -> bool:
    """``All`` or ``AutoReply``; OOF, DR, RN and NRN alone stand on people's mails (THREATS 4)."""
    return any(
        word.strip().lower() in ("all", "autoreply")
        for value in mail.all_headers("x-auto-response-suppress")
        for word in re.split(r"[,;]", value)
    )


_CALENDAR_METHODS = re.compile(r"method\s*[=:]\s*\"?(reply|counter)\b", re.IGNORECASE)


def _is_calendar_reply(mail: InboundMail, _own: OwnMarks) -> bool:
    """Somebody's program accepts or declines an invitation (RFC 5546 §3.2.3)."""
    if "calendar" in mail.header("content-type").lower() and _CALENDAR_METHODS.search(mail.header("content-type")):
        return True
    return any(
        attachment.declared_type in ("text/calendar", "application/ics")
        and _CALENDAR_METHODS.search(attachment.content[:2048].decode("ascii", "replace")) is not None
        for attachment in mail.attachments
    )


def _speaks_of_failure(mail: InboundMail, _own: OwnMarks) -> bool:
    return speaks_of_failure(mail)


# --- absence notes, by subject -----------------------------------------------------------------------------

# What may follow the words in a note: nothing, the original subject after a colon, or a time. A sentence that
# goes on is a person's: "Fora do escritorio do Detran nao consigo ..." (THREATS 3).
_COLON_OR_END = r"\s*([:.!]+(\s.*)?|-\s.*)?"
_TIME_OR_END = (
    r"(?!.*\b(e|preciso|precisava|quero|queria|posso|gostaria|mas|nao|and|need|can|y|necesito)\b)"
    r"[\s.!,:(-]*((ate|desde|entre|no periodo|a partir|retorno|volto|until|till|through|back|hasta)\b[^?]{0,28}|"
    r"(de|del|from)\s\d[^?]{0,28}|(re|res|resp|enc)\s*:.*)?"
)
_FIRST_WORDS_OF_PROGRAMS = "|".join(
    (
        r"(?:resposta|mensagem|resp\.?) automatica|autorresposta|auto[- ]resposta",
        r"respuesta automatica|auto-?respuesta",
        r"automatic reply|auto[- ]?(?:reply|response|responder)|automated (?:reply|response)",
        r"(?:out of (?:the )?office|ooo)(?: (?:auto[- ]?reply|reply|message|notification))?",
        r"vacation (?:reply|message|notice)|ausencia temporaria|ausencia temporal|ausente temporariamente",
        r"(?:aviso|notificacao|mensagem|comunicado) de (?:ausencia|ferias)",
        r"(?:fora|ausente) do escritorio|(?:fuera|ausente) de (?:la )?oficina",
    )
)
_FIRST_WORDS_OF_PEOPLE_TOO = (
    r"(?:(?:estou|estarei|estamos|i am|i'm|i will be|estoy|estare)\s+)?(?:currently\s+|temporariamente\s+)?"
    r"(?:fora do escritorio|ausente|(?:de|em) ferias|out of (?:the )?office|on vacation|on (?:annual )?leave|"
    r"away from (?:the |my )?(?:office|desk|mail|email)|fuera de (?:la )?oficina|de vacaciones)"
)
_RECEIPT = (
    r"(?:(?:nao )?lid[ao]|(?:no )?leido|(?:not )?read)\s*:.*|"
    r"(?:confirmacao|recibo) de leitura\b.*|read receipt\b.*|confirmacion de lectura\b.*"
)
_TAGS = re.compile(r"(?:\s*(?:\[[^\]]{1,40}\]|\*{2,}[^*]{1,40}\*{2,}))+\s*")
_ABSENCE = re.compile(
    rf"(?:{_FIRST_WORDS_OF_PROGRAMS}){_COLON_OR_END}|{_FIRST_WORDS_OF_PEOPLE_TOO}{_TIME_OR_END}|{_RECEIPT}"
)
_SUBJECT_CHARACTERS = 400


def _is_absence_note(mail: InboundMail) -> bool:
    subject = fold(mail.subject[:_SUBJECT_CHARACTERS])
    tags = _TAGS.match(subject)
    if tags is not None:
        subject = subject[tags.end() :]
    return _ABSENCE.fullmatch(subject) is not None


def _has_absence_subject(mail: InboundMail, _own: OwnMarks) -> bool:
    return _is_absence_note(mail)


_SIGNS_OF_PROGRAMS = (
    _is_answering_machine,
    _is_auto_submitted,
    _is_feedback,
    _is_machine_report,
    _is_calendar_reply,
    _has_absence_subject,
)
# Proofs first: the first that applies is the reason given.
_SIGNS: tuple[tuple[ScreeningReason, Callable[[InboundMail, OwnMarks], bool]], ...] = (
    (ScreeningReason.FROM_OWN_ADDRESS, _is_from_own_address),
    (ScreeningReason.FEEDBACK_REPORT, _is_feedback),
    (ScreeningReason.ANSWERING_MACHINE, _is_answering_machine),
    (ScreeningReason.AUTO_SUBMITTED, _is_auto_submitted),
    (ScreeningReason.MACHINE_REPORT, _is_machine_report),
    (ScreeningReason.NO_SENDER, _has_no_sender),
    (ScreeningReason.MACHINE_SENDER, _is_from_a_machine),
    (ScreeningReason.NULL_RETURN_PATH, _has_null_return_path),
    (ScreeningReason.TO_BOUNCE_ADDRESS, _is_to_a_bounce_address),
    (ScreeningReason.MAILING_LIST, _is_from_a_list),
    (ScreeningReason.PRECEDENCE, _has_bulk_precedence),
    (ScreeningReason.AUTO_RESPONSE_SUPPRESS, _wants_no_auto_response),
    (ScreeningReason.CALENDAR_REPLY, _is_calendar_reply),
    (ScreeningReason.SPEAKS_OF_FAILURE, _speaks_of_failure),
    (ScreeningReason.ABSENCE_SUBJECT, _has_absence_subject),
)
