"""The cast: sample customers and their mails as their mail programs would send them, and replies to letters.

Every function gives raw bytes with fresh Date and Message-ID. All addresses are example.com.br or cliente.example.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from email import message_from_bytes
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, default
from email.utils import format_datetime, make_msgid
from enum import StrEnum
from zoneinfo import ZoneInfo

from mailbot.demo import documents
from mailbot.demo.documents import Holder
from mailbot.demo.post_office import AUTHSERV_ID

MAILBOX = "atendimento@example.com.br"
ANA = Address("Ana Ribeiro", addr_spec="ana@example.com.br")
BRUNO = Address("Bruno Teles", addr_spec="bruno@example.com.br")

MARIA = Address("Maria Aparecida de Souza", addr_spec="maria.souza@cliente.example")
JOAO = Address("João Batista Lima", addr_spec="joao.lima@cliente.example")
CAMILA = Address("Camila Rocha", addr_spec="camila.rocha@cliente.example")
PAULO = Address("Paulo Nunes", addr_spec="paulo.nunes@cliente.example")
HELENA = Address("Helena Prado", addr_spec="helena.prado@cliente.example")
ROBERTO = Address("Roberto Dias", addr_spec="roberto.dias@cliente.example")
SEBASTIAO = Address("Sebastião Conceição", addr_spec="sebastiao@cliente.example")
NEWSLETTER = Address("Ofertas da Semana", addr_spec="ofertas@cliente.example")

CUSTOMERS = (MARIA, JOAO, CAMILA, PAULO, HELENA, ROBERTO, SEBASTIAO, NEWSLETTER)
STAFF = (ANA, BRUNO)

RIGHT_SUBJECT = "ALTERAÇÃO DE LOCAL"

_MARIAS_PAPERS = Holder(
    name="Maria Aparecida de Souza",
    tax_id="529.982.247-25",
    licence_number="02650306461",
    birth_date="14/02/1988",
)
_JOAOS_PAPERS = Holder(
    name="João Batista Lima",
    tax_id="111.444.777-35",
    licence_number="03124567826",
    birth_date="30/09/1975",
)
_ROBERTOS_PAPERS = Holder(
    name="Roberto Dias",
    tax_id="935.411.347-80",
    licence_number="06234517826",
    birth_date="05/06/1969",
)

_ZONE = ZoneInfo("America/Sao_Paulo")


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """An attachment."""

    name: str
    media_type: str
    content: bytes


class MailProgram(StrEnum):
    """How a reply is quoted and what stands before its subject."""

    GMAIL = "gmail"
    OUTLOOK = "outlook"


# --- requests ----------------------------------------------------------------------------------------------


def complete_request() -> bytes:
    """Everything in order: right subject, labelled fields, three PDFs."""
    due, paid = _dates()
    text = (
        "Bom dia,\n\n"
        "Solicito a alteração do local da minha vistoria.\n\n"
        "Motivo: mudei de cidade a trabalho e não consigo mais ir até Rio Verde\n"
        "Local atual: Rio Verde\n"
        "Novo local: Anápolis\n"
        "Nome: Maria Aparecida de Souza\n"
        "Telefone: (64) 99876-1234\n\n"
        "Seguem o boleto, o comprovante de pagamento e a CNH.\n\n"
        "Atenciosamente,\nMaria Aparecida\n"
    )
    files = (
        _pdf("boleto.pdf", documents.boleto(_MARIAS_PAPERS, unit="Rio Verde", due=due)),
        _pdf("comprovante_pagamento.pdf", documents.payment_receipt(_MARIAS_PAPERS, due=due, paid=paid)),
        _pdf("CNH Maria.pdf", documents.driver_licence(_MARIAS_PAPERS)),
    )
    return mail_to_the_bot(MARIA, RIGHT_SUBJECT, text, files)


def incomplete_request() -> bytes:
    """The licence, the new place and the telephone are missing."""
    due, paid = _dates()
    text = (
        "Boa tarde, preciso mudar o local da vistoria do meu carro.\n\n"
        "Motivo: o carro está com outra pessoa da família em outra cidade\n"
        "Local atual: Rio Verde\n\n"
        "Em anexo o boleto e o comprovante.\n\n"
        "João Batista\n"
    )
    files = (
        _pdf("boleto_vistoria.pdf", documents.boleto(_JOAOS_PAPERS, unit="Rio Verde", due=due)),
        _pdf("comprovante.pdf", documents.payment_receipt(_JOAOS_PAPERS, due=due, paid=paid)),
    )
    return mail_to_the_bot(JOAO, "Alteração de local", text, files)


def reply_with_what_was_missing(letter: bytes) -> bytes:
    """João's answer to the letter that asks for the rest."""
    text = "Desculpe, esqueci! Segue a CNH.\n\nNovo local: Goiânia\nTelefone: (62) 98765-4321\n\nObrigado\nJoão"
    licence = _pdf("cnh.pdf", documents.driver_licence(_JOAOS_PAPERS))
    return reply_to(letter, from_=JOAO, text=text, attachments=(licence,))


