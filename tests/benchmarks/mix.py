"""Generated mails: half plain, a quarter with a quoted thread, a quarter with 400 kB of attachments.

The same seed gives the same mails, so that runs can be compared.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import date, datetime, timedelta, timezone
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from mailbot.demo.documents import Holder, boleto, payment_receipt
from tests.peers.postfix import DISCARD_DOMAIN, HOSTNAME

_BRASILIA = timezone(timedelta(hours=-3))
_FIRST = ("Maria", "João", "Antônia", "José", "Lídia", "Carlos", "Conceição", "Fábio", "Inês", "Márcio")
_LAST = ("da Silva", "Souza", "Araújo", "Gonçalves", "Nogueira", "Magalhães", "Assunção", "Pereira", "Brandão")
_UNITS = ("Goiânia", "Anápolis", "Rio Verde", "Jataí", "Luziânia", "Trindade", "Formosa", "Catalão", "Itumbiara")
_REQUESTS = ("ALTERAÇÃO DE LOCAL", "Alteração de local da vistoria", "RES: ALTERAÇÃO DE LOCAL", "alterar o local")
_QUESTIONS = (
    "Dúvida sobre o horário da unidade",
    "Segunda via do laudo",
    "Não consigo agendar pelo site",
    "Quanto tempo vale o laudo?",
    "Reclamação do atendimento",
)
_SENTENCES = (
    "Bom dia, tudo bem?",
    "Preciso de ajuda com a vistoria do meu veículo.",
    "A minha empresa mudou de cidade e o carro já está lá.",
    "Já paguei o boleto na semana passada pelo aplicativo do banco.",
    "Tentei ligar várias vezes e ninguém atendeu até agora.",
    "O veículo é um caminhão e não pode rodar até a capital.",
    "Fico no aguardo do retorno de vocês o quanto antes.",
    "Se faltar algum documento, por favor me avisem por aqui mesmo.",
    "O atendente disse que a alteração deve ser pedida por e-mail.",
    "Qualquer dúvida, podem me telefonar em horário comercial.",
)


def make_mix(count: int, recipient: str, *, seed: int = 2026) -> Iterator[bytes]:
    """``count`` mails to ``recipient`` with CRLF line ends, each from a sender of its own in two of three."""
    rng = random.Random(seed)
    for number in range(count):
        yield _mail(rng, number, recipient)


def small_mail(number: int, recipient: str, sender: str, *, seed: int = 1) -> bytes:
    """One plain mail from ``sender``."""
    rng = random.Random(seed * 1_000_003 + number)
    message = _envelope(rng, f"{seed}.{number}", recipient, sender, rng.choice(_FIRST))
    message.set_content(_text(rng), cte="quoted-printable")
    return message.as_bytes(policy=SMTP)


def large_mail(number: int, recipient: str, sender: str, size_bytes: int) -> bytes:
    """A mail whose one attachment makes it ``size_bytes`` large on the wire, or a little more."""
    rng = random.Random(number)
    message = _envelope(rng, f"large.{number}", recipient, sender, rng.choice(_FIRST))
    message.set_content(_text(rng), cte="quoted-printable")
    content = _photo(rng, size_bytes * 57 // 78)
    message.add_attachment(content, maintype="image", subtype="jpeg", filename="fotos.jpg")
    return message.as_bytes(policy=SMTP)


def _mail(rng: random.Random, number: int, recipient: str) -> bytes:
    name = f"{rng.choice(_FIRST)} {rng.choice(_LAST)}"
    # Two of three write for the first time; the others are the hundreds who write often.
    who = number if rng.random() < 2 / 3 else rng.randrange(400)
    message = _envelope(rng, str(number), recipient, f"cliente{who}@{DISCARD_DOMAIN}", name)
    form = number % 4
    text = _text(rng)
    if form == 2:
        _with_thread(message, rng, text, name)
    else:
        message.set_content(text, cte=rng.choice(("8bit", "quoted-printable")))
    if form == 3:
        _with_files(message, rng, name)
    return message.as_bytes(policy=SMTP)


def _envelope(rng: random.Random, number: str, recipient: str, sender: str, name: str) -> EmailMessage:
    sent = datetime(2026, 11, 20, 9, tzinfo=_BRASILIA) + timedelta(seconds=rng.randrange(200_000))
    hop = rng.randrange(10**9)
    message = EmailMessage()
    domain = sender.partition("@")[2]
    for line in (
        f"from {HOSTNAME} by mda.example.com.br with LMTP id {hop:x}; {format_datetime(sent)}",
        f"from mail.{domain} (mail.{domain} [192.0.2.7]) by {HOSTNAME} with ESMTPS; {format_datetime(sent)}",
    ):
        message["Received"] = line
    message["Authentication-Results"] = (
        f"{HOSTNAME}; dkim=pass header.d={domain}; spf=pass smtp.mailfrom={sender};"
        f" dmarc=pass header.from={domain}"
    )
    message["From"] = f"{name} <{sender}>"
    message["To"] = recipient
    message["Subject"] = rng.choice(_REQUESTS if rng.random() < 0.6 else _QUESTIONS)
    message["Date"] = format_datetime(sent)
    message["Message-ID"] = f"<{number}.{hop}@{domain}>"
    message["MIME-Version"] = "1.0"
    message["X-Mailer"] = "Microsoft Outlook 16.0"
    message["Content-Language"] = "pt-br"
    return message


def _text(rng: random.Random) -> str:
    lines = rng.sample(_SENTENCES, rng.randrange(3, 8))
    if rng.random() < 0.5:
        origin, destination = rng.sample(_UNITS, 2)
        lines += [
            "",
            f"Local atual: {origin}",
            f"Local desejado: {destination}",
            "Motivo: o veículo está em outra cidade",
            f"Telefone: (64) 9{rng.randrange(1000, 9999)}-{rng.randrange(1000, 9999)}",
        ]
    return "\n".join([*lines, "", "Atenciosamente,", rng.choice(_FIRST), ""])


def _with_thread(message: EmailMessage, rng: random.Random, text: str, name: str) -> None:
    """Outlook's way: an HTML part, and below the answer the whole thread with its header blocks."""
    quoted = []
    for _ in range(rng.randrange(2, 5)):
        quoted += [
            "",
            "________________________________",
            f"De: {rng.choice(_FIRST)} <contato@{DISCARD_DOMAIN}>",
            "Enviado: quinta-feira, 19 de novembro de 2026 10:12",
            f"Para: {name}",
            "Assunto: Vistoria",
            "",
            *rng.sample(_SENTENCES, 6),
        ]
    message.set_content(text + "\n".join(quoted) + "\n", cte="quoted-printable")
    paragraphs = "".join(
        f'<p class="MsoNormal" style="margin:0cm;font-family:Calibri"><span lang="PT-BR">{line}</span></p>\n'
        for line in text.split("\n")
    )
    thread = "".join(f'<p class="MsoNormal">{line}</p>\n' for line in quoted if line)
    message.add_alternative(
        f"<html><head><style>p.MsoNormal {{margin:0cm}}</style></head><body lang=PT-BR>{paragraphs}"
        f'<hr><div style="border:none;border-top:solid #E1E1E1 1.0pt">{thread}</div></body></html>',
        subtype="html",
        cte="quoted-printable",
    )


