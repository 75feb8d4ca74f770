"""Bounces: which letter of ours did not arrive, at whom, and for good or not.

``(InboundMail, own addresses) → DeliveryReport | None``. Standard reports (RFC 3464) come as
:class:`~mailbot.domain.mail.DeliveryStatus`; what older and stranger servers write is read from the text, but
only where the mail itself shows that a server wrote it: a person who quotes a bounce is a person.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from mailbot.catalogue.folding import fold, plain_lines
from mailbot.domain.addressing import AddressTag
from mailbot.domain.handles import handle_in_address, handle_in_message_id, handles_in_text, message_id_for
from mailbot.domain.mail import Bounce, DeliveryStatus, InboundMail


class DeliveryNews(StrEnum):
    """What a server tells of a letter."""

    FAILED = "failed"
    DELAYED = "delayed"
    SUCCESS = "success"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryReport:
    """A server's news of one recipient."""

    news: DeliveryNews
    recipient: str
    original_message_id: str = ""
    diagnostic: str = ""

    def as_bounce(self) -> Bounce:
        """The domain's word for it; a delay is a bounce that is not permanent."""
        return Bounce(
            recipient=self.recipient,
            permanent=self.news is DeliveryNews.FAILED,
            original_message_id=self.original_message_id,
            diagnostic=self.diagnostic,
        )


_SUBJECT_CHARACTERS = 400
_TEXT_CHARACTERS = 20_000
_TOP_CHARACTERS = 600
_LINES_AFTER_TRIGGER = 8
_DIAGNOSTIC_CHARACTERS = 500

# Accounts that servers write from (RFC 3464 §2, RFC 2142). A person never does.
_SERVER_ACCOUNT = re.compile(
    r"(mailer|mail|maild|mailerd)[-_.]?daemon|daemon|mdaemon|poo?st[-_.]?master|post[-_]?office|double-bounce|"
    r"mail[-_.]?delivery([-_.]?(sub)?system)?|(system|mail)[ _.-]administrator|microsoftexchange[0-9a-f]+"
)


def _any_of(*forms: str) -> re.Pattern[str]:
    """One pattern for folded text."""
    return re.compile("|".join(forms))


# Asked only of mails that a server shows to have written.
_FAILURE_SUBJECT = _any_of(
    r"(un|non-?)deliver",
    r"return(ed|ing) (mail|message|to sender)",
    r"mail(er)? ?(delivery|error|fail|system|could ?n[o']t|is not delivered|was not)",
    r"deliver[a-z]* (status|fail|error|has failed|problem|incomplete|report|delayed|warning|notification|issue)",
    r"fail(ure|ed) (notice|deliver|mail|to deliver)",
    r"(can|could)( ?not|n't) (be )?deliver",
    r"message (could not|not delivered|status|was not|delayed)",
    r"unable to deliver",
    r"unknown user|user unknown|unzustellbar|automatically rejected",
    r"warning: (could not|message)",
    r"(mensagem|e-?mail) (nao |foi )?(entreg|devolv|nao )",
    r"nao (foi )?(entreg|e possivel entreg|possivel entreg)",
    r"falha (na|de|da) entrega|erro (na|de) entrega|impossivel entregar|entrega (atrasada|adiada|incompleta)",
    r"devolucao d[ae] (mensagem|e-?mail)",
    r"(notificacao|aviso) (de|da|do|sobre) (status|estado|falha|nao|atraso)",
    r"no (se )?(ha podido |pudo |puede )?entreg|correo (devuelto|no entregado)|error (de|en la) entrega",
)

# So clear that silence is right even where no header shows a server.
_UNMISTAKABLE_SUBJECT = _any_of(
    r"(re: .{0,200})?("
    r"returned mail\b.*|undeliver(able|ed)( mail)?\b.*|(e?-?mail|message) (could|can) ?not be delivered.*",
    r"(e?-?mail |permanent |message )?delivery (failure|failed|error|status notification|has failed)\b.*",
    r"failure (notice|delivery)|mail delivery (problem|subsystem|system|warning).*|.*\((delivery )?failed\)",
    r"falha na entrega d[ae] (mensagem|e-?mail).*|notificacao de (status|falha) (de|na) entrega.*",
    r"mensagem nao entregue( ao destinatario)?|mensagem devolvida ao remetente.*)",
)