def photos_with_a_typo_in_the_subject() -> bytes:
    """From a telephone: a reply prefix, a typo, photos with the names that iPhones give."""
    text = (
        "Oi, boa tarde. Quero trocar a unidade da vistoria.\n\n"
        "Motivo: consegui um horário melhor em Itumbiara\n"
        "De: Goiânia\n"
        "Para: Itumbiara\n"
        "Nome: Camila Rocha\n"
        "Whats: 62 99123-4567\n\n"
        "Enviado do meu iPhone\n"
    )
    # Three different photos: the same file sent three times would count once.
    sizes = {"IMG_4021.jpg": (1200, 1600), "IMG_4022.jpg": (1600, 1200), "IMG_4023.jpg": (1208, 1600)}
    files = tuple(
        File(name=name, media_type="image/jpeg", content=documents.grey_photo(*size))
        for name, size in sizes.items()
    )
    return mail_to_the_bot(CAMILA, "RES: Aleração de Local", text, files, {"X-Mailer": "iPhone Mail (22B91)"})


def request_with_a_locked_pdf() -> bytes:
    """The boleto only opens with a password."""
    due, paid = _dates()
    text = (
        "Prezados, solicito alteração de local.\n\n"
        "Motivo: vou viajar e a vistoria mais próxima será em Catalão\n"
        "Local atual: Goiânia\n"
        "Novo local: Catalão\n"
        "Nome: Roberto Dias\n"
        "Telefone: (62) 3333-4444\n"
    )
    locked = documents.locked_boleto(_ROBERTOS_PAPERS, unit="Goiânia", due=due, password="93541")
    files = (
        _pdf("boleto_protegido.pdf", locked),
        _pdf("comprovante.pdf", documents.payment_receipt(_ROBERTOS_PAPERS, due=due, paid=paid)),
        _pdf("CNH.pdf", documents.driver_licence(_ROBERTOS_PAPERS)),
    )
    return mail_to_the_bot(ROBERTO, "Alteração de local", text, files)


def request_with_raw_latin1_headers() -> bytes:
    """From an old web mail: header and body are Latin-1 bytes without any declaration (DOMAIN C.7)."""
    head = (
        f"From: {SEBASTIAO.display_name} <{SEBASTIAO.addr_spec}>\r\n"
        f"To: {MAILBOX}\r\n"
        f"Subject: {RIGHT_SUBJECT}\r\n"
        f"Date: {_now()}\r\n"
        f"Message-ID: {_message_id(SEBASTIAO)}\r\n"
        "MIME-Version: 1.0\r\n"
        "Content-Type: text/plain\r\n"
        "Content-Transfer-Encoding: 8bit\r\n"
        "\r\n"
    )
    text = (
        "Olá, sou novo nisso de computador.\r\n"
        "Preciso fazer a vistoria em Jataí, não em Mineiros.\r\n"
        "O que eu preciso mandar?\r\n"
        "Sebastião Conceição\r\n"
    )
    return (head + text).encode("latin-1")


def plain_question() -> bytes:
    """No known subject, no request: for a person."""
    text = (
        "Boa tarde!\n\nVocês atendem aos sábados? Qual é o horário de funcionamento?\n\nObrigada,\nHelena Prado\n"
    )
    return mail_to_the_bot(HELENA, "Dúvida sobre horário", text)


# --- what must not be answered, and what must not be believed ----------------------------------------------


def out_of_office() -> bytes:
    """An answering machine's note."""
    text = "Estou de férias até 30/11 e responderei quando voltar.\n\nPaulo Nunes\n"
    return mail_to_the_bot(PAULO, "Resposta automática: Férias", text, extra={"Auto-Submitted": "auto-replied"})


def newsletter() -> bytes:
    """A list's mail."""
    extra = {
        "List-Id": "Ofertas da Semana <ofertas.cliente.example>",
        "List-Unsubscribe": "<mailto:sair@cliente.example>",
        "Precedence": "bulk",
    }
    return mail_to_the_bot(NEWSLETTER, "Só hoje: 30% em pneus!", "As melhores ofertas da semana.\n", extra=extra)


