"""The mails of processes 001 to 004: a service order, a leaking tap, a damp ceiling, a question to an agency.

Every function gives raw bytes with fresh Date and Message-ID, like those of ``cast``.
"""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from email import message_from_bytes
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, default
from zoneinfo import ZoneInfo

from mailbot.demo.cast import mail_to_the_bot, reply_to

MARTA = Address("Marta Reis", addr_spec="marta.reis@cliente.example")
LUCIA = Address("Lúcia Ferraz", addr_spec="lucia.ferraz@cliente.example")
CARLOS = Address("Carlos Menezes", addr_spec="carlos.menezes@cliente.example")
BEATRIZ = Address("Beatriz Nogueira", addr_spec="beatriz.nogueira@cliente.example")
SECTOR = Address("Ordens de serviço", addr_spec="ordens@example.com.br")

CLIENTS = (MARTA, LUCIA, CARLOS, BEATRIZ)

_ZONE = ZoneInfo("America/Sao_Paulo")
_TUESDAY, _SATURDAY = 1, 5
_NUMBER = re.compile(r"\d{4}-\d{6}")
_UID = re.compile(r"^UID:(\S+)\s*$", re.MULTILINE)


def service_order() -> bytes:
    """All that an order needs, and that nothing of the registration has changed."""
    text = (
        "Bom dia, o ECF da loja parou. Preciso abrir uma ordem de serviço.\n\n"
        "CNPJ: 44.555.666/0001-81\n"
        "Razão Social: Padaria Exemplo Ltda\n"
        "Endereço: Rua das Flores, 100, Centro, Goiânia\n"
        "UF: GO\n"
        "Telefone: (62) 99999-0000\n"
        "Número de série: BR0001\n"
        "Erro: ECF inoperante\n"
        "Confirma o cadastro: sim\n\n"
        "Marta Reis\n"
    )
    return mail_to_the_bot(MARTA, "ABERTURA DE O.S.", text)


def leaking_tap() -> bytes:
    """In the tenant's own words, the times at which nobody is at home among them."""
    text = (
        "Bom dia, o sifão da pia da cozinha está vazando e molha o armário.\n\n"
        "CPF: 111.444.777-35\n"
        "Contrato: 4521-A\n"
        "Não posso receber visita às terças de manhã.\n\n"
        "Lúcia Ferraz\n"
    )
    return mail_to_the_bot(LUCIA, "SOLICITAÇÃO DE MANUTENÇÃO", text)


def day_of_visit() -> date:
    """A working day in the week after next on which Lúcia is at home."""
    day = datetime.now(_ZONE).date() + timedelta(days=10)
    while day.weekday() in (_TUESDAY, _SATURDAY, _SATURDAY + 1):
        day += timedelta(days=1)
    return day


def accepted_visit(invitation: bytes) -> bytes:
    """What a calendar program sends when Lúcia presses *accept* (RFC 5546, METHOD:REPLY)."""
    calendar = _calendar_of(invitation)
    uid = _UID.search(calendar)
    lines = [
        "BEGIN:VCALENDAR",
        "PRODID:-//Exemplo//Agenda//PT",
        "VERSION:2.0",
        "METHOD:REPLY",
        "BEGIN:VEVENT",
        *(line for line in calendar.splitlines() if line.startswith(("DTSTART", "DTEND", "SEQUENCE"))),
        f"UID:{uid[1] if uid else ''}",
        f"ATTENDEE;PARTSTAT=ACCEPTED:mailto:{LUCIA.addr_spec}",
        "END:VEVENT",
        "END:VCALENDAR",
    ]
    mail = message_from_bytes(reply_to(invitation, from_=LUCIA, text="Combinado, estarei em casa."), policy=SMTP)
    mail.replace_header("Subject", "Aceito: Visita")
    mail.add_alternative("\r\n".join((*lines, "")), subtype="calendar", params={"method": "REPLY"})
    return bytes(mail)


def _calendar_of(letter: bytes) -> str:
    for part in message_from_bytes(letter, policy=default).walk():
        if part.get_content_type() == "text/calendar" and isinstance(part, EmailMessage):
            return str(part.get_content())
    return ""


def damp_ceiling() -> bytes:
    """A defect after the keys were handed over; the subject is none that we gave."""
    text = (
        "Boa tarde,\n\n"
        "Há uma infiltração grande no teto do banheiro da minha unidade, com mofo.\n"
        "A incorporadora precisa ver.\n\n"
        "Carlos Menezes\n"
    )
    return mail_to_the_bot(CARLOS, "Infiltração no teto", text)


def my_tickets() -> bytes:
    """A fresh mail that is nothing but a word."""
    return mail_to_the_bot(CARLOS, "MEUS CHAMADOS", "MEUS CHAMADOS\n")


def details_of(ticket_number: str) -> bytes:
    """One of them, with its history."""
    return mail_to_the_bot(CARLOS, f"DETALHES {ticket_number}", f"DETALHES {ticket_number}\n")


def large_file() -> bytes:
    """A question that an article of the knowledge base answers."""
    text = (
        "Olá, o vídeo da campanha nova tem 40 MB. Como envio um anexo grande para o relatório?\n\n"
        "Beatriz Nogueira\n"
    )
    return mail_to_the_bot(BEATRIZ, "Anexo muito grande", text)


def rating(letter: bytes) -> bytes:
    """The line that the last letter asks for."""
    return reply_to(letter, from_=BEATRIZ, text=f"AVALIAÇÃO {number_in(letter)}: 5\nResposta rápida, obrigada!")


def number_in(letter: bytes) -> str:
    """The number of the ticket that a letter is about; empty where its subject has none."""
    found = _NUMBER.search(str(message_from_bytes(letter, policy=default)["Subject"]))
    return found[0] if found else ""
