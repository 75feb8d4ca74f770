"""Service orders on real servers: the conversations of ``process_001/`` with the letters beside them (R001).

``NAME.eml`` is what a client sends, ``NAME.letters.txt`` what the client, the agents and the sector find in their
mailboxes afterwards. The business clock starts on Thursday, 19 November 2026: the 20th is a holiday, so that two
business days end on Tuesday the 24th.
"""

from __future__ import annotations

from pathlib import Path

from mailbot.domain.events import LetterStatus
from mailbot.domain.ticket import Resolution, Status
from tests.acceptance.conversation import Conversation
from tests.acceptance.desk import Desk
from tests.peers.process import wait_until
from tests.peers.stack import MailStack

THURSDAY = "2026-11-19T10:00:00-03:00"


def test_r001_a_service_order_from_mail_to_its_number_and_its_end(mail_stack: MailStack, tmp_path: Path) -> None:
    desk = Desk(mail_stack, tmp_path)
    order = Conversation(desk, "001", "order")
    with desk.open_for_business(now=THURSDAY):
        order.writes()
        assert order.stands(Status.AWAITING_REQUESTER)
        assert order.from_sector() == []
        order.replies("order-confirmed")
        order.sector_gets(1)
        assert order.stands(Status.ON_HOLD)
        order.sector_answers("O.S. 12345\nO técnico passa amanhã de manhã.")
        assert "12345" in order.hears()
        order.notice("RESPOSTA DO SETOR")
        order.agent_answers("#resolver\nA O.S. foi atendida.")
        order.hears()
        assert order.ticket.resolution is Resolution.DONE
        order.is_as_written(with_days=True)


def test_r001_sodexo_six_pieces_changes_and_quotations(mail_stack: MailStack, tmp_path: Path) -> None:
    desk = Desk(mail_stack, tmp_path)
    moved = Conversation(desk, "001", "sodexo", domain="sodexo.example")
    six = Conversation(desk, "001", "six", domain="sodexo.example")
    change = Conversation(desk, "001", "change")
    courtesy = Conversation(desk, "001", "courtesy")
    costly = Conversation(desk, "001", "out-of-warranty")
    with desk.open_for_business(now=THURSDAY):
        assert "Número Referência: ____" in moved.writes()
        moved.replies("sodexo-reference")
        moved.replies("sodexo-moved")
        moved.sector_gets(1)
        moved.is_as_written(with_days=True)

        six.writes()
        assert (six.ticket.status, six.ticket.resolution) == (Status.RESOLVED, Resolution.GUIDED)
        six.is_as_written(with_days=True)

        change.writes()
        change.sector_gets(1)
        change.notice()
        change.is_as_written(with_days=True)

        for one, warranty in ((courtesy, "sim"), (costly, "não")):
            one.writes()
            one.agent_answers(
                "#campo Grupo Serviço: Manutenção on site\n#campo Serviço: Corretiva\n#campo Orçamento: sim"
            )
            one.notice("Orçamento: sim")
            # Unknown whether the warranty holds: nothing leaves (R001-14).
            assert one.from_sector() == []
            assert one.stands(Status.OPEN)
            one.agent_answers(f"#campo Garantia: {warranty}")
            one.sector_gets(1)
        courtesy.agent_answers("#os 4711")
        assert "4711" in courtesy.hears()
        courtesy.is_as_written(with_days=True)
        costly.is_as_written(with_days=True)


def test_r001_03_open_until_the_sectors_mail_has_truly_left(mail_stack: MailStack, tmp_path: Path) -> None:
    desk = Desk(mail_stack, tmp_path)
    order = Conversation(desk, "001", "change")
    listed = f"@cliente.example, {desk.bruno.addr_spec}"
    with desk.open_for_business(now=THURSDAY, send="allowlist", send_allowlist=listed):
        order.writes()
        order.notice()
    (book,) = [one for one in desk.outbox() if one.recipient.address == desk.sector.addr_spec]
    assert (book.status, order.ticket.status) == (LetterStatus.HELD, Status.OPEN)
    assert order.from_sector() == []
    with desk.open_for_business(now=THURSDAY) as daemon:
        daemon.ask("outbox", "release", "--ticket", order.ticket.number)
        order.sector_gets(1)
        wait_until(lambda: order.stands(Status.ON_HOLD), "on hold once it left")


def test_r001_03_a_refusing_server_leaves_the_ticket_open(mail_stack: MailStack, tmp_path: Path) -> None:
    desk = Desk(mail_stack, tmp_path)
    order = Conversation(desk, "001", "change")
    desk.rewrite_config("staff.yaml", desk.sector.addr_spec, "ninguem.mesmo@example.com.br")
    with desk.open_for_business(now=THURSDAY):
        order.writes()
        order.notice("ninguem.mesmo@example.com.br")
        assert order.stands(Status.OPEN)
