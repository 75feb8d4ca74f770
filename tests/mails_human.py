"""Mails that people write, made by the project itself: more than two hundred, in Portuguese, many of them false
friends of what screening looks for. Every one of them must be answered."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

BOT = "atendimento@example.com.br"

_PEOPLE = (
    ("Maria Aparecida", "maria.aparecida@example.com.br"),
    ("João da Silva", "joao.silva@example.com.br"),
    ("", "contato@oficina.example.com.br"),
    ("Lídia Nogueira", "lidia@example.com.br"),
    ("AUTO ESCOLA ALFA", "secretaria@autoescola.example.com.br"),
    ("Request Transportes", "requena@example.com.br"),
    ("Antônio Carlos (gerente)", "antonio_carlos@example.com.br"),
    ("Norepe Comércio", "norepe@example.com.br"),
    ("Scanner Recepção", "scan@example.com.br"),
    ("Daemon Motos", "daemon.motos@example.com.br"),
)

# Subjects of people that resemble those of machines.
_FALSE_FRIENDS = (
    "Resposta automática do Detran: boleto anexo",
    "Resposta automática da concessionária, o que faço?",
    "RES: Resposta automática: ALTERAÇÃO DE LOCAL",
    "ENC: Resposta automática: vistoria",
    "Fora do escritório do Detran não consigo emitir o boleto",
    "Fora do escritório de Goiânia",
    "Estou fora do escritório e preciso alterar o local",
    "Estou de férias e preciso alterar o local da vistoria",
    "Estou de férias, posso fazer a vistoria em Anápolis?",
    "Estou de férias até dia 10 e preciso mudar",
    "De férias em Caldas Novas: alteração de local",
    "Férias",
    "Ausência temporária de documentos no portal",
    "Ausente no dia da vistoria",
    "Lida a mensagem, seguem os documentos",
    "Lidas as instruções",
    "Não lida com boleto antigo este site?",
    "Mensagem não entregue pelo motoboy",
    "Boleto não entregue",
    "Não foi possível emitir o boleto",
    "Não entregue no prazo",
    "Devolução do valor pago",
    "Falha na entrega do equipamento",
    "Erro de entrega do laudo",
    "ENC: Undelivered Mail Returned to Sender",
    "Fwd: Delivery Status Notification (Failure)",
    "RES: Mail delivery failed: returning message to sender",
    "Delivery do equipamento",
    "Aviso de recebimento",
    "Auto de infração e vistoria",
    "Automático ou manual: troca de veículo",
    "Lista de documentos",
    "Aceito: alteração para Rio Verde",
    "Recusado: meu pedido de vistoria",
    "Warning no site do boleto",
    "Read me: documentos da vistoria",
    "Re: [Chamado #2026-000123] ALTERAÇÃO DE LOCAL",
    "out of memory no site",
)

_SUBJECTS = (
    "ALTERAÇÃO DE LOCAL",
    "alteracao de local",
    "RES: ALTERAÇÃO DE LOCAL",
    "ENC: Re[2]: Alteração do local - placa ABC1D23",
    "[EXTERNO] ALTERAÇÃO DE LOCAL",
    "Mudança de cidade da vistoria",
    "Segue a CNH",
    "Comprovante",
    "(sem assunto)",
    "",
    "Dúvida",
    "Segunda via de boleto",
)

_BODIES = (
    "Bom dia,\n\nPreciso alterar o local da vistoria de Rio Verde para Anápolis.\nMotivo: mudança.\n",
    "Segue em anexo o boleto, o comprovante e a CNH.\n\nAtt,\nMaria\n",
    "De: Rio Verde\nPara: Jataí\n\nObrigado\n",
    "Boa tarde. Recebi um e-mail automático, não responda, dizia. E agora?\n\nEnviado do meu iPhone\n",
    (
        "Oi, meu e-mail anterior voltou:\n\n> This message was created automatically by mail delivery software.\n"
        "> A message that you sent could not be delivered to one or more of its recipients.\n"
        "> fulano@example.com.br: 550 5.1.1 User unknown\n\nReceberam?\n"
    ),
    "Não foi possível entregar o documento na unidade, a caixa postal estava cheia. Como faço?\n",
    "Estou de férias até dia 10 e só consigo levar o carro em Caldas Novas.\n",
    "O boleto foi devolvido pelo banco como permanent failure, vejam a imagem.\n",
)

_EXTRA_FIELDS: tuple[tuple[tuple[str, str], ...], ...] = (
    (),
    (("Auto-Submitted", "no"),),
    (("X-Auto-Response-Suppress", "OOF"),),
    (("X-Auto-Response-Suppress", "DR, RN, NRN, OOF"),),
    (("X-Auto-Response-Suppress", "RN, NRN"),),
    (("Precedence", "normal"),),
    (("Precedence", "first-class"), ("X-Priority", "1")),
    (("Return-Path", "<cliente@example.com.br>"), ("X-Spam-Status", "No, score=-1.0")),
    (("Disposition-Notification-To", "cliente@example.com.br"),),
    (("X-Mailer", "Microsoft Outlook 16.0"), ("Thread-Topic", "Automatic reply")),
    (("X-Mailbot-Loop", "v1.abcdefghijklmnop2345." + "0" * 64),),
    (("X-Autoreply", "no"),),
    (("Return-Receipt-To", "cliente@example.com.br"),),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class HumanMail:
    """One mail as bytes, and what it is about, for the test's name."""

    name: str
    raw: bytes = field(repr=False)


