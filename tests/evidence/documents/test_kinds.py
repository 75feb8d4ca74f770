"""What a document is, told by its text and, less, by its name. The texts are made up after DOMAIN C.2 to C.5."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailbot.domain.evidence import DocumentKind
from mailbot.evidence.content import Code
from mailbot.evidence.documents import KindReading, certain_kind, kind_by_filename, kind_readings
from mailbot.evidence.documents.page_text import page_text
from tests.evidence.pages import TODAY, facts, page, read

LINE = "34191.10121 34567.880058 71234.570001 6 16670000012345"
SLIP = "85890000460-9 52460179160-5 60759305086-5 83148300001-0"

BOLETO = f"""Banco Exemplo 341-7   {LINE}
Beneficiário: Vistorias Exemplo   Nosso número 123   Vencimento 20/11/2026
Local de pagamento: pagável em qualquer banco   Pagador: Maria Souza
Recibo do Pagador - Autenticação mecânica - guarde o comprovante de quitação"""
TAX_SLIP = f"DOCUMENTO ÚNICO DE ARRECADAÇÃO - DUA\n{SLIP}\nVencimento 20/11/2026 Valor 108,00"
RECEIPT = f"""Comprovante de pagamento de boleto
Representação numérica {LINE}
Beneficiário Vistorias Exemplo Vencimento 20/11/2026
Data de Efetivação / Agendamento 19/11/2026   Valor pago R$ 123,45"""
BANK_RECEIPT = "SISBB - COMPROVANTE DE PAGAMENTO DE TITULOS\nVALOR COBRADO 108,00\nNR.AUTENTICACAO A.BCD.123"
PIX = "Pix enviado\nR$ 108,00\nID da transação E18236120202611210259zLXiYrokk4z\nInstituição Exemplo"
SCHEDULED = (
    "Comprovante de agendamento\nPix agendado para 30/11/2026\nNão garante a efetivação. Número do agendamento 12"
)
LICENCE = """REPÚBLICA FEDERATIVA DO BRASIL - SECRETARIA NACIONAL DE TRÂNSITO
CARTEIRA NACIONAL DE HABILITAÇÃO / DRIVER LICENSE / PERMISO DE CONDUCCIÓN
2 e 1 NOME MARIA SOUZA  4d CPF  5 Nº REGISTRO  9 CAT HAB B  FILIAÇÃO"""
SIGNED = "QR-CODE\nO documento foi assinado com certificado digital. Assinador Serpro / SENATRAN"
VEHICLE_PAPER = (
    f"CERTIFICADO DE REGISTRO E LICENCIAMENTO DE VEÍCULO - DIGITAL\nCódigo Renavam 1 Chassi 9BW\n{SIGNED}"
)
LICENCE_FEE = f"{TAX_SLIP}\nTaxa: renovação da Carteira Nacional de Habilitação - DETRAN"


def kind_of(text: str) -> DocumentKind:
    return read(text).kind


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (BOLETO, DocumentKind.BOLETO),
        (TAX_SLIP, DocumentKind.BOLETO),
        (LICENCE_FEE, DocumentKind.BOLETO),
        (RECEIPT, DocumentKind.PAYMENT_RECEIPT),
        (BANK_RECEIPT, DocumentKind.PAYMENT_RECEIPT),
        (PIX, DocumentKind.PAYMENT_RECEIPT),
        (SCHEDULED, DocumentKind.PAYMENT_RECEIPT),
        (LICENCE, DocumentKind.DRIVER_LICENCE),
        (VEHICLE_PAPER, DocumentKind.OTHER),
        (SIGNED, DocumentKind.UNKNOWN),
        ("Prezados, segue a relação de preços dos nossos produtos para o ano que vem.", DocumentKind.UNKNOWN),
        ("", DocumentKind.UNKNOWN),
    ],
)
def test_the_text_tells_the_kind(text: str, kind: DocumentKind) -> None:
    assert kind_of(text) is kind


def test_a_kind_that_is_hardly_better_than_the_next_is_not_certain() -> None:
    looked_at = page_text(page(BOLETO))
    readings = (
        KindReading(kind=DocumentKind.BOLETO, score=0.8),
        KindReading(kind=DocumentKind.PAYMENT_RECEIPT, score=0.65),
    )
    assert certain_kind(looked_at, readings) is None
    assert certain_kind(looked_at, readings[:1]) is readings[0]


def test_accents_lost_on_the_way_do_no_harm() -> None:
    assert (
        kind_of("CARTEIRA NACIONAL DE HABILITACAO\nCATEGORIA B N REGISTRO FILIACAO") is DocumentKind.DRIVER_LICENCE
    )


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("boleto.pdf", DocumentKind.BOLETO),
        ("BoletoVistoria2.PDF", DocumentKind.BOLETO),
        ("DUA_2026.pdf", DocumentKind.BOLETO),
        ("comprovante.jpeg", DocumentKind.PAYMENT_RECEIPT),
        ("comprovante_boleto.pdf", DocumentKind.PAYMENT_RECEIPT),
        ("Comprovante de pagamento do boleto.jpg", DocumentKind.PAYMENT_RECEIPT),
        ("pix-20261120.png", DocumentKind.PAYMENT_RECEIPT),
        ("cnh2.jpg", DocumentKind.DRIVER_LICENCE),
        ("CNH-Maria.jpg", DocumentKind.DRIVER_LICENCE),
        ("habilitação.pdf", DocumentKind.DRIVER_LICENCE),
        ("comprovante e boleto.pdf", DocumentKind.UNKNOWN),
        ("cnh e boleto.pdf", DocumentKind.UNKNOWN),
        ("boleto pago.pdf", DocumentKind.UNKNOWN),
        ("IMG-20261120-WA0001.jpg", DocumentKind.UNKNOWN),
        ("documento.pdf", DocumentKind.UNKNOWN),
        (".pdf", DocumentKind.UNKNOWN),
        ("", DocumentKind.UNKNOWN),
    ],
)
def test_a_telling_name_tells_one_kind_or_none(name: str, kind: DocumentKind) -> None:
    assert kind_by_filename(name) is kind


@given(st.text(max_size=400), st.text(max_size=60), st.sampled_from([None, 0.5, 0.95]))
def test_no_text_and_no_name_raises_and_scores_stay_between_0_and_1(
    text: str, name: str, ocr: float | None
) -> None:
    readings = kind_readings(page_text(page(text, ocr=ocr)), today=TODAY)
    assert len({one.kind for one in readings}) == 4
    assert all(0 <= one.score <= 1 for one in readings)
    read(text, ocr=ocr)
    kind_by_filename(name)


@pytest.mark.parametrize(
    "piece",
    [
        "comprovante de ", "1 ", "I<BRA", "E18236120", "a", "\u0301", "autenticacao ", "valor\n", "R$ 1,00 ",
        "data 1/1/2026\n", "pagador: ", "123.456.789-09 ", "recibo do pagador\ncomprovante de pagamento\n1\n",
        "agendamento nao ", "nome\n", "*** ", "34199.83691 ",
    ],
)  # fmt: skip
@pytest.mark.parametrize("ocr", [None, 0.9])
def test_a_megabyte_of_text_is_read_in_no_time(piece: str, ocr: float | None) -> None:
    text = piece * (1_000_000 // len(piece))
    begun = time.thread_time()
    read(text, ocr=ocr)
    kind_by_filename(text)
    assert time.thread_time() - begun < 5


@pytest.mark.parametrize(
    "text",
    [
        # Before the button is pressed, while it waits, ordered for later: no paper to pay by.
        f"Revise o pagamento\nBeneficiário Vistorias Exemplo\nVencimento 20/11/2026\nConta 1\n{LINE}\n123,45",
        f"Boleto\nBeneficiário Vistorias Exemplo\nVencimento 20/11/2026\nValor do documento R$ 123,45\n{LINE}",
        (
            f"Agendamento realizado com sucesso\nFavorecido Vistorias Exemplo\nVencimento 20/11/2026\n{LINE}"
            "\nValor R$ 123,45\nData do agendamento 19/11/2026"
        ),
        (
            f"PAGAMENTO DE BOLETO\nLinha digitável: {LINE}\nNosso número: 123\nNúmero do agendamento: 9\n"
            "Beneficiário Vistorias Exemplo\nVencimento 20/11/2026\nSituação: PENDENTE DE AUTORIZAÇÃO"
        ),
    ],
)
def test_a_screen_on_the_way_to_a_payment_is_no_boleto(text: str) -> None:
    """R000-08: whoever pays a boleto sees its line, amount and payee too."""
    assert kind_of(text) is not DocumentKind.BOLETO


def test_a_payment_that_is_ordered_or_waits_is_a_receipt_of_none() -> None:
    ordered = (
        f"Agendamento realizado com sucesso\nFavorecido Vistorias Exemplo\n{LINE}\nR$ 123,45\nData 19/11/2026"
    )
    waiting = (
        f"Pagamento em processamento\n19/11/2026\nValor R$ 123,45\nQuem vai receber Vistorias Exemplo\n{LINE}"
    )
    for text, status in ((ordered, "scheduled"), (waiting, "unknown")):
        reading = read(text)
        assert (reading.kind, facts(reading)["status"]) == (DocumentKind.PAYMENT_RECEIPT, status)


@pytest.mark.parametrize("ocr", [None, 0.9])
@pytest.mark.parametrize(
    "text",
    [
        (
            "CONTRATO DE PRESTAÇÃO DE SERVIÇOS\nCONTRATANTE: Maria Souza. CONTRATADA: Vistorias Exemplo.\n"
            "Cláusula 3ª. O pagamento de R$ 123,45 será efetuado até 20/11/2026 por meio de boleto bancário,\n"
            "valendo o comprovante de pagamento como recibo."
        ),
        (
            "Comprovante de Agendamento de Vistoria\nProtocolo 9924497\nData e hora 03/12/2026 14:00\n"
            "Taxa R$ 123,45\nLeve a CNH e o comprovante de pagamento da taxa."
        ),
        # As OCR leaves it where it lost the title.
        (
            "Protocolo 9924497\nData e hora 03/11/2026 14:00\nTaxa R$ 123,45\n"
            "Leve a CNH e o comprovante de pagamento da taxa."
        ),
    ],
)
def test_a_paper_that_only_speaks_of_a_proof_is_none(text: str, ocr: float | None) -> None:
    assert read(text, ocr=ocr).kind is not DocumentKind.PAYMENT_RECEIPT


ON_A_TABLE = f"""{BOLETO}
\fComprovante de pagamento de boleto
Valor pago R$ 123,45
Data do pagamento 19/11/2026
\f{LICENCE}"""


def test_papers_that_lie_side_by_side_are_told_apart_where_no_title_was_read() -> None:
    parts = read(ON_A_TABLE, ocr=0.9).parts
    assert [part.kind for part in parts] == [
        DocumentKind.BOLETO,
        DocumentKind.PAYMENT_RECEIPT,
        DocumentKind.DRIVER_LICENCE,
    ]


def test_a_paper_beside_others_that_was_not_read_well_is_named_as_one_that_nobody_knows() -> None:
    misread = ON_A_TABLE.replace("Comprovante de pagamento de boleto", "Conta debitada: 1\nBanco recebedor: 2")
    *certain, last = read(misread, ocr=0.9).parts
    assert [part.kind for part in certain] == [DocumentKind.BOLETO, DocumentKind.DRIVER_LICENCE]
    assert (last.kind, last.facts) == (DocumentKind.UNKNOWN, ())
    assert ("amount", "123.45") in {(fact.name, fact.value) for fact in last.guesses}


def test_the_two_sides_of_a_licence_side_by_side_are_one() -> None:
    back = "12 OBSERVAÇÕES EAR\nLOCAL GOIÂNIA, GO\nASSINADO DIGITALMENTE"
    reading = read(f"{LICENCE}\n\f{back}", ocr=0.9)
    assert (reading.kind, reading.parts) == (DocumentKind.DRIVER_LICENCE, ())


POSTAL = f"""CORRESPONDENTE BANCARIO  PDV: 07
19/11/26 10:22:45
{{title}}
CONVENIO: SEC ECONOMIA GO - DUA
{SLIP}
VALOR TOTAL R$ 460,52
NSU: 123456789
AUT: 1A2B3C4D5E6F"""


def test_what_a_machine_on_narrow_paper_shortens_is_a_payment_all_the_same() -> None:
    reading = read(POSTAL.format(title="COMPROVANTE PAGTO. CONVENIO"))
    assert (reading.kind, facts(reading)["status"]) == (DocumentKind.PAYMENT_RECEIPT, "paid")


@pytest.mark.parametrize("title", ["ESTORNO PAGTO. CONVENIO", "PGTO. CONVENIO PENDENTE"])
def test_a_machines_slip_of_a_tax_that_was_not_paid_is_no_tax_slip(title: str) -> None:
    reading = read(POSTAL.format(title=title))
    assert reading.kind is not DocumentKind.BOLETO
    assert facts(reading).get("status") != "paid"


def test_a_bill_in_few_words_is_one_by_its_bars() -> None:
    bill = f"GÁS EXEMPLO\nTitular: MARIA SOUZA\nVence em 20/12/2026\nTotal a pagar R$ 460,52\n{SLIP}"
    bars = Code(format="ITF", text="85890000460524601791606075930508683148300001")
    assert read(bill).kind is DocumentKind.UNKNOWN
    assert read(bill, codes=(bars,)).kind is DocumentKind.BOLETO
