"""Writes the made-up mails of this folder: ``python -m tests.mails.make``. The files are kept, so that every
change of what this program writes shows in the history.

Reduced real mails lie here beside them; they are not in :data:`MAILS` and are left alone.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from datetime import date
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

from mailbot.demo import documents
from tests.pdfs import encrypted_pdf, scanned_pdf, text_pdf
from tests.pictures import jpeg, png

HERE = Path(__file__).parent
BOT = "atendimento@example.com.br"
MARIA = "Maria Souza <maria@cliente.example>"
SUBJECT = "ALTERAÇÃO DE LOCAL"
FIELDS = (
    "Motivo: mudei de cidade a trabalho\n"
    "Local atual: Rio Verde\n"
    "Novo local: Jataí\n"
    "Nome: Maria Souza\n"
    "Telefone: (64) 99876-1234\n"
)

_HOLDER = documents.Holder(
    name="Maria Souza", tax_id="529.982.247-25", licence_number="02650306461", birth_date="14/02/1988"
)
_DUE, _PAID = date(2026, 12, 1), date(2026, 11, 20)

File = tuple[str, str, bytes]


def _boleto(name: str = "boleto.pdf") -> File:
    return name, "application/pdf", documents.boleto(_HOLDER, unit="Rio Verde", due=_DUE)


def _receipt(name: str = "comprovante.pdf") -> File:
    return name, "application/pdf", documents.payment_receipt(_HOLDER, due=_DUE, paid=_PAID)


def _licence(name: str = "cnh.pdf") -> File:
    return name, "application/pdf", documents.driver_licence(_HOLDER)


def _photo(name: str, number: int = 0) -> File:
    return name, "image/jpeg", jpeg(1200 + number, 1600, size_bytes=2000)


PAPERS = (_boleto(), _receipt(), _licence())


# --- one mail -------------------------------------------------------------------------------------------------


def mail(
    text: str = FIELDS,
    *,
    subject: str = SUBJECT,
    sender: str = MARIA,
    to: str = BOT,
    files: Sequence[File] = (),
    headers: Sequence[tuple[str, str]] = (),
    dmarc: str = "pass",
    html: str = "",
) -> bytes:
    """A mail as our server puts it into the mailbox. With ``html`` there is no plain text."""
    message = EmailMessage(policy=SMTP)
    domain = sender.rpartition("@")[2].rstrip(">")
    if dmarc:
        message["Authentication-Results"] = f"mx.example.com.br; dmarc={dmarc} header.from={domain}"
    message["From"] = sender
    message["To"] = to
    message["Subject"] = subject
    message["Date"] = "Mon, 23 Nov 2026 09:12:00 -0300"
    message["Message-ID"] = "<um.mail@cliente.example>"
    for name, value in headers:
        message[name] = value
    if html:
        message.set_content(html, subtype="html")
    else:
        message.set_content(text)
    for name, media_type, content in files:
        maintype, _, subtype = media_type.partition("/")
        message.add_attachment(content, maintype=maintype, subtype=subtype, filename=name)
    return _with_fixed_boundaries(bytes(message))


def raw(head: str, body: str, *, charset: str = "ascii") -> bytes:
    """A mail written by hand: header lines, an empty line, the body."""
    return (head.strip() + "\n\n" + body).replace("\n", "\r\n").encode(charset)


def _with_fixed_boundaries(message: bytes) -> bytes:
    """Boundaries are random; fixed ones leave the file as it is when nothing else changed."""
    number = 0
    while (start := message.find(b'boundary="===============')) >= 0:
        boundary = message[start + 10 : message.index(b'"', start + 10)]
        message = message.replace(boundary, b"limite-%d" % number)
        number += 1
    return message


_HEAD = f"""
Authentication-Results: mx.example.com.br; dmarc=pass header.from=cliente.example
From: {MARIA}
To: {BOT}
Date: Mon, 23 Nov 2026 09:12:00 -0300
Message-ID: <um.mail@cliente.example>
MIME-Version: 1.0
"""

GMAIL_QUOTE = "Em sex., 20 de nov. de 2026 às 09:12, Central <atendimento@example.com.br> escreveu:\n\n"


def _quoted(text: str) -> str:
    return "".join(f"> {line}\n" for line in text.splitlines())


def _forwarded_as_attachment() -> bytes:
    inner = EmailMessage(policy=SMTP)
    inner["From"] = "José Lima <jose@cliente.example>"
    inner["To"] = MARIA
    inner["Subject"] = "meus documentos"
    inner["Message-ID"] = "<de.dentro@cliente.example>"
    inner.set_content("Seguem.\n")
    for name, media_type, content in PAPERS:
        maintype, _, subtype = media_type.partition("/")
        inner.add_attachment(content, maintype=maintype, subtype=subtype, filename=name)
    outer = EmailMessage(policy=SMTP)
    for name, value in (
        ("Authentication-Results", "mx.example.com.br; dmarc=pass header.from=cliente.example"),
        ("From", MARIA),
        ("To", BOT),
        ("Subject", f"ENC: {SUBJECT}"),
        ("Date", "Mon, 23 Nov 2026 09:12:00 -0300"),
        ("Message-ID", "<um.mail@cliente.example>"),
    ):
        outer[name] = value
    outer.set_content(FIELDS)
    outer.add_attachment(inner)
    return _with_fixed_boundaries(bytes(outer))


def _signature_logo() -> bytes:
    message = EmailMessage(policy=SMTP)
    message["From"] = MARIA
    message["To"] = BOT
    message["Subject"] = SUBJECT
    message["Date"] = "Mon, 23 Nov 2026 09:12:00 -0300"
    message["Message-ID"] = "<um.mail@cliente.example>"
    message.set_content(FIELDS)
    lines = "".join(f"<div>{line}</div>" for line in FIELDS.splitlines())
    message.add_alternative(f'{lines}<img src="cid:logo">', subtype="html")
    html = list(message.iter_parts())[1]
    assert isinstance(html, EmailMessage)
    html.add_related(png(200, 60, size_bytes=3000), "image", "png", cid="<logo>", filename="image001.png")
    return _with_fixed_boundaries(bytes(message))


_DSN = """
From: MAILER-DAEMON@mx.example.com.br (Mail Delivery System)
To: atendimento@example.com.br
Return-Path: <>
Subject: Undelivered Mail Returned to Sender
Auto-Submitted: auto-replied
Date: Mon, 23 Nov 2026 09:12:00 -0300
Message-ID: <dsn.1@mx.example.com.br>
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="limite"
"""
_DSN_BODY = """--limite
Content-Type: text/plain; charset=us-ascii

