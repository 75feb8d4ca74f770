"""People who write to customers straight from the shared mailbox's webmail, on Dovecot, Postfix and rspamd."""

from __future__ import annotations

from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

from mailbot.demo.cast import File, MailProgram
from mailbot.domain.events import AuthorRole, EventKind, Visibility
from mailbot.domain.handles import LOOP_MARK_HEADER
from mailbot.domain.ticket import Status
from tests.acceptance.desk import Desk, answer, new_mail, parsed, recipients_of, text_of
from tests.flows.house import BOLETO, RECEIPT
from tests.peers.process import wait_until
from tests.peers.stack import MailStack

_FIRST_MAIL = "Bom dia, preciso mudar o local da vistoria.\n\nMotivo: mudança\nLocal atual: Rio Verde\n"


def _webmail_sends(desk: Desk, raw: bytes) -> None:
    """The mailbox's webmail: it submits, and keeps a copy in Sent."""
    desk.stack.postfix.submit(desk.mailbox, recipients_of(raw), raw)
    desk.stack.dovecot.append(desk.mailbox, raw, "Sent")


def _webmail_answer(desk: Desk, mail: bytes, text: str, *, to: str, cc: str = "") -> bytes:
    """An answer to a mail in the inbox, as webmail programs write it."""
    got = parsed(mail)
    reply = EmailMessage(policy=SMTP)
    reply["From"] = f"Atendimento <{desk.mailbox}>"
    reply["To"] = to
    if cc:
        reply["Cc"] = cc
    reply["Subject"] = f"Re: {got['Subject']}"
    reply["Date"] = str(got["Date"])
    reply["Message-ID"] = f"<{abs(hash((mail, text)))}.webmail@example.com.br>"
    reply["In-Reply-To"] = reply["References"] = str(got["Message-ID"])
    reply["User-Agent"] = "Roundcube Webmail"
    quoted = "\n".join(f"> {line}" for line in text_of(got).splitlines())
    reply.set_content(f"{text}\n\nEm 23/11/2026 12:00, {got['From']} escreveu:\n{quoted}\n")
    return bytes(reply)


def _sent(desk: Desk) -> list[EmailMessage]:
    return [parsed(raw) for raw in desk.stack.dovecot.messages(desk.mailbox, "Sent")]


def _pdf(file: tuple[str, bytes]) -> File:
    return File(name=file[0], media_type="application/pdf", content=file[1])


