"""Scenes of processes 001 to 004: what each does that the others do not, in a few mails."""

from __future__ import annotations

from mailbot.demo import service_mails as mails
from mailbot.demo.cast import BRUNO, reply_to
from mailbot.demo.service_mails import BEATRIZ, CARLOS, LUCIA, MARTA, SECTOR
from mailbot.demo.stage import Scene, Stage


def _service_order(stage: Stage) -> None:
    stage.customer_writes(mails.service_order())
    stage.letter_to(MARTA, what="a letter with the promised day", saying="até 48 horas úteis")
    book = stage.letter_to(SECTOR, what="the book of Marta's order", saying="Pedido de Venda")
    text = "O.S. 12345\nO técnico passa amanhã de manhã."
    stage.agent_writes(reply_to(book, from_=SECTOR, text=text), SECTOR)
    stage.letter_to(MARTA, what="the number of her order", saying="12345")
    stage.notice_to(BRUNO, what="what the sector answered", saying="RESPOSTA DO SETOR")


def _visit(stage: Stage) -> None:
    stage.customer_writes(mails.leaking_tap())
    stage.letter_to(LUCIA, what="what we understood", saying="terça-feira")
    notice = stage.notice_to(BRUNO, what="a notice of Lúcia's tap", saying="sifão")
    text = f"#agendar {mails.day_of_visit():%Y-%m-%d} 14:00\nO encanador vai até você."
    stage.agent_writes(reply_to(notice, from_=BRUNO, text=text), BRUNO)
    invitation = stage.letter_to(LUCIA, what="an invitation to the visit", saying="Visita marcada para")
    stage.customer_writes(mails.accepted_visit(invitation))
    stage.notice_to(BRUNO, what="Lúcia's yes", saying="O cliente aceitou a visita")


def _own_tickets(stage: Stage) -> None:
    stage.customer_writes(mails.damp_ceiling())
    opened = stage.letter_to(CARLOS, what="a letter with his ticket's number", saying="Infiltrações")
    notice = stage.notice_to(BRUNO, what="a notice of Carlos's ceiling", saying="infiltração grande")
    stage.agent_writes(reply_to(notice, from_=BRUNO, text="Recebemos. A equipe de obra vai olhar o teto."), BRUNO)
    stage.letter_to(CARLOS, what="Bruno's answer", saying="equipe de obra")
    stage.customer_writes(mails.my_tickets())
    stage.letter_to(CARLOS, what="the list of his tickets", saying="Em andamento")
    stage.customer_writes(mails.details_of(mails.number_in(opened)))
    stage.letter_to(CARLOS, what="his ticket with its history", saying="HISTÓRICO")


def _agency(stage: Stage) -> None:
    stage.customer_writes(mails.large_file())
    what = "the department, and an article that may help"
    stage.letter_to(BEATRIZ, what=what, saying="DEPARTAMENTO: ", also="TALVEZ ISTO AJUDE")
    notice = stage.notice_to(BRUNO, what="a notice of Beatriz's question", saying="campanha nova")
    text = "#resolver Pode mandar o endereço do vídeo na nuvem: nós baixamos."
    stage.agent_writes(reply_to(notice, from_=BRUNO, text=text), BRUNO)
    answer = stage.letter_to(BEATRIZ, what="Bruno's answer and a question how it was", saying="COMO FOI")
    stage.customer_writes(mails.rating(answer))
    stage.notice_to(BRUNO, what="her rating", saying="5 de 5")


SERVICE_ORDERS: tuple[tuple[str, Scene], ...] = (
    ("The book goes to the sector, the order's number comes back", _service_order),
)
PROPERTY: tuple[tuple[str, Scene], ...] = (
    ("A visit at a time that suits, as an invitation for the calendar", _visit),
)
POST_SALES: tuple[tuple[str, Scene], ...] = (
    ("A customer looks after his own tickets: MEUS CHAMADOS, DETALHES", _own_tickets),
)
AGENCY: tuple[tuple[str, Scene], ...] = (
    ("The department to confirm, an article that may help, a rating", _agency),
)