def forged_decision(ticket_tag: str) -> bytes:
    """A stranger who writes Ana's address, a ticket's number and even our own server's results into a mail."""
    extra = {"Authentication-Results": f"{AUTHSERV_ID}; auth=pass smtp.auth={ANA.addr_spec}"}
    text = "#autorizar\nPode liberar.\n\nAna Ribeiro\n"
    return mail_to_the_bot(ANA, f"Re: {ticket_tag} {RIGHT_SUBJECT}", text, extra=extra)


# --- replies -----------------------------------------------------------------------------------------------


def reply_to(
    letter: bytes,
    *,
    from_: Address,
    text: str,
    attachments: Sequence[File] = (),
    program: MailProgram = MailProgram.GMAIL,
) -> bytes:
    """Answer ``letter`` as a mail program does: to its Reply-To, threaded, its text quoted below the new one."""
    answered = message_from_bytes(letter, policy=default)
    reply = _new(from_, str(answered["Reply-To"] or answered["From"]), _reply_subject(answered, program))
    message_id = str(answered["Message-ID"]).strip()
    reply["In-Reply-To"] = message_id
    reply["References"] = " ".join([*str(answered["References"] or "").split(), message_id])
    reply.set_content(f"{text.rstrip()}\n\n{_quote(answered, program)}\n")
    _attach(reply, attachments)
    return bytes(reply)


def text_of(mail: EmailMessage) -> str:
    """The plain text of a mail; empty where it has none."""
    part = mail.get_body(preferencelist=("plain",))
    return str(part.get_content()).replace("\r\n", "\n") if isinstance(part, EmailMessage) else ""


_PREFIX = re.compile(r"(?:re|res)\s*:", re.IGNORECASE)


def _reply_subject(answered: EmailMessage, program: MailProgram) -> str:
    subject = str(answered["Subject"])
    if _PREFIX.match(subject):
        return subject
    return f"{'RES' if program is MailProgram.OUTLOOK else 'Re'}: {subject}"


def _quote(answered: EmailMessage, program: MailProgram) -> str:
    text = text_of(answered).rstrip()
    sender = answered["From"].addresses[0]
    sent = answered["Date"].datetime.astimezone(_ZONE)
    weekday, month = _WEEKDAYS[sent.weekday()], _MONTHS[sent.month - 1]
    who = f"{sender.display_name} <{sender.addr_spec}>"
    if program is MailProgram.OUTLOOK:
        return (
            f"De: {who}\n"
            f"Enviada em: {weekday}, {sent.day} de {month} de {sent:%Y %H:%M}\n"
            f"Para: {answered['To']}\n"
            f"Assunto: {answered['Subject']}\n\n"
            f"{text}"
        )
    head = f"Em {weekday[:3]}., {sent.day} de {month[:3]}. de {sent:%Y} às {sent:%H:%M}, {who}\nescreveu:\n\n"
    return head + "\n".join(f"> {line}".rstrip() for line in text.splitlines())


_WEEKDAYS = (
    "segunda-feira",
    "terça-feira",
    "quarta-feira",
    "quinta-feira",
    "sexta-feira",
    "sábado",
    "domingo",
)
_MONTHS = (
    "janeiro",
    "fevereiro",
    "março",
    "abril",
    "maio",
    "junho",
    "julho",
    "agosto",
    "setembro",
    "outubro",
    "novembro",
    "dezembro",
)


# --- building ----------------------------------------------------------------------------------------------


def mail_to_the_bot(
    sender: Address, subject: str, text: str, files: Sequence[File] = (), extra: dict[str, str] | None = None
) -> bytes:
    """A fresh mail to the shared mailbox."""
    mail = _new(sender, MAILBOX, subject)
    for name, value in (extra or {}).items():
        mail[name] = value
    mail.set_content(text)
    _attach(mail, files)
    return bytes(mail)


def _new(sender: Address, to: str, subject: str) -> EmailMessage:
    mail = EmailMessage(policy=SMTP)
    mail["From"] = sender
    mail["To"] = to
    mail["Subject"] = subject
    mail["Date"] = _now()
    mail["Message-ID"] = _message_id(sender)
    return mail


def _attach(mail: EmailMessage, files: Sequence[File]) -> None:
    for file in files:
        maintype, _, subtype = file.media_type.partition("/")
        mail.add_attachment(file.content, maintype=maintype, subtype=subtype, filename=file.name)


def _pdf(name: str, content: bytes) -> File:
    return File(name=name, media_type="application/pdf", content=content)


def _message_id(sender: Address) -> str:
    return make_msgid(domain=sender.domain)


def _now() -> str:
    return format_datetime(datetime.now(_ZONE))


def _dates() -> tuple[date, date]:
    """When the boleto is due and when it was paid: whoever reads the papers finds them of these days."""
    today = datetime.now(_ZONE).date()
    return today + timedelta(days=5), today - timedelta(days=1)