def test_a_person_answers_from_the_webmail_and_the_bot_goes_on_from_there(
    mail_stack: MailStack, tmp_path: Path
) -> None:
    desk = Desk(mail_stack, tmp_path)
    joao = desk.customer()
    # What lay in Sent before is nobody's business.
    old = new_mail(joao, desk.mailbox, "antigo", "antigo")
    desk.stack.dovecot.append(desk.mailbox, old, "Sent")
    with desk.open_for_business():
        wait_until(lambda: _is_watched(desk), "the first look into Sent")
        first = new_mail(joao, desk.mailbox, "Alteração de local", _FIRST_MAIL, [_pdf(BOLETO)])
        desk.receives(first, joao)
        asked = desk.letter(joao, 1, "the checklist")
        [ticket] = desk.tickets()

        # Somebody answers the customer's own mail in the webmail, with the mailbox itself in Cc.
        reply = _webmail_answer(desk, first, "João, pode mandar foto da CNH.", to=joao.addr_spec, cc=desk.mailbox)
        _webmail_sends(desk, reply)
        direct = desk.letter(joao, 2, "the person's own mail", lambda one: "foto da CNH" in text_of(one))
        wait_until(lambda: len(desk.history(ticket.number)) == 2, "the answer on the ticket")
        message = desk.history(ticket.number)[1]
        assert (message.role, message.visibility) == (AuthorRole.AGENT, Visibility.PUBLIC)
        assert (message.text, message.author.address) == ("João, pode mandar foto da CNH.", desk.mailbox)
        assert desk.tickets()[0].asked_at is None

        # He answers that mail, which the bot never wrote, and lands on his ticket.
        desk.receives(answer(direct, joao, "Segue o comprovante.", files=[_pdf(RECEIPT)]), joao)
        desk.letter(joao, 3, "the next checklist", lambda one: "✘ CNH" in text_of(one))
        rows = desk.settled(4)
        assert sorted(row.outcome for row in rows if row.ticket_number == ticket.number) == [
            "message",
            "message",
            "ticket",
        ]
        assert len(desk.tickets()) == 1

        # What is not for him stays where it is.
        _webmail_sends(desk, _webmail_answer(desk, first, "Vejam este caso.", to=desk.bruno.addr_spec))
        _webmail_sends(desk, new_mail_from_mailbox(desk, joao.addr_spec))
        desk.letter(joao, 4, "a fresh mail", lambda one: one["Subject"] == "Pesquisa")

        # The bot's own letters lie in Sent too, once each.
        letters = [letter.message_id for letter in desk.outbox()]
        wait_until(lambda: len(_own(desk)) >= len(letters), "the saved letters")
        assert sorted(_own(desk)) == sorted(f"<{one}>" for one in letters)
        assert parsed(bytes(asked))["Message-ID"] in _own(desk)
    # Nothing more came of the others, and Sent holds what was put there.
    assert len(desk.history(ticket.number)) == 3
    assert len(desk.tickets()) == 1
    assert desk.tickets()[0].status is Status.AWAITING_REQUESTER
    kinds = [event.kind for event in desk.events(ticket.number)]
    assert kinds.count(EventKind.AGENT_ANSWERED) == 1
    assert len(_sent(desk)) == 1 + 3 + len(letters)
    assert desk.stack.dovecot.messages(desk.mailbox, "Sent")[0] == old


def _own(desk: Desk) -> list[str]:
    return [str(mail["Message-ID"]) for mail in _sent(desk) if mail[LOOP_MARK_HEADER]]


def new_mail_from_mailbox(desk: Desk, to: str) -> bytes:
    """A first mail to a customer."""
    mail = EmailMessage(policy=SMTP)
    mail["From"], mail["To"], mail["Subject"] = desk.mailbox, to, "Pesquisa"
    mail["Message-ID"], mail["Date"] = "<pesquisa@example.com.br>", "Mon, 23 Nov 2026 12:00:00 -0300"
    mail.set_content("Como foi o atendimento?")
    return bytes(mail)


def _is_watched(desk: Desk) -> bool:
    with desk.storage() as app, app.storage.read() as work:
        return any(memory.folder == r"\Sent" and memory.last_collect_at for memory in work.house.folders())


def test_an_answer_to_a_notice_that_also_goes_to_the_customer_is_told_once(
    mail_stack: MailStack, tmp_path: Path
) -> None:
    desk = Desk(mail_stack, tmp_path)
    joao = desk.customer()
    desk.stack.dovecot.append(desk.mailbox, new_mail(joao, desk.mailbox, "x", "x"), "Sent")
    with desk.open_for_business():
        wait_until(lambda: _is_watched(desk), "the first look into Sent")
        desk.receives(new_mail(joao, desk.mailbox, "Dúvida", "Qual o prazo?"), joao)
        desk.letter(joao, 1, "the receipt")
        # Bruno is told; the notice is forwarded to the shared mailbox's users, one of whom answers all.
        notice = desk.letter(desk.bruno, 1, "the notice")
        raw = answer(notice, joao, "Dois dias úteis.", program=MailProgram.GMAIL)
        reply = parsed(raw)
        reply.replace_header("From", desk.mailbox)
        reply["Cc"] = joao.addr_spec
        _webmail_sends(desk, bytes(reply))
        desk.letter(joao, 2, "the answer", lambda one: one[LOOP_MARK_HEADER] is None)
        [ticket] = desk.tickets()
        wait_until(lambda: len(desk.history(ticket.number)) == 2, "the answer on the ticket")
        desk.settled(3)
    assert len(desk.letters_of(joao)) == 2
    assert desk.history(ticket.number)[1].text == "Dois dias úteis."
    assert len(desk.tickets()) == 1
