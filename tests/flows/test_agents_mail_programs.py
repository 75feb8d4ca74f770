"""Agents' answers as their mail programs write them in Portuguese, through the whole path.

All of these are imitations, made from how the programs are known to mark replies; none is a mail that somebody
sent. Each is an order with words to the customer on top, a signature, and the whole notice quoted as that program
quotes it, in plain text and in HTML.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from email.message import EmailMessage
from html import escape
from pathlib import Path

import pytest

from mailbot.domain.events import Audience, LetterKind, OutboundLetter
from mailbot.domain.ticket import Resolution, Status
from tests.flows.house import AUTHSERV_ID, BOLETO, LICENCE, MAILBOX, RECEIPT, REQUEST, TestHouse, mail

Written = tuple[str, str]
"""Plain text and HTML; an empty one is left out."""
Program = Callable[[str, OutboundLetter], Written]

_DATE = "seg., 23 de nov. de 2026 às 12:00"


def _body(letter: OutboundLetter) -> str:
    """What stands in the body of the quoted letter's HTML."""
    return letter.html.partition("<body")[2].partition(">")[2].rpartition("</body>")[0]


def _marked(letter: OutboundLetter) -> str:
    return "\n".join(f"> {line}" for line in letter.text.splitlines())


def _paragraphs(text: str, tag: str = "div") -> str:
    return "".join(f"<{tag}>{escape(line) or '<br>'}</{tag}>" for line in text.splitlines())


def gmail(text: str, letter: OutboundLetter) -> Written:
    said = f"Em {_DATE}, Central <{MAILBOX}> escreveu:"
    html = (
        f'<div dir="ltr">{_paragraphs(text)}</div><br clear="all"><div><div dir="ltr" class="gmail_signature" '
        f'data-smartmail="gmail_signature">Ana Lima<br>Ramal 4321</div></div><br><div class="gmail_quote '
        f'gmail_quote_container"><div dir="ltr" class="gmail_attr">{escape(said)}<br></div><blockquote '
        f'class="gmail_quote" style="margin:0 0 0 .8ex">{_body(letter)}</blockquote></div>'
    )
    return f"{text}\n\n-- \nAna Lima\nRamal 4321\n\n\n{said}\n\n{_marked(letter)}\n", html


def _outlook_head(letter: OutboundLetter) -> str:
    return (
        f"De: Central <{MAILBOX}>\nEnviado: segunda-feira, 23 de novembro de 2026 12:00\n"
        f"Para: Ana <ana@example.com.br>\nAssunto: {letter.subject}"
    )


def outlook_desktop(text: str, letter: OutboundLetter) -> Written:
    head = _outlook_head(letter)
    named = [one.partition(":") for one in head.splitlines()]
    lines = "".join(f"<b>{escape(name)}:</b>{escape(value)}<br>" for name, _, value in named)
    html = (
        f'<div class="WordSection1">{_paragraphs(text, "p")}'
        f'<div><div style="border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0cm 0cm 0cm">'
        f'<p class="MsoNormal">{lines}<o:p></o:p></p></div></div>{_body(letter)}</div>'
    )
    return f"{text}\n\n{head}\n\n{letter.text}\n", html


def outlook_web(text: str, letter: OutboundLetter) -> Written:
    head = _outlook_head(letter)
    lines = "<br>".join(escape(one) for one in head.splitlines())
    html = (
        f'<div class="elementToProof">{_paragraphs(text)}</div><div id="appendonsend"></div>'
        f'<hr style="display:inline-block;width:98%" tabindex="-1"><div id="divRplyFwdMsg" dir="ltr">'
        f'<font face="Calibri, sans-serif">{lines}</font><div>&nbsp;</div></div>{_body(letter)}'
    )
    return f"{text}\n\n{'_' * 32}\n{head}\n\n{letter.text}\n", html


def outlook_mobile(text: str, letter: OutboundLetter) -> Written:
    head = _outlook_head(letter)
    html = (
        f'{_paragraphs(text)}<div id="ms-outlook-mobile-signature">Obter o <a href="https://aka.ms/o">Outlook '
        f'para iOS</a></div><hr style="display:inline-block;width:98%"><div id="divRplyFwdMsg" dir="ltr">'
        f"{'<br>'.join(escape(one) for one in head.splitlines())}</div>{_body(letter)}"
    )
    return (
        f"{text}\n\nObter o Outlook para iOS<https://aka.ms/o>\n{'_' * 32}\n{head}\n\n{letter.text}\n",
        html,
    )


def apple_mail(text: str, letter: OutboundLetter) -> Written:
    said = f"Em 23 de nov. de 2026, à(s) 12:00, Central <{MAILBOX}> escreveu:"
    html = (
        f'{_paragraphs(text)}<br id="lineBreakAtBeginningOfMessage"><div><br><blockquote type="cite"><div>'
        f'{escape(said)}</div><br class="Apple-interchange-newline"><div>{_body(letter)}</div></blockquote></div>'
    )
    return f"{text}\n\n{said}\n> \n{_marked(letter)}\n", html


def iphone(text: str, letter: OutboundLetter) -> Written:
    said = f"Em 23 de nov. de 2026, à(s) 12:00, Central <{MAILBOX}> escreveu:"
    html = (
        f'{_paragraphs(text)}<br id="lineBreakAtBeginningOfSignature"><div dir="ltr">Enviado do meu iPhone</div>'
        f'<div dir="ltr"><br><blockquote type="cite">{escape(said)}<br><br></blockquote></div>'
        f'<blockquote type="cite"><div dir="ltr">{_body(letter)}</div></blockquote>'
    )
    return f"{text}\n\nEnviado do meu iPhone\n\n> {said}\n> \n{_marked(letter)}\n", html


