"""Process 001 through intake and delivery: service orders for corporate clients (R001-01 to R001-34)."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from mailbot.domain.events import Audience, AuthorRole, EventKind, LetterKind, OutboundLetter, Visibility
from mailbot.domain.ledger import MailOutcome
from mailbot.domain.ticket import Resolution, Status, Ticket
from tests.flows.house import REPOSITORY, TestHouse, mail, reply_to
from tests.flows.test_delivery import DELIVERED, NO_SUCH_USER, FakeTransport, deliver

SUBJECT = "ABERTURA DE O.S."
CLIENT = "Marta Reis <marta@padaria.example>"
SECTOR = "ordens@example.com.br"
DATA = {
    "CNPJ": "44.555.666/0001-81",
    "Razão Social": "Padaria Exemplo Ltda",
    "Nome": "Marta Reis",
    "Endereço": "Rua das Flores, 100, Goiânia",
    "UF": "GO",
    "E-mail": "marta@padaria.example",
    "Telefone": "(62) 99999-0000",
    "Número de série": "BR0001",
    "Erro": "o ECF está inoperante",
}
CONFIRMED = {"Confirma o cadastro": "sim"}
CHANGED = {"Confirma o cadastro": "não"}


@pytest.fixture
def house(tmp_path: Path) -> Iterator[TestHouse]:
    with TestHouse(tmp_path) as opened:
        yield opened


def text(*parts: dict[str, str]) -> str:
    merged = {key: value for part in parts for key, value in part.items()}
    return "".join(f"{key}: {value}\n" for key, value in merged.items() if value)


def order(*parts: dict[str, str], sender: str = CLIENT, verified: bool = True) -> bytes:
    return mail(text(DATA, *parts), subject=SUBJECT, sender=sender, verified=verified)


def ticket(house: TestHouse) -> Ticket:
    return house.tickets()[-1]


def books(house: TestHouse) -> list[OutboundLetter]:
    return [one for one in house.letters() if one.letter is LetterKind.SECTOR_BOOK]


def to_client(house: TestHouse) -> OutboundLetter:
    return house.letters(Audience.REQUESTER)[-1]


def notice(house: TestHouse, kind: LetterKind = LetterKind.TICKET_READY) -> OutboundLetter:
    return [one for one in house.letters(Audience.STAFF) if one.letter is kind][-1]


def rows(book: OutboundLetter) -> list[tuple[str, str]]:
    """The fields of a book: what stands between its intro and the line on the promise."""
    lines = [line for line in book.text.split("COMO RESPONDER")[0].splitlines() if ": " in line]
    return [(label, value) for label, _, value in (line.partition(": ") for line in lines)]


def field(house: TestHouse, key: str) -> str:
    return next((one.value for one in ticket(house).fields if one.key == key and one.valid), "")


def kinds(house: TestHouse) -> list[EventKind]:
    with house.app.storage.read() as work:
        return [event.kind for event in work.tickets.events(ticket(house).number)]


# --- what is asked, noted and left to people ------------------------------------------------------------------


def test_r001_01_25_what_lacks_is_asked_in_one_letter_and_nothing_leaves_for_the_sector(house: TestHouse) -> None:
    house.receive(mail("Preciso abrir uma OS.\nErro: led piscando", subject=SUBJECT, sender=CLIENT))
    assert ticket(house).request_type == "corporate_work_order"
    assert ticket(house).missing == ("cnpj", "company_name", "address", "state", "phone", "equipment_serials")
    assert books(house) == []
    asked = to_client(house)
    assert (asked.letter, "CNPJ: ____" in asked.text) == (LetterKind.EVIDENCE_REQUESTED, True)


def test_r001_02_22_cnpj_and_company_stand_in_an_internal_note_once_and_never_in_public(house: TestHouse) -> None:
    house.receive(order())
    house.requester_reply(to_client(house), text(CONFIRMED))
    with house.app.storage.read() as work:
        written = work.tickets.messages(ticket(house).number)
    notes = [one for one in written if one.role is AuthorRole.BOT]
    assert [one.text for one in notes] == ["CNPJ: 44.555.666/0001-81\nRazão Social: Padaria Exemplo Ltda"]
    assert notes[0].visibility is Visibility.INTERNAL


def test_r001_02_a_cnpj_with_a_wrong_digit_is_asked_again_and_noted_nowhere(house: TestHouse) -> None:
    house.receive(order({"CNPJ": "44.555.666/0001-82"}))
    assert ticket(house).missing == ("cnpj",)
    assert EventKind.NOTE_ADDED not in kinds(house)


def test_r001_09_what_we_understood_is_shown_and_confirmed_before_anything_leaves(house: TestHouse) -> None:
    house.receive(order())
    assert ticket(house).missing == ("registration_confirmed",)
    asked = to_client(house)
    assert "Endereço: Rua das Flores, 100, Goiânia" in asked.text
    assert "Confirma o cadastro: ____" in asked.text
    assert books(house) == []
    house.requester_reply(asked, "Confirma o cadastro: sim")
    assert (ticket(house).missing, len(books(house))) == ((), 1)


def test_r001_09_a_stranger_is_not_repeated_what_they_wrote(house: TestHouse) -> None:
    house.receive(order(verified=False))
    assert "Rua das Flores" not in to_client(house).text


@pytest.mark.parametrize(
    "stated",
    [{"Quantidade": "6"}, {"Número de série": "BR0001, BR0002, BR0003, BR0004, BR0005, BR0006"}],
)
def test_r001_19_more_than_five_pieces_are_for_the_clients_manager(
    house: TestHouse, stated: dict[str, str]
) -> None:
    house.receive(order(stated))
    assert (ticket(house).status, ticket(house).resolution) == (Status.RESOLVED, Resolution.GUIDED)
    told = to_client(house)
    assert told.letter is LetterKind.GUIDANCE
    assert "Gestão de contas, (62) 3000-0001" in told.text
    assert books(house) == []


def test_r001_19_five_pieces_go_on(house: TestHouse) -> None:
    house.receive(order({"Quantidade": "5"}, CONFIRMED))
    assert (ticket(house).status, len(books(house))) == (Status.OPEN, 1)


def test_r001_19_a_clients_own_manager_is_told_to_its_own_people_only(house: TestHouse) -> None:
    many = {"Quantidade": "8", "CNPJ": "11.222.333/0001-81", "Razão Social": "SODEXO Refeições"}
    house.receive(order(many, sender="joao@sodexo.example"))
    assert "Paula Nunes" in to_client(house).text
    house.receive(order(many, {"Chamado interno": "A1234"}, CONFIRMED))
    assert all(
        "Paula Nunes" not in one.text for one in house.letters(Audience.REQUESTER, ticket=ticket(house).number)
    )
    assert "Mais de 5 equipamentos" in notice(house).text


def test_r001_20_sodexo_is_asked_for_its_own_call_number_and_nobody_else_is(house: TestHouse) -> None:
    house.receive(order({"CNPJ": "11.222.333/0001-81", "Razão Social": "SODEXO"}, sender="joao@sodexo.example"))
    assert ticket(house).missing == ("reference_number",)
    house.requester_reply(to_client(house), "Número Referência: A-7788")
    house.requester_reply(to_client(house), "Confirma o cadastro: sim")
    assert ("Número Referência", "A-7788") in rows(books(house)[0])


def test_r001_05_an_error_outside_the_table_is_for_a_person_whose_word_lets_the_book_leave(
    house: TestHouse,
) -> None:
    house.receive(order({"Erro": "a gaveta faz um barulho estranho"}, CONFIRMED))
    assert (ticket(house).status, books(house)) == (Status.OPEN, [])
    assert "não está na tabela de serviços" in notice(house).text
    house.agent_reply(notice(house), "#campo Grupo Serviço: Manutenção on site\n#campo Serviço: Corretiva\n")
    assert ("Grupo Serviço", "Manutenção on site") in rows(books(house)[0])


@pytest.mark.parametrize(
    "error", ["ECF não está inoperante", "o ECF está inoperante ou é instalação de equipamento"]
)
def test_r001_05_what_is_denied_or_could_be_two_things_chooses_no_service(house: TestHouse, error: str) -> None:
    house.receive(order({"Erro": error}, CONFIRMED))
    assert (field(house, "service_group"), books(house)) == ("", [])


def test_r001_06_26_30_what_stays_empty_is_filled_by_nobody_and_stands_in_no_book(house: TestHouse) -> None:
    filled = {"Prestador": "Zé", "Técnico": "Ana", "Área responsável (0800)": "SP", "Prioridade": "Alta"}
    house.receive(order(filled, CONFIRMED))
    house.agent_reply(notice(house), "#campo Prestador: Zé\n#prioridade alta\n")
    for key in ("provider", "technician", "responsible_area"):
        assert field(house, key) == ""
    assert (
        not {"Prestador", "Técnico", "Área responsável (0800)", "Prioridade"} & dict(rows(books(house)[0])).keys()
    )
    assert ticket(house).priority == "medium"
    assert "fica em branco" in notice(house, LetterKind.TRANSCRIPT).text


def test_r001_14_what_only_the_house_may_say_no_mail_of_a_client_fills_in(house: TestHouse) -> None:
    house.receive(order(CONFIRMED, {"Orçamento": "sim", "Garantia": "sim", "O.S.": "999", "Marca": "Outra"}))
    assert [field(house, key) for key in ("quotation", "in_warranty", "work_order_number")] == ["", "", ""]
    assert field(house, "brand") == "Bematech Hardware"


# --- the books ----------------------------------------------------------------------------------------------


def test_r001_04_08_23_24_27_28_the_sector_gets_the_order_with_our_number_and_the_constants(
    house: TestHouse,
) -> None:
    house.receive(order(CONFIRMED))
    (book,) = books(house)
    assert book.recipient.address == SECTOR
    stated = dict(rows(book))
    assert stated["Pedido de Venda"] == ticket(house).number
    assert (stated["Marca"], stated["Formulário"], stated["Família"]) == ("Bematech Hardware", "0800", "hardware")
    assert (stated["Grupo Serviço"], stated["Serviço"]) == ("Manutenção on site", "Corretiva")
    assert (stated["Categoria"], stated["Motivo do atendimento"]) == ("Manutenção", "Equipamento com defeito")
    assert stated["Erro apresentado"] == "o ECF está inoperante"


SEVEN = [
    ("Razão Social", "Padaria Exemplo Ltda"),
    ("CNPJ", "44.555.666/0001-81"),
    ("Nome do Cliente", "Marta Reis"),
    ("Endereço", "Rua das Flores, 100, Goiânia"),
    ("E-mail", "marta@padaria.example"),
    ("Telefone", "(62) 99999-0000"),
    ("Número de Série do Equipamento", "BR0001"),
]


def test_r001_12_the_book_of_a_change_has_exactly_its_seven_fields(house: TestHouse) -> None:
    house.receive(order(CHANGED))
    assert rows(books(house)[0]) == SEVEN


def test_r001_13_32_34_the_client_is_promised_a_day_asked_what_else_and_written_to_in_the_brands_name(
    house: TestHouse,
) -> None:
    house.receive(order(CHANGED))
    told = to_client(house)
    assert "quarta-feira, 25 de novembro de 2026" in told.text
    assert "Deseja mais alguma informação?" in told.text
    assert "Bematech Hardware · atendimento@example.com.br" in told.text
    assert ticket(house).number in told.text


def test_r001_15_courtesy_is_a_book_of_eight_fields_with_the_word(house: TestHouse) -> None:
    house.receive(order(CONFIRMED))
    house.agent_reply(notice(house), "#campo Orçamento: sim\n#campo Garantia: sim\n")
    book = books(house)[-1]
    number = ("Número do chamado (Pedido de Venda)", ticket(house).number)
    assert rows(book) == [*SEVEN, number, ("Observações Atendimento", "Cortesia")]


def test_r001_14_a_quotation_of_unknown_warranty_is_for_an_agent_and_out_of_warranty_no_courtesy(
    house: TestHouse,
) -> None:
    house.receive(order({"Erro": "a gaveta range"}, CONFIRMED))
    house.agent_reply(
        notice(house), "#campo Grupo Serviço: Manutenção\n#campo Serviço: Corretiva\n#campo Orçamento: sim\n"
    )
    assert books(house) == []
    told = notice(house, LetterKind.TRANSCRIPT).text
    assert 'Confira a garantia e informe "#campo Garantia: sim" ou "não".' in told
    house.agent_reply(notice(house), "#campo Garantia: não\n")
    assert "O book Abertura de O.S. vai para o setor." in notice(house, LetterKind.TRANSCRIPT).text
    (book,) = books(house)
    assert "Cortesia" not in book.text
    assert ("Orçamento", "sim") in rows(book)


def test_r001_14_where_it_costs_a_notice_offers_to_ask_the_client_for_approval(house: TestHouse) -> None:
    house.receive(order({"Erro": "a gaveta range"}, CONFIRMED))
    assert "#aprovacao" not in notice(house).text.partition("COMO RESPONDER")[0]
    house.agent_reply(
        notice(house), "#campo Grupo Serviço: Manutenção\n#campo Serviço: Corretiva\n#campo Orçamento: sim\n"
    )
    house.agent_reply(notice(house), "#campo Garantia: não\n")
    house.requester_reply(to_client(house), "Quanto vai custar?")
    told = notice(house, LetterKind.REQUESTER_REPLIED)
    assert "#aprovacao cliente" in told.text
    assert ">Pedir aprovação</a>" in told.html
    house.agent_reply(told, "#aprovacao cliente\nSão R$ 200,00.")
    assert ticket(house).status is Status.AWAITING_APPROVAL
    assert "APROVO" in to_client(house).text


@pytest.mark.parametrize(
    ("serials", "book"),
    [
        ("BR-0101", "BOOK - Cortesia"),
        ("br0101", "BOOK - Cortesia"),
        ("BR-0102", "BOOK - Abertura de O.S."),
        ("BR-0101, BR-0102", "BOOK - Abertura de O.S."),
        ("BR-0101, BR-9999", ""),
    ],
)
def test_r001_14_the_list_of_warranties_decides_where_every_piece_of_equipment_stands_in_it(
    house: TestHouse, serials: str, book: str
) -> None:
    house.receive(order({"Número de série": serials, "Erro": "a gaveta range"}, CONFIRMED))
    house.agent_reply(
        notice(house), "#campo Grupo Serviço: Manutenção\n#campo Serviço: Corretiva\n#campo Orçamento: sim\n"
    )
    assert [book in one.text for one in books(house)] == ([True] if book else [])


@pytest.mark.parametrize(
    ("cnpj", "company", "domain"),
    [("22.333.444/0001-81", "NEXTEL", "nextel.example"), ("11.222.333/0001-81", "SODEXO", "sodexo.example")],
)
def test_r001_10_a_listed_client_may_change_its_address_from_its_own_address_only(
    house: TestHouse, cnpj: str, company: str, domain: str
) -> None:
    listed = {"CNPJ": cnpj, "Razão Social": company, "Chamado interno": "A-7788"}
    house.receive(order(CHANGED, listed, sender=f"rui@{domain}"))
    assert "BOOK - Abertura de O.S." in books(house)[0].text
    house.receive(order(CHANGED, listed, sender="rui@alheio.example"))
    assert len(books(house)) == 1
    assert "se o cliente pode mudar de endereço" in notice(house).text


@pytest.mark.parametrize(("state", "book"), [("GO", "Abertura de O.S."), ("SP", "Alteração cadastral")])
def test_r001_11_viacao_may_do_so_within_its_state(house: TestHouse, state: str, book: str) -> None:
    viacao = {"CNPJ": "33.444.555/0001-81", "Razão Social": "CLIENTE VIAÇÃO", "UF": state}
    house.receive(order(CHANGED, viacao, sender="lia@viacao.example"))
    assert f"BOOK - {book}" in books(house)[0].text


# --- on hold only when it has left ----------------------------------------------------------------------------


def test_r001_03_31_the_ticket_waits_only_when_the_sectors_mail_has_left(house: TestHouse) -> None:
    house.receive(order(CONFIRMED))
    assert ticket(house).status is Status.OPEN
    deliver(house, FakeTransport(DELIVERED))
    assert (ticket(house).status, ticket(house).sector_asked_at) == (Status.ON_HOLD, house.clock.now())
    kind = house.app.catalogue.type("corporate_work_order")
    assert kind.label_of(Status.ON_HOLD) == "Em Espera"
    # A second result of the same letter changes nothing.
    deliver(house, FakeTransport(DELIVERED))
    assert kinds(house).count(EventKind.STATUS_CHANGED) == 2


def test_r001_03_a_book_that_fails_leaves_the_ticket_open_and_tells_staff(house: TestHouse) -> None:
    house.receive(order(CONFIRMED))
    deliver(house, FakeTransport(NO_SUCH_USER))
    assert ticket(house).status is Status.OPEN
    failed = [one for one in house.letters(Audience.STAFF) if one.letter is LetterKind.DELIVERY_FAILED]
    assert any(SECTOR in one.text for one in failed)


def test_r001_03_a_book_that_comes_back_opens_the_ticket_again(house: TestHouse) -> None:
    house.receive(order(CONFIRMED))
    deliver(house, FakeTransport(DELIVERED))
    house.receive(bounce_of(books(house)[0]))
    assert (ticket(house).status, ticket(house).sector_asked_at) == (Status.OPEN, None)


def bounce_of(letter: OutboundLetter) -> bytes:
    return (
        "From: MAILER-DAEMON@example.com.br\nTo: atendimento@example.com.br\nSubject: Undelivered\n"
        "Authentication-Results: mx.example.com.br; dmarc=pass\nMessage-ID: <b1@example.com.br>\n"
        "Auto-Submitted: auto-replied\nMIME-Version: 1.0\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="x"\n\n'
        "--x\nContent-Type: text/plain\n\nNo such user\n"
        "--x\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example.com.br\n\n"
        f"Final-Recipient: rfc822; {letter.recipient.address}\nAction: failed\nStatus: 5.1.1\n"
        "Diagnostic-Code: smtp; 550 no such user\n\n"
        f"--x\nContent-Type: text/rfc822-headers\n\nMessage-ID: <{letter.message_id}>\nSubject: x\n\n--x--\n"
    ).encode()


def test_r001_03_one_who_was_moved_on_meanwhile_stays_where_they_are(house: TestHouse) -> None:
    house.receive(order(CONFIRMED))
    house.agent_reply(notice(house), "#resolver Foi resolvido por telefone.")
    deliver(house, FakeTransport(DELIVERED))
    assert ticket(house).status is Status.RESOLVED


# --- the sector's answer ---------------------------------------------------------------------------------------


def answered(house: TestHouse, words: str) -> MailOutcome:
    house.receive(order(CONFIRMED))
    deliver(house, FakeTransport(DELIVERED))
    return house.receive(reply_to(books(house)[0], words))


@pytest.mark.parametrize(
    "words", ["O.S. 12345", "#os 12345", "OS nº 12345\nTécnico amanhã", "Ordem de serviço: 12345"]
)
def test_r001_17_the_sectors_number_is_kept_and_told_to_the_client(house: TestHouse, words: str) -> None:
    assert answered(house, words) is MailOutcome.MESSAGE
    assert field(house, "work_order_number") == "12345"
    assert "O número da sua O.S. é 12345." in to_client(house).text
    assert "Técnico amanhã" not in to_client(house).text
    assert (ticket(house).status, ticket(house).sector_asked_at) == (Status.ON_HOLD, None)


def test_r001_04_what_else_the_sector_says_only_staff_read(house: TestHouse) -> None:
    before = len(house.letters(Audience.REQUESTER))
    answered(house, "O cliente nos deve dinheiro.\nCANCELAR\nEndereço: Rua Outra, 5, Recife")
    assert len(house.letters(Audience.REQUESTER)) == before + 1
    assert field(house, "address") == "Rua das Flores, 100, Goiânia"
    assert "O cliente nos deve dinheiro." in notice(house, LetterKind.SECTOR_REPLIED).text
    with house.app.storage.read() as work:
        last = work.tickets.messages(ticket(house).number)[-1]
    assert last.visibility is Visibility.INTERNAL


def test_r001_14_the_sector_may_say_that_it_costs_and_is_in_warranty(house: TestHouse) -> None:
    answered(house, "Orçamento: sim\nGarantia: sim")
    assert "Observações Atendimento: Cortesia" in books(house)[-1].text


def test_r001_17_nobody_but_the_sector_fills_in_its_number(house: TestHouse) -> None:
    house.receive(order(CONFIRMED))
    deliver(house, FakeTransport(DELIVERED))
    book = books(house)[0]
    forged = reply_to(book, "O.S. 666").replace(b"dmarc=pass", b"dmarc=none")
    house.receive(forged)
    stranger = reply_to(book, "O.S. 777").replace(SECTOR.encode(), b"mal@fora.example")
    house.receive(stranger)
    first = house.tickets()[0]
    assert [one.value for one in first.fields if one.key == "work_order_number"] == []


def test_r001_17_an_agents_word_does_the_same(house: TestHouse) -> None:
    house.receive(order(CONFIRMED))
    house.agent_reply(notice(house), "#os 4711")
    assert field(house, "work_order_number") == "4711"
    assert "4711" in to_client(house).text


def test_r001_17_the_client_hears_of_the_number_from_an_internal_notice_too_and_of_nothing_else(
    house: TestHouse,
) -> None:
    house.receive(order(CONFIRMED))
    house.agent_reply(notice(house), "#campo Orçamento: não")
    before = len(house.letters(Audience.REQUESTER))
    house.agent_reply(notice(house, LetterKind.TRANSCRIPT), "#os 4711\n\nEste cliente é difícil.")
    assert "O número da sua O.S. é 4711." in to_client(house).text
    assert len(house.letters(Audience.REQUESTER)) == before + 1
    assert "difícil" not in to_client(house).text
    with house.app.storage.read() as work:
        last = work.tickets.messages(ticket(house).number)[-1]
    assert (last.visibility, last.text) == (Visibility.INTERNAL, "Este cliente é difícil.")


def test_r001_18_the_agents_notice_links_to_the_procedure_and_no_clients_letter_does(
    house: TestHouse,
) -> None:
    house.receive(order(CONFIRMED))
    url = "https://intranet.example.com.br/procedimentos/abertura-de-os"
    assert f"Procedimento: Abertura de O.S., {url}" in notice(house).text
    assert f'href="{url}"' in notice(house).html
    assert all(url not in one.text + one.html for one in house.letters(Audience.REQUESTER))


def test_what_only_the_house_works_with_no_client_is_asked_to_check(house: TestHouse) -> None:
    house.receive(order(CONFIRMED))
    told = to_client(house).text
    assert "Razão Social: Padaria Exemplo Ltda" in told
    for label in ("Grupo Serviço", "Marca:", "Formulário", "Família", "Categoria", "Motivo do atendimento"):
        assert label not in told
        assert label in notice(house).text


def test_r001_04_a_silent_sector_is_reminded_in_office_hours_and_not_after_it_answered(house: TestHouse) -> None:
    house.receive(order(CONFIRMED))
    deliver(house, FakeTransport(DELIVERED))
    house.clock.advance(timedelta(days=1))
    house.app.upkeep.tick()
    assert len(books(house)) == 1
    house.clock.advance(timedelta(days=1))
    house.app.upkeep.tick()
    house.app.upkeep.tick()
    assert len(books(house)) == 2
    assert "ainda não teve resposta" in books(house)[1].text
    house.receive(reply_to(books(house)[1], "O.S. 12345"))
    house.clock.advance(timedelta(days=5))
    house.app.upkeep.tick()
    assert len(books(house)) == 2


def test_r001_33_who_is_done_is_asked_how_it_went(house: TestHouse) -> None:
    house.receive(order(CONFIRMED))
    house.agent_reply(notice(house), "#resolver A O.S. foi atendida.")
    assert "COMO FOI O NOSSO ATENDIMENTO?" in to_client(house).text
    assert "Obrigado por falar com a Bematech." in to_client(house).text


def test_r001_34_where_nobody_is_asked_for_a_rating_the_last_letter_ends_in_the_brands_name(
    tmp_path: Path,
) -> None:
    config = Path(shutil.copytree(REPOSITORY / "config", tmp_path / "config"))
    file = config / "catalogue" / "corporate_work_order.yaml"
    file.write_text(file.read_text("utf-8").replace("ask_rating: sim\n", ""), "utf-8")
    with TestHouse(tmp_path / "house", config_dir=config) as house:
        house.receive(order(CONFIRMED))
        house.agent_reply(notice(house), "#resolver A O.S. foi atendida.")
        last = to_client(house).text
        assert "COMO FOI O NOSSO ATENDIMENTO?" not in last
        assert "Obrigado por falar com a Bematech." in last
        assert "Bematech Hardware · atendimento@example.com.br" in last


def test_r001_32_every_letter_to_the_client_asks_whether_anything_else_is_wanted(house: TestHouse) -> None:
    house.receive(mail("", subject=SUBJECT, sender=CLIENT))
    question = to_client(house)
    house.requester_reply(question, text(DATA, CONFIRMED))
    house.agent_reply(notice(house), "A equipe vai amanhã.")
    house.agent_reply(notice(house), "#os 8877")
    house.agent_reply(notice(house), "#resolver A O.S. foi atendida.")
    letters = [question, *house.letters(Audience.REQUESTER)]
    assert {LetterKind.EVIDENCE_REQUESTED, LetterKind.EVIDENCE_COMPLETE} < {one.letter for one in letters}
    asks = "Deseja mais alguma informação? É só responder a este e-mail."
    assert [one.text.count(asks) for one in letters] == [1] * len(letters)
    assert all("Deseja mais" not in one.text for one in (*books(house), *house.letters(Audience.STAFF)))


def test_r001_21_the_title_is_made_of_the_order_and_the_company(house: TestHouse) -> None:
    house.receive(order(CONFIRMED))
    assert ticket(house).title == "O.S. Padaria Exemplo Ltda"