def human_mails() -> Iterator[HumanMail]:
    """All of them, always the same."""
    plan = itertools.chain(
        ((subject, n) for n, subject in enumerate(_FALSE_FRIENDS)),
        ((subject, n) for n, subject in enumerate(_FALSE_FRIENDS, start=5)),
        ((_SUBJECTS[n % len(_SUBJECTS)], n) for n in range(156)),
    )
    for number, (subject, salt) in enumerate(plan):
        yield HumanMail(name=f"{number:03d} {subject}", raw=_mail(number, subject, salt))


def _mail(number: int, subject: str, salt: int) -> bytes:
    name, address = _PEOPLE[salt % len(_PEOPLE)]
    body = _BODIES[(salt // 2) % len(_BODIES)]
    message = EmailMessage(policy=SMTP)
    for field_name, value in _EXTRA_FIELDS[salt % len(_EXTRA_FIELDS)]:
        message[field_name] = value
    message["From"] = f'"{name}" <{address}>' if name else address
    message["To"] = BOT
    message["Subject"] = subject
    message["Date"] = format_datetime(datetime(2026, 11, 20, 12, 0, tzinfo=UTC) + timedelta(minutes=number))
    message["Message-ID"] = f"<humano-{number}@example.com.br>"
    message.set_content(body)
    _dress(message, number, body)
    return bytes(message)


def _dress(message: EmailMessage, number: int, body: str) -> None:
    """Give some mails an HTML part, an attachment, or another mail that came as a bounce and is passed on."""
    if number % 3 == 1:
        lines = "".join(f"<p>{line}</p>" for line in body.splitlines())
        message.add_alternative(f"<html><body>{lines}</body></html>", subtype="html")
    if number % 4 == 2:
        message.add_attachment(b"%PDF-1.4 ...", maintype="application", subtype="pdf", filename="boleto.pdf")
    if number % 11 == 5:
        message.add_attachment(_bounce_that_is_passed_on(), filename="devolvida.eml")
    if number % 13 == 7:
        invitation = b"BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nEND:VCALENDAR\r\n"
        message.add_attachment(invitation, maintype="text", subtype="calendar", filename="convite.ics")


def _bounce_that_is_passed_on() -> EmailMessage:
    bounce = EmailMessage(policy=SMTP)
    bounce["Return-Path"] = "<>"
    bounce["From"] = "MAILER-DAEMON@example.com.br"
    bounce["Auto-Submitted"] = "auto-replied"
    bounce["Subject"] = "Undelivered Mail Returned to Sender"
    bounce.set_content("<fulano@example.com.br>: 550 5.1.1 User unknown\n")
    return bounce