def thunderbird(text: str, letter: OutboundLetter) -> Written:
    said = "Em 23/11/2026 12:00, Central escreveu:"
    html = (
        f'{_paragraphs(text, "p")}<div class="moz-signature">-- <br>Ana Lima</div><div class="moz-cite-prefix">'
        f'{said}<br></div><blockquote type="cite" cite="mid:{letter.message_id}">{_body(letter)}</blockquote>'
    )
    return f"{text}\n\n-- \nAna Lima\n\n{said}\n{_marked(letter)}\n", html


def roundcube(text: str, letter: OutboundLetter) -> Written:
    said = "Em 23/11/2026 12:00, Central escreveu:"
    html = (
        f'{_paragraphs(text, "p")}<div id="_rc_sig">-- <br>Ana Lima</div><p id="reply-intro">{said}</p>'
        f'<blockquote type="cite" style="padding: 0 0.4em; '
        f'border-left: #1010ff 2px solid; margin: 0">{_body(letter)}</blockquote>'
    )
    return f"{text}\n\n-- \nAna Lima\n\n{said}\n{_marked(letter)}\n", html


def samsung(text: str, letter: OutboundLetter) -> Written:
    head = (
        f"-------- Mensagem original --------\nDe: Central <{MAILBOX}>\nData: 23/11/2026 12:00 (GMT-03:00)\n"
        f"Para: Ana <ana@example.com.br>\nAssunto: {letter.subject}"
    )
    html = (
        f'{_paragraphs(text)}<div><br></div><div id="composer_signature"><div>Enviado do meu Galaxy</div></div>'
        f"<div><br></div><div>{'</div><div>'.join(escape(one) for one in head.splitlines())}</div><div><br></div>"
        f"{_body(letter)}"
    )
    return f"{text}\n\n\nEnviado do meu Galaxy\n\n\n{head}\n\n{letter.text}\n", html


PROGRAMS: tuple[Program, ...] = (
    gmail,
    outlook_desktop,
    outlook_web,
    outlook_mobile,
    apple_mail,
    iphone,
    thunderbird,
    roundcube,
    samsung,
)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[TestHouse]:
    with TestHouse(tmp_path) as one:
        yield one


def notice(house: TestHouse) -> OutboundLetter:
    house.receive(mail(REQUEST, files=[BOLETO, RECEIPT, LICENCE]))
    return next(one for one in house.letters(Audience.STAFF) if one.letter is LetterKind.TICKET_READY)


def sent(letter: OutboundLetter, written: Written, parts: str) -> bytes:
    """The mail with the parts ``text``, ``html`` or ``both``."""
    message = EmailMessage()
    message["Authentication-Results"] = f"{AUTHSERV_ID}; dmarc=pass header.from=example.com.br"
    message["From"] = "Ana Lima <ana@example.com.br>"
    message["To"] = MAILBOX
    message["Subject"] = f"RES: {letter.subject}"
    message["Date"] = "Mon, 23 Nov 2026 12:05:00 -0300"
    message["Message-ID"] = f"<{parts}.resposta@example.com.br>"
    message["In-Reply-To"] = message["References"] = f"<{letter.message_id}>"
    text, html = written
    if parts != "html":
        message.set_content(text)
    if parts == "html":
        message.set_content(f"<html><body>{html}</body></html>", subtype="html")
    elif parts == "both":
        message.add_alternative(f"<html><body>{html}</body></html>", subtype="html")
    return message.as_bytes()


@pytest.mark.parametrize("parts", ["text", "html", "both"])
@pytest.mark.parametrize("program", PROGRAMS, ids=lambda one: one.__name__)
def test_an_order_reaches_the_customer_without_quote_and_signature(
    house: TestHouse, program: Program, parts: str
) -> None:
    letter = notice(house)
    house.receive(sent(letter, program("#Autorizar\n\nPode vir na segunda, às 9h.", letter), parts))
    assert house.tickets()[0].resolution is Resolution.APPROVED
    decision = house.letters(Audience.REQUESTER)[-1]
    assert decision.letter is LetterKind.DECISION
    assert "Pode vir na segunda, às 9h." in decision.text
    for inside in (
        "Ramal",
        "COMO RESPONDER",
        "Como responder",
        "Lado a lado",
        "Enviado d",
        "Outlook",
        letter.handle,
    ):
        assert inside not in decision.text + decision.html, inside


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda one: one.__name__)
def test_words_in_the_quoted_notice_order_nothing(house: TestHouse, program: Program) -> None:
    letter = notice(house)
    house.receive(sent(letter, program("Vou ver e te digo.", letter), "html"))
    [ticket] = house.tickets()
    assert (ticket.resolution, ticket.status) == (None, Status.OPEN)
    answer = house.letters(Audience.REQUESTER)[-1]
    assert "Vou ver e te digo." in answer.text
    assert "#autorizar" not in answer.text + answer.html


@pytest.mark.parametrize("parts", ["text", "html", "both"])
@pytest.mark.parametrize("program", (gmail, thunderbird, roundcube), ids=lambda one: one.__name__)
def test_a_word_in_the_signature_orders_nothing(house: TestHouse, program: Program, parts: str) -> None:
    letter = notice(house)
    text, html = (one.replace("Ana Lima", "#autorizar") for one in program("Pode vir.", letter))
    house.receive(sent(letter, (text, html), parts))
    assert house.tickets()[0].status is Status.OPEN
    told = house.letters(Audience.REQUESTER)[-1].text
    assert "Pode vir." in told
    assert "#autorizar" not in told