_FAILURE_TEXT = _any_of(
    r"(could|can|was|were|been)( ?not|n't) (be )?(deliver|sent)|cannot (be )?deliver",
    r"undeliver|unable to (be )?deliver|not able to deliver|attempting to deliver|failed to deliver",
    r"deliver[a-z]* (to|of|has|have|fail|error|attempt|is delayed|delayed|incomplete|temporarily|email)",
    r"(can|could)( ?not|n't) be (found|reached)|did not reach|trouble delivering",
    r"returned (mail|message|to sender)|returning to sender",
    r"permanent(ly)? (fatal |delivery )?(error|fail)|had (permanent|transient|delivery)|error (during|deliver)",
    r"failed recipient|envelope expired|delivery status notification|not accepting mail",
    r"(user|recipient|address|host|mailbox)[a-z]* (is )?(unknown|full|unavailable|rejected|not found|invalid)",
    r"unknown (user|recipient|or illegal)|invalid user|no such (user|recipient|mailbox)",
    r"following (address|recipient)[a-z()]* (fail|had|of)",
    r"mailbox [^\n]{0,60}(full|exceeded)|quota exceeded|over quota|will (be |keep |continue )?(retr|try)",
    r"status: [45]\.\d|(?:^|[^\d.])[45]5\d[ -]|\b[45]\.[1-7]\.\d{1,2}\b|rejected",
    r"nao (pode|foi possivel|puderam|e possivel|consegui)[a-z ]{0,12} (ser )?(entreg|enviad)|nao entreg",
    r"falha (na|de|da) entrega|foi devolvid|endereco (de e-?mail )?nao (encontrad|existe)",
    r"caixa (postal |de correio |de entrada )?(do destinatario )?(esta )?cheia",
    r"(usuario|destinatario) (desconhecid|inexistente|nao )",
    r"no (se )?(ha podido|pudo|puede) entreg|buzon (esta )?lleno|usuario desconocido",
)

_DELAY_TEXT = _any_of(
    r"warning message only|do not need to resend|will (be |keep |continue )?(to )?(retr|try)",
    r"delayed|postponed|still being|temporar(y|ily) (fail|unable|defer)|not yet been delivered|advisory",
    r"entrega (esta )?(atrasada|adiada)|ainda nao foi entreg|continua(remos|ra) tentando|novas tentativas",
)
_FOR_GOOD_TEXT = _any_of(
    r"permanent|giv(en|ing) up|(?:^|[^\d.])5[0-7]\d[ -]|\b5\.\d{1,3}\.\d{1,3}\b|fatal|not going to try again",
    r"definitiv",
)
_SUCCESS_TEXT = _any_of(
    r"successful(ly)? (mail )?(deliver|relay)|was (delivered|relayed) to|foi entregue (com sucesso|a)",
)

# Where a server's words end and the returned letter begins.
_RETURNED_PART = re.compile(
    r"^[ >]*(?:-{2,40}[^\n]{0,80}(?:copy|original|returned|unsent|below this|mensagem|header|text of)[^\n]{0,80}"
    r"|(?:message )?headers? follow[^\n]{0,40}|original message[^\n]{0,40}|mensagem original[^\n]{0,40}"
    r"|received: from[^\n]*|return-path:[^\n]*|the first \d+ lines of[^\n]*)$",
    re.IGNORECASE | re.MULTILINE,
)
_ADDRESS = re.compile(
    r"(?<![\w.+-])[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}[A-Za-z0-9])?"
)
_RETURNED_TO = re.compile(r"^[ >]*(?:X-)?(?:Original-)?To:[^\n]{0,300}", re.IGNORECASE | re.MULTILINE)
_NAMED_RECIPIENT = re.compile(
    r"(final|original|failed)[- ]recipients?\b|rcpt to:|x-original-to:|destinatario|recipient|address|user|mailbox"
)
_BEFORE_AN_ADDRESS = " \t\xa0>*-\u2022\u00b7\"'<(["
_NOT_A_RECIPIENT = re.compile(r"(?<!generated )(from|by|contact|de|por)\s*:?\s*<?$", re.IGNORECASE)
_YOUR_MAIL = re.compile(r"\b(your|sua) (e-?mail|mail|message|mensagem)|that you sent|que voce enviou")
_OUR_MESSAGE_ID = re.compile(r"\bmb\.[a-z2-7]{20}@[A-Za-z0-9.-]{1,253}", re.IGNORECASE)


