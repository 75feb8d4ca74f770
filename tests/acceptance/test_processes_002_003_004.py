"""Property, post-sales and agency on real servers: every conversation in its folder with the letters beside it.

``NAME.eml`` is what a customer sends, ``NAME.letters.txt`` what lies in their mailbox after the conversation and
what agents get, in order (R002-15 to R002-19, R003-05 to R003-16, R004-01 to R004-17).
"""

from __future__ import annotations

from pathlib import Path

from mailbot.demo.cast import File
from mailbot.domain.ticket import Priority, Resolution, Status
from tests.acceptance.beside import addressed
from tests.acceptance.conversation import Conversation
from tests.acceptance.desk import Desk, answer
from tests.peers.stack import MailStack

BEFORE_THE_VISIT = "2026-11-23T10:00:00-03:00"


def test_r002_maintenance_refund_and_moving_out_from_mail_to_visit(mail_stack: MailStack, tmp_path: Path) -> None:
    desk = Desk(mail_stack, tmp_path)
    leak = Conversation(desk, "002", "maintenance")
    refund = Conversation(desk, "002", "refund")
    leaving = Conversation(desk, "002", "move-out")
    with desk.open_for_business(now=BEFORE_THE_VISIT):
        leak.writes()
        assert (leak.ticket.request_type, leak.ticket.priority) == ("property_maintenance", Priority.HIGH)
        leak.notice()
        leak.agent_answers("#agendar 2026-12-03 14:00\nO encanador vai até você.")
        leak.hears()
        assert leak.stands(Status.VISIT_SCHEDULED)
        declined = addressed(
            leak.folder / "visit-declined.eml", leak.person, desk.mailbox, NUMBER=leak.ticket.number
        )
        desk.receives(declined, leak.person)
        leak.notice("recusou a visita")
        assert leak.stands(Status.OPEN)
        leak.is_as_written()

        assert "CNPJ" in refund.writes()
        refund.replies("refund-cnpj")
        refund.notice()
        assert (refund.ticket.request_type, refund.ticket.status) == ("property_refund", Status.OPEN)
        refund.is_as_written()

        leaving.writes()
        leaving.notice()
        assert leaving.ticket.request_type == "property_move_out"
        leaving.is_as_written()


def test_r003_post_sales_from_mail_to_approval(mail_stack: MailStack, tmp_path: Path) -> None:
    desk = Desk(mail_stack, tmp_path)
    leak = Conversation(desk, "003", "leak")
    statement = Conversation(desk, "003", "statement")
    both = Conversation(desk, "003", "two-topics")
    with desk.open_for_business():
        leak.writes()
        assert leak.stands(Status.NEW)
        assert "Sem resposta" in leak.says("STATUS")
        leak.agent_answers("Recebemos. Vamos olhar as fotos da obra.")
        leak.hears()
        assert leak.stands(Status.OPEN)
        leak.agent_answers("#aprovacao cliente\nPrecisamos abrir o forro do banheiro.")
        assert "APROVO" in leak.hears()
        desk.receives(answer(desk.letters_of(leak.person)[-1], leak.person, "APROVO"), leak.person)
        leak.notice("O cliente aprovou")
        leak.agent_answers("#resolver\nA impermeabilização foi refeita.")
        leak.hears()
        assert leak.stands(Status.RESOLVED)
        assert "Concluído" in leak.writes("my-tickets")
        assert "HISTÓRICO" in leak.writes("details", NUMBER=leak.ticket.number)
        leak.is_as_written()

        statement.writes()
        assert statement.stands(Status.AWAITING_REQUESTER)
        statement.replies("statement-details")
        statement.notice()
        assert (statement.ticket.status, statement.ticket.queue) == (Status.OPEN, "pos_vendas_financeiro")
        statement.is_as_written()

        assert "Elétrica; Hidráulica" in both.writes()
        both.is_as_written()


def test_r004_the_agency_from_mail_to_another_department(mail_stack: MailStack, tmp_path: Path) -> None:
    desk = Desk(mail_stack, tmp_path)
    files = (
        File(name="arte.psd", content=b"8BPS" + b"\0" * 400, media_type="application/octet-stream"),
        File(name="programa.exe", content=b"MZ" + b"\0" * 400, media_type="application/octet-stream"),
        File(name="macro.vbs", content=b"x = 1\n" * 50, media_type="application/octet-stream"),
    )
    campaign = Conversation(desk, "004", "campaign")
    down = Conversation(desk, "004", "site-down")
    invoice = Conversation(desk, "004", "invoice")
    video = Conversation(desk, "004", "large-file")
    with desk.open_for_business():
        assert "DEPARTAMENTO: Financeiro e Fiscal" in campaign.writes(files=files)
        campaign.notice()
        campaign.says("DEPARTAMENTO: financeiro")
        campaign.notice("Departamento: Financeiro e Fiscal")
        assert campaign.ticket.queue == "agencia_financeiro"
        campaign.is_as_written()

        down.writes()
        down.notice()
        assert down.ticket.priority is Priority.HIGH
        down.is_as_written()

        invoice.writes()
        invoice.notice()
        assert (invoice.ticket.queue, invoice.ticket.priority) == ("agencia_financeiro", Priority.MEDIUM)
        invoice.agent_answers("#resolver\nSegue o boleto.")
        assert "AVALIAÇÃO" in invoice.hears()
        invoice.tells(f"AVALIAÇÃO {invoice.ticket.number}: 5\nFoi rápido!")
        invoice.notice("5 de 5")
        invoice.is_as_written()

        assert "TALVEZ ISTO AJUDE" in video.writes()
        video.notice()
        assert "encerramos o chamado" in video.says(f"RESOLVIDO {video.ticket.number}")
        video.notice("O cliente diz que resolveu")
        assert (video.ticket.status, video.ticket.resolution) == (Status.RESOLVED, Resolution.DONE)
        video.is_as_written()