This is the mail system at host mx.example.com.br. I'm sorry to have to inform you.

--limite
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.com.br

Final-Recipient: rfc822; ninguem@cliente.example
Original-Recipient: rfc822;ninguem@cliente.example
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 <ninguem@cliente.example>: user unknown

--limite
Content-Type: text/rfc822-headers

From: Central <atendimento@example.com.br>
To: ninguem@cliente.example
Subject: [Chamado #2026-000123] x
Message-ID: <mb.abcdefghijklmnopqrst@example.com.br>

--limite--
"""
_READ_RECEIPT = """
From: Maria Souza <maria@cliente.example>
To: atendimento@example.com.br
Subject: Lida: [Chamado #2026-000123] x
Date: Mon, 23 Nov 2026 09:12:00 -0300
Message-ID: <mdn.1@cliente.example>
MIME-Version: 1.0
Content-Type: multipart/report; report-type=disposition-notification; boundary="limite"
"""
_READ_RECEIPT_BODY = """--limite
Content-Type: text/plain

Sua mensagem foi lida.
--limite
Content-Type: message/disposition-notification

Reporting-UA: cliente.example; Outlook
Final-Recipient: rfc822;maria@cliente.example
Original-Message-ID: <mb.abcdefghijklmnopqrst@example.com.br>
Disposition: manual-action/MDN-sent-manually; displayed

--limite--
"""
_CALENDAR = """BEGIN:VCALENDAR
METHOD:REPLY
BEGIN:VEVENT
UID:1@cliente.example
END:VEVENT
END:VCALENDAR
"""

# --- all of them ------------------------------------------------------------------------------------------------

_SENT_HEAD = """
To: Maria Souza <maria@cliente.example>
In-Reply-To: <um.mail@cliente.example>
References: <um.mail@cliente.example>
Subject: {subject}
Date: Mon, 23 Nov 2026 09:40:00 -0300
Message-ID: <{message_id}>
MIME-Version: 1.0
Content-Type: {content_type}; charset=utf-8
Content-Transfer-Encoding: 8bit
"""
_ASKED = "Preciso mudar o local da vistoria.\nLocal atual: Rio Verde\n"


def _sent(program: str, sender: str, body: str, *, content_type: str = "text/plain", subject: str) -> bytes:
    """What a webmail keeps of an answer that somebody wrote from the shared mailbox."""
    message_id = f"{program}.resposta@example.com.br"
    head = _SENT_HEAD.format(subject=subject, message_id=message_id, content_type=content_type)
    return raw(sender + head, body, charset="utf-8")


def _sent_by_roundcube() -> bytes:
    body = f"Maria, a CNH pode ser uma foto.\n\nEm 2026-11-23 09:12, Maria Souza escreveu:\n{_quoted(_ASKED)}"
    sender = "From: Central <atendimento@example.com.br>\nUser-Agent: Roundcube Webmail/1.6.9"
    return _sent("roundcube", sender, body, subject="Re: ALTERACAO DE LOCAL")


def _sent_by_gmail() -> bytes:
    quote = "Em seg., 23 de nov. de 2026 às 09:12, Maria Souza <maria@cliente.example> escreveu:\n\n"
    body = f"Maria, a CNH pode ser uma foto.\n\n{quote}{_quoted(_ASKED)}"
    received = "Received: from 1 by mx.example.com.br with SMTPS id a1; Mon, 23 Nov 2026 04:40:00 -0800 (PST)"
    return _sent("gmail", f"{received}\nFrom: Central <atendimento@example.com.br>", body, subject="Re: LOCAL")


def _sent_by_outlook() -> bytes:
    lines = "".join(f"<div>{line}</div>" for line in _ASKED.splitlines())
    body = (
        "<html><body><div>Maria, a CNH pode ser uma foto.</div><div><br></div>"
        '<hr style="display:inline-block;width:98%" tabindex="-1"><div id="divRplyFwdMsg" dir="ltr">'
        "<b>De:</b> Maria Souza &lt;maria@cliente.example&gt;<br><b>Enviado:</b> segunda-feira, 23 de novembro de "
        "2026 09:12<br><b>Para:</b> Central &lt;atendimento@example.com.br&gt;<br><b>Assunto:</b> LOCAL</div>"
        f"{lines}</body></html>\n"
    )
    sender = "From: Central <atendimento@example.com.br>\nSender: Ana <ana@example.com.br>\nThread-Index: AdRXc1k="
    return _sent("outlook", sender, body, content_type="text/html", subject="Re: LOCAL")


MAILS: dict[str, Callable[[], bytes]] = {
    # What they write into the subject (DOMAIN C.7).
    "0101-subject-exact": mail,
    "0102-subject-prefixes": lambda: mail(subject=f"RES: ENC: Re[2]: [EXTERNO] {SUBJECT}"),
    "0103-subject-marked-as-spam": lambda: mail(subject="*****SPAM***** Alteracao de local"),
    "0104-subject-in-nfd": lambda: mail(subject=unicodedata.normalize("NFD", SUBJECT)),
    "0105-subject-mojibake": lambda: mail(subject="ALTERAÃ‡ÃƒO DE LOCAL"),
    "0106-subject-question-marks": lambda: mail(subject="ALTERA??O DE LOCAL"),
    "0107-subject-replacement-characters": lambda: mail(subject="ALTERA\ufffd\ufffdO DE LOCAL"),
    "0108-subject-invisible-characters": lambda: mail(subject="ALTERAÇÃO\u00a0DE\u200b LOCAL"),
    "0109-subject-underscores": lambda: mail(subject="ALTERACAO_DE_LOCAL"),
    "0110-subject-typo": lambda: mail(subject="Aleração de Local"),
    "0111-subject-plural": lambda: mail(subject="ALTERAÇÃO DE LOCAIS"),
    "0112-subject-with-copied-label": lambda: mail(subject=f"Assunto: {SUBJECT}"),
    "0113-subject-with-plate": lambda: mail(subject=f"{SUBJECT} - placa ABC1D23"),
    "0114-subject-is-the-title": lambda: mail(
        "Boa tarde, mudei de cidade e não consigo ir.\n\nMaria\n", subject="Alteração de Rio Verde para Jataí"
    ),
    "0115-subject-negated": lambda: mail(
        "Desisti, podem desconsiderar.\n", subject="Não quero mais a alteração de local"
    ),
    "0116-subject-synonym-with-fields": lambda: mail(subject="Mudança de local"),
    "0117-subject-synonym-alone": lambda: mail("Como eu faço?\n", subject="Troca de unidade"),
    "0118-subject-of-another-change": lambda: mail(
        "Preciso passar a vistoria para o dia 30.\n", subject="ALTERAÇÃO DE DATA"
    ),
    "0119-subject-empty-with-labelled-fields": lambda: mail(subject=""),
    "0120-subject-names-a-paper": lambda: mail("Segue.\n", subject="Comprovante", files=[_receipt()]),
    "0121-subject-crlf-in-encoded-word": lambda: raw(
        f"{_HEAD.strip()}\nSubject: =?utf-8?q?ALTERA=C3=87=C3=83O_DE_LOCAL=0D=0ABcc:_vitima@example.com.br?=\n"
        "Content-Type: text/plain; charset=utf-8",
        FIELDS,
        charset="utf-8",
    ),
    "0122-subject-jinja": lambda: mail(
        "Oi\n", subject="{{ 7*7 }} {% for x in range(999999) %}{{ x }}{% endfor %}"
    ),
    "0123-subject-raw-8-bit": lambda: raw(f"{_HEAD.strip()}\nSubject: {SUBJECT}", FIELDS, charset="latin-1"),
    "0124-subject-with-foreign-tag": lambda: mail(subject=f"[Ticket#2026000123] [B45 #0000054] {SUBJECT}"),
    "0125-subject-synonym-with-articles": lambda: mail(
        "Como eu faço?\n", subject="Quero mudar o local da vistoria"
    ),
    "0126-body-asks-without-both-places": lambda: mail(
        "Boa tarde,\nquero transferir a minha vistoria para Anápolis.\n", subject="Vistoria"
    ),
    "0127-body-denies-the-synonym": lambda: mail(
        "Não quero mais mudar o local da vistoria de Rio Verde para Jataí.\n", subject="Mudança de local"
    ),
    "0128-body-asks-with-two-papers": lambda: mail(
        "Quero mudar o local da vistoria.\n", subject="Vistoria", files=PAPERS[:2]
    ),
    # What they write into the text.
    "0201-html-only": lambda: mail(
        html="<html><body><p>Boa tarde,</p><table>"
        + "".join(f"<tr><td>{line.replace(': ', ':</td><td>')}</td></tr>" for line in FIELDS.splitlines())
        + "</table></body></html>"
    ),
    "0202-cp1252-that-says-latin1": lambda: raw(
        f"{_HEAD.strip()}\nSubject: Alteracao de local\nContent-Type: text/plain; charset=iso-8859-1",
        FIELDS.replace("mudei de cidade", "“mudei” – de cidade"),
        charset="cp1252",
    ),
    "0203-fields-only-in-the-quote": lambda: mail(
        f"Bom dia, alguma novidade?\n\n{GMAIL_QUOTE}{_quoted(FIELDS)}", subject="Dúvida"
    ),
    "0204-units-that-look-like-a-quote": lambda: mail("De: Rio Verde\nPara: Jataí\nMotivo: mudei de cidade\n"),
    "0205-forwarded-below": lambda: mail(
        "Segue abaixo o pedido da minha irmã.\n\n---------- Forwarded message ---------\n"
        "De: Ana Lima <ana.lima@cliente.example>\nDate: sex., 20 de nov. de 2026 às 09:12\n"
        f"Subject: {SUBJECT}\nTo: Maria Souza <maria@cliente.example>\n\n{FIELDS}",
        subject=f"ENC: {SUBJECT}",
    ),
    "0206-forwarded-as-attachment": _forwarded_as_attachment,
    "0207-said-in-a-sentence": lambda: mail(
        "Boa tarde. Gostaria de alterar o local da vistoria de Rio Verde para Jataí porque mudei de cidade.\n"
        "Maria Souza, (64) 99876-1234\n",
        subject="Vistoria",
    ),
    "0208-same-unit-twice": lambda: mail(FIELDS.replace("Jataí", "Rio Verde")),
    "0209-unit-that-does-not-exist": lambda: mail(FIELDS.replace("Jataí", "Pirenópolis")),
    "0210-telephone-without-area-code": lambda: mail(FIELDS.replace("(64) 99876-1234", "99876-1234")),
    "0211-empty-body": lambda: mail("\n"),
    "0212-staff-word-of-a-customer": lambda: mail(f"#autorizar\n{FIELDS}"),
    "0213-reason-in-free-words-behind-a-greeting": lambda: mail(
        "Bom dia, minha vistoria caiu longe da minha casa.\n\nMaria Souza\n(64) 99876-1234\n"
    ),
    "0214-request-without-a-reason": lambda: mail(
        "Boa tarde,\nsegue anexo. Solicito a alteração do local da minha vistoria de Rio Verde para Jataí.\n"
        "Aguardo retorno o mais breve possível.\n\nMaria Souza\n(64) 99876-1234\n",
        files=PAPERS,
    ),
    # What they attach.
    "0301-all-papers": lambda: mail(files=PAPERS),
    "0302-two-papers": lambda: mail(files=PAPERS[:2]),
    "0303-three-photos-from-whatsapp": lambda: mail(
        files=[_photo(f"IMG-20261120-WA000{number}.jpg", number) for number in (1, 2, 3)]
    ),
    "0304-photos-with-telling-names": lambda: mail(
        files=[_photo("boleto.jpg", 1), _photo("CNH frente.jpg", 2), _photo("comprovante pix.jpg", 3)]
    ),
    "0305-one-photo-of-unknown-content": lambda: mail(files=[_photo("IMG_4021.jpg")]),
    "0306-the-same-photo-three-times": lambda: mail(files=[_photo(f"IMG_{number}.jpg") for number in (1, 2, 3)]),
    "0307-encrypted-pdf": lambda: mail(
        files=[("boleto.pdf", "application/pdf", encrypted_pdf()), _receipt(), _licence()]
    ),
    "0308-scan-of-three-pages": lambda: mail(files=[("scan0001.pdf", "application/pdf", scanned_pdf(3))]),
    "0309-all-papers-in-one-pdf": lambda: mail(
        files=[
            (
                "documentos.pdf",
                "application/pdf",
                text_pdf(
                    [
                        "BOLETO DE COBRANÇA",
                        "Linha digitável: 99991.23456 78901.234567 89012.345678 1 12340000010800",
                        "Recibo do pagador",
                        "Vencimento: 01/12/2026",
                        "Nosso número: 123",
                        "Beneficiário: X",
                        "Pagador: Maria Souza",
                        "Autenticação mecânica",
                    ],
                    [
                        "COMPROVANTE DE PAGAMENTO DE BOLETO",
                        "Situação: EFETIVADA",
                        "Valor pago: R$ 108,00",
                        "Data do pagamento: 20/11/2026",
                        "Autenticação bancária: 7F3A.91C2",
                    ],
                    [
                        "CARTEIRA NACIONAL DE HABILITAÇÃO",
                        "SECRETARIA NACIONAL DE TRÂNSITO",
                        "4b VALIDADE: 08/03/2034",
                        "5 Nº REGISTRO: 02650306461",
                        "4d CPF: 529.982.247-25",
                        "9 CAT HAB: B",
                    ],
                ),
            )
        ]
    ),
    "0310-drive-link-instead-of-files": lambda: mail(
        f"{FIELDS}\nOs documentos: https://drive.example.com.br/pasta/abc123\n"
    ),
    "0311-winmail-dat": lambda: mail(
        files=[("winmail.dat", "application/ms-tnef", b"\x78\x9f\x3e\x22" + bytes(400))]
    ),
    "0312-zip": lambda: mail(files=[("documentos.zip", "application/zip", b"PK\x03\x04" + bytes(200))]),
    "0313-program-that-says-pdf": lambda: mail(files=[("boleto.pdf", "application/pdf", b"MZ" + bytes(500))]),
    "0314-logo-of-a-signature": _signature_logo,
    "0315-broken-pdf": lambda: mail(files=[("boleto.pdf", "application/pdf", b"%PDF-1.4\nquebrado")]),
    "0316-empty-file": lambda: mail(files=[("boleto.pdf", "application/pdf", b"")]),
    "0317-link-to-a-shared-file": lambda: mail(
        f"{FIELDS}\nA CNH: https://drive.google.com/file/d/abc123/view\n", files=PAPERS[:2]
    ),
    # Who they are, or say they are.
    "0401-two-from-headers": lambda: mail(files=PAPERS).replace(
        b"From: ", b"From: Outra <outra@outro.example.com.br>\r\nFrom: ", 1
    ),
    "0402-two-addresses-in-from": lambda: mail(files=PAPERS, sender="maria@cliente.example").replace(
        b"From: maria@cliente.example", b"From: maria@cliente.example, ana@example.com.br", 1
    ),
    "0403-display-name-of-an-agent": lambda: mail(
        "#autorizar\n", sender='"ana@example.com.br" <x@cliente.example>', subject="RES: Pedido"
    ),
    "0404-forged-agent": lambda: mail(
        "#autorizar\n", sender="Ana <ana@example.com.br>", subject="RES: [Chamado #2026-000123] x", dmarc="fail"
    ),
    "0405-message-id-missing": lambda: mail().replace(b"Message-ID: <um.mail@cliente.example>\r\n", b""),
    "0406-nobody-vouches": lambda: mail(files=PAPERS, dmarc=""),
    "0407-somebody-in-cc": lambda: mail(headers=[("Cc", "outra@outro.example.com.br")]),
    "0408-reply-to-somebody-else": lambda: mail(headers=[("Reply-To", "outra@outro.example.com.br")]),
    "0409-forged-results-below-ours": lambda: mail(
        dmarc="fail",
        headers=[("Authentication-Results", "mx.example.com.br; dmarc=pass header.from=cliente.example")],
    ),
    # What machines write.
    "0501-answering-machine": lambda: mail(
        "Estou de férias.\n", subject="Resposta automática: Férias", headers=[("Auto-Submitted", "auto-replied")]
    ),
    "0502-absence-note-without-headers": lambda: mail(
        "Estou de férias até 30/11.\n", subject="Resposta automática: Férias"
    ),
    "0503-false-friend-of-an-absence-note": lambda: mail(
        files=PAPERS[:1], subject="Resposta automática do Detran: boleto anexo"
    ),
    "0504-mailing-list": lambda: mail(
        "Ofertas.\n", subject="Ofertas", headers=[("List-Id", "<ofertas.cliente.example>")]
    ),
    "0505-two-precedences": lambda: mail(headers=[("Precedence", "first-class")]).replace(
        b"Precedence: first-class", b"Precedence: first-class\r\nPrecedence: bulk"
    ),
    "0506-suppress-oof-on-a-persons-mail": lambda: mail(headers=[("X-Auto-Response-Suppress", "OOF")]),
    "0507-suppress-all": lambda: mail(headers=[("X-Auto-Response-Suppress", "All")]),
    "0508-no-reply-address": lambda: mail(
        "Sua fatura chegou.\n", subject="Fatura", sender="nao-responda@cliente.example"
    ),
    "0509-delivery-failure": lambda: raw(_DSN, _DSN_BODY),
    "0510-read-receipt": lambda: raw(_READ_RECEIPT, _READ_RECEIPT_BODY),
    "0511-calendar-reply": lambda: mail(
        "Aceito.\n", subject="Aceito: Reunião", files=[("invite.ics", "text/calendar", _CALENDAR.encode())]
    ),
    "0512-null-return-path": lambda: mail(headers=[("Return-Path", "<>")]),
    # What people write from the shared mailbox, as its Sent folder keeps it.
    "0601-sent-by-roundcube": _sent_by_roundcube,
    "0602-sent-by-gmail": _sent_by_gmail,
    "0603-sent-by-outlook-on-behalf": _sent_by_outlook,
}


def main() -> None:
    """Write every mail."""
    for name, make in MAILS.items():
        (HERE / f"{name}.eml").write_bytes(make())


if __name__ == "__main__":
    main()