def is_server_account(mail: InboundMail) -> bool:
    """Whether the mail comes from an account that only mail servers write from."""
    # Some servers write ``From: MAILER-DAEMON <>``, which is no address.
    local_part = (mail.sender.local_part or mail.header("from")[:200]).strip('"<> ').lower()
    return _SERVER_ACCOUNT.fullmatch(local_part) is not None or local_part.startswith("mailer-daemon")


def is_from_a_server(mail: InboundMail) -> bool:
    """Whether headers show that a mail server wrote this: its account, the null return path (RFC 5321 §4.5.5),
    a delivery report (RFC 6522), Exim's and Gmail's ``X-Failed-Recipients``, or no sender at all."""
    return (
        is_server_account(mail)
        or mail.return_path == ""
        or is_delivery_report(mail)
        or bool(mail.header("x-failed-recipients"))
        or (not mail.sender.address and bool(mail.headers))
    )


def is_delivery_report(mail: InboundMail) -> bool:
    """Whether the whole mail, not a part that somebody attached, is a delivery status report (RFC 6522)."""
    return mail.content_type == "multipart/report" and mail.report_type in ("delivery-status", "")


def speaks_of_failure(mail: InboundMail) -> bool:
    """Whether subject and beginning of the text both say that a mail was not delivered.

    Not enough to make a bounce, for people quote bounces; enough to keep silent.
    """
    subject = fold(mail.subject[:_SUBJECT_CHARACTERS])
    if _UNMISTAKABLE_SUBJECT.fullmatch(subject) is None:
        return False
    top = _top(mail, _TOP_CHARACTERS)
    names_a_letter = _ADDRESS.search(top) is not None or _YOUR_MAIL.search(top) is not None
    return names_a_letter and _FAILURE_TEXT.search(top) is not None


def read_delivery_report(mail: InboundMail, own_addresses: frozenset[str]) -> DeliveryReport | None:
    """What a mail server tells of a letter, or ``None`` if this mail is no such thing."""
    if not is_from_a_server(mail):
        return None
    if mail.delivery_statuses:
        return _from_statuses(mail, own_addresses)
    if not _text_is_a_report(mail):
        return None
    return DeliveryReport(
        news=_news_of_text(mail),
        recipient=_recipient_in_text(mail, own_addresses),
        original_message_id=_original_message_id(mail),
        diagnostic=_diagnostic_line(mail),
    )


def _text_is_a_report(mail: InboundMail) -> bool:
    if mail.header("x-failed-recipients") or is_delivery_report(mail):
        return True
    says_so = _FAILURE_SUBJECT.search(fold(mail.subject[:_SUBJECT_CHARACTERS])) is not None
    text_says_so = _FAILURE_TEXT.search(_top(mail, _TEXT_CHARACTERS)) is not None
    if is_server_account(mail):
        return says_so or text_says_so or bool(mail.returned_message_ids)
    # A null return path alone is also an answering machine's: here subject and text must agree.
    return says_so and text_says_so


# --- standard reports --------------------------------------------------------------------------------------


def _from_statuses(mail: InboundMail, own_addresses: frozenset[str]) -> DeliveryReport:
    status = _worst(mail.delivery_statuses)
    unsaid = not status.permanent and not status.status
    return DeliveryReport(
        news=_news_of_text(mail) if unsaid else _news_of_status(status),
        recipient=_bare_address(status.recipient) or _recipient_in_text(mail, own_addresses),
        original_message_id=_original_message_id(mail),
        diagnostic=(status.diagnostic or status.status)[:_DIAGNOSTIC_CHARACTERS],
    )


def _bare_address(recipient: str) -> str:
    found = _ADDRESS.search(recipient)
    return found.group().lower().removeprefix("smtp=") if found else ""


def _worst(statuses: tuple[DeliveryStatus, ...]) -> DeliveryStatus:
    order = (DeliveryNews.FAILED, DeliveryNews.DELAYED, DeliveryNews.SUCCESS)
    return min(statuses, key=lambda status: order.index(_news_of_status(status)))


def _news_of_status(status: DeliveryStatus) -> DeliveryNews:
    if status.permanent:
        return DeliveryNews.FAILED
    return DeliveryNews.SUCCESS if status.status.startswith("2") else DeliveryNews.DELAYED


