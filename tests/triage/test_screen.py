"""Screening, by the rows of THREATS B.1, and the false friends that must be answered."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailbot.domain.handles import loop_mark, message_id_for, reference_line_token
from mailbot.domain.mail import (
    NOBODY,
    Accepted,
    Address,
    Attachment,
    Bounce,
    DeliveryStatus,
    Discarded,
    InboundMail,
    Screening,
)
from mailbot.mime.parse import parse_mail
from mailbot.triage.screen import OwnMarks, ScreeningReason, screen
from tests.mails_human import HumanMail, human_mails

BOT = "atendimento@example.com.br"
MARIA = "maria@example.com.br"
HANDLE = "abcdefghijklmnop2345"
SECRET = b"k" * 32
OWN = OwnMarks(secret_key=SECRET, own_addresses=frozenset({BOT}))
TO_BOUNCES = f"atendimento+b.{HANDLE}@example.com.br"


def a_mail(
    *fields: tuple[str, str],
    sender: str = MARIA,
    to: str = BOT,
    subject: str = "ALTERAÇÃO DE LOCAL",
    text: str = "Bom dia, quero alterar o local.",
    **rest: object,
) -> InboundMail:
    """A plain mail of a person; ``fields`` are further header fields."""
    address = Address(address=sender) if sender else NOBODY
    mail = InboundMail(
        message_id="um@example.com.br",
        sender=address,
        from_addresses=(address,) if sender else (),
        to=(Address(address=to),),
        subject=subject,
        new_text=text,
        full_text=text,
        headers=(("from", sender), ("to", to), ("subject", subject), *((k.lower(), v) for k, v in fields)),
    )
    return replace(mail, **rest)  # type: ignore[arg-type]


def screened(mail: InboundMail) -> Screening:
    return screen(mail, own=OWN)


def accepted(mail: InboundMail) -> Accepted:
    result = screened(mail)
    assert isinstance(result, Accepted), result
    return result


def bounced(mail: InboundMail) -> Bounce:
    result = screened(mail)
    assert isinstance(result, Bounce), result
    return result


# --- row 1: two systems that answer each other --------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ([("Auto-Submitted", "auto-generated")], ScreeningReason.AUTO_SUBMITTED),
        ([("Auto-Submitted", "auto-notified; owner-email=x@example.com.br")], ScreeningReason.AUTO_SUBMITTED),
        ([("Auto-Submitted", "no"), ("Auto-Submitted", "auto-generated")], ScreeningReason.AUTO_SUBMITTED),
        ([("Auto-Submitted", "Auto-Replied (vacation)")], ScreeningReason.ANSWERING_MACHINE),
        ([("List-Id", "<lista.example.com.br>")], ScreeningReason.MAILING_LIST),
        ([("List-Unsubscribe", "<mailto:sair@example.com.br>")], ScreeningReason.MAILING_LIST),
        ([("X-BeenThere", "lista@example.com.br")], ScreeningReason.MAILING_LIST),
        ([("Precedence", "bulk")], ScreeningReason.PRECEDENCE),
        ([("Precedence", "Junk")], ScreeningReason.PRECEDENCE),
        ([("Precedence", "list")], ScreeningReason.PRECEDENCE),
        ([("Precedence", "normal"), ("Precedence", "bulk")], ScreeningReason.PRECEDENCE),
        ([("Precedence", "auto_reply")], ScreeningReason.ANSWERING_MACHINE),
        ([("X-Autoreply", "yes")], ScreeningReason.ANSWERING_MACHINE),
        ([("X-Autorespond", "ferias")], ScreeningReason.ANSWERING_MACHINE),
        ([("X-Auto-Reply-From", MARIA)], ScreeningReason.ANSWERING_MACHINE),
        ([("X-Auto-Response-Suppress", "All")], ScreeningReason.AUTO_RESPONSE_SUPPRESS),
        ([("X-Auto-Response-Suppress", "DR, AutoReply")], ScreeningReason.AUTO_RESPONSE_SUPPRESS),
    ],
)
def test_threat_1_it_accepts_but_never_answers_a_mail_with(
    fields: list[tuple[str, str]], reason: ScreeningReason
) -> None:
    result = accepted(a_mail(*fields))
    assert not result.may_answer
    assert result.reason == reason
    assert result.automatic_reply == (reason is ScreeningReason.ANSWERING_MACHINE)


def test_threat_1_it_never_answers_the_null_return_path() -> None:
    assert accepted(a_mail(return_path="")).reason == ScreeningReason.NULL_RETURN_PATH
    assert accepted(a_mail(return_path=None)).may_answer
    assert accepted(a_mail(return_path=MARIA)).may_answer


def test_it_never_answers_a_mail_without_a_sender() -> None:
    assert accepted(a_mail(sender="")).reason == ScreeningReason.NO_SENDER


# --- row 2: our own mail comes back -------------------------------------------------------------------------


def test_threat_2_it_discards_our_own_letter_by_its_signed_mark() -> None:
    mark = loop_mark(SECRET, HANDLE, BOT, MARIA)
    assert screened(a_mail(("X-Mailbot-Loop", mark), sender=BOT, to=MARIA)) == Discarded(reason="own_mail")


@pytest.mark.parametrize("sender", [MARIA, "ladrao@example.com.br"])
def test_threat_2_a_stranger_who_copies_the_mark_is_answered(sender: str) -> None:
    mark = loop_mark(SECRET, HANDLE, BOT, MARIA)
    assert accepted(a_mail(("X-Mailbot-Loop", mark), sender=sender)).may_answer


def test_threat_2_a_stranger_cannot_sign_for_himself() -> None:
    mark = loop_mark(b"x" * 32, HANDLE, BOT, MARIA)
    result = accepted(a_mail(("X-Mailbot-Loop", mark), sender=BOT, to=MARIA))
    assert result == Accepted(may_answer=False, reason="from_own_address")


# --- row 3: absence notes without headers -------------------------------------------------------------------

ABSENCES = [
    "Resposta automática: ALTERAÇÃO DE LOCAL",
    "RESPOSTA AUTOMATICA: [Chamado #2026-000123] x",
    "Resposta automática",
    "[EXTERNO] Resposta automática: pedido",
    "Ausência Temporária",
    "Ausência temporária: Re: pedido",
    "Fora do escritório",
    "Fora do escritório: RE: pedido",
    "Fora do escritório até 30/11",
    "Estou fora do escritório de 20 a 30/11",
    "Estou de férias",
    "Estou de férias!",
    "Estou de férias até 10/12/2026",
    "Estou de férias - retorno em 02/12",
    "De férias",
    "Lida: ALTERAÇÃO DE LOCAL",
    "Não lida: ALTERAÇÃO DE LOCAL",
    "Confirmação de leitura",
    "Mensagem automática: ferias",
    "Aviso de férias",
    "Automatic reply: request",
    "Out of Office",
    "Out of Office AutoReply: request",
    "Out of office: back on Monday",
    "Auto-Reply: hello",
    "I am out of the office until Monday",
    "Read: request",
    "Not read: request",
    "Respuesta automática: solicitud",
    "Fuera de la oficina",
    "Estoy de vacaciones",
    "Leído: solicitud",
    "Resposta autom\u0061\u0301tica: pedido",
    "Resposta automÃ¡tica: pedido",
]


@pytest.mark.parametrize("subject", ABSENCES)
def test_threat_3_an_absence_note_loses_the_answer_and_nothing_else(subject: str) -> None:
    result = accepted(a_mail(subject=subject))
    assert result == Accepted(may_answer=False, reason="absence_subject", automatic_reply=False)


HUMAN_MAILS = list(human_mails())


def test_there_are_enough_mails_of_people() -> None:
    assert len(HUMAN_MAILS) >= 200
    assert len({mail.raw for mail in HUMAN_MAILS}) == len(HUMAN_MAILS)


@pytest.mark.parametrize("mail", HUMAN_MAILS, ids=lambda mail: mail.name)
def test_threat_3_it_answers_what_a_person_writes(mail: HumanMail) -> None:
    assert screened(parse_mail(mail.raw)) == Accepted(may_answer=True)


# --- row 4: suppression flags of Outlook --------------------------------------------------------------------


@pytest.mark.parametrize("value", ["OOF", "DR", "RN", "NRN", "DR, OOF, RN, NRN", "None", ""])
def test_threat_4_it_answers_a_person_whose_gateway_suppresses_other_things(value: str) -> None:
    assert accepted(a_mail(("X-Auto-Response-Suppress", value))).may_answer


# --- row 5: bounces of our own letters ----------------------------------------------------------------------


def a_report(status: DeliveryStatus, **rest: object) -> InboundMail:
    return a_mail(
        sender="mailer-daemon@example.com.br",
        subject="Undelivered Mail Returned to Sender",
        content_type="multipart/report",
        report_type="delivery-status",
        delivery_statuses=(status,),
        return_path="",
        **rest,  # type: ignore[arg-type]
    )


FAILED = DeliveryStatus(
    recipient="Fulano@example.com.br", permanent=True, status="5.1.1", diagnostic="550 unknown"
)


def test_threat_5_a_report_of_failure_names_recipient_and_letter() -> None:
    letter = message_id_for(HANDLE, "example.com.br")
    assert bounced(a_report(FAILED, returned_message_ids=("outro@example.com.br", letter))) == Bounce(
        recipient="fulano@example.com.br", permanent=True, original_message_id=letter, diagnostic="550 unknown"
    )


def test_threat_5_a_delay_is_a_bounce_that_is_not_for_good() -> None:
    delayed = DeliveryStatus(recipient="fulano@example.com.br", permanent=False, status="4.4.1")
    assert not bounced(a_report(delayed)).permanent


def test_threat_5_a_report_of_success_goes_no_further() -> None:
    delivered = DeliveryStatus(recipient="fulano@example.com.br", permanent=False, status="2.1.5")
    assert screened(a_report(delivered)) == Discarded(reason="delivery_success")


def test_threat_5_the_worst_of_several_recipients_counts() -> None:
    delayed = DeliveryStatus(recipient="outra@example.com.br", permanent=False, status="4.4.1")
    mail = replace(a_report(FAILED), delivery_statuses=(delayed, FAILED))
    assert bounced(mail).recipient == "fulano@example.com.br"


LETTER = message_id_for(HANDLE, "example.com.br")


@pytest.mark.parametrize(
    "found_in",
    [
        {"returned_message_ids": (LETTER,)},
        {"in_reply_to": (LETTER,)},
        {"references": ("outro@example.com.br", LETTER)},
        {"to": TO_BOUNCES},
        {"delivered_to": (TO_BOUNCES,)},
        {"full_text": f"550 5.1.1 User unknown\n--- Original message ---\nMessage-ID: <{LETTER}>\n"},
        {"full_text": f"550 5.1.1 User unknown\n> {reference_line_token(HANDLE)}\n"},
    ],
    ids=["returned part", "In-Reply-To", "References", "To", "Delivered-To", "returned text", "reference line"],
)
def test_threat_5_the_letter_is_found_by(found_in: dict[str, object]) -> None:
    report = a_report(FAILED)
    if "to" in found_in:
        report = replace(report, to=(Address(address=str(found_in["to"])),))
    else:
        report = replace(report, **found_in)  # type: ignore[arg-type]
    assert bounced(report).original_message_id == LETTER


SERVERS_WORDS = [
    pytest.param(
        "failure notice",
        "Hi. This is the qmail-send program at mx.example.com.br.\nI'm afraid I wasn't able to deliver your "
        "message to the following addresses.\nThis is a permanent error; I've given up.\n\n"
        "<fulano@example.com.br>:\n"
        "User unknown\n\n--- Below this line is a copy of the message.\n\nTo: outro@example.com.br\n",
        True,
        id="qmail",
    ),
    pytest.param(
        "Mail delivery failed: returning message to sender",
        "This message was created automatically by mail delivery software.\n\nA message that you sent could "
        "not be delivered to one or more of its recipients. The following address(es) failed:\n\n"
        "  fulano@example.com.br\n    host mx.example.com.br: 550 No such user here: x@example.com.br\n",
        True,
        id="Exim",
    ),
    pytest.param(
        "Returned mail: User unknown",
        "   ----- Transcript of session follows -----\n550 <fulano@example.com.br>... User unknown\n\n"
        "   ----- Unsent message follows -----\nFrom: atendimento@example.com.br\nTo: fulano@example.com.br\n",
        True,
        id="old Sendmail",
    ),
    pytest.param(
        "Não é possível entregar: ALTERAÇÃO DE LOCAL",
        "A entrega falhou para estes destinatários ou grupos:\n\nfulano@example.com.br\nO endereço de e-mail "
        "não foi encontrado. Não foi possível entregar a mensagem.\n550 5.1.10 RESOLVER.ADR.RecipientNotFound\n",
        True,
        id="Exchange in Portuguese",
    ),
    pytest.param(
        "Notificação de status de entrega (falha)",
        "Endereço não encontrado\n\nSua mensagem não foi entregue para fulano@example.com.br porque o "
        "endereço não existe.\n",
        True,
        id="Gmail in Portuguese",
    ),
    pytest.param(
        "Warning: message delayed 24 hours",
        "A message that you sent has not yet been delivered to one or more of its recipients.\n"
        "The address to which the message has not yet been delivered is:\n\n  fulano@example.com.br\n\n"
        "No action is required on your part. Delivery attempts will continue for some time.\n"
        "This warning: delivery is delayed.\n",
        False,
        id="Exim's warning",
    ),
]


@pytest.mark.parametrize(("subject", "text", "permanent"), SERVERS_WORDS)
@pytest.mark.parametrize("sender", ["MAILER-DAEMON@example.com.br", "postmaster@example.com.br"])
def test_threat_5_it_reads_servers_own_words(sender: str, subject: str, text: str, permanent: bool) -> None:
    bounce = bounced(a_mail(sender=sender.lower(), subject=subject, text=text))
    assert (bounce.recipient, bounce.permanent) == ("fulano@example.com.br", permanent)


@pytest.mark.parametrize(("subject", "text", "permanent"), SERVERS_WORDS)
def test_threat_5_a_person_who_sends_on_a_servers_words_is_a_person(
    subject: str, text: str, permanent: bool
) -> None:
    quoted = "Bom dia, recebi isto:\n\n" + "\n".join(f"> {line}" for line in text.splitlines())
    assert accepted(a_mail(subject=f"ENC: {subject}", text=quoted)).may_answer


def test_threat_5_only_servers_are_believed_that_a_letter_did_not_arrive() -> None:
    mail = replace(
        a_report(FAILED), sender=Address(address=MARIA), return_path=MARIA, content_type="multipart/mixed"
    )
    assert isinstance(screened(mail), Accepted)


def test_threat_5_exims_header_names_the_recipient() -> None:
    mail = a_mail(("X-Failed-Recipients", "fulano@example.com.br"), sender="mailer-daemon@example.com.br")
    assert bounced(mail).recipient == "fulano@example.com.br"


def test_threat_5_an_absence_note_to_the_null_sender_is_no_bounce() -> None:
    mail = a_mail(return_path="", subject="Automatic reply: Undelivered Mail", text="It could not be delivered.")
    assert accepted(mail).reason == ScreeningReason.NULL_RETURN_PATH


def test_threat_5_nobody_writes_to_the_envelope_sender_but_machines() -> None:
    assert accepted(a_mail(to=TO_BOUNCES)).reason == ScreeningReason.TO_BOUNCE_ADDRESS


# --- row 8: lists, receipts, calendars, robots --------------------------------------------------------------


@pytest.mark.parametrize(
    "sender",
    [
        "mailer-daemon@example.com.br",
        "postmaster@example.com.br",
        "listserv@example.com.br",
        "majordomo@example.com.br",
        "lista-request@example.com.br",
        "owner-lista@example.com.br",
        "lista-bounces@example.com.br",
        "noreply@example.com.br",
        "no-reply@example.com.br",
        "nao-responda@example.com.br",
        "naoresponda@example.com.br",
        "nao_responder@example.com.br",
        "boletos.noreply@example.com.br",
        "donotreply@example.com.br",
    ],
)
def test_threat_8_it_never_answers(sender: str) -> None:
    assert accepted(a_mail(sender=sender)).reason == ScreeningReason.MACHINE_SENDER


@pytest.mark.parametrize(
    "sender",
    [
        "norepe@example.com.br",
        "requester@example.com.br",
        "owner@example.com.br",
        "listas@example.com.br",
        "noelia.reply@example.com.br",
        "bouncer@example.com.br",
        "root.maria@example.com.br",
    ],
)
def test_threat_8_it_answers_people_with_similar_addresses(sender: str) -> None:
    assert accepted(a_mail(sender=sender)).may_answer


def test_threat_8_a_read_receipt_goes_no_further() -> None:
    receipt = a_mail(content_type="multipart/report", report_type="disposition-notification")
    assert screened(receipt) == Discarded(reason="read_receipt")


def test_threat_8_a_feedback_report_is_kept_and_not_answered() -> None:
    mail = a_mail(content_type="multipart/report", report_type="feedback-report", return_path=MARIA)
    assert accepted(mail).reason == ScreeningReason.FEEDBACK_REPORT


def a_calendar(method: str) -> Attachment:
    content = f"BEGIN:VCALENDAR\r\nMETHOD:{method}\r\nEND:VCALENDAR\r\n".encode()
    return Attachment(
        filename="convite.ics",
        declared_type="text/calendar",
        media_type="text/calendar",
        content=content,
        sha256="",
    )


@pytest.mark.parametrize(("method", "may_answer"), [("REPLY", False), ("COUNTER", False), ("REQUEST", True)])
def test_threat_8_a_calendar_reply_is_not_answered(method: str, may_answer: bool) -> None:
    assert accepted(a_mail(attachments=(a_calendar(method),))).may_answer is may_answer
    typed = a_mail(("Content-Type", f'text/calendar; charset=utf-8; method="{method}"'))
    assert accepted(typed).may_answer is may_answer


# --- hostile input ------------------------------------------------------------------------------------------


@given(st.text(max_size=300), st.text(max_size=600), st.text(max_size=40))
def test_it_never_raises(subject: str, text: str, value: str) -> None:
    names = ("Auto-Submitted", "Precedence", "X-Auto-Response-Suppress", "X-Mailbot-Loop", "Content-Type")
    for sender in (MARIA, "mailer-daemon@example.com.br", ""):
        screened(a_mail(*((name, value) for name in names), sender=sender, subject=subject, text=text))


@pytest.mark.parametrize(
    "piece", ["-", "- ", "a@", "<a", "delivery ", "[x] ", "****x", "> ", "\n-- ", "55", "a.b@c."]
)
def test_it_reads_hostile_text_in_bounded_time(piece: str) -> None:
    text = piece * (200_000 // len(piece))
    began = time.thread_time()
    screened(a_mail(sender="mailer-daemon@example.com.br", subject=text, text=text))
    screened(a_mail(subject=text, text=text))
    assert time.thread_time() - began < 2
