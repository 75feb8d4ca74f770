"""Imitations of how mail programs send back our letter with its form filled in (DOMAIN C.7).

The bytes are made from the letter itself, as each program writes its reply in Portuguese; none is a capture of a
real mail.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from email.message import EmailMessage

from mailbot.domain.events import OutboundLetter
from tests.flows.house import AUTHSERV_ID, CUSTOMER, MAILBOX

Answers = Mapping[str, str]
"""What is written into the empty places, by label."""

_BODY = re.compile(r"<body[^>]*>(.*)</body>", re.DOTALL | re.IGNORECASE)


def filled_text(letter: OutboundLetter, answers: Answers) -> str:
    """The letter's text with its form filled in; the underscores stay where people leave them."""
    text = letter.text
    for label, answer in answers.items():
        assert f"{label}: ____" in text
        text = text.replace(f"{label}: ____", f"{label}: {answer}____")
    return text


def filled_html(letter: OutboundLetter, answers: Answers) -> str:
    """The inside of the letter's HTML with its form filled in."""
    found = _BODY.search(letter.html)
    assert found is not None
    html = found[1]
    for label, answer in answers.items():
        assert f"{label}: ____________" in html
        html = html.replace(f"{label}: ____________", f"{label}: {answer}")
    return html


def quoted(text: str) -> str:
    return "".join(f"> {line}\n" if line else ">\n" for line in text.split("\n"))


def wrapped(text: str, width: int = 72) -> str:
    """Lines broken as ``format=flowed`` programs break what they quote."""
    lines: list[str] = []
    for line in text.split("\n"):
        while len(line) > width and " " in line[:width]:
            cut = line.rindex(" ", 0, width)
            lines.append(line[:cut])
            line = line[cut + 1 :]
        lines.append(line)
    return "\n".join(lines)


def message(letter: OutboundLetter, *, text: str = "", html: str = "") -> bytes:
    """A verified reply to ``letter``."""
    mail = EmailMessage()
    mail["Authentication-Results"] = f"{AUTHSERV_ID}; dmarc=pass header.from=example.com.br"
    mail["From"] = f"Maria Souza <{CUSTOMER}>"
    mail["To"] = MAILBOX
    mail["Subject"] = f"RES: {letter.subject}"
    mail["Date"] = "Mon, 23 Nov 2026 12:30:00 -0300"
    mail["Message-ID"] = "<resposta.1@example.com.br>"
    mail["In-Reply-To"] = f"<{letter.message_id.strip('<>')}>"
    mail["References"] = f"<{letter.message_id.strip('<>')}>"
    if text:
        mail.set_content(text)
    if html and text:
        mail.add_alternative(html, subtype="html")
    elif html:
        mail.set_content(html, subtype="html")
    return mail.as_bytes()


def gmail_web(letter: OutboundLetter, answers: Answers, top: str) -> bytes:
    link = f"<a href='mailto:{MAILBOX}'>{MAILBOX}</a>"
    who = f"Em seg., 23 de nov. de 2026 às 12:01, Atendimento &lt;{link}&gt; escreveu:"
    html = (
        f'<div dir="ltr">{top}</div><br><div class="gmail_quote gmail_quote_container"><div dir="ltr" '
        f'class="gmail_attr">{who}<br></div><blockquote class="gmail_quote" style="margin:0px 0px 0px 0.8ex;'
        f'border-left:1px solid rgb(204,204,204)">{filled_html(letter, answers)}</blockquote></div>'
    )
    plain = f"{top}\n\nEm seg., 23 de nov. de 2026 às 12:01, Atendimento <{MAILBOX}>\nescreveu:\n\n"
    return message(letter, text=plain + quoted(wrapped(filled_text(letter, answers))), html=html)


def gmail_mobile(letter: OutboundLetter, answers: Answers, top: str) -> bytes:
    who = f"Em seg., 23 de nov. de 2026, 12:01, Atendimento &lt;{MAILBOX}&gt; escreveu:"
    html = (
        f'<div dir="auto">{top}</div><br><div class="gmail_quote"><div class="gmail_attr">{who}<br></div>'
        f'<blockquote class="gmail_quote">{filled_html(letter, answers)}</blockquote></div>'
    )
    return message(letter, html=html)


_OUTLOOK_HEAD = (
    "<b>De:</b> Atendimento &lt;atendimento@example.com.br&gt;<br><b>{sent}</b> segunda-feira, 23 de novembro de "
    "2026 12:01<br><b>Para:</b> Maria Souza &lt;maria@example.com.br&gt;<br><b>Assunto:</b> {subject}"
)