# --- which letter ------------------------------------------------------------------------------------------


def _original_message_id(mail: InboundMail) -> str:
    """The Message-ID of our letter, from wherever a handle of ours shows; else the first returned one."""
    ids = (*mail.returned_message_ids, *mail.in_reply_to, *reversed(mail.references))
    ours = next((found for found in ids if handle_in_message_id(found)), None)
    if ours is not None:
        return ours
    for address in (*(one.address for one in mail.to), *mail.delivered_to):
        handle = handle_in_address(address, AddressTag.BOUNCE)
        if handle is not None:
            return message_id_for(handle, address.rpartition("@")[2])
    quoted = _OUR_MESSAGE_ID.search(mail.full_text)
    if quoted is not None:
        return quoted.group().lower()
    handles = handles_in_text(mail.full_text)
    if handles and mail.to:
        return message_id_for(handles[0], mail.to[0].domain)
    return next(iter(ids), "")


# --- other servers' own words ------------------------------------------------------------------------------


def _top(mail: InboundMail, characters: int) -> str:
    return plain_lines(mail.full_text[:characters])


def _news_of_text(mail: InboundMail) -> DeliveryNews:
    text = f"{fold(mail.subject)}\n{plain_lines(_servers_own_words(mail))}"
    if _FOR_GOOD_TEXT.search(text):
        return DeliveryNews.FAILED
    if _DELAY_TEXT.search(text):
        return DeliveryNews.DELAYED
    if _SUCCESS_TEXT.search(text) and not _FAILURE_TEXT.search(text):
        return DeliveryNews.SUCCESS
    return DeliveryNews.FAILED


def _servers_own_words(mail: InboundMail) -> str:
    text = mail.full_text[:_TEXT_CHARACTERS]
    # Some servers begin with a row of dashes: a cut in the first lines would leave nothing.
    cut = _RETURNED_PART.search(text, min(len(text), 80))
    return text[: cut.start()] if cut else text


def _recipient_in_text(mail: InboundMail, own_addresses: frozenset[str]) -> str:
    named = _ADDRESS.search(mail.header("x-failed-recipients"))
    if named is not None:
        return named.group().lower()
    not_these = own_addresses | {mail.sender.address} | {one.address for one in mail.to}
    words = _servers_own_words(mail)
    best = max(_candidates(words, not_these), default=None, key=lambda candidate: candidate[0])
    if best is not None:
        return best[1]
    returned = mail.full_text[len(words) : len(words) + _TEXT_CHARACTERS]
    for line in _RETURNED_TO.finditer(returned):
        found = _ADDRESS.search(line.group())
        if found is not None and found.group().lower() not in not_these:
            return found.group().lower()
    return ""


def _candidates(words: str, not_these: frozenset[str]) -> Iterator[tuple[int, str]]:
    """Addresses in a server's words with a mark for how much each looks like the failed recipient."""
    since_trigger = _LINES_AFTER_TRIGGER + 1
    for line in words.splitlines():
        plain = plain_lines(line)
        if not plain.strip():
            continue
        since_trigger = 0 if _FAILURE_TEXT.search(plain) else since_trigger + 1
        for match in _ADDRESS.finditer(line):
            address, before = match.group().lower().strip("'").removeprefix("smtp="), line[: match.start()]
            if address in not_these or not _may_be_a_recipient(address, before):
                continue
            mark = 3 if since_trigger <= _LINES_AFTER_TRIGGER else 0
            mark += 3 if not before.strip(_BEFORE_AN_ADDRESS) else 0
            mark += 2 if _NAMED_RECIPIENT.search(plain) else 0
            yield mark, address


def _may_be_a_recipient(address: str, before: str) -> bool:
    account = address.partition("@")[0]
    return (
        _SERVER_ACCOUNT.fullmatch(account) is None
        and handle_in_message_id(address) is None
        and _NOT_A_RECIPIENT.search(before[-20:]) is None
    )


def _diagnostic_line(mail: InboundMail) -> str:
    for line in _servers_own_words(mail).splitlines():
        if re.search(r"(?<![\d.])[45]\d\d[ -]|\b[45]\.\d{1,3}\.\d{1,3}\b", line):
            return " ".join(line.split())[:_DIAGNOSTIC_CHARACTERS]
    return ""