def _with_files(message: EmailMessage, rng: random.Random, name: str) -> None:
    """Two papers as PDF and a photo of the licence: 400 kB together."""
    holder = Holder(name=name, tax_id="111.444.777-35", licence_number="12345678900", birth_date="01/02/1980")
    due = date(2026, 11, 25) + timedelta(days=rng.randrange(30))
    papers = (
        ("boleto.pdf", boleto(holder, unit=rng.choice(_UNITS), due=due), 120_000),
        ("comprovante.pdf", payment_receipt(holder, due=due, paid=due - timedelta(days=2)), 80_000),
    )
    for filename, content, size_bytes in papers:
        message.add_attachment(
            _with_picture(content, rng.randbytes(size_bytes - len(content))),
            maintype="application",
            subtype="pdf",
            filename=filename,
        )
    message.add_attachment(_photo(rng, 200_000), maintype="image", subtype="jpeg", filename="cnh.jpg")


def _with_picture(pdf: bytes, octets: bytes) -> bytes:
    """The PDF with one more object, as an incremental update adds it (ISO 32000-1 §7.5.6)."""
    start = pdf.rpartition(b"startxref\n")[2].split()[0]
    root = pdf.rpartition(b"/Root ")[2].split(b">>")[0].strip()
    objects = int(pdf.rpartition(b"/Size ")[2].split()[0])
    update = b"%d 0 obj\n<< /Length %d >>\nstream\n%s\nendstream\nendobj\n" % (objects, len(octets), octets)
    table = len(pdf) + len(update) + 1
    return (
        pdf
        + b"\n"
        + update
        + b"xref\n%d 1\n%010d 00000 n \n" % (objects, len(pdf) + 1)
        + b"trailer\n<< /Size %d /Root %s /Prev %s >>\n" % (objects + 1, root, start)
        + b"startxref\n%d\n%%%%EOF\n" % table
    )


def _photo(rng: random.Random, size_bytes: int) -> bytes:
    start = b"\xff\xd8\xff\xe0\x00\x10JFIF\0\x01\x01\0\0\x01\0\x01\0\0"
    frame = b"\xff\xc0\x00\x11\x08\x04\xb0\x06\x40\x03\x01\x11\x00\x02\x11\x01\x03\x11\x01"
    return start + frame + rng.randbytes(size_bytes - len(start) - len(frame))