def outlook_desktop(letter: OutboundLetter, answers: Answers, top: str) -> bytes:
    head = _OUTLOOK_HEAD.format(sent="Enviada em:", subject=letter.subject)
    html = (
        f'<html><body lang="PT-BR"><div class="WordSection1"><p class="MsoNormal">{top}<o:p></o:p></p>'
        f'<div style="border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0cm 0cm 0cm"><p>{head}'
        f"<o:p></o:p></p></div>{filled_html(letter, answers)}</div></body></html>"
    )
    return message(letter, html=html)


def outlook_desktop_plain(letter: OutboundLetter, answers: Answers, top: str) -> bytes:
    head = (
        f"De: Atendimento <{MAILBOX}>\nEnviada em: segunda-feira, 23 de novembro de 2026 12:01\n"
        f"Para: Maria Souza <{CUSTOMER}>\nAssunto: {letter.subject}\n\n"
    )
    return message(letter, text=f"{top}\n\n{head}{filled_text(letter, answers)}")


def outlook_web(letter: OutboundLetter, answers: Answers, top: str) -> bytes:
    head = _OUTLOOK_HEAD.format(sent="Enviado:", subject=letter.subject)
    html = (
        f'<html><body dir="ltr"><div class="elementToProof">{top}</div><hr style="display:inline-block;width:98%" '
        f'tabindex="-1"><div id="divRplyFwdMsg" dir="ltr">{head}</div><div>{filled_html(letter, answers)}</div>'
        "</body></html>"
    )
    return message(letter, html=html)


def apple_mail(letter: OutboundLetter, answers: Answers, top: str) -> bytes:
    who = f"Em 23 de nov. de 2026, à(s) 12:01, Atendimento <{MAILBOX}> escreveu:"
    html = (
        f'<html><body style="overflow-wrap: break-word;">{top}<br><div><br><blockquote type="cite"><div>'
        f"{who.replace('<', '&lt;').replace('>', '&gt;')}</div><br class='Apple-interchange-newline'><div>"
        f"{filled_html(letter, answers)}</div></blockquote></div></body></html>"
    )
    text = f"{top}\n\n> {who}\n> \n{quoted(filled_text(letter, answers))}"
    return message(letter, text=text, html=html)


def samsung(letter: OutboundLetter, answers: Answers, top: str) -> bytes:
    html = (
        f'<html><body><div dir="auto">{top}</div><div dir="auto">Enviado do meu Galaxy</div><div><br></div><div '
        'align="left" dir="auto" style="font-size:100%"><div>-------- Mensagem original --------</div>'
        f"<div>De : Atendimento &lt;{MAILBOX}&gt; </div><div>Data: 23/11/2026  12:01  (GMT-03:00) </div><div>"
        f"Para: {CUSTOMER} </div><div>Assunto: {letter.subject} </div><div><br></div></div>"
        f"{filled_html(letter, answers)}</body></html>"
    )
    return message(letter, html=html)


def roundcube(letter: OutboundLetter, answers: Answers, top: str) -> bytes:
    body = quoted(wrapped(filled_text(letter, answers)))
    return message(letter, text=f"{top}\n\nEm 2026-11-23 12:01, Atendimento escreveu:\n{body}")


def thunderbird(letter: OutboundLetter, answers: Answers, top: str) -> bytes:
    body = quoted(wrapped(filled_text(letter, answers)))
    return message(letter, text=f"Em 23/11/2026 12:01, Atendimento escreveu:\n{body}\n{top}\n")


def above_the_quote(letter: OutboundLetter, answers: Answers, top: str) -> bytes:
    lines = "".join(f"{label}: {answer}\n" for label, answer in answers.items())
    body = quoted(letter.text)
    return message(letter, text=f"{top}\n{lines}\nEm 23/11/2026 12:01, Atendimento escreveu:\n{body}")


def between_the_lines(letter: OutboundLetter, answers: Answers, top: str) -> bytes:
    """Answers on lines of their own below the quoted empty places."""
    lines: list[str] = []
    for line in letter.text.split("\n"):
        lines.append(f"> {line}")
        lines.extend(answer for label, answer in answers.items() if line.startswith(f"{label}: ____"))
    return message(letter, text=f"{top}\n\nEm 23/11/2026 12:01, Atendimento escreveu:\n" + "\n".join(lines))


PROGRAMS: Mapping[str, Callable[[OutboundLetter, Answers, str], bytes]] = {
    "gmail on the web": gmail_web,
    "gmail on a telephone": gmail_mobile,
    "outlook on the desktop": outlook_desktop,
    "outlook on the desktop, plain text": outlook_desktop_plain,
    "outlook on the web": outlook_web,
    "apple mail": apple_mail,
    "samsung mail": samsung,
    "roundcube": roundcube,
    "thunderbird, below the quote": thunderbird,
    "above the quote": above_the_quote,
    "between the quoted lines": between_the_lines,
}
